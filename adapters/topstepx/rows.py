"""Rows of the broker as facts: accounts, orders, positions, fills, quotes, prints, contracts, bars.

The same rows come in hub events and in REST answers, so both use these readers. Each takes one row and
raises Rejected when it cannot be understood. Source: topstepx/API.md 3 and 4.3.

Choices: an order whose status is 0 (None) or unknown is rejected, because an older version that works must
not be replaced by one that says nothing; an unknown order type is kept as its number, because no rule is
wrong about an order whose kind it does not know; an unknown side is rejected, and so is a position that has a
size and no side: no source says what it means, and flat is the one thing it must not become.
"""

import re
from typing import Any

from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected, required
from riskcore.core.events import (
    AccountObserved,
    BarObserved,
    ContractDescribed,
    MarketTraded,
    OrderObserved,
    PositionObserved,
    QuoteObserved,
    TradeRecorded,
    TradeVoided,
)
from riskcore.core.products import product_code, root_of_code
from riskcore.core.state import BUY, SELL, TERMINAL, WORKING, Contract

_NAME = re.compile(r"([A-Z0-9]+)[FGHJKMNQUVXZ][0-9]{1,2}", re.ASCII)
SIDES = {0: BUY, 1: SELL}  # 0 is the bid, which buys (API.md 3.1).
WIRE_SIDES = {side: number for number, side in SIDES.items()}
_LONG, _SHORT, _FLAT = 1, 2, 0
_DELETED = 2  # The `action` of a row that is gone.


def row_of(value: Any) -> Object:
    """A row as an object. Raises Rejected."""
    if not isinstance(value, dict):
        raise Rejected("not an object")
    return value


def account(row: Object) -> AccountObserved:
    return AccountObserved(
        account=required(fields.identifier(row, "id"), "id"),
        name=fields.text(row, "name"),
        balance_usd=fields.money(row, "balance"),
        can_trade=fields.flag(row, "canTrade"),
        simulated=fields.flag(row, "simulated"),
    )


def order(row: Object) -> OrderObserved:
    status = required(fields.integer(row, "status"), "status")
    if status not in WORKING and status not in TERMINAL:
        raise Rejected(f"order status {status} is unknown")
    return OrderObserved(
        account=required(fields.identifier(row, "accountId"), "accountId"),
        order_id=required(fields.identifier(row, "id"), "id"),
        contract=fields.name_of(row, "contractId"),
        status=status,
        type=fields.integer(row, "type"),
        side=_side(row),
        size=fields.magnitude(row, "size"),
        fill_volume=fields.magnitude(row, "fillVolume"),
        limit_price=fields.price(row, "limitPrice"),
        stop_price=fields.price(row, "stopPrice"),
        parent_id=_link(row, "parentOrderId"),
        linked_id=_link(row, "linkedOrderId"),
        tag=fields.text(row, "customTag"),
        updated_at=fields.instant_of(row, "updateTimestamp"),
    )


def _link(row: Object, name: str) -> int | None:
    """The id of another order; senders write 0 for none."""
    return fields.integer(row, name) and fields.identifier(row, name)


def _side(row: Object) -> int | None:
    side = fields.integer(row, "side")
    if side is not None and side not in SIDES:
        raise Rejected(f"side {side} is unknown")
    return None if side is None else SIDES[side]


def position(row: Object, action: int | None = None) -> PositionObserved:
    """The signed size: the broker sends a magnitude and the side as `type` (API.md 3.3)."""
    kind = fields.integer(row, "type")
    size = fields.magnitude(row, "size")
    if kind not in (None, _FLAT, _LONG, _SHORT):
        raise Rejected(f"position type {kind} is unknown")
    if action == _DELETED or size == 0 or (kind == _FLAT and size is None):
        signed = 0
    elif kind == _FLAT:
        raise Rejected(f"position type 0 is neither long nor short, and the size is {size}")
    else:
        signed = required(size, "size") * (1 if required(kind, "type") == _LONG else -1)
    return PositionObserved(
        account=required(fields.identifier(row, "accountId"), "accountId"),
        contract=required(fields.name_of(row, "contractId"), "contractId"),
        size=signed,
        average_price=fields.price(row, "averagePrice"),
    )


def trade(row: Object) -> TradeRecorded | TradeVoided:
    """A fill, or its void: that one needs no more than the ids, and whatever else of its row can be read."""
    account_id = required(fields.identifier(row, "accountId"), "accountId")
    trade_id = required(fields.identifier(row, "id"), "id")
    if not fields.flag(row, "voided"):
        return _recorded(row, account_id, trade_id)
    try:
        told = _recorded(row, account_id, trade_id)
    except Rejected:
        return TradeVoided(account_id, trade_id)
    return TradeVoided(**{name: getattr(told, name) for name in TradeVoided.__dataclass_fields__})


def _recorded(row: Object, account_id: int, trade_id: int) -> TradeRecorded:
    size = required(fields.magnitude(row, "size"), "size")
    if size == 0:
        raise Rejected("size of a fill is 0")
    return TradeRecorded(
        account=account_id,
        trade_id=trade_id,
        contract=required(fields.name_of(row, "contractId"), "contractId"),
        price=required(fields.price(row, "price"), "price"),
        side=required(_side(row), "side"),
        size=size,
        created_at=fields.instant_of(row, "creationTimestamp"),
        profit_usd=fields.money(row, "profitAndLoss"),
        fees_usd=fields.money(row, "fees"),
        commissions_usd=fields.money(row, "commissions"),
        order_id=_link(row, "orderId"),
    )


def quote(contract: str, row: Object) -> QuoteObserved:
    return QuoteObserved(
        contract, fields.price(row, "lastPrice"), fields.price(row, "bestBid"), fields.price(row, "bestAsk")
    )


def print_of(contract: str, row: Object) -> MarketTraded:
    return MarketTraded(contract, required(fields.price(row, "price"), "price"))


def contract(row: Object) -> ContractDescribed:
    """Tick economics, which are what counts.

    The root is the exchange's own, from the name: ESZ5 and MNQU26 give ES and MNQ (API.md 3.7). A name without
    month and year says nothing; then the root is that of the broker's code in the id.
    """
    contract_id = required(fields.name_of(row, "id"), "id")
    named = _NAME.fullmatch((fields.text(row, "name") or "").strip().upper())
    root = named[1] if named else root_of_code(product_code(contract_id))
    tick_size = required(fields.price(row, "tickSize"), "tickSize")
    tick_value = required(fields.money(row, "tickValue"), "tickValue")
    if tick_size <= 0 or tick_value <= 0:
        raise Rejected("tickSize and tickValue must be above zero")
    return ContractDescribed(Contract(contract_id, root, tick_size, tick_value, described=True))


def bar(contract_id: str, unit_ns: int, row: Object) -> BarObserved:
    opened, high, low, close = (required(fields.price(row, name), name) for name in "ohlc")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise Rejected("the prices of a bar contradict each other")
    opens_at = required(fields.instant_of(row, "t"), "t")
    return BarObserved(contract_id, opens_at, unit_ns, opened, high, low, close)
