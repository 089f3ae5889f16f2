"""The simulated gateway in a thread of its own, for commands that block until they are done."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from adapters.simulator.scenario_clock import ShiftedClock, shift_ns
from adapters.simulator.scenarios import scenario_of
from adapters.simulator.server import SimulatedGateway


@contextmanager
def gateway_running(scenario: str = "daily-loss") -> Iterator[SimulatedGateway]:
    """Runs while the block does; its addresses are known when the block begins."""
    found: list[SimulatedGateway] = []
    up, over = Event(), Event()

    async def serve() -> None:
        asked = scenario_of(scenario)
        async with SimulatedGateway(asked, seed=1, clock=ShiftedClock(shift_ns(asked))) as gateway:
            found.append(gateway)
            up.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert up.wait(30), "the gateway does not start"
    try:
        yield found[0]
    finally:
        over.set()
        thread.join(30)
