"""Trading-day arithmetic over the zone rows an opening event carries; no time-zone database is read here.

A zone is a tuple of rows (from instant, offset from UTC in seconds), ascending. A trading day is half-open
[reset, next reset) and named by the date it ends on; from Friday's reset on it is Monday's (RULES.md 1.4).
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from riskcore.core.quantities import DAY_NS, SECOND_NS
from riskcore.core.state import Day

Zone = tuple[tuple[int, int], ...]
EXCHANGE_ZONE = "America/Chicago"  # The exchange's and the firm's times are of Chicago.
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def offset_seconds(zone: Zone, at: int) -> int:
    """Offset of the zone from UTC at an instant; the first row also covers everything before it."""
    # No offset is as large as a day, so this is behind every row that begins by then.
    index = bisect_right(zone, (at, 86_400)) - 1
    return zone[max(index, 0)][1]


def local_time(zone: Zone, at: int) -> tuple[int, int]:
    """(date ordinal, seconds since local midnight) of an instant in the zone."""
    local_seconds = at // SECOND_NS + offset_seconds(zone, at)
    days, seconds = divmod(local_seconds, 86_400)
    return EPOCH_ORDINAL + days, seconds


def instant(zone: Zone, ordinal: int, seconds: int) -> int:
    """The instant of a local date and time; a time that does not exist moves forward by the gap."""
    local_ns = (ordinal - EPOCH_ORDINAL) * DAY_NS + seconds * SECOND_NS
    guess = local_ns - offset_seconds(zone, local_ns) * SECOND_NS
    found = local_ns - offset_seconds(zone, guess) * SECOND_NS
    exists = offset_seconds(zone, found) == offset_seconds(zone, guess)
    return found if exists else max(found, guess)


def weekday(ordinal: int) -> int:
    """0 Monday to 6 Sunday."""
    return (ordinal + 6) % 7


def date_text(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def local_text(zone: Zone, at: int) -> str:
    """An instant as the clock of the zone shows it: 2026-11-20 15:00:00."""
    ordinal, seconds = local_time(zone, at)
    return f"{date_text(ordinal)} {seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def trade_ordinal(zone: Zone, reset_seconds: int, at: int) -> int:
    """The date ordinal of the trading day an instant belongs to."""
    ordinal, seconds = local_time(zone, at)
    if seconds >= reset_seconds:
        ordinal += 1
    return ordinal + {5: 2, 6: 1}.get(weekday(ordinal), 0)


def trade_date_of(day: Day, at: int) -> str:
    """The trade date of any instant by the calendar of an opened day."""
    if day.opens_at <= at < day.closes_at:
        return day.trade_date
    return date_text(trade_ordinal(day.zones[day.timezone], day.reset_seconds, at))


def day_bounds(zone: Zone, reset_seconds: int, ordinal: int) -> tuple[int, int]:
    """[opens_at, closes_at) of the trading day that ends on a date; Monday opens on Friday's reset."""
    before = 3 if weekday(ordinal) == 0 else 1
    return instant(zone, ordinal - before, reset_seconds), instant(zone, ordinal, reset_seconds)


@dataclass(frozen=True, slots=True)
class Period:
    """Trade dates that belong together, by the ordinals of the first and the last one."""

    first: int
    last: int

    def opens_at(self, day: Day) -> int:
        """When its first trade date begins, by the calendar of an opened day."""
        return day_bounds(day.zones[day.timezone], day.reset_seconds, self.first)[0]

    def closes_at(self, day: Day) -> int:
        """The reset that opens the first trade date of the next one."""
        return day_bounds(day.zones[day.timezone], day.reset_seconds, self.last)[1]


def ordinal_of(trade_date: str) -> int:
    return date.fromisoformat(trade_date).toordinal()


def exchange_instant(day: Day, seconds: int) -> int:
    """The instant of a time of the day in Chicago on a day's trade date, whatever the zone of the profile."""
    return instant(day.zones[EXCHANGE_ZONE], ordinal_of(day.trade_date), seconds)


def week_of(ordinal: int) -> Period:
    """The trade dates Monday to Friday round a date (RULES.md 5, RULE-014)."""
    monday = ordinal - weekday(ordinal)
    return Period(monday, monday + 4)


def month_of(ordinal: int) -> Period:
    """The trade dates of the calendar month of a date: its weekdays (RULES.md 5, RULE-014)."""
    first = date.fromordinal(ordinal).replace(day=1)
    begins, ends = first.toordinal(), _next_month(first).toordinal() - 1
    opening = begins + {5: 2, 6: 1}.get(weekday(begins), 0)
    return Period(opening, ends - max(weekday(ends) - 4, 0))


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
