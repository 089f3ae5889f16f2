"""A close has an exit order, and no second close leaves while it may still fill (RULES.md 1.6, 8.7)."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.exit_orders import OVER, UNSURE, closed_name, look_due
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.restart import absence
from tests.core.broker import WORKING_STATUSES, Desk
from tests.core.ledger import ACCOUNT, nanoseconds

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
ES = "CON.F.US.EP.Z26"
CLOSE = f"closeContract {ES}"
CLOSE_MNQ = "closeContract CON.F.US.MNQ.Z26"
EXIT = 900


def breached(size: int = 10, **options: Any) -> Desk:
    """Long in ES, seen in full, and a loss at the limit at 10:00:00: the close has just left."""
    desk = Desk(**{**LOSS, **options}).at("09:59:00").snapshot()
    desk.fill("ES", size, "6000").push("ES", size)
    return desk.at("10:00:00").closed("-100").attempt("close")


def closes(desk: Desk) -> int:
    return desk.asked.count(CLOSE)


def exit_order(desk: Desk, size: int, status: int = 6, filled: int = 0, order: int = EXIT) -> Desk:
    desk.order(order, "ES", -size, type=2, status=status, filled=filled)
    return desk


def exit_fill(desk: Desk, size: int, order: int = EXIT) -> Desk:
    desk.fill("ES", -size, "6000", profit="0", order=order)
    return desk


def listed(desk: Desk, size: int, *orders: int) -> Desk:
    """A complete look, asked for and answered now: positions, the orders that work, and fills."""
    at = nanoseconds(desk.now)
    rows = (e.PositionObserved(ACCOUNT, ES, size),) if size else ()
    desk.take(e.PositionsListed(ACCOUNT, rows, at), "positions")
    desk.take(e.OrdersListed(ACCOUNT, WORKING_STATUSES, orders, at), "orders")
    assert desk.book.day is not None
    desk.take(e.TradesListed(ACCOUNT, desk.book.day.opens_at, at), "trades")
    return desk


# ---- the sequences that reversed a position ----------------------------------------------------------


def test_a_pending_exit_order_holds_back_every_second_close_however_long_it_takes() -> None:
    desk = exit_order(breached().accept("close"), 10)
    for _ in range(60):
        desk.later(1)
        if any(one.kind == "takeSnapshot" for one in desk.account_state.requests.values()):
            listed(desk.attempt("takeSnapshot").later(0.05), 10, EXIT)
    assert closes(desk) == 1
    exit_order(exit_fill(desk, 10), 10, status=2, filled=10).push("ES", 0)
    assert desk.later(60).asked.count(CLOSE) == 1


def test_an_order_pushed_before_the_answer_was_lost_is_the_exit_order() -> None:
    desk = exit_order(breached(), 10).lose("close")
    desk.later(0.017).take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, ES, 10),)), "positions")
    assert closes(desk) == 1
    for _ in range(10):
        listed(desk.later(1), 10, EXIT)
    assert closes(desk) == 1


def test_a_restart_within_the_fill_time_finds_the_exit_order_in_the_list() -> None:
    desk = breached()
    for event in absence(desk.book):
        desk._step(event)
    desk.later(2).take(e.EngineStarted("test", True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, ES, 10),)), "positions")
    exit_order(desk, 10).take(e.OrdersListed(ACCOUNT, WORKING_STATUSES, (EXIT,)), "orders").list_fills()
    for _ in range(8):
        listed(desk.later(1), 10, EXIT)
    assert closes(desk) == 1
    exit_fill(desk, 10).push("ES", 0)
    assert closes(desk) == 1


@pytest.mark.parametrize("answer", ["accept", "lose"])
def test_a_partial_close_has_an_exit_order_too(answer: str) -> None:
    desk = Desk(max_contracts={"limit": 4}).at("09:59:00").snapshot()
    desk.at("10:00:00").fill("ES", 10, "6000").push("ES", 10).attempt().later(0.5).snapshot(("ES", 10), orders=())
    assert desk.asked[-1] == f"partialCloseContract {ES} by 6"
    getattr(exit_order(desk.attempt("partial"), 6), answer)("partial")
    for _ in range(10):
        listed(desk.later(1), 10, EXIT)
    assert sum("partial" in one for one in desk.asked) == 1
    exit_order(exit_fill(desk, 6), 6, status=2, filled=6).push("ES", 4)
    assert desk.account_state.obligations == {}


def test_a_close_waits_for_the_order_of_a_cut() -> None:
    desk = Desk(max_contracts={"limit": 4}, **LOSS).at("09:59:00").snapshot()
    desk.at("10:00:00").fill("ES", 10, "6000").push("ES", 10).attempt().later(0.5).snapshot(("ES", 10), orders=())
    exit_order(desk.attempt("partial"), 6).accept("partial").closed("-100").later(2)
    assert closes(desk) == 0
    exit_order(exit_fill(desk, 6), 6, status=2, filled=6).push("ES", 4)
    assert closes(desk) == 1


# ---- fills in parts ----------------------------------------------------------------------------------

PARTS = {"trade": 0, "position": 1, "order": 2}


@pytest.mark.parametrize("order_of_pushes", list(permutations(PARTS)))
@pytest.mark.parametrize("known_first", [True, False])
def test_an_exit_order_that_fills_in_parts_is_neither_entry_nor_cancelled(
    order_of_pushes: tuple[str, ...], known_first: bool
) -> None:
    desk = breached(6).accept("close")
    if known_first:
        exit_order(desk, 6)
    left = 6
    for size in (1, 2, 3):
        left -= size
        for push in order_of_pushes:
            if push == "trade":
                exit_fill(desk, size)
            elif push == "position":
                desk.push("ES", left)
            else:
                exit_order(desk, 6, status=1 if left else 2, filled=6 - left)
            desk.later(0.01)
        desk.later(0.5)
    assert desk.later(60).asked.count(CLOSE) == 1
    assert not any("cancelOrder" in one for one in desk.asked)
    assert [one.rule for one in desk.breaches] == ["RULE-003"]
    assert all(one.enforced for one in desk.account_state.trades.values() if one.order_id == EXIT)


def test_an_exit_order_told_after_its_fill_and_the_flat_push_is_no_entry() -> None:
    desk = exit_fill(breached(6).accept("close"), 6).push("ES", 0)
    exit_order(desk.later(0.01), 6)
    assert [one.rule for one in desk.breaches] == ["RULE-003"]
    assert not any("cancelOrder" in one for one in desk.asked)


def test_an_exit_order_told_after_the_flat_push_alone_is_no_entry() -> None:
    desk = exit_order(breached(6).accept("close").push("ES", 0).later(0.01), 6)
    assert [one.rule for one in desk.breaches] == ["RULE-003"]
    assert not any("cancelOrder" in one for one in desk.asked)


def test_a_close_is_not_over_before_its_order_or_its_fills_are_shown() -> None:
    """Seed 1796147000003 of the simulation: the push of flat was older than the close."""
    desk = breached(3).accept("close").order(55, "ES", -3, filled=3, status=2)
    desk.fill("ES", -3, "6000", profit="0", order=55).push("ES", 0).later(1).fill("ES", 3, "6000").push("ES", 3)
    assert closes(desk) == 1
    exit_order(desk, 3)
    assert closes(desk) == 1
    exit_order(exit_fill(desk, 3), 3, status=2, filled=3).push("ES", 0).later(30)
    assert closes(desk) == 1


@pytest.mark.parametrize(("size", "over"), [(2, False), (3, True), (4, True)])
def test_fills_of_an_order_nobody_showed_end_a_close_too(size: int, over: bool) -> None:
    desk = exit_fill(breached(3).accept("close"), size).push("ES", 0)
    assert (desk.bodies(e.RequestConfirmed) != []) is over


@pytest.mark.parametrize(("seconds", "origin"), [(5, OVER), (5.001, None)])
def test_an_order_shown_behind_its_fills_is_the_exit_order(seconds: float, origin: str | None) -> None:
    desk = exit_order(exit_fill(breached(3).accept("close"), 3).push("ES", 0).later(seconds), 3, status=2, filled=3)
    assert desk.account_state.orders[EXIT].exit_of == origin


def test_a_complete_picture_of_flat_confirms_a_close_that_nobody_showed() -> None:
    desk = breached(3).accept("close").push("ES", 0).later(3)
    listed(desk, 0)
    assert [body.request for body in desk.bodies(e.RequestConfirmed)] == [desk.planned[0].request]


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, True),
        ({"type": 1}, False),
        ({"tag": "bot-7"}, False),
        ({"parent": 5}, False),
    ],
)
def test_an_exit_order_is_a_market_order_without_a_tag(fields: dict[str, Any], known: bool) -> None:
    desk = breached()
    desk.order(EXIT, "ES", -10, **{"type": 2, "status": 6, **fields})
    assert (desk.account_state.orders[EXIT].exit_of not in (None, UNSURE)) is known


def test_an_order_on_the_side_of_the_position_or_of_another_contract_is_no_exit_order() -> None:
    desk = breached().order(901, "ES", 1, type=2, status=6).order(902, "MNQ", -10, type=2, status=6)
    assert [desk.account_state.orders[one].exit_of for one in (901, 902)] == [UNSURE, None]


def test_an_order_that_was_known_before_the_attempt_is_no_exit_order() -> None:
    desk = Desk(**LOSS).snapshot().fill("ES", 10, "6000").push("ES", 10).order(EXIT, "ES", -1, type=2, status=6)
    desk.closed("-100").attempt("close").order(EXIT, "ES", -1, type=2, status=2, filled=1)
    assert desk.account_state.orders[EXIT].exit_of is None


@pytest.mark.parametrize(("seconds", "known"), [(5.001, False), (5, True), (4.999, True)])
def test_an_order_that_ended_well_before_the_attempt_is_no_exit_order(seconds: float, known: bool) -> None:
    desk = breached()
    attempted_at = desk.open("close").attempted_at
    updated_at = attempted_at - round(seconds * 1000) * 1_000_000
    desk.take(e.OrderObserved(ACCOUNT, EXIT, ES, 2, 2, -1, 10, 10, updated_at=updated_at), "order")
    assert (desk.account_state.orders[EXIT].exit_of not in (None, UNSURE)) is known


@pytest.mark.parametrize(("later_ns", "ended"), [(1000, False), (0, True)])
@pytest.mark.parametrize("status", [2, 6])
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(seconds=4), timedelta(seconds=-4)])
def test_an_order_whose_fills_decided_on_the_close_is_no_exit_order(
    later_ns: int, ended: bool, status: int, ahead: timedelta
) -> None:
    """One list tells the fills of another order and what is left: that order, told later, does not end the close."""
    desk = Desk(**LOSS).at("09:59:00").snapshot().fill("ES", 20, "6000").push("ES", 20).at("10:00:00")
    created_at = nanoseconds(desk.now + ahead)
    fill = e.TradeRecorded(ACCOUNT, 77, ES, 6000 * 10**9, -1, 10, created_at, 0, 0, 0, order_id=EXIT)
    desk.take(fill, "trade:77").push("ES", 10).closed("-100")
    desk.later(later_ns / 10**9).attempt("close").accept("close")
    exit_order(desk, 10, status=status, filled=10 if status == 2 else 0)
    assert (desk.bodies(e.RequestConfirmed) != []) is ended


@pytest.mark.parametrize(("microseconds", "left", "seconds"), [(-1, 10, 0.3), (-1, 9, 0), (0, 10, 0), (1, 10, 0)])
def test_an_order_that_ended_before_the_close_left_and_leaves_all_of_it_open_is_looked_into_first(
    microseconds: int, left: int, seconds: float
) -> None:
    """The trader's own exit, told late: the order of the close is still to be shown, and would be the second one."""
    desk = Desk(**LOSS).at("09:59:59").snapshot().fill("ES", 10 + left, "6000").push("ES", 10)
    desk.at("10:00:00").closed("-100").attempt("close").accept("close").later(0.1)
    exit_told_late(desk.push("ES", left), desk.open("close").attempted_at + 1000 * microseconds)
    assert closes(desk) == (1 if seconds else 2)
    if seconds:
        asked = desk.later(seconds).asked
        assert asked[-1].startswith("takeSnapshot")
        assert listed(desk.attempt("takeSnapshot").later(0.05), left).asked.count(CLOSE) == 2


