"""How near an account is to the limits of its rules, for people who watch: nothing here decides anything.

Each gauge is one limit in force: what counts towards it, how much of it is used, and the rule that would act.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.quantities import limit_text, money_text
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules.day_total import combined_total, peak_usd, realised_total
from riskcore.core.rules.exposure import Exposure, counted_orders
from riskcore.core.rules.trade_units import counting_fills, unit_of
from riskcore.core.state import Account, Book, Trade
from riskcore.core.view import View
from riskcore.schema.rows import Row

LOSS, PROFIT, COUNT = "loss", "profit", "count"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit. Money limits are in 1e-6 dollars, counts in the unit of their rule. `used` is never below 0."""

    rule: str
    name: str
    kind: str  # loss | profit | count
    used: int
    limit: int
    shadow: bool = False

    @property
    def percent(self) -> int:
        """How much of the limit is used; 100 from the limit on, also for a limit of 0 that is passed."""
        if self.limit <= 0:
            return 100 if self.used > 0 else 0
        return min(self.used * 100 // self.limit, 100)

    def row(self) -> Row:
        """The gauge for JSON: amounts as exact decimals, counts as text too, so that both read alike."""
        counted = self.kind == COUNT
        return {
            "rule": self.rule,
            "name": self.name,
            "unit": "" if counted else "$",
            "used": str(self.used) if counted else money_text(self.used),
            "limit": str(self.limit) if counted else limit_text(self.limit),
            "percent": self.percent,
            "shadow": self.shadow,
        }


def gauges(book: Book, rulebook: Rulebook, account: Account, view: View) -> list[Gauge]:
    """The limits in force for an account, those of its rules that can be drawn, in the order of rule ids."""
    found: list[Gauge] = []
    for instance in rulebook.instances(account):
        measure = _MEASURES.get(instance.rule.name)
        if measure is not None and not instance.lacking(book.lacks):
            view.rule_key = instance.key
            found.extend(measure(instance, instance.params, view))
    return sorted(found, key=lambda gauge: (gauge.rule, gauge.name, gauge.limit))


def _day_loss(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    total = realised_total if params.basis == "realized" else combined_total
    peak = peak_usd(view) if params.basis.startswith("trailing") else 0
    lost = max(peak - total(view, params.pnl_basis).value, 0)
    name = "day loss" if params.basis == "realized" else f"day loss, {params.basis.replace('_', ' ')}"
    yield Gauge(instance.rule.id, name, LOSS, lost, params.loss_limit, instance.shadow)


def _day_profit(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    total = realised_total if params.basis == "realized" else combined_total
    yield Gauge(
        instance.rule.id, "day profit", PROFIT, max(total(view, None).value, 0), params.profit_target, instance.shadow
    )


def _open_values(params: Any, view: View) -> list[int]:
    """Open P&L as a rule of this scope looks at it: of each contract, or of all together."""
    if params.scope == "total":
        return [view.total().value]
    values = [view.value(position).value for position in view.held()]
    return [value for value in values if value is not None]


def _open_loss(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    lost = max((-value for value in _open_values(params, view)), default=0)
    yield Gauge(instance.rule.id, "open loss", LOSS, max(lost, 0), params.loss_limit, instance.shadow)


def _open_profit(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    if params.mode == "profit_target":
        won = max(_open_values(params, view), default=0)
        yield Gauge(instance.rule.id, "open profit", PROFIT, max(won, 0), params.profit_target, instance.shadow)


def _contracts(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    minis = params.weighting == "mini_equivalent"

    def weight(contract: str) -> int:
        return micro_units(view.root(contract)) if minis else 1

    orders = counted_orders(view) if params.include_working_orders else []
    count = Exposure(view.held(), orders, weight, params.count_type == "net").count()
    limit = params.limit * MICRO_UNITS_OF_A_MINI if minis else params.limit
    yield Gauge(instance.rule.id, "micro units" if minis else "contracts", COUNT, count, limit, instance.shadow)


def _contracts_of_roots(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    orders = counted_orders(view) if params.include_working_orders else []
    for root, limit in params.limits.items():
        held = [position for position in view.held() if view.root(position.contract) == root]
        working = [order for order in orders if view.root(order.contract) == root]
        if held or working:
            count = Exposure(held, working, lambda contract: 1).count()
            yield Gauge(instance.rule.id, f"{root} contracts", COUNT, count, limit, instance.shadow)


def _trades(instance: RuleInstance, params: Any, view: View) -> Iterator[Gauge]:
    """Trades of the day; the rolling windows of a minute and an hour change too fast to be watched."""
    if params.per_session is not None:
        units = {
            unit_of(trade, params.count_unit)
            for trade in counting_fills(view)
            if trade.trade_date == view.day.trade_date
            and (params.count_unit != "round_turn" or _trip_over(view, trade))
        }
        yield Gauge(instance.rule.id, "trades today", COUNT, len(units), params.per_session, instance.shadow)


def _trip_over(view: View, trade: Trade) -> bool:
    """A round turn counts when it is flat again (RULES.md 5, RULE-006)."""
    return trade.round_trip < view.account.positions[trade.contract].round_trips


_MEASURES: dict[str, Callable[[RuleInstance, Any, View], Iterator[Gauge]]] = {
    "daily_realized_loss": _day_loss,
    "daily_realized_profit": _day_profit,
    "daily_unrealized_loss": _open_loss,
    "max_unrealized_profit": _open_profit,
    "max_contracts": _contracts,
    "max_contracts_per_instrument": _contracts_of_roots,
    "trade_frequency_limit": _trades,
}
