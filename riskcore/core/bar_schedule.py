"""Bars that are read before they are known: each waits until its end (RULES.md 1.5)."""

import heapq

from riskcore.core.events import Event


class BarSchedule:
    """Holds bars until time reaches them; a newer version of a waiting bar takes its place."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, str]] = []
        self._waiting: dict[str, Event] = {}
        self._added = 0

    def add(self, bar: Event) -> None:
        """Keep a bar until its own `at`."""
        self._added += 1
        heapq.heappush(self._due, (bar.at, self._added, bar.key))
        self._waiting[bar.key] = bar

    def next_at(self) -> int | None:
        """When the next bar is due."""
        return self._due[0][0] if self._due else None

    def release(self, now: int) -> list[Event]:
        """The bars due at or before `now`, by the instant they become known and then by arrival."""
        released = []
        while self._due and self._due[0][0] <= now:
            key = heapq.heappop(self._due)[2]
            bar = self._waiting.pop(key, None)
            if bar is not None:
                released.append(bar)
        return released
