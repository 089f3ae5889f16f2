"""Sessions of a list of windows: half-open, joined where they touch, in local time (RULES.md 5, RULE-009)."""

from datetime import datetime, timedelta
from random import Random

import pytest

from riskcore.core.rules.session_hours import JOINED_WINDOWS, Hours, Window
from tests.core.ledger import CHICAGO, nanoseconds, zone_rows

EVERY_DAY = tuple(range(7))
HOUR = 3600


def hours(*windows: Window, around: str = "2026-11-20", **options: object) -> Hours:
    zone = zone_rows("America/Chicago", datetime.fromisoformat(around).replace(tzinfo=CHICAGO))
    return Hours(zone, windows, **{"holidays": (), "early_closes": {}, **options})  # type: ignore[arg-type]


def local(text: str) -> int:
    return nanoseconds(datetime.fromisoformat(text).replace(tzinfo=CHICAGO))


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        ("2026-11-20 07:59:59.999999", None),
        ("2026-11-20 08:00:00", "2026-11-20 15:00:00"),
        ("2026-11-20 14:59:59.999999", "2026-11-20 15:00:00"),
        ("2026-11-20 15:00:00", None),
        ("2026-11-21 09:00:00", None),  # A Saturday.
    ],
)
def test_a_session_is_half_open(at: str, closes: str | None) -> None:
    weekdays = hours(Window((0, 1, 2, 3, 4), 8 * HOUR, 15 * HOUR))
    assert weekdays.closes_at(local(at)) == (None if closes is None else local(closes))


def test_windows_that_join_day_after_day_are_looked_along_only_so_far() -> None:
    whole = hours(Window(EVERY_DAY, 0, 12 * HOUR), Window(EVERY_DAY, 12 * HOUR, 0), around="2026-12-01")
    start = datetime(2026, 12, 1, 1, tzinfo=CHICAGO)
    closes = whole.closes_at(nanoseconds(start))
    assert closes == nanoseconds(start.replace(hour=0) + timedelta(hours=12 * JOINED_WINDOWS))


def test_a_window_inside_the_hour_that_the_clock_skips_into_its_end_is_no_session() -> None:
    skipped = hours(Window((6,), 2 * HOUR + 1800, 3 * HOUR), around="2026-03-08")
    assert skipped.closes_at(local("2026-03-08 03:15:00")) is None
    assert skipped.closes_at(local("2026-03-08 01:59:59")) is None
    assert skipped.next_start(local("2026-03-07 12:00:00")) == local("2026-03-15 02:30:00")


def test_the_next_start_is_after_the_instant_and_none_when_all_is_holiday() -> None:
    daily = hours(Window(EVERY_DAY, 8 * HOUR, 15 * HOUR))
    assert daily.next_start(local("2026-11-20 08:00:00")) == local("2026-11-21 08:00:00")
    assert daily.next_start(local("2026-11-20 07:59:59")) == local("2026-11-20 08:00:00")
    assert hours().next_start(local("2026-11-20 08:00:00")) is None


@pytest.mark.parametrize("seed", range(20))
def test_what_was_asked_before_changes_no_answer(seed: int) -> None:
    """Instants in any order, also back in time, some at and beside the ends of windows."""
    random = Random(seed)
    windows = [
        Window(tuple(sorted(random.sample(EVERY_DAY, random.randint(1, 7)))), *random.sample(range(24), 2))
        for _ in range(random.randint(1, 3))
    ]
    windows = [Window(one.days, one.start * HOUR, one.end * HOUR) for one in windows]
    given = {"holidays": random.choice(((), ("2026-11-18",))), "early_closes": {"2026-11-19": 12 * HOUR}}
    asked = hours(*windows, **given)
    start = local("2026-11-16 00:00:00")
    for _ in range(300):
        at = start + random.randrange(7 * 24 * 4) * HOUR * 250_000_000 + random.choice((-1, 0, 1))
        assert asked.closes_at(at) == hours(*windows, **given).closes_at(at)
