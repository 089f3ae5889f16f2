"""The planner with a scripted broker: obligations to requests, their order, pace, confirmation (RULES.md 1.6, 3.4)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.enforce import deadlines
from riskcore.core.freshness import reconciled
from riskcore.core.in_force import is_met
from riskcore.core.kinds import CLOSING
from riskcore.core.planner_commands import PLANNER_ID
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.rebuild import rebuild
from riskcore.core.requests import retry_delay_ns
from riskcore.core.restart import absence
from riskcore.core.state import STATUS_PENDING, TYPE_MARKET, Account, Book, Obligation
from riskcore.core.timers import due_timers
from riskcore.core.watch import watch
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


def breached(**options: Any) -> Desk:
    """Reconciled, one ES long, then a loss at the limit: flat by 10:00:00."""
    desk = Desk(**{**LOSS, **options}).at("09:59:00").snapshot()
    desk.fill("ES", 1, "6000").push("ES", 1)
    desk.at("10:00:00").closed("-100")
    return desk


# ---- what is planned, and in which order -------------------------------------------------------------


def test_entry_orders_are_cancelled_before_positions_are_closed() -> None:
    desk = Desk(**LOSS).snapshot().fill("ES", 1, "6000").order(7, "MNQ", 1).order(8, "ES", -1, type=4, stop="5990")
    desk.closed("-100")
    assert desk.asked == ["cancelOrder 7", f"closeContract {ES}"]
    assert [one.obligation.rsplit("/", 1)[1] for one in desk.planned] == ["CancelOrders", "CloseAllPositions"]


def test_a_close_of_one_contract_touches_no_other() -> None:
    desk = Desk(daily_unrealized_loss={"loss_limit": money("300")}).snapshot()
    desk.fill("ES", 1, "6000").fill("MNQ", 1, "21000").order(7, "ES", 1).order(8, "MNQ", 1).mark("ES", "5994")
    assert desk.asked == ["cancelOrder 7", f"closeContract {ES}"]


def test_a_breach_at_a_quote_is_planned_at_that_quote() -> None:
    desk = Desk(daily_unrealized_loss={"loss_limit": money("300")}).snapshot().fill("ES", 1, "6000")
    desk.at("10:00:00").mark("ES", "5994")
    assert isinstance(desk.events[-1].body, e.RequestPlanned)
    assert desk.events[-1].at == nanoseconds(desk.now)


def test_a_replay_plans_nothing() -> None:
    day = Ledger(**LOSS).fill("ES", 1, "6000").order(7, "MNQ", 1).closed("-100").tick("10:00:00")
    day.fill("ES", -1, "6000", profit="0").tick("10:01:00")
    assert day.bodies(e.RequestPlanned) == []
    assert not any(issued.rule == PLANNER_ID for issued in day.commands)


@pytest.mark.parametrize("profile", [{"accounts": []}, {"accounts": [str(ACCOUNT)]}])
@pytest.mark.parametrize("late", [False, True])
def test_nothing_is_sent_for_a_funded_account(profile: dict[str, Any], late: bool) -> None:
    """Not even when it is named, or turns out to be one while it is being closed (RULES.md 6.8)."""
    desk = Desk(profile=profile, **LOSS).snapshot().fill("ES", 1, "6000").order(7, "ES", 1)
    funded = e.AccountObserved(ACCOUNT, simulated=False)
    if not late:
        desk.take(funded, "account")
    desk.closed("-100")
    assert bool(desk.asked) is late
    desk.take(funded, "account").later(60).snapshot()
    assert desk.asked == (["cancelOrder 7", f"closeContract {ES}"] if late else [])


def test_one_request_per_target_however_often_the_broker_repeats_itself() -> None:
    desk = breached().attempt().push("ES", 1).tick("10:00:01").fill("ES", 1, "6000").push("ES", 2)
    assert desk.asked == [f"closeContract {ES}"]


def test_a_position_that_appears_under_a_flatten_is_closed_too() -> None:
    desk = breached().attempt().fill("MNQ", 1, "21000")
    assert desk.asked == [f"closeContract {ES}", f"closeContract {MNQ}"]


def test_a_cancelled_order_needs_no_request() -> None:
    desk = Desk(**LOSS).snapshot().fill("ES", 1, "6000").order(7, "MNQ", 1).closed("-100").attempt("cancel")
    desk.order(7, "MNQ", 1, status=3)
    assert [body.request for body in desk.bodies(e.RequestConfirmed)] == [desk.planned[0].request]
    assert [one.kind for one in desk.account_state.requests.values()] == ["closeContract"]


def test_what_was_never_sent_is_taken_back_when_the_obligation_is_met() -> None:
    desk = breached().push("ES", 0)
    assert [body.reason for body in desk.bodies(e.RequestSuperseded)] == ["the obligation is met"]


def test_only_the_brokers_own_event_confirms() -> None:
    desk = breached().attempt().accept()
    assert desk.bodies(e.RequestConfirmed) == []
    desk.fill("ES", -1, "6000", profit="0")
    assert desk.bodies(e.RequestConfirmed) == []
    desk.push("ES", 0)
    assert len(desk.bodies(e.RequestConfirmed)) == 1
    assert "CloseAllPositions" not in [one.kind for one in desk.account_state.obligations.values()]


def test_an_answer_to_an_unknown_request_changes_nothing() -> None:
    desk = breached()
    before = dict(desk.account_state.requests)
    desk.take(e.RequestAttempted(ACCOUNT, "x"), "answer", "gateway")
    desk.take(e.RequestAccepted(ACCOUNT, "x"), "answer", "gateway")
    desk.take(e.RequestRefused(ACCOUNT, "x", "no"), "answer", "gateway")
    assert desk.account_state.requests == before
    assert desk.account_state.requests[desk.planned[0].request].state == "planned"


# ---- pace --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0), (2, 1), (3, 2), (4, 5), (5, 5), (50, 5)])
def test_the_pace_of_retries(failures: int, seconds: int) -> None:
    assert retry_delay_ns(failures) == seconds * SECOND_NS


def test_refusals_are_tried_again_at_0_1_2_5_5_5_seconds_by_timers_alone() -> None:
    desk = breached()
    for _ in range(7):
        desk.refuse("closeContract").later(40)
    planned = [event.at for event in desk.events if getattr(event.body, "kind", "") == "closeContract"]
    refused = [event.at for event in desk.events if isinstance(event.body, e.RequestRefused)]
    waits = [(after - before) // SECOND_NS for before, after in zip(refused, planned[1:], strict=True)]
    assert waits == [0, 1, 2, 5, 5, 5, 5]


def test_the_third_failure_alerts_once() -> None:
    desk = breached()
    told = []
    for _ in range(5):
        desk.refuse("closeContract").later(60)
        told.append(len(desk.alerts))
    assert told == [0, 0, 1, 1, 1]
    assert desk.alerts[0] == (f"CloseAllPositions: closeContract/{ES} was not carried out in 3 attempts; still trying")
    [alert] = [one for one in desk.commands if one.command.kind == "Alert"]
    assert (alert.rule, alert.command.level, alert.breach) == ("PLANNER", "critical", None)


def test_targets_of_one_flatten_fail_on_their_own() -> None:
    desk = Desk(**LOSS).snapshot().fill("ES", 1, "6000").fill("MNQ", 1, "21000").closed("-100", contract="YM")
    es, mnq = list(desk.account_state.requests)
    desk.take(e.RequestRefused(ACCOUNT, es, "no"), "answer:1", "gateway")
    desk.take(e.RequestRefused(ACCOUNT, mnq, "no"), "answer:2", "gateway")
    # Both are tried again at once: the first failure of the second target is not the second failure.
    assert desk.asked.count(f"closeContract {ES}") == desk.asked.count(f"closeContract {MNQ}") == 2


def test_alerts_are_forgotten_with_the_obligation() -> None:
    desk = breached()
    for _ in range(3):
        desk.refuse("closeContract").later(60)
    assert any(name.startswith("planner.0|") for name in desk.account_state.episodes)
    desk.push("ES", 0)
    assert not any(name.startswith("planner.0|") for name in desk.account_state.episodes)
    assert not any(name.startswith("planner.0|") for name in desk.account_state.counters)


@pytest.mark.parametrize(("seconds", "asked"), [(2.999, False), (3, True), (3.001, True)])
def test_an_accepted_close_without_effect_is_asked_about_at_the_command_timeout(seconds: float, asked: bool) -> None:
    desk = breached().attempt("close").accept("close").later(seconds)
    assert ("takeSnapshot" in desk.asked) is asked
    desk.snapshot(("ES", 1))
    assert (desk.asked.count(f"closeContract {ES}") == 2) is asked
    reasons = [body.reason for body in desk.bodies(e.RequestSuperseded)]
    assert reasons == ["positions, orders and fills show that nothing is on its way"] * asked


def test_an_answer_that_comes_late_is_still_an_answer() -> None:
    desk = breached().attempt("close").later(3.5).accept("close")
    assert desk.asked.count(f"closeContract {ES}") == 1
    desk.fill("ES", -1, "6000", profit="0").push("ES", 0)
    assert len(desk.bodies(e.RequestConfirmed)) >= 1


def test_ids_of_requests_are_never_used_twice() -> None:
    desk = breached()
    for _ in range(4):
        desk.refuse("closeContract").later(60)
    desk.attempt("closeContract").push("ES", 0).push("ES", 1).tick("11:00:00")
    ids = [one.request for one in desk.planned]
    assert len(ids) == len({*ids})


# ---- unresolved --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "repeated"), [(0.999, False), (1, True), (1.001, True)])
def test_an_unresolved_close_is_repeated_when_a_picture_a_second_later_shows_it_open(
    seconds: float, repeated: bool
) -> None:
    desk = breached().attempt("close").lose("close").later(seconds).snapshot(("ES", 1))
    assert (desk.asked.count(f"closeContract {ES}") == 2) is repeated


def test_an_unresolved_close_is_never_repeated_without_a_picture() -> None:
    desk = breached().attempt("close").lose("close")
    for _ in range(20):
        desk.later(5)
    assert desk.asked == [f"closeContract {ES}", "takeSnapshot"]


def test_an_unresolved_close_that_worked_is_confirmed_by_the_snapshot() -> None:
    desk = breached().attempt("close").lose("close").later(1).fill("ES", -1, "6000", profit="0").snapshot()
    assert desk.asked.count(f"closeContract {ES}") == 1
    assert desk.planned[0].request in [body.request for body in desk.bodies(e.RequestConfirmed)]


def test_an_unresolved_cancel_is_never_repeated_before_a_later_snapshot_of_orders() -> None:
    desk = Desk(**LOSS).snapshot().order(7, "MNQ", 1).closed("-100", contract="ES").attempt("cancel").lose("cancel")
    for _ in range(30):
        desk.later(10)
    assert desk.asked.count("cancelOrder 7") == 1
    desk.take(e.PositionsListed(ACCOUNT, ()), "positions")
    assert desk.asked.count("cancelOrder 7") == 1
    desk.take(e.OrdersListed(ACCOUNT, (1,), (7,)), "orders")
    assert desk.asked.count("cancelOrder 7") == 2


def test_a_request_without_any_answer_is_unresolved_after_the_timeout() -> None:
    desk = breached().attempt("close").later(2.999)
    assert desk.asked == [f"closeContract {ES}"]
    desk.later(0.001)
    assert desk.asked == [f"closeContract {ES}", "takeSnapshot"]
    desk.later(0.999).snapshot(("ES", 1))
    assert desk.asked.count(f"closeContract {ES}") == 1
    desk.later(0.001).snapshot(("ES", 1))
    assert desk.asked.count(f"closeContract {ES}") == 2


def test_asking_again_is_always_allowed() -> None:
    desk = breached().attempt("close").lose("close").attempt("Snapshot").lose("Snapshot")
    assert desk.asked == [f"closeContract {ES}", "takeSnapshot", "takeSnapshot"]


# ---- reduce ------------------------------------------------------------------------------------------


def over_limit() -> Desk:
    desk = Desk(max_contracts={"limit": 2}).at("09:59:00").snapshot()
    return desk.at("10:00:00").push("ES", 5)


def test_a_reduce_waits_for_a_fresh_snapshot_and_cuts_only_the_excess() -> None:
    desk = over_limit()
    assert desk.asked == ["takeSnapshot"]
    desk.attempt().later(0.5).snapshot(("ES", 4))
    assert desk.asked == ["takeSnapshot", f"partialCloseContract {ES} by 2"]
    desk.attempt("partial").push("ES", 2)
    assert desk.account_state.obligations == {}
    assert desk.account_state.requests == {}


def test_a_reduce_that_lost_its_excess_is_not_sent() -> None:
    desk = over_limit().attempt().later(0.5).snapshot(("ES", 2))
    assert desk.asked == ["takeSnapshot"]


def test_a_reduce_without_effect_asks_again_before_it_cuts_again() -> None:
    desk = over_limit().attempt().later(0.5).snapshot(("ES", 5)).attempt("partial").accept("partial").later(3)
    assert desk.asked[2:] == ["takeSnapshot"]
    desk.later(0.5).fill("ES", -2, "6000", profit="0").snapshot(("ES", 3))
    assert desk.asked[3:] == [f"partialCloseContract {ES} by 1"]


def test_an_unresolved_reduce_waits_for_the_snapshot_however_long_it_takes() -> None:
    desk = over_limit().attempt().later(0.5).snapshot(("ES", 5)).attempt("partial").lose("partial")
    for _ in range(20):
        desk.later(10)
    assert [one for one in desk.asked if "partial" in one] == [f"partialCloseContract {ES} by 3"]
    desk.fill("ES", -1, "6000", profit="0").snapshot(("ES", 4))
    assert [one for one in desk.asked if "partial" in one][1:] == [f"partialCloseContract {ES} by 2"]


def test_a_close_waits_for_the_outcome_of_a_reduce() -> None:
    """Both orders could fill, and reverse the position (RULES.md 1.6, 8.7)."""
    desk = Desk(max_contracts={"limit": 2}, **LOSS).snapshot().fill("ES", 5, "6000").push("ES", 5)
    desk.attempt().later(0.5).snapshot(("ES", 5)).attempt("partial").lose("partial").closed("-100")
    assert f"closeContract {ES}" not in desk.asked
    desk.later(1).snapshot(("ES", 5))
    assert f"closeContract {ES}" in desk.asked


def test_a_reduce_waits_for_a_close_of_its_own_contract_and_for_no_other() -> None:
    desk = Desk(max_contracts={"limit": 2}, **LOSS).snapshot().later(1).push("ES", 5).attempt()
    desk.closed("-100").attempt("close").later(0.5).snapshot(("ES", 5))
    assert not any("partial" in one for one in desk.asked)


# ---- after flat --------------------------------------------------------------------------------------


def test_when_flat_is_confirmed_what_is_left_is_cancelled() -> None:
    desk = Desk(**LOSS).at("09:59:00").snapshot().fill("ES", 1, "6000").order(8, "ES", -1, type=4, stop="5990")
    desk.at("10:00:00").closed("-100").attempt("close")
    assert desk.asked == [f"closeContract {ES}"]
    desk.fill("ES", -1, "6000", profit="0")
    assert desk.asked == [f"closeContract {ES}", "cancelOrder 8"]
    [follow_up] = desk.account_state.obligations.values()
    assert (follow_up.kind, follow_up.rule, follow_up.order_ids) == ("ConfirmFlat", "PLANNER", (8,))


def test_after_the_close_of_one_contract_only_its_own_orders_are_cancelled() -> None:
    desk = Desk(daily_unrealized_loss={"loss_limit": money("300")}).snapshot().fill("ES", 1, "6000")
    desk.order(8, "ES", -1, type=4, stop="5990").order(9, "MNQ", 1).mark("ES", "5994").attempt("close")
    desk.fill("ES", -1, "5994", profit="-300")
    assert desk.asked == [f"closeContract {ES}", "cancelOrder 8"]


def test_a_new_entry_order_after_flat_is_still_the_guards() -> None:
    desk = breached().attempt("close").push("ES", 0).order(11, "ES", 1)
    assert [breach.target for breach in desk.breaches if breach.rule == "GUARD"] == ["order:11"]
    assert desk.asked[-1] == "cancelOrder 11"


def test_flat_is_looked_at_again_after_two_and_after_ten_seconds() -> None:
    desk = breached().attempt("close").push("ES", 0)
    looks = []
    for _ in range(12):
        desk.later(1)
        if any("Snapshot" in one.kind for one in desk.account_state.requests.values()):
            looks.append(desk.now.second)
            desk.attempt("Snapshot").later(0.25).snapshot()
    assert looks == [2, 10]
    assert desk.account_state.obligations == {}
    assert desk.account_state.requests == {}


def test_a_position_found_at_the_check_is_answered() -> None:
    desk = breached().attempt("close").fill("ES", -1, "6000", profit="0").push("ES", 0).later(2)
    desk.attempt("Snapshot").later(0.5).snapshot(("ES", 2))
    assert desk.asked[-1] == f"closeContract {ES}"


CUT = {"daily_unrealized_loss": {"loss_limit": money("300")}}


def cut() -> Desk:
    """A losing position was closed, without a lockout; the trader's stop is being cancelled."""
    desk = Desk(**CUT).snapshot().fill("ES", 1, "6000").push("ES", 1).order(8, "ES", -1, type=4, stop="5993")
    desk.mark("ES", "5994").attempt("close").accept("close").fill("ES", -1, "5994", profit="-300").push("ES", 0)
    assert desk.asked == [f"closeContract {ES}", "cancelOrder 8"]
    return desk.attempt("cancel")


