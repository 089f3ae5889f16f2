"""A wire recording from a bot of your own: what it hears and asks, as lines that `riskcore replay` takes.

Source: INTERFACE.md 4 and 11, docs/guides/recorder.md.
"""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from adapters.topstepx.fields import Number, decode
from adapters.topstepx.rest import is_login
from adapters.topstepx.signalr.codec import LONGEST_RECORD_BYTES, SEPARATOR, Invocation, Unreadable, greeting, read
from adapters.topstepx.wire_text import line_text
from replay.live_recording import LiveRecording
from riskcore.api.arguments import files, texts
from riskcore.core.kinds import CONNECTION_STATES, HUBS, ConnectionState, Hub
from riskcore.core.raw_text import kept_text
from riskcore.errors import CannotWrite, ConfigError
from riskcore.schema.payloads import message_line

_EPOCH, _FIRST, _END = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2000, 2100))
# A name that says that its value is a secret, whatever stands around it: newToken, api_key, X-Api-Key, verifyKey.
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|token|api.?key|verify.?key|authori[sz]ation|cookie", re.IGNORECASE
)
_MOST = 10**1000
# What rules may need (docs/reference/recordings.md).
LACKS = ("orders", "quotes", "positions", "trades", "accounts", "commissions")
_SHOWN_OF_A_LOGIN = ("success", "errorCode")


