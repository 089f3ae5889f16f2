"""RULE-012, the stop: placed, moved to breakeven, trailed behind the market, tightened with time (RULES.md 5).

What is decided is folded into the position's memory, so that a rebuilt state decides the same; `stop_commands`
says what was decided at this very instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.order_roles import LEG_GRACE_NS, is_own_stop, is_protective, is_waiting_leg
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.rules.base import UNBOUNDED, Action
from riskcore.core.rules.commands import alert
from riskcore.core.rules.stops import Entry, entry_of, on_grid, place_stop
from riskcore.core.rules.trade_settings import Params
from riskcore.core.state import STATUS_OPEN, TYPE_TRAILING_STOP, Order, Position
from riskcore.core.view import View

# What is remembered for a position's life: prices in 1e-9 points, instants in nanoseconds.
BREAKEVEN = "breakeven_price"
BEST = "best_mark"
BEST_SINCE_ENTRY = "best_since_entry"
SENT = "sent_price"
SENT_AT = "sent_at"
PLACED_SIZE = "placed_size"
SIZED = "sized"
SIZED_AT = "sized_at"


@dataclass(frozen=True, slots=True)
class Held:
    """A position that can be managed: its entry, the mark, and its stops."""

    position: Position
    entry: Entry
    tick_size: int
    price: int | None  # The mark, stale or not.
    fresh: bool
    stops: tuple[Order, ...]
    stop: Order | None  # The managed one of them.

    @property
    def side(self) -> int:
        return self.entry.side

    def better_by(self, price: int, other: int) -> int:
        """How many points a stop price is closer to profit than another."""
        return self.side * (price - other)


def held_of(view: View, position: Position) -> Held | None:
    """The position as stop management sees it; None while its entry or its tick economics are unknown."""
    entry, tick_size = entry_of(position), view.tick_size(position.contract)
    if entry is None or tick_size is None:
        return None
    one = view.value(position)
    stops = tuple(order for order in view.account.working_orders() if is_protective(order, position))
    fresh = one.price is not None and not one.stale
    return Held(position, entry, tick_size, one.price, fresh, stops, _managed_of(stops, entry.side))


def _managed_of(stops: Sequence[Order], side: int) -> Order | None:
    """The managed stop: a bracket leg if there is one, else the one nearest to the market.

    A trailing stop moves by itself, whatever price it shows: it is none that can be set to a price.
    """
    fixed = [order for order in stops if order.type != TYPE_TRAILING_STOP]
    priced = [order for order in fixed if order.status == STATUS_OPEN and order.stop_price is not None]
    return max(priced, key=lambda order: (order.parent_id is not None, side * (order.stop_price or 0)), default=None)


def remember_stop(params: Params, view: View, held: Held) -> None:
    """Fold what a mark or an order says about the stop."""
    if held.fresh and held.price is not None:
        _learn(params, view, held, held.price)
    wanted = _wanted(params, view, held)
    if wanted is not None and view.now >= _next_move_at(params, view, held) and not _through_market(held, wanted):
        view.keep(held.position, SENT, wanted)
        view.keep(held.position, SENT_AT, view.now)
        if held.stop is None:
            view.keep(held.position, PLACED_SIZE, abs(held.position.size))
    size = _missized(held, view)
    if size != view.recall(held.position, SIZED):
        view.keep(held.position, SIZED, size)
        view.keep(held.position, SIZED_AT, None if size is None else view.now)


def _learn(params: Params, view: View, held: Held, price: int) -> None:
    """Breakeven once per position, and the best mark once trailing is active."""
    profit, tick = held.entry.profit(price), held.tick_size * held.entry.contracts
    breakeven, trailing = params.auto_breakeven, params.trailing_stop
    applied = view.recall(held.position, BREAKEVEN) is not None
    if breakeven is not None and not applied and profit >= breakeven.profit_trigger_ticks * tick:
        view.keep(held.position, BREAKEVEN, held.entry.offset_price(breakeven.offset_ticks, held.tick_size))
    if trailing is not None:
        best = view.recall(held.position, BEST)
        active = best is not None or profit >= trailing.activation_ticks * tick
        if active and (best is None or held.better_by(price, best) > 0):
            view.keep(held.position, BEST, price)
    if params.tighten_after:
        known = view.recall(held.position, BEST_SINCE_ENTRY)
        if known is None or held.better_by(price, known) > 0:
            view.keep(held.position, BEST_SINCE_ENTRY, price)


def _tightened(params: Params, view: View, held: Held) -> int | None:
    """The stop price that holding the position this long asks for; None before the first level."""
    best, held_ns = view.recall(held.position, BEST_SINCE_ENTRY), view.now - held.position.opened_at
    reached = [level.distance_ticks for level in params.tighten_after if held_ns >= level.minutes * MINUTE_NS]
    if best is None or not reached:
        return None
    return on_grid(best - held.side * reached[-1] * held.tick_size, held.tick_size, held.side)


def _candidate(params: Params, view: View, held: Held) -> int | None:
    """The tightest stop price the blocks ask for; None while they ask for none."""
    unpriced = held.stop is None and any(not is_waiting_leg(order) for order in held.stops)
    if unpriced or _waits_for_leg(view, held):
        return None  # A stop without a price of its own, such as a trailing stop, is left alone.
    prices = []
    if held.stop is not None or params.manage_without_stop == "create":
        breakeven, best = view.recall(held.position, BREAKEVEN), view.recall(held.position, BEST)
        if breakeven is not None:
            prices.append(breakeven)
        if best is not None and params.trailing_stop is not None:
            distance = params.trailing_stop.trail_distance_ticks * held.tick_size
            prices.append(on_grid(best - held.side * distance, held.tick_size, held.side))
        tightened = _tightened(params, view, held)
        if tightened is not None:
            prices.append(tightened)
    if held.stop is None and params.auto_stop_ticks is not None:
        prices.append(held.entry.offset_price(-params.auto_stop_ticks, held.tick_size))
    return max(prices, key=lambda price: held.side * price, default=None)


def _waits_for_leg(view: View, held: Held) -> bool:
    """Whether a bracket leg is about to become the position's stop."""
    waiting = any(is_waiting_leg(order) for order in held.stops)
    return waiting and view.now < held.position.increased_at + LEG_GRACE_NS