def test_a_stop_that_fills_while_it_is_swept_is_undone() -> None:
    """It opened what nobody wanted, and no lockout is there whose guard would see to it (RULES.md 3.4, 8.8)."""
    desk = cut().fill("ES", -1, "5993", order=8).push("ES", -1)
    assert desk.asked[2:] == [f"closeContract {ES}"]
    [command] = [one for one in desk.bodies(e.CommandIssued) if one.rule == PLANNER_ID and "Close" in one.command.kind]
    assert (command.command.contract, command.breach) == (ES, None)
    desk.attempt("close").fill("ES", 1, "5993", profit="0", order=9).push("ES", 0)
    desk.order(8, "ES", -1, type=4, stop="5993", status=2).fill("ES", -1, "5992", order=11).push("ES", -1)
    assert desk.later(1).asked[3:] == []


def test_the_push_may_come_before_the_fill() -> None:
    desk = cut().push("ES", -1)
    assert desk.asked[2:] == []
    assert desk.fill("ES", -1, "5993", order=8).asked[2:] == [f"closeContract {ES}"]


def test_a_new_entry_behind_a_close_without_a_lockout_is_the_traders() -> None:
    assert cut().fill("ES", -1, "5993", order=10).push("ES", -1).later(9).asked[2:] == ["takeSnapshot"]


