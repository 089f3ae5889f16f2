"""How many calls the broker allows, counted on our side: 200 in 60 s, and 50 in 30 s for bars (API.md 1.1).

Pure: time comes in, a delay comes out. A share is reserved for enforcement (close, cancel, reduce, protective
stop and the snapshots they need), which is counted but never held back, even over the quota: the broker may
refuse it, riskcore does not (DESIGN.md "Requests to the broker").
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from riskcore.core.quantities import SECOND_NS

CALLS, CALLS_SECONDS = 200, 60
BARS, BARS_SECONDS = 50, 30
RESERVED_CALLS = 40
BARS_PATH = "/api/History/retrieveBars"
# Calls drift apart or together on their way; the broker counts them when they arrive.
MARGIN_SECONDS = 1
# After a 429 that names no time.
PAUSE_NS = 5 * SECOND_NS
LONGEST_PAUSE_NS = 300 * SECOND_NS


@dataclass(slots=True)
class _Window:
    """A sliding window: `limit` calls in `length_ns`, of which `reserved` are for enforcement."""

    limit: int
    length_ns: int
    reserved: int
    spent: deque[int] = field(default_factory=deque)
    paused_until: int = 0

    def delay_ns(self, now: int) -> int:
        """How long a call that is no enforcement waits: until enough of the calls before it have left the window."""
        while self.spent and self.spent[0] <= now - self.length_ns:
            self.spent.popleft()
        too_many = len(self.spent) - (self.limit - self.reserved)
        free_at = self.spent[too_many] + self.length_ns if too_many >= 0 else 0
        return max(free_at - now, self.paused_until - now, 0)

    def spent_by(self, now: int) -> int:
        """How many of the calls still count."""
        return sum(at > now - self.length_ns for at in self.spent)


@dataclass(frozen=True, slots=True)
class Spent:
    """One quota as it is now. `paused_seconds`: how long the broker wants no call, 0 for as many as are left."""

    name: str
    used: int
    limit: int
    seconds: int
    paused_seconds: int

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def used_percent(self) -> int:
        return 100 if self.paused_seconds else 100 * self.used // self.limit


class Quota:
    """Both windows of one login."""

    def __init__(self, calls: int = CALLS, reserved: int = RESERVED_CALLS, bars: int = BARS) -> None:
        self._calls = _Window(calls, (CALLS_SECONDS + MARGIN_SECONDS) * SECOND_NS, reserved)
        self._bars = _Window(bars, (BARS_SECONDS + MARGIN_SECONDS) * SECOND_NS, 0)

    def delay_ns(self, now: int, path: str, enforcement: bool) -> int:
        """How long this call has to wait, asked again when that time is over; enforcement never waits."""
        return 0 if enforcement else self._window(path).delay_ns(now)

    def spend(self, now: int, path: str) -> None:
        """A call leaves now."""
        window = self._window(path)
        window.delay_ns(now)  # Forgets what has left the window, so that enforcement alone does not pile up.
        window.spent.append(now)

    def refused(self, now: int, path: str, retry_after: str | None) -> None:
        """The broker answered 429: everything but enforcement pauses as long as it said."""
        window = self._window(path)
        window.paused_until = max(window.paused_until, now + pause_ns(retry_after, now))

    def spent(self, now: int) -> tuple[Spent, Spent]:
        """Of all calls but those for bars, and of those."""
        windows = (("calls", self._calls, CALLS_SECONDS), ("bars", self._bars, BARS_SECONDS))
        calls, bars = (
            Spent(name, window.spent_by(now), window.limit, seconds, -(min(now - window.paused_until, 0) // SECOND_NS))
            for name, window, seconds in windows
        )
        return calls, bars

    def _window(self, path: str) -> _Window:
        return self._bars if path == BARS_PATH else self._calls


def pause_ns(retry_after: str | None, now: int) -> int:
    """A Retry-After header (seconds or an HTTP date) as a time to wait, PAUSE_NS when it says nothing useful."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        wanted = int(text[:9]) * SECOND_NS
    else:
        try:
            instant = parsedate_to_datetime(text)
        except ValueError:
            return PAUSE_NS
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
        wanted = int((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND_NS - now
    return min(max(wanted, 0), LONGEST_PAUSE_NS)
