"""What an order is for: an entry, a bracket leg, or cover of a position (RULES.md 2, 3.2, RULE-008).

Pure functions over account, order and position. Distances and prices are integers of 1e-9 points, sizes are
numbers of contracts, times are nanoseconds.
"""

from riskcore.core.exit_orders import is_exit_order, left_to_fill, works
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_OPEN,
    STATUS_PENDING,
    STATUS_PENDING_CANCELLATION,
    STATUS_SUSPENDED,
    STOP_TYPES,
    TYPE_MARKET,
    Account,
    Order,
    Position,
    Trade,
)

# How long after its entry fill a bracket leg is trusted before the broker shows it working (RULES.md 2).
LEG_GRACE_NS = 2 * SECOND_NS
# How long an order may take to be accepted by the exchange before a cancel is tried all the same.
PENDING_NS = SECOND_NS
# How the custom tag of a stop that riskcore placed begins; no other order of ours has such a one.
STOP_TAG = "rc-stop-"
_LEG_TAGS = ("-SL", "-TP")


def is_entry(account: Account, order: Order, now: int) -> bool:
    """Whether the order would open or increase a position if it filled now (RULES.md 3.2).

    An order is an entry when it works on the side of the position, when there is no position, or when more of it
    is left than the position holds: crossing zero is an opening. What fills and pushes have shown to be executed is
    not left, whatever the order itself says, for they come in no fixed order. Bracket legs are no entries while they
    wait for their entry to fill, and for two seconds after it, because the position may be seen after its legs. The
    order of riskcore's own close is never one, whatever is left of it.
    """
    if not order.working or (order.size and not order.remaining):
        return False
    position = account.positions.get(order.contract)
    held = abs(position.size) if position is not None and order.side * position.size < 0 else 0
    if held and order.remaining <= held:
        return False
    if is_exit_order(order) or is_waiting_leg(order) or _in_leg_grace(account, order, now):
        return False
    return not order.size or left_to_fill(account, order) > held


def entry_orders(account: Account, now: int, contract: str | None = None) -> list[Order]:
    """The working entry orders of the account, or of one contract, in the order they were first seen."""
    return [
        order
        for order in account.working_orders()
        if contract in (None, order.contract) and is_entry(account, order, now)
    ]


def can_be_cancelled(account: Account, order: Order, now: int) -> bool:
    """Whether asking the broker to cancel an order makes sense (RULES.md 1.6).

    A pending market order fills before any cancel arrives: its fill is answered. Another pending order is given a
    second to become open. What has filled, or is being cancelled already, needs nothing.
    """
    if order.status == STATUS_PENDING_CANCELLATION or not works(account, order):
        return False
    return order.status != STATUS_PENDING or (order.type != TYPE_MARKET and now >= cancel_due(order))


def cancel_due(order: Order) -> int:
    """From when on a pending order is cancelled although it has not become open."""
    return order.recorded_at + PENDING_NS


def is_waiting_leg(order: Order) -> bool:
    """A bracket leg that waits for its entry to fill: suspended, no price yet (RULES.md 2)."""
    return order.status == STATUS_SUSPENDED and order.parent_id is not None


def is_leg(order: Order) -> bool:
    """A bracket leg: it names its entry, or has its tag (RULES.md 2)."""
    return order.parent_id is not None or (order.tag is not None and order.tag.endswith(_LEG_TAGS))


def is_own_stop(order: Order) -> bool:
    """A stop that riskcore placed."""
    return order.type in STOP_TYPES and order.tag is not None and order.tag.startswith(STOP_TAG)


def is_own_fill(account: Account, trade: Trade) -> bool:
    """Whether a fill is of a stop that riskcore placed."""
    order = account.orders.get(trade.order_id) if trade.order_id is not None else None
    return order is not None and is_own_stop(order)


def entry_filled_at(account: Account, leg: Order) -> int | None:
    """When the entry of a bracket leg was seen filled; None while nothing says that it was.

    The order's own word counts; a fill that arrives before it is the next best, for events of one fill come in
    no fixed order (RULES.md 2).
    """
    if leg.parent_id is None:
        return None
    parent = account.orders.get(leg.parent_id)
    if parent is not None and parent.filled_at is not None:
        return parent.filled_at
    fills = (trade.recorded_at for trade in account.trades.values() if trade.order_id == leg.parent_id)
    return max(fills, default=None)


def _in_leg_grace(account: Account, leg: Order, now: int) -> bool:
    filled_at = entry_filled_at(account, leg)
    return filled_at is not None and now - filled_at <= LEG_GRACE_NS


def leg_grace_ends(account: Account, contract: str | None = None) -> list[int]:
    """The instants at which working bracket legs, of one contract or of all, become entry orders by time alone."""
    legs = (order for order in account.working_orders() if contract in (None, order.contract))
    filled_at = (entry_filled_at(account, leg) for leg in legs)
    return [instant + LEG_GRACE_NS + 1 for instant in filled_at if instant is not None]


def is_protective(order: Order, position: Position) -> bool:
    """A stop of any kind on the opposite side of the position, in the same contract."""
    return order.contract == position.contract and order.type in STOP_TYPES and order.side * position.size < 0


def covering_size(
    account: Account, position: Position, now: int, average_entry: int | None = None, max_distance: int | None = None
) -> int:
    """How many contracts of the position working stops cover (RULE-008).

    Open orders count with what is left of them; a waiting bracket leg counts for less than two seconds after its
    entry fill. With `max_distance` a stop counts only within it, measured from `average_entry`; a stop
    without a price, such as a trailing stop, counts at any distance.
    """
    covered = 0
    for order in account.orders.values():
        if not is_protective(order, position):
            continue
        open_now = order.status == STATUS_OPEN and _within(order, average_entry, max_distance)
        if open_now or _covers_as_leg(account, order, now):
            covered += order.remaining
    return covered


def _within(order: Order, average_entry: int | None, max_distance: int | None) -> bool:
    if max_distance is None or order.stop_price is None or average_entry is None:
        return True
    return abs(order.stop_price - average_entry) <= max_distance


def _covers_as_leg(account: Account, order: Order, now: int) -> bool:
    if not is_waiting_leg(order):
        return False
    filled_at = entry_filled_at(account, order)
    return filled_at is not None and now < filled_at + LEG_GRACE_NS


def leg_cover_ends_at(account: Account, position: Position, now: int) -> int | None:
    """The next instant at which a waiting bracket leg stops covering the position, None when none covers it."""
    ends = []
    for order in account.orders.values():
        if is_protective(order, position) and _covers_as_leg(account, order, now):
            filled_at = entry_filled_at(account, order)
            assert filled_at is not None, "a leg that covers has a filled entry"
            ends.append(filled_at + LEG_GRACE_NS)
    return min(ends, default=None)
