"""The baseline of a course tree: run once, and followed by every branch.

A baseline without rules decides nothing, so it goes through the same states whatever the counterfactual does. The first
branch runs it and notes each state; the others look at those. Between two noted states only its marks and its clock
move, which the counterfactual asks of its own book.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from replay.whatif.course import Course
from riskcore.core.copies import copy_book
from riskcore.core.events import DriftDetected, Event
from riskcore.core.quotes import Quotes
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Book


def decides_nothing(settings: dict[str, Any]) -> bool:
    """Whether no rule is on in these settings, for any account."""
    return not any(settings.get(name) for name in ("rules", "accounts", "programme", "groups", "programme_accounts"))


@dataclass(frozen=True, slots=True)
class _Noted:
    """The baseline after something happened; `drifts` are those that were detected by it."""

    book: Book
    rulebook: Rulebook
    next_timer: int | None
    drifts: tuple[DriftDetected, ...]


@dataclass(slots=True)
class FollowedBaseline(Course):
    """A baseline at one of the noted states. `run` notes more of them; None in all branches but the first."""

    run: Course | None = None
    _states: list[_Noted] = field(default_factory=list)
    _place: int = 0

    def __post_init__(self) -> None:
        """It has no runner of its own."""

    @classmethod
    def beginning_with(cls, course: Course) -> "FollowedBaseline":
        """The first branch, which runs this course."""
        found = cls(course.settings, course.restrict, run=course, collector=course.collector)
        found.drifts.extend(course.drifts)
        course.drifts.clear()
        found._note()
        return found

    def forked(self) -> "FollowedBaseline":
        """A copy at the same state, for another branch; one that starts over begins with the first state."""
        return replace(self, run=None, drifts=list(self.drifts))

    def _note(self) -> None:
        assert self.run is not None, "the first branch has been everywhere"
        run = self.run
        self._states.append(_Noted(copy_book(run.book), run.rulebook, run.next_timer(), tuple(run.drifts)))
        run.drifts.clear()

    def _happened(self, what: Callable[[Course], None]) -> None:
        """Go to the next state."""
        if self.run is not None:
            what(self.run)
            self._note()
        self._place += 1
        self.drifts.extend(self._states[self._place].drifts)

    # ---- as a course ---------------------------------------------------------------------------------

    @property
    def book(self) -> Book:
        return self._states[self._place].book

    @property
    def rulebook(self) -> Rulebook:
        return self._states[self._place].rulebook

    def next_timer(self) -> int | None:
        return self._states[self._place].next_timer

    def first_timed(self, quotes: Quotes) -> int:
        due = self.next_timer()
        return len(quotes) if due is None else quotes.first_at(due)

    def open_day(self, at: int, lacks: tuple[str, ...]) -> None:
        self._happened(lambda run: run.open_day(at, lacks))

    def end_day(self, next_date: str) -> None:
        self._happened(lambda run: run.end_day(next_date))

    def take(self, event: Event) -> None:
        self._happened(lambda run: run.take(event))

    def quotes(self, quotes: Quotes) -> int:
        if self.run is not None:
            self.run.quotes(quotes)
        return len(quotes)

    def pass_time(self, at: int) -> None:
        due = self.next_timer()
        if due is not None and due <= at:
            self._happened(lambda run: run.pass_time(at))

    def settle(self) -> None:
        """A day that opens has no quotes behind it that would have moved a mark."""

    def issued(self) -> list[Event]:
        return []

    def refuses(self, account: int, contract: str, side: int, at: int) -> str | None:
        return None

    def rows(self) -> list[dict[str, Any]]:
        raise NotImplementedError("the rows of a baseline are those of the course that is run")

    def finish(self) -> None:
        self._happened(lambda run: run.finish())
