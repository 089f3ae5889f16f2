"""How many calls the simulated broker takes: 200 in 60 s, and 50 in 30 s for bars; HTTP 429 beyond (API.md 1.1).

Choices where API.md has no source: the windows slide, they are the user's whatever token a call has, a refused call
does not count, and the answer has no Retry-After.
"""

from collections import deque

from riskcore.core.quantities import SECOND_NS

CALLS, CALLS_NS = 200, 60 * SECOND_NS
BARS, BARS_NS = 50, 30 * SECOND_NS
_BARS_PATH = "History/retrieveBars"


class CallLimits:
    """Both windows of one user. `refused` counts what was too much."""

    def __init__(self) -> None:
        self.refused = 0
        self._calls: deque[int] = deque()
        self._bars: deque[int] = deque()

    def takes(self, path: str, now: int) -> bool:
        """Whether a call to a path ("Order/place") is taken now; it counts then."""
        spent, limit, length_ns = self._calls, CALLS, CALLS_NS
        if path == _BARS_PATH:
            spent, limit, length_ns = self._bars, BARS, BARS_NS
        while spent and spent[0] <= now - length_ns:
            spent.popleft()
        if len(spent) >= limit:
            self.refused += 1
            return False
        spent.append(now)
        return True
