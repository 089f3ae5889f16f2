"""Watching an engine through its journal: the book is folded on with every event that was stored since.

The journal is the truth, so nobody who watches needs the engine itself; a reader neither blocks it nor is blocked.
"""

from collections import deque
from collections.abc import Iterator

from riskcore.audit.happenings import happenings
from riskcore.core.events import (
    BarObserved,
    DepthObserved,
    Event,
    MarketTraded,
    QuoteObserved,
    QuotesObserved,
    TradingDayOpened,
)
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Book
from riskcore.schema.rows import Row
from riskcore.store.journal import Journal

MOST_TOLD = 500  # Happenings kept to be shown.
_MARKET = (QuoteObserved, QuotesObserved, MarketTraded, BarObserved, DepthObserved)


class Follower:
    """The state behind the last stored event of a journal. Call `catch_up`; then look at the fields."""

    def __init__(self, journal: Journal) -> None:
        self.book = Book()
        self.trade_date = ""
        self.seq = 0
        self.last_at = 0
        self.version = ""  # Of the riskcore that opened the day.
        self.told: deque[Row] = deque(maxlen=MOST_TOLD)
        self._journal = journal

    @property
    def rulebook(self) -> Rulebook:
        """The rules in force."""
        return rulebook_of(self.book.settings)

    def catch_up(self) -> bool:
        """Fold what was stored since the last call; whether there was anything. Raises Corrupt, StoreError.

        The first call begins with the last day stored: it opens with everything carried over.
        """
        days = self._journal.streams()
        todo = [day for day in days if day > self.trade_date] if self.trade_date else days[-1:]
        before = (self.trade_date, self.seq)
        if self.trade_date:
            self._follow(self.trade_date)
        for day in todo:
            self.trade_date, self.seq = day, 0
            self._follow(day)
        return (self.trade_date, self.seq) != before

    def _follow(self, day: str) -> None:
        notable: list[Event] = []
        events = self._new(day, notable)
        cached = self._journal.cached_state(day) if self.seq == 0 else None
        if cached is not None:
            seq, book = cached
            for event in events:
                if self.seq == 1:
                    self._opened(event)
                if self.seq == seq:
                    break
            self.book = book
        elif self.seq == 0:
            first = next(events)
            fold(self.book, rulebook_of(self._opened(first).settings), first)
        rebuild(self.book, rulebook_of(self.book.settings), events)
        self.told.extend(happenings(notable, self.book))

    def _opened(self, event: Event) -> TradingDayOpened:
        assert isinstance(event.body, TradingDayOpened), "a stream opens with its day"
        self.version = event.body.version
        return event.body

    def _new(self, day: str, notable: list[Event]) -> Iterator[Event]:
        """The events of a day that were not seen yet; those that may be told are noted as they pass."""
        for seq, event, _ in self._journal.read(day, self.seq):
            self.seq, self.last_at = seq, max(self.last_at, event.at)
            if not isinstance(event.body, _MARKET):
                notable.append(event)
            yield event
