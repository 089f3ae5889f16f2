"""Facts as lines of a wire recording: the broker's own message where one says all of it, else a fact line."""

from typing import Any

from adapters.topstepx.fields import decode, encode
from adapters.topstepx.normalise import normalise
from adapters.topstepx.rows import WIRE_SIDES
from replay.wire_export import quote_text
from riskcore.core import events as e
from riskcore.core.quantities import money_text, price_text
from riskcore.schema.fact_lines import fact_text
from riskcore.schema.instants import utc_text
from riskcore.schema.payloads import message_line

_PRICES = ("price", "limitPrice", "stopPrice", "averagePrice")
_MONEY = ("profitAndLoss", "fees", "commissions", "balance")


def line_of(event: e.Event) -> bytes:
    """The line that is read as this fact again."""
    body = event.body
    if isinstance(body, e.QuoteObserved):
        return message_line(event.at, quote_text(body))
    text = _message(body)
    if text is not None and normalise(decode(text).value, event.at) == [event]:
        return message_line(event.at, text)
    return message_line(event.at, fact_text(event))


def _message(body: e.Body) -> bytes | None:
    if isinstance(body, e.ConnectionChanged):
        return encode({"connection": body.hub, "state": body.state}).encode()
    row = _row(body)
    if row is None:
        return None
    target, data = row
    said = ",".join(f'"{name}":{_text(name, value)}' for name, value in data.items() if value is not None)
    return f'{{"hub":"user","target":"{target}","arguments":[{{"action":1,"data":{{{said}}}}}]}}'.encode()


def _text(name: str, value: Any) -> str:
    if name in _PRICES:
        return price_text(value)
    return money_text(value) if name in _MONEY else encode(value)


def _row(body: e.Body) -> tuple[str, dict[str, Any]] | None:
    match body:
        case e.AccountObserved():
            said = {"id": body.account, "name": body.name, "balance": body.balance_usd, "canTrade": body.can_trade}
            return "GatewayUserAccount", {**said, "simulated": body.simulated}
        case e.PositionObserved():
            kind = 0 if not body.size else 1 if body.size > 0 else 2
            said = {"accountId": body.account, "contractId": body.contract, "type": kind, "size": abs(body.size)}
            return "GatewayUserPosition", {**said, "averagePrice": body.average_price}
        case e.OrderObserved():
            return "GatewayUserOrder", _order(body)
        case e.TradeRecorded() | e.TradeVoided():
            return "GatewayUserTrade", _trade(body)
        case _:
            return None


def _order(body: e.OrderObserved) -> dict[str, Any]:
    return {
        "id": body.order_id,
        "accountId": body.account,
        "contractId": body.contract,
        "status": body.status,
        "type": body.type,
        "side": None if body.side is None else WIRE_SIDES[body.side],
        "size": body.size,
        "fillVolume": body.fill_volume,
        "limitPrice": body.limit_price,
        "stopPrice": body.stop_price,
        "parentOrderId": body.parent_id,
        "linkedOrderId": body.linked_id,
        "customTag": body.tag,
        "updateTimestamp": None if body.updated_at is None else utc_text(body.updated_at),
    }


def _trade(body: e.TradeRecorded | e.TradeVoided) -> dict[str, Any]:
    return {
        "id": body.trade_id,
        "accountId": body.account,
        "contractId": body.contract,
        "creationTimestamp": None if body.created_at is None else utc_text(body.created_at),
        "price": body.price,
        "profitAndLoss": body.profit_usd,
        "fees": body.fees_usd,
        "commissions": body.commissions_usd,
        "side": None if body.side is None else WIRE_SIDES[body.side],
        "size": body.size,
        "voided": isinstance(body, e.TradeVoided),
        "orderId": body.order_id,
    }