def test_a_stop_that_closed_the_position_itself_opened_nothing() -> None:
    desk = Desk(**CUT).snapshot().fill("ES", 1, "6000").push("ES", 1).order(8, "ES", -1, type=4, stop="5993")
    desk.mark("ES", "5994").attempt("close").push("ES", 0).fill("ES", -1, "5993", profit="-350", order=8)
    assert desk.fill("ES", -1, "5993", order=10).push("ES", -1).asked == [f"closeContract {ES}", "cancelOrder 8"]


def test_a_snapshot_taken_anyway_is_the_check() -> None:
    desk = breached().attempt("close").push("ES", 0).later(1.999).snapshot()
    assert next(iter(desk.account_state.obligations.values())).checks_done == 0
    desk.now = desk.now.replace(microsecond=0, second=12)
    desk.snapshot().snapshot()
    assert desk.account_state.obligations == {}


def test_a_newer_flatten_takes_over_the_looks_of_an_older_one() -> None:
    desk = breached().attempt("close").push("ES", 0).later(1).push("ES", 1).attempt("close").push("ES", 0)
    kinds = [(one.kind, one.contract) for one in desk.account_state.obligations.values()]
    assert kinds == [("ConfirmFlat", None), ("ConfirmFlat", ES)]
    desk.later(0.5).push("ES", 1).attempt("close").push("ES", 0)
    assert len(desk.account_state.obligations) == 2


