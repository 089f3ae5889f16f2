"""What a trader should know about settings that are allowed but rarely meant (`riskcore config check`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from riskcore.core.groups.registry import group_of, rules_of
from riskcore.core.rules import RULES, by_name
from riskcore.core.rules.base import SOURCE, Beside
from riskcore.settings.programme import programmes_of
from riskcore.settings.programme_lint import programme_warnings

Rules = Mapping[str, list[dict[str, Any]]]


def warnings_about(plain: Mapping[str, Any]) -> list[str]:
    """Warnings about plain settings, in a fixed order."""
    rules, accounts, own = plain["rules"], plain["accounts"], plain.get("programme_accounts", {})
    listed = plain["profile"]["accounts"]
    found = []
    if not any_rule_on(plain):
        found.append("no rule is switched on: nothing will be judged")
    found.extend(_about_rules(rules, "rules", _bounded_by_groups(plain, listed)))
    for account, overrides in accounts.items():
        known = [text.removeprefix("rules") for text in found]
        path = f"accounts.{account}.rules"
        about = _about_rules({**rules, **overrides}, path, _bounded_by_groups(plain, [account]))
        # What is true of the whole profile is reported once.
        found.extend(text for text in about if text.removeprefix(path) not in known)
    found.extend(programme_warnings(plain))
    found.extend(
        f"accounts.{account}: not in profile.accounts; it matters only if a listed account has this other name or id"
        for account in sorted({**accounts, **own})
        if listed and account not in listed
    )
    for group in plain.get("groups") or ():
        outside = ", ".join(name for name in group["accounts"] if listed and name not in listed)
        if outside:
            found.append(
                f"group {group['name']!r}: accounts ({outside}) not in profile.accounts, so they do not count in it; "
                "it matters only if no listed account has this other name or id"
            )
    return found


def any_rule_on(plain: Mapping[str, Any]) -> bool:
    """Whether anything is judged: a rule, the firm's programme, or a limit of a group."""
    tables = (plain.get("rules", {}), *plain.get("accounts", {}).values())
    on = any(one.get("enabled", True) for rules in tables for instances in rules.values() for one in instances)
    return on or bool(programmes_of(plain)) or bool(plain.get("groups"))


def _active(rules: Rules, name: str) -> list[Any]:
    """The parameters of the tables of a rule that act."""
    return [by_name(name, plain.get(SOURCE, "")).build(plain) for plain in rules[name] if _acts(plain)]


def _acts(plain: Mapping[str, Any]) -> bool:
    return plain["enabled"] and not plain["shadow"]


def _bounded_by_groups(plain: Mapping[str, Any], accounts: Sequence[str]) -> tuple[str, ...]:
    """What groups bound for every one of these accounts; none given are all of the profile."""
    groups = map(group_of, plain.get("groups") or ())
    over = [one for one in groups if not one.accounts or (accounts and set(accounts) <= set(one.accounts))]
    return tuple(bound for group in over for rule in rules_of(group) for bound in rule.bounds(group))


def _about_rules(rules: Rules, path: str, bounded: tuple[str, ...]) -> list[str]:
    active = [(by_name(name), params) for name in rules for params in _active(rules, name)]
    bounded += tuple(bound for rule, params in active for bound in rule.bounds(params))
    beside = Beside(bounded, _bounding())
    found = _about_switches(rules, path)
    for rule, params in active:
        if rule.warnings is not None:
            found.extend(rule.warnings(params, f"{path}.{rule.name}", beside))
    return list(dict.fromkeys(found))


def _bounding() -> dict[str, tuple[str, ...]]:
    """Per bound the rules that have it by their defaults."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in RULES:
        for bound in rule.bounds(rule.params()):
            found[bound] = (*found.get(bound, ()), rule.name)
    return found


def _about_switches(rules: Rules, path: str) -> list[str]:
    found = []
    for name, instances in rules.items():
        if any(plain["locked"] and not plain["enabled"] for plain in instances):
            found.append(f"{path}.{name} IS LOCKED BUT DISABLED: locking protects its settings, it enforces nothing")
        elif not any(plain["enabled"] for plain in instances):
            found.append(f"{path}.{name}: the table is there but enabled = false: it does nothing")
        elif not any(map(_acts, instances)):
            found.append(f"{path}.{name}: shadow = true: it only records what it would have done")
    return found
