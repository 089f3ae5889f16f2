"""The trader's order commands at the desk: words into an OrderRequested, what followed into an answer."""

from collections.abc import Sequence
from typing import Any

from riskcore.core.events import (
    Event,
    OrderDeclined,
    OrderRequested,
    RequestAccepted,
    RequestPlanned,
    RequestRefused,
    RequestSuperseded,
    RequestUnresolved,
)
from riskcore.core.freshness import connected
from riskcore.core.order_words import PLACED_TYPES, SIDES, side_word
from riskcore.core.quantities import price, price_text
from riskcore.core.state import STOP_TYPES, TYPE_LIMIT, TYPE_TRAILING_STOP, Account, Order, OrderTerms
from riskcore.engine.desk import Asked, Desk, Market, account_named, contract_named, number_of, text_of
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row

SCHEMA = "riskcore.order/1"
ANSWER_SECONDS = 20  # A placement whose answer was lost is looked up before anything is said.
PRICES = ("limit_price", "stop_price", "trail_price")
_OUTCOMES = {
    RequestAccepted: "accepted",
    RequestRefused: "refused",
    RequestUnresolved: "unresolved",
    RequestSuperseded: "unresolved",
}


async def order(desk: Desk, market: Market, asked: Asked) -> Row:
    """Carry out one order command and report the outcome. Raises ConfigError for what makes no sense."""
    account = account_named(desk, text_of(asked, "account"))
    action = text_of(asked, "action") or ""
    make = {
        "place": placed,
        "close": _close,
        "cancel": _cancel,
        "modify-stop": _modify_stop,
        "modify-target": _modify_target,
    }.get(action)
    if make is None:
        raise ConfigError(f"{action!r} is no order command")
    body = await make(desk, market, account, asked)
    key = desk.submit(body)
    return _answer(desk, account, action, body, await desk.settled(key, ANSWER_SECONDS))


# ---- words into facts --------------------------------------------------------------------------------


async def placed(desk: Desk, market: Market, account: Account, asked: Asked) -> OrderRequested:
    """The order that the words ask for. Raises ConfigError for words that make none."""
    side, kind = SIDES.get(text_of(asked, "side") or ""), PLACED_TYPES.get(text_of(asked, "type") or _implied(asked))
    if side is None or kind is None:
        raise ConfigError(f"side is buy or sell, type one of {', '.join(PLACED_TYPES)}")
    contract = await contract_named(desk, market, text_of(asked, "contract"), account)
    stop, target = number_of(asked, "stop_loss_ticks"), number_of(asked, "take_profit_ticks")
    terms = OrderTerms(
        kind,
        _price(asked, "limit_price"),
        _price(asked, "stop_price"),
        _price(asked, "trail_price"),
        None if stop is None else -side * abs(stop),
        None if target is None else side * abs(target),
    )
    size = number_of(asked, "size") or 0
    return OrderRequested(account.id, "place", contract, side=side, size=size, terms=terms)


def _implied(asked: Asked) -> str:
    """The type an order has when only its price is given."""
    kinds = {"limit_price": "limit", "stop_price": "stop", "trail_price": "trailing-stop"}
    return next((kind for name, kind in kinds.items() if asked.get(name) is not None), "market")


async def _close(desk: Desk, market: Market, account: Account, asked: Asked) -> OrderRequested:
    contract = await contract_named(desk, market, text_of(asked, "contract"), account)
    size = number_of(asked, "size")
    if size is not None and size < 1:
        raise ConfigError("size must be 1 or more; leave it out to close the whole position")
    return OrderRequested(account.id, "close", contract, size=size or 0)


async def _cancel(desk: Desk, market: Market, account: Account, asked: Asked) -> OrderRequested:
    return OrderRequested(account.id, "cancel", order_id=number_of(asked, "order"))


async def _modify_stop(desk: Desk, market: Market, account: Account, asked: Asked) -> OrderRequested:
    known = await _order_of(desk, market, account, asked, STOP_TYPES, "stop")
    wanted = _price(asked, "price")
    trails = known.type == TYPE_TRAILING_STOP
    terms = OrderTerms(trail_price=wanted) if trails else OrderTerms(stop_price=wanted)
    return _modified(account, known, asked, terms)


async def _modify_target(desk: Desk, market: Market, account: Account, asked: Asked) -> OrderRequested:
    known = await _order_of(desk, market, account, asked, (TYPE_LIMIT,), "target")
    return _modified(account, known, asked, OrderTerms(limit_price=_price(asked, "price")))


