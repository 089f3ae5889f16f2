"""Clocks for tests of everything that waits."""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

Result = TypeVar("Result")
SCALE = 50
START = 1_790_000_000_000_000_000
_LARGEST_CREDIT_SECONDS = 0.02


class ScaledClock:
    """Real time that runs `scale` times as fast: ten seconds of a backoff take a fifth of one at scale 50."""

    def __init__(self, scale: float = SCALE, start: int = START) -> None:
        self._scale = scale
        self._start = start
        self._measured = time.monotonic_ns()

    def now(self) -> int:
        return self._start + int((time.monotonic_ns() - self._measured) * self._scale)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._scale)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds / self._scale)


class HurriedSelector(selectors.BaseSelector):
    """Waits a fraction of what it is asked to wait, and remembers how much time that stands for."""

    def __init__(self, scale: float) -> None:
        self._selector = selectors.DefaultSelector()
        self._scale = scale
        self._credit_seconds = 0.0  # Waited beyond what was asked for.
        self.ahead_seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._selector.select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            return self._selector.select()
        wanted = timeout / self._scale - self._credit_seconds
        if wanted <= 0:
            self._credit_seconds = -wanted
            self.ahead_seconds += timeout
            return found
        began = time.monotonic()
        found = self._selector.select(wanted)
        waited = time.monotonic() - began
        if waited < wanted:
            self.ahead_seconds += waited * (self._scale - 1)
        else:
            # The machine waits whole milliseconds, a busy one many: what was too much need not be waited again.
            self._credit_seconds = min(waited - wanted, _LARGEST_CREDIT_SECONDS)
            self.ahead_seconds += timeout - wanted
        return found

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()

    def close(self) -> None:
        self._selector.close()


class HurriedLoop(asyncio.SelectorEventLoop):
    """Real sockets in a time whose waiting is `scale` times as fast, while working takes as long as it takes.

    On a clock that is fifty times as fast as a whole, twenty milliseconds without a processor are a second in which
    nobody answers: time limits pass though nothing is wrong. Here they are twenty milliseconds, as they are in life.
    """

    def __init__(self, scale: float = SCALE, selector: HurriedSelector | None = None) -> None:
        self._hurried = selector or HurriedSelector(scale)
        super().__init__(self._hurried)

    def time(self) -> float:
        return super().time() + self._hurried.ahead_seconds

    def pass_over(self, seconds: float) -> None:
        """So much time passes in which nothing can run, as in a call that does not yield."""
        self._hurried.ahead_seconds += seconds


class LoopClock:
    """riskcore.engine.ports.Clock over the running loop's own time."""

    def __init__(self, start: int = START) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = start - round(self._loop.time() * 1_000_000_000)

    def now(self) -> int:
        return self._start + round(self._loop.time() * 1_000_000_000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds)


def run_hurried(work: Coroutine[Any, Any, Result], scale: float = SCALE) -> Result:
    """As asyncio.run, in a HurriedLoop."""
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(scale)) as runner:
        return runner.run(work)
