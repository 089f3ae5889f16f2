"""What is open of one contract: lots that fills opened, and what the broker shows beyond them (RULES.md 1.5).

Pure arithmetic of signed sizes and costs; which fills count, and in what order, is the business of fold.py.
"""

from dataclasses import dataclass, replace

from riskcore.core.state import Contract, Lot, Position, Trade

# So many contracts of a position may be left to fills that are told later: more than an account may hold.
MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Lots:
    """What is open of one contract after a fill. `shortage` is what a closing fill found nothing to close for.

    `carried` contracts (signed) are open and no fill told of them; `carried_cost` is their signed price times size in
    1e-9 points, None while it is unknown. They are older than every lot.
    """

    side: int
    lots: tuple[Lot, ...]
    early: tuple[Lot, ...]
    trip_ended: bool = False
    shortage: int = 0
    carried: int = 0
    carried_cost: int | None = 0

    @property
    def size(self) -> int:
        """Signed contracts that fills opened, between the halves of a flip too."""
        return filled(self.side, self.lots, self.early)[0]

    @property
    def cost(self) -> int:
        """Signed price times size of what fills opened: the value of it is price times `size` less this."""
        return filled(self.side, self.lots, self.early)[1]

    @property
    def flat(self) -> bool:
        return not (self.lots or self.carried)


NO_LOTS = Lots(0, (), ())


def filled(side: int, lots: tuple[Lot, ...], early: tuple[Lot, ...]) -> tuple[int, int]:
    """(signed size, signed price times size) of what fills opened, between the halves of a flip too."""
    size = cost = 0
    for lot in lots:
        size += lot.size
        cost += lot.price * lot.size
    for lot in early:
        size -= lot.size
        cost -= lot.price * lot.size
    return side * size, side * cost


def lots_of(position: Position) -> Lots:
    """What is open of a position as it is known now."""
    return Lots(
        position.side,
        position.lots,
        position.early,
        carried=position.carried,
        carried_cost=position.carried_cost,
    )


def next_lots(side: int, lots: tuple[Lot, ...], early: tuple[Lot, ...], trade: Trade, paid: int | None = None) -> Lots:
    """Lots after one more fill; the oldest lot closes first (50 of 50 real partial exits, API.md 3.4).

    `paid` is the price times contracts at which those that a closing fill closes were opened, where its P&L tells it.

    A fill without P&L opens, a fill with P&L closes. The two halves of a flip may come in either order: an
    opening fill against open lots waits in `early` until they are closed.
    """
    opening = trade.profit_usd is None
    lot = Lot(trade.id, trade.price, trade.size)
    if opening and (not lots or trade.side == side):
        return Lots(trade.side, (*lots, lot), early)
    if opening:
        return Lots(side, lots, (*early, lot))
    if not lots or trade.side == side:
        return Lots(side, lots, early, shortage=trade.size)
    kept, lots = _not_closed(lots, trade.size, paid)
    remaining, left = without_oldest(lots, trade.size)
    if kept or remaining:
        return Lots(side, (*kept, *remaining), early)
    return Lots(-side if early else 0, early, (), trip_ended=True, shortage=left)


def _not_closed(lots: tuple[Lot, ...], size: int, paid: int | None) -> tuple[tuple[Lot, ...], tuple[Lot, ...]]:
    """The oldest lots, which a fill did not close though it closed younger ones, and the others.

    It did so where an exit order's fills are told in another order than they were made: the P&L booked for one says
    which contracts it closed, and those that are left are valued at their own price.
    """
    if paid is None or paid == _cost_of_oldest(lots, size):
        return (), lots
    there = sum(one.size for one in lots)
    for number in range(1, min(there - size, MOST_KEPT) + 1):
        others = without_oldest(lots, number)[0]
        if paid == _cost_of_oldest(others, size):
            return _oldest(lots, number), others
    return (), lots


def _cost_of_oldest(lots: tuple[Lot, ...], contracts: int) -> int:
    return sum(one.price * one.size for one in _oldest(lots, contracts))


def _oldest(lots: tuple[Lot, ...], contracts: int) -> tuple[Lot, ...]:
    taken, left = [], contracts
    for one in lots:
        if left > 0:
            taken.append(replace(one, size=min(left, one.size)))
        left -= one.size
    return tuple(taken)


def without_oldest(lots: tuple[Lot, ...], contracts: int) -> tuple[tuple[Lot, ...], int]:
    """The lots without their oldest contracts, and how many contracts there were too few."""
    left, remaining = contracts, []
    for one in lots:
        taken = min(left, one.size)
        left -= taken
        if one.size > taken:
            remaining.append(replace(one, size=one.size - taken))
    return tuple(remaining), left


def after_fill(before: Lots, trade: Trade, contract: Contract | None) -> Lots:
    """What is open after one more fill: a closing one takes what was carried in first, then the oldest lots."""
    if not before.carried:
        return next_lots(before.side, before.lots, before.early, trade, opened_for(trade, contract))
    taken = _taken_from_carried(before, trade, contract)
    carried = before.carried + trade.side * taken
    if taken < trade.size:
        after = next_lots(before.side, before.lots, before.early, replace(trade, size=trade.size - taken))
    else:
        after = Lots(before.side, before.lots, before.early)
    turned = bool(taken) and not carried and after.size * before.carried <= 0
    return replace(
        after,
        trip_ended=(after.trip_ended and carried * before.side <= 0) or turned,
        carried=carried,
        carried_cost=_cost_left(before, trade, carried, contract),
    )


def _taken_from_carried(before: Lots, trade: Trade, contract: Contract | None) -> int:
    """How many of the contracts that were carried in a fill closes: the oldest go first, unless its P&L says not."""
    if trade.profit_usd is None or before.carried * trade.side >= 0:
        return 0
    taken = min(trade.size, abs(before.carried))
    paid = opened_for(trade, contract)
    if taken == abs(before.carried) and paid is not None and before.carried_cost is not None:
        mixed = abs(before.carried_cost) + _cost_of_oldest(before.lots, trade.size - taken)
        if paid != mixed and paid == _cost_of_oldest(before.lots, trade.size):
            return 0
    return taken


def _cost_left(before: Lots, trade: Trade, carried: int, contract: Contract | None) -> int | None:
    """The cost of what is still carried after a closing fill.

    The P&L that the broker booked says at which price it opened what was closed; so the sum of booked and open P&L
    does not move with a fill, whichever of several lots the broker's average price stands for.
    """
    if not carried:
        return 0
    if carried == before.carried or before.carried_cost is None:
        return before.carried_cost
    closed = opened_for(trade, contract)
    if closed is None:
        return before.carried_cost * carried // before.carried
    return before.carried_cost + trade.side * closed


def opened_for(trade: Trade, contract: Contract | None) -> int | None:
    """Price times contracts at which a closing fill's contracts were opened, from the P&L booked for it."""
    if contract is None or trade.profit_usd is None:
        return None
    points = trade.profit_usd * contract.tick_size // contract.tick_value
    return trade.price * trade.size + trade.side * points
