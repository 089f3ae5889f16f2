"""Settings: riskcore.toml and `--set`, checked and turned into plain data the core reads (INTERFACE.md 3).

Amounts are read exactly; every default is written out, so that settings in force stay what they are when a later
version changes a default.
"""

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from riskcore.core.groups.group import Group
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import RULES, by_name, in_order
from riskcore.core.rules.base import SOURCE, SWITCHES, Rule, parameters_of
from riskcore.errors import ConfigError
from riskcore.folders import user_folder
from riskcore.settings import user_rules
from riskcore.settings.alerts import AlertSettings, read_alerts
from riskcore.settings.assignments import assign, parse_toml
from riskcore.settings.kinds import merge_tables, read_table
from riskcore.settings.place import LONGEST_TEXT, Faults, refuse_unknown, shown, shown_key
from riskcore.settings.programme import merged_programme, read_programme
from riskcore.settings.tables import NANOSECONDS, RENAMED, ApiTable, ProfileTable, RuleSwitches
from riskcore.settings.warnings import warnings_about
from riskcore.settings.writers import toml_key

FILE_NAME = "riskcore.toml"
LARGEST_FILE = 1_048_576
MOST_INSTANCES = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings. `plain` is what `rulebook_of` and `TradingDayOpened` take; JSON-serialisable.

    `keep_payloads`, `api` and `alerts` are no part of it: what is kept beside events, and who may look or is told,
    decide nothing. `file` and `sets`: what they were read from, so that they can be read under further overrides.
    """

    plain: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    source: str = "defaults"
    keep_payloads: str = "user"
    api: dict[str, Any] = field(default_factory=lambda: read_table(ApiTable, {}, "api", []))
    alerts: AlertSettings = field(default_factory=AlertSettings)
    file: "SettingsFile | None" = field(default=None, repr=False, compare=False)
    sets: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def alert_channels(self, level: str, at: int) -> list[str]:
        """The names of the channels that hear of an alert of this level at an instant."""
        return self.alerts.listeners(
            level, datetime.fromtimestamp(at / 1e9, ZoneInfo(self.plain["profile"]["timezone"]))
        )


def user_config_folder() -> Path:
    """Where this user's settings live on this system."""
    return user_folder("settings")


def find_file() -> Path | None:
    """RISKCORE_CONFIG, else riskcore.toml in the working directory, else in the user's config folder.

    Raises ConfigError for a folder that may not be looked into: going on without its rules would guard nothing.
    """
    named = os.environ.get("RISKCORE_CONFIG")
    if named:
        return Path(named)
    candidates = (Path(FILE_NAME), user_config_folder() / FILE_NAME)
    for path in candidates:
        try:
            if path.exists():
                return path
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be looked for: {error.strerror or error}; name it with --config"
            ) from None
    return None


@dataclass(slots=True)
class SettingsFile:
    """TOML text that is read once and checked under any number of overrides (`--set`).

    Equal tables of rules are checked once and shared by all `Settings` that come of it: nobody changes them.
    `path`: the file it is, None for text that is none; `remark`: what is to be said of it each time.
    """

    text: str
    source: str = "defaults"
    path: Path | None = None
    remark: str = ""
    _raw: dict[str, Any] | None = None
    _known: "KnownTables" = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path | None = None) -> "SettingsFile":
        """The file at a path, by default the one `find_file` finds; none means defaults. Raises ConfigError."""
        found = Path(path) if path is not None else find_file()
        if found is None:
            return cls("", remark=f"no {FILE_NAME} found; defaults are used (write one with: riskcore config init)")
        return cls(_text_of(found), str(found), found)

    def under(self, sets: Sequence[str] = ()) -> Settings:
        """The settings of it under overrides. Raises ConfigError naming key, value and range."""
        if self.path is not None:
            user_rules.look_in(self.path.parent)
        if self._raw is None:
            try:
                self._raw = parse_toml(self.text)
            except ValueError as error:
                raise ConfigError(
                    f"{self.source}: not valid TOML: {' '.join(str(error).split())[:LONGEST_TEXT]}"
                ) from None
        raw = deepcopy(self._raw)
        for assignment in sets:
            assign(raw, assignment)
        warnings: list[str] = []
        try:
            alerts = read_alerts(_table(raw.pop("alerts", {}), "alerts"))
            plain = _read(raw, warnings, self._known)
        except ConfigError as error:
            where = "" if self.source == "defaults" else f"{self.source}: "
            raise ConfigError("\n".join(f"{where}{line}" for line in str(error).split("\n"))) from None
        keep_payloads = plain["profile"].pop("keep_payloads")
        api = plain.pop("api")
        told = list(dict.fromkeys([*warnings, *warnings_about(plain)]))
        remarks = [self.remark] if self.remark else []
        return Settings(plain, [*remarks, *told], self.source, keep_payloads, api, alerts, self, tuple(sets))


