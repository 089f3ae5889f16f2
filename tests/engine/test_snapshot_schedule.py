"""When the broker is asked: at once after a connection, each minute while the stream works, by polling without it."""

import pytest

from riskcore.core import events as e
from riskcore.core.exit_orders import FILLS_AWAITED_NS
from riskcore.core.freshness import POLLED_NS
from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.engine.snapshot_schedule import (
    FAILURES_TO_SLOW,
    LONGEST_GAP_NS,
    OVERLAP_NS,
    PERIOD_NS,
    POLL_NS,
    SLOW_POLL_NS,
    SnapshotSchedule,
    is_missing_something,
    misses_fills,
)
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

NOW = 1_000 * SECOND_NS


def watching(*, streaming: bool = True) -> SnapshotSchedule:
    snapshots = SnapshotSchedule()
    snapshots.follow([1])
    snapshots.stream(streaming)
    assert snapshots.due(NOW) == [1]
    return snapshots


def test_nothing_is_asked_twice_at_a_time() -> None:
    snapshots = watching()
    assert snapshots.due(NOW + PERIOD_NS * 9) == []


@pytest.mark.parametrize(("streaming", "period"), [(True, PERIOD_NS), (False, POLL_NS)])
def test_the_next_look_comes_after_the_period_of_the_mode(streaming: bool, period: int) -> None:
    snapshots = watching(streaming=streaming)
    snapshots.answered(1, NOW, 0, True)
    assert snapshots.due(NOW + period - 1) == []
    assert snapshots.due(NOW + period) == [1]
    assert snapshots.succeeded_at(1) == NOW


def test_a_look_is_hastened_where_none_is_on_its_way_and_none_has_failed() -> None:
    snapshots = watching()
    snapshots.hasten(1)
    assert snapshots.due(NOW + 1) == [], "one is on its way"
    snapshots.answered(1, NOW, 0, True)
    snapshots.hasten(1)
    snapshots.hasten(2)
    assert snapshots.due(NOW + 1) == [1]
    snapshots.answered(1, NOW + 1, 0, False)
    snapshots.hasten(1)
    assert snapshots.due(NOW + 2) == [], "a failure is tried again at its own pace"


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
    snapshots = watching()
    snapshots.answered(1, NOW, 0, True)
    snapshots.stream(False)
    assert snapshots.mode == "polling"
    assert snapshots.due(NOW + 1) == [1]
    snapshots.answered(1, NOW + 1, 0, True)
    snapshots.stream(True)
    assert snapshots.mode == "stream"
    assert snapshots.due(NOW + 2) == [1]
    snapshots.answered(1, NOW + 2, 0, True)
    snapshots.stream(True)
    assert snapshots.due(NOW + 3) == [], "nothing changed"


def test_a_look_that_the_quota_holds_back_holds_none_back_when_the_stream_is_regained() -> None:
    """Found by a seed of the simulation: the old one waited for 30 seconds, beside an account that was traded."""
    snapshots = watching()
    snapshots.stream(False)
    snapshots.stream(True)
    assert snapshots.due(NOW + 1) == [1]
    snapshots.answered(1, NOW + 1, 0, True)
    snapshots.answered(1, NOW, 0, True)
    assert snapshots.succeeded_at(1) == NOW + 1


def test_failures_are_tried_again_ever_more_slowly_and_never_given_up() -> None:
    snapshots = watching(streaming=False)
    waits = []
    now = NOW
    for _ in range(8):
        snapshots.answered(1, now, 0, False)
        before = now
        while snapshots.due(now) == []:
            now += SECOND_NS
        waits.append((now - before) // SECOND_NS)
    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]


def test_polling_that_keeps_failing_becomes_single_snapshots() -> None:
    snapshots = watching(streaming=False)
    for count in range(FAILURES_TO_SLOW):
        assert snapshots.mode == "polling", count
        snapshots.answered(1, NOW, 0, False)
    assert snapshots.mode == "snapshots"
    snapshots.answered(1, NOW + SLOW_POLL_NS, 0, True)
    assert snapshots.mode == "polling"


