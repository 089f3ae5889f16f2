"""One cell of the fault grid: the whole live stack against the simulated gateway, struck by one fault at one moment.

Everything is real but the speed: sockets on loopback, HTTP, WebSocket, SQLite; waiting is fifty times as fast.
Nothing of the plot hangs on the time: each step follows when the one before is seen to be done.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from adapters.simulator.faults import FAULTS, PLACES, Fault, places_of
from adapters.simulator.scenario import PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.http import hub_url
from adapters.topstepx.kept_connections import KeptTransport
from adapters.topstepx.normalise import normalise
from adapters.topstepx.signalr.socket import WebSockets
from riskcore.config import read_settings
from riskcore.core.events import Event, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of
from riskcore.core.state import Book
from riskcore.engine.engine import Engine
from riskcore.engine.resume import resume
from riskcore.store.journal import Journal
from riskcore.version import VERSION
from tests.adapters.clocks import LoopClock

IDLE, OPEN, ENFORCING = "idle", "position_open", "enforcement_in_flight"
MOMENTS = (IDLE, OPEN, ENFORCING)
PROFILE = "grid"
POSITION = 4
LASTS_SECONDS = 8.0
STRIKE_SECONDS = 120
# Patience, which a test that succeeds never uses up.
READY_SECONDS, SEEN_SECONDS = 300, 300
FLAT_SECONDS, QUIET_SECONDS = 60, 5
FALL_SECONDS, PAUSE_SECONDS = 8, 2
PRICE, FALLEN = "21000", "20960"
SETTINGS = f'[profile]\nname = "{PROFILE}"\n\n[rules.daily_unrealized_loss]\nloss_limit = "150"\n'
MARKET = Scenario(
    "fault-grid",
    "A long position loses its limit and has to be closed",
    SETTINGS,
    (PricePath("MNQ", PRICE, noise_ticks=1, quotes_per_second=2),),
)
# What a fault is told beyond its name; every other one strikes as it is.
_VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "delayed": {f"delayed_{seconds}s": {"seconds": float(seconds)} for seconds in (1, 30, 120)},
    "http_429": {"http_429": {}, "http_429_retry_after": {"retry_after_seconds": 3}},
    "oversize_frame": {"oversize_frame": {"times": 2}},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a moment. `name` tells the variants of a fault apart."""

    name: str
    fault: Fault
    moment: str

    @property
    def id(self) -> str:
        return f"{self.name}-{self.fault.place}-{self.moment}"

    @property
    def lasts_seconds(self) -> float:
        late = self.fault.seconds if self.fault.name == "delayed" else 0
        return max(LASTS_SECONDS, late + 2)


def _cells() -> tuple[Cell, ...]:
    found = []
    for place in PLACES:
        for name in (name for name in FAULTS if place in places_of(name)):
            for variant, told in _VARIANTS.get(name, {name: {}}).items():
                found += [Cell(variant, Fault(name, place, **told), moment) for moment in MOMENTS]
    return tuple(found)


CELLS = _cells()


