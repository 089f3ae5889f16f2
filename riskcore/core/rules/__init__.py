"""The registry of rules by their name in riskcore.toml."""

from riskcore.core.rules import daily_realized_loss, daily_unrealized_loss
from riskcore.core.rules.base import Rule

RULES: tuple[Rule, ...] = (
    daily_realized_loss.RULE,
    daily_unrealized_loss.RULE,
)
_BY_NAME = {rule.name: rule for rule in RULES}


def by_name(name: str) -> Rule:
    """The rule of a settings table. Raises KeyError for an unknown name."""
    return _BY_NAME[name]
