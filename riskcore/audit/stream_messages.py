"""The stream of a profile: stored events as the messages that screens and scripts read (INTERFACE.md 9, "Stream").

Messages are made from stored events alone: of each event, and of the book before and behind it. So the same bytes
come live and when they are read again. A cursor names the event, and the message of it where there are several.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from riskcore.audit.fill_rows import fill_row
from riskcore.audit.happenings import happenings
from riskcore.audit.status import held_row, known_order_row, view_of
from riskcore.core import events as e
from riskcore.core.quantities import money_text, price_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, Mark, Position, Request
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

LONGEST_MESSAGE = 65_536  # Bytes.
QUOTE, STATUS = "MarketQuote", "daemon_status"
TRADE, POSITION, ORDER, ACCOUNT = (f"GatewayUser{name}" for name in ("Trade", "Position", "Order", "Account"))
ACTION, SET, CLEARED, ALERT, RESET = "enforcement_action", "lockout_set", "lockout_cleared", "alert", "daily_reset"
TYPES = (
    TRADE, POSITION, ORDER, ACCOUNT, QUOTE, "breach", ACTION, SET, CLEARED, ALERT, "connection", "drift", RESET, STATUS,
)  # fmt: skip
_ALERT_FIELDS = ("id", "level", "rule", "title", "text", "allowed", "until", "advice", "account_name")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the stream: day, seq of the event, and which of its messages; `part` 0 is behind all of them."""

    day: str
    seq: int
    part: int = 0

    def __str__(self) -> str:
        return f"{self.day}:{self.seq}" + (f".{self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be sent. `part` counts from 1 also where an event has only one."""

    day: str
    seq: int
    part: int
    cursor: str
    type: str
    account: int | None
    body: bytes

    @property
    def place(self) -> tuple[str, int, int]:
        return self.day, self.seq, self.part


def message_bytes(cursor: str | None, at: int, kind: str, account: int | None, data: Row | None) -> bytes:
    """The JSON of one message; one that would be too long says that its data were left out."""
    row = {"cursor": cursor, "at": utc_text(at), "type": kind, "account": account, "data": data}
    body = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) <= LONGEST_MESSAGE:
        return body
    row.update(data=None, truncated=True)
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def quote_bytes(contract: str, mark: Mark) -> bytes:
    """The market in a contract, which is not stored as a message."""
    prices = {name: getattr(mark, name) for name in ("last", "bid", "ask")}
    data = {"contract": contract, **{key: None if one is None else price_text(one) for key, one in prices.items()}}
    return message_bytes(None, mark.at, QUOTE, None, data)


@dataclass(slots=True)
class Before:
    """What an event is about, as it was before it was folded."""

    rows: dict[Key, Row] = field(default_factory=dict)
    orders: tuple[int, ...] = ()
    requests: Mapping[str, Request] = field(default_factory=dict)


def before(book: Book, rulebook: Rulebook, event: e.Event) -> Before:
    """To be asked before an event is folded, and given to `messages` behind it."""
    request = getattr(event.body, "request", None)
    account = book.accounts.get(getattr(event.body, "account", -1))
    if account is not None and request in account.requests:
        return Before(requests={request: account.requests[request]})
    orders = () if account is None else _orders(account, event.body)
    return Before(dict(_rows(book, rulebook, event, orders)), orders)


# The channels that hear of an alert of this level at this instant.
Channels = Callable[[str, int], list[str]]


def no_channels(level: str, at: int) -> list[str]:
    """Where nobody is told, or where it is not known who is."""
    return []


def messages(
    day: str,
    seq: int,
    event: e.Event,
    book: Book,
    rulebook: Rulebook,
    known: Before,
    channels: Channels = no_channels,
) -> list[Message]:
    """The messages of one event. `book` is the state right behind it."""
    told: list[tuple[str, int | None, Row]] = []
    for (kind, name), row in _rows(book, rulebook, event, known.orders):
        if _alike(kind, row) != _alike(kind, known.rows.get((kind, name))):
            told.append((kind, row["account"], row))
    if isinstance(event.body, e.DayRolled):
        told.append((RESET, None, {"trade_date": event.body.trade_date, "next_date": event.body.next_date}))
    for row in happenings((event,), book, known.requests):
        told.append(_happening(row))
    found = []
    for part, (kind, account, data) in enumerate(told, 1):
        if kind == ALERT:
            data["channels"] = channels(str(data["level"]), event.at)
        cursor = str(Cursor(day, seq, part if len(told) > 1 else 0))
        body = message_bytes(cursor, event.at, kind, account, data)
        found.append(Message(day, seq, part, cursor, kind, account, body))
    return found


