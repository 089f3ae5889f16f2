"""FEED watches the marks that open-loss rules rest on, and closes nothing (RULES.md 1.5, 8.4)."""

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules.base import Quiet
from riskcore.core.rules.feed import FEED
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


def day_of(**options: object) -> Ledger:
    return Ledger(daily_unrealized_loss={}, **options).at("10:00:00")  # type: ignore[arg-type]


def view_of(day: Ledger) -> View:
    event = e.Event(day.book.now, "clock", "k", e.ClockTicked())
    return View(day.book, day.account_state, event, Effect((ACCOUNT,)), "net", "last", "feed.0")


def bounds_of(day: Ledger) -> Quiet:
    bounds = Quiet()
    assert FEED.quiet is not None
    FEED.quiet(FEED.build({}), view_of(day), bounds)
    return bounds


def due_in(day: Ledger) -> int | None:
    assert FEED.deadline is not None
    due = FEED.deadline(FEED.build({}), view_of(day))
    return None if due is None else due - nanoseconds(day.now)


def test_a_fresh_mark_is_watched_by_the_gap_after_it_and_a_deadline() -> None:
    day = day_of().fill("ES", 1, "6000").mark("ES", "6000").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    assert (bounds_of(day).never, bounds_of(day).gaps) == (False, {ES: 10 * SECOND_NS, MNQ: 10 * SECOND_NS})
    assert due_in(day) == 10 * SECOND_NS + 1


@pytest.mark.parametrize("push", [None, 1])
def test_without_a_mark_every_quote_is_looked_at(push: int | None) -> None:
    day = day_of()
    day = day.fill("ES", 1, "6000") if push is None else day.push("ES", push)
    assert bounds_of(day).never
    assert due_in(day) == 10 * SECOND_NS + 1


def test_the_next_quote_after_a_stale_one_is_looked_at_and_ends_the_episode() -> None:
    day = day_of().fill("ES", 1, "6000").mark("ES", "6000").tick("10:00:11")
    assert day.alerts == [f"{ES}: the mark is stale"]
    assert (bounds_of(day).never, due_in(day)) == (True, None)
    day.mark("ES", "6000")
    assert [ended.target for ended in day.bodies(e.EpisodeEnded)] == [f"{ES}.stale"]
    assert not bounds_of(day).never
    assert day.tick("10:01:00").alerts == [f"{ES}: the mark is stale"] * 2
    assert day.kinds == []


def test_nothing_is_watched_without_a_position_or_where_no_quotes_are_seen() -> None:
    flat = day_of().closed("-10").mark("MNQ", "21000")
    unseen = day_of(lacks=("quotes",)).fill("ES", 1, "6000")
    for day in (flat, unseen):
        assert (bounds_of(day).never, bounds_of(day).gaps, due_in(day)) == (False, {}, None)
        assert day.tick("10:05:00").alerts == []


def test_what_fills_closed_rests_on_no_mark() -> None:
    day = day_of().push("ES", 1, "6000").fill("ES", 1, "6000").mark("ES", "6000").fill("ES", -1, "6000", profit="0")
    assert day.account_state.positions[ES].size == 1
    assert (bounds_of(day).gaps, due_in(day)) == ({}, None)
