"""The counterfactual broker: at which price and when a close, stop or limit would have been filled (WHATIF.md 4).

Pure: the market of the day is a fact, so an answer is looked up the moment an order is given. Prices are 1e-9 points,
instants nanoseconds UTC, sizes contracts, sides +1 buy and -1 sell.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from replay.columns.columns import ASK, BID, LAST
from replay.whatif.market import Bar, DayFacts, Side
from riskcore.core.quantities import SECOND_NS

BarPath = Literal["point", "kindest", "cruellest"]
LATE_NS = 10 * SECOND_NS
STOP_SLIPPAGE_TICKS = 1
# The order of what stands at one place: before its fact, orders that its quote fills, closes that it prices.
BEFORE, ORDERS, CLOSES = 0, 2, 3


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the broker is supposed to be like."""

    latency_ns: int = 250_000_000
    slippage_ticks: int = 2
    bar_path: BarPath = "point"
    max_quote_age_ns: int = 10 * SECOND_NS


class Moment(NamedTuple):
    """Where in the day something happens: at a place, before its fact or after it, and at which instant."""

    place: int
    phase: int
    at: int


class Fill(NamedTuple):
    """What fills an order; `price` is None where only the last mark of that moment says it.

    `triggered` is the place of the quote that made a market order of a stop: nothing moves it from then on. One that
    the day has no later quote for is filled at `NOT_TODAY`.
    """

    moment: Moment
    price: int | None
    flags: tuple[str, ...] = ()
    triggered: int | None = None


NOT_TODAY = Moment(2**62, BEFORE, 0)


def instant_in(day: DayFacts, at: int) -> Moment:
    """The moment of an instant: before every fact that was received at it or later; never after the day's end."""
    at = min(at, day.day.closes_at - 1)
    return Moment(day.first_place(at), BEFORE, at)


def close(
    day: DayFacts, account: int, contract: str, side: int, tick: int, decided_at: int, place: int, how: Assumptions
) -> Fill:
    """How a close on `side` is filled that is decided at an instant; quotes before `place` come too early for it."""
    from_at = decided_at + how.latency_ns
    index = day.first_quote(contract, from_at, place)
    count = len(day.places(contract))
    while index is not None and index < count:
        quoted = side_of(day, contract, index, side)
        if quoted is not None:
            at_place = day.places(contract)[index]
            at = day.ats[at_place]
            flags: tuple[str, ...] = ("late_fill",) if at > from_at + LATE_NS else ()
            if at - quoted.at > how.max_quote_age_ns:
                flags += ("stale_fill",)
            return Fill(Moment(at_place, CLOSES, at), worse(quoted.price, side, tick, how.slippage_ticks), flags)
        index += 1
    bar = day.first_bar(contract, from_at)
    if bar is not None:
        best, worst = (bar.high, bar.low) if side < 0 else (bar.low, bar.high)
        point = bar.open if decided_at <= bar.opens_at else bar.close
        price = {"kindest": best, "cruellest": worst, "point": point}[how.bar_path]
        moment = instant_in(day, max(from_at, bar.opens_at))
        return Fill(moment, worse(price, side, tick, how.slippage_ticks), ("from_bars",))
    recorded = day.next_fill(account, contract, from_at, place)
    if recorded is not None:
        at = day.ats[recorded]
        late = ("late_fill",) if at > from_at + LATE_NS else ()
        return Fill(Moment(recorded, BEFORE, at), day.fill_price(recorded), ("priced_by_fill", *late))
    return Fill(instant_in(day, from_at), None, ("unpriced",))


def side_of(day: DayFacts, contract: str, index: int, side: int) -> Side | None:
    """What the other side of the market pays or asks with a quote; last where that side was never quoted."""
    return (day.bid if side < 0 else day.ask)(contract, index) or day.last(contract, index)


def worse(price: int, side: int, tick: int, ticks: int) -> int:
    """A price made worse for who trades on `side`, and put on the tick grid on the worse side too."""
    moved = price + side * ticks * tick
    return moved // tick * tick if side < 0 else -(-moved // tick) * tick


FURTHEST = 2**63  # A bound that no price is beyond.


@dataclass(frozen=True, slots=True)
class Resting:
    """An order that works at the counterfactual broker. `trail` is the distance of a trailing stop.

    `triggered`: a day before has made a market order of the stop and had no quote left to fill it.
    """

    order_id: int
    contract: str
    side: int
    kind: Literal["stop", "limit"]
    price: int
    trail: int | None = None
    triggered: bool = False


def resting_fill(day: DayFacts, order: Resting, tick: int, at: int, place: int, how: Assumptions) -> Fill | None:
    """How an order that works from `at` on is filled: by quotes from `place` on, or by bars where none came.

    None: not that day.
    """
    find = _stop if order.kind == "stop" else _limit
    quoted = find(day, order, tick, place, how)
    inside = bar_fill(day, order, tick, at, how)
    found = [one for one in (quoted, inside) if one is not None]
    return min(found, key=lambda one: one.moment, default=None)


