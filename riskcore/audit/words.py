"""Stored events in human words."""

from collections.abc import Callable
from typing import Any

from riskcore.core import events as e
from riskcore.core.order_words import ORDER_TYPES, side_word
from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Order
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

ORDER_STATUS = {
    0: "none",
    1: "open",
    2: "filled",
    3: "cancelled",
    4: "expired",
    5: "rejected",
    6: "pending",
    7: "pending cancellation",
    8: "suspended",
}


def describe(event: e.Event) -> str:
    """One event as a sentence; an event without words of its own gives its name."""
    words = _WORDS.get(type(event.body))
    return words(event.body) if words is not None else f"{type(event.body).__name__} {event.key}"


def order_row(order: Order) -> Row:
    """What an order is, without the id that names it."""
    return {
        "contract": order.contract,
        "status": ORDER_STATUS.get(order.status, f"status {order.status}"),
        "type": ORDER_TYPES.get(order.type, f"type {order.type}"),
        "side": side_word(order.side),
        "size": order.size,
        "filled": order.fill_volume,
        "limit_price": None if order.limit_price is None else price_text(order.limit_price),
        "stop_price": None if order.stop_price is None else price_text(order.stop_price),
        "parent": order.parent_id,
    }


def _price(value: int | None) -> str:
    return "unknown" if value is None else price_text(value)


def _listed(**parts: str | None) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in parts.items() if value is not None)


def _money(value: int | None) -> str | None:
    return None if value is None else money_text(value)


def _trade(body: e.TradeRecorded) -> str:
    done = "bought" if body.side > 0 else "sold"
    amounts = (("P&L", body.profit_usd), ("fees", body.fees_usd), ("commissions", body.commissions_usd))
    booked = ", ".join(f"{name} {money_text(value)}" for name, value in amounts if value is not None)
    about = f"fill {body.trade_id}" + (f" of order {body.order_id}" if body.order_id is not None else "")
    opening = "" if body.profit_usd is not None else " (opening)"
    text = f"{about}: {done} {body.size} {body.contract} at {price_text(body.price)}{opening}"
    return f"{text}, {booked}" if booked else text


def _order(body: e.OrderObserved) -> str:
    status = ORDER_STATUS.get(body.status, f"status {body.status}")
    kind = "" if body.type is None else f" {ORDER_TYPES.get(body.type, f'type {body.type}')}"
    side = side_word(body.side or 0) or "side unknown"
    what = f"{side} {body.size if body.size is not None else '?'} {body.contract or 'contract unknown'}"
    limit = None if body.limit_price is None else price_text(body.limit_price)
    stop = None if body.stop_price is None else price_text(body.stop_price)
    prices = _listed(limit=limit, stop=stop)
    filled = f", {body.fill_volume} filled" if body.fill_volume else ""
    return f"order {body.order_id} is {status}: {what}{kind}{f', {prices}' if prices else ''}{filled}"


def _position(body: e.PositionObserved) -> str:
    if body.size == 0:
        return f"the broker shows {body.contract} flat"
    side = "long" if body.size > 0 else "short"
    at = "" if body.average_price is None else f" at {price_text(body.average_price)}"
    return f"the broker shows {abs(body.size)} {side} of {body.contract}{at}"


def _account(body: e.AccountObserved) -> str:
    allowed = None if body.can_trade is None else ("yes" if body.can_trade else "no")
    said = _listed(balance=_money(body.balance_usd), trading_allowed=allowed)
    return f"account {body.name or body.account}: {said or 'seen'}"


def _quote(body: e.QuoteObserved) -> str:
    parts = _listed(
        last=None if body.last is None else price_text(body.last),
        bid=None if body.bid is None else price_text(body.bid),
        ask=None if body.ask is None else price_text(body.ask),
    )
    return f"quote of {body.contract}: {parts or 'no price'}"


def _bar(body: e.BarObserved) -> str:
    prices = f"open {_price(body.open)}, high {_price(body.high)}, low {_price(body.low)}, close {_price(body.close)}"
    return f"bar of {body.contract} from {utc_text(body.opens_at)}: {prices}"


def balance_drift_text(body: e.BalanceDrifted) -> str:
    """A balance that is not what was computed, as every reader of a day says it."""
    computed, broker = money_text(body.computed_usd), money_text(body.broker_usd)
    return f"the opening balance and the day's fills make {computed}, the broker reported {broker}"


def sight_text(body: e.SightChanged) -> str:
    """An account that got out of sight by itself, or is back, as every reader of a day says it."""
    if body.lost:
        return "nothing tells what the account does: its messages cannot be read, and its lists do not come"
    return "the account is in sight again: the broker's lists are complete"


def target_text(body: e.TargetReached) -> str:
    """A day that passed, as every reader of a day says it."""
    return f"{body.trade_date} reached the target with a profit of {money_text(body.profit_usd)}"


_WORDS: dict[type, Callable[[Any], str]] = {
    e.TradeRecorded: _trade,
    e.TradeVoided: lambda body: f"fill {body.trade_id} was voided",
    e.OrderObserved: _order,
    e.OrdersListed: lambda body: f"the broker's list of {len(body.order_ids)} orders",
    e.PositionObserved: _position,
    e.PositionsListed: lambda body: f"the broker's list of {len(body.positions)} open positions",
    e.TradesListed: lambda body: f"the broker's list of the fills since {utc_text(body.from_at)}",
    e.AccountObserved: _account,
    e.QuoteObserved: _quote,
    e.MarketTraded: lambda body: f"the market traded {body.contract} at {price_text(body.price)}",
    e.BarObserved: _bar,
    e.ConnectionChanged: lambda body: f"the {body.hub} connection: {body.state}",
    e.SightChanged: sight_text,
    e.ClockTicked: lambda body: "a tick of the clock",
    e.LockRequested: lambda body: f"the operator locked until {utc_text(body.expires_at)}: {body.reason}",
    e.FlattenRequested: lambda body: (
        "the operator asked to be flat" if body.positions else "the operator asked to cancel every order"
    ),
    e.OperatorOverride: lambda body: f"the operator asked to end {body.lockout}: {body.reason}",
    e.PayoutRecorded: lambda body: f"the operator recorded a payout of {money_text(body.amount_usd)}",
    e.ProgrammeReset: lambda body: f"the operator reset the account in its programme: {body.reason}",
    e.NoteRecorded: lambda body: f"the operator noted: {body.text}",
    e.ConfigChanged: lambda body: "the settings were changed",
    e.EngineStarted: lambda body: f"riskcore {body.version} started" + ("" if body.enforces else ", deciding only"),
    e.TradingDayOpened: lambda body: f"trading day {body.day.trade_date} was opened",
    e.DayRolled: lambda body: f"trading day {body.trade_date} ended",
    e.TimerFired: lambda body: f"a deadline of {body.rule} ({body.target}) was reached",
    e.LockoutEnded: lambda body: f"lockout {body.lockout} ended by {body.ended_by}",
    e.DriftDetected: lambda body: (
        f"{body.contract}: fills say {body.fills_size}, the broker {body.broker_size}, for two seconds"
    ),
    e.BalanceDrifted: balance_drift_text,
    e.TargetReached: target_text,
}
