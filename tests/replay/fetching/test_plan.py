"""Days, windows, hours and gaps of a download."""

from itertools import pairwise

import pytest

from replay.fetching.missing import duration_text, remaining_seconds, rolls
from replay.fetching.plan import HOUR_NS, BarUnit, gaps, halves, trading_days, trading_hours, windows
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text
from riskcore.settings.config import read_settings

PLAIN = read_settings("").plain


def dates(first: str, last: str) -> list[str]:
    return [day.trade_date for day in trading_days(PLAIN, first, last)]


def text(at: int) -> str:
    return utc_text(at)[:16]


def hours(date: str) -> list[tuple[str, str]]:
    (day,) = trading_days(PLAIN, date, date)
    return [(text(start), text(end)) for start, end in trading_hours(day)]


class TestDays:
    def test_both_ends_belong_to_the_range_and_week_ends_are_no_trading_days(self) -> None:
        assert dates("2026-11-19", "2026-11-24") == ["2026-11-19", "2026-11-20", "2026-11-23", "2026-11-24"]
        assert dates("2026-11-20", "2026-11-20") == ["2026-11-20"]
        assert dates("2026-11-21", "2026-11-22") == []

    def test_the_clocks_change_between_two_days(self) -> None:
        before, after = trading_days(PLAIN, "2026-10-30", "2026-11-02")
        assert text(before.opens_at) == "2026-10-29T22:00"
        assert (text(after.opens_at), text(after.closes_at)) == ("2026-10-30T22:00", "2026-11-02T23:00")
        before, after = trading_days(PLAIN, "2026-03-06", "2026-03-09")
        assert (text(after.opens_at), text(after.closes_at)) == ("2026-03-06T23:00", "2026-03-09T22:00")

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            ("2026-11-20", "2026-11-19", "later than --to"),
            ("2026-13-01", "2026-12-01", "write it as YYYY-MM-DD"),
            ("2026-11-01", "tomorrow", "--to 'tomorrow'"),
            ("20261101", "2026-11-19", "write it as YYYY-MM-DD"),
            ("2026-W45-1", "2026-11-19", "write it as YYYY-MM-DD"),
            ("1999-12-31", "2026-11-19", "--from 1999-12-31: choose a date"),
            ("2026-11-19", "2100-01-01", "--to 2100-01-01: choose a date"),
        ],
    )
    def test_ranges_that_are_none(self, first: str, last: str, words: str) -> None:
        with pytest.raises(ConfigError, match=words):
            trading_days(PLAIN, first, last)


class TestWindows:
    def test_they_cover_every_day_once_and_no_more_than_a_week(self) -> None:
        days = trading_days(PLAIN, "2026-10-14", "2026-11-19")
        found = windows(days)
        assert [day for window in found for day in window.days] == days
        assert [len(window.days) for window in found] == [3, 5, 5, 5, 5, 4]
        assert all(earlier.end <= later.start for earlier, later in pairwise(found))

    def test_days_that_do_not_follow_one_another_are_asked_for_apart(self) -> None:
        monday, _, wednesday = trading_days(PLAIN, "2026-11-16", "2026-11-18")
        assert [window.days for window in windows([wednesday, monday])] == [(monday,), (wednesday,)]

    def test_seconds_are_asked_for_by_the_day(self) -> None:
        days = trading_days(PLAIN, "2026-11-16", "2026-11-18")
        assert BarUnit("second", 59).most_days == 1
        assert BarUnit("second", 60).most_days == BarUnit("minute").most_days == 7
        assert len(windows(days, 1)) == 3

    def test_no_bar_is_older_than_the_market_of_a_monday_holidays_or_not(self) -> None:
        (week,) = windows(trading_days(PLAIN, "2026-11-16", "2026-11-20"))
        assert (text(week.start), text(week.first_bar_at)) == ("2026-11-13T23:00", "2026-11-15T23:00")
        (christmas,) = windows(trading_days(PLAIN, "2026-12-25", "2026-12-25"))
        assert christmas.first_bar_at == christmas.start

    def test_halves_meet_and_lose_nothing(self) -> None:
        (start, middle), (again, end) = halves(0, 7 * SECOND_NS)
        assert (start, middle, again, end) == (0, 3 * SECOND_NS, 3 * SECOND_NS, 7 * SECOND_NS)


