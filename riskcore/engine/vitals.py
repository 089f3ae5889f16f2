"""What an engine measures of itself as it runs: how long storing takes, what disagreed, how often a hub was lost."""

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median_low

from riskcore.core.events import ConnectionChanged, DriftDetected, Event
from riskcore.core.quantities import MINUTE_NS

REMEMBERED_COMMITS = 100
HOUR_NS = 60 * MINUTE_NS
MOST_REMEMBERED = 1_000  # Of the happenings of an hour: more of them cost no more points.
LOST = "lost"


class Vitals:
    """Of the latest commits, and of the last hour."""

    def __init__(self) -> None:
        self._commits_ns: deque[int] = deque(maxlen=REMEMBERED_COMMITS)
        self._drifts: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self._losses: dict[str, deque[int]] = {}

    def stored(self, events: Sequence[Event], after_ns: int) -> None:
        """These events were stored, which took so long."""
        self._commits_ns.append(after_ns)
        for event in events:
            body = event.body
            if isinstance(body, DriftDetected):
                self._drifts.append(event.at)
            elif isinstance(body, ConnectionChanged) and body.state == LOST:
                self._losses.setdefault(body.hub, deque(maxlen=MOST_REMEMBERED)).append(event.at)

    @property
    def commit_ns(self) -> tuple[int, int] | None:
        """The median of the latest commits and the slowest of them; None before the first."""
        return (median_low(self._commits_ns), max(self._commits_ns)) if self._commits_ns else None

    def drifts(self, now: int) -> int:
        """How often fills and the broker's positions disagreed in the last hour."""
        return _recent(self._drifts, now)

    def losses(self, hub: str, now: int) -> int:
        """How often a hub was lost in the last hour."""
        return _recent(self._losses.get(hub, ()), now)


def _recent(instants: Iterable[int], now: int) -> int:
    return sum(at > now - HOUR_NS for at in instants)
