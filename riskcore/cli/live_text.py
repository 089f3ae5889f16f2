"""Happenings as `riskcore live` prints them: plain lines for people, one JSON object a line for programs.

Printing never stops the engine: when whoever reads is slow or has gone, guarding goes on without it.
"""

import atexit
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from riskcore.audit.happenings import happening, happenings
from riskcore.cli.replay_text import command_words, short
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.ports import Clock

if TYPE_CHECKING:
    from riskcore.cli.screen.screen import LiveScreen

Row = dict[str, Any]
Words = Callable[[Mapping[str, Any]], str]
TYPE_WIDTH = 10
MOST_WAITING = 10_000  # Lines that wait for a slow reader.
CLOSE_SECONDS = 2.0
_NEVER_QUIET = ("ready", "breach", "lockout", "settings", "halt")
# Snapshots are asked for all the time; only what went wrong with one is worth a line.
_QUIET_KIND, _QUIET_OUTCOMES = "takeSnapshot", ("accepted", "confirmed", "superseded")
_SHOWN_APART = ("at", "type", "account", "account_name", "text")


def line_of(row: Mapping[str, Any]) -> str:
    """One happening as an aligned line: when, what kind, which account, and what."""
    who = f"{account_words(row)}  " if "account" in row else ""
    return f"{to_milliseconds(row['at'])}  {row['type']:<{TYPE_WIDTH}}  {who}{words_of(row)}"


def to_milliseconds(at: str) -> str:
    """An instant as lines show it, all equally long: 2026-11-20 16:00:00.250Z. JSON has every digit."""
    seconds, _, fraction = at.removesuffix("Z").replace("T", " ").partition(".")
    return f"{seconds}.{fraction[:3]:<03}Z"


def account_words(row: Mapping[str, Any]) -> str:
    """An account as people know it: by name, else by id."""
    return str(row.get("account_name") or row.get("account", ""))


def words_of(row: Mapping[str, Any]) -> str:
    """What happened, without time, kind and account; a happening of another shape is told by the fields it has."""
    try:
        return _WORDS.get(row["type"], _other)(row)
    except KeyError:
        return _other(row)


def is_worth_a_line(row: Mapping[str, Any]) -> bool:
    """Whether people want to read it; programs get everything.

    A lockout says better than its SetLockout what is in force, and snapshots come by themselves.
    """
    if row["type"] == "command":
        return row.get("kind") not in ("SetLockout", "ConfirmFlat")
    if row["type"] == "request":
        return row.get("kind") != _QUIET_KIND
    if row["type"] == "outcome":
        return row.get("kind") != _QUIET_KIND or row.get("outcome") not in _QUIET_OUTCOMES
    return True


# ---- words of each kind ------------------------------------------------------------------------------


def _breach(row: Mapping[str, Any]) -> str:
    figures = "  ".join(f"{name} {value}" for name, value in row["figures"].items())
    flags = f"  [{', '.join(row['flags'])}]" if row.get("flags") else ""
    return "  ".join(part for part in (f"{row['rule']} breached", row.get("contract"), figures) if part) + flags


def _command(row: Mapping[str, Any]) -> str:
    return command_words({"contract": None, "price": None, **row})


def _request(row: Mapping[str, Any]) -> str:
    about = [row.get("kind", row["id"]), row.get("side"), row.get("size"), row.get("price")]
    about += [f"order {row['order']}" if "order" in row else row.get("contract")]
    about += [f"attempt {row['attempt']}" if row.get("attempt", 1) > 1 else None]
    return " ".join(str(part) for part in about if part is not None)


def _outcome(row: Mapping[str, Any]) -> str:
    if row["outcome"] == "met":
        return "stayed flat" if row["kind"] == "ConfirmFlat" else f"met: {row['kind']}"
    if row["outcome"] == "declined":
        return f"declined: {row['reason']}"
    reason = f": {row['reason']}" if row.get("reason") else ""
    return f"{row['outcome']}: {_request(row)}{reason}"


def _lockout(row: Mapping[str, Any]) -> str:
    about = f"{row['scope']} by {row['rule']}"
    if row["change"] == "ended":
        return f"ended: {about} ({row['ended_by']})"
    until = f"until {short(row['expires_at'])}" if row.get("expires_at") else "until released"
    text = f": {row['text']}" if row.get("text") else ""
    return f"locked: {about}, {until}{text}"


def _connection(row: Mapping[str, Any]) -> str:
    if "mode" in row:
        return f"the accounts are now seen by {row['mode']}"
    return f"the {row['hub']} hub is {row['state']}"


