"""The settings of both courses, and subsets of the rules between them (WHATIF.md 1 and 5)."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from riskcore.errors import ConfigError
from riskcore.settings.config import Given, SettingsFile, read_once, read_settings, settings_of
from riskcore.settings.programme import with_stored_terms
from riskcore.settings.toml_text import settings_toml

Plain = dict[str, Any]
Table = tuple[str, int]  # A rule and which of its tables.
# Settings of the profile and of the programme that differ count as one table of their own.
PROFILE: Table = ("profile", 0)
BESIDE_RULES = ("profile", "programme", "programme_accounts", "groups")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said about settings."""

    config: Given | SettingsFile = None
    sets: tuple[str, ...] = ()
    config_given: bool = False
    baseline: Given | SettingsFile = None
    rules_off: bool = False  # Of a journal: what its days would have come to without any rule.
    watched: bool = False  # Of a journal: nothing was carried out, so that its baseline has no rule.

    def read_once(self) -> "Asked":
        """The same with its files read, for settings that are asked for again and again. Raises ConfigError."""
        baseline = None if self.baseline is None else read_once(self.baseline)
        return replace(self, config=read_once(self.config), baseline=baseline)

    def having(self, values: Iterable[tuple[str, str]]) -> "Asked":
        """The same with these keys set as well."""
        return replace(self, sets=(*self.sets, *(f"{key}={value}" for key, value in values)))


def for_recording(asked: Asked) -> tuple[Plain, Plain, list[str]]:
    """Settings of baseline and counterfactual for wire recordings, and warnings. Raises ConfigError."""
    changed = settings_of(asked.config, asked.sets)
    if asked.baseline is not None:
        baseline = settings_of(asked.baseline).plain
    else:
        baseline = without_rules(changed.plain)
    for name in ("timezone", "reset_seconds"):
        if baseline["profile"][name] != changed.plain["profile"][name]:
            raise ConfigError(f"profile.{name}: both courses need the same trading day; leave it as it was recorded")
    return baseline, changed.plain, changed.warnings


def without_rules(plain: Mapping[str, Any]) -> Plain:
    """The settings of a profile on which nothing is judged: the same day, marks and accounts."""
    kept = {name: value for name, value in plain.items() if name not in ("groups", "programme_accounts")}
    return {**kept, "programme": None, "rules": {}, "accounts": {}}


def for_journal(asked: Asked) -> Callable[[Plain], Plain]:
    """How the settings that an export carries become those of the counterfactual. Raises ConfigError."""
    if asked.baseline is not None:
        raise ConfigError("--baseline: a journal export carries the settings it was judged by; leave it out")
    if asked.rules_off:
        return without_rules
    if asked.config_given:
        loaded = settings_of(asked.config, asked.sets).plain
        return lambda recorded: same_day(recorded, loaded)
    known: dict[str, Plain] = {}

    def changed(recorded: Plain) -> Plain:
        if not asked.sets:
            return recorded
        text = settings_toml(recorded)
        if text not in known:
            known[text] = read_settings(text, asked.sets, "the recorded settings").plain
        return same_day(recorded, with_stored_terms(recorded, known[text]))

    return changed


def same_day(recorded: Plain, changed: Plain) -> Plain:
    """The changed settings. Raises ConfigError where their trading day is not the recorded one."""
    for name in ("timezone", "reset_seconds"):
        if recorded["profile"].get(name) != changed["profile"].get(name):
            raise ConfigError(f"profile.{name}: both courses need the same trading day; leave it as it was recorded")
    return changed


def tables_on(settings: Mapping[str, Any]) -> list[Table]:
    """The rule tables that are on for the profile or for any account."""
    found: dict[Table, bool] = {}
    for rules in (settings["rules"], *settings["accounts"].values()):
        for name, tables in rules.items():
            for index, table in enumerate(tables):
                if table.get("enabled", True) and not table.get("shadow", False):
                    found[name, index] = True
    return sorted(found)


def tables_between(baseline: Mapping[str, Any], changed: Mapping[str, Any]) -> list[Table]:
    """What the effect is shared among: the tables that are on in either course, and a profile that differs."""
    tables = sorted({*tables_on(changed), *tables_on(baseline)})
    differs = any(baseline.get(name) != changed.get(name) for name in BESIDE_RULES)
    return [*tables, PROFILE] if differs else tables


def with_rules(baseline: Mapping[str, Any], changed: Mapping[str, Any], chosen: Iterable[Table]) -> Plain:
    """The changed settings where only these tables are changed; all others are as in the baseline, or off."""
    kept = set(chosen)
    mixed = deepcopy(dict(changed))
    if PROFILE not in kept:
        for name in BESIDE_RULES:
            mixed.pop(name, None)
        mixed.update({name: deepcopy(baseline[name]) for name in BESIDE_RULES if name in baseline})
    mixed["rules"] = _mixed(baseline["rules"], changed["rules"], kept)
    accounts = {}
    for account in sorted({*baseline["accounts"], *changed["accounts"]}):
        base = {**baseline["rules"], **baseline["accounts"].get(account, {})}
        other = {**changed["rules"], **changed["accounts"].get(account, {})}
        accounts[account] = _mixed(base, other, kept)
    mixed["accounts"] = accounts
    return mixed


def _mixed(base: Mapping[str, Any], changed: Mapping[str, Any], kept: set[Table]) -> dict[str, list[Plain]]:
    mixed: dict[str, list[Plain]] = {}
    for name in [*changed, *(name for name in base if name not in changed)]:
        ours, theirs = changed.get(name, []), base.get(name, [])
        tables = []
        for index in range(max(len(ours), len(theirs))):
            source = ours if (name, index) in kept else theirs
            if index < len(source):
                tables.append(deepcopy(source[index]))
            else:
                # The place of a table is part of its name, so one that is off keeps it.
                other = theirs if source is ours else ours
                tables.append({**deepcopy(other[index]), "enabled": False})
        mixed[name] = tables
    return mixed


def difference(baseline: Mapping[str, Any], changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every setting that differs, as a person writes it; None where one side has none."""
    before, after = _flat(baseline), _flat(changed)
    return [
        {"key": key, "baseline": before.get(key), "counterfactual": after.get(key)}
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else key)
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for index, item in enumerate(value):
                walk(item, f"{path}.{index}")
        else:
            found[path] = value

    walk(tomllib.loads(settings_toml(settings)), "")
    return found
