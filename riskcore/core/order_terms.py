"""Prices of the trader's own orders: on the tick grid, on the right side of the market (RULES.md 4, API.md 2.3)."""

from riskcore.core.order_words import ORDER_TYPES, side_word
from riskcore.core.quantities import price_text
from riskcore.core.rules.stops import on_grid
from riskcore.core.state import (
    BUY,
    TYPE_JOIN_ASK,
    TYPE_JOIN_BID,
    TYPE_LIMIT,
    TYPE_MARKET,
    TYPE_STOP,
    TYPE_STOP_LIMIT,
    TYPE_TRAILING_STOP,
    Contract,
    Mark,
    Order,
    OrderTerms,
)

# The prices each type of order takes. Stop limit is in no list of what can be placed.
TAKES: dict[int, tuple[str, ...]] = {
    TYPE_LIMIT: ("limit_price",),
    TYPE_MARKET: (),
    TYPE_STOP: ("stop_price",),
    TYPE_TRAILING_STOP: ("trail_price",),
    TYPE_JOIN_BID: (),
    TYPE_JOIN_ASK: (),
}
PRICES = ("limit_price", "stop_price", "trail_price")
LEAST_BRACKET_TICKS = 4
MOST_TRAIL_TICKS = 1000


class Declined(Exception):
    """Why an order is not sent, and the rule that forbids it, if one does. Its sentence becomes an OrderDeclined."""

    def __init__(self, reason: str, rule: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule


def checked_terms(contract: Contract, side: int, terms: OrderTerms, mark: Mark | None, now: int) -> OrderTerms:
    """The terms of a new order with prices on the tick grid. Raises Declined."""
    if terms.type not in TAKES:
        raise Declined(f"the broker's API takes no orders of type {terms.type}")
    name, wanted = ORDER_TYPES[terms.type], TAKES[terms.type]
    for field in PRICES:
        word = field.replace("_", " ")
        if field in wanted and getattr(terms, field) is None:
            raise Declined(f"a {name} order needs a {word}")
        if field not in wanted and getattr(terms, field) is not None:
            raise Declined(f"a {name} order takes no {word}")
    return _placed(contract, side, terms, mark, now)


def checked_modification(
    contract: Contract, order: Order, terms: OrderTerms, mark: Mark | None, now: int
) -> OrderTerms:
    """The changed prices of a working order, on the tick grid. Raises Declined."""
    if terms.stop_loss_ticks is not None or terms.take_profit_ticks is not None:
        raise Declined("brackets are given with the order itself; change their stop or target order instead")
    takes = ("limit_price", "stop_price") if order.type == TYPE_STOP_LIMIT else TAKES.get(order.type, ())
    for field in PRICES:
        if field not in takes and getattr(terms, field) is not None:
            raise Declined(f"order {order.id} has no {field.replace('_', ' ')} to change")
    return _placed(
        contract, order.side, OrderTerms(order.type, *(getattr(terms, field) for field in PRICES)), mark, now
    )


def checked_brackets(side: int, terms: OrderTerms, *, opens: bool) -> None:
    """Bracket ticks are signed offsets from entry, four ticks away or more (API.md 0.8). Raises Declined."""
    if terms.stop_loss_ticks is None and terms.take_profit_ticks is None:
        return
    if not opens:
        raise Declined("a bracket belongs to an order that opens a position")
    direction = side_word(side)
    for word, ticks, sign in (
        ("stop loss", terms.stop_loss_ticks, -side),
        ("take profit", terms.take_profit_ticks, side),
    ):
        if ticks is None:
            continue
        if ticks * sign <= 0:
            raise Declined(
                f"the {word} of a {direction} lies {'above' if sign > 0 else 'below'} its entry, not {ticks} ticks"
            )
        if abs(ticks) < LEAST_BRACKET_TICKS:
            away = "1 tick" if abs(ticks) == 1 else f"{abs(ticks)} ticks"
            raise Declined(f"the {word} is {away} away; the broker wants {LEAST_BRACKET_TICKS} or more")


def _placed(contract: Contract, side: int, terms: OrderTerms, mark: Mark | None, now: int) -> OrderTerms:
    """Prices rounded away from the market: buy limits and stops to sell down, sell limits and stops to buy up."""

    def rounded(price: int | None, toward: int) -> int | None:
        return None if price is None else on_grid(price, contract.tick_size, toward)

    placed = OrderTerms(
        terms.type,
        rounded(terms.limit_price, side),
        rounded(terms.stop_price, -side),
        rounded(terms.trail_price, -side),
        terms.stop_loss_ticks,
        terms.take_profit_ticks,
    )
    fresh = mark if mark is not None and now - mark.at <= mark.valid_ns else None
    for price in (placed.stop_price, placed.trail_price):
        if price is not None:
            _refuse_through_market(side, price, fresh)
    if placed.trail_price is not None:
        _refuse_trail(contract, placed.trail_price, fresh)
    return placed


def _refuse_through_market(side: int, price: int, mark: Mark | None) -> None:
    """A stop at or through the market would be a market order; without a fresh mark the broker is to judge."""
    market = None if mark is None else (mark.ask if side == BUY else mark.bid)
    if market is None and mark is not None:
        market = mark.last
    if market is not None and side * (price - market) <= 0:
        word, place = ("buy", "above") if side == BUY else ("sell", "below")
        raise Declined(
            f"a stop to {word} must lie {place} the market: {price_text(price)} is not {place} {price_text(market)}"
        )


def _refuse_trail(contract: Contract, price: int, mark: Mark | None) -> None:
    """The broker turns a trail price into whole ticks from the last price, a thousand at most (API.md 2.3)."""
    if mark is None or mark.last is None:
        raise Declined("a trailing stop needs a last price of the contract, and none is known")
    ticks = abs(mark.last - price) // contract.tick_size
    if not 1 <= ticks <= MOST_TRAIL_TICKS:
        raise Declined(f"the trail would be {ticks} ticks; the broker takes 1 to {MOST_TRAIL_TICKS}")
