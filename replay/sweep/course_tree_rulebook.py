"""The rulebook of a course that many settings share: its own, and what the others have in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replay.sweep.course_tree_rules import Asked, Sharers, Variant, asked_rule
from riskcore.core.names import rule_key
from riskcore.core.rulebook import Rulebook, RuleInstance, rulebook_of, tables_of
from riskcore.core.rules import by_name
from riskcore.core.rules.base import SOURCE, Rule, parameters_of
from riskcore.core.state import Account

Plain = dict[str, Any]
WARN_AT = "warn_at"


@dataclass(slots=True)
class Tables:
    """The rule tables of many settings. Equal ones are kept once, so that whether two differ is seen at a glance."""

    _known: dict[tuple[str, str], Plain] = field(default_factory=dict)
    _of_accounts: dict[tuple[int, int, str | None], tuple[tuple[str, ...], tuple[Plain, ...]]] = field(
        default_factory=dict
    )
    _params: dict[int, Any] = field(default_factory=dict)

    def without_warnings(self, settings: Mapping[str, Any]) -> Plain:
        """Settings that decide the same and warn of nothing: an alert changes no outcome, and differs with its limit.

        To be kept for as long as this is.
        """
        accounts = {name: self._silent(rules) for name, rules in settings["accounts"].items()}
        return {**settings, "rules": self._silent(settings["rules"]), "accounts": accounts}

    def _silent(self, rules: Mapping[str, Sequence[Plain]]) -> dict[str, list[Plain]]:
        return {name: [self._kept(name, table) for table in tables] for name, tables in rules.items()}

    def _kept(self, name: str, table: Plain) -> Plain:
        text = name, repr(table)
        found = self._known.get(text)
        if found is None:
            silent = _without_warning(name, table)
            found = self._known[text] = self._known.setdefault((name, repr(silent)), silent)
        return found

    def of_account(self, settings: Mapping[str, Any], account: Account) -> tuple[tuple[str, ...], tuple[Plain, ...]]:
        """The addresses of an account's tables under some settings, and the tables."""
        name = id(settings), account.id, account.name
        found = self._of_accounts.get(name)
        if found is None:
            by_rule = tables_of(settings["rules"], settings["accounts"], account.id, account.name)
            pairs = [
                (rule_key(rule, index), one) for rule, tables in by_rule.items() for index, one in enumerate(tables)
            ]
            found = self._of_accounts[name] = tuple(key for key, _ in pairs), tuple(one for _, one in pairs)
        return found

    def params(self, rule: Rule, table: Plain) -> Any:
        """The parameters of a rule by one of the tables that are kept."""
        if id(table) not in self._params:
            self._params[id(table)] = rule.build(table)
        return self._params[id(table)]


def _without_warning(name: str, table: Plain) -> Plain:
    rule = by_name(name, table.get(SOURCE, ""))
    warns = not rule.source and any(parameter.name == WARN_AT for parameter in parameters_of(rule))
    return {**table, WARN_AT: ()} if warns else table


class SharedRulebook(Rulebook):
    """The rulebook of a course's own settings, which asks for those of its sharers too."""

    __slots__ = ("others", "sharers", "tables")
    others: Sequence[tuple[int, Plain]]
    sharers: Sharers
    tables: Tables

    def _build(self, account: Account) -> tuple[RuleInstance, ...]:
        keys, own = self.tables.of_account(self.settings, account)
        bits, found = list[int](), list[tuple[Plain, ...]]()
        for bit, settings in self.others:
            their_keys, theirs = self.tables.of_account(settings, account)
            if their_keys == keys:
                bits.append(bit)
                found.append(theirs)
            else:
                self.sharers.leave(bit)
        asked: dict[str, list[Variant]] = {}
        for key, mine, tables in zip(keys, own, zip(*found, strict=True), strict=bool(found)):
            if set(map(id, tables)) == {id(mine)}:
                continue  # In most of its tables no setting of a grid differs.
            differing: dict[int, Variant] = {}
            for bit, table in zip(bits, tables, strict=True):
                if table is not mine:
                    differing.setdefault(id(table), Variant(table, 0)).members |= bit
            asked[key] = list(differing.values())
        return tuple(self._asked(one, asked[one.key]) if one.key in asked else one for one in super()._build(account))

    def _asked(self, instance: RuleInstance, variants: list[Variant]) -> RuleInstance:
        rule = instance.rule
        for variant in variants:
            variant.params = self.tables.params(rule, variant.params)
            if rule.needs(variant.params) != rule.needs(instance.params):
                self.sharers.leave(variant.members)
        asked = Asked(rule, instance.params, variants, self.sharers)
        self.sharers.asked.append(asked)
        return replace(instance, rule=asked_rule(rule), params=asked)


def shared_rulebook(
    settings: Plain, restrict: tuple[str, ...], sharers: Sharers, others: Sequence[tuple[int, Plain]], tables: Tables
) -> Rulebook:
    """The rulebook of some settings; `others` are those of the sharers, each with its bit."""
    known = rulebook_of(settings, restrict)
    shared = SharedRulebook(known.profile, known.rules, known.overrides, restrict, settings)
    shared.others, shared.sharers, shared.tables = others, sharers, tables
    return shared
