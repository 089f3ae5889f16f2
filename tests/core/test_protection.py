"""Stops that riskcore places, once; and exit orders that fit the position (RULES.md 8.8, API.md 0.7, 0.9)."""

from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.state import Attempts
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, nanoseconds

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"
LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
GRACE = {"no_stop_loss_grace": {"action": "place_stop"}}
MANAGED = {"trade_management": {"enabled": True, "auto_stop_loss": {"ticks": 40}}}


def placing(size: int = 1, **rules: Any) -> Desk:
    """A position without a stop, whose grace is over: one is to be placed."""
    desk = Desk(**(rules or GRACE)).at("10:00:00").snapshot().fill("MNQ", size, "21000").push("MNQ", size)
    assert isinstance(desk, Desk)
    desk.tick("10:01:00")
    return desk


def stop(desk: Desk, order_id: int, size: int, tag: str | None, at: str = "20990", **figures: Any) -> Desk:
    body = e.OrderObserved(ACCOUNT, order_id, MNQ, figures.pop("status", 1), 4, -1, size, 0, None, price(at), tag=tag)
    desk.take(body, "order")
    return desk


def tags(desk: Desk) -> list[str | None]:
    return [one.tag for one in desk.planned if one.kind == "placeStop"]


def leave_alone(desk: Desk, seconds: int) -> Desk:
    for _ in range(seconds):
        desk.later(1)
    return desk


# ---- one stop, whatever becomes of the request -------------------------------------------------------


def test_a_stop_has_a_tag_of_its_own() -> None:
    [tag] = tags(placing())
    assert tag is not None
    assert tag.startswith("rc-stop-")
    assert len(tag) <= 40
    assert tag.replace("-", "").isalnum()
    assert [tag] == tags(placing()), "the same day has the same tags"


def test_a_repeat_after_an_unknown_outcome_has_the_same_tag() -> None:
    desk = placing().attempt("place").lose("place").later(1).snapshot(("MNQ", 1))
    first, second = tags(desk)
    assert first == second


def test_a_refusal_uses_the_tag_up() -> None:
    desk = placing(**MANAGED).attempt("place").refuse("place").later(1).snapshot(("MNQ", 1))
    first, second = tags(desk)
    assert first != second


def test_after_a_refusal_a_list_says_first_whether_the_order_is_there() -> None:
    desk = placing(**MANAGED).attempt("place").refuse("place", "custom tag already in use").later(0.5)
    assert desk.asked == [f"placeStop {MNQ}", "takeSnapshot"]
    stop(desk, 50, 1, tags(desk)[0])
    desk.snapshot(("MNQ", 1), orders=(50,))
    assert desk.asked == [f"placeStop {MNQ}", "takeSnapshot"]
    assert desk.account_state.obligations == {}


def test_an_order_that_shows_up_rejected_used_its_tag_up() -> None:
    desk = placing(**MANAGED).attempt("place").accept("place")
    stop(desk, 50, 1, tags(desk)[0], status=5)
    assert [body.reason for body in desk.bodies(e.RequestSuperseded)] == ["the broker rejected the order"]
    desk.later(1).snapshot(("MNQ", 1))
    first, second = tags(desk)
    assert first != second


def test_a_tag_that_was_seen_is_never_used_again() -> None:
    desk = placing(**MANAGED).attempt("place").accept("place")
    stop(stop(desk, 50, 1, tags(desk)[0], at="20985"), 50, 1, None, status=3)
    desk.later(1)
    assert len(set(tags(desk))) == len(tags(desk)) == 2


def test_an_accepted_stop_that_is_not_seen_is_not_placed_again_before_a_list() -> None:
    desk = leave_alone(placing().attempt("place").accept("place"), 60)
    assert len(tags(desk)) == 1
    assert "takeSnapshot" in desk.asked
    desk.snapshot(("MNQ", 1))
    assert len(tags(desk)) == 2
    assert tags(desk)[0] == tags(desk)[1]


def test_a_stop_of_ours_is_moved_and_no_second_one_placed() -> None:
    desk = placing(**MANAGED).attempt("place").accept("place")
    stop(desk, 50, 1, tags(desk)[0], at="20980")
    assert [one.kind for one in desk.planned] == ["placeStop", "modifyStop"]
    moved = desk.planned[-1]
    assert (moved.order_id, moved.size, moved.price) == (50, 1, desk.planned[0].price)