def _text_of(path: Path) -> str:
    """What a settings file says. Raises ConfigError."""
    try:
        # A pipe would be waited for, and it cannot be read again when a running engine looks for changes.
        if path.exists() and not path.is_file() and str(path) != os.devnull:
            what = "a folder" if path.is_dir() else "a pipe or a device"
            raise ConfigError(f"{path}: this is {what}; name a settings file, such as {FILE_NAME}")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ConfigError(f"{path}: larger than {LARGEST_FILE} bytes; this is not a settings file")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from None


Given = Settings | str | Path | None  # Settings that are loaded already, or the file they are in; None: look for one.


def settings_of(given: Given | SettingsFile, sets: Sequence[str] = ()) -> Settings:
    """Settings as they are given, loaded if they are not yet. Raises ConfigError."""
    if isinstance(given, SettingsFile):
        return given.under(sets)
    if not isinstance(given, Settings):
        return load_settings(given, sets)
    if not sets:
        return given
    if given.file is None:
        raise ConfigError("settings that come from no file or text take no overrides")
    return given.file.under((*given.sets, *sets))


def read_once(given: Given | SettingsFile) -> Settings | SettingsFile:
    """The same, for settings that are asked for many times. Raises ConfigError."""
    return given if isinstance(given, Settings | SettingsFile) else SettingsFile.read(given)


def load_settings(path: str | Path | None = None, sets: Sequence[str] = ()) -> Settings:
    """The settings of a file (by default the one `find_file` finds; none means defaults) under `--set` overrides.

    `sets` are texts such as `rules.daily_realized_loss.loss_limit=400`, or one such text. Raises ConfigError naming
    key, value and range.
    """
    return SettingsFile.read(path).under((sets,) if isinstance(sets, str) else sets)


def read_settings(text: str, sets: Sequence[str] = (), source: str = "defaults") -> Settings:
    """The settings of TOML text under `--set` overrides. Raises ConfigError."""
    return SettingsFile(text, source).under(sets)


# What checked tables of rules came to, and what was warned of: by address, rule and raw table.
KnownTables = dict[tuple[str, str, str], tuple[dict[str, Any], list[str]]]


def _read(raw: Mapping[str, Any], warnings: list[str], known: KnownTables) -> dict[str, Any]:
    """The plain settings. What is wrong in several parts is reported at once. Raises ConfigError."""
    faults = Faults()
    rules: dict[str, list[dict[str, Any]]] = {}
    accounts: dict[str, dict[str, Any]] = {}
    programme: dict[str, Any] | None = None
    own: dict[str, dict[str, Any]] = {}
    parts: dict[str, Any] = {}
    with faults.noted():
        refuse_unknown(raw, ("profile", "programme", "group", "rules", "accounts", "api"), "")
    with faults.noted():
        rules = _raw_rules(raw.get("rules", {}), "rules", faults)
    with faults.noted():
        programme = _table(raw["programme"], "programme") if "programme" in raw else None
    with faults.noted():
        for name, table in _table(raw.get("accounts", {}), "accounts").items():
            accounts[name] = _table(table, _account_path(name))
    with faults.noted():
        own = _account_programmes(accounts, programme, warnings)
    with faults.noted():
        parts["groups"] = _groups(raw["group"], warnings) if "group" in raw else None
    with faults.noted():
        parts["profile"] = _profile(_table(raw.get("profile", {}), "profile"), warnings)
    with faults.noted():
        parts["programme"] = None if programme is None else read_programme(programme, "programme", warnings)
    with faults.noted():
        parts["rules"] = _plain_rules(rules, "rules", warnings, known)
    with faults.noted():
        parts["accounts"] = _accounts(accounts, rules, warnings, known)
    with faults.noted():
        parts["api"] = read_table(ApiTable, _table(raw.get("api", {}), "api"), "api", warnings)
    faults.report()
    return {
        "profile": parts["profile"],
        "programme": parts["programme"],
        **({"programme_accounts": own} if own else {}),
        **({} if parts["groups"] is None else {"groups": parts["groups"]}),
        "rules": parts["rules"],
        "accounts": parts["accounts"],
        "api": parts["api"],
    }


def _account_path(name: str) -> str:
    path = f"accounts.{toml_key(name) if name == shown_key(name) else shown_key(name)}"
    if not name or len(name) > LONGEST_TEXT or not name.isprintable():
        raise ConfigError(f"{path}: no account has this name")
    return path


def _account_programmes(
    accounts: Mapping[str, Mapping[str, Any]], profile: dict[str, Any] | None, warnings: list[str]
) -> dict[str, dict[str, Any]]:
    """The full programme of each account that has one of its own, merged field by field over the profile's."""
    found = {}
    for name in sorted(accounts):
        if "programme" in accounts[name]:
            path = f"{_account_path(name)}.programme"
            own = merged_programme(profile, _table(accounts[name]["programme"], path))
            found[name] = read_programme(own, path, warnings)
    return found


def _table(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path} = {shown(value)}: must be a table")
    return value


