"""The settings of a trading day, ready to be judged: profile options and the rules of each account.

A rulebook is derived from the plain settings in `TradingDayOpened`; it holds no state of the day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskcore.core.events import Command
from riskcore.core.groups.group import is_listed
from riskcore.core.groups.registry import GROUP_RULES, group_of, rules_of
from riskcore.core.kinds import LockoutKind
from riskcore.core.names import block_key, rule_key
from riskcore.core.programme.registry import PROGRAMME
from riskcore.core.programme.terms import account_terms
from riskcore.core.rules import RULES, STANDING, by_name
from riskcore.core.rules.base import SOURCE, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.state import Account, Book, Day, Lockout


@dataclass(frozen=True, slots=True)
class Profile:
    """Options of [profile] that the core reads (INTERFACE.md 3). Times in nanoseconds."""

    accounts: tuple[str, ...] = ()
    pnl_basis: str = "net"
    mark: str = "last"
    command_timeout_ns: int = 3_000_000_000
    strict_mode: bool = False
    operator_unlock: str = "never"
    on_blind: str = "alert"
    blind_limit_ns: int = 60_000_000_000


@dataclass(frozen=True, slots=True)
class RuleInstance:
    """One configured rule. `key` is its address in the settings: daily_realized_loss.0."""

    rule: Rule
    key: str
    params: Any
    shadow: bool = False
    indifferent_to: tuple[str, ...] = ()  # Inputs that the profile makes this rule do without.
    shadow_commands: tuple[Command, ...] = ()  # What a breach in shadow issues all the same: an alert.

    def lacking(self, lacks: tuple[str, ...]) -> tuple[str, ...]:
        """The inputs this rule needs and the source could not see; a rule with any is blind (RULES.md 1.5).

        Exposure follows fills where positions are not seen, so those are missed only when fills are too.
        """
        if not lacks:
            return ()
        missed = lacks if "trades" in lacks else tuple(one for one in lacks if one != "positions")
        needed = (need for need in self.rule.needs(self.params) if need not in self.indifferent_to)
        return tuple(need for need in needed if need in missed)

    def blind_because(self, book: Book, account: Account) -> str | None:
        """Why the rule judges nothing of an account: what the source lacks, or the rule itself; None: it does."""
        lacking = self.lacking(book.lacks)
        if lacking:
            return f"the recording lacks {' and '.join(lacking)}"
        return None if self.rule.blind is None else self.rule.blind(self.params, book, account)

    def waits(self, awaited: tuple[str, ...]) -> bool:
        """Whether the rule judges only when something has been listed that has not been since the engine started."""
        return bool(awaited) and any(need in awaited for need in self.rule.awaits(self.params))


Tables = dict[str, list[dict[str, Any]]]  # The plain tables of each rule, by its name.
_Who = tuple[int, str | None, bool | None]  # An account as the settings know it: id, name, simulated.


@dataclass(slots=True)
class Rulebook:
    """Who is judged by what. Build with `rulebook_of`."""

    profile: Profile
    rules: Tables
    overrides: dict[str, Tables]
    restrict: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)  # With what is on beside rules: programme and groups.
    _instances: dict[_Who, tuple[RuleInstance, ...]] = field(default_factory=dict)
    _readers: dict[_Who, tuple[RuleInstance, ...]] = field(default_factory=dict)
    _joint: dict[_Who, tuple[RuleInstance, ...]] = field(default_factory=dict)
    _timed: dict[_Who, tuple[RuleInstance, ...]] = field(default_factory=dict)

    def judges(self, account: Account) -> bool:
        """Whether the account is judged: one of the profile's, and of those that the command names."""
        names = (str(account.id), account.name)
        if self.restrict and not any(name in self.restrict for name in names):
            return False
        return is_listed(self.profile.accounts, account)

    def without_rules(self) -> "Rulebook":
        """The same accounts, judged by nothing: what is in force is carried out and nothing new is decided."""
        return Rulebook(self.profile, {}, {}, self.restrict)

    def instances(self, account: Account) -> tuple[RuleInstance, ...]:
        """The rules of an account, overrides merged, in the order they are attributed (RULES.md 3.3)."""
        cache_key = (account.id, account.name, account.simulated)
        cached = self._instances.get(cache_key)
        if cached is None:
            cached = self._instances[cache_key] = self._build(account) if self.judges(account) else ()
        return cached

    def joint(self, account: Account) -> tuple[RuleInstance, ...]:
        """The rules of an account that look at other accounts too."""
        return self._those(account, self._joint, lambda rule: rule.joint)

    def switched_off(self, account: Account) -> list[RuleInstance]:
        """The rules that have a table but are not enabled, for those who list what is configured."""
        if not self.judges(account):
            return []
        return [
            RuleInstance(by_name(name), rule_key(name, index), by_name(name).build(plain))
            for name, settings in tables_of(self.rules, self.overrides, account.id, account.name).items()
            for index, plain in enumerate(settings)
            if not plain.get("enabled", True)
        ]

    def quote_readers(self, account: Account) -> tuple[RuleInstance, ...]:
        """The rules of an account that look at quotes; the others declare that they read none."""
        return self._those(account, self._readers, lambda rule: rule.quiet is not None)

    def timed(self, account: Account) -> tuple[RuleInstance, ...]:
        """The rules of an account that time alone may make act."""
        return self._those(account, self._timed, lambda rule: rule.deadline is not None)

    def _those(
        self, account: Account, known: dict[_Who, tuple[RuleInstance, ...]], wanted: Callable[[Rule], bool]
    ) -> tuple[RuleInstance, ...]:
        """The rules of an account that are of a kind, picked out once: every quote asks for them."""
        cache_key = (account.id, account.name, account.simulated)
        cached = known.get(cache_key)
        if cached is None:
            cached = known[cache_key] = tuple(one for one in self.instances(account) if wanted(one.rule))
        return cached

    def fills_since(self, account: Account, day: Day) -> int:
        """Since when every fill of an account must be known: since the day began, or as far back as a rule looks."""
        reaches = (
            instance.rule.reaches_back(instance.params, day)
            for instance in self.instances(account)
            if instance.rule.reaches_back is not None
        )
        return min([day.opens_at, *reaches])

    def _build(self, account: Account) -> tuple[RuleInstance, ...]:
        built = []
        indifferent_to = ("commissions",) if self.profile.pnl_basis == "gross" else ()
        for name, settings in tables_of(self.rules, self.overrides, account.id, account.name).items():
            for index, plain in enumerate(settings):
                rule = by_name(name, plain.get(SOURCE, ""))
                if plain.get("enabled", True):
                    params, shadow = rule.build(plain), bool(plain.get("shadow", False))
                    built.append(RuleInstance(rule, rule_key(name, index), params, shadow, indifferent_to))
        built += self._shared(account, indifferent_to)
        standing = self._standing(built) if built else []
        return tuple(sorted([*built, *standing], key=lambda instance: (-instance.rule.strength, instance.key)))

    def _shared(self, account: Account, indifferent_to: tuple[str, ...]) -> list[RuleInstance]:
        """The rules of the firm's programme and of the groups that the account is in."""
        found = []
        terms = account_terms(self.settings, account.id, account.name)
        if terms is not None:
            found += [
                RuleInstance(
                    one.rule,
                    rule_key(one.rule.name, 0),
                    terms,
                    one.shadow(terms),
                    indifferent_to,
                    (alert(one.shadow_text),),
                )
                for one in PROGRAMME
                if one.applies(terms)
            ]
        for index, plain in enumerate(self.settings.get("groups", ())):
            group = group_of(plain)
            if is_listed(group.accounts, account):
                found += [
                    RuleInstance(rule, rule_key(rule.name, index), group, indifferent_to=indifferent_to)
                    for rule in rules_of(group)
                ]
        return found

    def _standing(self, configured: Sequence[RuleInstance]) -> list[RuleInstance]:
        """The rules without a table that watch beside those that have one."""
        needs = tuple(need for instance in configured for need in instance.rule.needs(instance.params))
        found = []
        for rule in STANDING:
            assert rule.stands is not None, "a rule without a table says what it stands for"
            params = rule.stands(self.profile, needs)
            if params is not None:
                found.append(RuleInstance(rule, rule_key(rule.name, 0), params))
        return found


