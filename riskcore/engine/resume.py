"""Where an engine goes on: the book as the journal's last event left it. Start-up and recovery are this one path."""

from collections.abc import Iterator
from dataclasses import dataclass

from riskcore.core.events import DayRolled, Event, FactQuarantined, TimerQuarantined, TradingDayOpened
from riskcore.core.quarantine import error_text, quarantined_fact
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.errors import InvariantBroken, RiskcoreError
from riskcore.store.journal import Journal
from riskcore.version import VERSION

# A journal with more events that cannot be folded was not written by this riskcore.
MOST_LEFT_OUT = 20


@dataclass(frozen=True, slots=True)
class Resumed:
    """The book, when its last event was, and whether its day was closed by that event already.

    `left_out` is what the core failed on since the state was cached last, or since the day was opened: quarantined by
    the engine that met it, or stored in good faith and not folded now.
    """

    book: Book
    last_at: int
    day_ended: bool
    left_out: tuple[Event, ...] = ()


def resume(journal: Journal) -> Resumed:
    """The state behind the last event stored; an empty book for a new journal.

    An event that the core cannot fold is left out: a start that ends at the same event again and again guards nothing.
    Raises Corrupt, StoreError, InvariantBroken.
    """
    days = journal.streams()
    if not days:
        return Resumed(Book(), 0, False)
    unfit: dict[int, Event] = {}
    while True:
        events = _Events(unfit)
        try:
            return _folded(journal, days[-1], events)
        except RiskcoreError:
            raise
        except Exception as error:
            if events.opens or len(unfit) >= MOST_LEFT_OUT:
                raise InvariantBroken(f"the journal cannot be folded ({error_text(error)})") from error
            unfit[events.seq] = quarantined_fact(events.event, error_text(error), VERSION)


def _folded(journal: Journal, day: str, events: "_Events") -> Resumed:
    cached = journal.cached_state(day)
    seq, book = cached if cached is not None else (0, Book())
    rows = events.of((seq, event) for seq, event, _ in journal.read(day, max(seq - 1, 0)))
    first = next(rows)
    if cached is None:
        assert isinstance(first.body, TradingDayOpened), "a stream opens with its day"
        # The opening event carries the rules that the rest of the day is folded with.
        fold(book, rulebook_of(first.body.settings), first)
    rebuild(book, rulebook_of(book.settings), rows)
    return Resumed(book, events.last_at, events.rolled, tuple(events.left_out))


class _Events:
    """The events that pass, without those that are unfit."""

    def __init__(self, unfit: dict[int, Event]) -> None:
        self._unfit = unfit
        self.seq = self.last_at = 0
        self.rolled = False
        self.opens = True  # Nothing has passed but the opening of the day, which nothing can do without.
        self.left_out: list[Event] = []
        self.event: Event

    def of(self, rows: Iterator[tuple[int, Event]]) -> Iterator[Event]:
        for number, (self.seq, self.event) in enumerate(rows):
            event = self.event
            self.opens = number == 0
            self.last_at, self.rolled = max(self.last_at, event.at), isinstance(event.body, DayRolled)
            if self.seq in self._unfit:
                self.left_out.append(self._unfit[self.seq])
                continue
            if isinstance(event.body, FactQuarantined | TimerQuarantined):
                self.left_out.append(event)
            yield event
