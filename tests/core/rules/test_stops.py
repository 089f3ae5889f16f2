"""Entries and stop prices (RULES.md 4): exact averages, grid prices away from the market."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.core.quantities import price
from riskcore.core.rules.stops import Entry, entry_of, on_grid
from riskcore.core.state import Lot, Position

TICK = price("0.25")
MNQ = "CON.F.US.MNQ.Z26"


@pytest.mark.parametrize(
    ("value", "side", "expected"),
    [("100.25", 1, "100.25"), ("100.25", -1, "100.25"), ("100.3", 1, "100.25"), ("100.3", -1, "100.5")],
)
def test_a_stop_is_rounded_away_from_the_market(value: str, side: int, expected: str) -> None:
    assert on_grid(price(value), TICK, side) == price(expected)


@given(st.sampled_from([1, -1]), st.integers(1, 7), st.integers(-(10**14), 10**14), st.integers(-400, 400))
def test_an_offset_price_is_the_nearest_grid_price_on_the_far_side(
    side: int, contracts: int, cost: int, ticks: int
) -> None:
    moved = Entry(side, contracts, cost).offset_price(ticks, TICK)
    exact = side * cost + ticks * TICK * contracts  # Times side and contracts.
    assert moved % TICK == 0
    assert 0 <= exact - side * moved * contracts < TICK * contracts


@given(st.sampled_from([1, -1]), st.integers(1, 7), st.integers(-(10**14), 10**14), st.integers(0, 10**12))
def test_the_first_price_that_reaches_a_profit(side: int, contracts: int, cost: int, profit: int) -> None:
    entry = Entry(side, contracts, cost)
    first = entry.reached_at(profit)
    assert entry.profit(side * first) >= profit
    assert entry.profit(side * (first - 1)) < profit


def test_the_entry_comes_from_lots_and_from_the_broker_where_there_are_none() -> None:
    lots = Position(MNQ, side=-1, lots=(Lot(1, price("10"), 1), Lot(2, price("11"), 2)))
    assert entry_of(lots) == Entry(-1, 3, price("32"))
    assert Entry(-1, 3, price("32")).average == price("10.666666666")
    pushed = Position(MNQ, pushed=2, carried=2, carried_cost=price("20"))
    assert entry_of(pushed) == Entry(1, 2, price("20"))
    assert entry_of(Position(MNQ, pushed=2, carried=2, carried_cost=None)) is None
    assert entry_of(Position(MNQ)) is None