def exit_told_late(desk: Desk, ended_at: int) -> None:
    fill = e.TradeRecorded(ACCOUNT, 77, ES, 6000 * 10**9, -1, 10, ended_at, 0, 0, 0, order_id=EXIT)
    desk.take(fill, "trade:77").take(e.OrderObserved(ACCOUNT, EXIT, ES, 2, 2, -1, 10, 10, updated_at=ended_at), "order")


@pytest.mark.parametrize("ahead_ns", [0, 4 * SECOND_NS, -4 * SECOND_NS])
@pytest.mark.parametrize(("milliseconds", "history"), [(1, True), (0, False)])
def test_an_order_whose_fills_were_part_of_what_was_shown_before_the_close_left_is_older(
    milliseconds: int, history: bool, ahead_ns: int
) -> None:
    """Whatever the clocks say, neither the order nor half a picture ends the close."""
    desk = Desk(**LOSS).at("09:59:00").snapshot().fill("ES", 20, "6000").push("ES", 20)
    desk.at("10:00:00").push("ES", 10).closed("-100").later(milliseconds / 1000).attempt("close").accept("close").later(
        0.1
    )
    exit_told_late(desk, desk.open("close").attempted_at + ahead_ns)
    assert (desk.account_state.orders[EXIT].exit_of is None) is history
    if history:
        rows = (e.PositionObserved(ACCOUNT, ES, 10),)
        desk.take(e.PositionsListed(ACCOUNT, rows, nanoseconds(desk.now)), "positions")
        assert closes(desk) == 1


