"""One cell of the fault grid: the whole live stack against the simulated gateway, struck by one fault at one moment.

Everything is real but the speed: sockets on loopback, HTTP, WebSocket, SQLite; the clock runs fifty times as fast.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from adapters.simulator.faults import FAULTS, PLACES, Fault, places_of
from adapters.simulator.scenario import Action, PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.http import HttpTransport, hub_url
from adapters.topstepx.normalise import normalise
from adapters.topstepx.signalr.socket import WebSockets
from riskcore.config import read_settings
from riskcore.core.events import Event, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import BUY, Book
from riskcore.engine.engine import Engine
from riskcore.engine.resume import resume
from riskcore.store.journal import Journal
from riskcore.version import VERSION
from tests.adapters.clocks import ScaledClock

SCALE = 50
IDLE, OPEN, ENFORCING = "idle", "position_open", "enforcement_in_flight"
MOMENTS = (IDLE, OPEN, ENFORCING)
PROFILE = "grid"
POSITION = 4
LASTS_SECONDS = 8.0
STRIKE_SECONDS = 120
READY_SECONDS, PLOT_SECONDS, FLAT_SECONDS, QUIET_SECONDS = 300, 120, 60, 5
SETTINGS = f'[profile]\nname = "{PROFILE}"\n\n[rules.daily_unrealized_loss]\nloss_limit = "150"\n'
# The position opens when an idle fault is over, and its loss passes the limit while a fault of its own is in force.
PLOT = Scenario(
    "fault-grid",
    "A long position loses its limit and has to be closed",
    SETTINGS,
    (PricePath("MNQ", "21000", ((16, "21000"), (24, "20960")), noise_ticks=1, quotes_per_second=2),),
    actions=(Action(14, "market", side=BUY, size=POSITION),),
    seconds=30,
    flat_by=30,
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
    """Raises what the engine raised, and TimeoutError when it never became ready."""
    clock = ScaledClock(SCALE)
    listener = Listener()
    async with SimulatedGateway(PLOT, seed=1, clock=clock) as gateway:
        with Journal.open(store, PROFILE, write=True) as journal:
            engine = _engine(gateway, journal, clock, listener)
            running = asyncio.create_task(engine.run())
            try:
                flat = await _plot(cell, gateway, engine, clock, listener)
            finally:
                engine.stop()
                await running
        fault = cell.fault
        struck = gateway.struck(fault.name, fault.place)
        return Result(gateway, store, struck, listener.breached.is_set(), flat, listener.said)


def _engine(gateway: SimulatedGateway, journal: Journal, clock: ScaledClock, listener: Listener) -> Engine:
    """As riskcore.cli.live_run puts it together."""
    chance = Random(1)
    transport = HttpTransport(gateway.api_url)
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


async def _plot(cell: Cell, gateway: SimulatedGateway, engine: Engine, clock: ScaledClock, listener: Listener) -> bool:
    """Strike at the moment, heal, and wait; whether the account was flat in time."""

    def strike() -> None:
        gateway.inject(cell.fault)
        if cell.fault.place == "rest" and cell.moment != ENFORCING:
            # Nothing is asked without a reason: a lost hub is one to ask for everything again.
            gateway.inject(Fault("dropped", "user", times=1))

    def held() -> bool:
        return any(holding.size for account in gateway.broker.accounts for holding in account.holdings.values())

    if cell.moment == ENFORCING:
        listener.on_breach = strike
    await _until(lambda: engine.ready, clock, READY_SECONDS, "ready")
    if cell.moment == IDLE:
        strike()
    elif cell.moment == OPEN:
        await _until(held, clock, PLOT_SECONDS, "a position")
        strike()
    else:
        await _until(listener.breached.is_set, clock, PLOT_SECONDS, "a breach")
    await clock.sleep(cell.lasts_seconds)
    # A client that was waiting out a pause meets the fault later.
    await _until(lambda: gateway.struck(cell.fault.name, cell.fault.place) > 0, clock, STRIKE_SECONDS, "struck")
    gateway.clear()
    if cell.moment == IDLE:
        await _until(lambda: bool(gateway.broker.fills), clock, PLOT_SECONDS, "a position")
        await clock.sleep(PLOT.seconds - 14)
    elif cell.moment == OPEN:
        await clock.sleep(max(0.0, PLOT.seconds - 14 - cell.lasts_seconds))
    try:
        await _until(gateway.broker.flat, clock, FLAT_SECONDS, "flat")
    except TimeoutError:
        return False
    await clock.sleep(QUIET_SECONDS)
    return gateway.broker.flat()


async def _until(holds: Callable[[], bool], clock: ScaledClock, seconds: float, what: str) -> None:
    end = clock.now() + int(seconds * SECOND_NS)
    while not holds():
        if clock.now() > end:
            raise TimeoutError(f"{what}: not after {seconds} seconds")
        await clock.sleep(0.25)
