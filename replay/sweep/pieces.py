"""The recorded days as pieces that are worked out apart, each with the record as it stands at its opening.

With independent days (WHATIF.md 3) a day needs nothing of the days before it but the record. So a piece is one day;
only where a later day changes an earlier one (a late fill, a correction, a void) all days between go together.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from replay.result import check_accounts
from replay.sweep.outcome import Follower
from replay.whatif.account_course import AccountCourse
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options
from replay.whatif.market import DayFacts, Told
from replay.whatif.study import Runs, options_of
from riskcore.core import events as e
from riskcore.core.copies import copy_book
from riskcore.core.old_trades import is_old_id
from riskcore.core.state import Account, Book
from riskcore.core.trading_day import trade_date_of

Plain = dict[str, Any]
Settings = Callable[[Plain], Plain]  # The settings of the counterfactual from those of a recorded day.


@dataclass(frozen=True, slots=True)
class Opening:
    """The record at the end of the day before: the baseline's book, and what each account leaves to the next one.

    `drifts`: what the broker's positions were found to differ by, and no fact has come since.
    """

    book: Book
    accounts: dict[int, AccountCourse]
    drifts: tuple[e.DriftDetected, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Days that go together. `opening` is None for the first ones, `next_date` for the last ones of the sessions.

    `files`: how many of the session files say all that there is to know of them.
    """

    days: tuple[DayFacts, ...]
    opening: Opening | None
    next_date: str | None
    files: int

    @property
    def trade_dates(self) -> tuple[str, ...]:
        return tuple(day.day.trade_date for day in self.days)


def pieces_of(runs: Runs, measure: Callable[[Courses], None] | None = None) -> Iterator[Piece]:
    """One pass of the record under its own settings; yields a piece once the day after it begins, or time ends.

    A later piece that has days of an earlier one takes its place. `measure` may follow the pass. Raises InputError,
    Corrupt, and ConfigError for an account that was asked for and is not there.
    """
    restrict, settings = runs.study.restrict, runs.setting.baseline
    baseline = Course(settings, restrict, enforces=runs.setting.acts)
    options = options_of(runs.study, runs.quote_age_ns)
    courses = Courses(baseline, Course(settings, restrict), options, lambda recorded: recorded)
    if measure is not None:
        measure(courses)
    known: list[DayFacts] = []
    openings: list[Opening | None] = []
    start = 0
    for day in courses.through(runs.days()):
        if known:
            yield _piece(runs, known, openings, start, day.day.trade_date)
            known[-1] = known[-1].outline()
        openings.append(_opening(courses) if known else None)
        start = _reaches_back_to(day, baseline.book, [one.day.trade_date for one in known])
        known.append(day)
    check_accounts(baseline.book, restrict)
    if known:
        yield _piece(runs, known, openings, start, known[-1].rolled_to)


def _piece(
    runs: Runs, known: list[DayFacts], openings: list[Opening | None], start: int, next_date: str | None
) -> Piece:
    days = [replace(day) for day in known[start:]]
    for day in days:
        if day.outlined:
            runs.load(day)
    files = min(len(runs.sessions.rows) + 1, len(runs.study.sessions))
    return Piece(tuple(days), openings[start], next_date, files)


def _opening(courses: Courses) -> Opening:
    accounts = {state.id: state.carried_over() for state in courses.accounts.values()}
    return Opening(copy_book(courses.baseline.book), accounts, tuple(courses.baseline.drifts))


def _reaches_back_to(day: DayFacts, book: Book, trade_dates: list[str]) -> int:
    """Which of the days so far is the first that facts of this day change; their number where none does."""
    first = len(trade_dates)
    for item in day.items:
        body = item.event.body if isinstance(item, Told) else None
        if isinstance(body, e.TradeRecorded | e.TradeVoided):
            changed = _day_of(day, book.accounts.get(body.account), body)
            if changed is not None and changed < day.day.trade_date:
                first = min(first, bisect_left(trade_dates, changed))
    return first


def _day_of(day: DayFacts, account: Account | None, body: e.TradeRecorded | e.TradeVoided) -> str | None:
    """The trading day whose figures a fact about a fill changes; None where that is the day itself."""
    known = None if account is None else account.trade(body.trade_id)
    if known is not None:
        return known.trade_date
    if account is not None and is_old_id(account, body.trade_id):
        return ""  # Of a day before all whose fills are still known.
    return None if body.created_at is None else trade_date_of(day.day, body.created_at)


@dataclass(frozen=True, slots=True)
class Ways:
    """What all settings of a sweep share: how the counterfactual is worked out, and the settings of the baseline.

    `acts`: whether a recorded engine's own requests are in the sessions, and the record carries its settings.
    """

    baseline: Plain
    options: Options
    restrict: tuple[str, ...]
    acts: bool


def ways_of(runs: Runs) -> Ways:
    """What the settings of a study share."""
    options = options_of(runs.study, runs.quote_age_ns)
    return Ways(runs.setting.baseline, options, runs.study.restrict, runs.setting.acts)


def courses_of(piece: Piece, ways: Ways, changed: Settings) -> tuple[Courses, Follower]:
    """Both courses as they stand at the opening of a piece, and what follows the other one. Nothing has run yet."""
    opening, settings = piece.opening, ways.baseline
    start = None if opening is None else copy_book(opening.book)
    baseline = Course(settings, ways.restrict, enforces=ways.acts, start=start)
    mine = None if opening is None else copy_book(opening.book)
    if mine is not None:
        mine.settings = changed(mine.settings)
    counterfactual = Course(settings if ways.acts else changed(settings), ways.restrict, start=mine)
    follower = Follower(counterfactual)
    counterfactual.hear(follower.listen)
    courses = Courses(baseline, counterfactual, ways.options, changed, goes_on=opening is not None)
    courses.follow = follower.follow
    if opening is not None:
        baseline.drifts.extend(opening.drifts)
        courses.accounts.update((account, state.carried_over()) for account, state in opening.accounts.items())
    return courses, follower
