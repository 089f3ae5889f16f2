"""Order/modify, Order/cancel, Position/closeContract and partialCloseContract of the simulated broker.

Choices where topstepx/API.md has no source: a field that is null or left out keeps its value, an order that has ended
is Rejected (3), a suspended leg is Pending (4) for modify and can be cancelled, and a close while the market order of
an earlier one still fills is OrderPending, because it would turn the position round, unless the venue is set to accept
it (execution.py): the broker's own way is not known (RULES.md 8.7).
"""

from adapters.simulator.matching import PENDING
from adapters.simulator.order_entry import LIVE_ACCOUNT, is_stop, trail_distance
from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.venue import Reply, Venue
from adapters.topstepx import fields
from adapters.topstepx.fields import Object, required
from riskcore.core.state import (
    BUY,
    SELL,
    STATUS_CANCELLED,
    STATUS_OPEN,
    STATUS_SUSPENDED,
    TYPE_LIMIT,
    TYPE_MARKET,
    TYPE_STOP_LIMIT,
    TYPE_TRAILING_STOP,
)

# Of modify and cancel, then of close and partial close as far as they agree.
_ACCOUNT_NOT_FOUND, _ORDER_NOT_FOUND, _REJECTED, _PENDING, _ACCOUNT_REJECTED = 1, 2, 3, 4, 6
_POSITION_NOT_FOUND, _CONTRACT_NOT_FOUND, _CONTRACT_NOT_ACTIVE = 2, 3, 4
_CLOSE_REJECTED, _CLOSE_PENDING, _CLOSE_ACCOUNT_REJECTED = 5, 6, 8
_INVALID_SIZE, _PARTIAL_REJECTED, _PARTIAL_PENDING, _PARTIAL_ACCOUNT_REJECTED = 5, 6, 7, 9
_FOLLOWER = "Follower accounts cannot cancel orders"
_CLOSE_CODES = (_CLOSE_REJECTED, _CLOSE_PENDING, _CLOSE_ACCOUNT_REJECTED)
_PARTIAL_CODES = (_PARTIAL_REJECTED, _PARTIAL_PENDING, _PARTIAL_ACCOUNT_REJECTED)


def cancel(venue: Venue, body: Object) -> Reply:
    """Order/cancel. Raises Rejected when the body is malformed (HTTP 400)."""
    order, refusal = _order(venue, body)
    if order is None:
        return refusal
    if order.account.follower:
        return Reply(code=_ACCOUNT_REJECTED, message=_FOLLOWER)
    venue.exchange.show(order, STATUS_CANCELLED)
    return Reply(performed=True, orders=(order,))


def modify(venue: Venue, body: Object) -> Reply:
    """Order/modify. Raises Rejected when the body is malformed (HTTP 400)."""
    order, refusal = _order(venue, body)
    if order is None:
        return refusal
    if order.status == STATUS_SUSPENDED:
        return Reply(code=_PENDING)
    size, limit_price = fields.integer(body, "size"), fields.price(body, "limitPrice")
    stop_price, trail_price = fields.price(body, "stopPrice"), fields.price(body, "trailPrice")
    if order.type == TYPE_TRAILING_STOP:
        stop_price = None
    problem = _problem(order, size, limit_price, stop_price)
    if problem is not None:
        return Reply(code=_REJECTED, message=problem)
    order.size = order.size if size is None else size
    if limit_price is not None and order.limit_price is not None:
        order.limit_price = limit_price
    if stop_price is not None and order.stop_price is not None:
        order.stop_price = stop_price
    if trail_price is not None and order.type == TYPE_TRAILING_STOP:
        # Unlike on placing, nothing bounds the distance (API.md 2.3).
        order.trail_ticks = trail_distance(order.instrument, trail_price)
        order.stop_price = order.instrument.last + order.side * order.trail_ticks * order.instrument.tick_size
    venue.exchange.show(order, STATUS_OPEN)
    venue.exchange.cross(order)
    return Reply(performed=True, orders=(order,))


def _order(venue: Venue, body: Object) -> tuple[WorkOrder | None, Reply]:
    """The working order that is meant, or the refusal."""
    account = venue.accounts.get(required(fields.integer(body, "accountId"), "accountId"))
    order_id = required(fields.integer(body, "orderId"), "orderId")
    if account is None:
        return None, Reply(code=_ACCOUNT_NOT_FOUND)
    if not account.simulated:
        return None, Reply(code=_ACCOUNT_REJECTED, message=LIVE_ACCOUNT)
    order = venue.exchange.order(order_id)
    if order is None or order.account is not account:
        return None, Reply(code=_ORDER_NOT_FOUND)
    if not order.working:
        return None, Reply(code=_REJECTED, message="Order is no longer working")
    if order.status == PENDING:
        return None, Reply(code=_PENDING)
    return order, Reply()


def _problem(order: WorkOrder, size: int | None, limit_price: int | None, stop_price: int | None) -> str | None:
    if size is not None and size <= order.filled:
        return "Invalid order size"
    if (
        limit_price is not None
        and order.type in (TYPE_LIMIT, TYPE_STOP_LIMIT)
        and limit_price % order.instrument.tick_size
    ):
        return "Invalid limit price"
    if stop_price is not None and order.stop_price is not None:
        return None if is_stop(order.instrument, order.side, stop_price) else "Invalid stop price"
    return None


def close(venue: Venue, body: Object) -> Reply:
    """Position/closeContract: the bracket legs stay (API.md 0.9). Raises Rejected for a malformed body."""
    return _close(venue, body, None, _CLOSE_CODES)


def close_partly(venue: Venue, body: Object) -> Reply:
    """Position/partialCloseContract. Raises Rejected for a malformed body."""
    return _close(venue, body, required(fields.integer(body, "size"), "size"), _PARTIAL_CODES)


def _close(venue: Venue, body: Object, size: int | None, codes: tuple[int, int, int]) -> Reply:
    rejected, pending, account_rejected = codes
    account = venue.accounts.get(required(fields.integer(body, "accountId"), "accountId"))
    instrument = venue.instrument(required(fields.text(body, "contractId"), "contractId"))
    if account is None:
        return Reply(code=_ACCOUNT_NOT_FOUND)
    if not account.simulated:
        return Reply(code=account_rejected, message=LIVE_ACCOUNT)
    if instrument is None:
        return Reply(code=_CONTRACT_NOT_FOUND)
    if not venue.is_active(instrument):
        return Reply(code=_CONTRACT_NOT_ACTIVE)
    held = venue.held(account, instrument.id)
    if held == 0:
        return Reply(code=_POSITION_NOT_FOUND)
    if size is not None and not 0 < size <= abs(held):
        return Reply(code=_INVALID_SIZE)
    if not venue.exchange.execution.accepts_second_close and _closing(venue, account, instrument):
        return Reply(code=pending)
    side = SELL if held > 0 else BUY
    order = venue.exchange.new(account, instrument, TYPE_MARKET, side, abs(held) if size is None else size)
    order.closes = True
    if not venue.open_for_trading():
        venue.exchange.reject(order)
        return Reply(code=rejected, orders=(order,))
    venue.exchange.submit(order)
    return Reply(performed=True, orders=(order,))


def _closing(venue: Venue, account: TradingAccount, instrument: Instrument) -> bool:
    """Whether the market order of an earlier close still fills."""
    return any(order.closes and order.account is account for order in venue.exchange.unfinished(instrument))