class Recorder:
    """Writes one wire recording, as a context manager or until `close`. May be fed from several threads.

        with riskcore.Recorder("monday.jsonl.gz", profile="combine-50k") as recorder:
            recorder.connection("user", "connected")
            recorder.rest("/api/Position/searchOpen", {"accountId": 7}, 200, response.content)
            recorder.hub("user", "GatewayUserTrade", arguments)

    A payload is what your client decoded, or JSON as it came (`bytes`, `str`), which keeps every number as it was
    written. `at` is the time of receipt, with a time zone, by default now. Lines are in the order of the calls, and
    time never goes back: an earlier `at` counts as that of the line before. What comes after `close` is passed over.

    Tokens, passwords and API keys are never written: fields that are named like them are left out, of a login only
    whether it worked is kept, and a payload with a token anywhere else is withheld as a whole.

    `path`: an existing file is kept, and the recording gets a number in its name (see `path` of the object); only you
    can read it. `lacks`: what your bot cannot see, such as "orders" or "quotes", so that rules that need it are blind
    and not wrong. Raises CannotWrite when the file cannot be begun. A file that can no longer be written disturbs
    nothing: one warning is logged, and `close` raises CannotWrite. What no JSON can hold is a TypeError; a hub, a state
    or a lack that does not exist, and an `at` without a time zone, a ConfigError.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        profile: str | None = None,
        note: str | None = None,
        lacks: str | Sequence[str] = (),
    ) -> None:
        # A header that nobody can read, or that says less than it should, would show only when the day is over.
        for name, value in (("profile", profile), ("note", note)):
            if value is not None and not isinstance(value, str):
                raise ConfigError(f"{name} {value!r:.40}: must be text")
        for one in texts(lacks):
            _check("lacks", one, LACKS)
        said = {"profile": profile, "note": note, "lacks": list(texts(lacks))}
        header = {name: value for name, value in said.items() if value}
        self._lock = threading.Lock()
        self._broken = ""
        self._begun: dict[Hub, bytes] = {}  # The part of a message that has come so far.
        (where,) = files([path])
        self._recording = LiveRecording(where, header, self._give_up, time.time_ns)

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self._recording.path

    def hub(self, hub: Hub, target: str, arguments: Sequence[Any] | str | bytes, at: datetime | None = None) -> None:
        """A message of a hub: the name of the event, and the list of its arguments."""
        _check("hub", hub, HUBS)
        self._put({"hub": hub, "target": target, "arguments": _plain(arguments)}, at)

    def frame(self, hub: Hub, data: str | bytes, at: datetime | None = None) -> None:
        """SignalR messages as they came from the socket; greetings, pings and completions are passed over.

        A message that is spread over several frames is put together. What is none is written as unreadable, and a
        replay counts it as rejected.
        """
        _check("hub", hub, HUBS)
        *whole, rest = (data.encode() if isinstance(data, str) else data).split(SEPARATOR)
        for record in whole:
            self._record(hub, record, at, ended=True)
        self._record(hub, rest, at, ended=False)

    def rest(self, path: str, request: Any, status: int, response: Any, at: datetime | None = None) -> None:
        """A REST call and its answer: the path or the whole URL, both bodies, and the HTTP status."""
        if not isinstance(status, int):
            raise TypeError(f"an HTTP status of {type(status).__name__}: give the number")
        where = urlsplit(path).path
        asked, answered = _plain(request), _plain(response)
        if is_login(where):
            known = answered if isinstance(answered, dict) else {}
            asked, answered = None, {name: known[name] for name in _SHOWN_OF_A_LOGIN if name in known}
        self._put({"rest": where, "request": asked, "status": status, "response": answered}, at)

    def connection(self, hub: Hub, state: ConnectionState, at: datetime | None = None) -> None:
        """A hub is connected, lost, or silent for so long that what it says is stale."""
        _check("hub", hub, HUBS)
        _check("state", state, CONNECTION_STATES)
        self._cut_off(hub, at)
        self._put({"connection": hub, "state": state}, at)

    def close(self) -> None:
        """Write the end line. Raises CannotWrite if the recording broke off."""
        for hub in HUBS:
            self._cut_off(hub, None)
        with self._lock:
            self._recording.close()
        if self._broken:
            raise CannotWrite(self._broken)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except CannotWrite:
            if kind is None:
                raise

    def _record(self, hub: Hub, record: bytes, at: datetime | None, *, ended: bool) -> None:
        """One record of a frame, or the part of it that has come; `ended`: whether its end was in the frame."""
        begun = self._begun.get(hub, b"")
        if not begun + record:
            return
        message = read(begun + record)
        if begun and isinstance(message, Unreadable) and not isinstance(alone := read(record), Unreadable):
            self._cut_off(hub, at)
            message = alone
        if isinstance(message, Unreadable) and not ended and len(begun + record) <= LONGEST_RECORD_BYTES:
            self._begun[hub] = begun + record
            return
        self._begun.pop(hub, None)
        if isinstance(message, Invocation) and isinstance(message.arguments, list):
            self.hub(hub, str(message.target), message.arguments, at)
        elif isinstance(message, Invocation):
            self._unreadable(hub, "a message without a list of arguments", message.record, at)
        elif isinstance(message, Unreadable) and greeting(record).error is not None:
            self._unreadable(hub, message.reason, begun + record, at)

    def _cut_off(self, hub: Hub, at: datetime | None) -> None:
        """The rest of a message that has begun will not come."""
        begun = self._begun.pop(hub, b"")
        if begun:
            self._unreadable(hub, "the message was cut off", begun, at)

    def _unreadable(self, hub: Hub, why: str, record: bytes, at: datetime | None) -> None:
        self._put({"hub": hub, "unreadable": why, "text": kept_text(record.decode("utf-8", "replace"))}, at)

    def _put(self, line: dict[str, Any], at: datetime | None) -> None:
        text = line_text(line)
        with self._lock:
            recording = self._recording
            received_at = max(recording.last_at, _nanoseconds(at))
            recording.last_at = received_at
            recording.add(message_line(received_at, text))
            recording.flush()

    def _give_up(self, text: str) -> None:
        self._broken = text
        logging.getLogger("riskcore").warning(text)


def _check(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ConfigError(f"{what} {value!r:.40}: there is {', '.join(known)}")


def _nanoseconds(at: datetime | None) -> int:
    if at is None:
        return time.time_ns()
    if at.tzinfo is None or not _FIRST <= at < _END:
        # No reader would take the line, nor those behind it, whose time cannot be earlier.
        raise ConfigError(f"at {at}: give the time of receipt with its time zone, such as datetime.now(UTC)")
    # Whole microseconds: an instant must not pass through a float.
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _plain(payload: Any) -> Any:
    """A payload as plain data without secrets; JSON text is read with its numbers as they were written."""
    if isinstance(payload, str | bytes):
        text = payload.encode() if isinstance(payload, str) else payload
        try:
            payload = decode(text).value
        except ValueError:
            payload = text.decode("utf-8", "replace")
    try:
        return _without_secrets(payload)
    except RecursionError:
        raise TypeError("a payload that is nested too deeply") from None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        named = {str(name): item for name, item in value.items()}
        return {name: _without_secrets(item) for name, item in named.items() if not _SECRET_NAME.search(name)}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    if isinstance(value, Decimal):
        return Number(format(value, "f"))
    if isinstance(value, int) and not -_MOST < value < _MOST:
        raise TypeError("a payload with a number of more than a thousand digits")
    if value is None or isinstance(value, str | int | float | Number):
        return value
    raise TypeError(f"a payload of {type(value).__name__}: give what was decoded from JSON, or its text")
