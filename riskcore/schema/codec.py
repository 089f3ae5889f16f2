"""Events and books as canonical JSON bytes, and back: the one encoder and the one decoder of every reader.

The canonical bytes of an event, those that are stored and hashed, are a compact JSON array without its hash:
[seq, type, v, at in nanoseconds, source, key, cause, data]. A line of an export says the same as an object
with `at` as text; `export_line` and `read_line` turn one into the other. The array is a quarter shorter, and
a rebuild that reads a hundred thousand of them parses no dates.

Canonical means: fields in the order of their declaration, mappings in their own order. That order carries
meaning (the positions of an account are handled in the order they were first seen), so it is kept and never
sorted; only `state_hash` sorts, because two books that know the same are the same state.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from riskcore.core.events import Event
from riskcore.core.kinds import Source, Word
from riskcore.core.state import Book
from riskcore.errors import Corrupt, InvariantBroken
from riskcore.schema.instants import FIRST_NS, LAST_NS, instant_ns, instant_text
from riskcore.schema.registry import current_version, resolve, topic_of, upcast

Data = TypeVar("Data")
NOT_DECODED = (msgspec.MsgspecError, RecursionError, ValueError)


class Envelope(msgspec.Struct, Generic[Data], array_like=True, gc=False):
    """The canonical form of one stored event."""

    seq: int
    type: str
    v: int
    at: int
    source: Word[Source]
    key: str
    cause: str
    data: Data


class _Line(msgspec.Struct, gc=False):
    """One event as a line of an export."""

    seq: int
    type: str
    v: int
    at: str
    source: Word[Source]
    key: str
    cause: str
    data: msgspec.Raw
    hash: str


_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_decode_any = msgspec.json.Decoder(Envelope[msgspec.Raw]).decode
_decode_line = msgspec.json.Decoder(_Line).decode
_stored_as: dict[type, tuple[str, str, int]] = {}  # Body class -> topic, name, version.
_decode_book = msgspec.json.Decoder(Book).decode


@cache
def _decoder(topic: str) -> tuple[str, int, Callable[[bytes], Envelope[Any]]]:
    name, version, body = resolve(topic)
    if version == current_version(name):
        return name, version, msgspec.json.Decoder(Envelope[body]).decode  # type: ignore[valid-type]
    decode = msgspec.json.Decoder(Envelope[dict[str, Any]]).decode

    def decode_older(line: bytes) -> Envelope[Any]:
        envelope: Envelope[Any] = decode(line)
        envelope.data = msgspec.convert(upcast(name, version, envelope.data), body, str_keys=True)
        return envelope

    return name, version, decode_older


def encode_event(seq: int, event: Event) -> tuple[str, bytes]:
    """The topic and the canonical bytes of one event.

    Raises InvariantBroken for what cannot be stored: a lone surrogate, an instant outside the years 1 to 9999.
    """
    stored_as = _stored_as.get(event.body.__class__)
    if stored_as is None:
        topic = topic_of(event.body.__class__)
        stored_as = _stored_as[event.body.__class__] = (topic, *resolve(topic)[:2])
    topic, name, version = stored_as
    at = event.at
    try:
        if not FIRST_NS <= at <= LAST_NS:
            raise ValueError(f"instant {at} lies outside the calendar")
        return topic, _encode(Envelope(seq, name, version, at, event.source, event.key, event.cause, event.body))
    except (ValueError, TypeError) as error:
        raise InvariantBroken(f"{name} {event.key[:60]!r} cannot be stored: {error}") from error


def decode_event(topic: str, canonical: bytes) -> tuple[int, Event]:
    """Sequence number and event of canonical bytes stored under `topic`. Raises Corrupt."""
    name, version, decode = _decoder(topic)
    try:
        envelope = decode(canonical)
    except NOT_DECODED as error:
        raise Corrupt(f"not a {name} event: {str(error)[:120]}") from error
    if envelope.type != name or envelope.v != version:
        raise Corrupt(f"stored as {topic} but says {envelope.type[:60]}.{envelope.v}")
    return envelope.seq, Event(envelope.at, envelope.source, envelope.key, envelope.data, envelope.cause)


def export_line(canonical: bytes, digest: bytes) -> bytes:
    """Canonical bytes and hash of an event as a line of an export."""
    stored = _decode_any(canonical)
    return (
        _encode(
            _Line(
                stored.seq,
                stored.type,
                stored.v,
                instant_text(stored.at),
                stored.source,
                stored.key,
                stored.cause,
                stored.data,
                digest.hex(),
            )
        )
        + b"\n"
    )


def read_line(line: bytes) -> tuple[str, bytes, bytes]:
    """Topic, canonical bytes and hash of a line; the exact reverse of `export_line`. Raises Corrupt."""
    try:
        said = _decode_line(line)
        at, digest = instant_ns(said.at), bytes.fromhex(said.hash)
    except NOT_DECODED as error:
        raise Corrupt(f"not a stored event: {str(error)[:120]}") from error
    # Spaces, other key order, fields too many: nothing our writers write, and nothing the hash would cover.
    if _encode(said) + b"\n" != line or digest.hex() != said.hash:
        raise Corrupt("not written as riskcore writes it: edited")
    canonical = _encode(Envelope(said.seq, said.type, said.v, at, said.source, said.key, said.cause, said.data))
    return f"{said.type}.{said.v}", canonical, digest


def state_bytes(book: Book) -> bytes:
    """The whole book as bytes from which `book_from_bytes` makes an equal one, order of mappings included."""
    return _encode(book)


# Every field of a book has a default, so that without this any object would be read as an empty one.
_FIRST_OF_A_STATE = b'{"profile":'


def book_from_bytes(data: bytes) -> Book:
    """The book of `state_bytes`. Raises Corrupt."""
    if not data.startswith(_FIRST_OF_A_STATE):
        raise Corrupt("not a stored state: it does not begin like one")
    try:
        return _decode_book(data)
    except NOT_DECODED as error:
        raise Corrupt(f"not a stored state: {str(error)[:120]}") from error


def state_hash(book: Book) -> str:
    """SHA-256 (hexadecimal) of all a book knows, whatever order it learned it in."""
    return hashlib.sha256(_encode_sorted(msgspec.to_builtins(book, str_keys=True))).hexdigest()