# ---- accounts that are not reconciled ----------------------------------------------------------------


def test_before_the_first_snapshot_only_closes_go_out() -> None:
    desk = Desk(**LOSS).fill("ES", 1, "6000").order(7, "MNQ", 1).closed("-100")
    assert desk.asked == [f"closeContract {ES}"]
    desk.snapshot(("ES", 1))
    assert desk.asked == [f"closeContract {ES}", "cancelOrder 7"]


def test_after_a_lost_connection_only_closes_go_out_until_the_next_snapshot() -> None:
    desk = Desk(**LOSS).at("09:00:00").snapshot().at("09:30:00").take(e.ConnectionChanged("user", "lost"), "connection")
    desk.order(7, "MNQ", 1).fill("ES", 1, "6000").closed("-100")
    assert desk.asked == [f"closeContract {ES}"]
    desk.at("09:31:00").take(e.ConnectionChanged("user", "connected"), "connection")
    assert desk.asked == [f"closeContract {ES}"]
    desk.at("09:31:01").snapshot(("ES", 1))
    assert desk.asked == [f"closeContract {ES}", "cancelOrder 7"]


def test_the_market_hub_does_not_matter() -> None:
    desk = Desk(**LOSS).snapshot().take(e.ConnectionChanged("market", "lost"), "connection")
    assert desk.order(7, "MNQ", 1).closed("-100", contract="ES").asked == ["cancelOrder 7"]


