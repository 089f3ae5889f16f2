"""Tables, indexes and views of the audit database (database.py)."""

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
        "met_at": str,
        "seconds_until_met": float,
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
INDEXES = (
    ("days", ["trade_date", "account"]),
    ("fills", ["account", "trade_date"]),
    ("fills", ["contract"]),
    ("orders", ["account", "contract"]),
    ("breaches", ["id"]),
    ("breaches", ["trade_date", "rule"]),
    ("breach_figures", ["breach"]),
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
    "breaches_by_rule": (
        "SELECT trade_date, rule, count(*) AS breaches, min(at) AS first_at, max(at) AS last_at "
        "FROM breaches GROUP BY trade_date, rule ORDER BY trade_date, rule"
    ),
}