def test_drift_asks_at_once_and_an_unknown_account_is_nobodys() -> None:
    snapshots = watching()
    snapshots.answered(1, NOW, 0, True)
    snapshots.now(1)
    snapshots.now(2)
    snapshots.answered(2, NOW, 0, True)
    assert snapshots.due(NOW) == [1]
    assert snapshots.succeeded_at(2) == 0


def test_what_was_asked_before_the_connection_came_does_not_count_as_a_look_after_it() -> None:
    snapshots = watching(streaming=False)
    snapshots.stream(True)
    snapshots.answered(1, NOW, 0, True)
    assert snapshots.due(NOW) == [1]
    snapshots.answered(1, NOW, 0, True)
    assert snapshots.due(NOW + SECOND_NS) == []


def test_a_look_of_enforcement_that_was_under_way_when_the_connection_came_does_not_count_either() -> None:
    snapshots = watching(streaming=False)
    snapshots.answered(1, NOW, 0, True)
    snapshots.stream(True)
    snapshots.answered(1, NOW, 0, True)
    assert snapshots.due(NOW) == [1]


def test_fills_are_listed_from_where_they_are_known_to_be_complete() -> None:
    snapshots = SnapshotSchedule()
    opens_at = 9 * DAY_NS
    # Before the first look: the day, and the gap before it when it is short enough.
    assert snapshots.fills_since(1, opens_at, opens_at, opens_at + 2 * OVERLAP_NS) == opens_at
    assert snapshots.fills_since(1, opens_at, opens_at, opens_at - MINUTE_NS) == opens_at - MINUTE_NS - OVERLAP_NS
    assert snapshots.fills_since(1, opens_at, opens_at, opens_at - LONGEST_GAP_NS) == opens_at
    snapshots.follow([1])
    assert snapshots.fills_since(1, opens_at, opens_at, opens_at) == opens_at - OVERLAP_NS
    snapshots.answered(1, opens_at + MINUTE_NS, opens_at - OVERLAP_NS, True)
    assert snapshots.fills_since(1, opens_at, opens_at, opens_at) == opens_at + MINUTE_NS - OVERLAP_NS


def test_fills_are_listed_as_far_back_as_a_rule_looks_once() -> None:
    snapshots = SnapshotSchedule()
    snapshots.follow([1])
    opens_at, week = 9 * DAY_NS, 5 * DAY_NS
    assert snapshots.fills_since(1, week, opens_at, opens_at - MINUTE_NS) == week
    snapshots.answered(1, opens_at + MINUTE_NS, week, False)
    assert snapshots.fills_since(1, week, opens_at, opens_at - MINUTE_NS) == week, "that look failed"
    snapshots.answered(1, opens_at + MINUTE_NS, week, True)
    recent = opens_at + MINUTE_NS - OVERLAP_NS
    assert snapshots.fills_since(1, week, opens_at, opens_at) == recent
    snapshots.answered(1, opens_at + MINUTE_NS, recent, True)
    assert snapshots.fills_since(1, week - 1, opens_at, opens_at) == week - 1, "a rule that looks further back is new"
    snapshots.answered(1, opens_at + MINUTE_NS, week - 1, True)
    assert snapshots.fills_since(1, week - 1, opens_at, opens_at) == recent


@pytest.mark.parametrize(("seconds", "missing"), [(2.999, False), (3, True), (3.001, True)])
def test_the_outcome_of_a_close_of_the_trader_is_looked_for_at_the_timeout(seconds: float, missing: bool) -> None:
    desk = Desk().snapshot().fill("MNQ", 1, "21000").push("MNQ", 1)
    desk.take(e.OrderRequested(ACCOUNT, "close", "CON.F.US.MNQ.Z26"), "order", "operator").attempt().accept()
    desk.later(seconds)
    now = nanoseconds(desk.now)
    assert is_missing_something(desk.account_state, now, now, 3 * SECOND_NS) is missing