def _happening(row: Row) -> tuple[str, int | None, Row]:
    """Type, account and data of what is reported anyway (INTERFACE.md 7)."""
    kind = row["type"]
    data = {name: value for name, value in row.items() if name not in ("at", "type")}
    account = data.get("account")
    if kind == "target" or (kind == "command" and row["kind"] == "Alert"):
        alert: Row = dict.fromkeys(_ALERT_FIELDS) | {"level": "info", "title": "The target is reached"}
        return ALERT, account, {**alert, **{name: data[name] for name in _ALERT_FIELDS if name in data}, "channels": []}
    if kind in ("command", "request", "outcome"):
        return ACTION, account, {"action": kind, **data}
    if kind == "lockout":
        return (SET if data.pop("change") == "set" else CLEARED), account, data
    return str(kind), account, data


# ---- what the broker says, as rows -------------------------------------------------------------------


def _rows(book: Book, rulebook: Rulebook, event: e.Event, orders: tuple[int, ...]) -> Iterator[tuple[Key, Row]]:
    """The rows of everything a fact of the broker is about, as the book has them now."""
    body = event.body
    account = book.accounts.get(body.account) if isinstance(body, _ABOUT) else None
    if account is None:
        return
    named = {"account": account.id, "account_name": account.name}
    if isinstance(body, e.AccountObserved):
        yield (ACCOUNT, ""), {**named, **account_row(account)}
    if isinstance(body, e.TradeRecorded | e.TradeVoided):
        trade = account.trade(body.trade_id)
        if trade is not None:
            yield (TRADE, str(body.trade_id)), {**named, **fill_row(trade)}
    for order_id in (body.order_id,) if isinstance(body, e.OrderObserved) else orders:
        order = account.orders.get(order_id)
        if order is not None:
            yield (ORDER, str(order_id)), {**named, **known_order_row(account, order)}
    for contract in _contracts(account, body):
        yield (POSITION, contract), {**named, **_position(book, rulebook, account, contract)}


_ABOUT = (
    e.AccountObserved,
    e.TradeRecorded,
    e.TradeVoided,
    e.OrderObserved,
    e.OrdersListed,
    e.PositionObserved,
    e.PositionsListed,
    e.DriftDetected,
)


def _orders(account: Account, body: Any) -> tuple[int, ...]:
    """The orders that a list may end. Each order that is listed is an event of its own."""
    return tuple(one.id for one in account.working_orders()) if isinstance(body, e.OrdersListed) else ()


def _contracts(account: Account, body: Any) -> list[str]:
    if isinstance(body, e.PositionsListed):
        return list(dict.fromkeys([*account.positions, *(one.contract for one in body.positions)]))
    contract = getattr(body, "contract", None)
    return [contract] if contract is not None and not isinstance(body, e.OrderObserved) else []


def _position(book: Book, rulebook: Rulebook, account: Account, contract: str) -> Row:
    held = _held(account, contract)
    if held is not None:
        return held_row(view_of(book, rulebook, account), held)
    empty = ("side", "average_price", "unrealized", "mark", "marked_at", "stale", "opened_at")
    return {"contract": contract, "size": 0, **dict.fromkeys(empty)}


def _held(account: Account, contract: str) -> Position | None:
    return next((one for one in account.held() if one.contract == contract), None)


def _alike(kind: str, row: Row | None) -> Row | None:
    """What makes two rows of the same thing different: of a position not what the market makes of it."""
    if kind != POSITION:
        return row
    if row is None:
        return {"side": None, "size": 0, "average_price": None}
    return {name: row[name] for name in ("side", "size", "average_price")}


def account_row(account: Account) -> Row:
    """What the broker says of an account itself."""
    return {
        "id": account.id,
        "name": account.name,
        "balance": None if account.balance_usd is None else money_text(account.balance_usd),
        "can_trade": account.can_trade,
        "simulated": account.simulated,
    }
