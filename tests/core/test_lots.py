"""Lots of one contract, first in first out, and what was carried in before them (RULES.md 1.5)."""

import pytest

from riskcore.core.lots import MOST_KEPT, NO_LOTS, Lots, after_fill, lots_of, next_lots, opened_for, without_oldest
from riskcore.core.quantities import money
from riskcore.core.state import Contract, Lot, Position, Trade

ES = Contract("C", "ES", 1, money("0.5"))  # A tick of one price unit is worth half a dollar.


def trade(trade_id: int, side: int, size: int, profit: int | None) -> Trade:
    return Trade(trade_id, "C", 0, "2026-11-20", 100, side, size, profit, 0, 0, False, None, 0)


def test_the_oldest_lot_closes_first() -> None:
    lots = (Lot(1, 100, 2), Lot(2, 110, 2))
    after = next_lots(1, lots, (), trade(3, -1, 3, 5))
    assert after == Lots(1, (Lot(2, 110, 1),), ())


def test_the_two_halves_of_a_flip_come_in_either_order() -> None:
    closing, opening = trade(2, -1, 1, 5), trade(3, -1, 2, None)
    for order in ((closing, opening), (opening, closing)):
        side, lots, early = 1, (Lot(1, 100, 1),), ()
        ended = 0
        for one in order:
            after = next_lots(side, lots, early, one)
            side, lots, early = after.side, after.lots, after.early
            ended += after.trip_ended
        assert (side, lots, early, ended) == (-1, (Lot(3, 100, 2),), (), 1)


def test_what_is_open_has_a_size_and_a_cost_between_the_halves_of_a_flip_too() -> None:
    lots = Lots(-1, (Lot(1, 100, 2),), (Lot(2, 110, 3),))
    assert (lots.size, lots.cost, lots.flat) == (1, 130, False)
    assert (NO_LOTS.size, NO_LOTS.cost, NO_LOTS.flat) == (0, 0, True)
    assert not Lots(0, (), (), carried=1).flat


def test_what_is_open_of_a_position() -> None:
    position = Position("C", side=1, lots=(Lot(1, 100, 1),), carried=2, carried_cost=7)
    assert lots_of(position) == Lots(1, (Lot(1, 100, 1),), (), carried=2, carried_cost=7)


@pytest.mark.parametrize(
    ("contracts", "left", "short"),
    [(0, (2, 1), 0), (1, (1, 1), 0), (2, (1,), 0), (3, (), 0), (4, (), 1)],
)
def test_the_oldest_contracts_go_first(contracts: int, left: tuple[int, ...], short: int) -> None:
    remaining, missing = without_oldest((Lot(1, 100, 2), Lot(2, 110, 1)), contracts)
    assert (tuple(lot.size for lot in remaining), missing) == (left, short)


@pytest.mark.parametrize(
    ("profit", "left"),
    [
        ("15", [(2, 1), (3, 1)]),  # Of the contracts at 80 and 90, the oldest.
        ("10", [(1, 1), (3, 1)]),  # Of those at 90 and 90: the fill that closed the one at 80 is told later.
        ("7.5", [(1, 1), (2, 1)]),
        ("12.5", [(2, 1), (3, 1)]),  # Of none that lie together: the oldest go.
    ],
)
def test_a_fill_closes_the_contracts_that_its_booked_result_is_of(profit: str, left: list[tuple[int, int]]) -> None:
    before = Lots(1, (Lot(1, 80, 1), Lot(2, 90, 2), Lot(3, 95, 1)), ())
    after = after_fill(before, trade(4, -1, 2, money(profit)), ES)
    assert [(lot.trade_id, lot.size) for lot in after.lots] == left


def test_contracts_are_kept_for_fills_told_later_up_to_a_limit() -> None:
    for kept, left in ((MOST_KEPT, [(1, MOST_KEPT)]), (MOST_KEPT + 1, [(1, MOST_KEPT), (2, 1)])):
        before = Lots(1, (Lot(1, 80, kept), Lot(2, 90, 1)), ())
        after = after_fill(before, trade(3, -1, 1, money("5")), ES)
        assert [(lot.trade_id, lot.size) for lot in after.lots] == left


