"""The trading day: half-open, named by the date it ends on, true through both clock changes (RULES.md 1.4)."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import trading_day as days
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Day
from tests.core.ledger import CHICAGO, nanoseconds, zone_rows

RESET = 17 * 3600
ZONE = zone_rows("America/Chicago", datetime(2026, 7, 1, tzinfo=CHICAGO))


def utc(text: str) -> int:
    return nanoseconds(datetime.fromisoformat(text + "+00:00"))


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-10-30", "2026-10-30 22:00"),
        ("2026-11-01", "2026-11-01 23:00"),
        ("2026-03-06", "2026-03-06 23:00"),
        ("2026-03-09", "2026-03-09 22:00"),
    ],
)
def test_the_resets_of_rules_md_1_4(local: str, instant: str) -> None:
    assert days.instant(ZONE, ordinal(local), RESET) == utc(instant)
    assert days.local_time(ZONE, utc(instant)) == (ordinal(local), RESET)


@pytest.mark.parametrize(
    ("at", "trade_date"),
    [
        ("2026-11-20 22:59:59.999999", "2026-11-20"),  # Friday, one microsecond before the reset
        ("2026-11-20 23:00", "2026-11-23"),  # Friday's reset opens Monday
        ("2026-11-21 12:00", "2026-11-23"),  # Saturday
        ("2026-11-22 22:59:59", "2026-11-23"),  # Sunday before the open
        ("2026-11-22 23:00", "2026-11-23"),  # Sunday 17:00 onward
        ("2026-11-23 06:00", "2026-11-23"),  # local midnight is no boundary
        ("2026-11-23 22:59:59", "2026-11-23"),
        ("2026-11-23 23:00", "2026-11-24"),
        ("2026-10-30 21:59:59", "2026-10-30"),
        ("2026-10-30 22:00", "2026-11-02"),
        ("2026-11-01 23:00", "2026-11-02"),
        ("2026-03-06 23:00", "2026-03-09"),
        ("2026-03-09 22:00", "2026-03-10"),
    ],
)
def test_trade_dates(at: str, trade_date: str) -> None:
    assert days.date_text(days.trade_ordinal(ZONE, RESET, utc(at))) == trade_date


def test_the_first_row_covers_everything_before_it() -> None:
    zone = ((utc("2026-01-01 00:00"), -21_600), (utc("2026-06-01 00:00"), -18_000))
    assert days.offset_seconds(zone, utc("1970-01-01 00:00")) == -21_600
    assert days.offset_seconds(zone, utc("2026-06-01 00:00") - 1) == -21_600
    assert days.offset_seconds(zone, utc("2026-06-01 00:00")) == -18_000


def test_a_time_that_does_not_exist_moves_forward_by_the_gap() -> None:
    assert days.instant(ZONE, ordinal("2026-03-08"), 2 * 3600 + 1800) == utc("2026-03-08 08:30")


@pytest.mark.parametrize(("text", "number"), [("2026-11-16", 0), ("2026-11-20", 4), ("2026-11-22", 6)])
def test_weekdays_begin_with_monday(text: str, number: int) -> None:
    assert days.weekday(date.fromisoformat(text).toordinal()) == number
    assert days.WEEKDAYS[number] == date.fromisoformat(text).strftime("%a")


def test_monday_opens_at_fridays_reset_and_is_longer_or_shorter_by_the_clock_change() -> None:
    hours = {
        text: (closes - opens) // SECOND_NS / 3600
        for text in ("2026-11-20", "2026-11-23", "2026-11-02", "2026-03-09")
        for opens, closes in [days.day_bounds(ZONE, RESET, ordinal(text))]
    }
    assert hours == {"2026-11-20": 24, "2026-11-23": 72, "2026-11-02": 73, "2026-03-09": 71}


def test_an_instant_of_another_day_is_dated_by_the_calendar_of_the_open_day() -> None:
    opens_at, closes_at = days.day_bounds(ZONE, RESET, ordinal("2026-11-23"))
    day = Day("2026-11-23", opens_at, closes_at, "America/Chicago", RESET, {"America/Chicago": ZONE})
    assert days.trade_date_of(day, opens_at) == days.trade_date_of(day, closes_at - 1) == "2026-11-23"
    assert days.trade_date_of(day, opens_at - 1) == "2026-11-20"
    assert days.trade_date_of(day, closes_at) == "2026-11-24"


@given(st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30)), st.integers(0, 86_399))
@settings(deadline=None)
def test_every_instant_lies_within_the_bounds_of_its_trading_day(moment: datetime, reset: int) -> None:
    at = nanoseconds(moment.replace(tzinfo=CHICAGO))
    day = days.trade_ordinal(ZONE, reset, at)
    opens_at, closes_at = days.day_bounds(ZONE, reset, day)
    assert days.weekday(day) < 5
    # A reset inside the repeated or the missing hour may name either of its two instants.
    hour = 3600 * SECOND_NS
    assert opens_at - hour <= at < closes_at + hour
    if not (1 <= reset // 3600 < 3):
        assert opens_at <= at < closes_at


@given(st.dates(date(2026, 1, 5), date(2026, 12, 20)))
@settings(deadline=None)
def test_days_follow_each_other_without_gap(day: date) -> None:
    if day.weekday() < 5:
        following = day + timedelta(days=3 if day.weekday() == 4 else 1)
        closes_at = days.day_bounds(ZONE, RESET, day.toordinal())[1]
        assert days.day_bounds(ZONE, RESET, following.toordinal())[0] == closes_at