class Listener:
    """The announcer of a cell: calls back once, the moment a breach is stored and before anything is sent for it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.breached: asyncio.Event = asyncio.Event()
        self.on_breach: Callable[[], None] | None = None

    def stored(self, events: Sequence[Event], book: Book) -> None:
        if not self.breached.is_set() and any(isinstance(event.body, RuleBreached) for event in events):
            self.breached.set()
            if self.on_breach is not None:
                self.on_breach()

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append((kind, figures))


@dataclass(frozen=True, slots=True)
class Result:
    """What is left of a cell when it is over."""

    gateway: SimulatedGateway
    store: Path
    struck: int
    breached: bool
    flat: bool
    said: list[tuple[str, dict[str, Any]]]


async def play(cell: Cell, store: Path) -> Result:
    """Raises what the engine raised, and TimeoutError when a step of the plot was never reached."""
    clock = LoopClock()
    listener = Listener()
    async with SimulatedGateway(MARKET, seed=1, clock=clock) as gateway:
        with Journal.open(store, PROFILE, write=True) as journal:
            engine = _engine(gateway, journal, clock, listener)
            running = asyncio.create_task(engine.run())
            try:
                flat = await Plot(cell, gateway, engine, clock, listener, running).unfold()
            finally:
                engine.stop()
                await running
        fault = cell.fault
        struck = gateway.struck(fault.name, fault.place)
        return Result(gateway, store, struck, listener.breached.is_set(), flat, listener.said)


def _engine(gateway: SimulatedGateway, journal: Journal, clock: LoopClock, listener: Listener) -> Engine:
    """As riskcore.cli.live_run puts it together."""
    chance = Random(1)
    transport = KeptTransport(gateway.api_url, clock, chance)
    broker = TopstepGateway(transport, Credentials(gateway.user_name, gateway.api_key), clock, chance)
    engine: Engine
    sockets, url = WebSockets(clock), hub_url(gateway.rtc_url)
    feed = TopstepFeed(url, sockets, broker.session, clock, chance, lambda: engine.market_expected())
    engine = Engine(
        settings=read_settings(SETTINGS).plain,
        version=VERSION,
        enforces=True,
        journal=journal,
        resumed=resume(journal),
        clock=clock,
        gateway=broker,
        feed=feed,
        announcer=listener,
        normalise=normalise,
    )
    return engine


@dataclass(frozen=True, slots=True)
class Plot:
    """A position is opened, its loss passes the limit, and at the cell's moment the fault strikes and later heals."""

    cell: Cell
    gateway: SimulatedGateway
    engine: Engine
    clock: LoopClock
    listener: Listener
    running: asyncio.Task[None]

    async def unfold(self) -> bool:
        """Whether the account was flat in time, and stayed so."""
        moment = self.cell.moment
        await self._until(lambda: self.engine.ready, READY_SECONDS, "ready")
        if moment == IDLE:
            self._strike()
            await self.clock.sleep(self.cell.lasts_seconds)
            if self._struck():
                self.gateway.clear()
        self._trade()
        if moment == IDLE:
            # A fault that strikes what is said of an account has had nothing to strike so far.
            await self._heal()
        else:
            # With the fault healed the position may be closed before anybody looks.
            await self._until(lambda: self.engine.market_expected(), SEEN_SECONDS, "the position seen")
        if moment == OPEN:
            self._strike()
        await self.clock.sleep(PAUSE_SECONDS)
        if moment == ENFORCING:
            self.listener.on_breach = self._strike
        self._let_fall()
        if moment == ENFORCING:
            await self._until(self.listener.breached.is_set, SEEN_SECONDS, "the breach")
            await self.clock.sleep(self.cell.lasts_seconds)
            await self._heal()
        elif moment == OPEN:
            await self.clock.sleep(self.cell.lasts_seconds - PAUSE_SECONDS)
            await self._heal()
        await self._until(self.listener.breached.is_set, SEEN_SECONDS, "the breach")
        try:
            await self._until(self.gateway.broker.flat, FLAT_SECONDS, "flat")
        except TimeoutError:
            return False
        await self.clock.sleep(QUIET_SECONDS)
        return self.gateway.broker.flat()

    def _strike(self) -> None:
        self.gateway.inject(self.cell.fault)
        if self.cell.fault.place == "rest" and self.cell.moment != ENFORCING:
            # Nothing is asked without a reason: a lost hub is one to ask for everything again.
            self.gateway.inject(Fault("dropped", "user", times=1))

    async def _heal(self) -> None:
        # A client that was waiting out a pause meets the fault later.
        await self._until(self._struck, STRIKE_SECONDS, "struck")
        self.gateway.clear()

    def _struck(self) -> bool:
        return self.gateway.struck(self.cell.fault.name, self.cell.fault.place) > 0

    def _trade(self) -> None:
        """The trader buys in the platform: no call of ours."""
        broker = self.gateway.broker
        login = {"userName": self.gateway.user_name, "apiKey": self.gateway.api_key}
        token = broker.rest("/api/Auth/loginKey", login, None, self.gateway.now())[1]["token"]
        order = {
            "accountId": broker.accounts[0].id,
            "contractId": broker.active_contract("MNQ"),
            "type": 2,
            "side": 0,
            "size": POSITION,
        }
        answer = self.gateway.act("/api/Order/place", order, token)
        assert answer["success"], answer

    def _let_fall(self) -> None:
        contract = self.gateway.broker.active_contract("MNQ")
        self.gateway.steer(contract, price_of(FALLEN), FALL_SECONDS * SECOND_NS)

    async def _until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        end = self.clock.now() + int(seconds * SECOND_NS)
        while not holds():
            if self.running.done():
                await self.running
            if self.clock.now() > end:
                raise TimeoutError(f"{what}: not after {seconds} seconds")
            await self.clock.sleep(0.25)
