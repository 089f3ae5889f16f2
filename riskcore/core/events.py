"""The catalogue of events: everything that is ever stored, past tense, immutable.

An `Event` is an envelope round a body. Facts come from outside; derived events are computed by a `Turn` (step.py).
Prices, money and times are integers (quantities.py); sizes are magnitudes, sides are +1 buy and -1 sell.
The natural `key` of a fact, never a store position, names it in every output (INTERFACE.md 5).
"""

from dataclasses import dataclass, field
from typing import Any

from riskcore.core.kinds import (
    AlertLevel,
    CommandKind,
    ConnectionState,
    Hub,
    LockoutEnd,
    LockoutKind,
    OrderAction,
    RequestKind,
    Source,
    Word,
)
from riskcore.core.left_out import FactQuarantined as FactQuarantined
from riskcore.core.left_out import TimerQuarantined as TimerQuarantined
from riskcore.core.programme.facts import BalanceDrifted as BalanceDrifted
from riskcore.core.programme.facts import NoteRecorded as NoteRecorded
from riskcore.core.programme.facts import PayoutRecorded as PayoutRecorded
from riskcore.core.programme.facts import ProgrammeReset as ProgrammeReset
from riskcore.core.programme.facts import TargetReached as TargetReached
from riskcore.core.state import Account, Contract, Day, Mark, OrderTerms


@dataclass(frozen=True, slots=True)
class Command:
    """What a rule wants done; a level, not a broker call (RULES.md 4). Unused fields stay None."""

    kind: Word[CommandKind]
    contract: str | None = None  # SetLockout: what the event that set it has opened, and what the guard answers.
    to: int | None = None  # ReducePosition: the size allowed.
    size: int | None = None  # ReducePosition: the excess when issued; stops: their size.
    price: int | None = None
    side: int | None = None
    order_id: int | None = None
    scope: str | None = None  # CancelOrders: entry | all | symbol (one contract); lockouts: account | symbol:<root>.
    lockout_key: str | None = None
    lockout_kind: Word[LockoutKind] | None = None
    expires_at: int | None = None
    level: Word[AlertLevel] | None = None
    text: str | None = None


# ---- facts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TradingDayOpened:
    """First event of a stream: all a day depends on, so that it replays alone."""

    profile: str
    day: Day
    settings: dict[str, Any]
    lacks: tuple[str, ...]
    contracts: tuple[Contract, ...]
    marks: dict[str, Mark]
    accounts: tuple[Account, ...]
    version: str
    previous_hash: str
    connections: dict[Word[Hub], Word[ConnectionState]] = field(default_factory=dict)
    connection_since: dict[Word[Hub], int] = field(default_factory=dict)
    ordinal: int = 0
    enforces: bool = False
    started_at: int = 0


@dataclass(frozen=True, slots=True)
class AccountObserved:
    account: int
    name: str | None = None
    balance_usd: int | None = None
    can_trade: bool | None = None
    simulated: bool | None = None
    asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class ContractDescribed:
    contract: Contract


@dataclass(frozen=True, slots=True)
class OrderObserved:
    """One version of an order; None where the broker left the field out."""

    account: int
    order_id: int
    contract: str | None
    status: int
    type: int | None = None
    side: int | None = None
    size: int | None = None
    fill_volume: int | None = None
    limit_price: int | None = None
    stop_price: int | None = None
    parent_id: int | None = None
    linked_id: int | None = None
    tag: str | None = None
    updated_at: int | None = None


@dataclass(frozen=True, slots=True)
class OrdersListed:
    """A complete REST list: orders of these statuses that are not in it are no longer working."""

    account: int
    statuses: tuple[int, ...]
    order_ids: tuple[int, ...]
    asked_at: int | None = None  # When the question left; what was pushed since is newer than the answer.


@dataclass(frozen=True, slots=True)
class PositionObserved:
    """The broker's own size of one contract: signed, 0 when flat."""

    account: int
    contract: str
    size: int
    average_price: int | None = None