def _profile(raw: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    plain = read_table(ProfileTable, raw, "profile", warnings)
    for name, plain_name in NANOSECONDS.items():
        plain[plain_name] = plain.pop(name) * SECOND_NS
    for name, plain_name in RENAMED.items():
        plain[plain_name] = plain.pop(name)
    return plain


def _raw_rules(value: Any, path: str, faults: Faults) -> dict[str, list[dict[str, Any]]]:
    """Raw tables per known rule, in the order of the registry; a single table becomes a list of one."""
    table = _table(value, path)
    for name in filter(user_rules.is_users, table):
        user_rules.load(name)
    known = [rule.name for rule in RULES]
    with faults.noted():
        refuse_unknown(table, known, path)
    found = {}
    for rule in in_order([name for name in table if name in known]):
        with faults.noted():
            found[rule.name] = _instances(table[rule.name], f"{path}.{toml_key(rule.name)}")
    return found


def _instances(value: Any, path: str) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise ConfigError(f"{path} = {shown(value)}: must be a table, or an array of tables [[{path}]]")
    if len(value) > MOST_INSTANCES:
        raise ConfigError(f"{path}: given {len(value)} times; {MOST_INSTANCES} are allowed")
    return value


def _plain_rules(
    rules: Mapping[str, list[dict[str, Any]]], path: str, warnings: list[str], known: KnownTables
) -> dict[str, list[dict[str, Any]]]:
    faults = Faults()
    found: dict[str, list[dict[str, Any]]] = {}
    for name, instances in rules.items():
        found[name] = []
        for raw, where in _addressed(instances, f"{path}.{toml_key(name)}"):
            with faults.noted():
                found[name].append(_known_rule(by_name(name), raw, where, warnings, known))
    faults.report()
    return found


def _groups(value: Any, warnings: list[str]) -> list[dict[str, Any]]:
    """The groups of accounts that are limited together (INTERFACE.md 3)."""
    return [read_table(Group, raw, where, warnings) for raw, where in _addressed(_instances(value, "group"), "group")]


def _addressed(instances: list[dict[str, Any]], path: str) -> list[tuple[dict[str, Any], str]]:
    if len(instances) == 1:
        return [(instances[0], path)]
    return [(raw, f"{path}.{index}") for index, raw in enumerate(instances)]


def _known_rule(
    rule: Rule, raw: Mapping[str, Any], path: str, warnings: list[str], known: KnownTables
) -> dict[str, Any]:
    """As `_plain_rule`, which says the same of an equal table each time; a user's own rule is rehearsed each time."""
    if rule.source:
        return _plain_rule(rule, raw, path, warnings)
    asked = path, rule.name, repr(raw)
    if asked not in known:
        told: list[str] = []
        known[asked] = _plain_rule(rule, raw, path, told), told
    plain, told = known[asked]
    warnings += told
    return plain


def _plain_rule(rule: Rule, raw: Mapping[str, Any], path: str, warnings: list[str]) -> dict[str, Any]:
    switches = {key: raw[key] for key in SWITCHES if key in raw}
    own = {key: value for key, value in raw.items() if key not in SWITCHES}
    judged_by = own.pop(SOURCE, rule.source) if rule.source else ""
    names = [parameter.name for parameter in parameters_of(rule)]
    plain: dict[str, Any] = {}
    faults = Faults()
    with faults.noted():
        refuse_unknown(own, [*SWITCHES, *names], path)
    with faults.noted():
        plain.update(read_table(RuleSwitches, switches, path, warnings))
    with faults.noted():
        known = {name: value for name, value in own.items() if name in names}
        plain.update(read_table(rule.params, known, path, warnings))
    faults.report()
    if "enabled" not in raw:
        plain["enabled"] = rule.on_by_default
    if rule.source:
        if judged_by != rule.source:
            warnings.append(f"{path}: the module is another one than {shown(judged_by)}, by which these were written")
        plain[SOURCE] = rule.source
        user_rules.rehearse(rule, plain)
    return plain


def _accounts(
    accounts: Mapping[str, Mapping[str, Any]],
    rules: Mapping[str, list[dict[str, Any]]],
    warnings: list[str],
    known: KnownTables,
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Per account the full tables of the rules it overrides, merged field by field over the profile's."""
    found = {}
    faults = Faults()
    for name in sorted(accounts):
        path, override = _account_path(name), accounts[name]
        with faults.noted():
            refuse_unknown(override, ("programme", "rules"), path)
            merged = {
                rule: _merged(by_name(rule), rules.get(rule), instances, f"{path}.rules.{rule}")
                for rule, instances in _raw_rules(override.get("rules", {}), f"{path}.rules", faults).items()
            }
            if merged:
                found[name] = _plain_rules(merged, f"{path}.rules", warnings, known)
    faults.report()
    return found


def _merged(
    rule: Rule, base: list[dict[str, Any]] | None, override: list[dict[str, Any]], path: str
) -> list[dict[str, Any]]:
    if base is None:
        return override
    if len(base) != len(override):
        raise ConfigError(
            f"{path}: given {len(override)} times, but the profile has the rule {len(base)} times; "
            "an override must give the same number of tables, in the same order"
        )
    return [merge_tables(rule.params, first, second) for first, second in zip(base, override, strict=True)]
