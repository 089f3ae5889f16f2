"""What riskcore knows: Book > Account > Position, Order, Trade, Lockout, Obligation, Request.

Facts edit a book in place; a live engine gives them a working copy (copies.py). Records that are replaced and never
edited are frozen; the few that are edited (Account, Position, DayFigures, Lockout, Obligation) are copied. Prices,
money and times are integers (quantities.py).
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from riskcore.core.kinds import ConnectionState, Hub, LockoutKind, ObligationKind, RequestKind, RequestState, Word
from riskcore.core.names import ACCOUNT, lockout_id, request_target, symbol_scope

# Order status, type and side numbers of the broker (topstepx/API.md 3.1).
WORKING = (1, 6, 7, 8)
TERMINAL = (2, 3, 4, 5)
STATUS_OPEN, STATUS_FILLED, STATUS_CANCELLED, STATUS_REJECTED = 1, 2, 3, 5
STATUS_PENDING, STATUS_PENDING_CANCELLATION, STATUS_SUSPENDED = 6, 7, 8
TYPE_LIMIT, TYPE_MARKET, TYPE_STOP_LIMIT, TYPE_STOP, TYPE_TRAILING_STOP = 1, 2, 3, 4, 5
TYPE_JOIN_BID, TYPE_JOIN_ASK = 6, 7
STOP_TYPES = (TYPE_STOP_LIMIT, TYPE_STOP, TYPE_TRAILING_STOP)
BUY, SELL = 1, -1


@dataclass(frozen=True, slots=True)
class Contract:
    """Tick economics of one contract: tick_size in 1e-9 points, tick_value in 1e-6 dollars."""

    id: str
    root: str
    tick_size: int
    tick_value: int
    described: bool = False  # True when a broker record said so, False when the built-in table did.


@dataclass(frozen=True, slots=True)
class Lot:
    """One open execution: size contracts bought or sold at price."""

    trade_id: int
    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as known so far; None means the broker has not said (API.md 3.4)."""

    id: int
    contract: str
    placed_at: int  # Broker time: decides the trading day and the place in rolling windows (RULES.md 1.1).
    trade_date: str
    price: int
    side: int
    size: int
    profit_usd: int | None
    fees_usd: int | None
    commissions_usd: int | None
    voided: bool
    order_id: int | None
    recorded_at: int
    round_trip: int = 0  # Which flat-to-flat trip of this contract the fill belongs to.
    enforced: bool = False  # The fill of riskcore's own stop or close (RULE-006).
    shown: bool = False  # Part of what the broker showed of the position (Shown): folded before the rest of that.
    settled: bool = False  # Opens and closes no lots any more: the broker's own figure stands for it.
    dated: bool = True  # Whether `placed_at` is broker time, and not the receipt in the place of a time not believed.
    ahead_at: int | None = None  # The broker time that is not believed: it still says which of such fills came first.

    def costs_usd(self) -> int:
        return (self.fees_usd or 0) + (self.commissions_usd or 0)


class OldTrade(NamedTuple):
    """A fill of some days ago: the fields of a Trade but its id, kept in little room.

    It can be told again, corrected and voided like any other; no rule's window reaches back to it.
    """

    contract: str
    placed_at: int
    trade_date: str
    price: int
    side: int
    size: int
    profit_usd: int | None
    fees_usd: int | None
    commissions_usd: int | None
    voided: bool
    order_id: int | None
    recorded_at: int
    round_trip: int
    enforced: bool
    shown: bool
    settled: bool
    dated: bool
    ahead_at: int | None = None

    @classmethod
    def of(cls, trade: Trade) -> "OldTrade":
        return cls(*(getattr(trade, name) for name in cls._fields))

    def trade(self, trade_id: int) -> Trade:
        return Trade(trade_id, *self)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the broker showed of a contract where fills alone do not explain it: signed size, and cost in all.

    `cost` is the broker's average price times `size`, None when it named none. `at`: as of when it is true; 0 where no
    fill that is reported from now on was made by then. `told_size` and `told_cost` are what the fills reported before
    come to, None where that is not known; `late` are the fills reported since (explained.py).
    """

    size: int
    cost: int | None
    at: int
    listed: bool = False  # By an answer to a question, not by a push.
    told_size: int = 0
    told_cost: int | None = None
    late: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order, every version merged; a price once known is kept when the broker drops it (RULES.md 2)."""

    id: int
    contract: str
    status: int
    type: int
    side: int
    size: int
    fill_volume: int
    limit_price: int | None
    stop_price: int | None
    parent_id: int | None
    linked_id: int | None
    tag: str | None
    updated_at: int | None  # Broker time of this version, when it gave one.
    recorded_at: int
    working_since: int | None = None
    filled_at: int | None = None  # When this order was seen filled, for the cover of its bracket legs.
    gone: bool = False  # A list no longer had it; its outcome is unknown.
    exit_of: str | None = None  # The close of riskcore's that made it (exit_orders.origin).

    @property
    def remaining(self) -> int:
        return max(self.size - self.fill_volume, 0)

    @property
    def working(self) -> bool:
        return self.status in WORKING