def _wanted(params: Params, view: View, held: Held) -> int | None:
    """A stop price better than the stop and than what was last asked for, by the smallest step or more."""
    candidate = _candidate(params, view, held)
    if candidate is None:
        return None
    known = [view.recall(held.position, SENT), held.stop.stop_price if held.stop is not None else None]
    step = params.min_step_ticks * held.tick_size
    better = all(price is None or held.better_by(candidate, price) >= step for price in known)
    return candidate if better else None


def _next_move_at(params: Params, view: View, held: Held) -> int:
    sent_at = view.recall(held.position, SENT_AT)
    return 0 if sent_at is None else sent_at + params.min_interval_ns


def _through_market(held: Held, wanted: int) -> bool:
    return held.price is not None and held.better_by(held.price, wanted) <= 0


def _missized(held: Held, view: View) -> int | None:
    """The size the managed stop should have after the position changed, None when it fits.

    What other stops cover is theirs: too large a stop would open the opposite side (RULES.md 8.8).
    """
    stop = held.stop
    if stop is None or stop.working_since is None:
        return None
    if held.position.changed_at <= stop.working_since and not _outgrown(stop, held, view):
        return None
    parent = view.account.orders.get(stop.parent_id) if stop.parent_id is not None else None
    filled = sum(trade.size for trade in view.account.trades.values() if trade.order_id == stop.id)
    if (parent is not None and parent.working) or filled > stop.fill_volume:
        return None  # The change is this stop's own fill or its entry's: their orders have the word.
    others = sum(order.remaining for order in held.stops if order.id != stop.id and order.status == STATUS_OPEN)
    size = abs(held.position.size) - others
    return size if size > 0 and size != stop.remaining else None


def _outgrown(stop: Order, held: Held, view: View) -> bool:
    """Whether the position changed between the command that placed our stop and the moment it began to work."""
    placed = view.recall(held.position, PLACED_SIZE)
    return is_own_stop(stop) and placed is not None and placed != abs(held.position.size)


def stop_actions(params: Params, view: View, held: Held) -> Sequence[Action]:
    """The stop command decided at this instant, or the alert that the wanted price is at or through the market."""
    found = []
    command = _command(view, held)
    if command is not None and not _in_force(view, command):
        found.append(Action("", (command,)))
    wanted = _wanted(params, view, held)
    blocked = wanted is not None and _through_market(held, wanted) and view.now >= _next_move_at(params, view, held)
    target = f"{held.position.contract}.through"
    if blocked and not view.episode_open(target):
        text = f"{held.position.contract}: the wanted stop is at or through the market; the old one stays"
        found.append(Action(target, (alert(text, contract=held.position.contract),)))
    return found


def _command(view: View, held: Held) -> Command | None:
    contract, stop = held.position.contract, held.stop
    moved = view.recall(held.position, SENT_AT) == view.now
    sized = view.recall(held.position, SIZED_AT) == view.now
    price, size = view.recall(held.position, SENT), view.recall(held.position, SIZED)
    if stop is None:
        return place_stop(contract, held.side, abs(held.position.size), price) if moved and price is not None else None
    outstanding = price is not None and stop.stop_price is not None and held.better_by(price, stop.stop_price) > 0
    if not (moved and outstanding) and not (sized and size is not None):
        return None
    wanted = price if outstanding else None
    return Command("ModifyStop", contract=contract, side=stop.side, order_id=stop.id, price=wanted, size=size)


def _in_force(view: View, command: Command) -> bool:
    """Whether just this is demanded already: several events may come at one instant."""
    return any(
        (known.kind, known.contract, known.price, known.size)
        == (command.kind, command.contract, command.price, command.size or 0)
        for known in view.account.obligations.values()
    )


def stop_deadlines(params: Params, view: View, held: Held) -> list[int]:
    """When a wanted price that had to wait may be sent, and when the wait for a bracket leg ends."""
    due = []
    if _wanted(params, view, held) is not None:
        due.append(_next_move_at(params, view, held))
    if _waits_for_leg(view, held):
        due.append(held.position.increased_at + LEG_GRACE_NS)
    due.extend(held.position.opened_at + level.minutes * MINUTE_NS for level in params.tighten_after)
    return [instant for instant in due if instant > view.now]


def stop_quiet_below(params: Params, view: View, held: Held) -> int:
    """The highest price, times side, up to which a quote neither moves the stop nor changes what is remembered."""
    limits = [UNBOUNDED]
    tick = held.tick_size * held.entry.contracts
    if params.auto_breakeven is not None and view.recall(held.position, BREAKEVEN) is None:
        limits.append(held.entry.reached_at(params.auto_breakeven.profit_trigger_ticks * tick) - 1)
    if params.trailing_stop is not None:
        best = view.recall(held.position, BEST)
        activation = held.entry.reached_at(params.trailing_stop.activation_ticks * tick) - 1
        limits.append(activation if best is None else held.side * best)
    if params.tighten_after:
        since_entry = view.recall(held.position, BEST_SINCE_ENTRY)
        limits.append(-UNBOUNDED if since_entry is None else held.side * since_entry)
    wanted = _wanted(params, view, held)
    if wanted is not None:
        limits.append(held.side * wanted)
    return min(limits)
