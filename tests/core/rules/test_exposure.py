"""What counts against a limit of contracts and what brings it down (RULES.md 5, RULE-001 and RULE-002)."""

import pytest

from riskcore.core import events as e
from riskcore.core.rules.base import Proposal
from riskcore.core.rules.exposure import Exposure, count_with, counted_orders
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, Ledger


def view_of(day: Ledger) -> View:
    event = e.Event(day.book.now, "clock", "k", e.ClockTicked())
    return View(day.book, day.account_state, event, Effect((ACCOUNT,)), "net", "last", "r.0")


def exposure_of(day: Ledger, net: bool = False) -> Exposure:
    view = view_of(day)
    return Exposure(view.held(), counted_orders(view), lambda contract: 1, net)


def cut(day: Ledger, limit: int, net: bool = False) -> list[tuple[str, int | None]]:
    return [(command.kind, command.to) for command in exposure_of(day, net).cuts(limit)]


@pytest.mark.parametrize(
    ("limit", "commands"),
    [
        (6, []),
        (5, []),
        (4, [("ReducePosition", 2)]),
        (2, [("ClosePosition", None)]),
        (1, [("ClosePosition", None), ("ReducePosition", 1)]),
        (0, [("ClosePosition", None), ("ClosePosition", None)]),
    ],
)
def test_the_newest_contract_is_cut_first_and_no_more_than_the_excess(
    limit: int, commands: list[tuple[str, int | None]]
) -> None:
    assert cut(Ledger().fill("ES", 2, "6000").fill("MNQ", 3, "21000"), limit) == commands


def test_net_cuts_only_the_heavier_side() -> None:
    day = Ledger().fill("ES", 4, "6000").fill("MNQ", -1, "21000")
    assert (exposure_of(day).count(), exposure_of(day, net=True).count()) == (5, 3)
    assert cut(day, 2, net=True) == [("ReducePosition", 3)]
    short = Ledger().fill("MNQ", -4, "21000").fill("ES", 1, "6000")
    assert cut(short, 2, net=True) == [("ReducePosition", 3)]


@pytest.mark.parametrize(("order", "left"), [(7, 1), (8, 3), (None, 3)])
def test_what_a_fill_executed_is_taken_off_its_own_order_only(order: int | None, left: int) -> None:
    day = Ledger().order(7, "ES", 3, limit="5990").push("ES", 0).fill("ES", 2, "5990", order=order, trade=1)
    [counted] = counted_orders(view_of(day))
    assert counted.remaining == left


def test_a_fill_that_was_voided_or_names_no_order_is_taken_off_nothing() -> None:
    day = Ledger().order(7, "ES", 3, limit="5990").push("ES", 0).fill("ES", 2, "5990", order=7, trade=1).void(1)
    day.take(e.TradeRecorded(ACCOUNT, 2, day.contract("ES"), 1, 1, 1, day.book.now), "trade:2")
    [counted] = counted_orders(view_of(day))
    assert counted.remaining == 3


def test_what_a_push_shows_executed_is_taken_off_the_order_before_any_fill_says_so() -> None:
    day = Ledger().order(7, "ES", 3, limit="5990").order(8, "ES", 2, limit="5980").push("ES", 4)
    assert [order.remaining for order in counted_orders(view_of(day))] == [0, 1]
    assert exposure_of(day).count() == 5


def test_legs_and_suspended_orders_are_not_counted() -> None:
    day = Ledger().order(7, "ES", 1, parent=5).order(8, "ES", 1, status=8).order(9, "ES", 1)
    assert [order.id for order in counted_orders(view_of(day))] == [9]


@pytest.mark.parametrize(("all_orders", "count"), [(False, 4), (True, 7)])
def test_orders_that_only_reduce_are_no_entries_beside_a_proposal(all_orders: bool, count: int) -> None:
    day = Ledger().fill("ES", 3, "6000").order(7, "ES", -3, type=4, stop="5990").order(8, "ES", -3, limit="6010")
    asked = day.order(9, "MNQ", -1).account_state.orders[9]
    beside = tuple(order for order in day.account_state.working_orders() if order.id != 9)
    counted = count_with(exposure_of(day), Proposal(asked, beside), view_of(day), all_orders=all_orders)
    assert counted == count


def test_an_entry_that_works_counts_beside_a_proposal() -> None:
    day = Ledger().fill("ES", 3, "6000").order(7, "ES", 2, limit="5990").order(8, "ES", -3, type=4, stop="5980")
    asked = day.order(9, "ES", 1).account_state.orders[9]
    beside = tuple(order for order in day.account_state.working_orders() if order.id != 9)
    assert count_with(exposure_of(day), Proposal(asked, beside), view_of(day), all_orders=False) == 6
