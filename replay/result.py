"""What a replay found, as INTERFACE.md 5 promises it: one JSON-ready object, the same bytes on every machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskcore.core import events as e
from riskcore.core.issuers import PLANNER_ID
from riskcore.core.kinds import DECISIONS
from riskcore.core.products import product_code
from riskcore.core.programme.terms import account_terms
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, DayFigures
from riskcore.errors import ConfigError
from riskcore.schema.codec import state_hash
from riskcore.schema.programme_rows import programme_day_row, programme_row
from riskcore.schema.rows import LockoutHistory, breach_row, command_row, day_row, is_shown, lockout_row, position_row
from riskcore.settings.account_names import unmatched_texts

SCHEMA = "riskcore.replay/1"


@dataclass(slots=True)
class Collector:
    """Listens to the events of a run and keeps what the result shows."""

    breaches: list[dict[str, Any]] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    lockouts: LockoutHistory = field(default_factory=LockoutHistory)
    blind: dict[tuple[int, str, str], str] = field(default_factory=dict)
    days: dict[int, dict[str, DayFigures]] = field(default_factory=dict)
    programme_days: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    rejected: int = 0

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.WireRejected):
                self.rejected += 1
            elif isinstance(body, e.RuleBreached):
                self.breaches.append(breach_row(event, body))
            elif isinstance(body, e.CommandIssued) and body.rule != PLANNER_ID and body.command.kind in DECISIONS:
                self.commands.append(command_row(event, body))
            self.lockouts.listen(event)

    def note_days(self, book: Book, rulebook: Rulebook, trade_date: str) -> None:
        """Keep the figures of the days so far; called when a day ends and at the end, the later one wins."""
        for account in book.accounts.values():
            if rulebook.judges(account):
                kept = self.days.setdefault(account.id, {})
                kept.update({day.trade_date: day for day in account.days.values() if is_shown(day)})
                self._note_blind(book, rulebook, account, trade_date)
                self._note_programme(book, rulebook, account)

    def _note_programme(self, book: Book, rulebook: Rulebook, account: Account) -> None:
        terms = account_terms(rulebook.settings, account.id, account.name)
        if terms is not None:
            kept = self.programme_days.setdefault(account.id, {})
            for trade_date in account.days:
                row = programme_day_row(terms, book, account, trade_date)
                if row is not None:
                    kept[trade_date] = row

    def _note_blind(self, book: Book, rulebook: Rulebook, account: Account, trade_date: str) -> None:
        for instance in rulebook.instances(account):
            reason = instance.blind_because(book, account)
            if reason is not None:
                self.blind[(account.id, trade_date, instance.rule.id)] = reason


def account_row(book: Book, rulebook: Rulebook, account: Account, collector: Collector) -> dict[str, Any]:
    days, beside = collector.days.get(account.id, {}), collector.programme_days.get(account.id, {})
    mode, terms = rulebook.profile.mark, account_terms(rulebook.settings, account.id, account.name)
    shown = [name for name in collector.blind if name[0] == account.id]
    return {
        "id": account.id,
        "name": account.name,
        "days": [{**day_row(days[trade_date]), **beside.get(trade_date, {})} for trade_date in sorted(days)],
        **({} if terms is None else {"programme": programme_row(terms, book, account)}),
        "positions": [position_row(book, position, mode) for position in account.held()],
        "blind": [
            {"trade_date": trade_date, "rule": rule, "reason": collector.blind[(account.id, trade_date, rule)]}
            for _, trade_date, rule in sorted(shown)
        ],
        "lockouts": [lockout_row(account.lockouts[name]) for name in sorted(account.lockouts)],
    }


def result_of(
    book: Book,
    rulebook: Rulebook,
    collector: Collector,
    sessions: Sequence[Mapping[str, Any]],
    comparison: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The whole result of a run (INTERFACE.md 5)."""
    judged = [account for account in book.accounts.values() if rulebook.judges(account)]
    return {
        "schema": SCHEMA,
        "sessions": list(sessions),
        "accounts": [account_row(book, rulebook, one, collector) for one in sorted(judged, key=lambda one: one.id)],
        "breaches": collector.breaches,
        "commands": collector.commands,
        "lockout_history": collector.lockouts.rows,
        "comparison": comparison,
        "rejected_lines": collector.rejected,
        "state_hash": state_hash(book),
    }


def check_accounts(book: Book, restrict: Sequence[str]) -> None:
    """Raises ConfigError for an account that was asked for and is not there."""
    known = {name for account in book.accounts.values() for name in (str(account.id), account.name)}
    for name in restrict:
        if name not in known:
            raise ConfigError(f"--account {name}: no account of that name or id; there is {_present(book) or 'none'}")


def _present(book: Book) -> str:
    return ", ".join(account.name or str(account.id) for account in book.accounts.values())


def remarks(book: Book, rulebook: Rulebook) -> list[str]:
    """Sentences for stderr, in a fixed order (RULES.md 1.2 and 1.3: unknown codes).

    Raises ConfigError for an account that was asked for and is not there.
    """
    check_accounts(book, rulebook.restrict)
    present = _present(book)
    found = []
    if not rulebook.restrict and book.accounts and not any(map(rulebook.judges, book.accounts.values())):
        wanted = ", ".join(rulebook.profile.accounts)
        found.append(f"profile.accounts ({wanted}) names no account of the recording; there is {present}")
    found += _unmatched(book, rulebook)
    judged = [account for account in book.accounts.values() if rulebook.judges(account)]
    for name in sorted({name for account in judged for name in account.positions}):
        if name not in book.contracts:
            found.append(
                f"{name}: product {product_code(name)!r} is unknown, so its open P&L is left out; "
                "a Contract/searchById line would describe it"
            )
    return found


def _unmatched(book: Book, rulebook: Rulebook) -> list[str]:
    """Tables of accounts and groups that name no account. One that the profile lists may be in another recording."""
    accounts = list(book.accounts.values())
    if not accounts:
        return []
    named = all(account.name is not None for account in accounts)
    elsewhere = rulebook.profile.accounts if named else ()
    return unmatched_texts(rulebook.settings, accounts, "the recording", elsewhere)