@dataclass(slots=True)
class Position:
    """One contract of one account: what fills say (lots) beside what the broker pushed (pushed).

    `carried` is what the broker showed and fills do not explain: a position that was carried in, fills that were
    missed, or a push that is ahead of its fills (carried.py). Sizes are signed: long above zero. `memory` holds what
    rules remember for this position's life and is dropped when it ends.
    """

    contract: str
    side: int = 0  # Direction of the lots.
    lots: tuple[Lot, ...] = ()
    early: tuple[Lot, ...] = ()  # The opening half of a flip whose closing half has not arrived yet.
    pushed: int | None = None  # The broker's own size; None until the first push or snapshot.
    average_price: int | None = None
    push_at: int = 0
    fill_at: int = 0
    opened_at: int = 0
    changed_at: int = 0
    increased_at: int = 0
    increase_order: int = 0  # Larger is newer: which contract was increased last (RULE-001).
    increase_price: int | None = None  # The fill that increased it last: the mark until a quote comes.
    awaits_mark: bool = False
    shown: Shown | None = None
    carried: int = 0
    carried_cost: int | None = 0  # Price times contracts, signed like `carried`; None while it is unknown.
    confirmed: int = 0  # How much of `carried` is no matter of fills that are still to come.
    disagrees_since: int | None = None
    round_trips: int = 0
    memory: dict[str, int] = field(default_factory=dict)

    @property
    def lot_size(self) -> int:
        """What fills say, with what was carried in before them."""
        return self.side * (sum(lot.size for lot in self.lots) - sum(lot.size for lot in self.early)) + self.confirmed

    @property
    def size(self) -> int:
        """Exposure: fills until the first push, pushes from then on (RULES.md 1.5)."""
        return self.lot_size if self.pushed is None else self.pushed

    @property
    def valued(self) -> bool:
        """Whether anything of it is open, by the broker's word or by fills that its pushes have not followed yet."""
        return bool(self.size or self.lots or self.carried)


@dataclass(frozen=True, slots=True)
class Mark:
    """The market as last seen for one contract; `valid_ns` is how long it stays fresh."""

    last: int | None
    bid: int | None
    ask: int | None
    at: int
    valid_ns: int
    from_bars: bool = False


@dataclass(slots=True)
class DayFigures:
    """Totals of one account in one trading day. Money in 1e-6 dollars."""

    trade_date: str
    fills: int = 0
    round_trips: int = 0
    gross_usd: int = 0
    fees_usd: int = 0
    commissions_usd: int = 0
    worst_usd: int = 0
    best_usd: int = 0
    order_fills: dict[int, int] = field(default_factory=dict)
    held: bool = False  # A position was open at some time of this day.
    breached: bool = False

    @property
    def net_usd(self) -> int:
        return self.gross_usd - self.fees_usd - self.commissions_usd

    def realised_usd(self, basis: str) -> int:
        return self.net_usd if basis == "net" else self.gross_usd


