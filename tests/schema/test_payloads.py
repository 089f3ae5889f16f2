"""Messages beside events: their stored form for ever, where they are kept, and that damage is seen."""

import pytest

from riskcore.core.events import ClockTicked, DayRolled, Event
from riskcore.errors import Corrupt
from riskcore.schema.instants import instant_text
from riskcore.schema.payloads import (
    NO_LINK,
    Message,
    Pending,
    link_of,
    linked,
    message_line,
    of_user,
    pack,
    placed,
    unpack,
)
from tests.schema.examples import AT, opening

LINE = b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"GatewayUserTrade","arguments":[]}\n'
# Frozen: blobs of form 1 must be readable for ever, whatever library packs new ones.
FROZEN = "016c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6ca3697802cd0700"
TICK = Event(AT, "clock", f"clock@{AT}", ClockTicked())
LINK = b"l" * 32
PACKED = pack(LINK, LINE)


def message(at: int, text: str = '{"hub":"user"}') -> Message:
    return at, message_line(at, text.encode())


def test_messages_of_form_1_are_read_for_ever() -> None:
    assert unpack(bytes.fromhex(FROZEN)) == LINE


@pytest.mark.parametrize("lines", [b"", LINE, LINE * 500, b"\xff\x00" * 3000 + b"\n"])
def test_what_was_packed_is_unpacked_to_the_byte(lines: bytes) -> None:
    assert unpack(pack(LINK, lines)) == lines


def test_a_small_message_takes_a_fraction_of_its_size() -> None:
    assert len(pack(LINK, LINE)) - len(LINK) < len(LINE) // 3


@pytest.mark.parametrize(
    "blob",
    [b"", b"\x02" + PACKED[1:], PACKED[:-1], PACKED + b"x", PACKED[:33], PACKED[:33] + b"\xff\xff", 7, "text", None],
)
def test_a_damaged_blob_is_refused(blob: object) -> None:
    with pytest.raises(Corrupt):
        unpack(blob)


def test_a_message_line_is_a_line_of_a_recording() -> None:
    assert message_line(AT, b'{"clock":true}') == b'{"at":"%b","clock":true}\n' % instant_text(AT).encode()


def test_messages_are_kept_beside_the_last_fact_and_never_beside_a_decision() -> None:
    derived = Event(AT, "core", "d", DayRolled("a", "b"), "c")
    assert placed([TICK, TICK, derived], [message(AT), message(AT + 1)]) == {1: message(AT)[1] + message(AT + 1)[1]}
    assert placed([derived], [message(AT)]) == {0: message(AT)[1]}
    assert placed([TICK], []) == {}


def test_messages_before_a_reset_stay_on_their_day() -> None:
    rolled = Event(AT + 10, "core", "r", DayRolled("a", "b"), "c")
    second = opening("2026-08-20")
    second = Event(AT + 10, second.source, second.key, second.body)
    events = [TICK, rolled, second, Event(AT + 11, "clock", "t", ClockTicked())]
    before, at, after = message(AT + 9), message(AT + 10), message(AT + 11)
    assert placed(events, [before, at, after]) == {0: before[1], 3: at[1] + after[1]}


def test_messages_of_a_day_that_is_left_out_are_left_out() -> None:
    events = [opening(), TICK]
    assert placed(events, [message(events[0].at - 1), message(AT)]) == {1: message(AT)[1]}


def test_pending_messages_are_handed_out_once_up_to_their_time() -> None:
    pending = Pending()
    for at in (AT - 1, AT, AT, AT + 1):
        pending.add(at, b"")
    assert [at for at, _ in pending.of([TICK])] == [AT - 1, AT, AT]
    assert pending.of([TICK]) == []
    assert [at for at, _ in pending.of([TICK, Event(AT + 1, "clock", "c", ClockTicked())])] == [AT + 1]


def test_the_message_of_the_first_fact_waits_for_it_and_not_for_the_opening_of_its_day() -> None:
    pending, opened = Pending(), opening()
    pending.add(opened.at, b"")
    assert pending.of([opened]) == []
    assert len(pending.of([Event(opened.at, "clock", "c", ClockTicked())])) == 1


@pytest.mark.parametrize(
    ("line", "of_the_user"),
    [
        ({"hub": "user", "target": "GatewayUserTrade"}, True),
        ({"hub": "market", "target": "GatewayQuote"}, False),
        ({"rest": "/api/Order/search"}, True),
        ({"rest": "/api/History/retrieveBars"}, False),
        ({"connection": "market", "state": "lost"}, True),
    ],
)
def test_what_is_about_the_account(line: dict[str, object], of_the_user: bool) -> None:
    assert of_user(line) is of_the_user


def test_a_link_hangs_on_the_link_before_on_its_event_and_on_its_lines() -> None:
    whole = linked(NO_LINK, b"e" * 32, LINE)
    assert len(whole) == 32
    assert whole != linked(b"x" * 32, b"e" * 32, LINE)
    assert whole != linked(NO_LINK, b"f" * 32, LINE)
    assert whole != linked(NO_LINK, b"e" * 32, LINE + b" ")
    assert link_of(pack(whole, LINE)) == whole