# ---- stops -------------------------------------------------------------------------------------------


def uncovered() -> Desk:
    desk = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").snapshot()
    return desk.fill("MNQ", 1, "21000").tick("10:01:00")


def test_a_stop_is_placed_once_and_confirmed_by_the_working_order() -> None:
    desk = uncovered()
    [placed] = desk.planned
    assert (placed.kind, placed.contract, placed.side, placed.size) == ("placeStop", MNQ, -1, 1)
    assert placed.price is not None
    desk.attempt().accept()
    assert desk.bodies(e.RequestConfirmed) == []
    stop = str(placed.price // 10**9)
    desk.order(50, "MNQ", -1, type=4, stop=stop)
    assert len(desk.bodies(e.RequestConfirmed)) == 1
    assert desk.account_state.obligations == {}


def test_an_unresolved_stop_is_not_placed_again_before_a_snapshot() -> None:
    desk = uncovered().attempt().lose("placeStop")
    for _ in range(10):
        desk.later(10)
    assert desk.asked.count(f"placeStop {MNQ}") == 1
    desk.snapshot(("MNQ", 1))
    assert desk.asked.count(f"placeStop {MNQ}") == 2


def test_a_pending_stop_is_no_stop_yet() -> None:
    # Confirmed too early, each rejection that follows is a first failure, and is tried again at once.
    desk = uncovered().attempt().accept()
    [placed] = desk.planned
    assert placed.price is not None
    desk.order(50, "MNQ", -1, type=4, stop=str(placed.price // 10**9), status=6, tag=placed.tag)
    assert desk.bodies(e.RequestConfirmed) == []
    assert desk.bodies(e.ObligationMet) == []
    assert desk.asked == [f"placeStop {MNQ}"]
    desk.order(50, "MNQ", -1, type=4, status=5, tag=placed.tag)
    [superseded] = desk.bodies(e.RequestSuperseded)
    assert superseded.reason == "the broker rejected the order"
    [obligation] = [one for one in desk.account_state.obligations.values() if one.kind == "PlaceStop"]
    assert [one.failures for name, one in obligation.attempts.items() if "placeStop" in name] == [1]


def test_a_stop_for_a_position_that_fills_do_not_explain_waits_for_a_list() -> None:
    desk = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").snapshot()
    desk.fill("MNQ", 1, "21000").push("MNQ", 1).fill("MNQ", -1, "21000", profit="0").push("MNQ", 0)
    desk.later(1).push("MNQ", 1, "21000").later(60)
    assert desk.asked == ["takeSnapshot"]
    desk.snapshot(("MNQ", 1))
    assert desk.asked.count(f"placeStop {MNQ}") == 1


def test_no_stop_is_placed_for_a_push_that_came_too_late() -> None:
    desk = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").snapshot().push("MNQ", 0)
    desk.later(1).push("MNQ", 1, "21000").later(60).snapshot()
    assert desk.asked == ["takeSnapshot"]


def test_a_stop_waits_for_a_list_that_knows_the_fills_told_since_the_last_one() -> None:
    """Seed 703465 of the simulation: a cut was told by its fill, and the list before it said three."""
    desk = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").fill("MNQ", 3, "21000")
    desk.push("MNQ", 3, "21000").later(1).snapshot(("MNQ", 3)).later(1).fill("MNQ", -2, "21000", profit="0")
    desk.account_state.positions[MNQ].average_price = price("21000")
    desk.later(60)
    assert desk.asked == ["takeSnapshot"]
    desk.snapshot(("MNQ", 1))
    [placed] = [one for one in desk.planned if one.kind == "placeStop"]
    assert placed.size == 1


def test_while_nothing_is_pushed_a_stop_is_placed_in_the_turn_of_a_list() -> None:
    desk = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").snapshot().fill("MNQ", 1, "21000")
    desk.later(1).take(e.ConnectionChanged("user", "lost"), "connection").later(27).snapshot(("MNQ", 1)).later(3)
    assert desk.asked == ["takeSnapshot"]
    desk.snapshot(("MNQ", 1))
    assert desk.asked == ["takeSnapshot", f"placeStop {MNQ}"]


def test_no_stop_is_placed_while_the_position_is_being_cut() -> None:
    stop = {"action": "place_stop", "grace_period_seconds": 2}
    desk = Desk(no_stop_loss_grace=stop, max_contracts={"limit": 1, "action": "reduce_to_limit"}).at("10:00:00")
    desk.snapshot().fill("MNQ", 3, "21000").push("MNQ", 3, "21000").snapshot(("MNQ", 3))
    desk.attempt("partialCloseContract").later(2)
    assert desk.open("partialCloseContract").size == 2
    assert not [one for one in desk.planned if one.kind == "placeStop"]
    desk.fill("MNQ", -2, "21000", profit="0").push("MNQ", 1, "21000")
    [placed] = [one for one in desk.planned if one.kind == "placeStop"]
    assert placed.size == 1


def test_a_leg_that_becomes_an_entry_by_time_alone_is_cancelled_at_that_very_moment() -> None:
    desk = Desk(**LOSS).at("10:00:00").snapshot().order(6, "ES", 1)
    desk.order(7, "ES", -3, type=1, limit="6010", parent=6).order(6, "ES", 1, status=2, filled=1)
    desk.fill("ES", 1, "6000", order=6).push("ES", 1).closed("-100")
    assert desk.asked == [f"closeContract {ES}"]
    desk.at("10:00:05").tick()
    assert desk.asked[1] == "cancelOrder 7"
    assert nanoseconds(desk.now) - 3 * SECOND_NS + 1 in [one.at for one in desk.events]


def test_rights_that_are_not_told_are_asked_for_at_the_pace_of_failures() -> None:
    desk = Desk(auth_loss_guard={}).at("10:00:00").take(e.EngineStarted("test", True), source="operator").snapshot()
    desk.account(can_trade=False).at("10:00:05").tick()
    for count, wait in ((1, 0), (2, 1), (3, 2)):
        desk.later(wait)
        assert desk.asked == ["takeSnapshot"] * count
        # Positions, orders and fills come, and the account does not.
        desk.attempt().snapshot()
        assert desk.asked == ["takeSnapshot"] * count
        desk.lose()
    desk.later(2).attempt().snapshot().account(can_trade=True)
    assert desk.account_state.requests == {}


# ---- crash -------------------------------------------------------------------------------------------


def a_bad_morning(desk: Desk) -> Desk:
    desk.at("09:59:00").snapshot().fill("ES", 2, "6000").order(7, "MNQ", 1).order(8, "ES", -2, type=4, stop="5990")
    desk.at("10:00:00").closed("-100", contract="YM").attempt("cancel").lose("cancel").attempt("close")
    desk.refuse("close").attempt("close").accept("close").later(4).later(4).later(20)
    desk.snapshot(("ES", 2)).later(1).push("ES", 0).later(1).snapshot(("ES", 1)).later(5).push("ES", 0).later(11)
    return desk


def test_a_crash_between_any_two_events_changes_no_request() -> None:
    one, other = a_bad_morning(Desk(**LOSS)), a_bad_morning(Desk(forgetful=True, **LOSS))
    assert one.asked == other.asked
    assert one.events == other.events


# ---- invariants of random days (DESIGN.md, "How we know") ---------------------------------------------

ACTIONS = (
    *("attempt", "accept", "refuse", "lose", "snapshot", "tick", "flat", "open", "order", "lost", "connected"),
    *("loss", "attempt", "tick", "restart", "older", "leg", "rights", "stop", "fill", "exit", "exit fill"),
)


def act(desk: Desk, action: str, number: int) -> None:
    desk.now += timedelta(seconds=(0, 0.5, 1, 4)[number % 4])
    requests = list(desk.book.accounts[ACCOUNT].requests.values()) if ACCOUNT in desk.book.accounts else []
    request = requests[number % len(requests)].id if requests else "none"
    name = ("ES", "MNQ")[number % 2]
    if action in ("lost", "connected"):
        desk.take(e.ConnectionChanged("user", action), "connection")
    elif action == "snapshot":
        held = [(one.contract, one.size) for one in desk.book.accounts[ACCOUNT].held()]
        desk.snapshot(*held[number % 3 :])
    elif action == "older":
        rows = tuple(e.PositionObserved(ACCOUNT, one.contract, one.size) for one in desk.account_state.held())
        asked_at = nanoseconds(desk.now) - number % 7 * SECOND_NS
        desk.take(e.PositionsListed(ACCOUNT, rows, asked_at), "positions")
        desk.take(e.OrdersListed(ACCOUNT, (1, 6), (), asked_at), "orders")
    elif action == "restart":
        for event in absence(desk.book):
            desk._step(event)
        desk.take(e.EngineStarted("0", enforces=number % 5 > 0), "engine", "operator")
    elif action == "leg":
        desk.order(number % 4 + 10, name, 1 - number % 3, type=4, parent=1, status=(1, 3)[number % 2])
    elif action == "rights":
        desk.account(can_trade=number % 3 > 0)
    elif action == "stop":
        placed = [one for one in desk.planned if one.kind == "placeStop"][number % 3 :][:1]
        for one in placed:
            status, price = (1, 1, 3, 5)[number % 4], one.price
            body = e.OrderObserved(
                ACCOUNT, number % 9 + 20, one.contract, status, 4, one.side, one.size, 0, None, price, tag=one.tag
            )
            desk.take(body, "order")
    elif action == "fill":
        desk.fill(name, 1, "6000")
    elif action == "exit":
        status, size = (6, 1, 2, 3, 5)[number % 5], number % 3 + 1
        desk.order(number % 2 + 30, name, -size, type=2, status=status, filled=size * (status == 2))
    elif action == "exit fill":
        desk.fill(name, -1, "6000", profit="0", order=number % 2 + 30)
    elif action in ("flat", "open"):
        desk.push(name, 0 if action == "flat" else number % 5 - 2)
    elif action == "order":
        desk.order(number % 4 + 1, name, 1, status=(1, 3, 6)[number % 3])
    elif action == "loss":
        desk.closed("-60", contract="YM")
    elif action == "tick":
        desk.tick()
    else:
        answers = {"attempt": e.RequestAttempted(ACCOUNT, request), "accept": e.RequestAccepted(ACCOUNT, request)}
        answers["refuse"] = e.RequestRefused(ACCOUNT, request, "no")
        answers["lose"] = e.RequestUnresolved(ACCOUNT, request, "?")
        desk.take(answers[action], "answer", "gateway")


STOPS = {
    "no_stop_loss_grace": {"action": "place_stop", "grace_period_seconds": 5},
    "trade_management": {"enabled": True, "auto_stop_loss": {"ticks": 40}},
    "auth_loss_guard": {},
}


@pytest.mark.parametrize("others", [{}, STOPS], ids=["closes", "stops"])
@given(script=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 59)), max_size=40))
@settings(max_examples=120, deadline=None)
def test_invariants_of_the_planner_hold_whatever_the_broker_does(
    others: dict[str, Any], script: list[tuple[str, int]]
) -> None:
    rules: dict[str, Any] = {**LOSS, "max_contracts": {"limit": 1}, **others}
    desk, forgetful = Desk(**rules), Desk(forgetful=True, **rules)
    for one in (desk, forgetful):
        one.at("09:59:00").push("ES", 1)
    for action, number in script:
        before = desk.book
        count = len(desk.events)
        act(desk, action, number)
        act(forgetful, action, number)
        check(desk, before, [event.body for event in desk.events[count:]])
    assert desk.events == forgetful.events
    folded = Book()
    rebuild(folded, desk.rulebook, desk.events)
    assert folded == desk.book, "I4"
    ids = [one.request for one in desk.planned]
    assert len(ids) == len({*ids})


