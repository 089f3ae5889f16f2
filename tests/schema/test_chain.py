from hashlib import sha256

import pytest

from riskcore.core.events import ClockTicked, Event, TradingDayOpened
from riskcore.errors import Corrupt, OutOfSequence
from riskcore.schema.chain import Head, digest_of, head_of, link
from riskcore.schema.codec import decode_event
from tests.schema.examples import AT, opening

TICK = Event(AT, "clock", "tick", ClockTicked())


def test_each_hash_covers_the_one_before_and_the_canonical_bytes() -> None:
    digest = b""
    for position, (stream, seq, _, state) in enumerate(link("p", Head(), [opening(), TICK, TICK]), 1):
        digest = sha256(digest + state[32:]).digest()
        assert (stream, seq, state[:32]) == ("p/2026-08-19", position, digest)


def test_a_new_day_starts_at_one_and_hangs_on_the_day_before() -> None:
    links = link("p", Head(), [opening(), TICK, opening("2026-08-20"), TICK])
    assert [(stream, seq) for stream, seq, _, _ in links] == [
        ("p/2026-08-19", 1),
        ("p/2026-08-19", 2),
        ("p/2026-08-20", 1),
        ("p/2026-08-20", 2),
    ]
    last_of_the_first = links[1][3][:32]
    _, event = decode_event(links[2][2], links[2][3][32:])
    assert isinstance(event.body, TradingDayOpened)
    assert event.body.previous_hash == last_of_the_first.hex()
    assert links[2][3][:32] == sha256(last_of_the_first + links[2][3][32:]).digest()


def test_parts_give_the_same_chain_as_the_whole() -> None:
    events = [opening(), TICK, TICK, opening("2026-08-20"), TICK]
    whole = link("p", Head(), events)
    for cut in range(1, len(events)):
        first = link("p", Head(), events[:cut])
        assert first + link("p", head_of(first[-1]), events[cut:]) == whole


def test_without_a_head_the_first_day_says_on_what_it_hangs() -> None:
    before = "ab" * 32
    links = link("p", None, [opening(previous_hash=before)])
    assert links[0][3][:32] == sha256(bytes.fromhex(before) + links[0][3][32:]).digest()
    with pytest.raises(OutOfSequence, match="another chain"):
        link("p", Head(), [opening(previous_hash=before)])


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([TICK], "before any trading day"),
        ([opening(profile="q")], "a day of profile q"),
        ([opening(), opening()], "days go forward"),
        ([opening(), opening("2026-08-18")], "days go forward"),
        ([opening(), opening("2026-08-20", previous_hash="ab" * 32)], "another chain"),
    ],
)
def test_what_does_not_continue_the_chain(events: list[Event], message: str) -> None:
    with pytest.raises(OutOfSequence, match=message):
        link("p", Head(), events)


@pytest.mark.parametrize("text", ["zz", "ab", "AB" * 32, "ab" * 31, "ab" * 33, " " + "ab" * 32])
def test_what_is_no_hash(text: str) -> None:
    assert digest_of("") == b""
    assert digest_of("ab" * 32) == b"\xab" * 32
    with pytest.raises(Corrupt, match="not a hash"):
        digest_of(text)
