"""How fast the broker's REST host answers, and how often in a row it did not. Pure."""

from collections import deque
from statistics import median_low

REMEMBERED = 20


class AnswerTimes:
    """Of the latest calls."""

    def __init__(self) -> None:
        self._latest_ns: deque[int] = deque(maxlen=REMEMBERED)
        self.failures = 0  # In a row: no connection, no answer, or a 5xx.

    def answered(self, after_ns: int) -> None:
        self._latest_ns.append(after_ns)
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1

    @property
    def median_ns(self) -> int | None:
        """None before the first answer."""
        return median_low(self._latest_ns) if self._latest_ns else None