def check(desk: Desk, before: Book, bodies: list[Any]) -> None:
    account, was = desk.account_state, before.accounts[ACCOUNT]
    targets = [(one.target, one.obligation) for one in account.requests.values()]
    assert len(targets) == len({*targets}), "I5: one open request per target and obligation"
    for one in [body for body in bodies if isinstance(body, e.RequestPlanned)]:
        lost = [r for r in was.requests.values() if r.state == "unresolved" and r.target in one.request]
        for request in lost:
            seen = account.reconciled_at > request.at or request.kind == "takeSnapshot"
            answered = any(getattr(body, "request", None) == request.id for body in bodies)
            assert seen or answered, "I6: an unresolved request waits for a snapshot"
        if one.kind in CLOSING:
            check_close(account, was, one, bodies)
        if one.kind == "partialCloseContract":
            assert account.listed_at == desk.book.now, "I11: only straight after a snapshot"
            assert 0 < one.size < abs(account.positions[one.contract or ""].size), "I11: never to zero or beyond"
        # A timer that was due before the connection was lost still found the account reconciled.
        unseen = one.kind == "closeContract" or (one.kind == "takeSnapshot" and "/Close" in one.obligation)
        assert unseen or reconciled(desk.book, account) or reconciled(before, was), "I8"
    assert all(r.obligation in account.obligations for r in account.requests.values() if r.state == "planned"), "I8"
    for obligation in account.obligations.values():
        kinds = ("CloseAllPositions", "ClosePosition")
        if desk.book.enforces and (obligation.kind in kinds or reconciled(desk.book, account)):
            assert is_met(account, obligation) or is_in_hand(desk, obligation), "I7"


