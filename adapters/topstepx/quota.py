"""How many calls the broker allows, counted on our side: 200 in 60 s, and 50 in 30 s for bars (API.md 1.1).

Pure: time comes in, a delay comes out. A close waits for nothing but the window itself: 40 of its 200 calls are
left to closes alone, whatever looks and cancels want (RULES.md 1.6). Another 40 are left to the rest of enforcement
(cancel, protective stop, the looks it needs), which no pause after a 429 holds back.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from riskcore.core.quantities import SECOND_NS

CALLS, CALLS_SECONDS = 200, 60
BARS, BARS_SECONDS = 50, 30
CLOSES_CALLS, ENFORCEMENT_CALLS = 40, 40
BARS_PATH = "/api/History/retrieveBars"
CLOSE_PATHS = ("/api/Position/closeContract", "/api/Position/partialCloseContract")
# Calls drift apart or together on their way; the broker counts them when they arrive.
MARGIN_SECONDS = 1
# After a 429 that names no time.
PAUSE_NS = 5 * SECOND_NS
LONGEST_PAUSE_NS = 300 * SECOND_NS


@dataclass(slots=True)
class _Window:
    """A sliding window: `limit` calls in `length_ns`."""

    limit: int
    length_ns: int
    spent: deque[int] = field(default_factory=deque)
    paused_until: int = 0

    def delay_ns(self, now: int, reserved: int) -> int:
        """How long a call waits that leaves `reserved` to others: until enough before it have left the window."""
        while self.spent and self.spent[0] <= now - self.length_ns:
            self.spent.popleft()
        too_many = len(self.spent) - (self.limit - reserved)
        return max(self.spent[too_many] + self.length_ns - now, 0) if too_many >= 0 else 0

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

    def __init__(
        self, calls: int = CALLS, closes: int = CLOSES_CALLS, enforcement: int = ENFORCEMENT_CALLS, bars: int = BARS
    ) -> None:
        self._calls = _Window(calls, (CALLS_SECONDS + MARGIN_SECONDS) * SECOND_NS)
        self._bars = _Window(bars, (BARS_SECONDS + MARGIN_SECONDS) * SECOND_NS)
        self._closes, self._enforcement = closes, enforcement

    def delay_ns(self, now: int, path: str, enforcement: bool) -> int:
        """How long this call has to wait, asked again when that time is over. A close waits for the window alone."""
        window = self._window(path)
        if window is self._bars:
            return max(window.delay_ns(now, 0), window.paused_until - now)
        if enforcement and path in CLOSE_PATHS:
            return window.delay_ns(now, 0)
        if enforcement:
            return window.delay_ns(now, self._closes)
        return max(window.delay_ns(now, self._closes + self._enforcement), window.paused_until - now)

    def spend(self, now: int, path: str) -> None:
        """A call leaves now."""
        self._window(path).spent.append(now)

    def give_back(self, spent_at: int, path: str) -> None:
        """The call that left then has not left after all."""
        window = self._window(path)
        if spent_at in window.spent:
            window.spent.remove(spent_at)

    def refused(self, now: int, path: str, retry_after: str | None) -> None:
        """The broker answered 429: what is no enforcement pauses as long as it said."""
        window = self._window(path)
        window.paused_until = max(window.paused_until, now + pause_ns(retry_after, now))

    def crowded(self, now: int) -> bool:
        """Whether more than half of what looks may use is used: they are to be few then."""
        return 2 * self._calls.spent_by(now) > self._calls.limit - self._closes

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