# ---- when it has ended -------------------------------------------------------------------------------


def test_what_the_trader_adds_during_a_flatten_is_closed_at_once() -> None:
    desk = exit_order(breached().accept("close"), 10)
    desk.later(0.3).fill("ES", 2, "6000").push("ES", 12).later(0.4)
    exit_order(exit_fill(desk, 10), 10, status=2, filled=10)
    assert closes(desk) == 1
    desk.push("ES", 2)
    assert closes(desk) == 2
    assert desk.open("closeContract").size == 2


@pytest.mark.parametrize("last", list(PARTS))
def test_the_next_close_waits_until_fill_position_and_order_agree(last: str) -> None:
    desk = exit_order(breached().accept("close"), 10).fill("ES", 2, "6000").push("ES", 12).later(0.01)
    told = {
        "trade": lambda: exit_fill(desk, 10),
        "position": lambda: desk.push("ES", 2),
        "order": lambda: exit_order(desk, 10, status=2, filled=10),
    }
    for name in (*(one for one in PARTS if one != last), last):
        # The fill says that all of the order is done, so its own last version is not waited for.
        assert closes(desk) == (2 if name == "order" == last else 1)
        told[name]()
        desk.later(0.01)
    assert closes(desk) == 2


def test_an_exit_order_that_was_not_filled_is_followed_by_the_next_close_after_one_look() -> None:
    desk = exit_order(exit_order(breached().accept("close"), 10), 10, status=5)
    assert desk.asked == [CLOSE, "takeSnapshot"]
    listed(desk.attempt("takeSnapshot").later(0.05), 10)
    assert closes(desk) == 2


