"""What is told of stored events: the kinds of INTERFACE.md 7, exact figures, and ids that lead back to their cause."""

import json
from typing import Any

from riskcore.audit.happenings import happening, happenings
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.restart import absence
from riskcore.core.state import Book
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, nanoseconds

ES = "CON.F.US.EP.Z26"
LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}


def losing_desk() -> Desk:
    """Reconciled, one ES long, then a loss at the limit at 10:00:00."""
    desk = Desk(**LOSS).at("09:59:00").account(name="50KTC-V2-99000001").snapshot()
    desk.fill("ES", 1, "6000").push("ES", 1)
    desk.at("10:00:00").closed("-100.50")
    return desk


def told(desk: Desk, kind: str = "") -> list[dict[str, Any]]:
    return [row for row in happenings(desk.events, desk.book) if kind in ("", row["type"])]


def test_a_breach_is_told_with_its_figures_and_account() -> None:
    (breach,) = told(losing_desk(), "breach")
    assert list(breach)[:2] == ["at", "type"]
    assert breach["at"] == "2026-11-20T16:00:00Z"
    assert (breach["account"], breach["account_name"]) == (ACCOUNT, "50KTC-V2-99000001")
    assert breach["rule"] == "RULE-003"
    assert breach["figures"] == {"day_pnl": "-100.50", "loss_limit": "100"}
    assert breach["cause"].startswith("trade:")


def test_commands_name_their_breach_and_a_lockout_tells_its_end() -> None:
    desk = losing_desk()
    (breach,) = told(desk, "breach")
    commands = [row for row in told(desk, "command") if row["kind"] != "Alert"]
    assert [row["kind"] for row in commands] == ["SetLockout", "CancelOrders", "CloseAllPositions"]
    assert {row["breach"] for row in commands} == {breach["id"]}
    (lockout,) = told(desk, "lockout")
    assert (lockout["change"], lockout["kind"], lockout["scope"]) == ("set", "until_reset", "account")
    assert lockout["expires_at"] == "2026-11-20T23:00:00Z"
    assert lockout["id"] in desk.account_state.lockouts


def test_a_lockout_set_again_is_told_with_the_end_that_is_in_force() -> None:
    desk = losing_desk()
    desk.account_state.lockouts["account/RULE-003/day"].expires_at = nanoseconds(desk.now) + 40_000 * SECOND_NS
    (lockout,) = told(desk, "lockout")
    assert lockout["expires_at"] == "2026-11-21T03:06:40Z"


def test_an_account_that_gets_out_of_sight_by_itself_is_told_with_its_name() -> None:
    desk = losing_desk().take(e.SightChanged(ACCOUNT, lost=True), "sight").take(e.SightChanged(ACCOUNT, False), "sight")
    lost, back = told(desk, "drift")
    assert lost["account_name"] == back["account_name"] == "50KTC-V2-99000001"
    assert "its lists do not come" in lost["text"]
    assert "in sight again" in back["text"]


def test_a_lockout_that_ends_says_by_what() -> None:
    desk = losing_desk().push("ES", 0)
    desk.tick("2026-11-20 17:00:00")
    ended = told(desk, "lockout")[-1]
    assert (ended["change"], ended["rule"], ended["ended_by"]) == ("ended", "RULE-003", "reset")


def test_a_request_is_told_when_it_leaves_and_its_outcome_when_it_is_known() -> None:
    desk = losing_desk()
    assert told(desk, "request") == []
    desk.attempt("close").accept("close")
    (request,) = told(desk, "request")
    assert (request["kind"], request["contract"], request["attempt"]) == ("closeContract", ES, 1)
    # There was nothing to cancel: that obligation was met at once.
    nothing_to_cancel, accepted = told(desk, "outcome")
    assert (nothing_to_cancel["outcome"], nothing_to_cancel["kind"]) == ("met", "CancelOrders")
    assert (accepted["outcome"], accepted["id"], accepted["command"]) == ("accepted", request["id"], request["command"])
    desk.fill("ES", -1, "6000", profit="0").push("ES", 0)
    assert [row["outcome"] for row in told(desk, "outcome")] == ["met", "accepted", "met", "confirmed"]
    assert told(desk, "outcome")[2]["command"] == request["command"]


