"""Where an engine goes on: the book as the journal's last event left it. Start-up and recovery are this one path."""

from collections.abc import Iterator
from dataclasses import dataclass

from riskcore.core.events import DayRolled, Event, TradingDayOpened
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Resumed:
    """The book, when its last event was, and whether its day was closed by that event already."""

    book: Book
    last_at: int
    day_ended: bool


def resume(journal: Journal) -> Resumed:
    """The state behind the last event stored; an empty book for a new journal. Raises Corrupt, StoreError."""
    days = journal.streams()
    if not days:
        return Resumed(Book(), 0, False)
    cached = journal.cached_state(days[-1])
    seq, book = cached if cached is not None else (0, Book())
    last = _Last()
    events = last.seen(event for _, event, _ in journal.read(days[-1], max(seq - 1, 0)))
    first = next(events)
    if cached is None:
        assert isinstance(first.body, TradingDayOpened), "a stream opens with its day"
        # The opening event carries the rules that the rest of the day is folded with.
        fold(book, rulebook_of(first.body.settings), first)
    rebuild(book, rulebook_of(book.settings), events)
    return Resumed(book, last.at, last.rolled)


class _Last:
    """Remembers the last event that passes."""

    at = 0
    rolled = False

    def seen(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            self.at, self.rolled = max(self.at, event.at), isinstance(event.body, DayRolled)
            yield event
