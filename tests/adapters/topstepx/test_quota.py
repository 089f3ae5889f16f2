"""The broker's limits are kept, and closes wait for nothing but them (RULES.md 1.6 "Pace")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.topstepx.quota import BARS_PATH, CLOSE_PATHS, LONGEST_PAUSE_NS, PAUSE_NS, Quota, pause_ns
from riskcore.core.quantities import SECOND_NS

PATH, CANCEL, CLOSE = "/api/Account/search", "/api/Order/cancel", "/api/Position/closeContract"
START = 1_795_262_400 * SECOND_NS  # 2026-11-21T12:00:00Z


def spend(quota: Quota, now: int, calls: int, path: str = PATH, *, enforcement: bool = False) -> None:
    for _ in range(calls):
        assert quota.delay_ns(now, path, enforcement) == 0
        quota.spend(now, path)


@pytest.mark.parametrize("close", CLOSE_PATHS)
def test_closes_have_a_share_that_neither_looks_nor_cancels_may_use(close: str) -> None:
    quota = Quota()
    spend(quota, START, 160, CANCEL, enforcement=True)
    assert quota.delay_ns(START, CANCEL, True) == 61 * SECOND_NS
    assert quota.delay_ns(START, PATH, True) == 61 * SECOND_NS
    spend(quota, START, 40, close, enforcement=True)
    assert quota.delay_ns(START, close, True) == 61 * SECOND_NS, "the window itself"
    later = START + 61 * SECOND_NS
    assert quota.delay_ns(later - 1, close, True) == 1
    assert quota.delay_ns(later, close, True) == 0


def test_the_share_of_closes_stays_free_however_many_there_were() -> None:
    quota = Quota()
    spend(quota, START, 100, CLOSE, enforcement=True)
    spend(quota, START, 60, CANCEL, enforcement=True)
    assert quota.delay_ns(START, CANCEL, True) > 0
    assert quota.delay_ns(START, CLOSE, True) == 0


def test_the_share_of_enforcement_stays_free_of_everything_else() -> None:
    quota = Quota()
    spend(quota, START, 120)
    assert quota.delay_ns(START, PATH, False) == 61 * SECOND_NS
    assert quota.delay_ns(START, CLOSE, False) == 61 * SECOND_NS, "a close that nobody must make"
    spend(quota, START, 40, CANCEL, enforcement=True)
    later = START + 61 * SECOND_NS
    assert quota.delay_ns(later - 1, PATH, False) == 1
    assert quota.delay_ns(later, PATH, False) == 0


def test_a_call_waits_until_enough_have_left_the_window() -> None:
    quota = Quota()
    spend(quota, START, 100)
    spend(quota, START + 10 * SECOND_NS, 20)
    for _ in range(80):
        quota.spend(START + 20 * SECOND_NS, CLOSE)
    now = START + 30 * SECOND_NS
    # 200 calls: 81 must leave for a question, 41 for a cancel, one for a close.
    assert quota.delay_ns(now, PATH, False) == 31 * SECOND_NS
    assert quota.delay_ns(now, CANCEL, True) == 31 * SECOND_NS
    for _ in range(30):
        quota.spend(now, CLOSE)
    # 230 calls, more than the broker takes: 111 must leave for a question.
    assert quota.delay_ns(now, PATH, False) == 41 * SECOND_NS
    assert quota.delay_ns(now, CLOSE, True) == 31 * SECOND_NS


def test_a_call_that_has_not_left_does_not_count() -> None:
    quota = Quota()
    spend(quota, START, 119)
    quota.spend(START, PATH)
    assert quota.delay_ns(START, PATH, False) > 0
    quota.give_back(START, PATH)
    assert quota.delay_ns(START, PATH, False) == 0
    quota.give_back(START + 1, PATH)
    assert quota.spent(START)[0].used == 119


@pytest.mark.parametrize(("used", "crowded"), [(79, False), (80, False), (81, True)])
def test_looks_are_to_be_few_when_more_than_half_of_their_share_is_used(used: int, crowded: bool) -> None:
    quota = Quota()
    spend(quota, START, used)
    assert quota.crowded(START) is crowded
    assert not quota.crowded(START + 61 * SECOND_NS)


def test_bars_have_a_limit_of_their_own() -> None:
    quota = Quota()
    spend(quota, START, 50, BARS_PATH)
    assert quota.delay_ns(START, BARS_PATH, False) == 31 * SECOND_NS
    assert quota.delay_ns(START, PATH, False) == 0
    spend(quota, START, 120)
    assert quota.delay_ns(START + 31 * SECOND_NS, BARS_PATH, False) == 0


# A call's path, whether it is enforcement, and how many calls of a window of twelve it leaves to others.
KINDS = (
    (PATH, False, 7),
    (PATH, True, 4),
    (CANCEL, True, 4),
    (CLOSE, False, 7),
    (CLOSE, True, 0),
    (BARS_PATH, False, 0),
)


@given(st.lists(st.tuples(st.integers(0, 20 * SECOND_NS), st.sampled_from(KINDS)), max_size=120))
def test_no_window_ever_holds_more(calls: list[tuple[int, tuple[str, bool, int]]]) -> None:
    quota = Quota(calls=12, closes=4, enforcement=3, bars=5)
    now, everything = START, []
    for pause, (path, enforcement, left) in calls:
        now += pause
        now += quota.delay_ns(now, path, enforcement)
        assert quota.delay_ns(now, path, enforcement) == 0
        quota.spend(now, path)
        everything.append((path == BARS_PATH, now, left))
    for bars, at, left in everything:
        limit, length_ns = (5, 30 * SECOND_NS) if bars else (12, 60 * SECOND_NS)
        known = [other for kind, other, _ in everything if kind is bars and at - length_ns <= other <= at]
        assert len(known) <= limit
        before = [other for other in known if other < at]
        assert len(before) < limit - left


def test_a_429_pauses_everything_but_enforcement() -> None:
    quota = Quota()
    quota.refused(START, PATH, "7")
    assert quota.delay_ns(START, PATH, False) == 7 * SECOND_NS
    assert [quota.delay_ns(START, path, True) for path in (PATH, CANCEL, CLOSE)] == [0, 0, 0]
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
