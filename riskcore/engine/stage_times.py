"""How long the stages of the way from a message to its effect take, counted since the engine began.

Counted when the command has left already, from instants that are taken anyway: nothing waits for a figure.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from riskcore.core.events import Event
from riskcore.schema.rows import Row

_MICROSECOND_NS = 1_000
# The upper ends of the classes that durations are counted in.
BOUNDS_NS = tuple(
    microseconds * _MICROSECOND_NS
    for microseconds in (
        *(50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000),
        *(1_000_000, 2_500_000, 5_000_000, 10_000_000),
    )
)


class StageTimes:
    """The durations of one stage, as a histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_NS) + 1)
        self._sum_ns = 0

    def add(self, lasted_ns: int) -> None:
        """It took so long once more."""
        self._counts[bisect_left(BOUNDS_NS, lasted_ns)] += 1
        self._sum_ns += lasted_ns

    def row(self, stage: str) -> Row:
        """`buckets` counts how often it took at most as long as each of BOUNDS_NS, and at last how often at all."""
        return {"stage": stage, "sum_ns": self._sum_ns, "buckets": list(accumulate(self._counts))}


class TurnTimes:
    """The stages of an engine's turns: from receipt of the oldest message to stored, deciding, and storing."""

    def __init__(self) -> None:
        self._receive, self._decide, self._store = StageTimes(), StageTimes(), StageTimes()

    def stored(self, events: Sequence[Event], decided_after_ns: int, committed_after_ns: int, at: int) -> None:
        """These events were stored at an instant, after deciding and committing for so long."""
        received_at = next((event.at for event in events if event.source == "broker"), None)
        if received_at is not None:
            self._receive.add(max(at - received_at, 0))
        self._decide.add(decided_after_ns)
        self._store.add(committed_after_ns)

    def rows(self) -> list[Row]:
        """One row a stage, as of StageTimes."""
        return [self._receive.row("receive"), self._decide.row("decide"), self._store.row("store")]
