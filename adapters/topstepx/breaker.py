"""A circuit breaker: after repeated failures of the host, calls that can wait are not even tried for a while.

Pure: time comes in, yes or no comes out. Enforcement never asks it; its outcomes count all the same
(DESIGN.md "Requests to the broker").
"""

from collections import deque
from typing import Literal

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.back_off import BackOff

FAILURES = 5
WITHIN_NS = 30 * SECOND_NS
BACK_OFF = BackOff(2 * SECOND_NS, 60 * SECOND_NS)
# A probe that is never heard of again, because its caller gave up, must not keep the circuit open for ever.
PROBE_NS = 15 * SECOND_NS


class Breaker:
    """The circuit of one host: closed, open, or half open while one probe is under way."""

    def __init__(self) -> None:
        self._failures: deque[int] = deque()
        self._openings = 0  # In a row; 0: closed.
        self._open_until = 0
        self._probe_until = 0

    def state(self, now: int) -> Literal["closed", "open", "half-open"]:
        if not self._openings:
            return "closed"
        return "open" if now < self._open_until else "half-open"

    def allows(self, now: int) -> bool:
        """Whether a call may be tried now. Half open: one at a time, and this one is it."""
        if self.state(now) == "closed":
            return True
        if now < self._open_until or now < self._probe_until:
            return False
        self._probe_until = now + PROBE_NS
        return True

    def succeeded(self) -> None:
        """The host answered: closed."""
        self._failures.clear()
        self._openings = self._open_until = self._probe_until = 0

    def failed(self, now: int) -> None:
        """No connection, no answer, or a 5xx."""
        if self._openings:
            if now >= self._open_until:
                self._open(now)
            return
        self._failures.append(now)
        while self._failures[0] <= now - WITHIN_NS:
            self._failures.popleft()
        if len(self._failures) >= FAILURES:
            self._open(now)

    def _open(self, now: int) -> None:
        self._failures.clear()
        self._openings += 1
        self._open_until = now + BACK_OFF.wait_ns(self._openings)
        self._probe_until = 0
