"""What has come in and waits for its turn: what concerns the account first, market data behind it.

The order in which things are taken is the order in which they are handled and stored, so `at`, the time of receipt,
is set when they are taken: what waited behind something newer gets that one's time, and time never decreases
(RULES.md 1.1, DESIGN.md "One event, end to end").
"""

import json
from asyncio import Event as Signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from riskcore.core.bar_schedule import BarSchedule
from riskcore.core.events import Event, Fact, WireRejected
from riskcore.core.kinds import Source
from riskcore.core.quotes import Quotes
from riskcore.core.raw_text import WITHHELD, kept_text, unreadable
from riskcore.engine.ports import Clock, Line, Texts
from riskcore.errors import RiskcoreError

# What the broker's hub says of accounts is a trickle; a backlog this long means that the engine does not keep up.
MOST_WAITING = 100_000
Normalise = Callable[[Line, int], list[Event]]
AccountsNamed = Callable[[Line], list[int]]
Item = list[Event] | Quotes
_Run = tuple[Quotes, Texts | None]  # Quotes that came together, and their texts.
_Read = Callable[[int], list[Event]]


class Wire(Protocol):
    """Hears what is taken, in the order in which it is handled, word for word."""

    def message(self, at: int, line: Line, text: bytes) -> None:
        """A message received at an instant; `text` as in ports.Sink."""

    def quotes(self, ats: Sequence[int], texts: Texts) -> None:
        """Plain quotes and when they were received."""

    def fact(self, event: Event) -> None:
        """Something that is no wire message: an operator's word, an outcome, the clock."""


class Overflow(RiskcoreError):
    """So much waits that deciding on it would be deciding on the past."""


class Inbox:
    """The sink of hubs and gateway, and the way in for the operator and for time."""

    def __init__(
        self,
        clock: Clock,
        normalise: Normalise,
        wire: Wire | None = None,
        unreadable: Callable[[Line], None] = lambda line: None,
    ) -> None:
        """`unreadable` hears each line of a hub of which something could not be read."""
        self._clock = clock
        self._normalise = normalise
        self._wire = wire
        self._unreadable = unreadable
        self._first: deque[tuple[int, _Read]] = deque()
        self._market: deque[tuple[int, _Read] | _Run] = deque()
        self._bars = BarSchedule()
        self._numbered = 0
        self._last_at = 0
        self.filled = Signal()

    # ---- in ------------------------------------------------------------------------------------------

    def line(self, line: Line, text: bytes = b"") -> None:
        """See ports.Sink. Raises Overflow."""
        self._add(lambda at: self._facts(line, text, at))

    def market(self, line: Line, text: bytes = b"") -> None:
        """See ports.Sink."""
        self._market.append((self._clock.now(), lambda at: self._facts(line, text, at)))
        self.filled.set()

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        """See ports.Sink."""
        self._market.append((quotes, texts))
        self.filled.set()

    def fact(self, body: Fact, source: Source, about: str, *, first: bool = False) -> str:
        """Something that is no wire message: an operator's word, an outcome, the clock. Returns its natural key.

        `first`: before everything that waits already.
        """
        self._numbered += 1
        key = f"{about}@{self._clock.now()}.{self._numbered}"
        self._add(lambda at: [self._own(Event(at, source, key, body))])
        if first:
            self._first.rotate(1)
        return key

    def _own(self, event: Event) -> Event:
        if self._wire is not None:
            self._wire.fact(event)
        return event

    def _add(self, read: _Read) -> None:
        if len(self._first) >= MOST_WAITING:
            raise Overflow(f"more than {MOST_WAITING} messages about the accounts wait to be handled")
        self._first.append((self._clock.now(), read))
        self.filled.set()

    # ---- out -----------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        return not self._first and not self._market

    @property
    def waiting(self) -> tuple[int, int]:
        """How much waits: messages about the accounts, and pieces of market data."""
        return len(self._first), len(self._market)

    def resume_at(self, at: int) -> None:
        """Time goes on from here: nothing is stamped earlier than what is stored already."""
        self._last_at = max(self._last_at, at)

    def take(self) -> Item | None:
        """The next facts in order, or a run of quotes; None when nothing waits."""
        if self._first:
            return self._read(*self._first.popleft())
        if not self._market:
            self.filled.clear()
            return None
        item = self._market.popleft()
        return self._read(item[0], item[1]) if isinstance(item[0], int) else self._quotes(item)

    def _quotes(self, run: _Run) -> Quotes:
        quotes = self._stamped(run[0])
        if self._wire is not None and run[1] is not None:
            self._wire.quotes(quotes.ats, run[1])
        return quotes

    def stamp(self) -> int:
        """The time of something that happens now, in this very turn."""
        self._last_at = max(self._last_at, self._clock.now())
        return self._last_at

    def stamp_after(self) -> int:
        """The time of something that comes after all that was read: later than that, however coarse the clock is."""
        self._last_at = max(self._last_at + 1, self._clock.now())
        return self._last_at

    def _facts(self, line: Line, text: bytes, at: int) -> list[Event]:
        """The facts of a line. One that cannot be read whatever the reason is kept, and costs nothing else."""
        if self._wire is not None and text:
            self._wire.message(at, line, text)
        try:
            events = list(self._normalise(line, at))
        except Exception as error:
            events = [Event(at, "broker", f"rejected@{at}", WireRejected(unreadable(error), _raw(line)))]
        if "hub" in line and any(isinstance(event.body, WireRejected) for event in events):
            self._unreadable(line)
        return events

    def _read(self, received_at: int, read: _Read) -> list[Event]:
        before = self._last_at
        at = self._last_at = max(before, received_at)
        events = [replace(bar, at=max(bar.at, before)) for bar in self._bars.release(at)]
        for event in read(at):
            if event.at > at:
                self._bars.add(event)
            else:
                events.append(event)
        return events

    def _stamped(self, quotes: Quotes) -> Quotes:
        if quotes.ats[0] < self._last_at:
            # They waited behind something newer.
            quotes = replace(quotes, ats=[max(at, self._last_at) for at in quotes.ats])
        self._last_at = quotes.ats[-1]
        return quotes


def _raw(line: Line) -> str:
    """The text of a line for the record, whatever is in it."""
    try:
        return kept_text(json.dumps(line, default=str))
    except (TypeError, ValueError, RecursionError):
        return WITHHELD
