"""What the counterfactual keeps of one account beside its book: policies, shares, orders at the broker, figures."""

from dataclasses import dataclass, field
from typing import Any

from replay.whatif.broker import Fill, Moment, Resting
from replay.whatif.money import Simulated
from riskcore.core.events import TradeRecorded


@dataclass(slots=True)
class Request:
    """Something the counterfactual broker was asked to do and has not done yet."""

    account: int
    what: str  # close | cancel | stop | resting | flat_by
    moment: Moment
    contract: str
    decided_at: int
    fill: Fill | None = None
    level: int = 0
    side: int = 0
    order_id: int | None = None
    resting: Resting | None = None
    size: int = 0
    price: int | None = None
    opens: bool = False  # A resting order of the record that may open or increase.
    over: bool = False  # It has been done, or has lapsed.


@dataclass(frozen=True, slots=True)
class Share:
    """What of a recorded fill was executed: the ids of its parts in the counterfactual, and their sizes."""

    size: int
    parts: tuple[tuple[int, int], ...] = ()
    contract: str = ""

    @property
    def executed(self) -> int:
        return sum(size for _, size in self.parts)


@dataclass(slots=True)
class DayOfAccount:
    """Figures of one account and day that the report shows beside the two results."""

    left_out_orders: list[int] = field(default_factory=list)
    left_out_contracts: int = 0
    guard_cost_usd: int | None = 0
    flags: set[str] = field(default_factory=set)
    all_simulated: bool = False


@dataclass(slots=True)
class AccountCourse:
    """One account in the counterfactual. `parted`: the courses differ today, and the broker says what happens."""

    id: int
    parted: bool = False
    acted: bool = False  # The counterfactual has acted since the courses parted today (policy stop).
    frozen: set[str] = field(default_factory=set)  # Contracts whose entries policy freeze leaves out.
    kept: set[str] = field(default_factory=set)  # Contracts the record closed and the counterfactual keeps.
    kept_at: dict[str, int] = field(default_factory=dict)  # When the record's close of those was decided.
    entries: set[int] = field(default_factory=set)  # Orders that could open in the record when it decided to close.
    alike: dict[str, int] = field(default_factory=dict)  # Closes both courses decided, with their level.
    recorded: dict[str, int] = field(default_factory=dict)  # Signed size of the record, by its fills.
    rates: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)  # Fees, commissions a contract.
    rated: dict[str, int] = field(default_factory=dict)  # Which fill those are of.
    shares: dict[int, Share] = field(default_factory=dict)
    fills: dict[int, TradeRecorded] = field(default_factory=dict)  # Recorded fills of parted days, as told last.
    dropped: set[int] = field(default_factory=set)  # Entry orders that came while no entry was allowed.
    told_at: dict[int, int] = field(default_factory=dict)  # When each recorded order was first told.
    cancelling: dict[int, tuple[int, bool]] = field(default_factory=dict)  # Order: when, and by a lockout's beginning.
    cancelled: set[int] = field(default_factory=set)
    resting: dict[int, Request] = field(default_factory=dict)
    flattening: dict[str, bool] = field(default_factory=dict)  # Closes under way; True: of the whole account.
    closes: list[Request] = field(default_factory=list)
    simulated: Simulated = field(default_factory=Simulated)
    days: dict[str, DayOfAccount] = field(default_factory=dict)
    divergences: list[dict[str, Any]] = field(default_factory=list)
    limits_rested: bool = False  # A limit has worked at the counterfactual broker: how it fills is an assumption.
    end_assumed: bool = False  # It was asked what becomes of enforcement that only the record has.

    def day(self, trade_date: str) -> DayOfAccount:
        found = self.days.get(trade_date)
        if found is None:
            found = self.days[trade_date] = DayOfAccount()
        return found

    def note_action(self, contracts: list[str]) -> None:
        """The counterfactual has acted, and closed, cancelled or kept out in these contracts: the policies begin."""
        self.acted = True
        self.frozen.update(contracts)

    def has_cancelled(self, order_id: int | None, at: int) -> bool:
        """Whether a cancel of the counterfactual has taken effect: the order fills no more, whatever is recorded."""
        if order_id is None:
            return False
        return order_id in self.cancelled or self.cancelling.get(order_id, (at + 1, False))[0] <= at

    def untouchable(self) -> set[int]:
        """Orders of the record whose fate the counterfactual has decided."""
        return {*self.cancelled, *self.cancelling, *self.resting}

    def begin_day(self) -> None:
        """Until its own divergence a day's facts are facts."""
        self.parted = self.acted = False
        self.frozen.clear()
        self.kept.clear()
        self.kept_at.clear()
        self.entries.clear()
        self.closes.clear()
        self.flattening.clear()
        self.cancelling.clear()

    def carried_over(self) -> "AccountCourse":
        """What a day that never parted leaves to the next one, as a course of its own."""
        carried = AccountCourse(self.id)
        carried.take_over(self)
        return carried

    def take_over(self, other: "AccountCourse") -> None:
        """Stand where another course of the account has ended a day that never parted."""
        self.recorded, self.alike = dict(other.recorded), dict(other.alike)
        self.rates, self.rated, self.told_at = dict(other.rates), dict(other.rated), dict(other.told_at)
