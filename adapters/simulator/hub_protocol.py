"""SignalR's JSON protocol as a server speaks it, without a socket. Source: topstepx/API.md 4.1.

A record is one JSON object, closed by RECORD_SEPARATOR. Numbers of a payload are written as its objects spell them
(adapters.topstepx.fields), because the broker itself prints one value in several ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.topstepx.fields import Object, decode, encode

RECORD_SEPARATOR = "\x1e"
PING = '{"type":6}'
HANDSHAKE_ACCEPTED = "{}"

INVOCATION, COMPLETION, CLOSE = 1, 3, 7
_VERSION = 1


class Unreadable(ValueError):
    """A client said something that is no record of the protocol; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A method called by the client. Without `id` it wants no completion."""

    target: str
    arguments: Sequence[Any]
    id: str | None


class Records:
    """Cuts what a client sends into records: a frame may hold several, a record may span frames."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, frame: str) -> list[str]:
        """The records that are complete now."""
        *complete, self._rest = (self._rest + frame).split(RECORD_SEPARATOR)
        return complete


def handshake_error(record: str) -> str | None:
    """What is wrong with the client's first record, None when it is accepted."""
    try:
        wanted = _object(record)
    except Unreadable as error:
        return f"Error parsing handshake: {error}"
    if wanted.get("protocol") != "json":
        return f"The protocol '{wanted.get('protocol')}' is not supported."
    if wanted.get("version") != _VERSION:
        return f"The server does not support version {encode(wanted.get('version'))} of the 'json' protocol."
    return None


def read(record: str) -> Invocation | int:
    """The invocation a record is, or the type of any other message. Raises Unreadable."""
    message = _object(record)
    kind = message.get("type")
    if type(kind) is not int:
        raise Unreadable("a message has no type")
    if kind != INVOCATION:
        return kind
    target, arguments, id = message.get("target"), message.get("arguments"), message.get("invocationId")
    if not isinstance(target, str) or not isinstance(arguments, list):
        raise Unreadable("an invocation needs a target and arguments")
    return Invocation(target, arguments, id if isinstance(id, str) else None)


def invocation(target: str, arguments: Sequence[Any]) -> str:
    """An event for the client."""
    return encode({"type": INVOCATION, "target": target, "arguments": list(arguments)})


def completion(id: str, error: str | None = None) -> str:
    """The answer to an invocation; `error` is the only sign of a failed subscription there is."""
    answer: Object = {"type": COMPLETION, "invocationId": id}
    return encode({**answer, "result": None} if error is None else {**answer, "error": error})


def close(error: str | None = None, *, allow_reconnect: bool = True) -> str:
    """The last record of a connection that the server ends."""
    said: Object = {} if error is None else {"error": error}
    return encode({"type": CLOSE, **said, "allowReconnect": allow_reconnect})


def refuse_handshake(error: str) -> str:
    return encode({"error": error})


def _object(record: str) -> Object:
    try:
        value = decode(record.encode("utf-8", "replace")).value
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if not isinstance(value, dict):
        raise Unreadable("a record is no object")
    return value
