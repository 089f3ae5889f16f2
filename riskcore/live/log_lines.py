"""What `riskcore live --log-json` writes: one JSON object a line for everything that happens (operations/metrics.md).

The lines are those of `live --json` with a level; nothing in them is a secret.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from riskcore.audit.happenings import happening, happenings
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.ports import Announcer
from riskcore.schema.rows import Row

INFO, WARNING, CRITICAL, ERROR = "info", "warning", "critical", "error"
_LEVELS = {"breach": CRITICAL, "halt": CRITICAL, "drift": WARNING}


class LogLines(Announcer):
    """Hands everything on to the announcer behind it and writes a line for it; `write` never waits."""

    def __init__(self, behind: Announcer, write: Callable[[str], None], now: Callable[[], int] = time.time_ns) -> None:
        self._behind = behind
        self._write = write
        self._now = now

    def stored(self, events: Sequence[Event], book: Book) -> None:
        self._behind.stored(events, book)
        for row in happenings(events, book):
            self._write(line_of(row))

    def say(self, kind: str, /, **figures: Any) -> None:
        self._behind.say(kind, **figures)
        self._write(line_of(happening(self._now(), kind, **figures)))


def line_of(row: Row) -> str:
    """One line of the log; what happened is as in `live --json`."""
    at, kind, rest = row["at"], row["type"], {key: row[key] for key in row if key not in ("at", "type")}
    return json.dumps({"at": at, "level": level_of(row), "type": kind, **rest}, ensure_ascii=False, default=str)


def level_of(row: Row) -> str:
    """How bad it is. A hub that comes back, and a halt that is over, are news and nothing more."""
    kind = row["type"]
    if row.get("over") is True or (kind == "connection" and row.get("state") == "connected"):
        return INFO
    if kind == "connection":
        return WARNING
    if kind == "outcome":
        return WARNING if row.get("outcome") in ("refused", "unresolved") else INFO
    return _LEVELS.get(kind, kind if kind in (WARNING, ERROR) else INFO)


def said_line(level: str, text: str, **figures: Any) -> str:
    """A warning or an error in words, now."""
    return line_of(happening(time.time_ns(), level, text=text, **figures))
