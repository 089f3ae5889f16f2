"""`riskcore live` in this process, against the simulated gateway over real sockets, with a clock that runs fast."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from adapters.simulator.scenario import Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from replay.live_recording import LiveRecording
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.control_client import ask
from riskcore.engine.engine import LONGEST_PAUSE_NS, Engine
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from tests.adapters.clocks import ScaledClock

PROFILE = "default"
READY_SECONDS = 60
Row = dict[str, Any]


@dataclass
class Listener:
    """The announcer: keeps what was stored and said."""

    events: list[Event] = field(default_factory=list)
    said: list[tuple[str, Row]] = field(default_factory=list)

    def stored(self, events: Sequence[Event], book: Book) -> None:
        self.events += events

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append((kind, figures))


@dataclass
class Live:
    """A run as a test sees it."""

    gateway: SimulatedGateway
    engine: Engine
    clock: ScaledClock
    store: str
    listener: Listener

    async def asked(self, **request: Any) -> Row:
        """The answer of the control channel."""
        return await asyncio.to_thread(ask, self.store, self.engine.book.profile or PROFILE, request)

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
        """Wait for something, in seconds of the clock."""
        for _ in range(int(seconds * 4)):
            if holds():
                return
            await self.clock.sleep(0.25)
        raise AssertionError(f"not within {seconds} s: {what}")


def play(
    folder: Path,
    scenario: Scenario,
    plot: Callable[[Live], Awaitable[None]],
    *,
    scale: float = 10,
    settings: str | None = None,
    edited: Path | None = None,
    enforces: bool = True,
    record: Path | None = None,
) -> Live:
    """Run a plot beside a live engine, from its being ready on. Raises what either of them raises.

    `edited` is a settings file that is watched; the run begins with `settings`.
    """
    seen: list[Live] = []
    failures: list[BaseException] = []

    async def run() -> None:
        clock, listener, store = ScaledClock(scale), Listener(), str(folder / "journal.db")
        async with SimulatedGateway(scenario, seed=1, clock=clock) as gateway:

            async def until(engine: Engine) -> None:
                live = Live(gateway, engine, clock, store, listener)
                seen.append(live)
                try:
                    await live.until(lambda: engine.ready, "ready")
                    await plot(live)
                except BaseException as error:
                    failures.append(error)

            wanted = Run(
                settings=read_settings(scenario.settings if settings is None else settings),
                store=store,
                broker=Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key)),
                enforces=enforces,
                announcer=listener,
                warn=lambda text: listener.said.append(("warning", {"text": text})),
                config_path=edited,
                clock=clock,
            )
            if record is None:
                await run_live(wanted, until)
                return
            with closing(LiveRecording(record, {"profile": PROFILE}, wanted.warn, clock.now)) as recording:
                await run_live(replace(wanted, recording=recording), until)

    # Where time runs fast, a moment without a processor is no computer that slept.
    with patch("riskcore.engine.engine.LONGEST_PAUSE_NS", round(LONGEST_PAUSE_NS * scale)):
        asyncio.run(run())
    for failure in failures:
        raise failure
    return seen[0]