def test_a_look_that_is_due_at_once_wakes_the_engine_instead_of_waiting_for_the_tick() -> None:
    snapshots = SnapshotSchedule()
    assert not snapshots.woken
    snapshots.follow([7])
    assert snapshots.woken, "never looked at"
    assert snapshots.due(1) == [7]
    assert not snapshots.woken
    snapshots.follow([7])
    assert not snapshots.woken, "nothing has changed"
    snapshots.stream(True)
    assert snapshots.woken, "connected: what was missed is listed"
    snapshots.answered(7, 1, 0, True)
    assert snapshots.due(1) == [7]
    snapshots.answered(7, 1, 0, True)
    assert not snapshots.woken, "the next one is a minute away"
    snapshots.now(7)
    assert snapshots.woken
    assert snapshots.due(2) == [7]
    snapshots.now(7)
    snapshots.answered(7, 2, 0, True)
    assert snapshots.woken, "asked for anew while the answer was on its way"


@pytest.mark.parametrize(("seconds", "period"), [(59.999, POLL_NS), (60, PERIOD_NS)])
def test_unreadable_messages_bring_a_look_at_once_and_polling_for_a_minute(seconds: float, period: int) -> None:
    schedule = SnapshotSchedule(streaming=True)
    schedule.follow([7, 8])
    schedule.due(NOW)
    for account in (7, 8):
        schedule.answered(account, NOW, 0, complete=True)
    assert schedule.stand_in(7, NOW)
    assert not schedule.stand_in(7, NOW)
    assert schedule.due(NOW) == [7]
    assert not schedule.stand_in(7, NOW)
    looked_at = NOW + round(seconds * SECOND_NS)
    schedule.answered(7, looked_at, 0, complete=True)
    assert 7 in schedule.due(looked_at), "the look in hand began before the last of them"
    schedule.answered(7, looked_at, 0, complete=True)
    assert (7 in schedule.due(looked_at + POLL_NS)) is (period == POLL_NS)


# ---- an account that nothing is seen of -------------------------------------------------------------


@pytest.mark.parametrize(("waited_ns", "unseen"), [(POLLED_NS - 1, False), (POLLED_NS, True), (POLLED_NS + 1, True)])
def test_an_account_is_unseen_when_no_list_has_come_for_ten_seconds_behind_a_message_that_cannot_be_read(
    waited_ns: int, unseen: bool
) -> None:
    snapshots = watching()
    snapshots.answered(1, NOW, 0, True)
    assert not snapshots.is_unseen(1, NOW + 2 * POLLED_NS), "all its messages were read"
    first = NOW + 3 * POLLED_NS
    snapshots.stand_in(1, first)
    snapshots.stand_in(1, first + 5)
    snapshots.answered(1, first + 6, 0, False)
    assert snapshots.is_unseen(1, first + waited_ns) is unseen, "the first such message counts"
    assert not snapshots.is_unseen(2, first + waited_ns), "nobody follows it"


@pytest.mark.parametrize(("asked_at", "until"), [(NOW + 1, NOW + 1), (NOW + 2, None), (NOW + 3, None)])
def test_a_complete_list_takes_the_place_of_the_messages_that_came_before_it_was_asked_for(
    asked_at: int, until: int | None
) -> None:
    snapshots = watching()
    snapshots.stand_in(1, NOW)
    snapshots.stand_in(1, NOW + 2)
    snapshots.answered(1, asked_at, 0, True)
    late = NOW + 9 * POLLED_NS
    assert snapshots.is_unseen(1, late) == (until is not None)
    assert not snapshots.is_unseen(1, (until or late) + POLLED_NS - 1)


@pytest.mark.parametrize("newer", [NOW + 2, NOW + 3])
def test_a_look_that_was_overtaken_by_a_later_one_brings_no_unread_message_back(newer: int) -> None:
    snapshots = watching()
    snapshots.stand_in(1, NOW + 1)
    snapshots.stand_in(1, NOW + 3)
    snapshots.answered(1, newer, 0, True)
    snapshots.answered(1, NOW, 0, True)
    assert not snapshots.is_unseen(1, newer + POLLED_NS - 1)
    assert snapshots.is_unseen(1, newer + POLLED_NS) is (newer < NOW + 3), "one message came behind both"