def test_a_refusal_gives_the_reason_and_what_it_was_about_though_state_has_forgotten_the_request() -> None:
    desk = losing_desk().attempt("close")
    known = len(desk.events)
    desk.refuse("close", "the market is closed")
    rows = happenings(desk.events[known:], desk.book)
    (refused,) = [row for row in rows if row["type"] == "outcome"]
    assert (refused["outcome"], refused["reason"]) == ("refused", "the market is closed")
    assert (refused["kind"], refused["contract"], refused["attempt"]) == ("closeContract", ES, 1)
    assert refused["command"].endswith("CloseAllPositions")


def test_nobody_knows_is_an_outcome_of_its_own() -> None:
    unresolved = told(losing_desk().attempt("close").lose("close"), "outcome")[-1]
    assert (unresolved["outcome"], unresolved["reason"]) == ("unresolved", "timeout")


def test_an_id_of_another_form_is_told_as_it_is() -> None:
    event = e.Event(0, "gateway", "answer", e.RequestRefused(ACCOUNT, "mine", "no"))
    (row,) = happenings([event], Book())
    assert (row["id"], row["reason"]) == ("mine", "no")
    assert "kind" not in row


def test_a_cancelled_order_is_told_by_its_number() -> None:
    event = e.Event(
        0, "gateway", "answer", e.RequestRefused(ACCOUNT, "quote:X@1/7/R/CancelOrder:5/cancelOrder/5/2", "no")
    )
    (row,) = happenings([event], Book())
    assert (row["kind"], row["order"], row["attempt"]) == ("cancelOrder", 5, 2)


def test_what_the_rules_decline_is_an_outcome() -> None:
    event = e.Event(0, "core", "x", e.OrderDeclined(ACCOUNT, "order:1", "locked until the reset"))
    (row,) = happenings([event], Book())
    assert (row["type"], row["outcome"], row["id"]) == ("outcome", "declined", "order:1")
    assert row["reason"] == "locked until the reset"


def test_connections_and_drift_are_told() -> None:
    desk = Desk(**LOSS)
    desk.take(e.ConnectionChanged("user", "lost"), "connection", "gateway")
    desk.later(1).fill("ES", 1, "6000").later(0.1).push("ES", 2).later(3)
    (connection,) = told(desk, "connection")
    assert (connection["hub"], connection["state"]) == ("user", "lost")
    drift = told(desk, "drift")[-1]
    assert (drift["contract"], drift["fills_size"], drift["broker_size"]) == (ES, 1, 2)


def test_quotes_and_ticks_are_not_told() -> None:
    desk = Desk(**LOSS).mark("ES", "6000").tick()
    assert told(desk) == []


def test_every_happening_is_json_without_a_float() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"a float was written: {text}")

    desk = losing_desk().attempt("close").accept("close").push("ES", 0)
    rows = told(desk)
    assert json.loads(json.dumps(rows), parse_float=refuse) == rows


def test_fields_that_do_not_apply_are_left_out() -> None:
    assert happening(0, "halt", text="the disk is full", since=None) == {
        "at": "1970-01-01T00:00:00Z",
        "type": "halt",
        "text": "the disk is full",
    }


def test_that_no_engine_saw_anything_is_no_news_and_a_hub_that_is_lost_is() -> None:
    """After an orderly stop every start told two lost hubs that were connected a moment later."""
    desk = Desk(daily_unrealized_loss={"loss_limit": money("100")}).at("09:59:00").account(name="PRAC")
    for hub in ("user", "market"):
        desk.take(e.ConnectionChanged(hub, "connected"), f"connection.{hub}", "gateway")
    desk.snapshot()
    before = len(desk.events)
    for event in absence(desk.book):
        desk._take(event.body, event.source, event.key)
    assert desk.bodies(e.CommandIssued) == []
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    rows = happenings(desk.events[before:], desk.book)
    assert [row for row in rows if row["type"] in ("command", "connection")] == []
    desk.at("09:59:01").take(e.ConnectionChanged("user", "connected"), "again", "gateway")
    before = len(desk.events)
    desk.at("09:59:02").take(e.ConnectionChanged("user", "lost"), "lost", "gateway")
    rows = happenings(desk.events[before:], desk.book)
    assert [row["text"] for row in rows if row["type"] == "command"] == [
        "the user hub is lost: riskcore sees nothing of it"
    ]