def test_a_stop_is_never_larger_than_what_is_open() -> None:
    desk = placing(3).attempt("place").lose("place").later(1).push("MNQ", 2)
    assert isinstance(desk, Desk)
    desk.later(1).snapshot(("MNQ", 2))
    assert [one.size for one in desk.planned if one.kind == "placeStop"] == [3, 2]


def test_no_stop_is_placed_for_what_is_being_closed() -> None:
    desk = placing(**GRACE, **LOSS).attempt("place").lose("place").closed("-100", contract="ES")
    assert isinstance(desk, Desk)
    leave_alone(desk.later(1).snapshot(("MNQ", 1)), 60).snapshot(("MNQ", 1))
    assert desk.asked.count(f"placeStop {MNQ}") == 1
    assert f"closeContract {MNQ}" in desk.asked


def test_no_stop_is_placed_while_the_traders_own_close_is_on_its_way() -> None:
    [placed_at] = [one.at for one in placing(**GRACE).events if isinstance(one.body, e.RequestPlanned)]
    desk = Desk(**GRACE).at("10:00:00").snapshot().fill("MNQ", 1, "21000").push("MNQ", 1)
    assert isinstance(desk, Desk)
    desk.later((placed_at - nanoseconds(desk.now)) // SECOND_NS - 1)
    desk.take(e.OrderRequested(ACCOUNT, "close", MNQ), "order", "operator")
    assert desk.attempt("close").later(2).asked == [f"closeContract {MNQ}"]


def test_a_wanted_stop_is_forgotten_when_the_position_turned_round() -> None:
    desk = placing(**MANAGED).push("MNQ", -1)
    assert not any(one.kind == "PlaceStop" and one.side == -1 for one in desk.account_state.obligations.values())


# ---- RULE-008 and RULE-012 when the broker says no ---------------------------------------------------


def test_rule_008_closes_what_the_broker_refuses_to_protect() -> None:
    desk = placing().attempt("place").refuse("place")
    assert desk.asked[-1] == f"closeContract {MNQ}"
    leave_alone(desk, 60)
    assert desk.asked.count(f"placeStop {MNQ}") == 1


def test_rule_008_closes_when_the_stop_does_not_come_three_times() -> None:
    desk = placing()
    for failures in (1, 2, 3):
        assert f"closeContract {MNQ}" not in desk.asked
        desk.attempt("place").lose("place").later(1).snapshot(("MNQ", 1))
        [wanted] = [one for one in desk.account_state.obligations.values() if one.kind == "PlaceStop"]
        assert wanted.failures == failures
        leave_alone(desk, 3)
    assert desk.asked.count(f"closeContract {MNQ}") == 1


def trailed() -> Desk:
    rule = {"enabled": True, "trailing_stop": {"activation_ticks": 20, "trail_distance_ticks": 10}}
    desk = Desk(trade_management=rule).at("10:00:00").snapshot().fill("MNQ", 1, "21000").push("MNQ", 1)
    assert isinstance(desk, Desk)
    return stop(desk, 9, 1, None)


def test_rule_012_a_refused_change_is_tried_again_at_the_next_mark_and_told_at_the_third() -> None:
    desk, refusals = trailed(), 0
    for second, points in ((0, "21010"), (20, "21011"), (40, "21012"), (59, "21013")):
        desk.at(f"10:01:{second:02}").mark("MNQ", points)
        asked = [one for one in desk.planned if one.kind == "modifyStop"][-1]
        assert asked.price == price(points) - 10 * price("0.25")
        while any("modify" in one.kind for one in desk.account_state.requests.values()):
            desk.attempt("modify").refuse("modify", "Invalid stop price")
            refusals += 1
            assert len([text for text in desk.alerts if "modifyStop" in text]) == (refusals >= 3), "told once"
    assert refusals > 4


def test_rule_012_the_size_of_a_stop_that_has_partly_filled_counts_what_has_filled() -> None:
    """The broker's size of an order is all of it (API.md 3.2): less would end the stop, or leave too little of it."""
    rule = {"enabled": True, "trailing_stop": {"activation_ticks": 20, "trail_distance_ticks": 10}}
    desk = Desk(trade_management=rule).at("10:00:00").snapshot().fill("MNQ", 3, "21000").push("MNQ", 3)
    desk.order(9, "MNQ", -3, type=4, stop="20990").later(1).fill("MNQ", -1, "20990", profit="-20", order=9)
    desk.push("MNQ", 2).order(9, "MNQ", -3, type=4, stop="20990", filled=1).later(5).fill("MNQ", 1, "21000")
    desk.push("MNQ", 3)
    assert [(one.kind, one.size) for one in desk.planned] == [("modifyStop", 4)]
    desk.attempt("modify").accept("modify").order(9, "MNQ", -4, type=4, stop="20990", filled=1)
    assert not desk.account_state.requests
    assert not desk.account_state.obligations


def test_rule_012_a_stop_that_works_no_more_is_not_moved_for_ever() -> None:
    desk = trailed().later(1.5).mark("MNQ", "21010")
    assert isinstance(desk, Desk)
    desk.attempt("modify").refuse("modify", "OrderNotFound")
    stop(desk, 9, 1, None, status=3)
    assert not any(one.kind == "ModifyStop" for one in desk.account_state.obligations.values())


# ---- legs and stops that fit no more -----------------------------------------------------------------


def bracket(
    desk: Desk, entry: int, size: int, stop_at: str, target_at: str, *, filled: bool = True, contract: str = "MNQ"
) -> Desk:
    """A long entry with its legs: ids entry+1 (stop) and entry+2 (target)."""
    desk.order(entry, contract, size, status=2 if filled else 1, filled=size if filled else 0)
    desk.order(entry + 1, contract, -size, type=4, stop=stop_at, parent=entry)
    desk.order(entry + 2, contract, -size, limit=target_at, parent=entry, linked=entry + 1)
    return desk


def long(size: int, *, enforces: bool = True) -> Desk:
    desk = Desk(symbol_blocks={"blocked_symbols": ["CL"]}).at("10:00:00").snapshot()
    desk.push("MNQ", size)
    return bracket(desk, 100, size, "20990", "21020")


def test_legs_are_cancelled_when_the_traders_own_exit_made_flat() -> None:
    desk = long(2).at("10:05:00").push("MNQ", 0)
    assert isinstance(desk, Desk)
    assert desk.later(1.999).asked == []
    assert desk.later(0.001).asked == ["cancelOrder 101", "cancelOrder 102"]
    desk.order(101, "MNQ", -2, type=4, status=3).order(102, "MNQ", -2, status=3)
    assert desk.account_state.obligations == {}
    assert leave_alone(desk, 60).asked == ["cancelOrder 101", "cancelOrder 102"]


def test_a_broker_that_takes_the_legs_itself_is_asked_nothing() -> None:
    desk = long(2).at("10:05:00").push("MNQ", 0).order(101, "MNQ", -2, type=4, status=3)
    desk.order(102, "MNQ", -2, status=3)
    assert isinstance(desk, Desk)
    assert leave_alone(desk, 10).asked == []


def test_legs_are_cut_to_what_is_left() -> None:
    desk = long(3).at("10:05:00").push("MNQ", 1)
    assert isinstance(desk, Desk)
    desk.later(2)
    assert [(one.kind, one.order_id, one.size) for one in desk.planned] == [
        ("modifyOrder", 101, 1),
        ("modifyOrder", 102, 1),
    ]
    assert all(one.terms is not None and one.terms.stop_price is None for one in desk.planned)
    desk.order(101, "MNQ", -1, type=4, stop="20990").order(102, "MNQ", -1, limit="21020")
    assert desk.account_state.obligations == {}


def test_a_cut_follows_the_position_while_it_is_on_its_way() -> None:
    desk = long(3).at("10:05:00").push("MNQ", 2)
    assert isinstance(desk, Desk)
    desk.later(2).push("MNQ", 1)
    desk.order(101, "MNQ", -2, type=4, stop="20990")
    assert "FitOrder" in [one.kind for one in desk.account_state.obligations.values()]


def test_the_legs_of_one_entry_stay_together() -> None:
    desk = Desk(symbol_blocks={"blocked_symbols": ["CL"]}).at("10:00:00").snapshot()
    desk.push("MNQ", 2)
    bracket(bracket(desk, 100, 1, "20995", "21030"), 200, 1, "20990", "21020")
    desk.at("10:05:00").push("MNQ", 1)
    assert desk.later(2).asked == ["cancelOrder 201", "cancelOrder 202"]


def test_what_is_left_of_a_partly_filled_leg_is_what_counts() -> None:
    desk = long(3).at("10:05:00").order(102, "MNQ", -3, limit="21020", filled=1).push("MNQ", 2)
    assert isinstance(desk, Desk)
    desk.later(2)
    assert [(one.order_id, one.size) for one in desk.planned] == [(101, 2)]


def test_the_traders_own_orders_are_his() -> None:
    desk = Desk(symbol_blocks={"blocked_symbols": ["CL"]}).at("10:00:00").snapshot().push("MNQ", 2)
    desk.order(9, "MNQ", -5, type=4, stop="20990").at("10:05:00").push("MNQ", 1)
    assert isinstance(desk, Desk)
    assert leave_alone(desk, 10).asked == []


def cut_to_two(stop_size: int, **stop_order: Any) -> Desk:
    """Three where two are allowed, under a stop the trader placed; riskcore's cut is confirmed."""
    desk = Desk(max_contracts={"limit": 2}).at("10:00:00").snapshot().push("MNQ", 2)
    desk.order(9, "MNQ", stop_size, type=4, **stop_order).at("10:05:00").push("MNQ", 3)
    assert isinstance(desk, Desk)
    desk.snapshot(("MNQ", 3), orders=(9,)).attempt("partial").accept("partial").push("MNQ", 2)
    return desk


def test_the_traders_stop_of_what_riskcore_has_cut_is_cut_too() -> None:
    desk = cut_to_two(-3, stop="20990")
    assert leave_alone(desk, 1).asked[-1] == f"partialCloseContract {MNQ} by 1"
    desk.later(1)
    assert [(one.kind, one.order_id, one.size) for one in desk.planned[-1:]] == [("modifyOrder", 9, 2)]
    desk.order(9, "MNQ", -2, type=4, stop="20990")
    assert desk.account_state.obligations == {}


@pytest.mark.parametrize(("size", "price_at"), [(-2, "20990"), (3, "21100")])
def test_a_stop_that_fits_or_is_an_entry_is_left_alone_after_a_cut(size: int, price_at: str) -> None:
    assert not any("Order" in asked for asked in leave_alone(cut_to_two(size, stop=price_at), 10).asked)


def test_a_larger_stop_placed_after_the_cut_is_the_traders_own() -> None:
    desk = cut_to_two(-2, stop="20990").later(1).order(10, "MNQ", -5, type=4, stop="20980")
    assert isinstance(desk, Desk)
    assert not any("Order" in asked for asked in leave_alone(desk, 10).asked)


def test_the_legs_of_an_entry_that_still_works_are_made_for_all_of_it() -> None:
    desk = Desk(symbol_blocks={"blocked_symbols": ["CL"]}).at("10:00:00").snapshot().push("MNQ", 1)
    assert isinstance(desk, Desk)
    bracket(desk, 100, 3, "20990", "21020", filled=False)
    assert leave_alone(desk, 10).asked == []


def test_legs_named_by_their_tag_alone() -> None:
    desk = Desk(symbol_blocks={"blocked_symbols": ["CL"]}).at("10:00:00").snapshot().push("MNQ", 1)
    assert isinstance(desk, Desk)
    stop(stop(desk, 9, 1, "mine-SL"), 8, 1, "mine").at("10:05:00")
    desk.push("MNQ", 0)
    assert desk.later(2).asked == ["cancelOrder 9"]


def test_our_own_stop_is_cancelled_when_nothing_is_open() -> None:
    desk = placing(**MANAGED).attempt("place").accept("place")
    stop(desk, 50, 1, tags(desk)[0], at="20990")
    assert desk.account_state.obligations == {}
    desk.push("MNQ", 0)
    assert desk.later(2).asked[-1] == "cancelOrder 50"


@pytest.mark.parametrize("turns_round", [False, True])
def test_our_own_stop_that_shows_up_after_its_position_went_is_cancelled_at_once(turns_round: bool) -> None:
    desk = placing(**MANAGED).attempt("place").accept("place")
    desk.fill("MNQ", -1, "20991", profit="0").push("MNQ", 0)
    if turns_round:
        desk.fill("MNQ", -1, "20991").push("MNQ", -1)
    stop(desk, 50, 1, tags(desk)[0], at="20990")
    assert desk.asked[-1] == "cancelOrder 50"


def test_a_leg_on_the_side_of_a_position_that_turned_round_is_cancelled() -> None:
    desk = long(1).at("10:05:00").push("MNQ", -1)
    assert isinstance(desk, Desk)
    assert desk.later(2).asked == ["cancelOrder 101", "cancelOrder 102"]


def test_nothing_is_cut_while_nobody_knows_the_size() -> None:
    desk = long(2).at("10:05:00").fill("MNQ", -1, "21000", profit="0")
    assert isinstance(desk, Desk)
    desk.take(e.ConnectionChanged("user", "lost"), "connection")
    assert leave_alone(desk, 30).asked == []


def test_a_cut_that_is_refused_is_tried_again_at_the_pace_of_all_requests() -> None:
    desk = long(3).at("10:05:00").push("MNQ", 1)
    assert isinstance(desk, Desk)
    desk.later(2)
    for _ in range(4):
        [request] = [one for one in desk.account_state.requests.values() if one.order_id == 101]
        desk.take(e.RequestRefused(ACCOUNT, request.id, "no"), "answer", "gateway")
        desk.later(31)
    planned = [event.at for event in desk.events if getattr(event.body, "order_id", 0) == 101 and event.derived]
    assert len([text for text in desk.alerts if "modifyOrder/101" in text]) == 1
    assert len(planned) > 4
    [wanted] = [one for one in desk.account_state.obligations.values() if one.order_ids == (101,)]
    assert wanted.attempts["modifyOrder/101"].failures >= 4


def test_an_engine_that_only_decides_cuts_nothing() -> None:
    desk = long(2)
    desk.take(e.EngineStarted("0", enforces=False), "engine", "operator")
    desk.snapshot(("MNQ", 2)).at("10:05:00").push("MNQ", 0)
    assert leave_alone(desk, 10).asked == []


def test_under_a_close_the_legs_go_last() -> None:
    desk = Desk(**LOSS).at("10:00:00").snapshot().push("MNQ", 2)
    assert isinstance(desk, Desk)
    bracket(desk, 100, 2, "20990", "21020").at("10:05:00").closed("-100", contract="ES")
    assert leave_alone(desk, 10).asked.count("cancelOrder 101") == 0
    desk.push("MNQ", 0)
    assert desk.asked.count("cancelOrder 101") == desk.asked.count("cancelOrder 102") == 1
    assert not any(one.kind == "FitOrder" for one in desk.account_state.obligations.values())


# ---- RULE-010 asks once more -------------------------------------------------------------------------


def without_rights() -> Desk:
    desk = Desk(auth_loss_guard={}).at("10:00:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.later(1).snapshot(("MNQ", 1))
    desk.at("10:01:00").account(can_trade=False)
    return desk


def test_rule_010_live_asks_before_it_flattens() -> None:
    desk = without_rights().later(4.999)
    assert desk.asked == []
    desk.later(0.001)
    assert desk.asked == ["takeSnapshot"]
    assert "CloseAllPositions" not in desk.kinds
    desk.later(0.2).take(e.AccountObserved(ACCOUNT, can_trade=False, asked_at=nanoseconds(desk.now)), "account")
    assert desk.kinds[-1] == "CloseAllPositions"
    assert f"closeContract {MNQ}" in desk.asked


def test_rule_010_an_answer_that_says_true_costs_no_position() -> None:
    desk = without_rights().later(5).later(0.2)
    desk.take(e.AccountObserved(ACCOUNT, can_trade=True, asked_at=nanoseconds(desk.now)), "account")
    leave_alone(desk, 60)
    assert "CloseAllPositions" not in desk.kinds
    assert desk.kinds[-1] == "ClearLockout"


@pytest.mark.parametrize(("seconds", "flattened"), [(4.999, False), (5, True)])
def test_rule_010_an_answer_is_waited_for_five_seconds(seconds: float, flattened: bool) -> None:
    desk = without_rights().later(5).later(seconds)
    assert ("CloseAllPositions" in desk.kinds) is flattened


def test_rule_010_what_was_asked_before_the_five_seconds_were_over_is_no_answer() -> None:
    desk = without_rights().later(5.2)
    asked_at = nanoseconds(desk.now) - SECOND_NS
    desk.take(e.AccountObserved(ACCOUNT, can_trade=False, asked_at=asked_at), "account")
    assert "CloseAllPositions" not in desk.kinds


def test_attempts_begin_with_nothing() -> None:
    assert Attempts() == Attempts(0, 0, 0, 0, 0)
