"""The system's clock as the engine uses it: nanoseconds UTC that never decrease."""

import asyncio
import time
from collections.abc import Callable

from riskcore.core.quantities import SECOND_NS

NOTABLE_NS = 2 * SECOND_NS  # Time synchronisation corrects less than that all the time.


class SystemClock:
    """Wall time carried by the monotonic clock: a jump of the system's clock backwards is waited out.

    A jump forwards is followed at once, because deadlines are wall-clock times (17:00 in Chicago); a jump
    backwards must not open a time that has passed, so time goes on from where it was, as the monotonic clock runs,
    until the wall clock has caught up. `wall` and `monotonic` are the machine's two clocks in nanoseconds.
    """

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._last = wall()
        self._measured = monotonic()
        self._skipped_ns = 0

    def now(self) -> int:
        measured, wall = self._monotonic(), self._wall()
        carried = self._last + (measured - self._measured)
        if wall - carried >= NOTABLE_NS:
            self._skipped_ns += wall - carried
        self._last, self._measured = max(wall, carried), measured
        return self._last

    def behind_ns(self) -> int:
        """By how much the machine's clock is behind this one: it was set back, or a journal's machine was ahead."""
        return max(SystemClock.now(self) - self._wall(), 0)

    def skipped_ns(self) -> int:
        """By how much time has jumped ahead since this was asked last: the machine slept, or its clock was set."""
        SystemClock.now(self)
        skipped, self._skipped_ns = self._skipped_ns, 0
        return skipped

    def go_on_from(self, at: int) -> None:
        """Time was `at` already: a journal says so, whose machine's clock was ahead of this one.

        Without it time would stand still until the clock has caught up, and nothing would ever be due.
        """
        self._last = max(SystemClock.now(self), at)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds)
