"""What a replay found, as INTERFACE.md 5 promises it: one JSON-ready object, the same bytes on every machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskcore.core import events as e
from riskcore.core.marks import open_cost, valuation
from riskcore.core.quantities import money_text, price_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, DayFigures, Lockout, Position
from riskcore.schema.codec import state_hash
from riskcore.schema.instants import instant_text

SCHEMA = "riskcore.replay/1"


@dataclass(slots=True)
class Collector:
    """Listens to the events of a run and keeps what the result shows."""

    breaches: list[dict[str, Any]] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    lockouts: list[dict[str, Any]] = field(default_factory=list)
    blind: dict[tuple[int, str, str], str] = field(default_factory=dict)
    days: dict[int, dict[str, DayFigures]] = field(default_factory=dict)
    rejected: int = 0
    _open_lockouts: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.WireRejected):
                self.rejected += 1
            elif isinstance(body, e.RuleBreached):
                self.breaches.append(breach_row(event, body))
            elif isinstance(body, e.CommandIssued):
                self._command(event, body)
            elif isinstance(body, e.LockoutEnded):
                row = self._open_lockouts.pop((body.account, body.lockout), None)
                if row is not None:
                    row.update(ended_at=instant_text(event.at), ended_by=body.ended_by)

    def _command(self, event: e.Event, body: e.CommandIssued) -> None:
        self.commands.append(command_row(event, body))
        command = body.command
        if command.kind != "SetLockout":
            return
        name = (body.account, f"{command.scope}/{body.rule}/{command.lockout_key}")
        if name not in self._open_lockouts:
            row = {
                "account": body.account,
                "scope": command.scope,
                "rule": body.rule,
                "kind": command.lockout_kind,
                "set_at": instant_text(event.at),
                "ended_at": None,
                "ended_by": None,
            }
            self._open_lockouts[name] = row
            self.lockouts.append(row)

    def note_days(self, book: Book, rulebook: Rulebook, trade_date: str) -> None:
        """Keep the figures of the days so far; called when a day ends and at the end, the later one wins."""
        for account in book.accounts.values():
            if rulebook.judges(account):
                kept = self.days.setdefault(account.id, {})
                kept.update({day.trade_date: day for day in account.days.values() if is_shown(day)})
                self._note_blind(book, rulebook, account, trade_date)

    def _note_blind(self, book: Book, rulebook: Rulebook, account: Account, trade_date: str) -> None:
        for instance in rulebook.instances(account):
            lacking = [need for need in instance.rule.needs(instance.params) if need in book.lacks]
            if lacking:
                reason = f"the recording lacks {' and '.join(lacking)}"
                self.blind[(account.id, trade_date, instance.rule.id)] = reason


def is_shown(day: DayFigures) -> bool:
    """A day has a row when the account had a fill, a position or a breach in it."""
    return bool(day.fills or day.held or day.breached)


def breach_row(event: e.Event, body: e.RuleBreached) -> dict[str, Any]:
    flags = [*body.flags, "shadow"] if body.shadow else list(body.flags)
    return {
        "id": body.id,
        "at": instant_text(event.at),
        "account": body.account,
        "rule": body.rule,
        "contract": body.contract,
        "figures": dict(sorted(body.figures.items())),
        "flags": flags,
        "cause": event.cause,
    }


def command_row(event: e.Event, body: e.CommandIssued) -> dict[str, Any]:
    command = body.command
    row: dict[str, Any] = {
        "id": body.id,
        "at": instant_text(event.at),
        "account": body.account,
        "kind": command.kind,
        "rule": body.rule,
        "contract": command.contract,
        "size": command.size,
        "price": None if command.price is None else price_text(command.price),
        "breach": body.breach,
    }
    extras = {
        "to": command.to,
        "order": command.order_id,
        "scope": command.scope,
        "lockout_kind": command.lockout_kind,
        "expires_at": None if command.expires_at is None else instant_text(command.expires_at),
        "side": None if command.side is None else ("buy" if command.side > 0 else "sell"),
        "level": command.level,
        "text": command.text,
    }
    row.update({name: value for name, value in extras.items() if value is not None})
    return row


def day_row(day: DayFigures) -> dict[str, Any]:
    return {
        "trade_date": day.trade_date,
        "fills": day.fills,
        "orders_filled": len(day.order_fills),
        "round_trips": day.round_trips,
        "gross_pnl": money_text(day.gross_usd),
        "fees": money_text(day.fees_usd),
        "commissions": money_text(day.commissions_usd),
        "net_pnl": money_text(day.net_usd),
        "worst_running_net": money_text(day.worst_usd),
        "best_running_net": money_text(day.best_usd),
    }


def position_row(book: Book, position: Position, mode: str) -> dict[str, Any]:
    value = valuation(book, position, mode, book.now).value
    cost = open_cost(position)
    average = position.average_price
    if cost is not None and cost[0]:
        average = cost[1] // abs(cost[0])
    return {
        "contract": position.contract,
        "side": "long" if position.size > 0 else "short",
        "size": abs(position.size),
        "average_price": None if average is None else price_text(average),
        "unrealized": None if value is None else money_text(value),
    }


def lockout_row(lockout: Lockout) -> dict[str, Any]:
    return {
        "scope": lockout.scope,
        "rule": lockout.rule,
        "kind": lockout.kind,
        "set_at": instant_text(lockout.set_at),
        "expires_at": None if lockout.expires_at is None else instant_text(lockout.expires_at),
        "reason": lockout.reason,
    }


def account_row(book: Book, account: Account, collector: Collector, mode: str) -> dict[str, Any]:
    days = collector.days.get(account.id, {})
    shown = [name for name in collector.blind if name[0] == account.id]
    return {
        "id": account.id,
        "name": account.name,
        "days": [day_row(days[trade_date]) for trade_date in sorted(days)],
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
    mode = rulebook.profile.mark
    judged = [account for account in book.accounts.values() if rulebook.judges(account)]
    return {
        "schema": SCHEMA,
        "sessions": list(sessions),
        "accounts": [account_row(book, account, collector, mode) for account in sorted(judged, key=lambda one: one.id)],
        "breaches": collector.breaches,
        "commands": collector.commands,
        "lockout_history": collector.lockouts,
        "comparison": comparison,
        "rejected_lines": collector.rejected,
        "state_hash": state_hash(book),
    }
