"""The trading day of an instant, daylight saving, weekends, holidays (RULES.md 1.4)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from riskcore.core.trading_day import offset_seconds, trade_date_of
from riskcore.errors import ConfigError
from riskcore.settings.calendar import calendar_known, day_for, holidays, zone_names, zone_rows, zones_of
from riskcore.settings.config import read_settings

SETTINGS = read_settings("").plain
SECOND = 1_000_000_000


def at(text: str) -> int:
    """Nanoseconds of a UTC time such as 2026-10-30T22:00:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("instant", "trade_date", "opens", "closes"),
    [
        # The four instants of RULES.md 1.4, each just before and at the reset.
        ("2026-10-30T21:59:59", "2026-10-30", "2026-10-29T22:00:00", "2026-10-30T22:00:00"),
        ("2026-10-30T22:00:00", "2026-11-02", "2026-10-30T22:00:00", "2026-11-02T23:00:00"),
        ("2026-11-01T22:59:59", "2026-11-02", "2026-10-30T22:00:00", "2026-11-02T23:00:00"),
        ("2026-11-01T23:00:00", "2026-11-02", "2026-10-30T22:00:00", "2026-11-02T23:00:00"),
        ("2026-11-02T23:00:00", "2026-11-03", "2026-11-02T23:00:00", "2026-11-03T23:00:00"),
        ("2026-03-06T22:59:59", "2026-03-06", "2026-03-05T23:00:00", "2026-03-06T23:00:00"),
        ("2026-03-06T23:00:00", "2026-03-09", "2026-03-06T23:00:00", "2026-03-09T22:00:00"),
        ("2026-03-09T21:59:59", "2026-03-09", "2026-03-06T23:00:00", "2026-03-09T22:00:00"),
        ("2026-03-09T22:00:00", "2026-03-10", "2026-03-09T22:00:00", "2026-03-10T22:00:00"),
        # Local midnight is no boundary, nor is UTC midnight.
        ("2026-11-18T06:00:00", "2026-11-18", "2026-11-17T23:00:00", "2026-11-18T23:00:00"),
        # Saturday and Sunday belong to Monday; a holiday does not merge days.
        ("2026-11-21T12:00:00", "2026-11-23", "2026-11-20T23:00:00", "2026-11-23T23:00:00"),
        ("2026-11-25T23:00:00", "2026-11-26", "2026-11-25T23:00:00", "2026-11-26T23:00:00"),
        ("2026-11-26T23:00:00", "2026-11-27", "2026-11-26T23:00:00", "2026-11-27T23:00:00"),
        ("2026-12-31T23:00:00", "2027-01-01", "2026-12-31T23:00:00", "2027-01-01T23:00:00"),
    ],
)
def test_the_trading_day_of_an_instant(instant: str, trade_date: str, opens: str, closes: str) -> None:
    day = day_for(SETTINGS, at(instant))
    assert (day.trade_date, day.opens_at, day.closes_at) == (trade_date, at(opens), at(closes))
    assert trade_date_of(day, at(instant)) == trade_date


@pytest.mark.slow
def test_days_follow_one_another_without_gap_for_three_years() -> None:
    day = day_for(SETTINGS, at("2024-06-01T00:00:00"))
    for _ in range(780):
        following = day_for(SETTINGS, day.closes_at)
        assert following.opens_at == day.closes_at
        assert following.trade_date > day.trade_date
        assert date.fromisoformat(following.trade_date).weekday() < 5
        day = following


def test_another_zone_and_reset_time() -> None:
    plain = read_settings('[profile]\ntimezone = "America/New_York"\nreset_time = "18:00"').plain
    day = day_for(plain, at("2026-11-18T22:59:59"))
    assert (day.trade_date, day.closes_at) == ("2026-11-18", at("2026-11-18T23:00:00"))
    assert list(day.zones) == ["America/Chicago", "America/New_York"]


@pytest.mark.slow
def test_zone_rows_agree_with_the_time_zone_database_every_hour() -> None:
    ordinal = date.fromisoformat("2026-11-18").toordinal()
    for name in ("America/Chicago", "Europe/London", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu"):
        rows = zone_rows(name, ordinal)
        zone = ZoneInfo(name)
        start = datetime(2026, 11, 18, tzinfo=UTC) - timedelta(days=370)
        for hour in range(770 * 24):
            moment = start + timedelta(hours=hour)
            offset = moment.astimezone(zone).utcoffset()
            assert offset is not None
            assert offset_seconds(rows, int(moment.timestamp()) * SECOND) == offset.total_seconds(), (name, moment)


def test_rows_change_at_the_second_of_the_change() -> None:
    rows = zone_rows("America/Chicago", date.fromisoformat("2026-11-18").toordinal())
    assert (at("2026-11-01T07:00:00"), -21_600) in rows
    assert (at("2027-03-14T08:00:00"), -18_000) in rows
    assert zone_rows("UTC", date.fromisoformat("2026-11-18").toordinal()) == ((at("2025-11-13T00:00:00"), 0),)


def test_zones_of_rules_and_overrides_are_carried_by_the_day() -> None:
    plain = {
        **SETTINGS,
        "rules": {"session_block_outside": [{"timezone": "Asia/Tokyo"}]},
        "accounts": {"A": {"session_block_outside": [{"timezone": "Europe/London"}]}},
    }
    assert zones_of(plain) == ("America/Chicago", "Asia/Tokyo", "Europe/London")
    assert list(day_for(plain, at("2026-11-18T12:00:00")).zones) == list(zones_of(plain))


@pytest.mark.parametrize(
    ("instant", "name", "close"),
    [
        ("2026-11-26T12:00:00", "Thanksgiving", "2026-11-26T18:00:00"),
        ("2026-11-27T12:00:00", "Day after Thanksgiving", "2026-11-27T18:15:00"),
        ("2025-07-03T12:00:00", "Day before Independence Day", "2025-07-03T17:15:00"),
        ("2026-12-25T12:00:00", "Christmas", None),
        ("2026-11-25T12:00:00", None, None),
    ],
)
def test_holidays_and_early_closes(instant: str, name: str | None, close: str | None) -> None:
    day = day_for(SETTINGS, at(instant))
    assert day.holiday == name
    assert day.early_close_at == (None if close is None else at(close))


def test_the_shipped_table_is_sound() -> None:
    rows = list(holidays().values())
    assert [row.date for row in rows] == sorted(row.date for row in rows)
    for row in rows:
        assert date.fromisoformat(row.date).weekday() < 5, row
        assert row.close_seconds is None or 8 * 3600 <= row.close_seconds < 15 * 3600
    for name, month, weekday in (("Thanksgiving", 11, 3), ("Labor Day", 9, 0), ("Memorial Day", 5, 0)):
        found = [date.fromisoformat(row.date) for row in rows if row.name == name]
        assert [day.year for day in found] == [2024, 2025, 2026, 2027]
        assert all((day.month, day.weekday()) == (month, weekday) for day in found)


def test_years_the_table_knows() -> None:
    assert [year for year in range(2020, 2032) if calendar_known(year)] == [2024, 2025, 2026, 2027]


@pytest.mark.parametrize("instant", [-1, 0, 10**30])
def test_an_absurd_instant_is_refused(instant: int) -> None:
    with pytest.raises(ConfigError, match="absurd"):
        day_for(SETTINGS, instant)


def test_unknown_zones_are_refused() -> None:
    assert "America/Chicago" in zone_names()
    for name in ("Mars/Base", "america/chicago", "../zones", ""):
        with pytest.raises(ConfigError, match="unknown"):
            zone_rows(name, date.fromisoformat("2026-11-18").toordinal())
