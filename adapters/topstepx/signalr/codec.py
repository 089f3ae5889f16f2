"""SignalR's JSON protocol, version 1, without any I/O: bytes in, messages out. Source: topstepx/API.md 4.1.

Records end with the byte 0x1E; a frame may hold several, and one may be spread over many frames, so the frames'
bounds mean nothing here. A record that cannot be understood is a message too (`Unreadable`) and costs nothing
else: what the hub says next still counts. Unknown types of messages and unknown fields are passed over, because
a newer server may send them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from adapters.topstepx.fields import Object, decode, encode

SEPARATOR = b"\x1e"
LONGEST_RECORD_BYTES = 16 * 1024 * 1024  # A first snapshot of an order book is large; nothing real is larger.
HANDSHAKE = '{"protocol":"json","version":1}\x1e'
PING = '{"type":6}\x1e'
CLOSE = '{"type":7}\x1e'
_NEWLINE = b"\n"
_SHOWN_CHARACTERS = 200

# Tells which of many records, one a line, are plain: all of them (True), or each one for itself.
Recogniser = Callable[[bytes], list[bool] | bool]


class RecordTooLong(ValueError):
    """More than LONGEST_RECORD_BYTES without an end: this connection cannot be followed any further."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answer to the handshake; `error` says why the server will not talk to us."""

    error: str | None


@dataclass(frozen=True, slots=True)
class Invocation:
    """The server tells something. Its fields as they came, None when absent; the normaliser judges them."""

    target: Any
    arguments: Any
    record: bytes = field(default=b"", compare=False, repr=False)  # As it came.


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to one of our invocations."""

    invocation_id: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Ping:
    """The server is there."""


@dataclass(frozen=True, slots=True)
class Close:
    """The server ends the connection."""

    error: str | None
    allow_reconnect: bool


@dataclass(frozen=True, slots=True)
class PlainRecords:
    """Consecutive records that the recogniser knows, one a line and not decoded yet."""

    lines: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no message: why, and its text."""

    reason: str
    raw: str


Message = Greeting | Invocation | Completion | Ping | Close | PlainRecords | Unreadable


class Codec:
    """What one connection receives. Records that `plain` knows are handed on undecoded, many at once."""

    def __init__(self, plain: Recogniser | None = None) -> None:
        self._plain = plain
        self._greeted = False
        self._parts: list[bytes] = []  # The beginning of a record whose end has not come.
        self._parts_bytes = 0

    def receive(self, data: bytes) -> list[Message]:
        """The messages that are complete with `data`, in order. Raises RecordTooLong, nothing else."""
        end = data.rfind(SEPARATOR) + 1
        self._check_length(len(data) if not end else data.find(SEPARATOR))
        if not end:
            self._keep(data)
            return []
        whole = b"".join((*self._parts, data[:end]))
        self._parts, self._parts_bytes = [], 0
        self._check_length(len(data) - end)
        self._keep(data[end:])
        if self._greeted:
            return self._messages(whole)
        self._greeted = True
        first, _, rest = whole.partition(SEPARATOR)
        return [greeting(first), *self._messages(rest)]

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._parts_bytes += len(part)

    def _check_length(self, more: int) -> None:
        if self._parts_bytes + more > LONGEST_RECORD_BYTES:
            raise RecordTooLong(f"a record of the hub is longer than {LONGEST_RECORD_BYTES} bytes")

    def _messages(self, whole: bytes) -> list[Message]:
        """The messages of records that all have their end."""
        if len(whole) > LONGEST_RECORD_BYTES and max(map(len, whole.split(SEPARATOR))) > LONGEST_RECORD_BYTES:
            raise RecordTooLong(f"a record of the hub is longer than {LONGEST_RECORD_BYTES} bytes")
        if not whole:
            return []
        if self._plain is None or _NEWLINE in whole:
            return _read_all(whole[:-1].split(SEPARATOR))
        lines = whole.replace(SEPARATOR, _NEWLINE)
        plain = self._plain(lines)
        if plain is True:
            return [PlainRecords(lines)]
        records = lines[:-1].split(_NEWLINE)
        if plain is False:
            return _read_all(records)
        messages: list[Message] = []
        start = 0
        for is_plain, group in groupby(plain):
            end = start + len(list(group))
            if is_plain:
                messages.append(PlainRecords(_NEWLINE.join(records[start:end]) + _NEWLINE))
            else:
                messages += _read_all(records[start:end])
            start = end
        return messages


def _read_all(records: list[bytes]) -> list[Message]:
    return [message for record in records if (message := read(record)) is not None]


def greeting(record: bytes) -> Greeting:
    """The first record of a connection."""
    try:
        value = decode(record).value
    except ValueError:
        value = None
    if not isinstance(value, dict) or "type" in value:
        return Greeting(f"the server did not answer the handshake but sent {_text(record)[:_SHOWN_CHARACTERS]!r}")
    return Greeting(_error(value))


def read(record: bytes) -> Message | None:
    """The message of one record without its end; None for one of a type that has no meaning for us."""
    try:
        decoded = decode(record)
    except ValueError as error:
        return Unreadable(str(error), _text(record))
    value = decoded.value
    if not isinstance(value, dict):
        return Unreadable("not an object", _text(record))
    if decoded.repeated is not None:
        return Unreadable(f"the key {decoded.repeated[:40]!r} comes twice", _text(record))
    return _of_type(value, record)


def _of_type(value: Object, record: bytes) -> Message | None:
    kind = value.get("type")
    if type(kind) is not int:
        return Unreadable("type is not a whole number", _text(record))
    error = _error(value)
    match kind:
        case 1:
            return Invocation(value.get("target"), value.get("arguments"), record)
        case 3:
            invocation_id = value.get("invocationId")
            if not isinstance(invocation_id, str):
                return Unreadable("a completion without its invocationId", _text(record))
            return Completion(invocation_id, error)
        case 6:
            return Ping()
        case 7:
            return Close(error, value.get("allowReconnect") is True)
        case _:
            return None  # Streams (2, 4, 5), of which we ask for none, and whatever is yet to be invented.


def _text(record: bytes) -> str:
    return record.decode("utf-8", "replace")


def _error(value: Object) -> str | None:
    error = value.get("error")
    if error is None:
        return None
    text = error if isinstance(error, str) else "an error that is no text"
    return text[:_SHOWN_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def invocation(invocation_id: str, target: str, arguments: tuple[int | str, ...]) -> str:
    """A call of a hub method, its end included, whose completion will carry `invocation_id`."""
    called = {"type": 1, "invocationId": invocation_id, "target": target, "arguments": list(arguments)}
    return encode(called) + SEPARATOR.decode()
