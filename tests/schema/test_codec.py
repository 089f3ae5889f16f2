import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskcore.core.events import BarObserved, ClockTicked, Event, QuoteObserved, TradeVoided
from riskcore.core.state import Account, Book, Contract, Mark, Position
from riskcore.errors import Corrupt, InvariantBroken
from riskcore.schema import codec, registry
from riskcore.schema.codec import (
    book_from_bytes,
    decode_event,
    encode_event,
    export_line,
    read_line,
    state_bytes,
    state_hash,
)
from riskcore.schema.instants import FIRST_NS, LAST_NS
from tests import processes
from tests.schema.examples import events_of, example, values

DIGEST = bytes(range(32))


@pytest.mark.parametrize("body", registry.BODIES.values(), ids=lambda body: body.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_comes_back(body: type, data: st.DataObject) -> None:
    event, seq = data.draw(events_of(body)), data.draw(st.integers(1, 10**9))
    topic, canonical = encode_event(seq, event)
    assert topic == f"{body.__name__}.{registry.current_version(body.__name__)}"
    assert decode_event(topic, canonical) == (seq, event)
    line = export_line(canonical, DIGEST)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_line(line) == (topic, canonical, DIGEST)


def test_the_bytes_of_a_quote() -> None:
    event = Event(
        1_755_613_892_123_456_789, "market", "quote:1", QuoteObserved("CON.F.US.MNQ.U26", bid=21_000_250_000_000)
    )
    topic, canonical = encode_event(12, event)
    assert topic == "QuoteObserved.1"
    assert canonical == (
        b'[12,"QuoteObserved",1,1755613892123456789,"market","quote:1","",'
        b'{"contract":"CON.F.US.MNQ.U26","last":null,"bid":21000250000000,"ask":null}]'
    )
    assert export_line(canonical, DIGEST) == (
        b'{"seq":12,"type":"QuoteObserved","v":1,"at":"2025-08-19T14:31:32.123456789Z","source":"market",'
        b'"key":"quote:1","cause":"","data":{"contract":"CON.F.US.MNQ.U26","last":null,"bid":21000250000000,"ask":null},'
        b'"hash":"' + DIGEST.hex().encode() + b'"}\n'
    )


@pytest.mark.parametrize("at", [FIRST_NS, LAST_NS])
def test_first_and_last_instant_are_stored(at: int) -> None:
    topic, canonical = encode_event(1, Event(at, "clock", "c", ClockTicked()))
    assert decode_event(topic, canonical)[1].at == at


@pytest.mark.parametrize(
    "event",
    [
        Event(FIRST_NS - 1, "clock", "c", ClockTicked()),
        Event(LAST_NS + 1, "clock", "c", ClockTicked()),
        Event(0, "clock", "\ud800", ClockTicked()),
        Event(0, "clock", "c", QuoteObserved("\udfff")),
        Event(0, "clock", "c", QuoteObserved(object())),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_stored_is_named(event: Event) -> None:
    with pytest.raises(InvariantBroken, match="cannot be stored"):
        encode_event(1, event)


def test_a_body_that_is_no_event() -> None:
    with pytest.raises(Corrupt, match="Contract is no registered event"):
        encode_event(1, Event(0, "clock", "c", Contract("a", "b", 1, 1)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "topic", ["Nonsense.1", "ClockTicked.2", "ClockTicked.0", "ClockTicked", "ClockTicked.x", "", "."]
)
def test_unknown_types_and_versions(topic: str) -> None:
    with pytest.raises(Corrupt, match=r"unknown (event type|version)"):
        decode_event(topic, b"[]")


GOOD = b'[1,"ClockTicked",1,0,"clock","c","",{}]'


@pytest.mark.parametrize(
    "canonical",
    [
        b"",
        b"[",
        b"null",
        b"{}",
        b'[1,"ClockTicked",1,0,"clock","c",""]',
        b'["1","ClockTicked",1,0,"clock","c","",{}]',
        b'[1,"ClockTicked",1,0,"clock","c","",3]',
        b'[1,"ClockTicked",1,0,"clock","\xff","",{}]',
        b'[1,"ClockTicked",2,0,"clock","c","",{}]',
        b'[1,"TradeVoided",1,0,"clock","c","",{}]',
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_event(canonical: bytes) -> None:
    assert decode_event("ClockTicked.1", GOOD) == (1, Event(0, "clock", "c", ClockTicked()))
    with pytest.raises(Corrupt):
        decode_event("ClockTicked.1", canonical)


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_an_event_or_corrupt(data: bytes) -> None:
    for read in (lambda: decode_event("OrderObserved.1", data), lambda: read_line(data), lambda: book_from_bytes(data)):
        with pytest.raises(Corrupt):
            read()


def test_a_line_must_be_written_exactly_as_we_write_it() -> None:
    line = export_line(GOOD, DIGEST)
    assert read_line(line)[1] == GOOD
    for edited in (
        line.replace(b'"v":1', b'"v": 1'),
        line.replace(b'"key":"c"', b'"key":"\\u0063"'),
        line.replace(b'"v":1,', b'"v":1,"extra":1,'),
        line.replace(b'"seq":1,"type":"ClockTicked"', b'"type":"ClockTicked","seq":1'),
        line.replace(DIGEST.hex().encode(), DIGEST.hex().upper().encode()),
        line.replace(DIGEST.hex().encode(), b"zz"),
        line.replace(b"000Z", b"00Z"),
        line[:-1],
    ):
        assert edited != line
        with pytest.raises(Corrupt):
            read_line(edited)


def test_an_older_version_is_brought_up_to_date_on_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(data: dict[str, Any]) -> dict[str, Any]:
        return {"account": data["acct"], "id": data["trade"]}

    def second(data: dict[str, Any]) -> dict[str, Any]:
        return {"account": data["account"], "trade_id": data["id"]}

    monkeypatch.setitem(registry.CHANGED, "TradeVoided", 3)
    monkeypatch.setitem(registry.UPCASTERS, ("TradeVoided", 1), first)
    monkeypatch.setitem(registry.UPCASTERS, ("TradeVoided", 2), second)
    monkeypatch.setattr(codec, "_stored_as", {})
    codec._decoder.cache_clear()
    try:
        event = Event(0, "broker", "void:8", TradeVoided(7, 8))
        old = b'[1,"TradeVoided",%d,0,"broker","void:8","",%b]'
        assert decode_event("TradeVoided.1", old % (1, b'{"acct":7,"trade":8}')) == (1, event)
        assert decode_event("TradeVoided.2", old % (2, b'{"account":7,"id":8}')) == (1, event)
        assert decode_event(*encode_event(1, event)) == (1, event)
        assert encode_event(1, event)[0] == "TradeVoided.3"
        assert [topic for topic in registry.released() if topic.startswith("TradeVoided")] == [
            "TradeVoided.1",
            "TradeVoided.2",
            "TradeVoided.3",
        ]
        with pytest.raises(Corrupt):
            decode_event("TradeVoided.1", old % (1, b'{"acct":"7","trade":8}'))
    finally:
        codec._decoder.cache_clear()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values(Book))
def test_every_book_comes_back_in_its_own_order(book: Book) -> None:
    again = book_from_bytes(state_bytes(book))
    assert again == book
    assert state_bytes(again) == state_bytes(book)
    assert state_hash(again) == state_hash(book)


def test_state_bytes_keep_the_order_of_positions_and_the_hash_does_not_depend_on_it() -> None:
    forward, backward = Account(1), Account(1)
    forward.positions = {"A": Position("A"), "B": Position("B")}
    backward.positions = {"B": Position("B"), "A": Position("A")}
    one, other = Book(accounts={1: forward}), Book(accounts={1: backward})
    assert list(book_from_bytes(state_bytes(other)).accounts[1].positions) == ["B", "A"]
    assert state_bytes(one) != state_bytes(other)
    assert state_hash(one) == state_hash(other)


def test_the_state_hash_sees_every_part() -> None:
    book: Book = example(Book)
    seen = {state_hash(book)}
    for change in (
        {"profile": "other"},
        {"now": book.now + 1},
        {"day": None},
        {"settings": {}},
        {"lacks": ()},
        {"contracts": {}},
        {"marks": {"x": Mark(1, None, None, 1, 1)}},
        {"accounts": {}},
        {"connections": {}},
        {"connection_since": {}},
        {"ordinal": book.ordinal + 1},
    ):
        seen.add(state_hash(replace(book, **change)))
    assert len(seen) == 12


IMPORTS = """
import sys
{first}
from riskcore.core.events import BarObserved, Event
from riskcore.schema.codec import encode_event
{last}
print(encode_event(1, Event(5, "market", "bar", BarObserved("c", 1, 2, 3, 4, 5, 6)))[1].decode(), end="")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last"), [("import eventsourcing.domain", ""), ("", "import eventsourcing.domain"), ("", "")]
)
def test_importing_eventsourcing_before_or_after_the_core_changes_nothing(first: str, last: str) -> None:
    program = IMPORTS.format(first=first, last=last)
    printed = processes.run([sys.executable, "-c", program]).stdout
    assert printed == encode_event(1, Event(5, "market", "bar", BarObserved("c", 1, 2, 3, 4, 5, 6)))[1]


@pytest.mark.slow
def test_nothing_imports_eventsourcing_before_a_store_is_opened() -> None:
    program = (
        "import sys, riskcore.schema.export, riskcore.store.journal, riskcore.store.export_file;"
        "sys.exit('eventsourcing' in sys.modules)"
    )
    assert processes.run([sys.executable, "-c", program]).returncode == 0
