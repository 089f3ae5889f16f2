"""Order/place of the simulated broker: what is refused before there is an order, what is rejected as one, what works.

Choices where topstepx/API.md 2.3 has no source: a duplicate tag, an unknown type and a size below one make no order;
JoinBid and JoinAsk are limit orders at the best price of their arrival.
"""

from dataclasses import dataclass

from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.venue import Reply, Venue
from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected, required
from adapters.topstepx.rows import SIDES
from riskcore.core.order_words import ORDER_TYPES
from riskcore.core.state import (
    BUY,
    TYPE_JOIN_ASK,
    TYPE_JOIN_BID,
    TYPE_LIMIT,
    TYPE_STOP,
    TYPE_STOP_LIMIT,
    TYPE_TRAILING_STOP,
)

_TYPES = tuple(ORDER_TYPES)
_ACCOUNT_NOT_FOUND, _REJECTED, _VIOLATION, _OUTSIDE_HOURS = 1, 2, 4, 5
_CONTRACT_NOT_FOUND, _CONTRACT_NOT_ACTIVE, _ACCOUNT_REJECTED = 8, 9, 10
_NEAREST_LEG_TICKS, _LONGEST_TRAIL_TICKS = 4, 1000
_POSITION_BRACKETS = "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
LIVE_ACCOUNT = "Live accounts not supported"


@dataclass(frozen=True, slots=True)
class _Leg:
    """A bracket as it was asked for: signed ticks from the entry (API.md 0.8)."""

    ticks: int
    type: int


@dataclass(slots=True)
class _Draft:
    """An order as it was asked for; the prices become those it will have."""

    account: TradingAccount
    instrument: Instrument
    type: int
    side: int
    size: int
    limit_price: int | None
    stop_price: int | None
    trail_price: int | None
    tag: str | None
    stop_loss: _Leg | None
    take_profit: _Leg | None
    trail_ticks: int | None = None


def place(venue: Venue, body: Object) -> Reply:
    """Order/place. Raises Rejected when the body is malformed (HTTP 400)."""
    account_id, contract_id = required(fields.integer(body, "accountId"), "accountId"), _contract_id(body)
    account, instrument = venue.accounts.get(account_id), venue.instrument(contract_id)
    if account is None:
        return _refused(_ACCOUNT_NOT_FOUND)
    if instrument is None:
        invalid = not contract_id.startswith("CON.")
        return _refused(_REJECTED, "Invalid symbol") if invalid else _refused(_CONTRACT_NOT_FOUND)
    if not venue.is_active(instrument):
        return _refused(_CONTRACT_NOT_ACTIVE)
    if not account.simulated:
        return _refused(_ACCOUNT_REJECTED, LIVE_ACCOUNT)
    draft = _draft(account, instrument, body)
    if draft.type not in _TYPES:
        return _refused(_REJECTED, "Invalid order type")
    if draft.size < 1:
        return _refused(_REJECTED, "Invalid order size")
    if draft.tag is not None and draft.tag in account.tags:
        return _refused(_REJECTED, "custom tag already in use")
    return _accept(venue, draft)


def _refused(code: int, message: str | None = None) -> Reply:
    return Reply({"orderId": None}, code, message)


def _contract_id(body: Object) -> str:
    return required(fields.text(body, "contractId"), "contractId")


def _draft(account: TradingAccount, instrument: Instrument, body: Object) -> _Draft:
    side = required(fields.integer(body, "side"), "side")
    if side not in SIDES:
        raise Rejected(f"side {side} is unknown")
    return _Draft(
        account,
        instrument,
        required(fields.integer(body, "type"), "type"),
        SIDES[side],
        required(fields.integer(body, "size"), "size"),
        fields.price(body, "limitPrice"),
        fields.price(body, "stopPrice"),
        fields.price(body, "trailPrice"),
        fields.text(body, "customTag"),
        _leg(body, "stopLossBracket"),
        _leg(body, "takeProfitBracket"),
    )


