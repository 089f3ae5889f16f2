"""What a download asks for: trading days, windows of questions, bar lengths, and the hours in which bars are expected.

Pure: settings and instants come in, windows come out. Source: INTERFACE.md 6, topstepx/API.md 2.1 and 7.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.core.state import Day
from riskcore.core.trading_day import EPOCH_ORDINAL, EXCHANGE_ZONE, date_text, instant, local_time, weekday
from riskcore.errors import ConfigError
from riskcore.settings.calendar import day_for, holidays

HOUR_NS = 60 * MINUTE_NS
UNITS = ("second", "minute", "hour", "day")
_UNITS_NS = {"second": SECOND_NS, "minute": MINUTE_NS, "hour": HOUR_NS, "day": DAY_NS}
_FIRST_DATE, _LAST_DATE = "2000-01-01", "2099-12-31"
# The exchange halts from 16:00 to 17:00 in Chicago and from Friday to Sunday (API.md 7).
_OPENS_SECONDS, _CLOSES_SECONDS = 17 * 3600, 16 * 3600
_SATURDAY = 5
# Whether the end of a window is inside it is unknown, so windows overlap; a row that comes twice counts once.
OVERLAP_NS = MINUTE_NS
# What is over for so long is no longer corrected, so its answer is kept for ever.
SETTLED_AFTER_NS = HOUR_NS
# A stretch without bars is a gap from here on: quiet contracts have minutes without a trade.
_SHORTEST_GAP_NS = HOUR_NS
_BARS_OF_A_GAP = 3


@dataclass(frozen=True, slots=True)
class BarUnit:
    """How long a bar is: `number` times a second, minute, hour or day."""

    name: str
    number: int = 1

    @property
    def code(self) -> int:
        """The broker's own number of the unit (API.md 3.1)."""
        return UNITS.index(self.name) + 1

    @property
    def length_ns(self) -> int:
        return _UNITS_NS[self.name] * self.number

    def __str__(self) -> str:
        return f"{self.number}-{self.name}"

    @property
    def most_days(self) -> int:
        """How many days of such bars are asked for, and held, at once: bars of seconds are 82,800 a day."""
        return 1 if self.length_ns < MINUTE_NS else 7

    def coarser(self) -> Iterator["BarUnit"]:
        """What an expired month may still have, the finest first."""
        return (unit for unit in (BarUnit("hour"), BarUnit("day")) if unit.length_ns > self.length_ns)


@dataclass(frozen=True, slots=True)
class Window:
    """Trading days in a row, asked for at once."""

    days: tuple[Day, ...]

    @property
    def start(self) -> int:
        return self.days[0].opens_at

    @property
    def end(self) -> int:
        return self.days[-1].closes_at

    @property
    def first_bar_at(self) -> int:
        """No bar of any product begins earlier: a Monday's window begins on Friday, its market on Sunday."""
        return next((start for start, _ in trading_hours(self.days[0], with_holidays=False)), self.start)


def trading_days(settings: Mapping[str, Any], first: str, last: str) -> list[Day]:
    """The trading days named by the dates from `first` to `last`, both included. Raises ConfigError."""
    for text, option in ((first, "--from"), (last, "--to")):
        _check_date(text, option)
    if first > last:
        raise ConfigError(f"--from {first} is later than --to {last}; the first day of the download comes first")
    midnight = (date.fromisoformat(first).toordinal() - EPOCH_ORDINAL) * DAY_NS
    day = day_for(settings, midnight - 2 * DAY_NS)  # Whatever the zone, not later than the first one wanted.
    found = []
    while day.trade_date <= last:
        if day.trade_date >= first:
            found.append(day)
        day = day_for(settings, day.closes_at)
    return found


def _check_date(text: str, option: str) -> None:
    try:
        written = date.fromisoformat(text).isoformat()
    except ValueError:
        written = ""
    if written != text:  # Python reads 20261102 and 2026-W45-1, too.
        raise ConfigError(f"{option} {text[:40]!r}: no date; write it as YYYY-MM-DD")
    if not _FIRST_DATE <= text <= _LAST_DATE:
        raise ConfigError(f"{option} {text}: choose a date from {_FIRST_DATE} to {_LAST_DATE}")


def windows(days: Iterable[Day], most_days: int = 7) -> list[Window]:
    """Days as windows of a trading week at most: short ones, because it is unknown how far one question may reach."""
    found: list[list[Day]] = []
    for day in sorted(days, key=lambda one: one.opens_at):
        week = date.fromisoformat(day.trade_date).isocalendar()[:2]
        before = found[-1][-1] if found else None
        joins = before is not None and before.closes_at == day.opens_at
        same_week = before is not None and date.fromisoformat(before.trade_date).isocalendar()[:2] == week
        if joins and same_week and len(found[-1]) < most_days:
            found[-1].append(day)
        else:
            found.append([day])
    return [Window(tuple(part)) for part in found]


def halves(start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """A window in two, which share the instant between them."""
    middle = (start + end) // 2 // SECOND_NS * SECOND_NS
    return (start, middle), (middle, end)


def trading_hours(day: Day, *, with_holidays: bool = True) -> list[tuple[int, int]]:
    """When the exchange trades within a trading day: halts, week-ends, holidays and early closes taken out.

    The holidays are those of equity indices; without them the hours are those in which any product may trade.
    """
    zone = day.zones[EXCHANGE_ZONE]
    first, last = (local_time(zone, at)[0] for at in (day.opens_at, day.closes_at))
    found = []
    for ordinal in range(first, last + 2):
        holiday = holidays().get(date_text(ordinal)) if with_holidays else None
        if weekday(ordinal) >= _SATURDAY or (holiday is not None and holiday.close_seconds is None):
            continue
        closes = _CLOSES_SECONDS if holiday is None or holiday.close_seconds is None else holiday.close_seconds
        opens_at = max(instant(zone, ordinal - 1, _OPENS_SECONDS), day.opens_at)
        closes_at = min(instant(zone, ordinal, closes), day.closes_at)
        if opens_at < closes_at:
            found.append((opens_at, closes_at))
    return found


def gaps(hours: Sequence[tuple[int, int]], opened: Sequence[int], unit: BarUnit) -> list[tuple[int, int]]:
    """Stretches of trading hours without a bar, `opened` being when the bars begin, oldest first."""
    longest = max(_SHORTEST_GAP_NS, _BARS_OF_A_GAP * unit.length_ns)
    found = []
    for start, end in hours:
        covered = start
        for at in opened:
            if covered <= at < end and at - covered >= longest:
                found.append((covered, at))
            if at < end:
                covered = max(covered, at + unit.length_ns)
        if end - covered >= longest:
            found.append((covered, end))
    return found
