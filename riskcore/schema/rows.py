"""Rows of the outputs: what one event or record looks like in every --json (INTERFACE.md 5).

Money and prices are exact decimal text, instants UTC text. Replay and audit print the same rows.
"""

from dataclasses import dataclass, field
from typing import Any

from riskcore.core import events as e
from riskcore.core.marks import entry_cost, valuation
from riskcore.core.names import lockout_id
from riskcore.core.order_words import side_word
from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Book, DayFigures, Lockout, Position
from riskcore.schema.instants import utc_text

Row = dict[str, Any]


def breach_row(event: e.Event, body: e.RuleBreached) -> Row:
    flags = [*body.flags, "shadow"] if body.shadow else list(body.flags)
    return {
        "id": body.id,
        "at": utc_text(event.at),
        "account": body.account,
        "rule": body.rule,
        "contract": body.contract,
        "figures": dict(sorted(body.figures.items())),
        "flags": flags,
        "cause": event.cause,
    }


def command_row(event: e.Event, body: e.CommandIssued) -> Row:
    command = body.command
    row: Row = {
        "id": body.id,
        "at": utc_text(event.at),
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
        "expires_at": None if command.expires_at is None else utc_text(command.expires_at),
        "side": None if command.side is None else side_word(command.side),
        "level": command.level,
        "text": command.text,
    }
    row.update({name: value for name, value in extras.items() if value is not None})
    return row


def day_row(day: DayFigures) -> Row:
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


def lockout_row(lockout: Lockout) -> Row:
    return {
        "scope": lockout.scope,
        "rule": lockout.rule,
        "kind": lockout.kind,
        "set_at": utc_text(lockout.set_at),
        "expires_at": None if lockout.expires_at is None else utc_text(lockout.expires_at),
        "reason": lockout.reason,
    }


def is_shown(day: DayFigures) -> bool:
    """A day has a row when the account had a fill, a position or a breach in it."""
    return bool(day.fills or day.held or day.breached)


def position_row(book: Book, position: Position, mode: str) -> Row:
    """An open position: valued by its lots, shown at the broker's average price (RULES.md 1.5)."""
    value = valuation(book, position, mode, book.now).value
    average = position.average_price if position.pushed is not None else None
    cost = entry_cost(position)
    if average is None and cost is not None and cost[0]:
        average = cost[1] // cost[0]
    return {
        "contract": position.contract,
        "side": "long" if position.size > 0 else "short",
        "size": abs(position.size),
        "average_price": None if average is None else price_text(average),
        "unrealized": None if value is None else money_text(value),
    }


@dataclass(slots=True)
class LockoutHistory:
    """When each lockout began and how it ended, from the events that set and end them."""

    rows: list[Row] = field(default_factory=list)
    _open: dict[tuple[int, str], Row] = field(default_factory=dict)

    def carried(self, account: int, lockout: Lockout) -> None:
        """A lockout an opening event carries in; nothing new when its beginning was seen."""
        self._begin(account, lockout.id, lockout.scope, lockout.rule, lockout.kind, lockout.set_at)

    def listen(self, event: e.Event) -> None:
        body = event.body
        if isinstance(body, e.CommandIssued) and body.command.kind == "SetLockout":
            command = body.command
            name = lockout_id(command.scope, body.rule, command.lockout_key)
            self._begin(body.account, name, command.scope, body.rule, command.lockout_kind, event.at)
        elif isinstance(body, e.LockoutEnded):
            row = self._open.pop((body.account, body.lockout), None)
            if row is not None:
                row.update(ended_at=utc_text(event.at), ended_by=body.ended_by)

    def _begin(self, account: int, name: str, scope: str | None, rule: str, kind: str | None, set_at: int) -> None:
        if (account, name) in self._open:
            return
        row: Row = {
            "account": account,
            "scope": scope,
            "rule": rule,
            "kind": kind,
            "set_at": utc_text(set_at),
            "ended_at": None,
            "ended_by": None,
        }
        self._open[account, name] = row
        self.rows.append(row)
