"""How near an account is to the limits of its rules, for people who watch: nothing here decides anything.

Each gauge is one limit in force: what counts towards it, how much of it is used, and the rule that would act.
"""

from dataclasses import dataclass

from riskcore.core.quantities import limit_text, money_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.rules.base import COUNT
from riskcore.core.state import Account, Book
from riskcore.core.view import View
from riskcore.schema.rows import Row


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
        rule = instance.rule
        if rule.gauges is not None and not instance.lacking(book.lacks):
            view.rule_key = instance.key
            found.extend(
                Gauge(rule.id, one.name, one.kind, max(one.used, 0), one.limit, instance.shadow)
                for one in rule.gauges(instance.params, view)
            )
    return sorted(found, key=lambda gauge: (gauge.rule, gauge.name, gauge.limit))