def check_close(account: Account, was: Account, one: e.RequestPlanned, bodies: list[Any]) -> None:
    """No close leaves while an earlier one of its contract, or the order of one, may still fill (I6, I11)."""
    for order in account.orders.values():
        filled = sum(trade.size for trade in account.trades.values() if trade.order_id == order.id)
        may_fill = order.working and not (order.size and filled >= order.size)
        assert not (order.exit_of is not None and order.contract == one.contract and may_fill), "I6: it works"
    over = [
        body.request for body in bodies if isinstance(body, e.RequestConfirmed | e.RequestSuperseded | e.RequestRefused)
    ]
    for request in was.requests.values():
        if request.kind in CLOSING and request.contract == one.contract and request.state != "planned":
            assert request.id in over, "I5: a close of the contract is still open"


def is_in_hand(desk: Desk, obligation: Obligation) -> bool:
    """An open request on one of its targets, or an instant at which the planner looks again.

    A size in doubt is settled by the timer of a drift, and a pending market order fills before a cancel arrives.
    """
    account = desk.account_state
    if deadlines(desk.book, account, 3 * SECOND_NS):
        return True
    if any(timer.kind == "drift" for timer in due_timers(desk.book, desk.rulebook)):
        return True
    known = [account.orders[one] for one in obligation.order_ids if one in account.orders]
    working = [order for order in known if order.working]
    if working and all(one.status == STATUS_PENDING and one.type == TYPE_MARKET for one in working):
        return True
    return any(one.state in ("planned", "attempted", "unresolved") for one in desk.account_state.requests.values())


