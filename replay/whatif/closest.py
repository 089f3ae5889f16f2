"""How near each course came to the limits of the counterfactual's rules, per account and day (WHATIF.md 5).

Measured are the limits that have one measure at every moment: contracts held, the day's P&L, an open loss or profit.
Marks are followed by the last price between two facts of an account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from replay.whatif.course import Course
from replay.whatif.market import DayFacts
from riskcore.core import events as e
from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.quantities import money_text
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules.day_total import combined_total, realised_total
from riskcore.core.state import Account, Mark
from riskcore.core.view import Effect, View
from riskcore.schema.instants import utc_text

_MOMENT = e.Event(0, "core", "closest", e.ClockTicked())
FOUR_PLACES = Decimal("0.0001")


class Measure(NamedTuple):
    """How much of a limit is used: in 1e-6 USD, or contracts."""

    used: int
    limit: int
    unit: str


class Approach(NamedTuple):
    """The nearest a course came to a limit."""

    measure: Measure
    at: int


def _count(instance: RuleInstance, view: View) -> Iterator[Measure]:
    params = instance.params
    mini = params.weighting == "mini_equivalent"
    sizes = [one.size * (micro_units(view.root(one.contract)) if mini else 1) for one in view.held()]
    count = abs(sum(sizes)) if params.count_type == "net" else sum(map(abs, sizes))
    yield Measure(count, params.limit * (MICRO_UNITS_OF_A_MINI if mini else 1), "contracts")


def _count_of_product(instance: RuleInstance, view: View) -> Iterator[Measure]:
    counts: dict[str, int] = {}
    for one in view.held():
        root = view.root(one.contract)
        counts[root] = counts.get(root, 0) + abs(one.size)
    for root, count in sorted(counts.items()):
        limit = instance.params.limits.get(root, instance.params.default_limit)
        if limit:
            yield Measure(count, limit, "contracts")


def _day_loss(instance: RuleInstance, view: View) -> Iterator[Measure]:
    params = instance.params
    if not params.basis.startswith("trailing"):
        total = realised_total if params.basis == "realized" else combined_total
        yield Measure(-total(view, params.pnl_basis).value, params.loss_limit, "USD")


def _day_profit(instance: RuleInstance, view: View) -> Iterator[Measure]:
    total = realised_total if instance.params.basis == "realized" else combined_total
    yield Measure(total(view, getattr(instance.params, "pnl_basis", None)).value, instance.params.profit_target, "USD")


def _open_loss(instance: RuleInstance, view: View) -> Iterator[Measure]:
    for value in _open(instance, view):
        yield Measure(-value, instance.params.loss_limit, "USD")


def _open_profit(instance: RuleInstance, view: View) -> Iterator[Measure]:
    if instance.params.mode == "profit_target":
        for value in _open(instance, view):
            yield Measure(value, instance.params.profit_target, "USD")


def _open(instance: RuleInstance, view: View) -> list[int]:
    if instance.params.scope == "total":
        return [view.total().value] if view.held() else []
    values = [view.value(position).value for position in view.held()]
    return [value for value in values if value is not None]


MEASURES: dict[str, Callable[[RuleInstance, View], Iterator[Measure]]] = {
    "max_contracts": _count,
    "max_contracts_per_instrument": _count_of_product,
    "daily_realized_loss": _day_loss,
    "daily_realized_profit": _day_profit,
    "daily_unrealized_loss": _open_loss,
    "max_unrealized_profit": _open_profit,
}


@dataclass(slots=True)
class Closest:
    """Follows one course by the rules of the counterfactual."""

    course: Course
    rules_of: Course
    found: dict[tuple[int, str, str], Approach] = field(default_factory=dict)  # Account, day, table.
    names: dict[str, str] = field(default_factory=dict)  # The rule of a table.

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
            for place, contract, last in day.extremes(held, start, end):
                marks[contract] = Mark(last, None, None, day.ats[place], 0)
                self._measure(account, marks, day.ats[place])

    def _measured(self, account: Account) -> list[RuleInstance]:
        rulebook: Rulebook = self.rules_of.runner.turn.rulebook
        return [one for one in rulebook.instances(account) if one.rule.name in MEASURES and not one.shadow]

    def _measure(self, account: Account, marks: dict[str, Mark], at: int) -> None:
        profile = self.rules_of.runner.turn.rulebook.profile
        book = replace(self.course.book, marks=marks, now=max(at, self.course.book.now))
        view = View(book, account, _MOMENT, Effect((account.id,)), profile.pnl_basis, profile.mark)
        for instance in self._measured(account):
            view.rule_key = instance.key
            self.names[instance.key] = instance.rule.id
            for measure in MEASURES[instance.rule.name](instance, view):
                name = (account.id, book.trade_date, instance.key)
                known = self.found.get(name)
                if known is None or measure.used * known.measure.limit > known.measure.used * measure.limit:
                    self.found[name] = Approach(measure, at)


def closest_rows(baseline: Closest, counterfactual: Closest) -> list[dict[str, Any]]:
    """One row per account, day and rule that was measured in either course."""
    names = {**baseline.names, **counterfactual.names}
    return [
        {
            "account": account,
            "trade_date": trade_date,
            "rule": names[table],
            "table": table,
            "baseline": _row(baseline.found.get((account, trade_date, table))),
            "counterfactual": _row(counterfactual.found.get((account, trade_date, table))),
        }
        for account, trade_date, table in sorted({*baseline.found, *counterfactual.found})
    ]


def _row(approach: Approach | None) -> dict[str, Any] | None:
    if approach is None:
        return None
    used, limit, unit = approach.measure
    left = max(limit - used, 0)
    share = (Decimal(max(used, 0)) / Decimal(limit)).quantize(FOUR_PLACES).normalize()
    return {
        "distance": money_text(left) if unit == "USD" else str(left),
        "unit": unit,
        "fraction": f"{share:f}",
        "at": utc_text(approach.at),
    }
