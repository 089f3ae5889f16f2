"""Clocks for tests of everything that waits."""

import asyncio
import time


class ScaledClock:
    """Real time that runs `scale` times as fast: ten seconds of a backoff take a fifth of one at scale 50."""

    def __init__(self, scale: float = 50, start: int = 1_790_000_000_000_000_000) -> None:
        self._scale = scale
        self._start = start
        self._measured = time.monotonic_ns()

    def now(self) -> int:
        return self._start + int((time.monotonic_ns() - self._measured) * self._scale)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._scale)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds / self._scale)
