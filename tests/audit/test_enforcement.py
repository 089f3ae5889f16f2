"""What was sent for a command: answers, attempts, exit orders, fills, slippage to the tick, and what superseded it."""

from datetime import timedelta
from typing import Any

import pytest

from riskcore.audit.log import AuditLog
from riskcore.core import events as e
from tests.audit.test_attribution import FILLED, LOSS, MARKET
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger

ES = "CON.F.US.EP.Z26"
Row = dict[str, Any]


def log_of(desk: Desk) -> AuditLog:
    log = AuditLog()
    log.listen(desk.events)
    assert not [note for note in log.notes if note["kind"] == "left_out"]
    return log


def commands(desk: Desk, kind: str) -> list[Row]:
    return [row for row in log_of(desk).command_rows() if row["kind"] == kind]


def requests(desk: Desk, kind: str = "CloseAllPositions") -> list[Row]:
    (command,) = commands(desk, kind)
    rows: list[Row] = command["requests"]
    return rows


def ticking(desk: Desk, seconds: float) -> Desk:
    desk.now += timedelta(seconds=seconds)
    return desk


def losing(size: int = 2, mark: str = "6000") -> Desk:
    """Some ES held and marked, and a loss at the limit at 10:00:00."""
    desk = Desk(**LOSS).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().fill("ES", size, "6000", order=1).push("ES", size).mark("ES", mark)
    return desk.at("10:00:00").closed("-100", contract="YM")


def test_a_request_from_its_decision_to_its_last_fill() -> None:
    desk = ticking(losing(), 0.5).attempt("close")
    ticking(desk, 0.25).accept("close").order(9, "ES", -2, type=MARKET, status=FILLED, filled=2)
    ticking(desk, 0.5).fill("ES", -1, "5999.75", profit="0", order=9)
    ticking(desk, 0.5).fill("ES", -1, "5999.25", profit="0", order=9).push("ES", 0)
    (command,) = commands(desk, "CloseAllPositions")
    (request,) = [row for row in command["requests"] if row["kind"] == "closeContract"]
    assert (command["outcome"], command["met_after_seconds"]) == ("met", "1.75")
    assert request["id"].startswith(f"{command['id']}/closeContract/")
    assert (request["kind"], request["attempt"], request["side"], request["size"]) == ("closeContract", 1, "sell", 2)
    assert (request["outcome"], request["answer"], request["exit_orders"]) == ("confirmed", "accepted", [9])
    assert [request[f"{name}_after_seconds"] for name in ("sent", "answered", "filled")] == ["0.5", "0.25", "1.25"]
    assert [request[f"{name}_at"][11:] for name in ("sent", "answered", "confirmed")] == [
        "16:00:00.500000Z",
        "16:00:00.750000Z",
        "16:00:01.750000Z",
    ]
    # 1 and 3 ticks of $12.50 below the mark: two ticks for each contract on average.
    assert (request["mark"], request["slippage_ticks"], request["slippage_usd"]) == ("6000", "-2", "-50.00")
    assert [(one["price"], one["slippage_ticks"], one["slippage_usd"]) for one in request["fills"]] == [
        ("5999.75", "-1", "-12.50"),
        ("5999.25", "-3", "-37.50"),
    ]


@pytest.mark.parametrize(("price", "ticks", "usd_"), [("6000.25", "1", "12.50"), ("6000", "0", "0")])
def test_slippage_is_a_result_and_better_than_the_mark_is_above_zero(price: str, ticks: str, usd_: str) -> None:
    desk = losing(1).attempt("close").order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    (request,) = requests(desk.fill("ES", -1, price, profit="0", order=9))
    assert (request["slippage_ticks"], request["slippage_usd"]) == (ticks, usd_)


def test_an_average_that_is_no_whole_tick_is_rounded_and_the_dollars_are_exact() -> None:
    desk = losing(3).attempt("close").order(9, "ES", -3, type=MARKET, status=FILLED, filled=3)
    (request,) = requests(
        desk.fill("ES", -2, "6000", profit="0", order=9).fill("ES", -1, "5999.75", profit="0", order=9)
    )
    assert (request["slippage_ticks"], request["slippage_usd"]) == ("-0.33", "-12.50")


def test_the_mark_is_that_of_the_decision_not_of_the_fill() -> None:
    desk = losing(1, "6001").attempt("close").mark("ES", "5990")
    desk.order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    (request,) = requests(desk.fill("ES", -1, "5990", profit="0", order=9))
    assert (request["mark"], request["slippage_ticks"]) == ("6001", "-44")