def _leg(body: Object, name: str) -> _Leg | None:
    value = fields.field(body, name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Rejected(f"{name} is not an object")
    return _Leg(required(fields.integer(value, "ticks"), "ticks"), required(fields.integer(value, "type"), "type"))


def _accept(venue: Venue, draft: _Draft) -> Reply:
    """An order comes into being, even when it is rejected, and its tag is burnt (API.md 0.5 and 0.7)."""
    code, message = _problem(venue, draft)
    order = venue.exchange.new(
        draft.account,
        draft.instrument,
        draft.type,
        draft.side,
        draft.size,
        limit_price=draft.limit_price,
        stop_price=draft.stop_price,
        tag=draft.tag,
    )
    order.trail_ticks = draft.trail_ticks
    if draft.tag is not None:
        draft.account.tags.add(draft.tag)
    if code:
        venue.exchange.reject(order)
        return Reply({"orderId": order.id}, code, message, orders=(order,))
    _attach(venue, draft, order)
    venue.exchange.submit(order)
    venue.exchange.cross(order)
    return Reply({"orderId": order.id}, performed=True, orders=(order, *order.legs))


def _attach(venue: Venue, draft: _Draft, entry: WorkOrder) -> None:
    """The legs, born in the same instant as their entry (API.md 2.3)."""
    for leg in (draft.stop_loss, draft.take_profit):
        if leg is not None:
            order = venue.exchange.leg(entry, leg.type, leg.ticks)
            order.created_at = order.updated_at = entry.created_at
            if order.tag is not None:
                entry.account.tags.add(order.tag)
            if order.type == TYPE_TRAILING_STOP:
                order.trail_ticks = abs(leg.ticks)


def _problem(venue: Venue, draft: _Draft) -> tuple[int, str | None]:
    """Code and message of a rejection, (0, None) when there is none; sets the prices the order will have."""
    if not draft.account.can_trade:
        return _VIOLATION, None
    if not venue.open_for_trading():
        return _OUTSIDE_HOURS, None
    message = _bracket_problem(draft) or _price_problem(draft)
    return (_REJECTED, message) if message else (0, None)


def _bracket_problem(draft: _Draft) -> str | None:
    if draft.stop_loss is None and draft.take_profit is None:
        return None
    if not draft.account.auto_oco:
        return _POSITION_BRACKETS
    stop_words, target_words = ("longing.", "going long") if draft.side == BUY else ("shorting.", "going short")
    for leg, name, types, way, verb in (
        (draft.stop_loss, "stop loss", (TYPE_STOP, TYPE_TRAILING_STOP), -draft.side, stop_words),
        (draft.take_profit, "take profit", (TYPE_LIMIT,), draft.side, target_words),
    ):
        if leg is None:
            continue
        if leg.type not in types:
            return f"Invalid {name} type ({leg.type})."
        if leg.ticks * way <= 0:
            needed = "less" if way < 0 else "greater"
            return f"Invalid {name} ticks ({leg.ticks}). Ticks should be {needed} than zero when {verb}"
        if abs(leg.ticks) < _NEAREST_LEG_TICKS:
            return f"Invalid {name} ticks ({leg.ticks}). Price should be at least {_NEAREST_LEG_TICKS} ticks away."
    return None


def _price_problem(draft: _Draft) -> str | None:
    """What is wrong with the prices of a type; prices that the type does not have are forgotten."""
    instrument = draft.instrument
    limit_price, stop_price = draft.limit_price, draft.stop_price
    draft.limit_price = draft.stop_price = None
    if draft.type in (TYPE_LIMIT, TYPE_STOP_LIMIT):
        if limit_price is None or limit_price % instrument.tick_size:
            return "Invalid limit price"
        draft.limit_price = limit_price
    if draft.type in (TYPE_STOP, TYPE_STOP_LIMIT):
        if stop_price is None or not is_stop(instrument, draft.side, stop_price):
            return "Invalid stop price"
        draft.stop_price = stop_price
    if draft.type == TYPE_TRAILING_STOP:
        return _trail_problem(draft)
    if draft.type in (TYPE_JOIN_BID, TYPE_JOIN_ASK):
        draft.limit_price = instrument.bid if draft.type == TYPE_JOIN_BID else instrument.ask
    return None


def is_stop(instrument: Instrument, side: int, stop_price: int) -> bool:
    """Whether a stop can rest there: on the tick grid and beyond the last price."""
    return stop_price % instrument.tick_size == 0 and (stop_price - instrument.last) * side > 0


def _trail_problem(draft: _Draft) -> str | None:
    """The absolute trail price becomes a distance in whole ticks from the last price on arrival (API.md 2.3)."""
    instrument = draft.instrument
    if draft.trail_price is None or draft.trail_price == instrument.last:
        return "Trail Distance not set."
    if draft.trail_price % instrument.tick_size:
        return "Invalid trail price. Price is not aligned to tick size."
    if not instrument.quoted_at:
        return "Cannot trail without a last price"
    ticks = trail_distance(instrument, draft.trail_price)
    if ticks > _LONGEST_TRAIL_TICKS:
        return f"Trail Distance exceeds maximum ({_LONGEST_TRAIL_TICKS})"
    draft.trail_ticks = ticks
    draft.stop_price = instrument.last + draft.side * ticks * instrument.tick_size
    return None


def trail_distance(instrument: Instrument, trail_price: int) -> int:
    """Whole ticks between the last price and a trail price."""
    return abs(instrument.last - trail_price) // instrument.tick_size
