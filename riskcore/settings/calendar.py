"""The calendar of a trading day: zone rows, bounds, holidays. Everything the core needs is put into a `Day`.

Zones come from the `tzdata` package and never from the system, so that every machine gives the same rows.
Holidays come from the shipped table holidays.csv (CME equity index products; RULES.md 1.4, DESIGN.md "Money and time").
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from riskcore.core.quantities import DAY_NS, SECOND_NS
from riskcore.core.state import Day
from riskcore.core.trading_day import EPOCH_ORDINAL, EXCHANGE_ZONE, Zone, date_text, day_bounds, instant, trade_ordinal
from riskcore.errors import ConfigError

DAYS_BEFORE = 370  # Covers a lockout or a broker time from the year before.
DAYS_AFTER = 400  # Covers the next allowed session, however far holidays push it.
WARNED_DAYS = 30  # The table is said to end so long before it does.
LAST_YEARS = 200  # An instant further from 1970 is a transmission error.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Holiday:
    """One row of holidays.csv. close_seconds: early close in Chicago seconds since midnight, None = closed all day."""

    date: str
    name: str
    close_seconds: int | None


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA zone name a setting may carry."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=32)
def _zone_info(name: str) -> ZoneInfo:
    if name not in zone_names():
        raise ConfigError(f"timezone {name!r} is unknown; write an IANA name such as {EXCHANGE_ZONE}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _offset(zone: ZoneInfo, seconds: int) -> int:
    """Offset from UTC at an instant given in seconds since 1970."""
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    assert offset is not None, "an aware time always has an offset"
    return offset // timedelta(seconds=1)


@lru_cache(maxsize=64)
def zone_rows(name: str, ordinal: int) -> Zone:
    """Rows (from instant, offset in seconds) of a zone round a trade date. Raises ConfigError for an unknown zone.

    The first row starts DAYS_BEFORE the date; the others are the changes up to DAYS_AFTER it.
    """
    zone = _zone_info(name)
    start = (ordinal - DAYS_BEFORE - EPOCH_ORDINAL) * _SECONDS_OF_A_DAY
    end = (ordinal + DAYS_AFTER - EPOCH_ORDINAL) * _SECONDS_OF_A_DAY
    known = _offset(zone, start)
    rows = [(start * SECOND_NS, known)]
    for after in range(start + _SECONDS_OF_A_DAY, end + 1, _SECONDS_OF_A_DAY):
        offset = _offset(zone, after)
        if offset != known:
            change = _first_second_with(zone, offset, after - _SECONDS_OF_A_DAY, after)
            rows.append((change * SECOND_NS, offset))
            known = offset
    return tuple(rows)


def _first_second_with(zone: ZoneInfo, offset: int, before: int, after: int) -> int:
    """The second at which the zone changes to `offset`, known to lie in (before, after]."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


@lru_cache(maxsize=1)
def holidays() -> Mapping[str, Holiday]:
    """The shipped table by date."""
    text = files("riskcore").joinpath("holidays.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        close = row["close"]
        hours, _, minutes = close.partition(":")
        found[row["date"]] = Holiday(
            row["date"], row["name"], None if close == "closed" else int(hours) * 3600 + int(minutes) * 60
        )
    return found


def calendar_known(year: int) -> bool:
    """Whether the shipped table covers a year. An unknown one stops `live`; a replay only warns."""
    return any(day.startswith(f"{year:04d}-") for day in holidays())


def calendar_ends() -> str:
    """The last date the shipped table covers."""
    return f"{max(holidays())[:4]}-12-31"


def calendar_warnings(today: date) -> list[str]:
    """What to say when the shipped table soon ends."""
    if date.fromisoformat(calendar_ends()) - today > timedelta(days=WARNED_DAYS):
        return []
    return [f"the holidays and early closes after {calendar_ends()} are not known: install a newer riskcore before"]


def zones_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The zones plain settings mention, sorted: the profile's, the exchange's and those of every rule."""
    tables = [settings.get("rules", {}), *settings.get("accounts", {}).values()]
    names = {EXCHANGE_ZONE, settings["profile"]["timezone"]}
    for rules in tables:
        names.update(plain["timezone"] for instances in rules.values() for plain in instances if "timezone" in plain)
    return tuple(sorted(names))


def day_for(settings: Mapping[str, Any], at_ns: int) -> Day:
    """The trading day of plain settings (`Settings.plain`) an instant belongs to. Raises ConfigError.

    `zones` has rows for every zone the settings mention, so that the day replays alone.
    """
    name, reset_seconds = settings["profile"]["timezone"], settings["profile"]["reset_seconds"]
    near = at_ns // DAY_NS + EPOCH_ORDINAL
    if not EPOCH_ORDINAL + DAYS_BEFORE < near < EPOCH_ORDINAL + LAST_YEARS * 366:
        raise ConfigError(f"no trading day for the instant {at_ns} ns since 1970: the year is absurd")
    ordinal = trade_ordinal(zone_rows(name, near), reset_seconds, at_ns)
    zones = {zone: zone_rows(zone, ordinal) for zone in zones_of(settings)}
    opens_at, closes_at = day_bounds(zones[name], reset_seconds, ordinal)
    holiday = holidays().get(date_text(ordinal))
    early_close_at = None
    if holiday is not None and holiday.close_seconds is not None:
        early_close_at = instant(zones[EXCHANGE_ZONE], ordinal, holiday.close_seconds)
    return Day(
        trade_date=date_text(ordinal),
        opens_at=opens_at,
        closes_at=closes_at,
        timezone=name,
        reset_seconds=reset_seconds,
        zones=zones,
        holiday=holiday.name if holiday is not None else None,
        early_close_at=early_close_at,
    )