def rulebook_of(settings: dict[str, Any], restrict: tuple[str, ...] = ()) -> Rulebook:
    """The rulebook of plain settings as config.py makes them and `TradingDayOpened` carries them."""
    options = dict(settings.get("profile", {}))
    options["accounts"] = tuple(options.get("accounts", ()))
    known = {name: options[name] for name in Profile.__dataclass_fields__ if name in options}
    return Rulebook(Profile(**known), settings.get("rules", {}), settings.get("accounts", {}), restrict, settings)


def tables_of(rules: Tables, overrides: Mapping[str, Tables], account: int, name: str | None) -> Tables:
    """The rule tables of an account. What is written for its id and what is written for its name both apply.

    Or a limit written for the name would be loosened at once by one for the id (RULES.md 1.6).
    """
    by_id, by_name = overrides.get(str(account), {}), overrides.get(name or "", {})
    tables = {**rules, **by_name, **by_id}
    for rule in by_id:
        tables[rule] = by_id[rule] + [table for table in by_name.get(rule, []) if table not in by_id[rule]]
    return tables


# What of a table changes no limit: whether it is on is no other setting either, if it comes back as it was.
_NO_LIMIT = ("enabled", "locked", "warn_at")


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any], account: Account) -> list[str]:
    """The keys of the rule tables of an account whose limits are others than before.

    What the settings before could not say, because another version stored them, is no change.
    """
    old, new = (tables_of(one["rules"], one["accounts"], account.id, account.name) for one in (before, after))
    return [
        rule_key(name, index)
        for name, tables in new.items()
        for index, (known, table) in enumerate(zip(old.get(name, []), tables, strict=False))
        if any(known.get(field, value) != value for field, value in table.items() if field not in _NO_LIMIT)
    ]


ENDED_BY_THEIR_RULE: tuple[LockoutKind, ...] = ("symbol_permanent", "condition")


def orphaned(account: Account, instances: Sequence[RuleInstance]) -> list[str]:
    """Ids of the lockouts that none of these rules will ever end."""
    return [
        lockout.id
        for lockout in account.lockouts.values()
        if lockout.kind in ENDED_BY_THEIR_RULE and not any(_ends(instance, lockout) for instance in instances)
    ]


def _ends(instance: RuleInstance, lockout: Lockout) -> bool:
    """Whether the lockout is of this rule; of a rule that is given several times, of this very table."""
    of_table = lockout.kind != "symbol_permanent" or lockout.key == block_key(instance.key)
    return instance.rule.id == lockout.rule and not instance.shadow and of_table


def of_id(rule_id: str) -> Rule | None:
    """The rule of an id; None for an id of no rule."""
    known = (*RULES, *STANDING, *(one.rule for one in PROGRAMME), *GROUP_RULES)
    return next((rule for rule in known if rule.id == rule_id), None)


def title_of(rule_id: str) -> str | None:
    """What the rule of an id is for; None for an id of no rule."""
    known = of_id(rule_id)
    return None if known is None else known.title
