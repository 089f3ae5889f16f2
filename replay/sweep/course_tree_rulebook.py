"""The rulebook of a course that many settings share: its own, and what the others have in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replay.sweep.course_tree_rules import Asked, Sharers, Variant, asked_rule, chains_of
from riskcore.core.names import rule_key
from riskcore.core.rulebook import Rulebook, RuleInstance, rulebook_of, tables_of
from riskcore.core.rules import by_name
from riskcore.core.rules.base import SOURCE, Rule, parameters_of
from riskcore.core.state import Account

Plain = dict[str, Any]
WARN_AT = "warn_at"


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule table that some settings have: its parameters, what they need of a source, and who has it."""

    table: Plain
    params: Any
    needs: tuple[str, ...]
    members: int  # A bit for each setting.


# The tables of one address, in chains by the monotone fields of their rule (course_tree_rules.py).
Column = list[list[Kept]]


@dataclass(slots=True)
class Tables:
    """The rule tables of many settings. Equal ones are kept once, so that whether two differ is seen at a glance."""

    _known: dict[tuple[str, str], Plain] = field(default_factory=dict)
    # By the identity of a table as it was given, which is kept here so that no other one takes its place.
    _given: dict[int, tuple[Plain, Plain]] = field(default_factory=dict)

    def without_warnings(self, settings: Mapping[str, Any]) -> Plain:
        """Settings that decide the same and warn of nothing: an alert changes no outcome, and differs with its limit.

        To be kept for as long as this is.
        """
        accounts = {name: self._silent(rules) for name, rules in settings["accounts"].items()}
        return {**settings, "rules": self._silent(settings["rules"]), "accounts": accounts}

    def _silent(self, rules: Mapping[str, Sequence[Plain]]) -> dict[str, list[Plain]]:
        return {name: [self._kept(name, table) for table in tables] for name, tables in rules.items()}

    def _kept(self, name: str, table: Plain) -> Plain:
        given = self._given.get(id(table))
        if given is None:
            text = name, repr(table)
            found = self._known.get(text)
            if found is None:
                silent = _without_warning(name, table)
                found = self._known[text] = self._known.setdefault((name, repr(silent)), silent)
            given = self._given[id(table)] = table, found
        return given[1]


def _without_warning(name: str, table: Plain) -> Plain:
    rule = by_name(name, table.get(SOURCE, ""))
    warns = not rule.source and any(parameter.name == WARN_AT for parameter in parameters_of(rule))
    return {**table, WARN_AT: ()} if warns else table


@dataclass(slots=True)
class Alike:
    """Settings whose tables of an account have the same addresses: their bits, and who has which table of each."""

    members: int = 0
    given: list[dict[int, tuple[Plain, int]]] = field(default_factory=list)  # Per address, by the table's identity.
    _columns: dict[int, Column] = field(default_factory=dict)

    def add(self, bit: int, tables: Sequence[Plain]) -> None:
        self.members |= bit
        for by_table, table in zip(self.given, tables, strict=True):
            known = by_table.get(id(table))
            by_table[id(table)] = table, bit if known is None else known[1] | bit

    def column(self, place: int, rule: Rule) -> Column:
        """The different tables of one address, built once for all courses."""
        if place not in self._columns:
            kept = []
            for table, members in self.given[place].values():
                params = rule.build(table)
                kept.append(Kept(table, params, rule.needs(params), members))
            self._columns[place] = chains_of(rule, kept)
        return self._columns[place]


@dataclass(slots=True)
class SettingsOfDay:
    """All settings of a tree as they are in force on one day, and which of them differ in which tables."""

    settings: Sequence[Plain]
    _alike: dict[tuple[int, str | None], dict[tuple[str, ...], Alike]] = field(default_factory=dict)

    def alike(self, account: Account) -> dict[tuple[str, ...], Alike]:
        """The settings by the addresses of an account's tables."""
        name = account.id, account.name
        if name not in self._alike:
            by_keys = self._alike[name] = dict[tuple[str, ...], Alike]()
            for index, settings in enumerate(self.settings):
                keys, tables = _addressed(settings, account)
                if keys not in by_keys:
                    by_keys[keys] = Alike(given=[{} for _ in keys])
                by_keys[keys].add(1 << index, tables)
        return self._alike[name]


def _addressed(settings: Mapping[str, Any], account: Account) -> tuple[tuple[str, ...], list[Plain]]:
    """The addresses of an account's tables under some settings, and the tables."""
    by_rule = tables_of(settings["rules"], settings["accounts"], account.id, account.name)
    keys = tuple(rule_key(rule, index) for rule, tables in by_rule.items() for index in range(len(tables)))
    return keys, [table for tables in by_rule.values() for table in tables]


class SharedRulebook(Rulebook):
    """The rulebook of a course's own settings, which asks for those of its sharers too."""

    __slots__ = ("day", "others", "sharers")
    day: SettingsOfDay
    others: int
    sharers: Sharers

    def _build(self, account: Account) -> tuple[RuleInstance, ...]:
        keys, own = _addressed(self.settings, account)
        alike = self.day.alike(account)[keys]
        self.sharers.leave(self.others & ~alike.members)
        others = self.others & alike.members
        # In most of its tables no setting of a grid differs.
        places = {key: place for place, key in enumerate(keys) if len(alike.given[place]) > 1}
        return tuple(
            self._asked(one, alike.column(places[one.key], one.rule), own[places[one.key]], others)
            if one.key in places
            else one
            for one in super()._build(account)
        )

    def _asked(self, instance: RuleInstance, column: Column, mine: Plain, others: int) -> RuleInstance:
        rule, needs = instance.rule, instance.rule.needs(instance.params)
        chains: list[list[Variant]] = []
        for kept in column:
            differing = [one for one in kept if one.members & others and one.table is not mine]
            for one in differing:
                if one.needs != needs:
                    self.sharers.leave(one.members & others)
            if differing:
                chains.append([Variant(one.params, one.members & others) for one in differing])
        if not chains:
            return instance
        asked = Asked(rule, instance.params, chains, self.sharers)
        self.sharers.asked.append(asked)
        return replace(instance, rule=asked_rule(rule), params=asked)


def shared_rulebook(own: int, restrict: tuple[str, ...], sharers: Sharers, others: int, day: SettingsOfDay) -> Rulebook:
    """The rulebook of one of the settings of a day; `others` are the sharers, a bit for each."""
    settings = day.settings[own]
    known = rulebook_of(settings, restrict)
    shared = SharedRulebook(known.profile, known.rules, known.overrides, restrict, settings)
    shared.others, shared.sharers, shared.day = others, sharers, day
    return shared
