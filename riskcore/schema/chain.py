"""The hash chain over stored events: hash_n = SHA-256(hash_n-1 as 32 bytes, canonical bytes of event n).

The first link of a day hangs on the last hash of the day before, which its TradingDayOpened names; the very
first one hangs on nothing. An edited, missing, added or moved event breaks it. Source: DESIGN.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from riskcore.core.events import Event, TradingDayOpened
from riskcore.errors import Corrupt, OutOfSequence
from riskcore.schema.codec import encode_event
from riskcore.schema.registry import topic_of

Link = tuple[str, int, str, bytes, bytes]  # trade date, seq, topic, hash, canonical bytes
OPENING = TradingDayOpened.__name__


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: the last event stored. An empty trade date: nothing is stored yet."""

    trade_date: str = ""
    seq: int = 0
    digest: bytes = b""


def digest_of(text: str) -> bytes:
    """The bytes of a hash given as text: 64 hexadecimal digits, or none. Raises Corrupt."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b"?"
    if digest.hex() != text or len(digest) not in (0, 32):
        raise Corrupt(f"not a hash: {text[:70]!r}")
    return digest


def link(profile: str, head: Head | None, events: Iterable[Event]) -> list[Link]:
    """`events` as links that continue the chain of `profile` after `head` (None: wherever the first day says).

    An opening event without a previous hash gets the one of the chain: only who stores can know it.
    Raises OutOfSequence for an event without an open day, another profile's day, a day that is not later
    than the one before, or a previous hash that is not the chain's.
    """
    links: list[Link] = []
    trade_date, seq, digest = (head.trade_date, head.seq, head.digest) if head else ("", 0, b"")
    for event in events:
        body = event.body
        if body.__class__ is TradingDayOpened:
            anchored = head is not None or bool(links)
            event, trade_date, digest = _open_day(profile, trade_date, digest if anchored else None, event, body)
            seq = 0
        elif not trade_date:
            raise OutOfSequence(f"profile {profile}: {event.key} comes before any trading day was opened")
        seq += 1
        line = encode_event(seq, event)
        digest = sha256(digest + line).digest()
        links.append((trade_date, seq, topic_of(body.__class__), digest, line))
    return links


def _open_day(
    profile: str, last_date: str, digest: bytes | None, event: Event, opened: TradingDayOpened
) -> tuple[Event, str, bytes]:
    trade_date = opened.day.trade_date
    if opened.profile != profile:
        raise OutOfSequence(f"a day of profile {opened.profile} cannot go into the journal of {profile}")
    if trade_date <= last_date:
        raise OutOfSequence(f"profile {profile}: day {trade_date} cannot follow {last_date}, days go forward")
    if opened.previous_hash or digest is None:
        digest = digest_of(opened.previous_hash) if digest is None else digest
        if digest.hex() != opened.previous_hash:
            raise OutOfSequence(f"profile {profile}: day {trade_date} was opened on another chain than the stored one")
        return event, trade_date, digest
    return replace(event, body=replace(opened, previous_hash=digest.hex())), trade_date, digest
