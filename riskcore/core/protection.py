"""Legs and stops too large for the position: one that fills would open the other side (RULES.md 8.8, API.md 0.9).

Bracket legs and riskcore's own stops are looked at, and the trader's stops of a position that riskcore has cut since;
what else the trader works is his. The legs of one entry belong together, because cancelling one may take the other
away. Pure functions over one account.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from riskcore.core.exit_orders import closed_name
from riskcore.core.freshness import connected
from riskcore.core.order_roles import LEG_GRACE_NS, entry_filled_at, is_leg, is_own_stop, is_protective
from riskcore.core.state import STATUS_OPEN, STOP_TYPES, Account, Book, Order, Position


@dataclass(frozen=True, slots=True)
class Misfit:
    """A leg or stop of which only `size` contracts may be left; until `settled_at` the broker may still see to it."""

    order: Order
    size: int
    settled_at: int


def misfits(account: Account) -> list[Misfit]:
    """Every leg and own stop that could close more than is open, or belongs to a position that is gone."""
    groups: dict[tuple[str, str], list[Order]] = {}
    for order in account.working_orders():
        if order.status == STATUS_OPEN and (
            is_own_stop(order)
            or (is_leg(order) and not _waits_for_entry(account, order))
            or _was_for_more(account, order)
        ):
            groups.setdefault((order.contract, _group(order)), []).append(order)
    contracts = dict.fromkeys(contract for contract, _ in groups)
    return [
        misfit
        for contract in contracts
        for misfit in _of_contract(account, contract, [one for (name, _), one in groups.items() if name == contract])
    ]


def _group(order: Order) -> str:
    """What names the bracket a leg belongs to; a stop of ours, or one the trader placed, stands alone."""
    if order.parent_id is not None:
        return f"entry {order.parent_id}"
    return (order.tag or "")[:-3] if is_leg(order) and not is_own_stop(order) else f"order {order.id}"


def _was_for_more(account: Account, order: Order) -> bool:
    """Whether a stop was made for a position that riskcore has cut: its excess would reverse the position."""
    closed_at, position = account.memory.get(closed_name(order.contract)), account.positions.get(order.contract)
    if closed_at is None or position is None or not is_protective(order, position):
        return False
    return order.working_since is not None and order.working_since <= closed_at


def _waits_for_entry(account: Account, leg: Order) -> bool:
    """Whether the entry of a leg still works: more of it may fill, and the leg is made for all of it."""
    parent = account.orders.get(leg.parent_id or 0)
    return parent is not None and parent.working


def _of_contract(account: Account, contract: str, groups: list[list[Order]]) -> Iterator[Misfit]:
    position = account.positions.get(contract)
    if position is not None and position.disagrees_since is not None:
        return  # The size is uncertain just now.
    size = position.size if position is not None else 0
    changed_at = max(position.changed_at, position.fill_at) if position is not None else 0
    stops_left = targets_left = abs(size)
    for group in sorted(groups, key=lambda orders: _tightness(orders, size), reverse=True):
        opposite = [order for order in group if order.side * size < 0]
        most = max((order.remaining for order in opposite), default=0)
        has_stop = any(order.type in STOP_TYPES for order in opposite)
        allowed = min(most, stops_left if has_stop else targets_left)
        stops_left -= allowed if has_stop else 0
        targets_left -= min(allowed, targets_left) if any(order.type not in STOP_TYPES for order in opposite) else 0
        for order in group:
            fitting = allowed if order in opposite else 0
            if order.remaining > fitting:
                times = (changed_at, order.working_since or order.recorded_at, entry_filled_at(account, order) or 0)
                # A stop of ours was placed for a position that was there, and only riskcore takes it back.
                grace_ns = 0 if is_own_stop(order) and not fitting else LEG_GRACE_NS
                yield Misfit(order, fitting, max(times) + grace_ns)


def _tightness(group: list[Order], size: int) -> tuple[bool, int]:
    """Brackets with a stop first, the one nearest to the market before all others."""
    side = 1 if size > 0 else -1
    prices = [side * order.stop_price for order in group if order.type in STOP_TYPES and order.stop_price is not None]
    return (bool(prices), max(prices, default=0))


def fits(account: Account, order_id: int) -> bool:
    """Whether an order closes no more than is open, or is no longer working; not while the size is in doubt."""
    order = account.orders.get(order_id)
    position = account.positions.get(order.contract) if order is not None and order.working else None
    if position is not None and position.disagrees_since is not None:
        return False
    return all(misfit.order.id != order_id for misfit in misfits(account))


def own_stop(account: Account, contract: str | None, side: int) -> Order | None:
    """The stop riskcore has working in a contract, if it has one."""
    standing = (order for order in account.working_orders() if is_own_stop(order))
    return next((order for order in standing if order.contract == contract and order.side == side), None)


def sure_of_size(book: Book, account: Account, position: Position) -> bool:
    """Whether a stop may be placed for a position: fills explain it, or a list has shown it since it was heard of.

    A push may be late, fills may be told before the list that lacks them, and a cut may be on its way: a stop for what
    is gone would open a position (I11). Where nothing is pushed only the turn of a list knows, as for a reduction.
    """
    cut = [one for one in account.requests.values() if one.kind == "partialCloseContract"]
    if any(one.contract == position.contract for one in cut):
        return False
    if not connected(book) and account.listed_at != book.now:
        return False
    explained = position.size == position.lot_size and not position.carried
    return explained or account.reconciled_at >= max(position.push_at, position.fill_at)
