"""How many contracts an account has open or may soon have, and what brings them down: RULE-001 and RULE-002."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from riskcore.core.events import QUOTES, BarObserved, Command
from riskcore.core.exit_orders import is_exit_order
from riskcore.core.in_force import is_met
from riskcore.core.kinds import CUTS, CommandKind
from riskcore.core.order_roles import is_entry
from riskcore.core.rules.base import Proposal
from riskcore.core.rules.commands import reduce_position
from riskcore.core.state import BUY, SELL, STATUS_SUSPENDED, Order, Position
from riskcore.core.view import View

_ANSWERS: tuple[CommandKind, ...] = ("CancelOrders", *CUTS)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Open contracts and working orders that one limit counts, in units of that limit.

    `weight` gives the units of one contract of a root. `net` lets longs and shorts offset each other. Orders
    are empty where the limit counts positions only.
    """

    positions: Sequence[Position]
    orders: Sequence[Order]
    weight: Callable[[str], int]
    net: bool = False

    def _signed(self) -> int:
        return sum(position.size * self.weight(position.contract) for position in self.positions)

    def _held(self, side: int) -> int:
        """What counts as held on a side; with `net` only what longs and shorts do not offset."""
        if self.net:
            return max(side * self._signed(), 0)
        return sum(max(side * position.size, 0) * self.weight(position.contract) for position in self.positions)

    def _working(self, side: int) -> int:
        return sum(order.remaining * self.weight(order.contract) for order in self.orders if order.side == side)

    def held(self) -> int:
        """Units of the positions alone: gross the sum of sizes, net the size of the signed sum."""
        return self._held(BUY) + self._held(SELL)

    def count(self) -> int:
        """Units that the limit is compared with (RULES.md 5, RULE-001).

        With working orders it is the larger of long plus buys and short plus sells, and never less than the
        positions alone: looking at orders as well must not loosen a limit.
        """
        return max(self.held(), *(self._held(side) + self._working(side) for side in (BUY, SELL)))

    def cuts(self, limit: int) -> tuple[Command, ...]:
        """What brings the positions alone down to the limit, the most recently increased contract first.

        Whole contracts are cut, rounded up. Net cuts only the heavier side: the other one offsets it.
        """
        side = 1 if self._signed() > 0 else -1
        positions = [one for one in self.positions if not self.net or one.size * side > 0]
        excess = self.held() - limit
        return tuple(command for _, command in newest_cuts(positions, excess, self.weight))

    def cancels(self, view: View, limit: int) -> tuple[Command, ...]:
        """What working orders are too many beside the positions, the newest entry order of each side first."""
        commands = []
        for side in (BUY, SELL):
            excess = min(self._held(side), limit) + self._working(side) - limit
            for order in sorted(self.orders, key=lambda one: -one.id):
                if excess > 0 and order.side == side and is_entry(view.account, order, view.now):
                    excess -= order.remaining * self.weight(order.contract)
                    commands.append(Command("CancelOrder", contract=order.contract, order_id=order.id))
        return tuple(commands)


def newest_cuts(
    positions: Sequence[Position],
    excess: int,
    weight: Callable[[str], int],
    most: Callable[[Position], int] = lambda position: abs(position.size),
) -> Iterator[tuple[Position, Command]]:
    """What takes `excess` units off, the exposure increased last first, at most `most` contracts of each position.

    Whole contracts are cut, rounded up.
    """
    for position in sorted(positions, key=lambda one: -one.increase_order):
        units = weight(position.contract)
        contracts = min(-(-excess // units), most(position))
        if contracts > 0:
            excess -= contracts * units
            yield position, reduce_position(position.contract, abs(position.size) - contracts, contracts)


def counted_orders(view: View) -> list[Order]:
    """Working orders that a limit counts, without protective bracket legs and riskcore's own exits (RULE-001).

    The order, the fill and the position of one execution come in no fixed order (RULES.md 2). What a fill or a
    push has shown to be executed is taken off the order that does not say so yet, or it would count twice.
    """
    filled: dict[int, int] = {}
    for trade in view.account.trades.values():
        if trade.order_id is not None and not trade.voided:
            filled[trade.order_id] = filled.get(trade.order_id, 0) + trade.size
    unexplained = {position.contract: position.size - position.lot_size for position in view.held()}
    counted = []
    for order in view.account.working_orders():
        if order.parent_id is not None or order.status == STATUS_SUSPENDED or is_exit_order(order):
            continue
        done = max(order.fill_volume, filled.get(order.id, 0))
        pushed = min(max(order.side * unexplained.get(order.contract, 0), 0), max(order.size - done, 0))
        if pushed:
            unexplained[order.contract] -= order.side * pushed
        counted.append(replace(order, fill_volume=done + pushed))
    return counted


def count_with(exposure: Exposure, proposal: Proposal, view: View, *, all_orders: bool) -> int:
    """What a limit would count once an order the trader asks for has filled, beside the entries that work already.

    Of `exposure` the positions, weights and `net` are used. With `all_orders` the limit counts working orders too,
    so the order must also fit in while it works.
    """
    order = proposal.order
    sizes = {position.contract: position.size for position in exposure.positions}
    sizes[order.contract] = sizes.get(order.contract, 0) + order.side * order.remaining
    filled = [Position(contract, pushed=size) for contract, size in sizes.items()]
    beside = (
        proposal.beside if all_orders else [one for one in proposal.beside if is_entry(view.account, one, view.now)]
    )
    count = replace(exposure, positions=filled, orders=beside).count()
    return max(count, replace(exposure, orders=[*beside, order]).count()) if all_orders else count


def still_to_cut(view: View, exposure: Exposure, commands: Sequence[Command]) -> tuple[Command, ...]:
    """What an open episode still asks for: nothing while a cut is in force, because a cut is a level.

    A cut that is met while the count is still too high, because another contract grew meanwhile, is followed
    by the next. Orders are cancelled one by one, so each new one that is too many is cancelled. The market
    moves no count, so quotes are no occasion to look again.
    """
    if isinstance(view.event.body, (*QUOTES, BarObserved)):
        return ()
    contracts = [None, *(position.contract for position in exposure.positions)]
    cutting = any(
        obligation.kind in _ANSWERS and obligation.contract in contracts and not is_met(view.account, obligation)
        for obligation in view.account.obligations.values()
    )
    return tuple(command for command in commands if not (cutting and command.kind in _ANSWERS))