def _ready(row: Mapping[str, Any]) -> str:
    accounts = _value(row["accounts"]) or "none"
    does = "enforcing" if row["enforces"] else "deciding only, sending nothing"
    if row.get("rules") == 0:
        does = "recording only, no rule is switched on"
    return f"{does}; accounts {accounts}"


def _settings(row: Mapping[str, Any]) -> str:
    parts = [f"from now on: {_value(row['now'])}"] if row["now"] else []
    if row["at_reset"]:
        waits = "never, as loosen_policy says" if row.get("policy") == "never" else "from the next reset"
        parts.append(f"{waits}: {_value(row['at_reset'])} (it loosens)")
    return f"edited; {'; '.join(parts)}"


def _halt(row: Mapping[str, Any]) -> str:
    missed = row.get("not_stored")
    parts = [row["text"], row.get("reason")]
    parts += [f"{missed} messages meanwhile were not stored: the broker's lists tell them again" if missed else None]
    return ": ".join(part for part in parts if part)


def _drift(row: Mapping[str, Any]) -> str:
    return f"{row['contract']}: {row['text']}" if "contract" in row else _other(row)


def _other(row: Mapping[str, Any]) -> str:
    """A happening of the engine itself (ready, halt): its text, then its other figures."""
    figures = [f"{name} {_value(value)}" for name, value in row.items() if name not in _SHOWN_APART]
    text = [str(row["text"])] if "text" in row else []
    return "  ".join(text + figures)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


_WORDS: dict[str, Words] = {
    "breach": _breach,
    "command": _command,
    "request": _request,
    "outcome": _outcome,
    "lockout": _lockout,
    "connection": _connection,
    "drift": _drift,
    "settings": _settings,
    "ready": _ready,
    "halt": _halt,
}


# ---- printing ----------------------------------------------------------------------------------------


class Printer:
    """The Announcer of `riskcore live`: lines, JSON lines, or a screen where there is a terminal for it.

    quiet: only what a trader must not miss. `close` lets what waits be written; it is called at exit by itself.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        as_json: bool = False,
        quiet: bool = False,
        screen: bool = False,
        mode: str = "",
        stream: TextIO | None = None,
    ) -> None:
        self._clock = clock
        self._as_json = as_json
        self._quiet = quiet
        self._screen: LiveScreen | None = None
        self._outlet: Outlet | None = None
        if screen and not as_json and screen_possible():
            from riskcore.cli.screen import screen as drawing

            self._screen = drawing.LiveScreen(mode=mode)
            self._screen.__enter__()
        else:
            self._outlet = Outlet(stream or sys.stdout)
        atexit.register(self.close)

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """Tell what is worth telling of events that have just been stored."""
        for row in happenings(events, book):
            self._tell(row)
        if self._screen is not None:
            self._screen.refresh_soon(book, self._clock.now())

    def say(self, kind: str, /, **figures: Any) -> None:
        """A happening of the engine itself, now."""
        self._tell(happening(self._clock.now(), kind, **figures))

    def close(self) -> None:
        """Write what waits, for as long as somebody reads; give the terminal back."""
        atexit.unregister(self.close)
        if self._screen is not None:
            self._screen.__exit__(None, None, None)
            self._screen = None
        if self._outlet is not None:
            self._outlet.close()

    def _tell(self, row: Row) -> None:
        if self._screen is not None:
            self._screen.tell([row])
        elif self._outlet is None:
            return
        elif self._as_json:
            self._outlet.write(json.dumps(row, ensure_ascii=False, default=str))
        elif is_worth_a_line(row) and (not self._quiet or row["type"] in _NEVER_QUIET):
            self._outlet.write(line_of(row))


def screen_possible() -> bool:
    """Whether somebody sits in front of a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"


class Outlet:
    """Lines written by a thread of its own: a reader that pauses or has gone must not hold up an engine.

    When too many lines wait, further ones are dropped; the journal has them all.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: Queue[str | None] = Queue(MOST_WAITING)
        self._thread = Thread(target=self._write, name="printing", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Hand over one line; never waits."""
        with suppress(Full):
            self._lines.put_nowait(line)

    def close(self) -> None:
        """Wait a little for what was handed over to be written."""
        with suppress(Full):
            self._lines.put_nowait(None)
        self._thread.join(CLOSE_SECONDS)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody reads any more, or the terminal is gone: the rest is not printed.
                return
