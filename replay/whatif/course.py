"""One of the two courses: a runner, what it has just decided, and what of it the result shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replay.result import Collector, account_row
from replay.whatif.actions import refusal
from riskcore.core import events as e
from riskcore.core.quotes import Quotes
from riskcore.core.rulebook import Rulebook
from riskcore.core.runner import Listener, Mark, Runner
from riskcore.core.state import Account, Book
from riskcore.core.step import Turn
from riskcore.core.watch import QuietMarks
from riskcore.settings.calendar import day_for
from riskcore.version import VERSION

# What only the engine that carried commands out heard or asked; a course that only decides has no use for it.
OF_THE_ENGINE = (
    e.RequestAttempted,
    e.RequestAccepted,
    e.RequestRefused,
    e.RequestUnresolved,
    e.OrderRequested,
)


@dataclass(slots=True)
class Course:
    """Facts go in; commands that were issued since the last look come out."""

    settings: Mapping[str, Any]
    restrict: tuple[str, ...] = ()
    enforces: bool = False  # Whether a recorded engine's own requests are part of it.
    keeps_settings: bool = False  # Leaves changes of the settings out.
    listeners: tuple[Listener, ...] = ()
    keep_quotes: bool = False
    collector: Collector = field(default_factory=Collector)
    drifts: list[e.DriftDetected] = field(default_factory=list)
    fired: set[str] = field(default_factory=set)  # Tables of rules that found anything.
    fired_today: set[str] = field(default_factory=set)
    cancels: set[int] = field(default_factory=set)  # Orders that the engine of this course asked to be cancelled.
    start: Book | None = None  # The end of a day that was run before: the course goes on from there.
    _issued: list[e.Event] = field(default_factory=list)
    _runner: Runner | None = None

    def __post_init__(self) -> None:
        self._runner = Runner(
            self.settings,
            (self.collector.listen, self._listen, *self.listeners),
            day_for,
            version=VERSION,
            restrict=self.restrict,
            keep_quotes=self.keep_quotes,
            book=self.start,
            day_ended=self.start is not None,
        )
        self.start = None

    def hear(self, listener: Listener) -> None:
        """One more listener from here on."""
        self.runner.listeners = (*self.runner.listeners, listener)

    @property
    def runner(self) -> Runner:
        assert self._runner is not None, "a course has a runner from the beginning"
        return self._runner

    @property
    def book(self) -> Book:
        return self.runner.book

    @property
    def rulebook(self) -> Rulebook:
        """What the open day is judged by."""
        return self.runner.turn.rulebook

    def _listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.CommandIssued):
                self._issued.append(event)
                self._found(body.rule_key)
            elif isinstance(body, e.RuleBreached):
                self._found(body.rule_key)
            elif isinstance(body, e.DriftDetected):
                self.drifts.append(body)
            elif isinstance(body, e.RequestPlanned) and body.kind == "cancelOrder" and body.order_id is not None:
                self.cancels.add(body.order_id)
            elif isinstance(body, e.DayRolled):
                self.collector.note_days(self.book, self.rulebook, body.trade_date)

    def _found(self, table: str) -> None:
        self.fired.add(table)
        self.fired_today.add(table)

    def note_lockouts(self, account: Account) -> None:
        """A rule that has locked before the day began has a say in it, though it may find nothing."""
        locking = {one.rule for one in account.lockouts.values()}
        instances = self.rulebook.instances(account) if locking else ()
        self.fired.update(one.key for one in instances if one.rule.id in locking)

    def open_day(self, at: int, lacks: tuple[str, ...]) -> None:
        """Open the trading day of an instant; `lacks`: what the source of its facts cannot see."""
        self.runner.lacks = lacks
        self.runner.open_day(at)

    def end_day(self, next_date: str) -> None:
        """Close the open day, which another one follows."""
        self.runner.end_day(next_date)

    def stand_at(self, book: Book) -> None:
        """Go on from another state of the same day, under the rules in force."""
        self.runner.go_back(Mark(Turn(book, self.rulebook), QuietMarks(), [], 0))

    def take(self, event: e.Event) -> None:
        """One fact that is no plain quote."""
        body = event.body
        if self.keeps_settings and isinstance(body, e.ConfigChanged):
            return
        if self.enforces:
            self.runner.event(event)
        elif not isinstance(body, OF_THE_ENGINE):
            if isinstance(body, e.EngineStarted):
                event = replace(event, body=replace(body, enforces=False))
            self.runner.event(event)

    def quotes(self, quotes: Quotes) -> int:
        """Quotes up to the first at which a command was issued; returns how many were taken."""
        return self.runner.quotes(quotes, pausing=True)

    def pass_time(self, at: int) -> None:
        if self.book.day is not None:
            self.runner.pass_time(at)

    def settle(self) -> None:
        """Put the marks of quiet quotes in place, before the book is asked for one."""
        self.runner.finish()

    def next_timer(self) -> int | None:
        """When time alone must act next in this course, with every mark where the quotes so far have put it."""
        if self.book.day is None:
            return None
        self.settle()
        return self.runner.look_ahead()

    def first_timed(self, quotes: Quotes) -> int:
        """The first of consecutive quotes before which time alone may make this course act; their number if none."""
        return self.runner.first_timed(quotes)

    def issued(self) -> list[e.Event]:
        """The commands issued since the last look."""
        found, self._issued = self._issued, []
        return found

    def refuses(self, account: int, contract: str, side: int, at: int) -> str | None:
        """The rule that keeps a new entry out at an instant."""
        found = refusal(self.book, self.rulebook, account, contract, side, at)
        if found is not None and found.table:
            self._found(found.table)
        return None if found is None else found.rule

    def rows(self) -> list[dict[str, Any]]:
        """The accounts as replay shows them (INTERFACE.md 5)."""
        book, rulebook = self.book, self.rulebook
        judged = [account for account in book.accounts.values() if rulebook.judges(account)]
        return [account_row(book, rulebook, one, self.collector) for one in sorted(judged, key=lambda one: one.id)]

    def finish(self) -> None:
        """Time ends with the last line."""
        book = self.runner.finish()
        if book.day is not None:
            self.collector.note_days(book, self.rulebook, book.trade_date)
