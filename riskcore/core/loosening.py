"""Which part of new settings loosens a limit, and what may be in force before the next reset (RULES.md 1.6).

Each field declares its stricter direction (rules/base.py `spec`); a field without one counts as loosening. Fields that
limit something together are compared together, as their rule says (`Rule.loosens`). Works on plain settings as
`TradingDayOpened` and `ConfigChanged` carry them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskcore.core.groups.group import OPPOSITE, Group
from riskcore.core.programme import strictness
from riskcore.core.rules import by_name, in_order
from riskcore.core.rules.base import SOURCE, SWITCHES, Rule, parameters_of

Plain = Mapping[str, Any]
Tables = list[dict[str, Any]]

# Profile options, each from its loosest to its strictest value, or with the direction that tightens.
_PROFILE_ORDER: dict[str, tuple[Any, ...]] = {
    "strict_mode": (False, True),
    "operator_unlock": ("with_reason", "never"),
    "on_blind": ("alert", "flatten"),
    "loosen_policy": ("immediate", "next_reset", "never"),
}
_PROFILE_STRICTER = {"blind_limit_ns": "lower"}


@dataclass(frozen=True, slots=True)
class Change:
    """One changed setting. `path` is its address in riskcore.toml; values are plain, None where there was none."""

    path: str
    old: Any
    new: Any
    loosens: bool


def compare(old: Plain, new: Plain) -> list[Change]:
    """Every difference between two plain settings, in a fixed order."""
    old = _completed(old, new)
    changes = _compare_profile(old, new)
    for path, before, after in _programmes(old, new):
        changes.extend(_compare_programmes(before, after, path))
    changes.extend(_compare_groups(old.get("groups", []), new.get("groups", [])))
    changes.extend(_compare_rules(old["rules"], new["rules"], "rules"))
    for account in sorted({**old["accounts"], **new["accounts"]}):
        first, second = _of_account(old, new, account)
        changes.extend(_compare_rules(first, second, f"accounts.{account}.rules"))
    return changes


def in_force_now(old: Plain, new: Plain) -> dict[str, Any]:
    """The settings in force from a `ConfigChanged` until the next reset, under the old loosen_policy.

    next_reset and never: new where it tightens, old where it loosens. immediate: new, but locked rules only tighten.
    After the reset the new settings count, except under never: there only this result does.
    """
    old = _completed(old, new)
    everything = old["profile"]["loosen_policy"] != "immediate"
    profile = {
        name: old["profile"][name] if everything and _profile_loosens(name, old["profile"][name], value) else value
        for name, value in new["profile"].items()
    }
    accounts = {}
    for account in sorted({**old["accounts"], **new["accounts"]}):
        before, after = _of_account(old, new, account)
        accounts[account] = _rules_now(before, after, everything)
    groups = _groups_now(old.get("groups", []), new.get("groups", [])) if everything else new.get("groups", [])
    return {
        "profile": profile,
        **({"groups": groups} if groups else {}),
        "rules": _rules_now(old["rules"], new["rules"], everything),
        "accounts": accounts,
        **_programmes_now(old, new, everything),
    }


def _programmes(old: Plain, new: Plain) -> list[tuple[str, Plain | None, Plain | None]]:
    """The programme of the profile, and of each account that has its own in either, before and after."""
    found = [("programme", old["programme"], new["programme"])]
    first, second = _own_programmes(old), _own_programmes(new)
    for account in sorted({**first, **second}):
        before, after = first.get(account, old["programme"]), second.get(account, new["programme"])
        found.append((f"accounts.{account}.programme", before, after))
    return found


def _compare_programmes(old: Plain | None, new: Plain | None, path: str) -> list[Change]:
    if old is None or new is None:
        return [] if old is new else [Change(path, old, new, old is not None)]
    return [Change(f"{path}.{name}", *change) for name, *change in strictness.changes(old, new)]


def _programmes_now(old: Plain, new: Plain, everything: bool) -> dict[str, Any]:
    if not everything:
        return {name: new[name] for name in ("programme", "programme_accounts") if name in new}
    (_, *profile), *accounts = _programmes(old, new)
    names = sorted({**_own_programmes(old), **_own_programmes(new)})
    own = {name: strictness.programme_now(*pair) for name, (_, *pair) in zip(names, accounts, strict=True)}
    return {"programme": strictness.programme_now(*profile), **({"programme_accounts": own} if own else {})}


def _own_programmes(settings: Plain) -> Mapping[str, Plain]:
    """The programmes that accounts have of their own; settings without any carry no such table."""
    own: Mapping[str, Plain] = settings.get("programme_accounts", {})
    return own


def _completed(old: Plain, new: Plain) -> dict[str, Any]:
    """Stored settings with the options that the version which stored them did not have, as they are wanted now."""

    def tables(before: Mapping[str, Tables], after: Mapping[str, Tables]) -> dict[str, Tables]:
        found = {}
        for name, known in before.items():
            wanted = after.get(name, [])
            found[name] = [{**(wanted[index] if index < len(wanted) else {}), **one} for index, one in enumerate(known)]
        return found

    accounts = {name: tables(known, new["accounts"].get(name, {})) for name, known in old["accounts"].items()}
    profile = {**new["profile"], **old["profile"]}
    own = {
        name: _completed_programme(programme, _own_programmes(new).get(name, new["programme"]))
        for name, programme in _own_programmes(old).items()
    }
    return {
        **old,
        "profile": profile,
        "programme": _completed_programme(old["programme"], new["programme"]),
        "programme_accounts": {name: programme for name, programme in own.items() if programme is not None},
        "rules": tables(old["rules"], new["rules"]),
        "accounts": accounts,
    }


def _completed_programme(old: Plain | None, new: Plain | None) -> Plain | None:
    judged = strictness.judged(old)
    return judged if judged is None or new is None else strictness.completed(judged, new)


def settings_of_next_day(today: Plain, wanted: Plain) -> dict[str, Any]:
    """What a day opens with: the settings as they are wanted, under loosen_policy = never only what does not loosen."""
    if today.get("profile", {}).get("loosen_policy") == "never" and today != wanted:
        return in_force_now(today, wanted)
    return dict(wanted)


def _of_account(old: Plain, new: Plain, account: str) -> tuple[dict[str, Tables], dict[str, Tables]]:
    """The tables of one account before and after, for the rules it overrides in either."""
    first, second = old["accounts"].get(account, {}), new["accounts"].get(account, {})
    names = {**first, **second}
    effective_old = {**old["rules"], **first}
    effective_new = {**new["rules"], **second}
    return (
        {name: effective_old[name] for name in names if name in effective_old},
        {name: effective_new[name] for name in names if name in effective_new},
    )


def _compare_profile(old: Plain, new: Plain) -> list[Change]:
    return [
        Change(f"profile.{name}", old["profile"][name], value, _profile_loosens(name, old["profile"][name], value))
        for name, value in new["profile"].items()
        if value != old["profile"][name]
    ]


def _profile_loosens(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return False
    if name == "accounts":
        return _leaves_accounts_out(old, new)
    if name in _PROFILE_ORDER:
        order = _PROFILE_ORDER[name]
        return order.index(new) < order.index(old)
    return _loosens(_PROFILE_STRICTER.get(name, ""), old, new)


def _compare_groups(old: Tables, new: Tables) -> list[Change]:
    changes = []
    for index in range(max(len(old), len(new))):
        where = f"group.{index}"
        if index >= len(old):
            changes.append(Change(where, None, new[index], False))
        elif index >= len(new):
            changes.append(Change(where, old[index], None, True))
        else:
            before, after = old[index], new[index]
            changes.extend(
                Change(f"{where}.{name}", before[name], value, _group_loosens(name, before[name], value))
                for name, value in after.items()
                if value != before[name]
            )
    return changes


def _groups_now(old: Tables, new: Tables) -> Tables:
    """Each group with what tightens; one that is gone holds on until the reset."""
    mixed = [
        {name: before[name] if _group_loosens(name, before[name], value) else value for name, value in after.items()}
        for before, after in zip(old, new, strict=False)
    ]
    return [*mixed, *old[len(new) :], *new[len(old) :]]


def _group_loosens(name: str, old: Any, new: Any) -> bool:
    if old == new or name == "name":
        return False
    if name == "accounts":
        return _leaves_accounts_out(old, new)
    if name == "opposite":
        return OPPOSITE.index(new) < OPPOSITE.index(old)
    return _value_loosens(Group.__dataclass_fields__[name].metadata, old, new)


def _leaves_accounts_out(old: Any, new: Any) -> bool:
    """Whether a list of accounts no longer names some; the empty list names every account."""
    return bool(new) and (not old or any(account not in new for account in old))


def _active(table: Plain) -> bool:
    return bool(table["enabled"]) and not table["shadow"]


def _compare_rules(old: Mapping[str, Tables], new: Mapping[str, Tables], path: str) -> list[Change]:
    changes = []
    for rule in in_order([*old, *new]):
        before, after = old.get(rule.name, []), new.get(rule.name, [])
        for index in range(max(len(before), len(after))):
            where = f"{path}.{rule.name}.{index}"
            if index >= len(before):
                changes.append(Change(where, None, after[index], False))
            elif index >= len(after):
                changes.append(Change(where, before[index], None, _active(before[index])))
            else:
                changes.extend(_compare_tables(rule, before[index], after[index], where))
    return changes


def _compare_tables(rule: Rule, old: Plain, new: Plain, path: str) -> list[Change]:
    return [
        Change(f"{path}.{name}", old[name], value, _field_loosens(rule, name, old, new))
        for name, value in new.items()
        if value != old[name]
    ]


def _rules_now(old: Mapping[str, Tables], new: Mapping[str, Tables], everything: bool) -> dict[str, Tables]:
    tables = {}
    for rule in in_order([*old, *new]):
        before, after = old.get(rule.name, []), new.get(rule.name, [])
        mixed = []
        for index in range(max(len(before), len(after))):
            if index >= len(before):
                mixed.append(dict(after[index]))
            elif not everything and not before[index]["locked"]:
                mixed.extend([dict(after[index])] if index < len(after) else [])
            else:
                # A table that is gone holds on until the reset.
                later = after[index] if index < len(after) else before[index]
                mixed.append(_table_now(rule, before[index], later))
        if mixed:
            tables[rule.name] = mixed
    return tables


def _table_now(rule: Rule, old: Plain, new: Plain) -> dict[str, Any]:
    source = old.get(SOURCE, "")
    if source != new.get(SOURCE, "") and _active(old):
        # Nobody can say which of two versions of a user's rule is stricter: the whole table holds on, if it can.
        judging = by_name(rule.name, source)
        kept = (*SWITCHES, SOURCE, *(parameter.name for parameter in parameters_of(judging)))
        return {name: old[name] for name in kept if name in old} if judging.source == source else dict(new)
    return {name: old[name] if _field_loosens(rule, name, old, new) else value for name, value in new.items()}


def _field_loosens(rule: Rule, name: str, old: Plain, new: Plain) -> bool:
    """Whether the change of one field of a rule table loosens; what an inactive table says binds nobody."""
    if old[name] == new[name] or not _active(old):
        return False
    if name == "locked":
        return bool(old[name])
    if name in SWITCHES:
        return not _active(new)
    if name == SOURCE:
        return True
    specs = {parameter.name: parameter.metadata for parameter in parameters_of(rule)}
    if name in rule.loosens:
        return rule.loosens[name](*(rule.build({key: table[key] for key in specs}) for table in (old, new)))
    return _value_loosens(specs[name], old[name], new[name])


def _value_loosens(spec: Mapping[str, Any], old: Any, new: Any) -> bool:
    if old is None and (spec["stricter"] or spec["kind"] == "table"):
        return False  # A limit where there was none.
    if spec["kind"] == "table" and new is not None:
        nested = {name: parameter.metadata for name, parameter in spec["table"].__dataclass_fields__.items()}
        return any(_value_loosens(nested[name], old[name], new[name]) for name in new if new[name] != old[name])
    return _loosens(spec["stricter"], old, new)


def _loosens(stricter: str, old: Any, new: Any) -> bool:
    """Whether a changed value moves away from its stricter direction. "off" is the loosest value of a limit."""
    if stricter == "" or new is None:
        return True
    if stricter in ("true", "false"):
        return bool(new) is not (stricter == "true")
    if isinstance(new, dict):
        return any(
            name not in new or _loosens(stricter, old[name], new[name]) for name in old if new.get(name) != old[name]
        )
    if isinstance(new, list):
        kept, lost = (new, old) if stricter == "lower" else (old, new)
        return any(item not in lost for item in kept)
    return bool(new > old if stricter == "lower" else new < old)
