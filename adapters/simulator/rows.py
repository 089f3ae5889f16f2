"""Rows as the broker writes them: hub events wrapped and without nulls, REST rows with nulls.

Pure functions from the records of a generated day to JSON objects. Source: topstepx/API.md 0, 2.1, 3.6, 3.7, 4.3.
"""

from typing import Any

from adapters.simulator.records import Fill, Holding, Instrument, TradingAccount, WorkOrder
from adapters.topstepx.fields import Number, Object
from riskcore.core.quantities import MONEY_PLACES, PRICE_PLACES, SECOND_NS, decimal_text
from riskcore.core.state import BUY
from riskcore.schema.instants import instant_text

HUB_DIGITS, REST_DIGITS = 7, 6
_LONG, _SHORT, _FLAT = 1, 2, 0
_UPDATED, _DELETED = 1, 2


def price(value: int | None) -> int | Number | None:
    """A price of 1e-9 points as a JSON number."""
    return None if value is None else _number(value, PRICE_PLACES)


def money(value: int | None) -> int | Number | None:
    """An amount of 1e-6 dollars as a JSON number."""
    return None if value is None else _number(value, MONEY_PLACES)


def _number(value: int, places: int) -> int | Number:
    text = decimal_text(value, places)
    return Number(text) if "." in text else int(text)


def time(at: int, digits: int = HUB_DIGITS) -> str:
    """A server time: seven digits on the hub, at most six in REST with trailing zeros dropped (API.md 0.12)."""
    whole, fraction = instant_text(at)[:-1].split(".")
    shown = fraction[:digits] if digits == HUB_DIGITS else fraction[:digits].rstrip("0")
    return f"{whole}.{shown}+00:00" if shown else f"{whole}+00:00"


def hub(target: str, row: Object, action: int = _UPDATED) -> Object:
    """A user-hub event: wrapped, null fields left out (API.md 0.1 and 0.2)."""
    data = {name: value for name, value in row.items() if value is not None}
    return {"hub": "user", "target": target, "arguments": [{"action": action, "data": data}]}


def market(target: str, instrument: Instrument, payload: Any) -> Object:
    """A market-hub event: contract id and payload."""
    return {"hub": "market", "target": target, "arguments": [instrument.id, payload]}


def rest(path: str, request: Object, response: Object) -> Object:
    """A REST exchange that succeeded."""
    answer = {**response, "success": True, "errorCode": 0, "errorMessage": None}
    return {"rest": f"/api/{path}", "request": request, "status": 200, "response": answer}


def account(account: TradingAccount) -> Object:
    return {
        "id": account.id,
        "name": account.name,
        "balance": money(account.balance_usd),
        "canTrade": account.can_trade,
        "isVisible": account.visible,
        "simulated": account.simulated,
    }


def contract(instrument: Instrument, active: bool = True) -> Object:
    return {
        "id": instrument.id,
        "name": instrument.name,
        "description": instrument.description,
        "tickSize": price(instrument.tick_size),
        "tickValue": money(instrument.tick_value),
        "activeContract": active,
        "symbolId": instrument.symbol_id,
    }


def order(order: WorkOrder, digits: int = HUB_DIGITS) -> Object:
    """An order; parent and link only where they exist, as on the wire."""
    row: Object = {
        "id": order.id,
        "accountId": order.account.id,
        "contractId": order.instrument.id,
        "symbolId": order.instrument.symbol_id,
        "creationTimestamp": time(order.created_at, digits),
        "updateTimestamp": time(order.updated_at, digits),
        "status": order.status,
        "type": order.type,
        "side": 0 if order.side == BUY else 1,
        "size": order.size,
        "limitPrice": price(order.limit_price),
        "stopPrice": price(order.stop_price),
        "fillVolume": order.filled,
        "filledPrice": price(order.filled_price),
        "customTag": order.tag,
    }
    if order.parent is not None:
        row["parentOrderId"] = order.parent.id
    if order.linked is not None and order.links_openly:
        row["linkedOrderId"] = order.linked.id
    if order.trail_ticks is not None:
        # What is read is a distance, what is written an absolute price (API.md 2.3).
        row["trailDistance"] = order.trail_ticks
        row["trailPrice"] = price(order.trail_ticks * order.instrument.tick_size)
    return row


def fill(fill: Fill, digits: int = HUB_DIGITS) -> Object:
    return {
        "id": fill.id,
        "accountId": fill.account.id,
        "contractId": fill.instrument.id,
        "creationTimestamp": time(fill.at, digits),
        "price": price(fill.price),
        "profitAndLoss": money(fill.profit_usd),
        "fees": money(fill.fees_usd),
        "commissions": money(fill.commissions_usd),
        "side": 0 if fill.side == BUY else 1,
        "size": fill.size,
        "voided": fill.voided,
        "orderId": fill.order.id,
    }


def position(holding: Holding, digits: int = HUB_DIGITS) -> Object:
    size = holding.size
    return {
        "id": holding.id,
        "accountId": holding.account.id,
        "contractId": holding.instrument.id,
        "contractDisplayName": holding.instrument.display_name,
        "creationTimestamp": time(holding.opened_at, digits),
        "type": _LONG if size > 0 else _SHORT if size < 0 else _FLAT,
        "size": abs(size),
        "averagePrice": price(holding.average_price()),
    }


def position_push(holding: Holding) -> Object:
    """A position event: action 2 with size 0 when it is flat (API.md 3.3)."""
    return hub("GatewayUserPosition", position(holding), _UPDATED if holding.size else _DELETED)


def quote(instrument: Instrument, changed: Object, at: int) -> Object:
    """A sparse quote: always symbol, times and contract, the rest only when it changed (API.md 4.3)."""
    stamped = at // (SECOND_NS // 1000) * (SECOND_NS // 1000)
    row = {"symbol": instrument.symbol_id, **changed}
    row |= {"lastUpdated": time(at), "timestamp": time(stamped, 3), "contract": instrument.id}
    return market("GatewayQuote", instrument, row)


def prints(instrument: Instrument, sizes: list[int], bought: bool, at: int) -> Object:
    """A batch of market prints at the last price; a size of 0 is one of the nulls such arrays may hold."""
    rows = [
        {
            "symbolId": instrument.symbol_id,
            "price": price(instrument.last),
            "timestamp": time(at, 3),
            "type": 0 if bought else 1,
            "volume": size,
            "contractId": instrument.id,
        }
        if size
        else None
        for size in sizes
    ]
    return market("GatewayTrade", instrument, rows)


def depth(instrument: Instrument, volumes: list[int], at: int) -> Object:
    """Rows of the order book: asks above the market (type 1), bids below it (type 2)."""
    rows: list[Any] = []
    for level, volume in enumerate(volumes):
        asked = level % 2 == 0
        away = level // 2 * instrument.tick_size
        at_price = instrument.ask + away if asked else instrument.bid - away
        rows.append(
            {
                "timestamp": time(at, 3),
                "type": 1 if asked else 2,
                "price": price(at_price),
                "volume": volume,
                "currentVolume": volume,
            }
        )
    return market("GatewayDepth", instrument, [*rows, None])
