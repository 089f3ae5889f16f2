"""The whole live stack against the simulated gateway, as riskcore.live.run puts it together, with judges beside it.

Everything is real but the speed: sockets on loopback, HTTP, WebSocket, SQLite; waiting is fifty times as fast.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NoReturn, cast

from adapters.simulator.scenario import PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.http import hub_url
from adapters.topstepx.kept_connections import KeptTransport
from adapters.topstepx.signalr.socket import WebSockets
from adapters.topstepx.transport import Answer, Connect, Socket, Transport
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.clock import SystemClock
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options
from riskcore.engine.resume import resume
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from riskcore.version import VERSION
from tests.adapters.clocks import HurriedLoop, LoopClock
from tests.faults.troubles import Disk, Wall
from tests.live_stack import Access, Watched, build
from tests.simulation.hub_link import HubLink
from tests.simulation.invariants import Judge
from tests.simulation.network import Process
from tests.simulation.witness import Witness

PROFILE = "grid"
START_PRICE = "21000"
SETTINGS = f'[profile]\nname = "{PROFILE}"\n\n[rules.daily_unrealized_loss]\nloss_limit = "150"\n'
MARKET = Scenario(
    "fault-grid",
    "A long position loses its limit and has to be closed",
    SETTINGS,
    (PricePath("MNQ", START_PRICE, noise_ticks=1, quotes_per_second=2),),
)
_UNAUTHORISED = 401


class Listener:
    """The announcer of a cell. The judges look at the book that it is given."""

    def __init__(self, judge: Judge, witness: Witness) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self._judge, self._witness = judge, witness

    def stored(self, events: Sequence[Event], book: Book) -> None:
        self._judge.believes(book)
        self._witness.stored(events, book)

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append((kind, figures))
        if kind == "halt":
            self._witness.missed(figures.get("not_stored", 0))


@dataclass(slots=True)
class _Heard:
    """What the client has taken out of one socket."""

    taken: list[bytes] = field(default_factory=list)


class _OverheardSocket:
    """A real socket; what is taken out of it is written down."""

    def __init__(self, socket: Socket, process: Process) -> None:
        self._socket = socket
        self._taken = _Heard().taken
        process.links.append(cast(HubLink, _Heard(self._taken)))

    async def receive(self) -> bytes:
        self._taken.append(await self._socket.receive())
        return self._taken[-1]

    async def follow(self, take: Callable[[bytes], None]) -> NoReturn:
        def written_down(data: bytes) -> None:
            self._taken.append(data)
            take(data)

        await self._socket.follow(written_down)

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def close(self) -> None:
        await self._socket.close()


class _OverheardSockets:
    """The Connect of adapters.topstepx.transport."""

    def __init__(self, sockets: Connect, process: Process) -> None:
        self._sockets, self._process = sockets, process

    async def __call__(self, url: str) -> Socket:
        return _OverheardSocket(await self._sockets(url), self._process)


class _OverheardTransport:
    """Real HTTP; the judge hears of every call before it leaves, and every token is noted."""

    def __init__(self, transport: Transport, judge: Judge, secrets: set[str]) -> None:
        self._transport, self._judge, self._secrets = transport, judge, secrets

    def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Coroutine[Any, Any, Answer]:
        self._judge.sending(path, body)
        if "authorization" in headers:
            self._secrets.add(headers["authorization"].removeprefix("Bearer "))
        return self._looked_at(path, body, self._transport.call(method, path, body, headers))

    async def _looked_at(self, path: str, body: bytes, answering: Coroutine[Any, Any, Answer]) -> Answer:
        answer = await answering
        if answer.status == _UNAUTHORISED:
            self._judge.unauthorised(path, body)
        return answer

    async def close(self) -> None:
        await self._transport.close()


@dataclass(frozen=True, slots=True)
class Stack:
    """A running engine, the gateway it talks to, and who watches them.

    `clock` tells the true time; `secrets` are the key and every token that was used.
    """

    loop: HurriedLoop
    clock: LoopClock
    wall: Wall
    gateway: SimulatedGateway
    disk: Disk
    engine: Engine
    feed: TopstepFeed
    listener: Listener
    judge: Judge
    witness: Witness
    process: Process
    secrets: set[str]
    running: asyncio.Task[None]


@asynccontextmanager
async def live(store: Path) -> AsyncIterator[Stack]:
    """From an empty journal to an engine that has stopped in good order. Raises what the engine raised."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HurriedLoop), "the grid runs in hurried time"
    clock = LoopClock()
    async with SimulatedGateway(MARKET, seed=1, clock=clock) as gateway:
        with Journal.open(store, PROFILE, write=True) as journal:
            stack = _stack(loop, clock, gateway, journal, store)
            try:
                yield stack
            finally:
                stack.engine.stop()
                await stack.running
            stack.witness.ended(stack.process)


def _stack(loop: HurriedLoop, clock: LoopClock, gateway: SimulatedGateway, journal: Journal, store: Path) -> Stack:
    judge = Judge(gateway.broker)
    witness = Witness(judge)
    process = Process(1)
    disk = Disk(journal, store, judge, witness, loop)
    listener = Listener(judge, witness)
    wall = Wall(clock)
    own_clock = SystemClock(wall.wall, wall.monotonic)
    chance = Random(1)
    secrets = {gateway.api_key}
    transport = _OverheardTransport(KeptTransport(gateway.api_url, own_clock, chance), judge, secrets)
    sockets = _OverheardSockets(WebSockets(own_clock), process)
    credentials = Credentials(gateway.user_name, gateway.api_key)
    access = Access(transport, sockets, hub_url(gateway.rtc_url), credentials, chance)
    options = Options(read_settings(SETTINGS).plain, VERSION, enforces=True)
    watched = Watched(witness, process, listener, disk, seed=0)
    engine, feed = build(options, access, own_clock, journal, resume(journal), watched)
    running = asyncio.create_task(engine.run())
    return Stack(loop, clock, wall, gateway, disk, engine, feed, listener, judge, witness, process, secrets, running)
