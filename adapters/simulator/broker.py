"""The simulated broker without any network: REST answers and hub events from one seed and the time it is told.

No clock, no sockets, no asyncio: whoever carries the messages says what time it is (nanoseconds UTC, never
decreasing). The usual loop is

    broker = Broker(scenario, seed=1, at=now)
    status, answer = broker.rest("/api/Order/place", body, token, now)   # lets time pass up to `now` first
    broker.advance(now)
    for due, hub, audience, line in broker.messages(now): ...            # hand on what subscribers may see
    sleep until broker.due()

Bodies are JSON decoded by adapters.topstepx.fields.decode, answers and lines are to be written with fields.encode:
numbers are exact and spelled as the broker spells them. Source: topstepx/API.md, whose twelve facts hold here.
"""

from dataclasses import dataclass
from typing import Any

from adapters.simulator.records import Fill, TradingAccount, WorkOrder
from adapters.simulator.scenario import Scenario
from adapters.topstepx.fields import Object

Message = tuple[int, str, str, Object]


@dataclass(frozen=True, slots=True)
class Received:
    """One call that may change something (place, modify, cancel, close, partial close), as the broker saw it."""

    at: int
    path: str  # "Order/place", without /api/.
    request: Object
    status: int
    error_code: int | None  # None when the call never got as far as the envelope (400, 401).
    performed: bool  # Whether it changed anything beyond a rejected order.
    order_ids: tuple[int, ...]  # Of the orders it made or changed, a rejected one included.


class Broker:
    """One simulated broker: users, accounts, contracts, orders, prices, scripted traders."""

    def __init__(self, scenario: Scenario | None = None, *, seed: int = 1, at: int, waits: bool = False) -> None:
        """The day of `scenario` (default: daily-loss) from `at` on; with `waits` its script begins at `begin`."""
        raise NotImplementedError

    # ---- time ----------------------------------------------------------------------------------------

    def begin(self, at: int) -> None:
        """The script begins now: for a server that waits for its first client. Later calls change nothing."""
        raise NotImplementedError

    def advance(self, at: int) -> None:
        """Let time pass: prices move, quotes are made, scripted traders act, resting orders match."""
        raise NotImplementedError

    def due(self) -> int | None:
        """The next instant at which `advance` does something or a message falls due; None when there is none."""
        raise NotImplementedError

    def messages(self, until: int) -> list[Message]:
        """Hub events due up to and including `until`, in order, each handed out once.

        (instant, "user" or "market", audience, line): the audience is the account id as text or the contract id,
        the line {"hub", "target", "arguments"} is that of a recording. Nothing is kept for those who listen later.
        """
        raise NotImplementedError

    # ---- requests ------------------------------------------------------------------------------------

    def rest(self, path: str, body: Any, token: str | None, at: int) -> tuple[int, Any]:
        """HTTP status and answer to one request. `path` is "/api/Order/place"; `token` the bearer token or None."""
        raise NotImplementedError

    def authorised(self, token: str | None, at: int) -> bool:
        """Whether a token opens the hubs and the endpoints: known, not expired, not logged out."""
        raise NotImplementedError

    # ---- what judges read ----------------------------------------------------------------------------

    scenario: Scenario
    received: list[Received]

    @property
    def accounts(self) -> list[TradingAccount]:
        """Every account with its balance_usd and holdings (contract id to Holding, whose size is signed)."""
        raise NotImplementedError

    @property
    def orders(self) -> list[WorkOrder]:
        """Every order ever, oldest first."""
        raise NotImplementedError

    @property
    def fills(self) -> list[Fill]:
        """Every execution's half-turns, oldest first."""
        raise NotImplementedError

    def position(self, account: int, contract: str) -> int:
        """The signed size held, 0 when flat. Raises KeyError for an unknown account."""
        raise NotImplementedError

    def flat(self) -> bool:
        """No account holds anything and no order works, suspended legs included."""
        raise NotImplementedError
