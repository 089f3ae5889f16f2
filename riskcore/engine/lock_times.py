"""Until when a personal lockout lasts, as the trader says it (RULES.md 7, Personal Lockout). Pure.

`30m`, `1h30m`, `2d`: from now. `day`: until the reset. `new-york`, `london`, `tokyo`, `sydney`: until that session
ends, the one under way or the next one. `15:30`: the next time the profile's clock shows it. An RFC 3339 instant: that.
"""

import re

from riskcore.core.quantities import DAY_NS, SECOND_NS
from riskcore.core.rules.session_hours import Hours, Window
from riskcore.core.state import Day
from riskcore.core.trading_day import EPOCH_ORDINAL, EXCHANGE_ZONE, instant, local_time
from riskcore.errors import ConfigError
from riskcore.schema.instants import read_instant
from riskcore.settings.calendar import zone_rows

PRESETS = ("15m", "30m", "60m", "day", "new-york", "london", "tokyo", "sydney")
LONGEST_DAYS = 31  # It cannot be undone, so a typing error must not lock for a year.
_WORKDAYS, _EVENINGS = (0, 1, 2, 3, 4), (6, 0, 1, 2, 3)
_HOUR = 3_600
# Sessions in Chicago time; those that begin in the evening belong to the trading day that follows.
SESSIONS = {
    "new-york": Window(_WORKDAYS, 7 * _HOUR, 16 * _HOUR),
    "london": Window(_WORKDAYS, 2 * _HOUR, 11 * _HOUR),
    "tokyo": Window(_EVENINGS, 18 * _HOUR, 3 * _HOUR),
    "sydney": Window(_EVENINGS, 16 * _HOUR, 1 * _HOUR),
}
_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[t-](\d\d:\d\d)(:\d\d(?:\.\d{1,20})?)?(z|[+-]\d\d(?::?\d\d)?)", re.ASCII)


def lock_until(text: str, now: int, day: Day) -> int:
    """The instant at which the lockout ends. Raises ConfigError for what is no time, over already, or too far away."""
    expires_at = _instant(text.strip().lower().replace("_", "-").replace(" ", "-"), now, day)
    if expires_at is None:
        raise ConfigError(
            f"{text!r} is not a time to lock until; write one of {', '.join(PRESETS)}, a duration such as 1h30m,"
            " a time such as 15:30, or an instant such as 2026-11-20T21:30:00Z"
        )
    if expires_at <= now:
        raise ConfigError(f"{text!r} is over already: nothing would be locked")
    if expires_at > now + LONGEST_DAYS * DAY_NS:
        raise ConfigError(f"{text!r} is more than {LONGEST_DAYS} days away; a lockout cannot be undone")
    return expires_at


def _instant(text: str, now: int, day: Day) -> int | None:
    if text in ("day", "all-day"):
        return day.closes_at
    if text in SESSIONS:
        return _session_end(SESSIONS[text], now)
    duration = _DURATION.fullmatch(text)
    if duration is not None and any(duration.groups()):
        days, hours, minutes = (int(part or 0) for part in duration.groups())
        if not (days or hours or minutes):
            return now
        # On the full second, so that nobody has to read nanoseconds; rather a little longer than asked.
        begins = -(-now // SECOND_NS) * SECOND_NS
        return begins + ((days * 24 + hours) * 60 + minutes) * 60 * SECOND_NS
    shown = _CLOCK.fullmatch(text)
    if shown is not None:
        return _next_time(int(shown[1]) * _HOUR + int(shown[2]) * 60, now, day)
    return _written(text)


def _session_end(window: Window, now: int) -> int | None:
    """The end of the session that an instant lies in, else of the next one."""
    zone = zone_rows(EXCHANGE_ZONE, now // DAY_NS + EPOCH_ORDINAL)
    hours = Hours(zone, (window,), (), {})
    begins = now if hours.closes_at(now) is not None else hours.next_start(now)
    return None if begins is None else hours.closes_at(begins)


def _next_time(seconds: int, now: int, day: Day) -> int:
    zone = day.zones[day.timezone]
    ordinal, _ = local_time(zone, now)
    today = instant(zone, ordinal, seconds)
    return today if today > now else instant(zone, ordinal + 1, seconds)


def _written(text: str) -> int | None:
    """An instant with its offset or Z, seconds and the minutes of the offset left out or not."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    day, minute, seconds, zone = match.groups()
    if zone != "z":
        zone = f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}"
    try:
        return read_instant(f"{day}T{minute}{seconds or ':00'}{zone}")
    except ValueError:
        return None
