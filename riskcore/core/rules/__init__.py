"""The registry of rules by their name in riskcore.toml."""

from collections.abc import Collection

from riskcore.core.rules import (
    auth_loss_guard,
    blind,
    calibration,
    cooldown_after_loss,
    daily_realized_loss,
    daily_realized_profit,
    daily_unrealized_loss,
    feed,
    max_contracts,
    max_contracts_per_instrument,
    max_unrealized_profit,
    no_stop_loss_grace,
    session_block_outside,
    symbol_blocks,
    trade_frequency_limit,
    trade_management,
)
from riskcore.core.rules.base import Rule

_CONFIGURED = (
    max_contracts.RULE,
    max_contracts_per_instrument.RULE,
    daily_realized_loss.RULE,
    daily_unrealized_loss.RULE,
    max_unrealized_profit.RULE,
    trade_frequency_limit.RULE,
    cooldown_after_loss.RULE,
    no_stop_loss_grace.RULE,
    session_block_outside.RULE,
    auth_loss_guard.RULE,
    symbol_blocks.RULE,
    trade_management.RULE,
    daily_realized_profit.RULE,
)
_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in _CONFIGURED}
# Every rule that a table of riskcore.toml can switch on, those added later too.
RULES: Collection[Rule] = _BY_NAME.values()
# Rules without a table: they watch wherever others are on.
STANDING: tuple[Rule, ...] = (feed.FEED, blind.BLIND, calibration.CALIBRATION)


def by_name(name: str) -> Rule:
    """The rule of a settings table. Raises KeyError for an unknown name."""
    return _BY_NAME[name]


def add(rule: Rule) -> None:
    """Make a rule that is defined elsewhere one of the rules. Raises ValueError when its id or name is taken."""
    if any(known.id == rule.id or known.name == rule.name for known in (*RULES, *STANDING)):
        raise ValueError(f"there is a rule {rule.id} or {rule.name} already")
    _BY_NAME[rule.name] = rule


def of_id(rule_id: str) -> Rule | None:
    """The rule of an id; None for an id of no rule."""
    return next((rule for rule in (*RULES, *STANDING) if rule.id == rule_id), None)


def title_of(rule_id: str) -> str | None:
    """What the rule of an id is for; None for an id of no rule."""
    known = of_id(rule_id)
    return None if known is None else known.title
