"""Which messages go into the journal, and that a recording gets every line in the order of handling."""

import json
from typing import Any

import pytest

from riskcore.core.events import ClockTicked, EngineStarted, Event
from riskcore.core.quotes import Quotes
from riskcore.engine.inbox import Inbox
from riskcore.engine.wire import WireLog, connection_text, opening_of
from tests.core.ledger import Ledger
from tests.engine.hand_clock import HandClock
from tests.schema.examples import AT

USER = {"hub": "user", "target": "GatewayUserTrade", "arguments": []}
MARKET = {"hub": "market", "target": "GatewayTrade", "arguments": []}


class Tape:
    """A recording in memory."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.flushed = 0
        self.last_at = 0

    def add(self, line: bytes) -> None:
        self.lines.append(line)

    def flush(self) -> None:
        self.flushed += 1

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def text(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode()


def nothing(line: dict[str, Any], at: int) -> list[Event]:
    return []


@pytest.mark.parametrize(("policy", "kept"), [("user", ["user"]), ("all", ["user", "market", "quote"]), ("off", [])])
def test_the_policy_says_what_the_journal_keeps_and_a_recording_gets_all(policy: str, kept: list[str]) -> None:
    journal: list[bytes] = []
    tape = Tape()
    log = WireLog(lambda at, line: journal.append(line), policy, tape)
    log.message(AT, USER, b'{"it":"user"}')
    log.message(AT, MARKET, b'{"it":"market"}')
    log.quotes([AT], lambda: [b'{"it":"quote"}'])
    assert [json.loads(line)["it"] for line in journal] == kept
    assert [row["it"] for row in tape.rows()] == ["user", "market", "quote"]


def test_without_a_recording_the_texts_of_quotes_are_not_even_made() -> None:
    log = WireLog(lambda at, line: None, "user")
    log.quotes([AT], lambda: pytest.fail("made for nobody"))
    log.fact(Event(AT, "clock", "c", ClockTicked()))


def test_what_no_broker_sent_is_a_fact_line_and_time_never_goes_back() -> None:
    tape = Tape()
    log = WireLog(lambda at, line: None, "off", tape)
    log.message(AT + 5, USER, b'{"hub":"user"}')
    log.fact(Event(AT, "operator", "engine@1", EngineStarted("1", True)))
    log.fact(Event(AT + 6, "clock", "c", ClockTicked()))
    _, started, ticked = tape.rows()
    assert started["at"] == tape.rows()[0]["at"]
    assert {name: started[name] for name in ("fact", "v", "source", "key", "data")} == {
        "fact": "EngineStarted",
        "v": 1,
        "source": "operator",
        "key": "engine@1",
        "data": {"version": "1", "enforces": True},
    }
    assert ticked["clock"] is True


def test_a_recording_that_begins_within_a_day_opens_with_what_is_known() -> None:
    day = Ledger(max_contracts={"limit": 3}).fill("MNQ", 2, "21000")
    tape = Tape()
    log = WireLog(lambda at, line: None, "off", tape)
    log.begin(day.book)
    # An engine that is built again goes on with the recording that is there.
    WireLog(lambda at, line: None, "off", tape).begin(day.book)
    (row,) = tape.rows()
    assert row["fact"] == "TradingDayOpened"
    assert row["data"]["accounts"][0]["positions"]
    assert opening_of(day.book).at == day.book.now


def test_the_inbox_tells_of_messages_in_the_order_of_handling() -> None:
    clock, tape = HandClock(), Tape()
    inbox = Inbox(clock, nothing, WireLog(lambda at, line: None, "off", tape))
    inbox.quotes(Quotes([clock.now()], ["C"], [1], [None], [None]), lambda: [text({"n": "quotes"})])
    inbox.market(MARKET, text({"n": "market"}))
    inbox.line(USER, text({"n": "user"}))
    inbox.line(USER)  # Without a text there is nothing to keep.
    inbox.fact(ClockTicked(), "clock", "clock")
    while inbox.take() is not None:
        pass
    assert [row.get("n", row.get("clock")) for row in tape.rows()] == ["user", True, "quotes", "market"]


def test_a_connection_has_the_text_of_its_line() -> None:
    assert json.loads(connection_text("user", "lost")) == {"connection": "user", "state": "lost"}
