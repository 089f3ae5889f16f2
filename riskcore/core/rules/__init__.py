"""The registry of rules by their name in riskcore.toml."""

from riskcore.core.rules import (
    auth_loss_guard,
    cooldown_after_loss,
    daily_realized_loss,
    daily_realized_profit,
    daily_unrealized_loss,
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

RULES: tuple[Rule, ...] = (
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
_BY_NAME = {rule.name: rule for rule in RULES}


def by_name(name: str) -> Rule:
    """The rule of a settings table. Raises KeyError for an unknown name."""
    return _BY_NAME[name]