class TestUnits:
    def test_numbers_of_the_broker(self) -> None:
        assert [BarUnit(name).code for name in ("second", "minute", "hour", "day")] == [1, 2, 3, 4]
        assert BarUnit("minute", 5).length_ns == 5 * MINUTE_NS
        assert str(BarUnit("minute", 5)) == "5-minute"

    @pytest.mark.parametrize(
        ("unit", "coarser"),
        [
            (BarUnit("minute", 59), ["1-hour", "1-day"]),
            (BarUnit("minute", 60), ["1-day"]),
            (BarUnit("hour", 23), ["1-day"]),
            (BarUnit("day"), []),
        ],
    )
    def test_what_may_stand_in(self, unit: BarUnit, coarser: list[str]) -> None:
        assert [str(one) for one in unit.coarser()] == coarser


class TestHours:
    def test_a_day_without_its_halt(self) -> None:
        assert hours("2026-11-19") == [("2026-11-18T23:00", "2026-11-19T22:00")]

    def test_monday_without_its_week_end_on_both_sides_of_a_change_of_clocks(self) -> None:
        assert hours("2026-11-02") == [("2026-11-01T23:00", "2026-11-02T22:00")]
        assert hours("2026-03-09") == [("2026-03-08T22:00", "2026-03-09T21:00")]

    def test_holidays_and_early_closes(self) -> None:
        assert hours("2026-12-25") == []
        ((_, closes),) = hours("2026-11-27")
        assert closes < "2026-11-27T22:00"

    def test_a_day_that_begins_at_another_time(self) -> None:
        plain = read_settings('[profile]\nreset_time = "00:00"\n').plain
        (day,) = trading_days(plain, "2026-11-19", "2026-11-19")
        found = [(text(start), text(end)) for start, end in trading_hours(day)]
        assert found == [
            (text(day.opens_at), "2026-11-18T22:00"),
            ("2026-11-18T23:00", text(day.closes_at)),
        ]


class TestGaps:
    HOURS = ((0, 10 * HOUR_NS),)

    def found(self, *minutes: int, unit: BarUnit | None = None) -> list[tuple[int, int]]:
        opened = [minute * MINUTE_NS for minute in minutes]
        return [(a // MINUTE_NS, b // MINUTE_NS) for a, b in gaps(self.HOURS, opened, unit or BarUnit("minute"))]

    @pytest.mark.parametrize(("minutes", "is_gap"), [(59, False), (60, True), (61, True)])
    def test_an_hour_without_a_bar_is_one(self, minutes: int, is_gap: bool) -> None:
        opened = [at for at in range(600) if not 100 < at <= 100 + minutes]
        assert self.found(*opened) == ([(101, 101 + minutes)] if is_gap else [])

    def test_beginning_and_end_count_too(self) -> None:
        assert self.found(*range(60, 540)) == [(0, 60), (540, 600)]
        assert self.found() == [(0, 600)]

    def test_three_bars_make_a_gap_of_longer_ones(self) -> None:
        hour = BarUnit("hour")
        assert self.found(*(at * 60 for at in range(10) if at not in (4, 5)), unit=hour) == []
        assert self.found(*(at * 60 for at in range(10) if at not in (4, 5, 6)), unit=hour) == [(240, 420)]

    def test_no_hours_no_gap(self) -> None:
        assert gaps([], [], BarUnit("minute")) == []


class TestRolls:
    def test_a_later_month_is_a_roll_and_an_earlier_one_is_none(self) -> None:
        by_day = {
            "2026-09-11": {"CON.F.US.MNQ.U26", "CON.F.US.EP.U26"},
            "2026-09-14": {"CON.F.US.MNQ.U26", "CON.F.US.MNQ.Z26"},
            "2026-09-15": {"CON.F.US.MNQ.U26"},
            "2026-12-14": {"CON.F.US.MNQ.H27"},
        }
        found = [(row["root"], row["from"], row["to"], row["trade_date"]) for row in rolls(by_day, {})]
        assert found == [
            ("MNQ", "CON.F.US.MNQ.U26", "CON.F.US.MNQ.Z26", "2026-09-14"),
            ("MNQ", "CON.F.US.MNQ.Z26", "CON.F.US.MNQ.H27", "2026-12-14"),
        ]


class TestRemainingTime:
    def test_the_pace_counts_and_the_quota_bounds_it(self) -> None:
        assert remaining_seconds(2, 8, 4 * SECOND_NS, 0.0) == 16
        assert remaining_seconds(2, 8, 4 * SECOND_NS, 31.0) == 31
        assert remaining_seconds(0, 8, 0, 0.0) == 0

    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [(0.4, "0 s"), (89.9, "89 s"), (90, "2 min"), (5_340, "89 min"), (5_341, "1 h 30 min"), (7_801, "2 h 11 min")],
    )
    def test_words(self, seconds: float, shown: str) -> None:
        assert duration_text(seconds) == shown
