"""Who did it: riskcore, the trader, or somebody else; and what riskcore did too much of."""

from typing import Any

import pytest

from riskcore.audit.log import AuditLog
from riskcore.audit.report import audit_report
from riskcore.cli.audit_text import audit_text
from riskcore.core import events as e
from riskcore.core.quantities import money
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
MARKET, FILLED = 2, 2


def report(day: Ledger) -> dict[str, Any]:
    log = AuditLog()
    log.listen(day.events)
    return audit_report(log.finish())


def makers(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["by"], row["likely"]) for row in rows]


def trader(**rules: Any) -> Ledger:
    """A trader who has bought two contracts in the platform."""
    day = Ledger(profile={"name": "test"}, **rules).at("10:00:00")
    return day.order(1, "MNQ", 2, type=MARKET, status=FILLED, filled=2).fill("MNQ", 2, "21000", order=1)


def test_orders_and_fills_by_hand_are_the_traders() -> None:
    day = trader().at("10:01:00").order(2, "MNQ", -2, type=MARKET, status=FILLED, filled=2)
    day.fill("MNQ", -2, "21010", profit="40", order=2)
    found = report(day)
    assert makers(found["fills"]) == makers(found["orders"]) == [("trader", None)] * 2
    assert [(row["by"], row["order"]) for row in found["flattens"]] == [("trader", 2)]
    assert "flat by trader" in audit_text(found)


def test_a_foreign_tag_is_another_client_and_so_are_its_bracket_legs() -> None:
    day = Ledger(profile={"name": "test"}).at("10:00:00").order(1, "MNQ", 1, type=MARKET, tag="glt-1")
    day.order(2, "MNQ", -1, type=4, stop="20900", parent=1, tag="glt-1-SL").fill("MNQ", 1, "21000", order=1)
    day.at("10:01:00").fill("MNQ", -1, "20900", profit="-200", order=2)
    found = report(day)
    assert makers(found["orders"]) == makers(found["fills"]) == [("external", "another client")] * 2
    assert makers(found["flattens"]) == [("external", "another client")]


def test_the_legs_of_an_order_by_hand_are_the_traders() -> None:
    day = trader().order(2, "MNQ", -2, type=4, stop="20900", parent=1)
    assert makers(report(day)["orders"]) == [("trader", None)] * 2


def test_an_order_that_riskcore_sent_for_the_trader_is_the_traders() -> None:
    day = Ledger(profile={"name": "test"}).at("10:00:00").order(1, "MNQ", 1, tag="rc-0123456789")
    assert makers(report(day)["orders"]) == [("trader", None)]


def test_a_stop_that_riskcore_placed_is_riskcores() -> None:
    day = trader().order(3, "MNQ", -2, type=4, stop="20900", tag="rc-stop-0123456789")
    assert makers(report(day)["orders"])[-1] == ("riskcore", None)


@pytest.mark.parametrize(
    ("at", "maker"),
    [
        ("15:07:59", ("trader", None)),
        ("15:08:00", ("external", "the firm")),
        ("15:59:59", ("external", "the firm")),
        ("16:00:00", ("trader", None)),
    ],
)
def test_a_close_without_a_command_from_the_flat_by_time_on_is_likely_the_firms(
    at: str, maker: tuple[str, str | None]
) -> None:
    day = trader().at(at).order(2, "MNQ", -2, type=MARKET, status=FILLED, filled=2)
    day.fill("MNQ", -2, "21010", profit="40", order=2)
    found = report(day)
    assert makers(found["fills"])[-1] == makers(found["orders"])[-1] == makers(found["flattens"])[-1] == maker


def test_a_limit_order_that_fills_then_is_still_the_traders() -> None:
    day = (
        trader()
        .order(2, "MNQ", -2, type=1, limit="21010")
        .at("15:08:30")
        .fill("MNQ", -2, "21010", profit="40", order=2)
    )
    assert makers(report(day)["fills"])[-1] == ("trader", None)


