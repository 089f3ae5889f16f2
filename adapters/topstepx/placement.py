"""A planned request as the call that carries it out, and the order behind a placement whose answer was lost.

Source: topstepx/API.md 2.1 and 2.3; DESIGN.md "Requests to the broker": the tag of a placed order is unique for
ever, so an order that arrived is found by it, and nothing is ever sent a second time.
"""

from adapters.topstepx import fields, wire
from adapters.topstepx.client import Client
from adapters.topstepx.error_codes import tag_in_use
from adapters.topstepx.exchange import Exchange
from adapters.topstepx.order_query import query_orders
from adapters.topstepx.rows import WIRE_SIDES
from adapters.topstepx.wire import Body, Bracket
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.state import BUY, SELL, STATUS_REJECTED, TYPE_LIMIT, TYPE_STOP, OrderTerms, Request
from riskcore.engine.ports import Outcome

PLACEMENTS = ("placeStop", "placeOrder")
# The kinds of a planner: they keep or make an account safe, so nothing holds them back.
ENFORCEMENT = (
    "closeContract",
    "partialCloseContract",
    "cancelOrder",
    "placeStop",
    "modifyStop",
)
# How far before the attempt an order with its tag may have been stamped by the broker's clock.
_LOOK_BACK_NS = 5 * MINUTE_NS


def body_of(account: int, request: Request) -> Body:
    """The request to send. Raises ValueError for a request that cannot be one."""
    contract, order = request.contract or "", request.order_id or 0
    match request.kind:
        case "closeContract":
            return wire.CloseContract(account_id=account, contract_id=contract)
        case "partialCloseContract":
            return wire.PartialCloseContract(account_id=account, contract_id=contract, size=request.size)
        case "cancelOrder":
            return wire.OrderCancel(account_id=account, order_id=order)
        case "placeStop":
            return _place(account, request, OrderTerms(type=TYPE_STOP, stop_price=_needed(request.price)))
        case "placeOrder":
            return _place(account, request, request.terms or OrderTerms())
        case "modifyStop":
            size = request.size or None
            if size is None and request.price is None:
                raise ValueError("a changed stop needs a price or a size")
            return wire.OrderModify(account_id=account, order_id=order, size=size, stop_price=request.price)
        case "modifyOrder":
            terms = request.terms or OrderTerms()
            return wire.OrderModify(
                account_id=account,
                order_id=order,
                size=request.size or None,
                limit_price=terms.limit_price,
                stop_price=terms.stop_price,
                trail_price=terms.trail_price,
            )
        case _:
            raise ValueError(f"there is no call for {request.kind}")


def _needed(price: int | None) -> int:
    if price is None:
        raise ValueError("a stop needs a price")
    return price


def _place(account: int, request: Request, terms: OrderTerms) -> Body:
    stop, target = terms.stop_loss_ticks, terms.take_profit_ticks
    return wire.OrderPlace(
        account_id=account,
        contract_id=request.contract or "",
        type=terms.type,
        side=WIRE_SIDES[BUY if request.side == BUY else SELL],
        size=request.size,
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        trail_price=terms.trail_price,
        custom_tag=request.tag,
        stop_loss_bracket=None if stop is None else Bracket(ticks=stop, type=TYPE_STOP),
        take_profit_bracket=None if target is None else Bracket(ticks=target, type=TYPE_LIMIT),
    )


async def settled(client: Client, account: int, tag: str | None, exchange: Exchange, enforcement: bool) -> Outcome:
    """The outcome of a placement; one that is unknown is looked up by its tag, and never sent again."""
    outcome = exchange.outcome()
    burnt = tag_in_use(exchange.response)
    if tag is None or not (outcome.kind == "unresolved" or burnt):
        return outcome
    row = await _found(client, account, tag, exchange.asked_at - _LOOK_BACK_NS, enforcement)
    if row is None:
        return outcome
    order_id = row.get("id")
    found = order_id if type(order_id) is int else None
    if row.get("status") == STATUS_REJECTED:
        return Outcome("refused", f"the order was rejected{_because(outcome)}", found)
    return Outcome("accepted", "the answer was lost, but the order is there: found by its tag", found)


def _because(outcome: Outcome) -> str:
    return f": {outcome.reason}" if outcome.kind == "refused" else "; the broker gave no reason"


async def _found(client: Client, account: int, tag: str, since: int, enforcement: bool) -> fields.Object | None:
    """The order with a tag: among the working ones, else among those of the last minutes."""
    working = await query_orders(client, account, enforcement)
    row = _tagged(working, tag)
    if row is not None:
        return row
    body = wire.OrderSearch(account_id=account, start_timestamp=max(since, 0))
    return _tagged(await client.call(body, enforcement=enforcement), tag)


def _tagged(exchange: Exchange, tag: str) -> fields.Object | None:
    rows = exchange.rows("orders") or []
    return next((row for row in rows if isinstance(row, dict) and row.get("customTag") == tag), None)
