"""When the broker is asked: at once after a connection, each minute while the stream works, by polling without it."""

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.engine.snapshot_schedule import (
    FAILURES_TO_SLOW,
    FILLS_AWAITED_NS,
    LONGEST_GAP_NS,
    OVERLAP_NS,
    PERIOD_NS,
    POLL_NS,
    SLOW_POLL_NS,
    Lookout,
    is_missing_something,
    misses_fills,
)
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

NOW = 1_000 * SECOND_NS


def watching(*, streaming: bool = True) -> Lookout:
    lookout = Lookout()
    lookout.follow([1])
    lookout.stream(streaming)
    assert lookout.due(NOW) == [1]
    return lookout


def test_nothing_is_asked_twice_at_a_time() -> None:
    lookout = watching()
    assert lookout.due(NOW + PERIOD_NS * 9) == []


@pytest.mark.parametrize(("streaming", "period"), [(True, PERIOD_NS), (False, POLL_NS)])
def test_the_next_look_comes_after_the_period_of_the_mode(streaming: bool, period: int) -> None:
    lookout = watching(streaming=streaming)
    lookout.answered(1, NOW, True)
    assert lookout.due(NOW + period - 1) == []
    assert lookout.due(NOW + period) == [1]
    assert lookout.succeeded_at(1) == NOW


def test_a_look_is_hastened_where_none_is_on_its_way_and_none_has_failed() -> None:
    lookout = watching()
    lookout.hasten(1)
    assert lookout.due(NOW + 1) == [], "one is on its way"
    lookout.answered(1, NOW, True)
    lookout.hasten(1)
    lookout.hasten(2)
    assert lookout.due(NOW + 1) == [1]
    lookout.answered(1, NOW + 1, False)
    lookout.hasten(1)
    assert lookout.due(NOW + 2) == [], "a failure is tried again at its own pace"


@pytest.mark.parametrize(
    ("told", "looked_at", "later_ns", "missing"),
    [
        (0, 0, FILLS_AWAITED_NS, True),
        (0, 0, FILLS_AWAITED_NS - 1, False),
        (1, 0, FILLS_AWAITED_NS, True),
        (2, 0, FILLS_AWAITED_NS, False),
        (0, 1, FILLS_AWAITED_NS, False),
    ],
    ids=["none told", "a moment ago", "one of two told", "all told", "looked since"],
)
def test_an_order_that_filled_without_its_fills(told: int, looked_at: int, later_ns: int, missing: bool) -> None:
    day = Ledger().at("10:00:00").order(7, "MNQ", 2, type=2, status=2, filled=2)
    for _ in range(told):
        day.fill("MNQ", 1, "21000", order=7)
    filled_at = nanoseconds(day.now)
    seen_at = filled_at if looked_at else filled_at - 1
    assert misses_fills(day.account_state, seen_at, filled_at + later_ns) is missing


def test_losing_and_regaining_the_stream_asks_at_once() -> None:
    lookout = watching()
    lookout.answered(1, NOW, True)
    lookout.stream(False)
    assert lookout.mode == "polling"
    assert lookout.due(NOW + 1) == [1]
    lookout.answered(1, NOW + 1, True)
    lookout.stream(True)
    assert lookout.mode == "stream"
    assert lookout.due(NOW + 2) == [1]
    lookout.answered(1, NOW + 2, True)
    lookout.stream(True)
    assert lookout.due(NOW + 3) == [], "nothing changed"


def test_failures_are_tried_again_ever_more_slowly_and_never_given_up() -> None:
    lookout = watching(streaming=False)
    waits = []
    now = NOW
    for _ in range(8):
        lookout.answered(1, now, False)
        before = now
        while lookout.due(now) == []:
            now += SECOND_NS
        waits.append((now - before) // SECOND_NS)
    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]


def test_polling_that_keeps_failing_becomes_single_snapshots() -> None:
    lookout = watching(streaming=False)
    for count in range(FAILURES_TO_SLOW):
        assert lookout.mode == "polling", count
        lookout.answered(1, NOW, False)
    assert lookout.mode == "snapshots"
    lookout.answered(1, NOW + SLOW_POLL_NS, True)
    assert lookout.mode == "polling"


def test_drift_asks_at_once_and_an_unknown_account_is_nobodys() -> None:
    lookout = watching()
    lookout.answered(1, NOW, True)
    lookout.now(1)
    lookout.now(2)
    lookout.answered(2, NOW, True)
    assert lookout.due(NOW) == [1]
    assert lookout.succeeded_at(2) == 0


def test_what_was_asked_before_the_connection_came_does_not_count_as_a_look_after_it() -> None:
    lookout = watching(streaming=False)
    lookout.stream(True)
    lookout.answered(1, NOW, True)
    assert lookout.due(NOW) == [1]
    lookout.answered(1, NOW, True)
    assert lookout.due(NOW + SECOND_NS) == []


def test_a_look_of_enforcement_that_was_under_way_when_the_connection_came_does_not_count_either() -> None:
    lookout = watching(streaming=False)
    lookout.answered(1, NOW, True)
    lookout.stream(True)
    lookout.answered(1, NOW, True)
    assert lookout.due(NOW) == [1]


def test_fills_are_listed_from_where_they_are_known_to_be_complete() -> None:
    lookout = Lookout()
    opens_at = 9 * DAY_NS
    # Before the first look: the day, and the gap before it when it is short enough.
    assert lookout.fills_since(1, opens_at, opens_at + 2 * OVERLAP_NS) == opens_at
    assert lookout.fills_since(1, opens_at, opens_at - MINUTE_NS) == opens_at - MINUTE_NS - OVERLAP_NS
    assert lookout.fills_since(1, opens_at, opens_at - LONGEST_GAP_NS) == opens_at
    lookout.follow([1])
    lookout.answered(1, opens_at + MINUTE_NS, True)
    assert lookout.fills_since(1, opens_at, opens_at) == opens_at + MINUTE_NS - OVERLAP_NS


@pytest.mark.parametrize(("seconds", "missing"), [(2.999, False), (3, True), (3.001, True)])
def test_the_outcome_of_a_close_of_the_trader_is_looked_for_at_the_timeout(seconds: float, missing: bool) -> None:
    desk = Desk().snapshot().fill("MNQ", 1, "21000").push("MNQ", 1)
    desk.take(e.OrderRequested(ACCOUNT, "close", "CON.F.US.MNQ.Z26"), "order", "operator").attempt().accept()
    desk.later(seconds)
    now = nanoseconds(desk.now)
    assert is_missing_something(desk.account_state, now, now, 3 * SECOND_NS) is missing


def test_a_look_that_is_due_at_once_wakes_the_engine_instead_of_waiting_for_the_tick() -> None:
    lookout = Lookout()
    assert not lookout.woken
    lookout.follow([7])
    assert lookout.woken, "never looked at"
    assert lookout.due(1) == [7]
    assert not lookout.woken
    lookout.follow([7])
    assert not lookout.woken, "nothing has changed"
    lookout.stream(True)
    assert lookout.woken, "connected: what was missed is listed"
    lookout.answered(7, 1, True)
    assert lookout.due(1) == [7]
    lookout.answered(7, 1, True)
    assert not lookout.woken, "the next one is a minute away"
    lookout.now(7)
    assert lookout.woken
    assert lookout.due(2) == [7]
    lookout.now(7)
    assert lookout.due(2) == []
    lookout.answered(7, 2, True)
    assert lookout.woken, "asked for anew while the answer was on its way"
