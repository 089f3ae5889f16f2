"""Happenings as `riskcore live` prints them: plain lines for people, one JSON object a line for programs.

Printing never stops the engine: if the reader is slow or has gone, guarding continues without it.
"""

import atexit
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOBase
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from riskcore.audit.happening_words import is_worth_a_line, line_of
from riskcore.audit.happenings import happening, happenings
from riskcore.cli.print_text import in_zone, pieces, zone_line
from riskcore.cli.screen.words import CLOSE_SECONDS
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.ports import Clock

if TYPE_CHECKING:
    from riskcore.cli.screen.screen import LiveScreen

Row = dict[str, Any]
MOST_WAITING = 10_000  # Lines that wait for a slow reader.
_NEVER_QUIET = ("ready", "breach", "lockout", "settings", "halt", "pause", "clock")


class Printer:
    """The Announcer of `riskcore live`: lines, JSON lines, or a screen (one that nobody has entered yet).

    quiet: only what a trader must not miss. `close` lets what waits be written; it is called at exit by itself.
    `log` gets every line that people want to read, whatever is shown, in UTC; who opened it closes it. Lines that are
    printed are in `zone`, which is named in front of the first one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        as_json: bool = False,
        quiet: bool = False,
        screen: "LiveScreen | None" = None,
        stream: TextIO | None = None,
        log: "Outlet | None" = None,
        zone: str = "",
    ) -> None:
        self._log = log
        self._clock = clock
        self._as_json = as_json
        self._quiet = quiet
        self._screen = screen
        self._zone = "" if as_json else zone
        self._zone_told = False
        self._outlet: Outlet | None = None
        if screen is None:
            self._outlet = Outlet(stream or sys.stdout)
        else:
            screen.__enter__()
        atexit.register(self.close)

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """Print what is worth printing of events that have just been stored. A screen reads them in the journal."""
        if self._screen is None or self._log is not None:
            for row in happenings(events, book):
                self._note(row)
                if self._screen is None:
                    self._tell(row)

    def say(self, kind: str, /, **figures: Any) -> None:
        """A happening of the engine itself, now."""
        row = happening(self._clock.now(), kind, **figures)
        self._note(row)
        self._tell(row)

    def close(self) -> None:
        """Write what waits, for as long as somebody reads; give the terminal back."""
        atexit.unregister(self.close)
        if self._screen is not None:
            self._screen.__exit__(None, None, None)
            self._screen = None
        if self._outlet is not None:
            self._outlet.close()

    def _note(self, row: Row) -> None:
        if self._log is not None and is_worth_a_line(row):
            self._log.write(line_of(row))

    def _tell(self, row: Row) -> None:
        if self._screen is not None:
            self._screen.say(row)
        elif self._outlet is None:
            return
        elif self._as_json:
            self._outlet.write(json.dumps(row, ensure_ascii=False, default=str))
        elif is_worth_a_line(row) and (not self._quiet or row["type"] in _NEVER_QUIET):
            line = pieces(in_zone(line_of(row), self._zone))
            if self._zone and not self._zone_told:
                # Not before the first happening: as soon as a line is read, somebody may stop the run.
                line, self._zone_told = f"{zone_line(self._zone)}\n{line}", True
            self._outlet.write(line)


def screen_possible() -> bool:
    """Whether somebody sits in front of a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"


class Outlet:
    """Lines written by a thread of its own: a reader that pauses or has gone must not hold up an engine.

    When too many lines wait, further ones are dropped; the journal has them all.
    """

    def __init__(self, stream: TextIO | TextIOBase) -> None:
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
                # The reader or the terminal has gone: the rest is not printed.
                return