def test_a_rest_of_a_cancelled_exit_order_is_closed_at_once() -> None:
    desk = exit_fill(exit_order(breached().accept("close"), 10), 4).push("ES", 6)
    exit_order(desk, 10, status=3, filled=4)
    assert closes(desk) == 2


def test_an_order_that_a_list_lost_is_followed_by_a_second_look() -> None:
    desk = exit_order(breached().accept("close"), 10)
    listed(desk.later(3).attempt("takeSnapshot"), 10)
    assert closes(desk) == 1
    listed(desk.later(0.25).attempt("takeSnapshot").later(0.1), 10)
    assert closes(desk) == 2


def test_an_order_of_the_trader_on_the_same_side_does_not_end_the_close() -> None:
    desk = exit_order(exit_order(breached(), 3, order=901), 3, status=2, filled=3, order=901)
    desk.fill("ES", -3, "6000", profit="0", order=901).push("ES", 7).accept("close")
    assert closes(desk) == 1
    exit_order(desk.later(1), 10).later(30)
    assert closes(desk) == 1


# ---- when no exit order is known ----------------------------------------------------------------------


def test_a_lost_answer_is_asked_about_at_once_and_once_more_a_second_later() -> None:
    desk = breached().lose("close")
    assert desk.asked == [CLOSE, "takeSnapshot"]
    listed(desk.attempt("takeSnapshot").later(0.1), 10)
    assert desk.asked == [CLOSE, "takeSnapshot"]
    desk.later(0.899)
    assert desk.asked == [CLOSE, "takeSnapshot"]
    desk.later(0.001)
    assert desk.asked == [CLOSE, "takeSnapshot", "takeSnapshot"]
    listed(desk.attempt("takeSnapshot").later(0.1), 10)
    assert closes(desk) == 2
    [superseded] = desk.bodies(e.RequestSuperseded)
    assert superseded.reason == "positions, orders and fills show that nothing is on its way"


