"""What the recorded days' own closest approaches say of a limit, whatever the effects of a sweep were (WHATIF.md 5).

A limit that is right for a trader lies beyond what good days need. So the worst point of each recorded day that ended
well is measured by the rule's own gauge, and its percentiles are shown: nothing is fitted to a result, and nothing is
said of few days.
"""

from collections.abc import Sequence
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

Row = dict[str, Any]
PERCENTILES = (50, 75, 90, 95)


@dataclass(slots=True)
class Approaches:
    """How far each recorded day went towards the limits of a grid, whatever they are set to.

    `limits`: by the table of a rule, the grid key and the largest number it takes.
    """

    study: Study
    limits: dict[str, list[tuple[str, str]]]
    _along: list[Closest] = field(default_factory=list)

    @classmethod
    def of(cls, study: Study, grid: Grid) -> "Approaches | None":
        """Those of a grid; None where none of its keys belongs to a rule."""
        limits: dict[str, list[tuple[str, str]]] = {}
        values = dict(next(iter(grid)))
        for axis in grid.axes:
            table, largest = _table_of(axis.key), _largest(axis)
            if table is not None and largest is not None:
                limits.setdefault(table, []).append((axis.key, largest))
                values[axis.key] = largest
        if not limits:
            return None
        quiet = replace(study, asked=study.asked.having(values.items()), warn=ignore, progress=ignore, step=ignore)
        return cls(replace(quiet, independent_days=True, quick=True), limits)

    def along(self, courses: Courses) -> None:
        """Measure a pass of a wire recording as it is made."""
        setting = runs_of(self.study).setting
        judge = Course(setting.settings_of(setting.baseline), self.study.restrict)
        courses.closest = (Closest(courses.baseline, judge), Closest(judge, judge))
        self._along.append(courses.closest[0])

    def measured(self) -> "Approaches":
        """With a pass of its own, where none was measured; a journal's settings come with its days."""
        if not self._along:
            runs = runs_of(self.study)
            first = {} if runs.setting.acts else runs.setting.settings_of(runs.setting.baseline)
            recorded = Course(runs.setting.baseline, self.study.restrict, enforces=runs.setting.acts)
            judge = Course(first, self.study.restrict)
            courses = Courses(recorded, judge, options_of(self.study, runs.quote_age_ns), runs.setting.settings_of)
            courses.closest = (Closest(recorded, judge), Closest(judge, judge))
            courses.load = runs.load
            courses.run(runs.days())
            self._along.append(courses.closest[0])
        return self

    def rows(self) -> list[Row]:
        """A row for each account and each key that is the limit of a rule."""
        worst: dict[tuple[int, str], list[int]] = {}
        units: dict[str, str] = {}
        [along] = self._along
        for (account, trade_date, table), approach in along.found.items():
            day = along.course.collector.days.get(account, {}).get(trade_date)
            if day is None or not is_shown(day) or not day.fills or day.net_usd <= 0:
                continue
            for key, value in self.limits.get(table, ()):
                if _is_limit(approach, value):
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
        ]


def _largest(axis: Axis) -> str | None:
    """The largest number of a key: how far a day went does not hang on it."""
    numbers = [value for value in axis.values if number_of(value) is not None]
    return max(numbers, key=Decimal, default=None)


def _table_of(key: str) -> str | None:
    """The rule's table that a key belongs to; None for a key of something else."""
    parts = split_assignment(f"{key}=0")[0]
    if parts[0] != "rules" or len(parts) not in (3, 4):
        return None
    return rule_key(parts[1], int(parts[2]) if len(parts) == 4 and parts[2].isdigit() else 0)


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
