"""What a generated day consists of: instruments, accounts, orders, fills, holdings.

Prices are integers of 1e-9 points, money of 1e-6 dollars, times are nanoseconds; sides are +1 buy, -1 sell.
"""

from dataclasses import dataclass, field

from adapters.simulator.catalogue import OFFERED, contract_id_of
from riskcore.core.products import built_in_contract
from riskcore.core.quantities import move_value
from riskcore.core.state import BUY, STATUS_OPEN, WORKING


class Instrument:
    """One contract and its market. `expiry` is month code and two-digit year: Z26. Raises KeyError for other roots."""

    def __init__(self, root: str, expiry: str, last: int) -> None:
        product = OFFERED[root]
        self.root = root
        self.id = contract_id_of(product, expiry)
        known = built_in_contract(self.id)
        assert known is not None, f"{root} is in the built-in table"
        self.tick_size, self.tick_value = known.tick_size, known.tick_value
        self.fees_usd, self.commissions_usd = product.fees_usd, product.commissions_usd
        self.symbol_id = f"F.US.{product.code}"
        self.name = f"{root}{expiry[0]}{expiry[2]}"
        self.display_name = f"{root}{expiry}"
        self.description = product.description(expiry)
        self.last = last
        self.bid = last - self.tick_size
        self.ask = last + self.tick_size
        self.volume = 0
        self.open, self.high, self.low = last, last, last
        self.quoted_at = 0  # The first quote is complete, later ones are sparse.

    def move_to(self, last: int, spread_ticks: int) -> None:
        """The market trades at `last`, with a spread of one or two ticks round it."""
        self.last = last
        self.bid = last - self.tick_size * (spread_ticks - 1)
        self.ask = self.bid + self.tick_size * spread_ticks
        self.high, self.low = max(self.high, last), min(self.low, last)

    def touch(self, side: int) -> int:
        """The price at which an order of that side trades at once: buyers pay the ask, sellers get the bid."""
        return self.ask if side == BUY else self.bid


@dataclass(slots=True)
class TradingAccount:
    id: int
    name: str
    balance_usd: int
    can_trade: bool = True
    simulated: bool = True
    visible: bool = True
    auto_oco: bool = True  # Auto OCO Brackets, not Position Brackets (API.md 2.3).
    follower: bool = False
    holdings: dict[str, "Holding"] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)  # Burnt for ever (API.md 0.7).


@dataclass(slots=True, eq=False)
class WorkOrder:
    id: int
    account: TradingAccount
    instrument: Instrument
    type: int
    side: int
    size: int
    created_at: int
    updated_at: int
    status: int
    limit_price: int | None = None
    stop_price: int | None = None
    tag: str | None = None
    parent: "WorkOrder | None" = None
    linked: "WorkOrder | None" = None  # The other bracket leg: one fills, the other is cancelled.
    links_openly: bool = False  # Only the take-profit names its link (API.md 2.3).
    filled: int = 0
    filled_price: int | None = None
    # Offsets in points from the entry fill, for a leg that is still suspended.
    offset: int = 0
    legs: list["WorkOrder"] = field(default_factory=list)
    trail_ticks: int | None = None  # How far a trailing stop stays behind the market.
    closes: bool = False  # Made by closeContract or partialCloseContract.
    timed: bool = False  # Fills at times of its own, not at the next quotes (execution.py).

    @property
    def open(self) -> bool:
        return self.status == STATUS_OPEN

    @property
    def working(self) -> bool:
        return self.status in WORKING

    @property
    def left(self) -> int:
        """Contracts that have not filled yet."""
        return self.size - self.filled


@dataclass(slots=True, eq=False)
class Fill:
    id: int
    account: TradingAccount
    instrument: Instrument
    order: WorkOrder
    at: int
    price: int
    side: int
    size: int
    profit_usd: int | None
    voided: bool = False

    @property
    def fees_usd(self) -> int:
        return self.size * self.instrument.fees_usd

    @property
    def commissions_usd(self) -> int:
        return self.size * self.instrument.commissions_usd

    @property
    def net_usd(self) -> int:
        """What the fill adds to the balance (API.md 0.4)."""
        return (self.profit_usd or 0) - self.fees_usd - self.commissions_usd


@dataclass(slots=True, eq=False)
class Holding:
    """The position of one account in one contract: open lots, oldest first (FIFO)."""

    id: int
    account: TradingAccount
    instrument: Instrument
    opened_at: int
    lots: list[tuple[Fill, int]] = field(default_factory=list)  # The opening fill and what is left of it.
    opened_by: list[Fill] = field(default_factory=list)  # Opening fills of this life, for the re-emission.
    shown_average: int = 0

    @property
    def size(self) -> int:
        return sum(fill.side * left for fill, left in self.lots)

    def average_price(self) -> int:
        """The weighted mean of the open lots, off the tick grid; the last one known when flat (API.md 3.3)."""
        size = abs(self.size)
        if size:
            self.shown_average = sum(fill.price * left for fill, left in self.lots) // size
        return self.shown_average

    def add(self, fill: Fill) -> None:
        self.lots.append((fill, fill.size))
        self.opened_by.append(fill)

    def take(self, price: int, size: int) -> int:
        """Close `size` contracts at `price`, oldest lots first; the gross profit in 1e-6 dollars."""
        profit = 0
        while size:
            fill, left = self.lots[0]
            closed = min(left, size)
            points = (price - fill.price) * fill.side * closed
            profit += move_value(points, self.instrument.tick_size, self.instrument.tick_value)
            size -= closed
            self.lots[0] = (fill, left - closed)
            if closed == left:
                self.lots.pop(0)
        return profit
