"""What a simulated day consists of, as plain data: accounts, prices, a trader's habits, faults.

Seconds count from the beginning of the script (`Broker(at=...)` or `Broker.begin`). Prices and amounts are text of
points and dollars, sides are +1 buy and -1 sell. Nothing here acts: broker.py, price_path.py and trader.py do.
"""

from dataclasses import dataclass
from typing import Literal

from adapters.simulator.execution import AS_CAPTURED, Execution

USER_NAME = "simulated-trader"
API_KEY = "simulated-key"
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One account of the user. `auto_oco` chooses between Auto OCO Brackets and Position Brackets (API.md 2.3)."""

    id: int = 99_000_001
    name: str = "PRAC-V2-99000001"
    balance: str = "50000"
    can_trade: bool = True
    simulated: bool = True
    visible: bool = True
    auto_oco: bool = True
    follower: bool = False


@dataclass(frozen=True, slots=True)
class PricePath:
    """A quoted contract: straight lines between (second, price), at most `noise_ticks` off, then still there.

    `root` is the exchange's (MNQ); the contract is the active month. Before the first target the price is `start`.
    """

    root: str
    start: str
    targets: tuple[tuple[float, str], ...] = ()
    noise_ticks: int = 2
    quotes_per_second: int = 4


Deed = Literal["market", "limit", "stop", "bracket", "close", "cancel", "rights"]


@dataclass(frozen=True, slots=True)
class Action:
    """What the trader does in the platform at a second: manual orders, which have no tag (API.md 3.2).

    market: `size` at market. limit and stop: `ticks` from the last price. bracket: at market with a stop `ticks` and
    a target `target_ticks` away (magnitudes). close: the whole position. cancel: every working order of the contract.
    rights: the broker takes the trading rights away, or gives them back when `side` is 1.
    """

    second: float
    deed: Deed
    root: str = "MNQ"
    side: int = 1
    size: int = 1
    ticks: int = 0
    target_ticks: int = 0
    account: int = 0  # Place in Scenario.accounts.


@dataclass(frozen=True, slots=True)
class Habit:
    """What the trader does again and again, looked at every quarter of a second.

    reenter: when flat for `after_seconds`, `size` at market on `side`. cancel_stops: a stop that has worked for
    `after_seconds` is cancelled. add: `size` more every `after_seconds` while a position is held. copy: `size` more
    every `after_seconds` whatever is held, as a copier does that follows somebody else's account.
    """

    kind: Literal["reenter", "cancel_stops", "add", "copy"]
    count: int
    after_seconds: float
    from_second: float = 0
    root: str = "MNQ"
    side: int = 1
    size: int = 1
    account: int = 0


@dataclass(frozen=True, slots=True)
class FaultAt:
    """A fault of faults.py that whoever carries the messages brings about; the broker itself never does.

    At a second of the script, or each time (`count` at most) a request comes for `on_path` ("Position/closeContract").
    """

    name: str
    where: Literal["user", "market", "rest"]
    at_seconds: float | None = None
    on_path: str | None = None
    seconds: float = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class PastDays:
    """What an account did on `days` working days before the gateway starts (past_days.py).

    At most `round_trips` a day in the month of `root` that was active then; on `idle_share` of the days none. With
    `tilts` the trader doubles his size after a loss.
    """

    days: int
    root: str = "MNQ"
    round_trips: int = 8
    idle_share: float = 0.1
    tilts: bool = True
    account: int = 0  # Place in Scenario.accounts.


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named day. `settings` is a riskcore.toml that suits it; `seconds` is how long its plot takes.

    `local_time` is the time of day in Chicago at which it makes sense ("16:59:40"), empty for any.
    `largest_fill` is the most contracts that one execution has, 0 for no bound. `execution` says how fast and in what
    parts market orders fill, and what becomes of a second close. `hours` refuses orders outside trading hours (code 5).
    `past` is what the accounts did before; then bars are those of a market that moves and halts when the exchange does.
    `most_rows` is the most rows of one Order/search or Trade/search, 0 for no bound: the broker's is unknown.
    `limited` refuses calls beyond the broker's quota (call_limits.py). `flat_by` is the second by which the accounts
    are flat if the rules are enforced; None when the plot breaks no rule.
    """

    name: str
    description: str
    settings: str
    prices: tuple[PricePath, ...]
    accounts: tuple[AccountPlan, ...] = (AccountPlan(),)
    actions: tuple[Action, ...] = ()
    habits: tuple[Habit, ...] = ()
    faults: tuple[FaultAt, ...] = ()
    seconds: float = 60
    flat_by: float | None = None
    local_time: str = ""
    largest_fill: int = 0
    execution: Execution = AS_CAPTURED
    hours: bool = False
    past: tuple[PastDays, ...] = ()
    most_rows: int = 0
    limited: bool = True
    token_life_seconds: int = DAY_SECONDS
    sockets_end_with_tokens: bool = False  # Whether the broker does so is not known (API.md 1).
    subscribed: bool = True  # Without the API subscription a login gives code 9.
