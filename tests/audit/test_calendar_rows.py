"""The hours of the next days: daylight saving, early closes, Fridays, closed days and their eves (PROG-HOURS)."""

from typing import Any

import pytest

from riskcore.audit.calendar_rows import calendar_rows
from riskcore.cli.calendar_command import calendar_text
from riskcore.schema.instants import read_instant
from riskcore.settings.config import read_settings

GRAINS, MEATS = ("ZC", "ZW", "ZS", "ZM", "ZL"), ("HE", "LE")


def rows(at: str, text: str = "[programme]", days: int = 1) -> dict[str, Any]:
    return calendar_rows(read_settings(text).plain, read_instant(at), days)


def day_of(at: str, text: str = "[programme]") -> dict[str, Any]:
    (day,) = rows(at, text)["days"]
    return dict(day)


def clocks(times: dict[str, Any]) -> tuple[str, ...]:
    return tuple(times[name]["local"][11:16] for name in ("last_entry", "flatten", "hard", "flat_by"))


def test_a_regular_day() -> None:
    day = day_of("2026-11-18T15:00:00Z")
    assert (day["trade_date"], day["weekday"], day["closed"], day["early_close"]) == ("2026-11-18", "Wed", False, None)
    assert day["session_opens"] == {"utc": "2026-11-17T23:00:00Z", "local": "2026-11-17 17:00:00"}
    assert day["next_session"] == day["reset"]
    (one,) = day["deadlines"]
    assert one["account"] is None
    assert clocks(one) == ("14:55", "15:05", "15:07", "15:10")
    assert one["source"] == "flat_by [8284206, 2026-07-13]"
    assert tuple(one["roots"]) == (*GRAINS, *MEATS)
    for root in GRAINS:
        assert clocks(one["roots"][root]) == ("13:05", "13:15", "13:17", "13:20")
    for root in MEATS:
        assert clocks(one["roots"][root]) == ("12:50", "13:00", "13:02", "13:05")
    assert one["roots"]["ZC"]["source"] == "own close [8284206, 2026-07-13]"


@pytest.mark.parametrize(
    ("at", "flat_by", "opens"),
    [
        # Chicago goes back on 2026-11-01 and forward on 2027-03-14; 2026 went forward on 03-08.
        ("2026-10-30T15:00:00Z", "2026-10-30T20:10:00Z", "2026-10-29T22:00:00Z"),
        ("2026-11-02T15:00:00Z", "2026-11-02T21:10:00Z", "2026-11-01T23:00:00Z"),
        ("2026-03-06T15:00:00Z", "2026-03-06T21:10:00Z", "2026-03-05T23:00:00Z"),
        ("2026-03-09T15:00:00Z", "2026-03-09T20:10:00Z", "2026-03-08T22:00:00Z"),
    ],
)
def test_both_daylight_saving_changes(at: str, flat_by: str, opens: str) -> None:
    day = day_of(at)
    assert day["deadlines"][0]["flat_by"]["utc"] == flat_by
    assert day["session_opens"]["utc"] == opens


def test_an_early_close_is_earlier_for_every_product() -> None:
    day = day_of("2026-11-27T15:00:00Z")
    assert day["early_close"]["local"] == "2026-11-27 12:15:00"
    (one,) = day["deadlines"]
    assert clocks(one) == ("11:45", "11:55", "11:57", "12:00")
    assert one["source"] == "15 min before the early close [13350348, 2026-09-18]"
    assert one["roots"] == {}
    # Its lockout ends at the Sunday opening.
    assert day["next_session"]["local"] == "2026-11-29 17:00:00"
    assert clocks(day_of("2026-11-26T15:00:00Z")["deadlines"][0])[3] == "11:45"


def test_an_own_earlier_time_wins_over_an_early_close() -> None:
    (one,) = day_of("2026-11-27T15:00:00Z", "[programme]\nflat_by = '11:00'")["deadlines"]
    assert clocks(one) == ("10:45", "10:55", "10:57", "11:00")
    assert one["source"].startswith("flat_by")


def test_a_friday_and_the_eve_of_a_closed_day() -> None:
    assert day_of("2026-11-20T15:00:00Z")["next_session"]["local"] == "2026-11-22 17:00:00"
    # Thursday before a closed Friday: the next trade date with a session is Monday.
    assert day_of("2026-12-24T15:00:00Z")["next_session"]["local"] == "2026-12-27 17:00:00"


def test_a_closed_day_has_no_session() -> None:
    day = day_of("2026-12-25T15:00:00Z")
    assert (day["closed"], day["holiday"], day["session_opens"], day["deadlines"]) == (True, "Christmas", None, [])


def test_a_sunday_evening_belongs_to_monday() -> None:
    for at in ("2026-11-20T23:30:00Z", "2026-11-22T23:30:00Z"):
        day = day_of(at)
        assert (day["trade_date"], day["session_opens"]["local"]) == ("2026-11-23", "2026-11-22 17:00:00")


def test_release_days() -> None:
    day = day_of("2026-12-10T15:00:00Z")
    assert day["release"]["from"]["local"] == "2026-12-10 07:25:00"
    assert day["release"]["until"]["local"] == "2026-12-10 07:35:00"
    assert day_of("2026-12-09T15:00:00Z")["release"] is None


def test_times_are_in_the_zone_of_the_profile() -> None:
    text = "[profile]\ntimezone = 'Europe/Berlin'\nreset_time = '00:00'\n[programme]"
    (one,) = day_of("2026-11-18T15:00:00Z", text)["deadlines"]
    assert clocks(one) == ("21:55", "22:05", "22:07", "22:10")


def test_an_account_with_other_hours_has_lines_of_its_own() -> None:
    first, second = day_of("2026-11-18T15:00:00Z", "[programme]\n[accounts.A.programme]\nflat_by = '13:10'")[
        "deadlines"
    ]
    assert (first["account"], clocks(first)[3]) == (None, "15:10")
    assert (second["account"], clocks(second)[3], tuple(second["roots"])) == ("A", "13:10", MEATS)


def test_without_a_programme_nothing_acts_and_the_page_says_so() -> None:
    result = rows("2026-11-18T15:00:00Z", "")
    assert (result["judged"], clocks(result["days"][0]["deadlines"][0])[3]) == (False, "15:10")
    assert "No [programme] is set, so nothing acts at them." in calendar_text(result)


def test_the_page() -> None:
    lines = calendar_text(rows("2026-12-24T15:00:00Z", days=3)).splitlines()
    assert lines[0] == "Times are in America/Chicago."
    assert lines[2] == "Thu 2026-12-24  Christmas Eve, closes 12:15"
    assert lines[3] == "  opens 2026-12-23 17:00, reset 2026-12-24 17:00, next session 2026-12-27 17:00"
    assert lines[4].startswith("  last entry 11:45, flatten 11:55, hard 11:57, flat by 12:00 (15 min before")
    assert lines[6] == "Fri 2026-12-25  closed: Christmas; the next session opens 2026-12-27 17:00"
    assert "  ZC ZW ZS ZM ZL: last entry 13:05, flatten 13:15, hard 13:17, flat by 13:20 (own close" in "\n".join(lines)
    assert lines[-1].startswith("Holidays and early closes are known until 2027-12-31, release days until 2026-12-31.")
