"""The simulated broker without any network: REST answers and hub events from one seed and the time it is given.

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

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from typing import Any

from adapters.simulator import lists, order_changes, order_entry
from adapters.simulator.call_limits import CallLimits
from adapters.simulator.chance import Chance
from adapters.simulator.execution import Execution
from adapters.simulator.logins import Logins
from adapters.simulator.matching import Exchange
from adapters.simulator.past_days import live_through
from adapters.simulator.price_path import MovingPrice, Tape
from adapters.simulator.records import Fill, TradingAccount, WorkOrder
from adapters.simulator.scenario import Scenario
from adapters.simulator.scenarios import DEFAULT, SCENARIOS
from adapters.simulator.trader import Trader
from adapters.simulator.venue import Reply, Venue
from adapters.topstepx.fields import Object, Rejected
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of

Message = tuple[int, str, str, Object]
_MILLISECOND_NS = SECOND_NS // 1000
_LOOKS_EVERY_NS = SECOND_NS // 4  # How often the scripted trader looks at what his habits wait for.
_FIRST_ID, _IDS_OF_A_SEED = 3_420_000_000, 100_000
_PREFIX = "/api/"
_BAD_REQUEST, _UNAUTHORISED, _NOT_FOUND, _TOO_MANY = 400, 401, 404, 429
_TITLES = {
    _BAD_REQUEST: "One or more validation errors occurred.",
    _UNAUTHORISED: "Unauthorized",
    _NOT_FOUND: "Not Found",
    _TOO_MANY: "Too Many Requests",
}

_CHANGING: dict[str, Callable[[Venue, Object], Reply]] = {
    "Order/place": order_entry.place,
    "Order/modify": order_changes.modify,
    "Order/cancel": order_changes.cancel,
    "Position/closeContract": order_changes.close,
    "Position/partialCloseContract": order_changes.close_partly,
}
_ENDPOINTS: dict[str, Callable[[Venue, Object], Reply]] = {
    **_CHANGING,
    "Account/search": lists.accounts,
    "Contract/search": lists.search_contracts,
    "Contract/searchById": lists.contract_by_id,
    "Contract/available": lists.available_contracts,
    "History/retrieveBars": lists.bars,
    "Order/search": lists.search_orders,
    "Order/searchOpen": lists.open_orders,
    "Order/searchById": lists.order_by_id,
    "Order/v2/query": lists.query_orders,
    "Position/searchOpen": lists.positions,
    "Trade/search": lists.trades,
}
PATHS = ("Status/ping", "Auth/loginKey", "Auth/loginApp", "Auth/validate", "Auth/logout", *_ENDPOINTS)


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
        self.scenario = scenario or SCENARIOS[DEFAULT]
        self.received: list[Received] = []
        self.limits = CallLimits()
        self._chance = Chance(seed)
        self._now = self._cursor = at
        self._began: int | None = None
        self._exchange = Exchange(
            self._tell_user,
            self._pass,
            self._chance,
            _FIRST_ID + seed % 10_000 * _IDS_OF_A_SEED,
            self.scenario.largest_fill,
            self.scenario.execution,
            self._later,
        )
        self._venue = Venue(
            self._exchange,
            self.scenario.accounts,
            at,
            self.scenario.hours,
            moving=bool(self.scenario.past),
            most_rows=self.scenario.most_rows,
        )
        for past in self.scenario.past:
            live_through(past, self._venue, self._exchange, self.accounts[past.account], seed)
        self._tape = Tape(self._tell_market, self._chance)
        self._trader = Trader(self._venue, self.scenario)
        self._logins = Logins(seed, self.scenario.token_life_seconds, self.scenario.subscribed)
        self._told_users: deque[Message] = deque()
        self._told_markets: deque[Message] = deque()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._entries = 0
        self._moving: dict[str, MovingPrice] = {}
        for plan in self.scenario.prices:
            moving = MovingPrice(plan, self._venue.quoted(plan.root, price_of(plan.start)))
            self._moving[moving.instrument.id] = moving
            self._at(at + self._chance.about(moving.every_ns), partial(self._quote, moving))
        if not waits:
            self.begin(at)

    # ---- time ----------------------------------------------------------------------------------------

    def begin(self, at: int) -> None:
        """The script begins now: for a server that waits for its first client. Later calls change nothing."""
        if self._began is not None:
            return
        self.advance(at)
        self._began = self._now
        for action in self.scenario.actions:
            self._at(self._now + round(action.second * SECOND_NS), partial(self._trader.perform, action))
        if self.scenario.habits:
            self._at(self._now + _LOOKS_EVERY_NS, self._look)

    @property
    def began_at(self) -> int | None:
        """When the script began; None while it waits."""
        return self._began

    def advance(self, at: int) -> None:
        """Let time pass: prices move, quotes are made, scripted traders act, resting orders match."""
        while self._agenda and self._agenda[0][0] <= at:
            due, _, happen = heappop(self._agenda)
            self._move_to(due)
            happen()
        self._move_to(at)

    def steer(self, contract: str, price: int, within: int, at: int) -> None:
        """The market of a quoted contract leaves its path for `price`, `within` nanoseconds away. Raises KeyError."""
        moving = self._moving[contract]
        self.begin(at)
        self.advance(at)
        assert self._began is not None, "the script has begun"
        moving.aim(price, self._now - self._began, within)

    def execute(self, execution: Execution) -> None:
        """How market orders fill from now on; those that rest already go on resting as long as they were to."""
        self._exchange.execution = execution

    @property
    def execution(self) -> Execution:
        return self._exchange.execution

    def due(self) -> int | None:
        """The next instant at which `advance` does something or a message falls due; None when there is none."""
        heads = [queue[0][0] for queue in (self._agenda, self._told_users, self._told_markets) if queue]
        return min(heads, default=None)

    def messages(self, until: int) -> list[Message]:
        """Hub events due up to and including `until`, in order, each handed out once.

        (instant, "user" or "market", audience, line): the audience is the account id as text or the contract id,
        the line {"hub", "target", "arguments"} is that of a recording. Nothing is kept for those who listen later.
        """
        due: list[Message] = []
        for queue in (self._told_users, self._told_markets):
            while queue and queue[0][0] <= until:
                due.append(queue.popleft())
        due.sort(key=lambda message: message[0])
        return due

    # ---- requests ------------------------------------------------------------------------------------

    def rest(self, path: str, body: Any, token: str | None, at: int, *, by_trader: bool = False) -> tuple[int, Any]:
        """HTTP status and answer to one request. `path` is "/api/Order/place"; `token` the bearer token or None.

        What the trader does in the platform is no call of the API, and no limit counts it.
        """
        self.advance(at)
        name = path.removeprefix(_PREFIX)
        if name not in PATHS or not path.startswith(_PREFIX):
            return _problem(_NOT_FOUND)
        if name == "Status/ping":
            return 200, "pong"
        if self.scenario.limited and not by_trader and not self.limits.takes(name, self._now):
            return _problem(_TOO_MANY)
        reply: Reply | None
        try:
            if name.startswith("Auth/"):
                reply = self._log_in_or_out(name, body, token)
            else:
                reply = self._answer(name, body) if self.authorised(token, self._now) else None
        except Rejected as error:
            status, answer = _problem(_BAD_REQUEST, str(error))
        else:
            status, answer = (200, reply.envelope()) if reply is not None else _problem(_UNAUTHORISED)
        if name in _CHANGING:
            self._note(name, body, status, reply if status == 200 else None)
        return status, answer

    def authorised(self, token: str | None, at: int) -> bool:
        """Whether a token opens the hubs and the endpoints: known, not expired, not logged out."""
        return self._logins.authorised(token, at)

    def _log_in_or_out(self, name: str, body: Any, token: str | None) -> Reply | None:
        """None stands for HTTP 401."""
        if name == "Auth/validate":
            return self._logins.validate(token, self._now)
        if name == "Auth/logout":
            return self._logins.log_out(token, self._now)
        log_in = self._logins.log_in if name == "Auth/loginKey" else self._logins.log_in_as_application
        return log_in(_object(body), self._now)

    def _answer(self, name: str, body: Any) -> Reply:
        return _ENDPOINTS[name](self._venue, _object(body))

    def _note(self, name: str, body: Any, status: int, reply: Reply | None) -> None:
        done = reply or Reply()
        self.received.append(
            Received(
                self._now,
                name,
                body if isinstance(body, dict) else {},
                status,
                None if reply is None else reply.code,
                done.performed,
                tuple(order.id for order in done.orders),
            )
        )

    # ---- what judges read ----------------------------------------------------------------------------

    @property
    def accounts(self) -> list[TradingAccount]:
        """Every account with its balance_usd and holdings (contract id to Holding, whose size is signed)."""
        return list(self._venue.accounts.values())

    @property
    def orders(self) -> list[WorkOrder]:
        """Every order ever, oldest first."""
        return self._exchange.orders

    @property
    def fills(self) -> list[Fill]:
        """Every execution's half-turns, oldest first."""
        return self._exchange.fills

    def position(self, account: int, contract: str) -> int:
        """The signed size held, 0 when flat. Raises KeyError for an unknown account."""
        return self._venue.held(self._venue.accounts[account], contract)

    def active_contract(self, root: str) -> str:
        """The contract id of an exchange root that takes orders now. Raises KeyError."""
        return self._venue.active_id(root)

    def flat(self) -> bool:
        """No account holds anything and no order works, suspended legs included."""
        held = any(holding.size for account in self.accounts for holding in account.holdings.values())
        return not held and not any(order.working for order in self.orders)

    # ---- what happens --------------------------------------------------------------------------------

    def _quote(self, moving: MovingPrice) -> None:
        """A contract trades near its path, and its resting orders match."""
        instrument = moving.instrument
        ticks = self._chance.between(-moving.noise_ticks, moving.noise_ticks)
        elapsed = 0 if self._began is None else self._now - self._began
        before = instrument.volume
        self._tape.trade(instrument, moving.line(elapsed) + ticks * instrument.tick_size, self._now)
        self._venue.history(instrument).note(self._now, instrument.last, instrument.volume - before)
        self._exchange.match(instrument)
        self._at(self._now + self._chance.about(moving.every_ns), partial(self._quote, moving))

    def _look(self) -> None:
        assert self._began is not None, "habits begin with the script"
        if self._trader.look(self._now - self._began):
            self._at(self._now + _LOOKS_EVERY_NS, self._look)

    def _later(self, delay_ns: int, happen: Callable[[], None]) -> None:
        if delay_ns:
            self._at(self._now + delay_ns, happen)
        else:
            happen()

    def _at(self, due: int, happen: Callable[[], None]) -> None:
        self._entries += 1
        heappush(self._agenda, (due, self._entries, happen))

    def _move_to(self, at: int) -> None:
        self._now = self._venue.now = max(self._now, at)

    def _pass(self, milliseconds: int) -> int:
        """What happens next happens about so many milliseconds later: a cursor that runs ahead of the time."""
        self._cursor = max(self._cursor, self._now) + self._chance.about(milliseconds * _MILLISECOND_NS)
        return self._cursor

    def _tell_user(self, line: Object) -> None:
        row = line["arguments"][0]["data"]
        self._told_users.append((max(self._cursor, self._now), "user", str(row.get("accountId", row["id"])), line))

    def _tell_market(self, line: Object) -> None:
        self._told_markets.append((self._now, "market", line["arguments"][0], line))


def _object(body: Any) -> Object:
    """The body of a request. Raises Rejected."""
    if not isinstance(body, dict):
        raise Rejected("the body is not an object")
    return body


def _problem(status: int, detail: str = "") -> tuple[int, Object]:
    """ProblemDetails of RFC 7807, not the envelope (API.md 1)."""
    row: Object = {"type": "about:blank", "title": _TITLES[status], "status": status}
    return status, {**row, "detail": detail} if detail else row
