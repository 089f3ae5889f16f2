"""Time that passes only when everybody waits: an event loop without sockets, threads or sleeping.

The loop's clock jumps to the next timer as soon as nothing is ready, so that a simulated minute costs what its work
costs, and callbacks run in one order only: the order in which they became ready. That makes a run repeatable.
"""

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from riskcore.core.quantities import SECOND_NS

Result = TypeVar("Result")


class Deadlock(Exception):
    """Everybody waits and no timer will ever fire."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """Runs one callback at a time. `before_each` is called before every callback with the number run so far."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self.callbacks = 0
        self.before_each: Callable[[int], None] | None = None
        self.failures: list[str] = []
        self.set_exception_handler(self._note)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What nobody waited for went wrong: a test looks at it, instead of a log that nobody reads."""
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")

    def time(self) -> float:
        return self._now

    def block(self, seconds: float) -> None:
        """Time passes in which nothing can run, as in a call that does not yield (a slow disk)."""
        self._now += seconds

    def _run_once(self) -> None:
        """The next callback; time jumps forward when none is ready."""
        ready: Any = self._ready  # type: ignore[attr-defined]
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when <= self._now):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                ready.append(timer)
        if not ready:
            if not scheduled:
                if self._stopping:  # type: ignore[attr-defined]
                    return
                raise Deadlock("everybody waits, and no timer is set")
            self._now = scheduled[0]._when
            return
        handle = ready.popleft()
        if handle._cancelled:
            return
        self.callbacks += 1
        if self.before_each is not None:
            self.before_each(self.callbacks)
        handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector, so nobody has to be woken."""

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)


def run_simulated(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in virtual time to its end; tasks it leaves behind are cancelled."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


class Wall:
    """The system's clock of the simulated machine; an operator or NTP may set it at any time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: int) -> None:
        self._loop = loop
        self._start = start
        self.ahead_ns = 0

    def monotonic(self) -> int:
        return round(self._loop.time() * SECOND_NS)

    def true_time(self) -> int:
        """What an atomic clock says: the broker's time."""
        return self._start + self.monotonic()

    def time(self) -> int:
        """What the machine believes."""
        return self.true_time() + self.ahead_ns


class SimulatedClock:
    """riskcore.engine.ports.Clock over the loop's time, as riskcore.engine.clock.SystemClock does it over real time."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._last = wall.time()
        self._measured = wall.monotonic()

    def now(self) -> int:
        measured = self._wall.monotonic()
        carried = self._last + (measured - self._measured)
        self._last, self._measured = max(self._wall.time(), carried), measured
        return self._last

    def go_on_from(self, at: int) -> None:
        self._last = max(self.now(), at)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds)
