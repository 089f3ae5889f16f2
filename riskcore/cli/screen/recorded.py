"""What a view has from the day's events: read by a thread of its own, so that no long day holds up the drawing."""

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from adapters.web.recorded_days import RecordedDays
from riskcore.audit.calendar_rows import calendar_rows
from riskcore.cli.screen.picture import CALENDAR, CONNECTIONS, ENFORCEMENT, LOCKOUTS, PNL
from riskcore.store.journal import Journal

AGAIN_SECONDS = 1.0  # Between two readings of the same view.
CALENDAR_DAYS = 5
Row = dict[str, Any]


class Recorded:
    """The newest rows of each view that needs any; `read` is called when there are new ones."""

    def __init__(
        self,
        journal: Callable[[], Journal],
        health: Callable[[], Row | None],
        now: Callable[[], int],
        read: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._health = health
        self._now = now
        self._read = read
        self._rows: dict[str, Any] = {}
        self._asked_at: dict[str, float] = {}
        self._waiting: SimpleQueue[tuple[str, Mapping[str, Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def rows(self, view: str, plain: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is known, by view; what `view` needs is read anew meanwhile. `plain`: the settings in force."""
        now = time.monotonic()
        if view in _READERS and now - self._asked_at.get(view, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            self._asked_at[view] = now
            self._waiting.put((view, plain))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="screen-rows", daemon=True)
                self._thread.start()
        return dict(self._rows)

    def close(self) -> None:
        """Nobody asks any more."""
        self._waiting.put(None)

    def _work(self) -> None:
        days = RecordedDays(self._journal)
        try:
            while (asked := self._waiting.get()) is not None:
                view, plain = asked
                try:
                    self._rows[view] = _READERS[view](self, days, plain)
                except Exception:
                    continue  # Nothing is stored yet, or a day cannot be read now: asked again in a second.
                self._asked_at[view] = time.monotonic()
                self._read()
        finally:
            days.close()


def _enforcement(_: Recorded, days: RecordedDays, plain: Mapping[str, Any]) -> Row:
    return {"breaches": days.breaches(None)[0], "commands": days.enforcement(None)[0]}


_READERS: dict[str, Callable[[Recorded, RecordedDays, Mapping[str, Any]], Any]] = {
    PNL: lambda _, days, plain: days.fills(None)[0],
    LOCKOUTS: lambda _, days, plain: days.lockouts(days.streams()[-1])[0],
    ENFORCEMENT: _enforcement,
    CONNECTIONS: lambda own, days, plain: own._health(),
    CALENDAR: lambda own, days, plain: calendar_rows(plain, own._now(), CALENDAR_DAYS),
}