def carried(size: int, cost: int | None, lots: tuple[Lot, ...] = ()) -> Lots:
    return Lots(1 if lots else 0, lots, (), carried=size, carried_cost=cost)


@pytest.mark.parametrize("side", [1, -1])
def test_a_closing_fill_takes_what_was_carried_in_at_the_price_its_result_stands_for(side: int) -> None:
    """Two at 90 and 110 are known as two at 100: the one at 90 is closed at 100 with a result of ten ticks."""
    before = carried(2 * side, 200 * side)
    after = after_fill(before, trade(3, -side, 1, 5_000_000), ES)
    assert (after.carried, after.carried_cost, after.trip_ended) == (side, side * (200 - 100 + side * 10), False)
    flat = after_fill(after, trade(4, -side, 1, 0), ES)
    assert (flat.carried, flat.carried_cost, flat.trip_ended, flat.shortage) == (0, 0, True, 0)


def test_where_nobody_says_what_a_tick_is_worth_each_contract_has_its_share_of_the_cost() -> None:
    after = after_fill(carried(3, 301), trade(3, -1, 1, 5), None)
    assert (after.carried, after.carried_cost) == (2, 200)
    assert opened_for(trade(3, -1, 1, 5), None) is None
    assert opened_for(trade(3, -1, 1, None), ES) is None


def test_an_unknown_cost_stays_unknown_until_nothing_is_left() -> None:
    after = after_fill(carried(2, None), trade(3, -1, 1, 5), ES)
    assert (after.carried, after.carried_cost) == (1, None)
    assert after_fill(after, trade(4, -1, 1, 5), ES).carried_cost == 0


def test_what_was_carried_in_is_older_than_every_lot() -> None:
    before = carried(1, 100, (Lot(1, 100, 2),))
    after = after_fill(before, trade(3, -1, 2, 0), ES)
    assert (after.carried, after.lots, after.trip_ended) == (0, (Lot(1, 100, 1),), False)
    assert after_fill(before, trade(3, -1, 3, 0), ES).trip_ended
    assert after_fill(before, trade(3, -1, 4, 0), ES).shortage == 1


def test_opening_fills_and_those_on_its_own_side_leave_it_alone() -> None:
    for one in (trade(3, 1, 1, None), trade(3, -1, 1, None), trade(3, 1, 1, 5)):
        after = after_fill(carried(2, 200), one, ES)
        assert (after.carried, after.carried_cost, after.trip_ended) == (2, 200, False)


@pytest.mark.parametrize("opening_first", [True, False])
def test_what_was_carried_in_is_turned_round_by_halves_in_either_order(opening_first: bool) -> None:
    halves = [trade(3, -1, 2, 0), trade(4, -1, 3, None)]
    state, ended = carried(2, 200), 0
    for one in reversed(halves) if opening_first else halves:
        state = after_fill(state, one, ES)
        ended += state.trip_ended
    assert (state.size, state.carried, ended) == (-3, 0, 1)


@pytest.mark.parametrize(
    ("profit", "carried_left", "lots_left"),
    [
        ("15", 0, [(1, 90, 1)]),  # The carried one at 80 and the older lot.
        ("10", 1, []),  # Both lots: what closed the carried one is told later.
        ("12", 0, [(1, 90, 1)]),  # Neither.
    ],
)
def test_a_fill_leaves_what_was_carried_in_where_its_result_is_of_the_lots(
    profit: str, carried_left: int, lots_left: list[tuple[int, int, int]]
) -> None:
    after = after_fill(carried(1, 80, (Lot(1, 90, 2),)), trade(4, -1, 2, money(profit)), ES)
    assert (after.carried, after.trip_ended) == (carried_left, False)
    assert [(lot.trade_id, lot.price, lot.size) for lot in after.lots] == lots_left
    one = after_fill(carried(1, 80, (Lot(1, 90, 1),)), trade(4, -1, 1, money("5")), ES)
    assert (one.carried, one.lots, one.trip_ended) == (1, (), False)
    assert after_fill(one, trade(5, -1, 1, money("10")), ES).trip_ended
