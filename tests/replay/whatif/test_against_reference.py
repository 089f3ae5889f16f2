"""The product's `whatif` and the reference agree to the cent on random days.

More days: WHATIF_SEEDS=2000, or `python -m tests.replay.whatif.compare --seeds 2000`, which names what differs.
"""

import ast
import os
from pathlib import Path

import pytest

from tests.replay.whatif.compare import case_of, differences, expected
from tests.replay.whatif.random_days import random_case
from tests.replay.whatif.random_enforced import enforced_case, same_settings
from tests.replay.whatif.tricky_days import TRAPS

SEEDS = int(os.environ.get("WHATIF_SEEDS", "60"))
ENFORCED_SEEDS = SEEDS // 2
HERE = Path(__file__).parent
INDEPENDENT = ("reference*.py", "random_*.py", "recording_lines.py", "tricky_days.py")


# Without latency the recorded fill that prices a close is the next one for what that close decides, too.
FOUND_SEEDS = (22305,)


@pytest.mark.parametrize("seed", [*range(SEEDS), *FOUND_SEEDS])
def test_product_agrees_with_the_reference(seed: int, tmp_path: Path) -> None:
    assert differences(random_case(seed), tmp_path) == []


@pytest.mark.parametrize("name", list(TRAPS))
def test_product_agrees_on_hand_made_days(name: str, tmp_path: Path) -> None:
    assert differences(case_of(TRAPS[name]()), tmp_path) == []


@pytest.mark.parametrize("seed", range(ENFORCED_SEEDS))
def test_product_agrees_where_riskcore_acted(seed: int, tmp_path: Path) -> None:
    assert differences(enforced_case(seed), tmp_path) == []


def test_equal_settings_change_nothing_in_the_reference() -> None:
    for seed in range(40):
        result = expected(same_settings(enforced_case(seed)))
        assert result.divergence == ()
        assert all(row.net_pnl == row.simulated == row.left_out_contracts == 0 for row in result.rows)


def test_random_days_reach_what_they_are_for() -> None:
    """Most cases part from the record, and every kind of price and left-out entry comes up among them."""
    results = [expected(random_case(seed)) for seed in range(60)]
    rows = [row for result in results for row in result.rows]
    flags = {flag for row in rows for flag in row.flags}
    assert sum(bool(result.divergence) for result in results) > 40
    assert flags == {"late_fill", "stale_fill", "priced_by_fill", "unpriced"}
    assert any(row.guard_cost is None for row in rows)
    assert any(row.guard_cost for row in rows)
    assert any(row.simulated for row in rows)
    assert any(row.exact for row in rows)


def test_a_rule_that_never_fires_changes_nothing() -> None:
    for seed in range(30):
        case = random_case(seed)
        case.settings = {"daily_realized_loss": {"loss_limit": 1_000_000}, "max_contracts": {"limit": 1000}}
        result = expected(case)
        assert result.divergence == ()
        assert all(row.net_pnl == row.simulated == row.left_out_contracts == 0 for row in result.rows)


@pytest.mark.parametrize("path", [path for kind in INDEPENDENT for path in HERE.glob(kind)], ids=lambda path: path.name)
def test_the_reference_uses_no_product_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.partition(".")[0] for name in names} & {"riskcore", "adapters", "replay"}, path.name
