"""The hash chain over stored events: hash_n = SHA-256(hash_n-1 as 32 bytes, canonical bytes of event n).

The first link of a day hangs on the last hash of the day before, which its TradingDayOpened names; the very
first one hangs on nothing. An edited, missing, added or moved event breaks it. Source: DESIGN.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from riskcore.core.events import Event, QuotesObserved, TradingDayOpened
from riskcore.errors import Corrupt, OutOfSequence
from riskcore.schema.codec import encode_event

Link = tuple[str, int, str, bytes]  # stream, seq, topic, hash followed by canonical bytes: what a store keeps
HASH_LENGTH = 32
OPENING, QUOTES = TradingDayOpened.__name__, QuotesObserved.__name__


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: its last event. An empty stream: there is none yet."""

    stream: str = ""
    seq: int = 0
    digest: bytes = b""


def stream_of(profile: str, trade_date: str) -> str:
    """The name of the stream of one day; names of one profile sort as the days do."""
    return f"{profile}/{trade_date}"


def head_of(last: Link) -> Head:
    """Where the chain stands after its last link."""
    return Head(last[0], last[1], last[3][:HASH_LENGTH])


def digest_of(text: str) -> bytes:
    """The bytes of a hash given as text: 64 hexadecimal digits, or none. Raises Corrupt."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b"?"
    if digest.hex() != text or len(digest) not in (0, HASH_LENGTH):
        raise Corrupt(f"not a hash: {text[:70]!r}")
    return digest


def link(profile: str, head: Head | None, events: Iterable[Event]) -> list[Link]:
    """`events` as links that continue the chain of `profile` after `head` (None: wherever the first day says).

    An opening event without a previous hash gets the one of the chain: only who stores can know it.
    Raises OutOfSequence for an event without an open day, another profile's day, a day that is not later
    than the one before, or a previous hash that is not the chain's.
    """
    links: list[Link] = []
    stream, seq, digest = (head.stream, head.seq, head.digest) if head else ("", 0, b"")
    for event in events:
        body = event.body
        if isinstance(body, TradingDayOpened):
            anchor = digest if head is not None or links else digest_of(body.previous_hash)
            opened = stream_of(profile, body.day.trade_date)
            if stream_of(body.profile, body.day.trade_date) != opened:
                raise OutOfSequence(f"a day of profile {body.profile} cannot go into the journal of {profile}")
            if opened <= stream:
                raise OutOfSequence(f"{opened} cannot be opened after {stream}: days go forward")
            if body.previous_hash not in ("", anchor.hex()):
                raise OutOfSequence(f"{opened} was opened on another chain than the stored one")
            event = replace(event, body=replace(body, previous_hash=anchor.hex()))
            stream, seq, digest = opened, 0, anchor
        elif not stream:
            raise OutOfSequence(f"profile {profile}: {event.key} comes before any trading day was opened")
        seq += 1
        topic, canonical = encode_event(seq, event)
        digest = sha256(digest + canonical).digest()
        links.append((stream, seq, topic, digest + canonical))
    return links
