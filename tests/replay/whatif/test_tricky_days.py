"""The reference gives the hand-made figures of tricky_days.py."""

from fractions import Fraction

import pytest

from tests.replay.whatif.recording_lines import instant
from tests.replay.whatif.reference import what_if
from tests.replay.whatif.tricky_days import TRAPS


@pytest.mark.parametrize("name", list(TRAPS))
def test_reference(name: str) -> None:
    trap = TRAPS[name]()
    result = what_if(
        trap.lines.texts(), trap.settings, policy=trap.policy, latency_ms=trap.latency_ms, independent=trap.independent
    )
    rows = {
        row.trade_date: (row.baseline, row.counterfactual, row.simulated, row.left_out_contracts) for row in result.rows
    }
    assert rows == trap.days
    assert [at for _, _, at in result.divergence] == [instant(time) for time in trap.diverges]
    assert result.rows[0].flags == trap.flags
    for column, value in trap.more.items():
        told = getattr(result.rows[0], column)
        assert told == (Fraction(value) if column == "guard_cost" else value)
