"""Tables, keys, indexes and views of the audit database (database.py)."""

from typing import Any


def _money(*names: str) -> dict[str, Any]:
    """An amount as exact text and, to calculate with, in millionths of a dollar."""
    return {column: kind for name in names for column, kind in ((name, str), (f"{name}_micros", int))}


_MAKER: dict[str, Any] = {"by": str, "likely": str, "by_reason": str}  # Who made it (attribution.py).
TABLES: dict[str, dict[str, Any]] = {
    "accounts": {"account": int, "name": str},
    "recorded_days": {
        "profile": str,
        "trade_date": str,
        "version": str,
        "events": int,
        "rejected": int,
        "lacks": str,
    },
    "days": {
        "account": int,
        "trade_date": str,
        "fills": int,
        "orders_filled": int,
        "round_trips": int,
        **_money("gross_pnl", "fees", "commissions", "net_pnl", "worst_running_net", "best_running_net"),
    },
    "breaches": {
        "id": str,
        "at": str,
        "trade_date": str,
        "account": int,
        "rule": str,
        "contract": str,
        "figures": str,
        "flags": str,
        "cause": str,
    },
    "breach_figures": {"breach": str, "name": str, "value": str},
    "commands": {
        "id": str,
        "at": str,
        "trade_date": str,
        "account": int,
        "kind": str,
        "rule": str,
        "contract": str,
        "breach": str,
        "size": int,
        "to": int,
        "order": int,
        "side": str,
        "price": str,
        "scope": str,
        "lockout_kind": str,
        "expires_at": str,
        "level": str,
        "text": str,
        "is_obligation": int,
        "outcome": str,
        "superseded_by": str,
        "met_at": str,
        "seconds_until_met": float,
    },
    "requests": {
        "id": str,
        "command": str,
        "account": int,
        "kind": str,
        "attempt": int,
        "contract": str,
        "order": int,
        "side": str,
        "size": int,
        "price": str,
        "outcome": str,
        "reason": str,
        "planned_at": str,
        "sent_at": str,
        "answered_at": str,
        "answer": str,
        "broker_order": int,
        "confirmed_at": str,
        "filled_at": str,
        "mark": str,
        "slippage_ticks": str,
        **_money("slippage_usd"),
        "sent_after_seconds": float,
        "answered_after_seconds": float,
        "filled_after_seconds": float,
    },
    "orders": {
        "account": int,
        "order": int,
        "contract": str,
        "status": str,
        "type": str,
        "side": str,
        "size": int,
        "filled": int,
        "limit_price": str,
        "stop_price": str,
        "parent": int,
        "recorded_at": str,
        **_MAKER,
        "request": str,
    },
    "fills": {
        "account": int,
        "trade": int,
        "order": int,
        "trade_date": str,
        "placed_at": str,
        "recorded_at": str,
        "contract": str,
        "root": str,
        "side": str,
        "size": int,
        "price": str,
        **_money("pnl", "fees", "commissions"),
        "voided": int,
        **_MAKER,
        "request": str,
        "slippage_ticks": str,
        **_money("slippage_usd"),
    },
    "lockouts": {
        "account": int,
        "scope": str,
        "rule": str,
        "kind": str,
        "set_at": str,
        "ended_at": str,
        "ended_by": str,
    },
    "overrides": {"at": str, "account": int, "lockout": str, "reason": str, "ended_the_lockout": int},
    "missed_enforcement": {
        "kind": str,
        "at": str,
        "account": int,
        "contract": str,
        "command": str,
        "rule": str,
        "since": str,
        "cause": str,
        "text": str,
    },
    "over_enforcement": {
        "kind": str,
        "at": str,
        "account": int,
        "contract": str,
        "command": str,
        "rule": str,
        "request": str,
        "cause": str,
        "text": str,
    },
    "flattens": {"at": str, "account": int, "contract": str, "fill": int, "order": int, **_MAKER},
    "notes": {"kind": str, "at": str, "account": int, "contract": str, "text": str},
    "settings": {
        "profile": str,
        "from_trade_date": str,
        "at": str,
        "version": str,
        "setting": str,
        "value": str,
    },
}
# What names a row. Tables without such a name have none.
PRIMARY_KEYS: dict[str, str | tuple[str, ...]] = {
    "accounts": "account",
    "recorded_days": ("profile", "trade_date"),
    "days": ("account", "trade_date"),
    "breaches": "id",
    "breach_figures": ("breach", "name"),
    "commands": "id",
    "requests": "id",
    "orders": ("account", "order"),
    "fills": ("account", "trade"),
}
# Column -> the table whose key it holds. What these days do not show is NULL there: its id begins every id made of it.
FOREIGN_KEYS: dict[str, dict[str, str]] = {
    "days": {"account": "accounts"},
    "breaches": {"account": "accounts"},
    "breach_figures": {"breach": "breaches"},
    "commands": {"account": "accounts", "breach": "breaches", "superseded_by": "commands"},
    "requests": {"account": "accounts", "command": "commands"},
    "orders": {"account": "accounts", "request": "requests"},
    "fills": {"account": "accounts", "request": "requests"},
    "lockouts": {"account": "accounts"},
    "overrides": {"account": "accounts"},
    "missed_enforcement": {"account": "accounts", "command": "commands"},
    "over_enforcement": {"account": "accounts", "command": "commands", "request": "requests"},
    "flattens": {"account": "accounts"},
    "notes": {"account": "accounts"},
}
INDEXES = (
    ("days", ["trade_date", "account"]),
    ("requests", ["command"]),
    ("fills", ["account", "trade_date"]),
    ("fills", ["request"]),
    ("fills", ["contract"]),
    ("orders", ["account", "contract"]),
    ("breaches", ["trade_date", "rule"]),
    ("commands", ["breach"]),
    ("commands", ["trade_date", "kind"]),
    ("settings", ["setting"]),
)
VIEWS = {
    "days_by_account": (
        "SELECT days.trade_date, coalesce(accounts.name, days.account) AS account, fills, round_trips, gross_pnl, "
        "fees, commissions, net_pnl, (SELECT count(*) FROM breaches WHERE breaches.account = days.account "
        "AND breaches.trade_date = days.trade_date) AS breaches FROM days LEFT JOIN accounts USING (account) "
        "ORDER BY days.trade_date, days.account"
    ),
    "enforcement": (
        "SELECT breaches.at, coalesce(accounts.name, breaches.account) AS account, breaches.rule, breaches.contract, "
        "breaches.figures, commands.kind AS command, commands.met_at, commands.seconds_until_met "
        "FROM breaches LEFT JOIN commands ON commands.breach = breaches.id "
        "LEFT JOIN accounts ON accounts.account = breaches.account ORDER BY breaches.at, breaches.rowid, commands.rowid"
    ),
    "sent": (
        "SELECT breaches.at AS breached_at, breaches.rule, commands.kind AS command, requests.kind AS request, "
        "requests.contract, requests.attempt, requests.outcome, requests.sent_at, requests.sent_after_seconds, "
        "requests.answer, requests.answered_after_seconds, requests.filled_after_seconds, requests.mark, "
        "(SELECT group_concat(fills.size || ' at ' || fills.price, ', ') FROM fills WHERE fills.request = requests.id) "
        "AS fills, requests.slippage_ticks, requests.slippage_usd, requests.id "
        "FROM requests LEFT JOIN commands ON commands.id = requests.command "
        "LEFT JOIN breaches ON breaches.id = commands.breach ORDER BY requests.planned_at, requests.rowid"
    ),
    "breaches_by_rule": (
        "SELECT trade_date, rule, count(*) AS breaches, min(at) AS first_at, max(at) AS last_at "
        "FROM breaches GROUP BY trade_date, rule ORDER BY trade_date, rule"
    ),
}