@pytest.mark.parametrize("missing", ["positions", "orders", "fills"])
def test_a_picture_with_a_part_missing_proves_nothing(missing: str) -> None:
    desk = breached().lose("close").later(2)
    for name in ("positions", "orders", "fills"):
        if name == missing:
            continue
        if name == "positions":
            desk.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, ES, 10),)), "positions")
        elif name == "orders":
            desk.take(e.OrdersListed(ACCOUNT, WORKING_STATUSES, ()), "orders")
        else:
            desk.list_fills()
    assert desk.later(20).asked.count(CLOSE) == 1


def test_fills_that_positions_do_not_show_prove_nothing() -> None:
    desk = exit_fill(breached().lose("close").later(1.5), 4)
    listed(desk, 10)
    assert closes(desk) == 1
    listed(desk.later(0.5), 6)
    assert closes(desk) == 2


@pytest.mark.parametrize(("seconds", "alerts"), [(4.999, 0), (5, 1), (60, 1)])
def test_you_are_alerted_when_no_complete_answer_comes(seconds: float, alerts: int) -> None:
    desk = breached().lose("close").later(seconds)
    texts = [text for text in desk.alerts if "is not known whether" in text]
    assert len(texts) == alerts
    assert closes(desk) == 1


@pytest.mark.parametrize(("seconds", "alerts"), [(4.999, 0), (5, 1), (60, 1)])
def test_you_are_alerted_when_an_exit_order_works_for_long(seconds: float, alerts: int) -> None:
    desk = exit_order(breached().accept("close"), 10).later(seconds)
    texts = [text for text in desk.alerts if f"closing order {EXIT} is still working" in text]
    assert len(texts) == alerts


def test_a_position_that_an_exit_order_opened_is_closed() -> None:
    """The venue filled more than was there: nobody wanted what came of it (I11)."""
    desk = Desk(daily_unrealized_loss={"loss_limit": money("300")}).snapshot().fill("ES", 1, "6000").push("ES", 1)
    exit_order(desk.mark("ES", "5994").attempt("close").accept("close"), 1)
    desk.later(0.1).fill("ES", -1, "5994", profit="-300", order=77).push("ES", 0)
    desk.later(1).fill("ES", -1, "5994", order=EXIT).push("ES", -1)
    assert closes(desk) == 2


# ---- cancels ----------------------------------------------------------------------------------------


def test_a_pending_market_order_is_not_cancelled_and_its_fill_is_answered() -> None:
    desk = exit_fill(breached().accept("close"), 10).push("ES", 0)
    desk.order(11, "ES", 1, type=2, status=6).later(5)
    assert "cancelOrder 11" not in desk.asked
    desk.fill("ES", 1, "6000", order=11).push("ES", 1)
    assert closes(desk) == 2


