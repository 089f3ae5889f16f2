"""One pass over a day for many settings (WHATIF.md 7): a tree of courses, as deep as the decisions.

Settings that have decided alike so far share one course, which is run for the first of them; the rules in which they
differ are asked for all of them (course_tree_rules.py). The day is taken in steps, its opening, its facts and its end.
A setting that decides otherwise in a step leaves, and takes that step again from a copy of both courses before it,
together with the others that left there. What a setting cannot share (profile, programme, groups, the rules that it has
on) makes it a course of its own from the opening on: never wrong, only slower.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from replay.sweep.course_tree_rules import Sharers, shared_rulebook
from replay.sweep.forks import forked
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.market import DayFacts, Run, Told
from riskcore.core.events import ConfigChanged
from riskcore.core.rules import by_name
from riskcore.core.rules.base import SOURCE, parameters_of

Plain = Mapping[str, Any]
WARN_AT = "warn_at"
Found = TypeVar("Found")


@dataclass(slots=True)
class Branch:
    """Settings that go on together: from the opening, or from a copy of both courses before a step of the day."""

    members: list[int]
    courses: Courses | None = None
    step: int = 0


@dataclass(slots=True)
class CourseTree:
    """One day under many settings.

    begin(index)  both courses of a setting, as they stand before the day opens.
    in_force      for each setting, the settings of the counterfactual that the day opens with.
    next_date     the day that follows; None: the recording ends here.
    """

    day: DayFacts
    next_date: str | None
    begin: Callable[[int], Courses]
    in_force: Sequence[Plain]
    courses: int = 0  # Courses that ended, of so many settings.

    def __post_init__(self) -> None:
        self.in_force = [without_warnings(settings) for settings in self.in_force]

    def run(self, found: Callable[[Courses], Found]) -> list[Found]:
        """What each setting comes to: `found` is asked once for each course that has ended."""
        results: dict[int, Found] = {}
        waiting = [Branch(members) for members in reversed(self._alike())]
        while waiting:
            branch = waiting.pop()
            members, courses = self._grow(branch, waiting)
            self.courses += 1
            result = found(courses)
            results.update((member, result) for member in members)
        return [results[index] for index in range(len(self.in_force))]

    def _alike(self) -> list[list[int]]:
        """The settings in groups that may share a course: they differ in parameters of their rules and nothing else."""
        if any(isinstance(item, Told) and isinstance(item.event.body, ConfigChanged) for item in self.day.items):
            return [[index] for index in range(len(self.in_force))]
        groups: dict[str, list[int]] = {}
        for index, settings in enumerate(self.in_force):
            groups.setdefault(repr(_shape(settings)), []).append(index)
        return list(groups.values())

    def _grow(self, branch: Branch, waiting: list[Branch]) -> tuple[list[int], Courses]:
        """Take the rest of the day for a branch; those that leave on the way wait as branches of their own."""
        sharers = Sharers(sum(1 << index for index in branch.members[1:]))
        courses, shared = branch.courses, self._shared(branch.members, sharers)
        if courses is None:
            courses = self.begin(branch.members[0])
            courses.opened = shared
            kept = None
        else:
            shared(courses.counterfactual)
        for step in range(branch.step, len(self.day.items) + 2):
            if step:
                kept = forked(courses) if sharers.live else None
            sharers.time_passed(self._take(courses, step))
            left = sharers.take_left()
            if left:
                waiting.append(Branch(_members(left), kept, step))
        return [branch.members[0], *_members(sharers.live)], courses

    def _shared(self, members: list[int], sharers: Sharers) -> Callable[[Course], None]:
        """Makes a counterfactual that of the first of these settings, with the others as sharers."""
        own = dict(self.in_force[members[0]])
        others = [(1 << index, self.in_force[index]) for index in members[1:]]

        def shared(course: Course) -> None:
            course.book.settings = own
            course.runner.decide_by(shared_rulebook(own, course.restrict, sharers, others))

        return shared

    def _take(self, courses: Courses, step: int) -> int:
        """One step of the day: its opening, one of its facts or runs of quotes, its end; returns how late it is then."""
        day, items = self.day, self.day.items
        if step == 0:
            courses.open(day)
            return courses.counterfactual.book.now
        if step > len(items):
            courses.end(day, self.next_date)
            return day.day.closes_at - 1 if self.next_date is not None else day.last_at or day.day.opens_at
        item = items[step - 1]
        courses.take(day, item)
        return day.ats[item.end - 1] if isinstance(item, Run) else item.event.at


def without_warnings(settings: Plain) -> dict[str, Any]:
    """Settings that decide the same and warn of nothing: an alert changes no outcome, and its limit is each setting's."""

    def silent(rules: Plain) -> dict[str, Any]:
        return {name: [_silent(name, table) for table in tables] for name, tables in rules.items()}

    accounts = {name: silent(rules) for name, rules in settings["accounts"].items()}
    return {**settings, "rules": silent(settings["rules"]), "accounts": accounts}


def _silent(name: str, table: Plain) -> Plain:
    rule = by_name(name, table.get(SOURCE, ""))
    warns = not rule.source and any(parameter.name == WARN_AT for parameter in parameters_of(rule))
    return {**table, WARN_AT: None} if warns else table


def _members(bits: int) -> list[int]:
    return list(_each(bits))


def _each(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


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
