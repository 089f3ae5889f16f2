"""A clock that is moved by hand."""

import asyncio

from riskcore.core.quantities import SECOND_NS

START_NS = 1_795_188_600_000_000_000  # 2026-11-20 14:10:00Z


class HandClock:
    def __init__(self, at: int = START_NS) -> None:
        self._now = at

    def now(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * SECOND_NS)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(None)
