"""A copier buys one contract each second into a lockout: each is closed, within the broker's quota (RULES.md 1.6)."""

import pytest

from adapters.simulator.execution import Execution
from tests.simulation.copier import run


@pytest.mark.parametrize(("count", "pending_seconds"), [(40, 0), pytest.param(200, 0.5, marks=pytest.mark.nightly)])
def test_two_hundred_reopenings_in_two_hundred_seconds_are_each_closed(count: int, pending_seconds: float) -> None:
    """By a simulated broker that takes 200 calls a minute; market orders rest for a moment, exits and entries alike."""
    slow = Execution(pending_seconds=(pending_seconds, pending_seconds), every_market_order=True)
    figures, world = run(count, slow)
    assert (figures.bought, figures.closed, figures.left_open) == (count, count, 0), figures.lines()
    assert figures.refused_429 == 0, figures.lines()
    assert figures.largest_open == 1, figures.lines()
    assert figures.slowest_seconds < 1, figures.lines()
    assert not world.judge.violations