def _modified(account: Account, known: Order, asked: Asked, terms: OrderTerms) -> OrderRequested:
    size = number_of(asked, "size") or 0
    return OrderRequested(account.id, "modify", known.contract, known.id, known.side, size, terms)


async def _order_of(
    desk: Desk, market: Market, account: Account, asked: Asked, types: Sequence[int], word: str
) -> Order:
    """The order named, else the one stop or target of the position, a bracket leg before any other.

    Raises ConfigError when there is none, and when there are several: which one is meant only the trader knows.
    """
    order_id = number_of(asked, "order")
    if order_id is not None:
        known = account.orders.get(order_id)
        if known is None or not known.working:
            raise ConfigError(f"order {order_id} is not known as a working order of {account.name or account.id}")
        return known
    contract = await contract_named(desk, market, text_of(asked, "contract"), account)
    position = account.positions.get(contract)
    size = position.size if position is not None else 0
    found = [
        order
        for order in account.working_orders()
        if order.contract == contract and order.type in types and order.side * size < 0
    ]
    if not found:
        raise ConfigError(f"{contract} has no position with a working {word}; riskcore portfolio shows the orders")
    legs = [order for order in found if order.parent_id is not None] or found
    if len(legs) > 1:
        listed = ", ".join(_named(order) for order in sorted(legs, key=lambda one: one.id))
        raise ConfigError(f"{contract} has several working {word}s, name the one you mean with --order: {listed}")
    return legs[0]


def _named(order: Order) -> str:
    level = order.stop_price if order.stop_price is not None else order.limit_price
    return f"{order.id} ({order.remaining}{'' if level is None else f' at {price_text(level)}'})"


def _price(asked: Asked, name: str) -> int | None:
    text = text_of(asked, name)
    if text is None:
        return None
    try:
        return price(text)
    except ValueError as error:
        raise ConfigError(f"{name.replace('_', ' ')}: {error}") from None


# ---- what followed into an answer --------------------------------------------------------------------


def _answer(desk: Desk, account: Account, action: str, asked: OrderRequested, events: Sequence[Event]) -> Row:
    row: Row = {"schema": SCHEMA, "action": action, "account": account.id, "account_name": account.name}
    for event in events:
        if isinstance(event.body, OrderDeclined):
            declined = {"outcome": "declined", "reason": event.body.reason, "contract": asked.contract}
            return {**row, **declined, "broker_reachable": connected(desk.book)}
    planned = next((event.body for event in events if isinstance(event.body, RequestPlanned)), None)
    if planned is None:
        return {
            **row,
            "outcome": "unresolved",
            "reason": "the engine did not reach it in time; check before you repeat it",
        }
    row.update(_request_row(planned), notes=_notes(desk, asked, planned))
    answers = [event.body for event in events if type(event.body) in _OUTCOMES]
    if not answers:
        return {**row, "outcome": "unresolved", "reason": "the broker has not answered; it is not sent again"}
    last: Any = answers[-1]
    row["order"] = planned.order_id or getattr(last, "order_id", None)
    return {**row, "outcome": _OUTCOMES[type(last)], "reason": getattr(last, "reason", "")}


def _request_row(planned: RequestPlanned) -> Row:
    terms = planned.terms or OrderTerms()
    names = {number: name for name, number in PLACED_TYPES.items()}
    figures = {
        "request": planned.request,
        "kind": planned.kind,
        "contract": planned.contract,
        "order": planned.order_id,
        "side": side_word(planned.side),
        "size": planned.size or None,
        "type": names.get(terms.type),
        **{name: _shown(getattr(terms, name)) for name in PRICES},
        "stop_loss_ticks": terms.stop_loss_ticks,
        "take_profit_ticks": terms.take_profit_ticks,
        "tag": planned.tag,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _notes(desk: Desk, asked: OrderRequested, planned: RequestPlanned) -> list[str]:
    """What the trader should know of what was sent: rounded prices, swept orders."""
    found = []
    for name in PRICES if asked.terms is not None and planned.terms is not None else ():
        before, after = getattr(asked.terms, name), getattr(planned.terms, name)
        if before is not None and before != after:
            known = desk.book.contracts.get(planned.contract or "")
            tick = f": the tick is {price_text(known.tick_size)}" if known is not None else ""
            way = "down" if after < before else "up"
            found.append(
                f"{name.replace('_', ' ')} {price_text(before)} was rounded {way} to {price_text(after)}{tick}"
            )
    if planned.kind == "closeContract":
        found.append("once flat, the orders still working in this contract are cancelled")
    return found


def _shown(value: int | None) -> str | None:
    return None if value is None else price_text(value)