def test_a_refused_attempt_and_the_one_after_it() -> None:
    desk = losing().attempt("close").refuse("close", "market closed")
    desk.later(0.1)
    if not [one for one in desk.account_state.requests.values() if one.kind == "closeContract"]:
        desk.snapshot(("ES", 2)).later(1)
    desk.attempt("closeContract")
    sent = [row for row in requests(desk) if row["kind"] == "closeContract"]
    assert [(row["attempt"], row["outcome"], row["answer"], row["reason"]) for row in sent] == [
        (1, "refused", "refused", "market closed"),
        (2, "attempted", None, None),
    ]
    assert sent[1]["answered_at"] is None


def test_an_answer_that_comes_behind_the_effect_leaves_it_confirmed() -> None:
    desk = losing(1).attempt("close").order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    request_id = desk.open("close").id
    desk.fill("ES", -1, "6000", profit="0", order=9).push("ES", 0)
    desk.take(e.RequestAccepted(ACCOUNT, request_id), "late", "gateway")
    (request,) = requests(desk)
    assert (request["outcome"], request["answer"]) == ("confirmed", "accepted")


def test_a_fill_told_before_its_order_is_that_of_the_close() -> None:
    desk = losing(1).attempt("close").fill("ES", -1, "5999.75", profit="0", order=9)
    desk.push("ES", 0).order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    (request,) = requests(desk)
    assert (request["exit_orders"], [one["order"] for one in request["fills"]]) == ([9], [9])
    assert request["slippage_usd"] == "-12.50"


def test_a_voided_fill_is_no_fill_of_the_close() -> None:
    desk = losing(1).attempt("close").order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    desk.fill("ES", -1, "5999.75", profit="0", order=9, trade=77).void(77)
    (request,) = requests(desk)
    assert (request["fills"], request["slippage_usd"], request["filled_at"]) == ([], None, None)


def test_what_the_trader_closes_himself_is_not_a_fill_of_the_request() -> None:
    desk = losing().order(5, "ES", -1, type=1, limit="6000", status=1)
    desk.attempt("close").fill("ES", -1, "6000", profit="0", order=5)
    (request,) = requests(desk)
    assert (request["exit_orders"], request["fills"]) == ([], [])


def test_a_recording_sends_nothing() -> None:
    log = AuditLog()
    log.listen(Ledger(profile={"name": "test"}, **LOSS).at("10:00:00").closed("-100").events)
    assert {tuple(row["requests"]) for row in log.command_rows()} == {()}


def managed() -> Desk:
    """One ES held, and a stop 10 ticks away is wanted and was sent."""
    desk = Desk(trade_management={"enabled": True, "auto_stop_loss": {"ticks": 10}}).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    return desk.snapshot().fill("ES", 1, "6000", order=1).push("ES", 1).snapshot(("ES", 1)).attempt("placeStop")


def test_a_wanted_stop_that_a_newer_one_replaces_is_superseded_and_the_last_is_not_met() -> None:
    """Adding to the position asks for a larger stop before the first one stands."""
    desk = managed().fill("ES", 1, "6000.5", order=2).push("ES", 2)
    stops = [row for row in log_of(desk).command_rows() if row["kind"] in ("PlaceStop", "ModifyStop")]
    assert [row["outcome"] for row in stops] == ["superseded"] * (len(stops) - 1) + ["not_met"]
    assert (stops[0]["superseded_by"], stops[-1]["superseded_by"]) == (stops[1]["id"], None)


def test_the_fill_of_a_stop_that_riskcore_placed_is_that_of_its_request() -> None:
    desk = managed()
    stop = desk.open("placeStop")
    desk.take(e.RequestAccepted(ACCOUNT, stop.id, 9), "answer", "gateway")
    desk.order(9, "ES", -1, type=4, stop="5997.5", tag=stop.tag).fill("ES", -1, "5997.25", profit="-137.5", order=9)
    log = log_of(desk)
    (request,) = [one for row in log.command_rows() for one in row["requests"] if one["kind"] == "placeStop"]
    assert (request["broker_order"], [one["order"] for one in request["fills"]]) == (9, [9])
    # It did not fill at the mark of the decision, nor was it to.
    assert (request["mark"], request["slippage_ticks"]) == (None, None)
    assert log.enforcement.request_of_order(ACCOUNT, 9) == stop.id
