"""Decisions whose cause is not plainly the event stored just before them."""

import pytest

from riskcore.audit.decisions import Decisions
from riskcore.audit.why import explain
from riskcore.core import events as e
from riskcore.core.quantities import price
from riskcore.errors import ConfigError
from tests.core.ledger import Ledger, nanoseconds, usd

MNQ = "CON.F.US.MNQ.Z26"


def decided(day: Ledger) -> Decisions:
    decisions = Decisions()
    decisions.listen(day.events)
    return decisions


def open_loss() -> Ledger:
    day = Ledger(daily_unrealized_loss={"loss_limit": usd("300")}, profile={"name": "test"})
    return day.at("09:00:00").mark("MNQ", "21000").fill("MNQ", 2, "21000")


def test_a_quote_is_found_among_those_journaled_with_it() -> None:
    day = open_loss()
    at = nanoseconds(day.now)
    rows = tuple((at + index, MNQ, price(text), None, None) for index, text in enumerate(("20950", "20840", "20990")))
    batch = e.Event(at + 2, "market", "quotes", e.QuotesObserved(rows))
    day.take(batch.body, batch.key, batch.source)
    found = explain(decided(day), f"/RULE-004/{MNQ}/1")
    assert found["input"]["text"] == f"quote of {MNQ}: last 20840"
    assert found["breach"]["figures"]["unrealized"] == "-640.00"


def test_a_bar_is_shown_whole_and_no_mark_is_claimed() -> None:
    day = open_loss()
    day.bar("MNQ", "09:01", ("20990", "20995", "20800", "20990"))
    found = explain(decided(day), f"/RULE-004/{MNQ}/1")
    assert found["input"]["text"].endswith("open 20990, high 20995, low 20800, close 20990")
    assert found["breach"]["flags"] == ["from_bars"]
    assert (found["state"]["positions"][0]["mark"], found["state"]["positions"][0]["unrealized"]) == (None, None)


def test_a_deadline_is_its_own_input() -> None:
    day = Ledger(no_stop_loss_grace={"grace_period_seconds": 30}, profile={"name": "test"})
    day.at("09:00:00").fill("MNQ", 1, "21000")
    day.tick("09:01:00")
    found = explain(decided(day), f"RULE-008/{MNQ}/1")
    assert found["input"]["type"] == "TimerFired"
    assert found["input"]["at"] == "2026-11-20T15:00:30Z"


def test_a_breach_whose_command_was_merged_shows_the_stronger_one() -> None:
    day = Ledger(
        daily_unrealized_loss={"loss_limit": usd("300")},
        daily_realized_loss={"loss_limit": usd("300"), "basis": "combined"},
        profile={"name": "test"},
    )
    day.at("09:00:00").mark("MNQ", "21000").fill("MNQ", 2, "21000").mark("MNQ", "20900")
    found = explain(decided(day), f"RULE-004/{MNQ}/1")
    assert [(row["kind"], row["rule"]) for row in found["commands"]] == [
        ("SetLockout", "RULE-003"),
        ("CancelOrders", "RULE-003"),
        ("CloseAllPositions", "RULE-003"),
    ]


def test_a_voided_fill_books_nothing() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": usd("500")}, profile={"name": "test"})
    day.closed("-400").void(2)
    day.closed("-600", fees="1")
    fills = explain(decided(day), "RULE-003/day/1")["state"]["fills"]
    assert [(fill["voided"], fill["running_net"]) for fill in fills] == [
        (False, "0"),
        (True, "0"),
        (False, "0"),
        (False, "-601.00"),
    ]


def test_a_day_without_decisions_has_none() -> None:
    with pytest.raises(ConfigError, match="no breach or command"):
        explain(decided(open_loss()), "RULE")


def test_a_position_is_valued_as_it_was_judged() -> None:
    day = open_loss().mark("MNQ", "20800")
    decision = next(iter(decided(day).by_id.values()))
    assert decision.state["positions"][0]["unrealized"] == "-800.00"