def _stop(day: DayFacts, order: Resting, tick: int, place: int, how: Assumptions) -> Fill | None:
    places = day.places(order.contract)
    index = day.first_quote(order.contract, 0, place)
    stop = order.price
    triggered: int | None = -1 if order.triggered else None
    while index is not None and index < len(places):
        if triggered is not None:
            quoted = side_of(day, order.contract, index, order.side)
            if quoted is not None:
                price = worse(quoted.price, order.side, tick, STOP_SLIPPAGE_TICKS)
                at = day.ats[places[index]]
                stale = ("stale_fill",) if at - quoted.at > how.max_quote_age_ns else ()
                return Fill(Moment(places[index], ORDERS, at), price, stale, triggered)
        last = day.last(order.contract, index)
        seen = last or (day.bid if order.side < 0 else day.ask)(order.contract, index)
        if seen is not None and triggered is None:
            if seen.price <= stop if order.side < 0 else seen.price >= stop:
                triggered = places[index]
            elif order.trail is not None and last is not None:
                trailed = last.price + order.side * order.trail
                stop = max(stop, trailed) if order.side < 0 else min(stop, trailed)
        if last is None or triggered is not None:
            index += 1
        else:
            # No other last price meets the stop or moves it.
            room = FURTHEST if order.trail is None else order.trail
            kept = (stop + 1, stop + room) if order.side < 0 else (stop - room, stop - 1)
            index = day.next_outside(order.contract, index + 1, LAST, *kept)
    return None if triggered is None else Fill(NOT_TODAY, None, (), triggered)


def _limit(day: DayFacts, order: Resting, tick: int, place: int, how: Assumptions) -> Fill | None:
    places = day.places(order.contract)
    index = day.first_quote(order.contract, 0, place)
    beyond = 0 if how.bar_path == "kindest" else tick
    while index is not None and index < len(places):
        quoted = side_of(day, order.contract, index, order.side)
        if quoted is not None and (order.price - quoted.price) * order.side >= beyond:
            return Fill(Moment(places[index], ORDERS, day.ats[places[index]]), order.price)
        if (day.bid if order.side < 0 else day.ask)(order.contract, index) is None:
            index += 1
        elif order.side < 0:
            index = day.next_outside(order.contract, index + 1, BID, -FURTHEST, order.price + beyond - 1)
        else:
            index = day.next_outside(order.contract, index + 1, ASK, order.price - beyond + 1, FURTHEST)
    return None


# ---- resting orders and bars -------------------------------------------------------------------------


def bar_fill(day: DayFacts, order: Resting, tick: int, from_at: int, how: Assumptions) -> Fill | None:
    """The first bar without quotes that fills a resting order, at its end: when within it nobody knows.

    Of a bar that had begun before the order worked only the close surely came later: the kindest and the point value of
    a stop, and the cruellest and the point value of a limit, go by it alone.
    """
    stop = order.price
    for bar in day.bars_after(order.contract, from_at):
        if order.kind == "limit":
            price = _limit_in(bar, order, tick, how.bar_path, begun=bar.opens_at < from_at)
        else:
            price, stop = _stop_in(bar, order, stop, how.bar_path, begun=bar.opens_at < from_at)
            price = None if price is None else worse(price, order.side, tick, STOP_SLIPPAGE_TICKS)
        if price is not None:
            return Fill(instant_in(day, bar.ends_at), price, ("from_bars",))
    return None


def _stop_in(bar: Bar, order: Resting, stop: int, path: BarPath, *, begun: bool) -> tuple[int | None, int]:
    """At which price a bar triggers a stop, before slippage, and where a trailing one stands after it."""
    side = order.side
    best, worst = (bar.high, bar.low) if side < 0 else (bar.low, bar.high)
    cruel = path == "cruellest"
    if begun and not cruel:
        best = worst = bar.close
    trailed = stop
    if order.trail is not None:
        level = best + side * order.trail
        trailed = max(stop, level) if side < 0 else min(stop, level)
    # Whether the far end came after the near one is unknown: the cruellest reading trails first.
    at = trailed if cruel else stop
    if (at - worst) * -side >= 0:
        first = bar.close if begun else bar.open  # What is known to have come first while the order worked.
        return worst if cruel else first if (at - first) * -side >= 0 else at, trailed
    if (trailed - bar.close) * -side >= 0:
        return trailed, trailed
    return None, trailed


def _limit_in(bar: Bar, order: Resting, tick: int, path: BarPath, *, begun: bool) -> int | None:
    """The limit's price where a bar trades through it by a tick, or in the kindest reading touches it."""
    best = bar.high if order.side < 0 else bar.low
    if begun and path != "kindest":
        best = bar.close
    beyond = 0 if path == "kindest" else tick
    return order.price if (best - order.price) * -order.side >= beyond else None
