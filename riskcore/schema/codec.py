"""Events and books as canonical JSON bytes, and back: the one encoder and the one decoder of every reader.

Canonical means: compact JSON, fields in the order of their declaration, mappings in their own order. That
order carries meaning (the positions of an account are handled in the order they were first seen), so it is
kept and never sorted; only `state_hash` sorts, because two books that know the same are the same state.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.errors import Corrupt, InvariantBroken
from riskcore.schema.instants import instant_ns, instant_text
from riskcore.schema.registry import current_version, resolve, topic_of, upcast

Data = TypeVar("Data")
NOT_DECODED = (msgspec.MsgspecError, RecursionError, ValueError)


class Envelope(msgspec.Struct, Generic[Data], gc=False):
    """One stored event, field by field as in the bytes; the hash is added by the chain."""

    seq: int
    type: str
    v: int
    at: str
    source: str
    key: str
    cause: str
    data: Data


_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_stored_as: dict[type, tuple[str, str, int]] = {}  # Body class -> topic, name, version.
_decode_book = msgspec.json.Decoder(Book).decode


@cache
def _decoder(topic: str) -> Callable[[bytes], Envelope[Any]]:
    name, version, body = resolve(topic)
    if version == current_version(name):
        return msgspec.json.Decoder(Envelope[body]).decode  # type: ignore[valid-type]
    decode = msgspec.json.Decoder(Envelope[dict[str, Any]]).decode

    def decode_older(line: bytes) -> Envelope[Any]:
        envelope: Envelope[Any] = decode(line)
        envelope.data = msgspec.convert(upcast(name, version, envelope.data), body)
        return envelope

    return decode_older


def encode_event(seq: int, event: Event) -> tuple[str, bytes]:
    """The topic and the canonical bytes of one stored event, without its hash.

    Raises InvariantBroken for what no JSON can hold: a lone surrogate, an instant outside the calendar.
    """
    body = event.body
    stored_as = _stored_as.get(body.__class__)
    if stored_as is None:
        topic = topic_of(body.__class__)
        stored_as = _stored_as[body.__class__] = (topic, *resolve(topic)[:2])
    topic, name, version = stored_as
    try:
        at = instant_text(event.at)
        return topic, _encode(Envelope(seq, name, version, at, event.source, event.key, event.cause, body))
    except (OverflowError, ValueError, TypeError) as error:
        raise InvariantBroken(f"{name} {event.key[:60]!r} cannot be stored: {error}") from error


def decode_event(topic: str, line: bytes) -> tuple[int, Event]:
    """Sequence number and event of canonical bytes stored under `topic`. Raises Corrupt."""
    try:
        envelope = _decoder(topic)(line)
        at = instant_ns(envelope.at)
    except NOT_DECODED as error:
        raise Corrupt(f"not a {topic.partition('.')[0][:60]} event: {str(error)[:120]}") from error
    if f"{envelope.type}.{envelope.v}" != topic:
        raise Corrupt(f"stored as {topic[:60]} but says {envelope.type[:60]}.{envelope.v}")
    return envelope.seq, Event(at, envelope.source, envelope.key, envelope.data, envelope.cause)


def state_bytes(book: Book) -> bytes:
    """The whole book as bytes from which `book_from_bytes` makes an equal one, order of mappings included."""
    return _encode(book)


def book_from_bytes(data: bytes) -> Book:
    """The book of `state_bytes`. Raises Corrupt."""
    try:
        return _decode_book(data)
    except NOT_DECODED as error:
        raise Corrupt(f"not a stored state: {str(error)[:120]}") from error


def state_hash(book: Book) -> str:
    """SHA-256 (hexadecimal) of all a book knows, whatever order it learned it in."""
    return hashlib.sha256(_encode_sorted(msgspec.to_builtins(book, str_keys=True))).hexdigest()
