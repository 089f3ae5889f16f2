"""What happened in words, for lines and screens; `riskcore.audit.happenings` makes the rows."""

from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]
Words = Callable[[Mapping[str, Any]], str]
TYPE_WIDTH = 10
# Snapshots are asked for all the time; only what went wrong with one is worth a line.
_QUIET_KIND, _QUIET_OUTCOMES = "takeSnapshot", ("accepted", "confirmed", "superseded")
_SHOWN_APART = ("at", "type", "account", "account_name", "text")


def line_of(row: Mapping[str, Any]) -> str:
    """One happening as an aligned line: when, what kind, which account, and what."""
    who = f"{account_words(row)}  " if "account" in row else ""
    return f"{to_milliseconds(row['at'])}  {row['type']:<{TYPE_WIDTH}}  {who}{words_of(row)}"


def to_milliseconds(at: str) -> str:
    """An instant as lines show it, all equally long: 2026-11-20 16:00:00.250Z. JSON has every digit."""
    seconds, _, fraction = at.removesuffix("Z").replace("T", " ").partition(".")
    return f"{seconds}.{fraction[:3]:<03}Z"


def account_words(row: Mapping[str, Any]) -> str:
    """An account as people know it: by name, else by id."""
    return str(row.get("account_name") or row.get("account", ""))


def words_of(row: Mapping[str, Any]) -> str:
    """What happened, without time, kind and account; a happening of another shape is described by its fields."""
    try:
        return _WORDS.get(row["type"], _other)(row)
    except KeyError:
        return _other(row)


def is_worth_a_line(row: Mapping[str, Any]) -> bool:
    """Whether people want to read it; programs get everything.

    A lockout shows better than its SetLockout what is in force, and snapshots need no line.
    """
    if row["type"] == "command":
        return row.get("kind") not in ("SetLockout", "ConfirmFlat")
    if row["type"] == "request":
        return row.get("kind") != _QUIET_KIND
    if row["type"] == "outcome":
        return row.get("kind") != _QUIET_KIND or row.get("outcome") not in _QUIET_OUTCOMES
    return True


def short(at: str | None) -> str:
    """An instant without its trailing zeros, as a person reads it: 2026-08-19 14:31:32.5Z."""
    if at is None:
        return ""
    date, _, clock = at.removesuffix("Z").partition("T")
    whole, _, fraction = clock.partition(".")
    fraction = fraction.rstrip("0")
    return f"{date} {whole}.{fraction}Z" if fraction else f"{date} {whole}Z"


def command_words(row: Row) -> str:
    """What a command demands: kind, what it is about, by which rule."""
    if row["kind"] == "Alert":
        return f"Alert ({row.get('level', 'info')}): {row.get('text', '')}{_advised(row)}"
    about = [row["kind"], row["contract"], row.get("scope"), f"to {row['to']}" if "to" in row else None]
    about += [f"order {row['order']}" if "order" in row else None, row["price"], f"by {row['rule']}"]
    until = f"until {short(row['expires_at'])}" if "expires_at" in row else None
    return " ".join(part for part in [*about, until] if part)


# ---- words of each kind ------------------------------------------------------------------------------


def _breach(row: Mapping[str, Any]) -> str:
    figures = "  ".join(f"{name} {value}" for name, value in row["figures"].items())
    flags = f"  [{', '.join(row['flags'])}]" if row.get("flags") else ""
    what = "  ".join(part for part in (f"{row['rule']} breached", row.get("contract"), figures) if part)
    return f"{what}{flags}{_advised(row)}"


def _advised(row: Mapping[str, Any]) -> str:
    """What is still allowed, until when, and what to do, where the row says it."""
    if "allowed" not in row:
        return ""
    until = f" Until {short(row['until'])}." if row.get("until") else ""
    return f"  {row['allowed']}{until} {row['advice']}"


def _command(row: Mapping[str, Any]) -> str:
    return command_words({"contract": None, "price": None, **row})


def request_words(row: Mapping[str, Any]) -> str:
    """What a request asks of the broker; fields that do not apply are absent or null."""
    about = [row.get("kind", row["id"]), row.get("side"), row.get("size"), row.get("price")]
    about += [f"order {row['order']}" if row.get("order") is not None else row.get("contract")]
    about += [f"attempt {row['attempt']}" if row.get("attempt", 1) > 1 else None]
    return " ".join(str(part) for part in about if part is not None)