@pytest.mark.parametrize(("seconds", "cancelled"), [(0.999, False), (1, True), (1.001, True)])
def test_another_pending_order_is_cancelled_after_a_second(seconds: float, cancelled: bool) -> None:
    desk = breached().order(11, "ES", 1, status=6).later(seconds)
    assert ("cancelOrder 11" in desk.asked) is cancelled


def test_a_pending_order_is_cancelled_when_it_becomes_open() -> None:
    desk = breached().order(11, "ES", 1, status=6).order(11, "ES", 1, status=1)
    assert "cancelOrder 11" in desk.asked


@pytest.mark.parametrize(("filled", "cancelled"), [(1, True), (2, False)])
def test_an_order_whose_fills_are_complete_is_not_cancelled(filled: int, cancelled: bool) -> None:
    desk = Desk(**LOSS).snapshot().fill("ES", 1, "6000").push("ES", 1).order(11, "ES", 2)
    desk.fill("ES", filled, "6000", order=11).closed("-100")
    assert ("cancelOrder 11" in desk.asked) is cancelled


def test_an_order_that_is_being_cancelled_is_not_cancelled_again() -> None:
    desk = breached().order(11, "ES", 1, status=7)
    assert "cancelOrder 11" not in desk.asked


def test_flat_without_an_answer_does_not_prove_that_the_close_is_over() -> None:
    """Seed 1796145900168 of the simulation: the push was older than the close, and the trader bought again."""
    desk = breached(3).push("ES", 0).fill("ES", 1, "6000").push("ES", 1)
    assert closes(desk) == 1
    exit_order(desk, 1).accept("close").later(30)
    assert closes(desk) == 1


def test_of_two_orders_on_the_exit_side_both_must_be_told_in_full() -> None:
    """The same seed: an order of the trader had the size that was asked for, the exit order another one."""
    desk = exit_order(breached(2).accept("close"), 3).fill("ES", 3, "6000").push("ES", 5)
    exit_order(desk, 2, order=901)
    exit_fill(exit_order(desk, 2, status=2, filled=2, order=901), 2, order=901).push("ES", 3)
    exit_order(desk, 3, status=2, filled=3)
    assert closes(desk) == 1
    exit_fill(desk, 3).push("ES", 0).later(30)
    assert closes(desk) == 1


@pytest.mark.parametrize(("filled", "known"), [(0, False), (1, True), (10, True)])
def test_an_order_first_shown_when_it_had_ended_without_a_fill_proves_nothing(filled: int, known: bool) -> None:
    """Seed 1796146000158 of the simulation: a rejected order of the trader, found in a list after a restart."""
    desk = exit_order(breached(), 10, status=3, filled=filled)
    assert (desk.account_state.orders[EXIT].exit_of not in (None, UNSURE)) is known


@pytest.mark.parametrize(("seconds", "second"), [(0.5, 1), (5, 1), (5.001, 2)])
def test_a_market_order_that_would_close_what_is_held_is_waited_for_behind_a_close(seconds: float, second: int) -> None:
    """Seed 1796146000333 of the simulation: pushes came late, and the account had flipped when the close arrived."""
    desk = Desk(**LOSS).at("09:59:00").snapshot().fill("ES", -2, "6000").push("ES", -2)
    desk.at("10:00:00").closed("-100").attempt("close").accept("close").fill("ES", 2, "6000", profit="0").push("ES", 0)
    desk.later(seconds).fill("ES", 4, "6000", order=7)
    exit_order(desk, 2)
    desk.push("ES", 4)
    assert closes(desk) == second
    exit_order(exit_fill(desk, 2), 2, status=2, filled=2).push("ES", 2)
    assert closes(desk) == 2


def test_an_order_that_only_may_be_an_exit_order_is_answered_as_an_entry() -> None:
    desk = exit_fill(exit_order(breached().accept("close"), 10, status=2, filled=10), 10).push("ES", 0)
    desk.later(1).order(11, "ES", -3, type=2, status=6)
    assert [one.target for one in desk.breaches if one.rule == "GUARD"] == ["order:11"]