# ---- a halted contract -------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "resumed"), [(1.999, False), (2, True), (2.001, True)])
def test_a_refused_close_is_tried_at_once_when_its_contract_trades_again(seconds: float, resumed: bool) -> None:
    desk = breached().mark("ES", "6000")
    for _ in range(3):
        desk.refuse("closeContract").later(2)
    desk.mark("ES", "6000").refuse("closeContract")
    sent = desk.asked.count(f"closeContract {ES}")
    desk.later(seconds).mark("MNQ", "21000")
    assert desk.asked.count(f"closeContract {ES}") == sent
    desk.mark("ES", "6000")
    assert desk.asked.count(f"closeContract {ES}") == sent + resumed


def test_a_print_says_too_that_a_contract_trades_again() -> None:
    desk = breached()
    for _ in range(4):
        desk.refuse("closeContract").later(2)
    sent = desk.asked.count(f"closeContract {ES}")
    desk.take(e.MarketTraded(ES, price("6000")), "print", "market")
    assert desk.asked.count(f"closeContract {ES}") == sent + 1


def test_the_quote_that_ends_a_halt_is_not_quiet() -> None:
    desk = breached().mark("ES", "6000")
    assert ES not in watch(desk.book, desk.rulebook).gaps
    for _ in range(4):
        desk.refuse("closeContract").later(2)
    assert watch(desk.book, desk.rulebook).gaps[ES] == 2 * SECOND_NS - 1
