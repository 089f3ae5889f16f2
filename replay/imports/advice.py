"""How to go on where an import has no prices: rules that look at open P&L are blind on such days (INTERFACE.md 8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from riskcore.core.rulebook import RuleInstance, rulebook_of
from riskcore.core.state import Account

REALIZED, QUOTES = "realized", "quotes"


def next_steps(days: Sequence[Mapping[str, Any]], settings: dict[str, Any]) -> list[str]:
    """What to do about days without quotes and bars under these settings, in sentences; none where there are prices."""
    unpriced = [day for day in days if QUOTES in day["lacks"] and day["accounts"]]
    if not unpriced:
        return []
    accounts = sorted({row["id"] for day in unpriced for row in day["accounts"]})
    judging = [one for account in accounts for one in rulebook_of(settings).instances(Account(account))]
    tables = settings.get("rules", {})
    blind = [one for one in judging if QUOTES in one.rule.needs(one.params) and one.rule.stands is None]
    if judging and not blind:
        return []
    names = _named(blind, tables)
    which = f": {', '.join(names)}" if names else ""
    steps = [
        f"{_count(len(unpriced), len(days))} no quotes and no bars, so rules that look at open P&L are blind{which}. "
        "Import again with --bars FILE-or-DIR (answers of History/retrieveBars; riskcore fetch downloads fills and "
        "bars) or --quotes FILE.parquet"
    ]
    closed = _named((one for one in blind if one.rule.name in tables and _can_do_without(one)), tables)
    if not judging:
        steps.append(f'or judge closed trades only, with rules whose settings say basis = "{REALIZED}"')
    elif closed:
        sets = " ".join(f"--set rules.{name}.basis={REALIZED}" for name in closed)
        steps.append(f'or judge closed trades only: basis = "{REALIZED}" in riskcore.toml, or replay with {sets}')
    return steps


def _count(some: int, of: int) -> str:
    if some == of:
        return "the day has" if of == 1 else "these days have"
    return f"{some} of {of} days {'has' if some == 1 else 'have'}"


def _named(instances: Iterable[RuleInstance], tables: Mapping[str, Sequence[Any]]) -> list[str]:
    """Each rule once, by the address of its table, or by its id if it has none."""
    names = []
    for one in instances:
        several = len(tables.get(one.rule.name, ())) > 1
        address = one.key if several else one.rule.name
        names.append(address if one.rule.name in tables else one.rule.id)
    return list(dict.fromkeys(names))


def _can_do_without(instance: RuleInstance) -> bool:
    """Whether the rule has a basis that needs no prices."""
    if not any(field.name == "basis" for field in fields(instance.params)):
        return False
    return QUOTES not in instance.rule.needs(replace(instance.params, basis=REALIZED))
