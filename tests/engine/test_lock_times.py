"""Until when a personal lockout lasts (RULES.md 7)."""

import pytest

from riskcore.engine.lock_times import PRESETS, lock_until
from riskcore.errors import ConfigError
from riskcore.schema.instants import instant_ns, utc_text
from riskcore.settings.calendar import day_for
from riskcore.settings.config import read_settings


def ns(text: str) -> int:
    return instant_ns(f"{text}.000000000Z")


def ends(text: str, now: str) -> str:
    """UTC in, UTC out; the profile's clock is Chicago's."""
    at = ns(now)
    return utc_text(lock_until(text, at, day_for(read_settings("").plain, at)))


FRIDAY_NOON = "2026-11-20T18:00:00"  # 12:00 in Chicago.


@pytest.mark.parametrize(
    ("text", "now", "end"),
    [
        ("15m", FRIDAY_NOON, "2026-11-20T18:15:00Z"),
        ("60m", FRIDAY_NOON, "2026-11-20T19:00:00Z"),
        ("1h30m", FRIDAY_NOON, "2026-11-20T19:30:00Z"),
        ("2d", FRIDAY_NOON, "2026-11-22T18:00:00Z"),
        ("day", FRIDAY_NOON, "2026-11-20T23:00:00Z"),
        ("All Day", FRIDAY_NOON, "2026-11-20T23:00:00Z"),
        ("new-york", FRIDAY_NOON, "2026-11-20T22:00:00Z"),
        ("New York", "2026-11-20T22:00:00", "2026-11-23T22:00:00Z"),
        ("london", "2026-11-20T16:59:59", "2026-11-20T17:00:00Z"),
        ("london", "2026-11-20T17:00:00", "2026-11-23T17:00:00Z"),
        ("tokyo", FRIDAY_NOON, "2026-11-23T09:00:00Z"),
        ("tokyo", "2026-11-20T08:59:59", "2026-11-20T09:00:00Z"),
        ("sydney", FRIDAY_NOON, "2026-11-23T07:00:00Z"),
        ("15:30", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("12:00", FRIDAY_NOON, "2026-11-21T18:00:00Z"),
        ("9:05", FRIDAY_NOON, "2026-11-21T15:05:00Z"),
        ("2026-11-20T21:30:00Z", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("2026-11-20T15:30:00-06:00", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("2026-11-20 21:30:00Z", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("2026-11-20t21:30z", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("2026-11-20T15:30-0600", FRIDAY_NOON, "2026-11-20T21:30:00Z"),
        ("2026-11-20T15:30:00.5-06", FRIDAY_NOON, "2026-11-20T21:30:00.500000Z"),
        ("new-york", "2026-03-09T20:00:00", "2026-03-09T21:00:00Z"),  # Summer time since the day before.
    ],
)
def test_when_a_lockout_ends(text: str, now: str, end: str) -> None:
    assert ends(text, now) == end


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a time to lock until"),
        ("soon", "not a time to lock until"),
        ("24:00", "not a time to lock until"),
        ("2026-11-20T21:30:00", "not a time to lock until"),
        ("2026-11-31T21:30:00Z", "not a time to lock until"),
        ("2026-11-20T21:30Z00", "not a time to lock until"),
        ("0m", "over already"),
        ("2026-11-20T18:00:00Z", "over already"),
        ("31d1m", "more than 31 days"),
    ],
)
def test_what_cannot_be_locked_until(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        ends(text, FRIDAY_NOON)


@pytest.mark.parametrize("text", ["0m", "0h", "0d0h0m"])
def test_a_duration_of_nothing_locks_nothing_between_two_seconds_either(text: str) -> None:
    at = ns(FRIDAY_NOON) + 1
    with pytest.raises(ConfigError, match="over already"):
        lock_until(text, at, day_for(read_settings("").plain, at))


def test_the_longest_lockout_is_allowed() -> None:
    assert ends("31d", FRIDAY_NOON) == "2026-12-21T18:00:00Z"


def test_a_duration_ends_on_the_full_second_and_not_too_early() -> None:
    at = ns(FRIDAY_NOON) + 1
    day = day_for(read_settings("").plain, at)
    assert utc_text(lock_until("15m", at, day)) == "2026-11-20T18:15:01Z"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_ends_later(preset: str) -> None:
    assert ends(preset, FRIDAY_NOON) > f"{FRIDAY_NOON}Z"
