"""How long to wait after failures in a row: twice as long each time, up to a longest wait. Pure."""

from dataclasses import dataclass
from random import Random

_MOST_DOUBLINGS = 32  # Enough for every wait; a count of failures has no end.


@dataclass(frozen=True, slots=True)
class BackOff:
    """The waits of one caller, in nanoseconds."""

    first_ns: int
    longest_ns: int

    def wait_ns(self, failures: int) -> int:
        """The wait after the nth failure in a row (1 is the first; 0 waits like 1)."""
        return min(self.first_ns << max(0, min(failures - 1, _MOST_DOUBLINGS)), self.longest_ns)

    def spread_ns(self, failures: int, chance: Random) -> int:
        """The same, up to half as long again by chance: callers that failed together do not come back together."""
        wait = self.wait_ns(failures)
        return wait + int(wait * chance.random() / 2)