@dataclass(frozen=True, slots=True)
class PositionsListed:
    """A complete REST list: contracts that are not in it are flat."""

    account: int
    positions: tuple[PositionObserved, ...]
    asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class TradesListed:
    """A complete REST list of fills was told just before: every fill since `from_at` is known (RULES.md 8.6)."""

    account: int
    from_at: int
    asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class TradeRecorded:
    """One version of a fill. profit_usd None: an opening half-turn, or not said yet."""

    account: int
    trade_id: int
    contract: str
    price: int
    side: int
    size: int
    created_at: int | None = None
    profit_usd: int | None = None
    fees_usd: int | None = None
    commissions_usd: int | None = None
    order_id: int | None = None
    own: bool = False  # Known to be of riskcore's own close: the counterfactual broker says so (WHATIF.md 4).


@dataclass(frozen=True, slots=True)
class TradeVoided:
    """A fill that does not count. The row comes along for a fill so old that it is not known any more."""

    account: int
    trade_id: int
    contract: str | None = None
    price: int | None = None
    side: int | None = None
    size: int | None = None
    created_at: int | None = None
    profit_usd: int | None = None
    fees_usd: int | None = None
    commissions_usd: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteObserved:
    """A sparse quote: None where nothing changed."""

    contract: str
    last: int | None = None
    bid: int | None = None
    ask: int | None = None


@dataclass(frozen=True, slots=True)
class QuotesObserved:
    """Many quotes journaled as one event: (at, contract, last, bid, ask), in order of receipt."""

    quotes: tuple[tuple[int, str, int | None, int | None, int | None], ...]


@dataclass(frozen=True, slots=True)
class MarketTraded:
    """A print of the market: moves the last price like a quote (RULES.md 1.5)."""

    contract: str
    price: int


@dataclass(frozen=True, slots=True)
class BarObserved:
    """A history bar, known at its end (RULES.md 1.5)."""

    contract: str
    opens_at: int
    unit_ns: int
    open: int
    high: int
    low: int
    close: int


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    hub: Word[Hub]
    state: Word[ConnectionState]


@dataclass(frozen=True, slots=True)
class SightChanged:
    """One account is out of sight while others are not: its messages cannot be read and its lists do not come.

    `lost` is false when a complete list has shown the account again.
    """

    account: int
    lost: bool


@dataclass(frozen=True, slots=True)
class ClockTicked:
    pass


@dataclass(frozen=True, slots=True)
class CallObserved:
    """A REST exchange that changes no state by itself (place, cancel, login ...); secrets are left out."""

    path: str
    status: int
    success: bool | None = None
    error_code: int | None = None
    error_message: str | None = None
    account: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class DepthObserved:
    """Order-book rows as text; kept, judged by no rule."""

    contract: str
    rows: str


@dataclass(frozen=True, slots=True)
class WireRejected:
    """Input that could not be understood, with its raw text (cut at a stated length). Changes nothing."""

    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """New settings; what loosens waits for the next reset (RULES.md 1.6)."""

    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EngineStarted:
    """A live engine takes over. From here on commands are carried out, or only decided (`--dry-run`)."""

    version: str
    enforces: bool


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """The trader asks riskcore for an order: the rules say first whether they would allow it (RULES.md 7)."""

    account: int
    action: Word[OrderAction]
    contract: str | None = None
    order_id: int | None = None
    side: int = 0
    size: int = 0  # close: 0 means the whole position.
    terms: OrderTerms | None = None


@dataclass(frozen=True, slots=True)
class LockRequested:
    """The operator locks the account until an instant (RULES.md 7, Personal Lockout)."""

    account: int
    expires_at: int
    reason: str
    flatten: bool = True


@dataclass(frozen=True, slots=True)
class FlattenRequested:
    """The operator wants the account flat, or only its orders gone, and is not locked out (INTERFACE.md 1)."""

    account: int
    positions: bool = True  # False: positions stay, every working order is cancelled.


@dataclass(frozen=True, slots=True)
class OperatorOverride:
    """The operator ends a lockout early; refused for condition and terminal (RULES.md 3.1)."""

    account: int
    lockout: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestAttempted:
    account: int
    request: str


@dataclass(frozen=True, slots=True)
class RequestAccepted:
    account: int
    request: str
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The broker proved it did nothing."""

    account: int
    request: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestUnresolved:
    """It is unknown whether the broker acted: a snapshot decides."""

    account: int
    request: str
    reason: str


# ---- derived -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayRolled:
    """The last event of a stream: figures of the old day are closed."""

    trade_date: str
    next_date: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A deadline was reached; handled before the event that came at or after it."""

    account: int
    rule: str
    target: str


