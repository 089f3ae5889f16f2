"""Settings as a trader writes them: amounts in dollars, times as clock times, every default filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from riskcore.core.groups.group import Group
from riskcore.core.groups.registry import GROUP_RULES
from riskcore.core.programme.registry import PROGRAMME
from riskcore.core.programme.terms import account_programme
from riskcore.core.rulebook import tables_of
from riskcore.core.rules import by_name
from riskcore.core.rules.base import SOURCE, SWITCHES
from riskcore.settings.config import read_settings
from riskcore.settings.kinds import toml_lines
from riskcore.settings.programme_table import ProgrammeTable
from riskcore.settings.toml_text import settings_toml

Written = dict[str, Any]


@cache
def _defaults() -> dict[str, Any]:
    return read_settings("").plain


def written_settings(plain: Mapping[str, Any]) -> Written:
    """Plain settings of an opening event as the tables of riskcore.toml, JSON-ready."""
    # Days recorded before a setting existed were judged by its default.
    full = {**_defaults(), **plain}
    full["profile"] = {**_defaults()["profile"], **plain["profile"]}
    return tomllib.loads(settings_toml(full))


def written_rule(plain: Mapping[str, Any], account: int, name: str | None, rule_key: str) -> Written | None:
    """The parameters of one rule instance as they were in force for an account; None for what is not configured."""
    rule_name, _, index = rule_key.rpartition(".")
    if any(rule_name == one.rule.name for one in PROGRAMME):
        programme = account_programme(plain, account, name)
        return tomllib.loads("\n".join(toml_lines(ProgrammeTable, programme))) if programme else None
    if any(rule_name == rule.name for rule in GROUP_RULES):
        return tomllib.loads("\n".join(toml_lines(Group, plain["groups"][int(index)])))
    instances = tables_of(plain.get("rules", {}), plain.get("accounts", {}), account, name).get(rule_name)
    if instances is None:
        return None
    table = instances[int(index)]
    own = {key: value for key, value in table.items() if key not in (*SWITCHES, SOURCE)}
    written = tomllib.loads("\n".join(toml_lines(by_name(rule_name, table.get(SOURCE, "")).params, own)))
    return {**written, "shadow": True} if table.get("shadow") else written


def changes(old: Written, new: Written) -> list[dict[str, Any]]:
    """What differs between two written settings, by the address of each setting."""
    before, after = flat_settings(old), flat_settings(new)
    paths = [*before, *(path for path in after if path not in before)]
    return [
        {"setting": path, "old": before.get(path), "new": after.get(path)}
        for path in paths
        if before.get(path) != after.get(path)
    ]


def flat_settings(written: Written) -> dict[str, Any]:
    """Every single setting by its address: rules.daily_realized_loss.loss_limit."""
    return _flat(written, "")


def _flat(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The leaves of nested tables by their address; an array of tables is addressed by position."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            value = {str(index): item for index, item in enumerate(value)}
        if isinstance(value, dict) and value:
            found.update(_flat(value, where))
        else:
            found[where] = value
    return found
