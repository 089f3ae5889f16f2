"""The simulated gateway: the simulated broker over real HTTP and WebSocket on loopback.

    async with SimulatedGateway(scenario, seed=1) as gateway:
        gateway.api_url, gateway.rtc_url          # http://127.0.0.1:<port>, each with a port of its own
        gateway.user_name, gateway.api_key        # what loginKey accepts
        gateway.broker                            # adapters.simulator.broker.Broker: orders, fills, received, flat()
        gateway.now()                             # the broker's time, nanoseconds UTC
        gateway.inject(Fault("dropped", "user", times=1))
        gateway.struck("dropped", "user")         # how often a fault of that name has struck there
        gateway.clear()                           # every fault gone; delayed messages come, the port is open again
        gateway.rest.calls, gateway.hubs["user"].attempts, gateway.hubs["user"].connections

SimulatedGateway(scenario=None, *, seed=1, speed=1.0, clock=None, host="127.0.0.1", port=0, at=None, waits=True,
latency_seconds=0.005, record=None). `clock` (default: the system's) times sockets, pings, latency and faults; a test
gives one that runs fifty times as fast. The broker's time starts at `at` (default: the clock's) and runs `speed` times
as fast as the clock. With `waits` the script begins with the first subscription to a hub. `record(at, line)` is given
every hub event and every REST exchange but logins, as lines of a wire recording (INTERFACE.md 4).
Several gateways may run in one process. Faults: faults.py; from other processes: control.py.
"""

import asyncio
import random
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aiohttp import web

from adapters.simulator.broker import Broker
from adapters.simulator.control import Control
from adapters.simulator.faults import Fault, FaultBoard, ScriptFaults
from adapters.simulator.hub import Hub
from adapters.simulator.rest_server import Listener, RestServer
from adapters.simulator.scenario import API_KEY, USER_NAME, Scenario
from adapters.topstepx.fields import Object
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import SystemClock
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError
from riskcore.schema.instants import utc_text

Record = Callable[[int, Object], None]
_GOODBYE_SECONDS = 1.0
LARGEST_REQUEST_BYTES = 1 << 20
_PORT_LOOK_SECONDS = 0.5
_LOGIN = "/api/Auth/"
# What a client asks first; in a recording it names accounts, contracts and positions before anything happens.
_FIRST_QUESTIONS: tuple[tuple[str, Object], ...] = (
    ("/api/Account/search", {"onlyActiveAccounts": True}),
    ("/api/Contract/available", {"live": False}),
)