@pytest.mark.parametrize(
    ("seconds", "maker"), [("59", ("external", "the firm")), ("60", ("external", "the firm")), ("61", ("trader", None))]
)
def test_a_close_around_the_loss_of_trading_rights_is_likely_the_firms(
    seconds: str, maker: tuple[str, str | None]
) -> None:
    day = trader().account(can_trade=True).at("10:05:00").fill("MNQ", -2, "20000", profit="-2000")
    whole, rest = divmod(int(seconds), 60)
    day.at(f"10:{5 + whole:02}:{rest:02}").account(can_trade=False)
    assert makers(report(day)["fills"])[-1] == maker


def test_an_opening_fill_is_never_the_firms() -> None:
    day = Ledger(profile={"name": "test"}).at("15:08:30").fill("MNQ", 1, "21000")
    assert makers(report(day)["fills"]) == [("trader", None)]


# ---- riskcore's own, and too much of it --------------------------------------------------------------


def enforced(**close: Any) -> Desk:
    """A loss at the limit with a contract held, and riskcore's close of it sent and accepted."""
    desk = Desk(**LOSS).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().fill("ES", 1, "6000", order=1).push("ES", 1)
    desk.at("10:00:00").closed("-100", contract="YM")
    return desk.attempt("close").accept("close")


def test_the_exit_order_of_a_close_and_its_fill_are_riskcores() -> None:
    day = enforced().order(9, "ES", -1, type=MARKET, status=FILLED, filled=1)
    day.fill("ES", -1, "6000", profit="0", order=9).push("ES", 0)
    found = report(day)
    assert makers(found["fills"])[-1] == makers(found["orders"])[-1] == makers(found["flattens"])[-1]
    assert makers(found["flattens"])[-1] == ("riskcore", None)
    assert found["flattens"][-1]["by_reason"] == "the close of RULE-003"
    assert found["over_enforcement"] == []


@pytest.mark.parametrize(("enforces", "by"), [(True, "external"), (False, "trader")])
def test_a_foreign_close_while_riskcore_flattens_is_external_and_in_a_recording_the_traders(
    enforces: bool, by: str
) -> None:
    desk = Desk(**LOSS).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=enforces), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().fill("ES", 1, "6000", order=1).push("ES", 1)
    desk.at("10:00:00").closed("-100", contract="YM")
    desk.at("10:00:10").fill("ES", -1, "6000", profit="0")
    assert makers(report(desk)["fills"])[-1] == (by, None)


def test_a_close_that_opens_the_other_side_is_over_enforcement() -> None:
    day = enforced().order(9, "ES", -2, type=MARKET, status=FILLED, filled=2)
    day.fill("ES", -1, "6000", profit="0", order=9).fill("ES", -1, "6000", order=9)
    found = report(day)
    assert [row["kind"] for row in found["over_enforcement"]] == ["reversed"]
    assert found["over_enforcement"][0]["rule"] == "RULE-003"
    assert "Over-enforcement (1)" in audit_text(found)


def test_a_close_sent_when_nothing_is_held_is_over_enforcement() -> None:
    desk = Desk(**LOSS).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().fill("ES", 1, "6000", order=1).push("ES", 1)
    desk.at("10:00:00").closed("-100", contract="YM")
    request = desk.open("close")
    log = AuditLog()
    log.listen(desk.events)
    now, contract = desk.book.now, desk.contract("ES")
    flat = e.TradeRecorded(ACCOUNT, 77, contract, 6_000_000_000_000, -1, 1, profit_usd=0)
    log.listen(
        [
            e.Event(now, "broker", "trade:77", flat),
            e.Event(now, "broker", "position", e.PositionObserved(ACCOUNT, contract, 0)),
            e.Event(now, "gateway", f"attempt:{request.id}", e.RequestAttempted(ACCOUNT, request.id)),
        ]
    )
    (row,) = audit_report(log.finish())["over_enforcement"]
    assert row["kind"] == "without_need"
    assert "nothing of CON.F.US.EP.Z26 was held" in row["text"]
