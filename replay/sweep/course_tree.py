"""One pass over a piece of the record for many settings (WHATIF.md 7): a tree of courses, as deep as the decisions.

Settings that have decided alike so far share one course, which is run for the first of them; the rules in which they
differ are asked for all of them (course_tree_rules.py). The days are taken in steps: an opening, a fact or a run of
quotes, an end. A setting that decides otherwise in a step leaves, and takes that step again from a copy of both courses
a few steps before it, together with the others that left there. What settings cannot share (profile, programme, groups,
which rules are on) makes them courses of their own from the opening on: never wrong, only slower.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from replay.sweep.course_tree_rulebook import SettingsOfDay, Tables, shared_rulebook
from replay.sweep.course_tree_rules import Sharers
from replay.sweep.followed_baseline import FollowedBaseline, decides_nothing
from replay.sweep.forks import forked
from replay.sweep.outcome import Follower, Outcome, outcomes_of
from replay.sweep.pieces import Piece, Ways, courses_of
from replay.sweep.plain_way import plainly
from replay.sweep.settings import Changed
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.market import DayFacts, Run, Told
from riskcore.core.events import ConfigChanged, TradingDayOpened
from riskcore.core.rules.base import SOURCE

Plain = dict[str, Any]


def in_one_pass(piece: Piece, ways: Ways, settings: Sequence[Changed]) -> Iterator[list[Outcome]]:
    """What each setting makes of the days of a piece, the same as `plainly` says. Raises ConfigError."""
    told = (item.event.body for day in piece.days for item in day.items if isinstance(item, Told))
    if any(isinstance(body, ConfigChanged) for body in told):
        # How much of a change counts at once depends on all of the settings that it meets.
        return plainly(piece, ways, settings)
    return iter(CourseTree(piece, ways, settings).outcomes())


# Steps from one copy to the next: copies cost time, and so do steps that a branch takes again. What is held along a run
# of quotes is where most settings leave, and what takes longest, so there is a copy before each of those.
STEPS_A_COPY = 16


@dataclass(frozen=True, slots=True)
class Step:
    """Takes both courses through one step of a day; `take` returns the instant that is reached by then."""

    take: Callable[[Courses], int]
    along_quotes: bool = False

    def holding(self, courses: Courses) -> bool:
        """Whether quotes go by while the counterfactual holds something."""
        accounts = courses.counterfactual.book.accounts.values()
        return self.along_quotes and any(one.valued for account in accounts for one in account.positions.values())


@dataclass(slots=True)
class Branch:
    """Settings that go on together: from the opening, or from both courses as they stood before a step.

    Other branches may begin with the same courses, so a branch goes on with a copy.
    """

    members: list[int]
    step: int = 0
    courses: Courses | None = None
    follower: Follower | None = None


@dataclass(slots=True)
class CourseTree:
    """A piece of the record under many settings."""

    piece: Piece
    ways: Ways
    settings: Sequence[Changed]
    courses: int = 0  # How many have ended, of so many settings.
    _in_force: dict[str, SettingsOfDay] = field(default_factory=dict)  # By trade date.
    _baseline: FollowedBaseline | None = None  # At the beginning of the piece.
    _tables: Tables = field(default_factory=Tables)

    def outcomes(self) -> list[list[Outcome]]:
        """The outcomes of each setting, in the order of the settings."""
        found: dict[int, list[Outcome]] = {}
        steps = list(_steps(self.piece))
        waiting = [Branch(members) for members in reversed(self._alike())]
        while waiting:
            branch = waiting.pop()
            members, outcomes = self._grow(branch, steps, waiting)
            self.courses += 1
            found.update((member, outcomes) for member in members)
        return [found[index] for index in range(len(self.settings))]

    def _alike(self) -> list[list[int]]:
        """The settings in groups that may share a course: they differ in parameters of their rules and nothing else."""
        shapes: list[list[Any]] = [[] for _ in self.settings]
        for day in self.piece.days:
            body = None if day.opened is None else day.opened.body
            recorded = body.settings if isinstance(body, TradingDayOpened) else self.ways.baseline
            in_force = [self._tables.without_warnings(changed(recorded)) for changed in self.settings]
            self._in_force[day.day.trade_date] = SettingsOfDay(in_force)
            for known, settings in zip(shapes, in_force, strict=True):
                known.append(_shape(settings))
        groups: dict[str, list[int]] = {}
        for index, shape in enumerate(shapes):
            groups.setdefault(repr(shape), []).append(index)
        return list(groups.values())

    def _grow(self, branch: Branch, steps: list[Step], waiting: list[Branch]) -> tuple[list[int], list[Outcome]]:
        """Take the steps that a branch has before it; those that leave on the way wait as branches of their own."""
        first, *others = branch.members
        sharers = Sharers(sum(1 << index for index in others))
        share = partial(self._share, first, sharers.live, sharers)
        if branch.courses is None or branch.follower is None:
            courses, follower = courses_of(self.piece, self.ways, self.settings[first])
            courses.baseline = self._followed(courses.baseline)
        else:
            courses, follower = forked(branch.courses, branch.follower)
            self._go_on_with(courses, self.settings[first])
            share(courses.counterfactual)
        courses.opened = share
        copied, before = branch.step, (branch.courses, branch.follower)
        for number in range(branch.step, len(steps)):
            step = steps[number]
            if sharers.live and number > copied and (number == copied + STEPS_A_COPY or step.holding(courses)):
                copied, before = number, forked(courses, follower)
            sharers.time_passed(step.take(courses))
            left = sharers.take_left()
            if left:
                waiting.append(Branch(list(_indexes(left)), copied, *before))
        if self.piece.next_date is None:
            follower.finish()
        return [first, *_indexes(sharers.live)], outcomes_of(courses, follower, self.piece.trade_dates)

    def _followed(self, baseline: Course) -> Course:
        """A baseline that decides nothing is run by the first branch of all, and followed by the others."""
        if self.ways.acts or not decides_nothing(self.ways.baseline):
            return baseline
        if self._baseline is None:
            first = FollowedBaseline.beginning_with(baseline)
            self._baseline = first.forked()
            return first
        return self._baseline.forked()

    def _go_on_with(self, courses: Courses, changed: Changed) -> None:
        """From here on the counterfactual is that of a setting under which all would have been the same so far."""
        courses.settings_of = changed
        if not self.ways.acts:
            courses.counterfactual.runner.change_settings(changed(self.ways.baseline))

    def _share(self, own: int, others: int, sharers: Sharers, course: Course) -> None:
        """Judge the open day of a counterfactual by one of the settings, and ask for the others."""
        day = self._in_force[course.book.trade_date]
        course.book.settings = day.settings[own]
        course.runner.decide_by(shared_rulebook(own, course.restrict, sharers, others, day))


# ---- steps ---------------------------------------------------------------------------------------------


def _steps(piece: Piece) -> Iterator[Step]:
    days = [day for day in piece.days if day.ats or day.opened is not None]
    for number, day in enumerate(days):
        yield Step(partial(_open, day))
        for item in day.items:
            yield Step(partial(_take, day, item), isinstance(item, Run))
        if number + 1 < len(days):
            yield Step(partial(_finish, day, days[number + 1].day.trade_date))
        else:
            yield Step(partial(_end, day, piece.next_date or day.rolled_to))


def _open(day: DayFacts, courses: Courses) -> int:
    courses.open(day)
    return courses.counterfactual.book.now


def _take(day: DayFacts, item: Run | Told, courses: Courses) -> int:
    courses.take(day, item)
    return day.ats[item.end - 1] if isinstance(item, Run) else item.event.at


def _finish(day: DayFacts, next_date: str, courses: Courses) -> int:
    courses.finish_day(day, next_date)
    return day.day.closes_at - 1


def _end(day: DayFacts, next_date: str | None, courses: Courses) -> int:
    courses.end(day, next_date)
    return day.day.closes_at - 1 if next_date is not None else day.last_at or day.day.opens_at


# ---- settings ------------------------------------------------------------------------------------------


def _shape(settings: Plain) -> Any:
    """All of some settings but the parameters of their rules."""
    scopes = [settings["rules"], *settings["accounts"].values()]
    return (
        {name: part for name, part in settings.items() if name not in ("rules", "accounts")},
        list(settings["accounts"]),
        [{name: list(map(_switches, tables)) for name, tables in scope.items()} for scope in scopes],
    )


def _switches(table: Plain) -> tuple[Any, ...]:
    return table.get("enabled", True), table.get("shadow", False), table.get(SOURCE, "")


def _indexes(bits: int) -> Iterator[int]:
    """The settings of a set of bits, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
