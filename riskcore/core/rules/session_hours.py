"""Allowed trading hours: windows of local time, holidays and early closes as instants (RULES.md 5, RULE-009).

A window belongs to the day it starts on; one that ends before it starts runs into the next day. It does not open
on a holiday. It ends early where the local date turns to a holiday, or at that date's early close. Windows that
touch or overlap are one session.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from riskcore.core.trading_day import Zone, date_text, instant, local_time, weekday

# No list of holidays closes a market longer than this; beyond it there is no next session to wait for.
SEARCHED_DAYS = 370
# Sessions that touch each other day after day never end; a timer so far away is as good as none.
JOINED_WINDOWS = 32


@dataclass(frozen=True, slots=True)
class Window:
    """Weekdays 0 Monday to 6 Sunday; `start` and `end` in seconds since local midnight."""

    days: tuple[int, ...]
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start == self.end or not self.days:
            raise ValueError("a window needs a day or more, and a start that is not its end")

    @property
    def wraps(self) -> bool:
        return self.start > self.end


def windows_of(plain: Any) -> tuple[Window, ...]:
    """Windows of plain settings: tables of days, start and end. Raises ValueError for an empty window."""
    return tuple(
        item if isinstance(item, Window) else Window(tuple(item["days"]), item["start"], item["end"]) for item in plain
    )


@dataclass(frozen=True, slots=True)
class Hours:
    """The sessions of one list of windows in one zone. Dates are ISO text, instants nanoseconds UTC."""

    zone: Zone
    windows: tuple[Window, ...]
    holidays: tuple[str, ...]
    early_closes: Mapping[str, int]
    # The spans of local dates that were asked for: every look at the clock asks for the same two.
    _known: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict, compare=False, repr=False)
    # The session that was asked for last: its end by an instant from which on it is certain.
    _latest: dict[int, int] = field(default_factory=dict, compare=False, repr=False)

    def closes_at(self, at: int) -> int | None:
        """The end of the session an instant lies in, None outside; half-open (RULE-009, Choice)."""
        for begins, ends in self._latest.items():
            if begins <= at < ends:
                return ends
        begins = end = at
        for _ in range(JOINED_WINDOWS):
            ordinal, _ = local_time(self.zone, end)
            spans = (*self._spans(ordinal - 1), *self._spans(ordinal))
            closes, opens = max(((closes, opens) for opens, closes in spans if opens <= end < closes), default=(0, 0))
            if not closes:
                break
            begins = opens if end == at else begins
            end = closes
        else:
            return end
        if end == at:
            return None
        # From any instant between the same windows lead to the same end, in no more steps.
        self._latest.clear()
        self._latest[begins] = end
        return end

    def next_start(self, at: int) -> int | None:
        """The first window start after an instant; None when none is in sight."""
        today, _ = local_time(self.zone, at)
        for ordinal in range(today, today + SEARCHED_DAYS):
            starts = [opens for opens, _ in self._spans(ordinal) if opens > at]
            if starts:
                return min(starts)
        return None

    def _spans(self, ordinal: int) -> tuple[tuple[int, int], ...]:
        """Start and end of each window that belongs to a local date."""
        found = self._known.get(ordinal)
        if found is None:
            found = self._known[ordinal] = tuple(self._worked_out(ordinal))
        return found

    def _worked_out(self, ordinal: int) -> Iterator[tuple[int, int]]:
        if self._is_holiday(ordinal):
            return
        early_close = self._early_close(ordinal)
        for window in self.windows:
            # A session that begins in the evening of an early close belongs to the next trading day.
            closed = early_close is not None and window.start >= early_close and not window.wraps
            if weekday(ordinal) not in window.days or closed:
                continue
            opens = instant(self.zone, ordinal, window.start)
            closes = self._closes(ordinal, window, early_close)
            if closes > opens:
                yield opens, closes

    def _closes(self, ordinal: int, window: Window, early_close: int | None) -> int:
        ends_on = ordinal + 1 if window.wraps else ordinal
        ends = window.end
        if early_close is not None and window.start < early_close:
            ends_on, ends = ordinal, early_close if window.wraps else min(ends, early_close)
        elif window.wraps:
            next_early_close = self._early_close(ends_on)
            if self._is_holiday(ends_on):
                ends = 0
            elif next_early_close is not None:
                ends = min(ends, next_early_close)
        return instant(self.zone, ends_on, ends)

    def _early_close(self, ordinal: int) -> int | None:
        return self.early_closes.get(date_text(ordinal)) if self.early_closes else None

    def _is_holiday(self, ordinal: int) -> bool:
        return bool(self.holidays) and date_text(ordinal) in self.holidays


@lru_cache(maxsize=64)
def hours_of(
    zone: Zone, windows: tuple[Window, ...], holidays: tuple[str, ...], early_closes: tuple[tuple[str, int], ...]
) -> Hours:
    """The same hours for the same settings, so that what has been worked out of them is known at the next look."""
    return Hours(zone, windows, holidays, dict(early_closes))
