"""The broker's limits are kept by everything but enforcement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.topstepx.quota import BARS_PATH, LONGEST_PAUSE_NS, PAUSE_NS, Quota, pause_ns
from riskcore.core.quantities import SECOND_NS

PATH = "/api/Account/search"
START = 1_795_262_400 * SECOND_NS  # 2026-11-21T12:00:00Z


def spend(quota: Quota, now: int, calls: int, path: str = PATH) -> None:
    for _ in range(calls):
        assert quota.delay_ns(now, path, False) == 0
        quota.spend(now, path)


def test_the_share_of_enforcement_stays_free() -> None:
    quota = Quota()
    spend(quota, START, 160)
    assert quota.delay_ns(START, PATH, False) == 61 * SECOND_NS
    assert quota.delay_ns(START, PATH, True) == 0
    later = START + 61 * SECOND_NS
    assert quota.delay_ns(later - 1, PATH, False) == 1
    assert quota.delay_ns(later, PATH, False) == 0


def test_a_call_waits_until_enough_have_left_the_window() -> None:
    quota = Quota()
    spend(quota, START, 100)
    spend(quota, START + 10 * SECOND_NS, 60)
    for _ in range(150):  # Enforcement over its share, and over the quota.
        quota.spend(START + 20 * SECOND_NS, PATH)
    now = START + 30 * SECOND_NS
    assert quota.delay_ns(now, PATH, True) == 0
    # 310 calls: 151 must leave, the last of them one of the sixty.
    assert quota.delay_ns(now, PATH, False) == 41 * SECOND_NS


def test_bars_have_a_limit_of_their_own() -> None:
    quota = Quota()
    spend(quota, START, 50, BARS_PATH)
    assert quota.delay_ns(START, BARS_PATH, False) == 31 * SECOND_NS
    assert quota.delay_ns(START, PATH, False) == 0
    spend(quota, START, 160)
    assert quota.delay_ns(START + 31 * SECOND_NS, BARS_PATH, False) == 0


@given(
    st.lists(st.tuples(st.integers(0, 20 * SECOND_NS), st.booleans(), st.sampled_from([PATH, BARS_PATH])), max_size=120)
)
def test_no_window_ever_holds_more(calls: list[tuple[int, bool, str]]) -> None:
    quota = Quota(calls=12, reserved=4, bars=5)
    now, others, everything = START, [], []
    for pause, enforcement, path in calls:
        now += pause
        if enforcement:
            assert quota.delay_ns(now, path, True) == 0
        else:
            now += quota.delay_ns(now, path, False)
            assert quota.delay_ns(now, path, False) == 0
            others.append((path, now))
        quota.spend(now, path)
        everything.append((path, now))
    for path, length, most in ((PATH, 60, 8), (BARS_PATH, 30, 5)):
        instants = [at for called, at in others if called == path]
        for first in instants:
            assert sum(first <= at <= first + length * SECOND_NS for at in instants) <= most
    for path, at in others:  # Each of them left room for the reserve, whatever enforcement had spent.
        limit, length = (8, 60) if path == PATH else (5, 30)
        before = [one for called, one in everything if called == path and at - length * SECOND_NS <= one < at]
        assert len(before) < limit + 1


def test_a_429_pauses_everything_but_enforcement() -> None:
    quota = Quota()
    quota.refused(START, PATH, "7")
    assert quota.delay_ns(START, PATH, False) == 7 * SECOND_NS
    assert quota.delay_ns(START, PATH, True) == 0
    assert quota.delay_ns(START, BARS_PATH, False) == 0
    quota.refused(START, PATH, "2")
    assert quota.delay_ns(START, PATH, False) == 7 * SECOND_NS
    assert quota.delay_ns(START + 7 * SECOND_NS, PATH, False) == 0


def test_what_is_used_and_left_can_be_told() -> None:
    quota = Quota()
    spend(quota, START, 3)
    spend(quota, START + 30 * SECOND_NS, 2)
    spend(quota, START, 1, BARS_PATH)
    calls, bars = quota.spent(START + 40 * SECOND_NS)
    assert (calls.used, calls.left, calls.limit, calls.used_percent, calls.paused_seconds) == (5, 195, 200, 2, 0)
    assert (bars.used, bars.left) == (0, 50), "they have left the window"
    assert quota.spent(START + 61 * SECOND_NS)[0].used == 2
    quota.refused(START + 40 * SECOND_NS, PATH, "7")
    paused = quota.spent(START + 41 * SECOND_NS)[0]
    assert (paused.paused_seconds, paused.used_percent) == (6, 100)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, PAUSE_NS),
        ("", PAUSE_NS),
        ("soon", PAUSE_NS),
        ("-5", PAUSE_NS),
        ("0", 0),
        (" 12 ", 12 * SECOND_NS),
        ("99999999999999", LONGEST_PAUSE_NS),
        ("Sat, 21 Nov 2026 12:00:09 GMT", 9 * SECOND_NS),
        ("Sat, 21 Nov 2026 12:00:09 -0000", 9 * SECOND_NS),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 22:00:00 GMT", LONGEST_PAUSE_NS),
        ("Sat, 21 Nov 99999 22:00:00 GMT", PAUSE_NS),
    ],
)
def test_retry_after(header: str | None, expected: int) -> None:
    assert pause_ns(header, START) == expected
