"""What the recorded days' own closest approaches say of a limit, whatever the effects of a sweep were (WHATIF.md 5).

A limit that is right for a trader lies beyond what good days need. So the worst point of each recorded day that ended
well is measured by the rule's own gauge, and its percentiles are shown: nothing is fitted to a result, and nothing is
said of few days.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from replay.sessions import ignore
from replay.sweep.grid import Axis, Grid, number_of
from replay.whatif.closest import Approach, Closest
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.study import Study, options_of, runs_of
from riskcore.core.names import rule_key
from riskcore.core.quantities import MONEY_SCALE, money_text
from riskcore.core.rules.base import COUNT, LOSS
from riskcore.schema.rows import is_shown
from riskcore.settings.assignments import split_assignment
from riskcore.settings.config import settings_of

Row = dict[str, Any]
PERCENTILES = (50, 75, 90, 95)


@dataclass(slots=True)
class Approaches:
    """How far each recorded day went towards the limits of a grid, whatever they are set to.

    `limits`: by the table of a rule, the grid key and the number that it is measured by.
    """

    study: Study
    limits: dict[str, list[tuple[str, str]]]
    _along: list[Closest] = field(default_factory=list)

    @classmethod
    def of(cls, study: Study, grid: Grid) -> "Approaches | None":
        """Those of a grid; None where none of its keys belongs to a rule."""
        quiet = replace(study, warn=ignore, progress=ignore, step=ignore)
        limits: dict[str, list[tuple[str, str]]] = {}
        values = dict(next(iter(grid)))
        for axis in grid.axes:
            table, numbers = _table_of(axis.key), _numbers(axis)
            if table is not None and numbers:
                number = values[axis.key] = _only_one(quiet, values, axis.key, *table, numbers)
                limits.setdefault(rule_key(*table), []).append((axis.key, number))
        if not limits:
            return None
        asked = study.asked.having(values.items())
        return cls(replace(quiet, asked=asked, independent_days=True, quick=True), limits)

    def along(self, courses: Courses) -> None:
        """Measure a pass of a wire recording as it is made."""
        setting = runs_of(self.study).setting
        judge = Course(setting.settings_of(setting.baseline), self.study.restrict)
        courses.closest = (Closest(courses.baseline, judge, limits_apart=True), Closest(judge, judge))
        self._along.append(courses.closest[0])

    def measured(self) -> "Approaches":
        """With a pass of its own, where none was measured; a journal's settings come with its days."""
        if not self._along:
            runs = runs_of(self.study)
            first = {} if runs.setting.acts else runs.setting.settings_of(runs.setting.baseline)
            recorded = Course(runs.setting.baseline, self.study.restrict, enforces=runs.setting.acts)
            judge = Course(first, self.study.restrict)
            courses = Courses(recorded, judge, options_of(self.study, runs.quote_age_ns), runs.setting.settings_of)
            courses.closest = (Closest(recorded, judge, limits_apart=True), Closest(judge, judge))
            courses.load = runs.load
            courses.run(runs.days())
            self._along.append(courses.closest[0])
        return self

    def rows(self) -> list[Row]:
        """A row for each account and each key that is the limit of a rule."""
        worst: dict[tuple[int, str], list[int]] = {}
        units: dict[str, str] = {}
        [along] = self._along
        names: dict[str, set[str]] = {}
        for (account, trade_date, table, name), approach in along.found.items():
            day = along.course.collector.days.get(account, {}).get(trade_date)
            if day is None or not is_shown(day) or not day.fills or day.net_usd <= 0:
                continue
            for key, value in self.limits.get(table, ()):
                if _is_limit(approach, value):
                    names.setdefault(key, set()).add(name)
                    units[key] = "count" if approach.reading.kind == COUNT else "USD"
                    worst.setdefault((account, key), []).append(max(approach.reading.used or 0, 0))
        return [
            {
                "account": account,
                "key": key,
                "unit": units[key],
                "days": len(points),
                "percentiles": {str(share): _percentile(points, share, units[key]) for share in PERCENTILES},
            }
            for (account, key), points in sorted(worst.items())
            if len(names[key]) == 1  # Two limits of one number are not told apart.
        ]


def _numbers(axis: Axis) -> list[str]:
    """The numbers of a key, the largest first: how far a day went hangs on none of them."""
    return sorted((value for value in axis.values if number_of(value) is not None), key=Decimal, reverse=True)


def _only_one(study: Study, values: Mapping[str, str], key: str, rule: str, index: int, numbers: Sequence[str]) -> str:
    """The first of these numbers that nothing else in the rule's table has: a gauge is known by its limit."""
    if runs_of(study).setting.acts and not study.asked.config_given:
        return numbers[0]  # A journal's settings come with its days.

    def alone(number: str) -> bool:
        asked = study.asked.having({**values, key: number}.items())
        tables = settings_of(asked.config, asked.sets).plain["rules"][rule]
        found, own = [*map(Decimal, _integers_in(tables[index]))], Decimal(number)
        return found.count(own) + found.count(own * MONEY_SCALE) == 1  # A count, or an amount of money.

    return next(filter(alone, numbers), numbers[0])


def _integers_in(plain: Any) -> Iterator[int]:
    """Every number in plain settings, however deep."""
    if isinstance(plain, Mapping):
        plain = list(plain.values())
    if isinstance(plain, list):
        for one in plain:
            yield from _integers_in(one)
    elif isinstance(plain, int) and not isinstance(plain, bool):
        yield plain


def _table_of(key: str) -> tuple[str, int] | None:
    """The rule and which of its tables a key belongs to; None for a key of something else."""
    parts = split_assignment(f"{key}=0")[0]
    if parts[0] != "rules" or len(parts) not in (3, 4):
        return None
    return parts[1], int(parts[2]) if len(parts) == 4 and parts[2].isdigit() else 0


def _is_limit(approach: Approach, value: str) -> bool:
    """Whether the swept number is what the gauge counts up to, and no other setting of its rule."""
    scale = 1 if approach.reading.kind == COUNT else MONEY_SCALE
    return approach.reading.kind in (COUNT, LOSS) and approach.reading.capacity == Decimal(value) * scale


def _percentile(points: Sequence[int], share: int, unit: str) -> str | None:
    """The smallest point that so many of a hundred do not exceed; None where so few cannot tell it from the largest."""
    count = len(points)
    if count * (100 - share) < 100:
        return None
    point = sorted(points)[(count * share + 99) // 100 - 1]
    return str(point) if unit == "count" else money_text(point)
