"""The system's clock as the engine uses it: nanoseconds UTC that never decrease."""

import asyncio
import time


class SystemClock:
    """Wall time carried by the monotonic clock: a jump of the system's clock backwards is waited out.

    A jump forwards is followed at once, because deadlines are wall-clock times (17:00 in Chicago); a jump
    backwards must not open a time that has passed, so time goes on from where it was, as the monotonic clock runs,
    until the wall clock has caught up.
    """

    def __init__(self) -> None:
        self._last = time.time_ns()
        self._measured = time.monotonic_ns()

    def now(self) -> int:
        measured = time.monotonic_ns()
        carried = self._last + (measured - self._measured)
        self._last, self._measured = max(time.time_ns(), carried), measured
        return self._last

    def go_on_from(self, at: int) -> None:
        """Time was `at` already: a journal says so, whose machine's clock was ahead of this one.

        Without it time would stand still until the clock has caught up, and nothing would ever be due.
        """
        self._last = max(SystemClock.now(self), at)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds)