@dataclass(slots=True)
class Lockout:
    """Opening and increasing are forbidden in `scope` until it ends (RULES.md 3.1)."""

    scope: str  # "account" or "symbol:<root>"
    rule: str
    key: str
    kind: Word[LockoutKind]
    set_at: int
    expires_at: int | None
    reason: str
    held: dict[str, int] = field(default_factory=dict)  # Smallest signed size per contract since set.

    @property
    def id(self) -> str:
        return lockout_id(self.scope, self.rule, self.key)

    def covers(self, root: str) -> bool:
        return self.scope == ACCOUNT or self.scope == symbol_scope(root)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What was tried for one target of an obligation. `failures` counts those in a row without effect."""

    planned: int = 0
    failures: int = 0
    failed_at: int = 0
    retry_at: int = 0
    refused: int = 0  # How often the broker itself said no: each time the tag of an order to place was used up.


@dataclass(slots=True)
class Obligation:
    """A command in force: holds until met or until its own end (RULES.md 1.6)."""

    id: str
    kind: Word[ObligationKind]
    rule: str
    breach: str | None
    set_at: int
    contract: str | None = None
    to: int = 0
    order_ids: tuple[int, ...] = ()  # The orders to cancel, or the stop to modify.
    side: int = 0
    size: int = 0
    price: int | None = None
    attempts: dict[str, Attempts] = field(default_factory=dict)  # Per "<request kind>/<target>".
    checks_done: int = 0  # Snapshots that confirmed flat after a close (RULES.md 3.4, step 5).

    @property
    def failures(self) -> int:
        """Failures in a row of the target that fares worst."""
        return max((one.failures for one in self.attempts.values()), default=0)

    @property
    def refused(self) -> bool:
        """Whether the broker itself said no to any of it."""
        return any(one.refused for one in self.attempts.values())


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What the trader asks the broker for. Prices in 1e-9 points; bracket ticks are signed from entry (API.md 2.3)."""

    type: int = 0
    limit_price: int | None = None
    stop_price: int | None = None
    trail_price: int | None = None
    stop_loss_ticks: int | None = None
    take_profit_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One intended broker call, planned for an obligation, or for what the trader asked (`obligation` is empty)."""

    id: str
    obligation: str
    kind: Word[RequestKind]
    contract: str | None
    order_id: int | None
    size: int
    side: int
    price: int | None
    attempt: int
    state: Word[RequestState]
    at: int  # When it came into this state.
    tag: str | None = None
    terms: OrderTerms | None = None
    attempted_at: int = 0  # When it left.

    @property
    def target(self) -> str:
        return request_target(self.kind, self.contract, self.order_id)


@dataclass(slots=True)
class Account:
    """Everything known of one account, and what is in force for it."""

    id: int
    name: str | None = None
    balance_usd: int | None = None
    can_trade: bool | None = None
    simulated: bool | None = None
    first_at: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    trades: dict[int, Trade] = field(default_factory=dict)
    old_trades: dict[int, OldTrade] = field(default_factory=dict)  # Replaced, never edited: copies share it.
    old_ids: tuple[int, ...] = ()  # Ascending: fills so old that nothing but their ids is kept.
    days: dict[str, DayFigures] = field(default_factory=dict)
    lockouts: dict[str, Lockout] = field(default_factory=dict)
    obligations: dict[str, Obligation] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    episodes: dict[str, int] = field(default_factory=dict)  # Open episodes: "<rule key>|<target>".
    counters: dict[str, int] = field(default_factory=dict)  # Breaches so far per "<rule key>|<target>".
    memory: dict[str, int] = field(default_factory=dict)
    guarded: dict[int, int] = field(default_factory=dict)  # Entry orders the guard has answered.
    reconciled_at: int = 0  # When the broker was asked for the positions that were last listed in full.
    orders_listed_at: int = 0
    listed_at: int = 0  # When that list of positions arrived.
    rights_told_at: int = 0  # When the broker last said whether the account may trade.
    unseeded: bool = (
        False  # Fills of this day may be missing: a live engine has not seen their list yet (RULES.md 8.6).
    )
    seeded_at: int = 0  # Until when the fills of the day are known to be complete.

    def day(self, trade_date: str) -> DayFigures:
        figures = self.days.get(trade_date)
        if figures is None:
            figures = self.days[trade_date] = DayFigures(trade_date)
        return figures

    def held(self) -> list[Position]:
        """Open positions, in the order they were first seen."""
        return [
            position
            for position in self.positions.values()
            if (position.lots or position.confirmed if position.pushed is None else position.pushed) and position.size
        ]

    def trade(self, trade_id: int) -> Trade | None:
        """A fill of which more than the id is known."""
        known = self.trades.get(trade_id)
        if known is None and trade_id in self.old_trades:
            return self.old_trades[trade_id].trade(trade_id)
        return known

    def working_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.status in WORKING]


@dataclass(frozen=True, slots=True)
class Day:
    """The calendar row of one trading day, half-open [opens_at, closes_at) (RULES.md 1.4)."""

    trade_date: str
    opens_at: int
    closes_at: int
    timezone: str
    reset_seconds: int
    zones: dict[str, tuple[tuple[int, int], ...]]  # Per zone: (from instant, offset in seconds) rows.
    holiday: str | None = None
    early_close_at: int | None = None


@dataclass(slots=True)
class Book:
    """One profile's whole state. `settings` is the judged configuration as plain data."""

    profile: str = ""
    now: int = 0
    day: Day | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    contracts: dict[str, Contract] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    connections: dict[Word[Hub], Word[ConnectionState]] = field(default_factory=dict)
    connection_since: dict[Word[Hub], int] = field(default_factory=dict)
    ordinal: int = 0
    enforces: bool = False  # Whether commands are carried out by a live engine, or only decided.
    started_at: int = 0  # When a live engine took over; 0 in a recording.

    @property
    def trade_date(self) -> str:
        assert self.day is not None, "no trading day has been opened"
        return self.day.trade_date


def account_of(book: Book, account_id: int) -> Account:
    """The account, made when it is first heard of."""
    account = book.accounts.get(account_id)
    if account is None:
        account = Account(account_id, first_at=book.now, unseeded=book.started_at > 0)
        book.accounts[account_id] = account
    return account