def test_each_contract_remembers_its_own_close() -> None:
    assert closed_name(ES) != closed_name("CON.F.US.MNQ.Z26")


def test_an_order_of_another_size_does_not_end_a_close_of_one_contract() -> None:
    desk = exit_order(breached(1).accept("close"), 3, order=901).fill("ES", 3, "6000").push("ES", 4)
    exit_fill(exit_order(desk, 3, status=2, filled=3, order=901), 3, order=901).push("ES", 1)
    assert closes(desk) == 1


def test_an_exit_order_whose_close_is_over_is_looked_at_again_after_the_timeout() -> None:
    desk = exit_order(breached().accept("close"), 10).push("ES", 0)
    assert [body.request for body in desk.bodies(e.RequestConfirmed)] == [desk.planned[0].request]
    desk.fill("ES", 1, "6000").push("ES", 1)
    due = look_due(desk.account_state, ES, 3 * SECOND_NS)
    assert due == nanoseconds(desk.now) + SECOND_NS // 4
    listed(desk.later(1), 1, EXIT)
    assert look_due(desk.account_state, ES, 3 * SECOND_NS) == nanoseconds(desk.now) + 3 * SECOND_NS


# ---- several contracts -------------------------------------------------------------------------------


def leave(desk: Desk) -> None:
    """All that is planned leaves."""
    for request in list(desk.account_state.requests.values()):
        if request.state == "planned":
            desk.take(e.RequestAttempted(ACCOUNT, request.id), "attempt")


def test_a_flatten_ends_when_the_last_contract_is_flat_and_closes_what_is_opened_meanwhile() -> None:
    """ES is flat at once and MNQ fills in parts; a new entry in ES is closed, and no second close of MNQ leaves."""
    desk = Desk(**LOSS).at("09:59:00").snapshot()
    desk.fill("ES", 1, "6000").push("ES", 1).fill("MNQ", 2, "21000").push("MNQ", 2)
    desk.at("10:00:00").closed("-100", contract="MES")
    leave(desk)
    [flatten] = [one.id for one in desk.account_state.obligations.values() if one.kind == "CloseAllPositions"]
    exit_fill(exit_order(desk, 1), 1).push("ES", 0)
    exit_order(desk, 1, status=2, filled=1)
    desk.order(901, "MNQ", -2, type=2, status=6).order(901, "MNQ", -2, type=2, status=1, filled=1)
    desk.fill("MNQ", -1, "21000", profit="0", order=901).push("MNQ", 1)
    assert closes(desk) == 1
    desk.later(1).fill("ES", 1, "6000", order=902).push("ES", 1)
    leave(desk)
    assert (closes(desk), desk.asked.count(CLOSE_MNQ)) == (2, 1)
    desk.fill("MNQ", -1, "21000", profit="0", order=901).order(901, "MNQ", -2, type=2, status=2, filled=2)
    desk.push("MNQ", 0)
    assert flatten in desk.account_state.obligations, "ES is held again"
    exit_fill(exit_order(desk, 1, order=903), 1, order=903).push("ES", 0)
    exit_order(desk, 1, status=2, filled=1, order=903)
    assert flatten not in desk.account_state.obligations
    assert [body.obligation for body in desk.bodies(e.ObligationMet)].count(flatten) == 1
    assert [one for one in desk.account_state.requests.values() if one.kind == "closeContract"] == []


@pytest.mark.parametrize(("seconds", "second"), [(4.999, 1), (5, 2), (5.001, 2)])
def test_a_market_order_shown_behind_a_close_is_waited_for_until_the_side_is_certain(
    seconds: float, second: int
) -> None:
    """Seed 1000000000001009 of the simulation: a push older than the close had the side wrong, and a second close left.

    It bought as the first had, so what was held had turned round. A picture asked for later has the side.
    """
    desk = breached().accept("close").order(EXIT, "ES", 10, type=2, status=6)
    made_at = desk.account_state.orders[EXIT].updated_at
    assert made_at is not None
    desk.later((made_at - nanoseconds(desk.now)) / SECOND_NS + seconds)
    assert closes(listed(desk, 10, EXIT)) == second
