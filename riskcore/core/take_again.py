"""What a failed turn took, taken once more without what the core failed on (Runner.leave_out).

The first failure is left out as it is. Anything else is tried again, each on a copy of its own, because it may fail
only now that something else is missing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from riskcore.core.events import Event, PositionsListed
from riskcore.core.quarantine import error_text, quarantined_fact, quarantined_timer
from riskcore.core.quotes import Item, Quotes, quote_at
from riskcore.core.state import Book
from riskcore.core.timers import TimerFailed

# So many deadlines that fail one behind the other are the fault of none of them.
MOST_TIMERS = 50


class Loop(Protocol):
    """The part of a Runner that is needed here."""

    version: str
    index: int | None  # Which of the quotes taken last is in hand; None when nothing is.

    @property
    def book(self) -> Book: ...
    def event(self, event: Event) -> None: ...
    def quotes(self, quotes: Quotes) -> object: ...
    def finish(self) -> Book: ...
    def look_ahead(self) -> int | None: ...
    def mark(self) -> Any: ...
    def go_back(self, mark: Any) -> None: ...


def take_again(loop: Loop, taken: Sequence[Item], index: int | None, error: Exception) -> list[Event]:
    """Take again what was `taken`, without what failed.

    `index`: which of the quotes taken last was in hand; None when the failure came behind them all, when the next
    deadline was worked out. Returns the events that say what was left out, in order.
    """
    again = _Again(loop)
    done = len(taken) if index is None else len(taken) - 1
    for item in taken[:done]:
        again.take(item)
    if index is not None and again.left_out:
        again.take(taken[-1])  # Perhaps it failed only on what the one before had left behind.
    elif index is not None:
        again.without_fault(taken[-1], index, error)
    elif not again.left_out:
        again.leave_out(None, error)
    return again.left_out


def only_kept(loop: Loop, taken: Sequence[Item], index: int | None, error: Exception) -> list[Event]:
    """The fact that the core failed on, to be stored without being taken: it changes nothing, so nothing is missed."""
    if not taken:
        return []
    item = taken[-1]
    fact = quote_at(item, index or 0) if isinstance(item, Quotes) else item
    # At a time that has come already: nothing is due before it.
    return [replace(quarantined_fact(fact, error_text(error), loop.version), at=loop.book.now)]


class _Again:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._timers = 0
        self.left_out: list[Event] = []

    def take(self, item: Item) -> None:
        """Take something on a copy; leave out what the core fails on."""
        mark = self._loop.mark()
        try:
            if isinstance(item, Quotes):
                self._loop.quotes(item)
            else:
                self._loop.event(item)
            self._loop.look_ahead()
        except Exception as error:
            index = self._loop.index or 0
            self._loop.go_back(mark)
            self.without_fault(item, index, error)

    def without_fault(self, item: Item, index: int, error: Exception) -> None:
        """Take of something that failed all that is not at fault: of quotes, those around the one in hand."""
        if not isinstance(item, Quotes):
            self.leave_out(item, error)
            return
        if index > 0:
            self.take(item.part(0, index))
        self.leave_out(quote_at(item, index), error)
        if index + 1 < len(item.ats):
            self.take(item.part(index + 1, len(item.ats)))

    def leave_out(self, fact: Event | None, error: Exception) -> None:
        """Quarantine the deadline at fault, and take the fact that it came before; or quarantine the fact."""
        if isinstance(error, TimerFailed):
            self._timers += 1
            assert self._timers < MOST_TIMERS, "one deadline after the other fails"
            self._store(quarantined_timer(self._loop.finish(), error))
            if fact is not None:
                self.take(fact)
        elif fact is not None:
            text = error_text(error) + self._rows_at_fault(fact)
            self._store(quarantined_fact(fact, text, self._loop.version))

    def _rows_at_fault(self, fact: Event) -> str:
        """Which rows of a list of positions fail by themselves, in words; each is tried on a copy."""
        body = fact.body
        if not isinstance(body, PositionsListed):
            return ""
        found = []
        for number, row in enumerate(body.positions, start=1):
            mark = self._loop.mark()
            try:
                self._loop.event(replace(fact, body=replace(body, positions=(row,))))
            except Exception:
                found.append(f"row {number} of {len(body.positions)}, {row.contract}")
            self._loop.go_back(mark)
        return f"; at fault: {'; '.join(found)}" if found else ""

    def _store(self, marker: Event) -> None:
        mark = self._loop.mark()
        try:
            self._loop.event(marker)
        except TimerFailed as failed:
            self._loop.go_back(mark)
            self.leave_out(None, failed)
            self._store(marker)
            return
        self.left_out.append(marker)
