"""Stop prices: where a position was entered, and prices on the tick grid (RULES.md 4)."""

from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.marks import entry_cost
from riskcore.core.state import Position


@dataclass(frozen=True, slots=True)
class Entry:
    """What a position was entered for: `cost` is price times contracts, 1e-9 points; `side` +1 long, -1 short."""

    side: int
    contracts: int
    cost: int

    @property
    def average(self) -> int:
        """The average entry, cut to 1e-9 points; `cost` stays exact for comparisons."""
        return self.cost // self.contracts

    def offset_price(self, ticks: int, tick_size: int) -> int:
        """The average entry moved `ticks` towards profit (below zero: towards loss), on the tick grid.

        Rounded away from the market: down for a long, up for a short (RULES.md 4).
        """
        moved = self.side * self.cost + ticks * tick_size * self.contracts
        return self.side * (moved // (tick_size * self.contracts) * tick_size)

    def target_price(self, profit: int, tick_size: int) -> int:
        """The first price on the tick grid at which `profit` (points times contracts) is reached."""
        return self.side * -(-self.reached_at(profit) // tick_size) * tick_size

    def profit(self, price: int) -> int:
        """Points gained at a price, times contracts: exact, so that a limit is reached or not."""
        return self.side * (price * self.contracts - self.cost)

    def reached_at(self, profit: int) -> int:
        """The first price, times side, at which `profit` (points times contracts) is reached."""
        return -(-(self.side * self.cost + profit) // self.contracts)


def entry_of(position: Position) -> Entry | None:
    """The entry of an open position; None while its price is unknown."""
    known = entry_cost(position)
    if known is None or known[0] * position.size <= 0:
        return None
    side = 1 if known[0] > 0 else -1
    return Entry(side, side * known[0], side * known[1])


def on_grid(price: int, tick_size: int, side: int) -> int:
    """A stop price on the tick grid, rounded away from the market: a long's down, a short's up."""
    return side * (side * price // tick_size * tick_size)


def place_stop(contract: str, side: int, size: int, price: int) -> Command:
    """A protective stop for a position on `side`: the order itself is on the other one."""
    return Command("PlaceStop", contract=contract, side=-side, size=size, price=price)