class SimulatedGateway:
    """See the top of the module. Raises GatewayError when a port cannot be opened."""

    user_name = USER_NAME
    api_key = API_KEY

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        seed: int = 1,
        speed: float = 1.0,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        at: int | None = None,
        waits: bool = True,
        latency_seconds: float = 0.005,
        record: Record | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._speed = speed
        self._started_at = self._clock.now()
        self._first_at = self._started_at if at is None else at
        self._address = (host, port)
        self._record = record
        self._recorded_at = 0
        self.broker = Broker(scenario, seed=seed, at=self._first_at, waits=waits)
        self.faults = FaultBoard(self._clock.now)
        self._script = ScriptFaults(self.broker.scenario.faults, self.inject)
        if not waits:
            self._script.begin(self._first_at)
        chance = random.Random(seed)
        self.hubs: dict[str, Hub] = {
            place: Hub(
                place,
                self.faults,
                self._clock,
                chance,
                self._authorised,
                self._subscribed,
                self.broker.scenario.sockets_end_with_tokens,
            )
            for place in HUBS
        }
        self.rest = RestServer(self.faults, self._clock, latency_seconds, self._script.requested, self.carry_out)
        self._woken = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._reopening: asyncio.Task[None] | None = None

    # ---- life ----------------------------------------------------------------------------------------

    async def __aenter__(self) -> "SimulatedGateway":
        app = web.Application(client_max_size=LARGEST_REQUEST_BYTES)
        for hub in self.hubs.values():
            app.add_routes(hub.routes())
        app.add_routes([*self.rest.routes(), *Control(self).routes()])
        # A client that goes away ends its request: that is how an answer that never comes is taken back.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        await self._runner.setup()
        assert self._runner.server is not None
        host, port = self._address
        self._api = Listener(self._runner.server, host, port)
        self._rtc = Listener(self._runner.server, host, port + 1 if port else 0)
        try:
            await self._api.open()
            await self._rtc.open()
        except GatewayError:
            await self._stop_listening()
            raise
        self._record_beginning()
        self._pump = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._pump, self._reopening) if task is not None]
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(hub.end() for hub in self.hubs.values()))
        await self._stop_listening()
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure

    async def _stop_listening(self) -> None:
        self._api.close()
        self._rtc.close()
        await self._runner.cleanup()

    async def serve(self) -> None:
        """Until cancelled. Raises what the broker raised."""
        assert self._pump is not None, "the gateway is not open"
        await asyncio.shield(self._pump)

    # ---- what it is told -----------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        return self._api.url

    @property
    def rtc_url(self) -> str:
        return self._rtc.url

    def now(self) -> int:
        """The broker's time in nanoseconds UTC."""
        return self._first_at + int((self._clock.now() - self._started_at) * self._speed)

    def inject(self, fault: Fault) -> None:
        """A fault comes into force, and strikes what is open already if that is its way."""
        self.faults.add(fault)
        if fault.closes_port and self._reopening is None:
            self._api.close()
            self.faults.count(fault)
            self._reopening = asyncio.create_task(self._reopen())
        if fault.place == "rest":
            self.rest.suffer(fault)
        else:
            self.hubs[fault.place].suffer(fault)

    def clear(self, place: str | None = None) -> None:
        """No fault any more, or none at "user", "market" or "rest". Messages that were kept back come at once."""
        self.faults.clear(place)
        for name, hub in self.hubs.items():
            if place in (None, name):
                hub.heal()

    def struck(self, name: str, place: str) -> int:
        """How often faults of a name have struck at a place."""
        return self.faults.struck.get((name, place), 0)

    async def _reopen(self) -> None:
        """Nobody can say on a closed port that it is to be opened again, so the faults in force are looked at."""
        while any(fault.closes_port for fault in self.faults):
            await self._clock.sleep(_PORT_LOOK_SECONDS)
        await self._api.open()
        self._reopening = None

    # ---- broker and time -----------------------------------------------------------------------------

    def carry_out(self, path: str, body: Any, token: str | None) -> tuple[int, Any]:
        """Ask the broker now. What falls due by then is handed out first, what follows from it afterwards."""
        at = self.now()
        self._hand_out(at)
        status, answer = self.broker.rest(path, body, token, at)
        self._woken.set()
        if not path.startswith(_LOGIN) and isinstance(body, dict):
            line = {"rest": path, "request": body, "asked_at": utc_text(at), "status": status, "response": answer}
            self._write_down(at, line)
        return status, answer

    def act(self, path: str, body: Object, token: str) -> Any:
        """What the trader does in the platform: the same broker, but no exchange of a client's that is recorded."""
        at = self.now()
        self._hand_out(at)
        answer = self.broker.rest(path, body, token, at, by_trader=True)[1]
        self._woken.set()
        return answer

    def steer(self, contract: str, price: int, nanoseconds: int) -> None:
        """Send the market to `price` (1e-9 points) within `nanoseconds` of the broker's time. Raises KeyError."""
        self.broker.steer(contract, price, nanoseconds, self.now())

    def _authorised(self, token: str | None) -> bool:
        return self.broker.authorised(token, self.now())

    def _subscribed(self, target: str, audience: str) -> None:
        """The first subscription begins the script."""
        at = self.now()
        self.broker.begin(at)
        self._script.begin(at)
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            at = self.now()
            self._hand_out(at)
            dues = [due for due in (self.broker.due(), self._script.due()) if due is not None]
            if not dues:
                await self._woken.wait()
                continue
            try:
                async with self._clock.timeout(max(0, min(dues) - at) / SECOND_NS / self._speed):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _hand_out(self, at: int) -> None:
        """Let the broker's time pass and publish what it says."""
        self._script.advance(at)
        self.broker.advance(at)
        for due, place, audience, line in self.broker.messages(at):
            self._write_down(due, line)
            self.hubs[place].publish(audience, line)

    # ---- recording -----------------------------------------------------------------------------------

    def _record_beginning(self) -> None:
        if self._record is None:
            return
        for place in HUBS:
            self._write_down(self._first_at, {"connection": place, "state": "connected"})
        login = {"userName": self.user_name, "apiKey": self.api_key}
        token = self.broker.rest(f"{_LOGIN}loginKey", login, None, self._first_at)[1]["token"]
        positions = [("/api/Position/searchOpen", {"accountId": account.id}) for account in self.broker.accounts]
        for path, body in (*_FIRST_QUESTIONS, *positions):
            self.carry_out(path, body, token)

    def _write_down(self, at: int, line: Object) -> None:
        if self._record is not None:
            # Times of receipt never decrease; an answer may be given while an earlier event is still on its way.
            self._recorded_at = max(self._recorded_at, at)
            self._record(self._recorded_at, line)