def _outcome(row: Mapping[str, Any]) -> str:
    if row["outcome"] == "met":
        return "stayed flat" if row["kind"] == "ConfirmFlat" else f"met: {row['kind']}"
    if row["outcome"] == "declined":
        return f"declined: {row['reason']}"
    reason = f": {row['reason']}" if row.get("reason") else ""
    return f"{row['outcome']}: {request_words(row)}{reason}"


def _lockout(row: Mapping[str, Any]) -> str:
    about = f"{row['scope']} by {row['rule']}"
    if row["change"] == "ended":
        return f"ended: {about} ({row['ended_by']})"
    until = f"until {short(row['expires_at'])}" if row.get("expires_at") else "until released"
    text = f": {row['text']}" if row.get("text") else ""
    return f"locked: {about}, {until}{text}"


def _connection(row: Mapping[str, Any]) -> str:
    if "mode" in row:
        return f"the accounts are now seen by {row['mode']}"
    return f"the {row['hub']} hub is {row['state']}"


def _ready(row: Mapping[str, Any]) -> str:
    accounts = _value(row["accounts"]) or "none"
    does = "enforcing" if row["enforces"] else "deciding only, sending nothing"
    if row.get("rules") == 0:
        does = "recording only, no rule is switched on"
    return f"{does}; accounts {accounts}"


def _settings(row: Mapping[str, Any]) -> str:
    parts = [f"from now on: {_value(row['now'])}"] if row["now"] else []
    if row["at_reset"]:
        waits = "never, as loosen_policy says" if row.get("policy") == "never" else "from the next reset"
        parts.append(f"{waits}: {_value(row['at_reset'])} (it loosens)")
    return f"edited; {'; '.join(parts)}"


def _halt(row: Mapping[str, Any]) -> str:
    missed = row.get("not_stored")
    parts = [row["text"], row.get("reason")]
    parts += [f"{missed} messages were not stored meanwhile; the broker's lists report them again" if missed else None]
    return ": ".join(part for part in parts if part)


def _drift(row: Mapping[str, Any]) -> str:
    return f"{row['contract']}: {row['text']}" if "contract" in row else _other(row)


def _fill(row: Mapping[str, Any]) -> str:
    pnl = f", P&L {row['pnl']}" if row["pnl"] is not None else ""
    did = "bought" if row["side"] == "buy" else "sold"
    return f"{did} {row['size']} {row['contract']} at {row['price']}{pnl}{', voided' if row['voided'] else ''}"


def _order(row: Mapping[str, Any]) -> str:
    prices = "".join(f" at {row[name]}" for name in ("stop_price", "limit_price") if row[name] is not None)
    filled = f", {row['filled']} of {row['size']} filled" if row["filled"] not in (0, row["size"]) else ""
    about = [row["side"], row["size"], row["contract"], row["type"]]
    what = " ".join(str(part) for part in about if part is not None)
    return f"{row['id']} {row['status']}: {what}{prices}{filled}, by {row['by']}"


def _position(row: Mapping[str, Any]) -> str:
    if not row["size"]:
        return f"{row['contract']} flat"
    return f"{row['side']} {row['size']} {row['contract']} at {row['average_price']}, open P&L {row['unrealized']}"


def _account(row: Mapping[str, Any]) -> str:
    balance = "unknown" if row["balance"] is None else row["balance"]
    return f"balance {balance}{', trading is not allowed' if row['can_trade'] is False else ''}"


def _alert(row: Mapping[str, Any]) -> str:
    return f"({row['level']}) {row['title']}: {row['text']}{_advised(row)}"


def _other(row: Mapping[str, Any]) -> str:
    """A happening of the engine itself (ready, halt): its text, then its other figures."""
    figures = [f"{name} {_value(value)}" for name, value in row.items() if name not in _SHOWN_APART]
    text = [str(row["text"])] if "text" in row else []
    return "  ".join(text + figures)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


_WORDS: dict[str, Words] = {
    "breach": _breach,
    "command": _command,
    "request": request_words,
    "outcome": _outcome,
    "lockout": _lockout,
    "connection": _connection,
    "drift": _drift,
    "settings": _settings,
    "ready": _ready,
    "fill": _fill,
    "order": _order,
    "position": _position,
    "account": _account,
    "alert": _alert,
    "halt": _halt,
}
