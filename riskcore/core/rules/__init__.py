"""The registry of rules by their name in riskcore.toml."""

from collections.abc import Callable, Collection, Iterable

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
    period_loss,
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
    period_loss.RULE,
)
_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in _CONFIGURED}
_PACKAGED = tuple(_BY_NAME)
# Every rule that a table of riskcore.toml can switch on, those added later too.
RULES: Collection[Rule] = _BY_NAME.values()
# Rules without a table: they watch wherever others are on.
STANDING: tuple[Rule, ...] = (feed.FEED, blind.BLIND, calibration.CALIBRATION)


# Every version of a rule from outside that this process has seen, by its name and the hash of its source.
_BY_SOURCE: dict[tuple[str, str], Rule] = {}
# Who fetches a rule that nobody has added: the settings, for a rule of the user's own (settings/user_rules.py).
_FINDERS: list[Callable[[str], Rule | None]] = []


def by_name(name: str, source: str = "") -> Rule:
    """The rule of a settings table; of several versions of a user's rule the one of this source, if it is known.

    Raises KeyError for an unknown name.
    """
    known = _BY_SOURCE.get((name, source)) or _BY_NAME.get(name)
    for find in _FINDERS if known is None else ():
        known = find(name)
    if known is None:
        raise KeyError(name)
    return known


def in_order(names: Iterable[str]) -> list[Rule]:
    """The rules of these names: the package's in the order of the registry, then all others by name."""
    wanted = dict.fromkeys(names)
    others = sorted(name for name in wanted if name not in _PACKAGED)
    return [by_name(name) for name in (*(one for one in _PACKAGED if one in wanted), *others)]


def found_by(find: Callable[[str], Rule | None]) -> None:
    """Ask for rules that nobody has added."""
    _FINDERS.append(find)


def add(rule: Rule) -> None:
    """Make a rule that is defined elsewhere one of the rules. Raises ValueError when its id or name is taken."""
    if any(known.id == rule.id or known.name == rule.name for known in (*RULES, *STANDING)):
        raise ValueError(f"there is a rule {rule.id} or {rule.name} already")
    _BY_NAME[rule.name] = rule


def put(rule: Rule) -> None:
    """Make a rule from outside one of the rules, in the place of an earlier version of it.

    Raises ValueError when its name is one of the package's, or its id another rule's.
    """
    if rule.name in _PACKAGED and rule is not _BY_NAME[rule.name]:
        raise ValueError(f"{rule.name} is a rule of riskcore: give yours another name")
    taken = next((known for known in (*RULES, *STANDING) if known.id == rule.id and known.name != rule.name), None)
    if taken is not None:
        raise ValueError(f"the id {rule.id} belongs to {taken.name}: give the rule another one")
    _BY_NAME[rule.name] = rule
    _BY_SOURCE[rule.name, rule.source] = rule