@dataclass(frozen=True, slots=True)
class RuleBreached:
    id: str
    account: int
    rule: str  # RULE-003, GUARD ...
    rule_key: str  # daily_realized_loss.0
    target: str
    contract: str | None
    figures: dict[str, str]
    flags: tuple[str, ...] = ()
    shadow: bool = False
    episode: bool = True  # False: the rule breaches again at each qualifying event (006, 007).


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """The condition of a breach is over; the next crossing breaches again."""

    account: int
    rule_key: str
    target: str


@dataclass(frozen=True, slots=True)
class CommandIssued:
    id: str
    account: int
    rule: str
    rule_key: str
    breach: str | None
    command: Command
    target: str = ""


@dataclass(frozen=True, slots=True)
class LockoutEnded:
    account: int
    lockout: str
    ended_by: Word[LockoutEnd]


@dataclass(frozen=True, slots=True)
class ObligationMet:
    account: int
    obligation: str


@dataclass(frozen=True, slots=True)
class GapRecorded:
    """Something happened that was not seen (a carried-in position, quotes missed by a peak)."""

    account: int
    contract: str
    text: str


@dataclass(frozen=True, slots=True)
class DriftDetected:
    """Fills and the broker's size disagreed for two seconds; the broker's size wins."""

    account: int
    contract: str
    fills_size: int
    broker_size: int


@dataclass(frozen=True, slots=True)
class RuleFaulted:
    """A rule raised; its account may not open until the reset (fails closed)."""

    account: int
    rule: str
    rule_key: str
    text: str


@dataclass(frozen=True, slots=True)
class OrderDeclined:
    """The rules do not allow what the trader asked for; nothing is sent. `order` is the key of the OrderRequested."""

    account: int
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestPlanned:
    account: int
    request: str
    obligation: str
    kind: Word[RequestKind]
    contract: str | None
    order_id: int | None
    size: int
    side: int
    price: int | None
    attempt: int
    tag: str | None = None  # The broker's custom tag of an order to place: unique for ever (API.md 0.7).
    terms: OrderTerms | None = None  # Of the trader's own orders.


@dataclass(frozen=True, slots=True)
class RequestConfirmed:
    """State shows the effect of a request."""

    account: int
    request: str


@dataclass(frozen=True, slots=True)
class RequestSuperseded:
    """A request whose obligation is gone or whose time has passed."""

    account: int
    request: str
    reason: str


Fact = (
    TradingDayOpened
    | AccountObserved
    | ContractDescribed
    | OrderObserved
    | OrdersListed
    | PositionObserved
    | PositionsListed
    | TradesListed
    | TradeRecorded
    | TradeVoided
    | QuoteObserved
    | QuotesObserved
    | MarketTraded
    | BarObserved
    | ConnectionChanged
    | SightChanged
    | ClockTicked
    | CallObserved
    | DepthObserved
    | WireRejected
    | FactQuarantined
    | TimerQuarantined
    | ConfigChanged
    | EngineStarted
    | OrderRequested
    | LockRequested
    | FlattenRequested
    | OperatorOverride
    | PayoutRecorded
    | ProgrammeReset
    | NoteRecorded
    | RequestAttempted
    | RequestAccepted
    | RequestRefused
    | RequestUnresolved
)
Derived = (
    DayRolled
    | TimerFired
    | RuleBreached
    | EpisodeEnded
    | CommandIssued
    | LockoutEnded
    | ObligationMet
    | GapRecorded
    | DriftDetected
    | BalanceDrifted
    | TargetReached
    | RuleFaulted
    | OrderDeclined
    | RequestPlanned
    | RequestConfirmed
    | RequestSuperseded
)
Body = Fact | Derived
QUOTES = (QuoteObserved, MarketTraded)
MARKING = (QuoteObserved, MarketTraded, BarObserved)


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope. `cause` is the key of the fact that led to a derived event, empty for a fact."""

    at: int
    source: Word[Source]
    key: str
    body: Body
    cause: str = ""

    @property
    def derived(self) -> bool:
        return self.source == "core"
