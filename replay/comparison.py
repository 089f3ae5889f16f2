"""Recorded decisions against recomputed ones. Any difference is shown with its cause (DESIGN.md, "Replay").

The planner's events are compared as well: it plans where a live engine carried out what was decided, and nowhere else.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskcore.core.events import Event
from riskcore.schema.codec import encode_event
from riskcore.schema.instants import utc_text

MOST_SHOWN = 50


@dataclass(slots=True)
class Comparison:
    """Counts derived events by their canonical bytes, recorded ones up and recomputed ones down."""

    comparing: bool = False  # The session being read has recorded decisions.
    compared: bool = False
    recorded: Counter[int | None] = field(default_factory=Counter)  # By account; None concerns all of them.
    recomputed: Counter[int | None] = field(default_factory=Counter)
    _balance: Counter[bytes] = field(default_factory=Counter)
    _events: dict[bytes, Event] = field(default_factory=dict)
    _tail: dict[bytes, Event] = field(default_factory=dict)  # Since the last fact, recorded or recomputed.

    def begin(self, recorded: bool) -> None:
        """The next session has recorded decisions, or none."""
        self.comparing = recorded
        self.compared |= recorded

    def next_fact(self) -> None:
        """Another fact is about to be judged: what was recorded and recomputed up to here is whole."""
        self._tail.clear()

    def forgive_tail(self) -> None:
        """The recording was cut off: what belongs to its last fact, or came after it, cannot be compared."""
        for canonical, event in self._tail.items():
            count = self._balance.pop(canonical, 0)
            if count:
                del self._events[canonical]
                (self.recorded if count > 0 else self.recomputed)[_account(event)] -= abs(count)

    def record(self, event: Event) -> None:
        """A derived event as the journal has it."""
        self.recorded[_account(event)] += 1
        self._add(event, 1)

    def recompute(self, events: Sequence[Event]) -> None:
        """Events of this run."""
        if not self.comparing:
            return
        for event in events:
            if event.derived:
                self.recomputed[_account(event)] += 1
                self._add(event, -1)

    def _add(self, event: Event, count: int) -> None:
        _, canonical = encode_event(0, event)
        self._tail[canonical] = event
        self._balance[canonical] += count
        if self._balance[canonical]:
            self._events[canonical] = event
        else:
            del self._balance[canonical]
            self._events.pop(canonical, None)

    def outcome(self, judges: Callable[[int], bool] = lambda account: True) -> dict[str, Any] | None:
        """The comparison as INTERFACE.md 5 shows it, of the accounts evaluated; None when nothing was recorded."""
        if not self.compared:
            return None

        def counts(account: int | None) -> bool:
            return account is None or judges(account)

        found = [item for item in self._events.items() if counts(_account(item[1]))]
        differing = sorted(found, key=lambda item: (item[1].at, item[0]))
        return {
            "recorded": sum(count for account, count in self.recorded.items() if counts(account)),
            "recomputed": sum(count for account, count in self.recomputed.items() if counts(account)),
            "differences": [self._difference(canonical, event) for canonical, event in differing[:MOST_SHOWN]],
        }

    def _difference(self, canonical: bytes, event: Event) -> dict[str, Any]:
        return {
            "only": "recorded" if self._balance[canonical] > 0 else "recomputed",
            "at": utc_text(event.at),
            "type": type(event.body).__name__,
            "key": event.key,
            "cause": event.cause,
        }


def _account(event: Event) -> int | None:
    account = getattr(event.body, "account", None)
    return account if isinstance(account, int) else None
