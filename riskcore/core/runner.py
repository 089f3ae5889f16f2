"""The one loop: facts through the core in order, days opened, quiet quotes skipped, what was decided handed on.

Live, replay and the tests of the core all drive this one. Quiet quotes are found a chunk at a time by the bounds of
riskcore.core.watch; `every_event=True` takes each of them by itself and must give the same.

Facts edit the book in place. Who goes on after the core has failed calls `begin` first: from there on facts are taken
on a copy, and `leave_out` goes back to the original. A replay has nothing to go back to: it ends with the error, so
it pays for no copies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskcore.core.bounds import Watch
from riskcore.core.events import CommandIssued, Event, QuotesObserved, TradingDayOpened
from riskcore.core.loosening import settings_of_next_day
from riskcore.core.project import settle
from riskcore.core.quotes import Item, Quotes, Row, quote_at
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Book, Day
from riskcore.core.step import Turn
from riskcore.core.take_again import only_kept, take_again
from riskcore.core.watch import QuietMarks

# The most events caused by quotes that are handed on together.
HELD = 256
# Quotes journaled as one event at most (DESIGN.md: many to an event, none lost).
BATCH = 500
Listener = Callable[[Sequence[Event]], None]
DayFor = Callable[[Mapping[str, Any], int], Day]


@dataclass(frozen=True, slots=True)
class Mark:
    """What to go back to: everything that facts change, as it was."""

    turn: Turn
    quiet: QuietMarks
    rows: list[Row]
    decided: int


class Runner:
    """Feeds facts to the core in order. `listeners` receive every event to be stored, in order.

    settings: plain settings (settings/config.py); day_for: the trading day of an instant under settings
    (settings/calendar.py); restrict: accounts to evaluate; lacks: what the source could not see.
    keep_quotes: hand on every quote as well, many to an event, for a journal. book, day_ended: go on from a stored
    state, under the settings it was judged by; `settings` come with the next day.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        listeners: Sequence[Listener],
        day_for: DayFor,
        *,
        version: str,
        restrict: tuple[str, ...] = (),
        lacks: tuple[str, ...] = (),
        every_event: bool = False,
        keep_quotes: bool = False,
        book: Book | None = None,
        day_ended: bool = False,
    ) -> None:
        self.settings = dict(settings)
        self.listeners = listeners
        self._day_for = day_for
        self.version = version
        self.restrict = restrict
        self.lacks = lacks
        self.every_event = every_event
        self.keep_quotes = keep_quotes
        in_force = self.settings if book is None or book.day is None else book.settings
        self.turn = Turn(book or Book(), rulebook_of(in_force, restrict), day_ended)
        self._quiet = QuietMarks()
        self._rows: list[Row] = []
        self.index: int | None = None  # Which of the quotes taken last is in hand; None when nothing is.
        # Since `begin`: what to go back to, what has been taken, and what was decided and is not handed on yet.
        self._began: Mark | None = None
        self._taken: list[Item] | None = None
        self._decided: list[Event] | None = None
        self._spare: Turn | None = None  # A copy of the turn as it stands, made before `begin` needs it.

    @property
    def book(self) -> Book:
        return self.turn.book

    # ---- what comes in -------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """One fact that is not a plain quote. A day is opened when the fact is the first of a later one."""
        if isinstance(event.body, QuotesObserved):
            self.quotes(Quotes(*(list(column) for column in zip(*event.body.quotes, strict=True))))
            return
        self._spare = None
        if self._taken is not None:
            self._taken.append(event)
        self.index = 0
        if isinstance(event.body, TradingDayOpened):
            self.end_day(event.body.day.trade_date)
        else:
            self.open_day(event.at)
        self._settle()
        self.turn.take(event)
        self._quiet.happened()
        self._hand_on()
        self.index = None

    def quotes(self, quotes: Quotes, *, pausing: bool = False) -> int:
        """Consecutive quotes by column; returns how many were taken.

        All of them, or with `pausing` those up to the first at which a command was issued.
        """
        self._spare = None
        if self._taken is not None:
            self._taken.append(quotes)
        start, count = 0, len(quotes)
        while start < count:
            self.index = start
            self.open_day(quotes.row(start)[0])
            assert self.book.day is not None
            end = quotes.first_at(self.book.day.closes_at, start)
            taken = self._of_day(quotes, start, end, pausing)
            if taken is not None:
                return taken
            start = end
        self.index = None
        return count

    def pass_time(self, at: int) -> None:
        """Let time pass up to an instant of the open day, as a fact at that instant would."""
        self._spare = None
        self._settle()
        self.turn.advance(at)
        self._quiet.happened()
        self._hand_on()

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """The settings of the days to come; what of them counts today a ConfigChanged says (RULES.md 1.6)."""
        self.settings = dict(settings)

    def decide_nothing(self) -> None:
        """From here on no rule judges; the runner is of use only until its book is given up."""
        self.decide_by(self.turn.rulebook.without_rules())

    def decide_by(self, rulebook: Rulebook) -> None:
        """From here on judge the open day by another rulebook."""
        self._spare = None
        self.turn.decide_by(rulebook)
        self._quiet.happened()

    def look_ahead(self) -> int | None:
        """When time alone must act next, worked out in a quiet moment so that the next event need not wait for it."""
        return self.turn.look_ahead()

    def first_timed(self, quotes: Quotes) -> int:
        """The first of consecutive quotes of the open day before which time alone may make something act; or all."""
        known, marked = self._bounds()
        return quotes.first_outside(0, len(quotes), Watch(known.until, gaps=known.gaps), marked)

    def finish(self) -> Book:
        """Time ends with the last line: timers due later do not fire (RULES.md 1.1)."""
        self._spare = None
        self._settle()
        self._hand_on()
        return self.book

    # ---- going back ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the copy that the next `begin` goes on with, in a quiet moment: a command need not wait for it."""
        self._spare = self.turn.copied()

    def begin(self) -> None:
        """From here on facts are taken on a copy of the book, and nothing is handed on before `end`."""
        self._decided, self._taken = [], []
        self._began = self.mark()

    def end(self) -> None:
        """What was taken since `begin` stands: the copy is the book from here on, and what was decided is handed on."""
        decided, self._decided, self._taken, self._began = self._decided, None, None, None
        if decided:
            self._tell(decided)

    def mark(self) -> Mark:
        """Go on with a copy; the mark is what to go back to."""
        before, self._spare, spare = self.turn, None, self._spare
        self.turn = before.copied() if spare is None else spare
        return Mark(before, self._quiet.copy(), list(self._rows), len(self._decided or ()))

    def go_back(self, mark: Mark) -> None:
        """Undo what was done since a mark."""
        self.turn, self._quiet, self._rows = mark.turn, mark.quiet, mark.rows
        if self._decided is not None:
            del self._decided[mark.decided :]

    def leave_out(self, error: Exception) -> list[Event]:
        """The core has failed since `begin`: drop the copy, and go on without what it failed on (quarantine.py).

        What came before is taken again on the book as it was. What it failed on is quarantined; the events that say
        so are returned. When the core fails at that, too, only the fact is kept, and nothing else was taken.
        """
        began, taken, index = self._began, self._taken, self.index
        assert began is not None, "nothing to go back to"
        assert taken is not None, "what was given up once is over"
        self.go_back(began)
        self._taken, self._began = None, self.mark()
        try:
            left_out = take_again(self, taken, index, error)
        except Exception:
            self.go_back(self._began)
            left_out = [] if self.book.day is None else only_kept(self, taken, index, error)
            self._tell(left_out)
        self.end()
        return left_out

    # ---- days ----------------------------------------------------------------------------------------

    def end_day(self, next_date: str) -> None:
        """Close the open day under its own rules, as a stored stream that ends with DayRolled asks for."""
        self._spare = None
        self._settle()
        self.turn.end_day(next_date)
        self._quiet.happened()
        self._hand_on()

    def open_day(self, at: int) -> None:
        """Open the trading day of an instant, unless it is open already."""
        day = self.book.day
        if day is not None and at < day.closes_at:
            return
        settings = settings_of_next_day(self.book.settings, self.settings)
        opened = self._day_for(settings, at)
        self.end_day(opened.trade_date)
        body = TradingDayOpened(
            profile=settings["profile"]["name"],
            day=opened,
            settings=settings,
            lacks=self.lacks,
            contracts=(),
            marks={},
            accounts=(),
            version=self.version,
            previous_hash="",
        )
        opens_at = day.closes_at if day is not None else at
        self.turn.take(Event(opens_at, "operator", f"day:{opened.trade_date}", body))
        self._quiet.happened()
        self._hand_on()

    # ---- quotes --------------------------------------------------------------------------------------

    def _of_day(self, quotes: Quotes, start: int, end: int, pausing: bool) -> int | None:
        """Take quotes of the open day; where one made a pause necessary, how many of all are taken by then."""
        index = start
        while index < end:
            self.index = index
            if not self.every_event:
                noisy = self._skip_quiet(quotes, index, end)
                if noisy == end:
                    break
                self.index = index = noisy
                self._settle()
            commanded = self._noisy(quotes, index)
            self._quiet.happened()
            index += 1
            if commanded and pausing:
                self._hand_on()
                self.index = None
                return index
            if len(self.turn.events) >= HELD:
                self._hand_on()
        self._hand_on()
        return None

    def _noisy(self, quotes: Quotes, index: int) -> bool:
        """Take one quote; whether it, or a timer before it, issued a command."""
        before = len(self.turn.events)
        self.turn.take(quote_at(quotes, index))
        return any(isinstance(event.body, CommandIssued) for event in self.turn.events[before:])

    def _skip_quiet(self, quotes: Quotes, start: int, end: int) -> int:
        """Remember where quiet quotes move the marks; returns the first that is not quiet, or `end`."""
        known, marked = self._bounds()
        noisy = quotes.first_outside(start, end, known, marked)
        if noisy > start:
            if self.keep_quotes:
                self._keep(quotes, start, noisy)
            for move in quotes.moves(start, noisy):
                self._quiet.move(*move)
        return noisy

    def _bounds(self) -> tuple[Watch, dict[str, int]]:
        """What quiet quotes keep within, and when the contracts that must not fall silent were marked last."""
        if not self._quiet.known:
            # The timers that bound what is quiet are due before no quote that follows at once, so they are kept.
            self.turn.look_ahead()
        known = self._quiet.bounds(self.book, self.turn.rulebook, self.turn.upcoming)
        return known, {contract: self._quiet.marked_at(self.book, contract) for contract in known.gaps}

    def _keep(self, quotes: Quotes, start: int, end: int) -> None:
        for low in range(start, end, BATCH):
            self._rows.extend(quotes.rows(low, min(low + BATCH, end)))
            while len(self._rows) >= BATCH:
                self._hand_on_rows(BATCH)

    def _settle(self) -> None:
        """Put the marks of skipped quotes in place before anything else is judged."""
        settled = self._quiet.settled(self.book)
        if settled:
            self._hand_on_rows(len(self._rows))
            settle(self.book, settled)
            self.turn.marks_moved()

    # ---- what goes out -------------------------------------------------------------------------------

    def _hand_on_rows(self, count: int) -> None:
        if self._rows:
            self._hand_on()
            rows = tuple(self._rows[:count])
            del self._rows[:count]
            event = Event(rows[-1][0], "market", f"quotes@{rows[0][0]}..{rows[-1][0]}", QuotesObserved(rows))
            self._tell([event])

    def _hand_on(self) -> None:
        events = self.turn.events
        if events:
            self.turn.events = []
            self._tell(events)

    def _tell(self, events: list[Event]) -> None:
        if self._decided is not None:
            self._decided.extend(events)
            return
        for listener in self.listeners:
            listener(events)
