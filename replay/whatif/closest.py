"""How near each course came to the limits of the counterfactual's rules, per account and day (WHATIF.md 5).

Measured is what the rules' own gauges read. Marks are followed by the last price between two facts of an account.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from replay.whatif.course import Course
from replay.whatif.market import DayFacts
from riskcore.core import events as e
from riskcore.core.copies import copy_account
from riskcore.core.names import memory_name
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules.base import COUNT, SECONDS, Reading
from riskcore.core.state import Account, Mark
from riskcore.core.view import Effect, View
from riskcore.schema.instants import utc_text

_MOMENT = e.Event(0, "core", "closest", e.ClockTicked())
FOUR_PLACES = Decimal("0.0001")


class Approach(NamedTuple):
    """The nearest a course came to a limit."""

    reading: Reading
    at: int


@dataclass(slots=True)
class Closest:
    """Follows one course by the rules of the counterfactual."""

    course: Course
    rules_of: Course
    limits_apart: bool = False  # Each limit of a table by its name, instead of the nearest of them all.
    # Account, day, table, and the name of the limit where they are apart.
    found: dict[tuple[int, str, str, str], Approach] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # The rule of a table.
    # What rules whose level trails a mark remember along this course, per account: the level is of the marks measured.
    _levels: dict[int, dict[str, int]] = field(default_factory=dict)
    _levels_of: str = ""

    def look(self, account_id: int, at: int) -> None:
        """Measure an account as it is now."""
        account = self.course.book.accounts.get(account_id)
        if account is not None and self.course.book.day is not None:
            self._measure(account, dict(self.course.book.marks), at)

    def follow(self, day: DayFacts, start: int, end: int) -> None:
        """Measure every account that holds something along the quotes at these places."""
        for account in self.course.book.accounts.values():
            held = [one.contract for one in account.held()]
            if not held or not any(one.rule.quiet is not None for one in self._measured(account)):
                continue
            marks = dict(self.course.book.marks)
            for contract in held:
                before = day.last_before(contract, start)
                if before is not None:
                    marks[contract] = Mark(before.price, None, None, before.at, 0)
            turns = any(_trails(one) for one in self._measured(account))
            for place, contract, last in day.extremes(held, start, end, turns=turns):
                marks[contract] = Mark(last, None, None, day.ats[place], 0)
                self._measure(account, marks, day.ats[place])

    def _measured(self, account: Account) -> list[RuleInstance]:
        rulebook: Rulebook = self.rules_of.runner.turn.rulebook
        return [one for one in rulebook.instances(account) if one.rule.gauges is not None and not one.shadow]

    def _measure(self, account: Account, marks: dict[str, Mark], at: int) -> None:
        instances = self._measured(account)
        trailing = [one for one in instances if _trails(one)]
        if trailing:
            account = self._with_levels(account, trailing)
        profile = self.rules_of.runner.turn.rulebook.profile
        book = replace(self.course.book, marks=marks, now=max(at, self.course.book.now))
        view = View(book, account, _MOMENT, Effect((account.id,)), profile.pnl_basis, profile.mark)
        for instance in instances:
            view.rule_key = instance.key
            self.names[instance.key] = instance.rule.id
            if instance in trailing and instance.rule.remember is not None:
                instance.rule.remember(instance.params, view)
            for reading in instance.rule.gauges(instance.params, view) if instance.rule.gauges is not None else ():
                name = (account.id, book.trade_date, instance.key, reading.name if self.limits_apart else "")
                known = self.found.get(name)
                if _is_measured(reading) and (known is None or _share(reading) > _share(known.reading)):
                    self.found[name] = Approach(reading, at)
        if trailing:
            self._levels[account.id] = _of(account.memory, trailing)

    def _with_levels(self, account: Account, trailing: list[RuleInstance]) -> Account:
        """A copy of the account whose trailed levels stand where the marks measured so far have put them."""
        if self._levels_of != self.course.book.trade_date:
            self._levels_of = self.course.book.trade_date
            self._levels.clear()
        copied = copy_account(account)
        for name in _of(copied.memory, trailing):
            del copied.memory[name]
        copied.memory.update(self._levels.get(account.id, {}))
        return copied


def _trails(instance: RuleInstance) -> bool:
    """Whether what a rule measures hangs on what came before: a copy of it then remembers along this course."""
    return instance.rule.trails is not None and instance.rule.trails(instance.params)


def _of(memory: dict[str, int], instances: list[RuleInstance]) -> dict[str, int]:
    starts = tuple(memory_name(one.key, "") for one in instances)
    return {name: value for name, value in memory.items() if name.startswith(starts)}


def _is_measured(reading: Reading) -> bool:
    """Whether a share of a limit in dollars or counts can be told; time is followed by its own clock."""
    return reading.kind != SECONDS and reading.capacity is not None and reading.capacity > 0


def _share(reading: Reading) -> Fraction:
    """How much of the limit is used, below 0 on the good side."""
    assert reading.used is not None, "only what is measured is compared"
    assert reading.capacity is not None, "only what is measured is compared"
    return Fraction(reading.used, reading.capacity)


def closest_rows(baseline: Closest, counterfactual: Closest) -> list[dict[str, Any]]:
    """One row per account, day and rule that was measured in either course."""
    names = {**baseline.names, **counterfactual.names}
    return [
        {
            "account": account,
            "trade_date": trade_date,
            "rule": names[table],
            "table": table,
            "baseline": _row(baseline.found.get((account, trade_date, table, limit))),
            "counterfactual": _row(counterfactual.found.get((account, trade_date, table, limit))),
        }
        for account, trade_date, table, limit in sorted({*baseline.found, *counterfactual.found})
    ]


def _row(approach: Approach | None) -> dict[str, Any] | None:
    """What was left of a limit at its nearest: 0 at the limit, negative beyond it."""
    if approach is None:
        return None
    reading, left = approach.reading, 1 - _share(approach.reading)
    share = (Decimal(left.numerator) / Decimal(left.denominator)).quantize(FOUR_PLACES).normalize()
    distance = left * (reading.capacity or 0)
    return {
        "distance": reading.text(int(distance)),
        "unit": "count" if reading.kind == COUNT else "USD",
        "fraction": f"{share:f}",
        "at": utc_text(approach.at),
    }
