"""Quiet bounds: which quotes need no look (DESIGN.md, "The fast path"). Rules are held to them in core/rules."""

import pytest

from riskcore.core.enforce import Enforce
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.rules.base import UNBOUNDED
from riskcore.core.watch import NEVER, watch
from tests.core.broker import Desk
from tests.core.ledger import Ledger, nanoseconds

ES = "CON.F.US.EP.Z26"
LOSS = {"daily_unrealized_loss": {"loss_limit": money("300")}}
ANY = (-UNBOUNDED, UNBOUNDED)


def held(mode: str = "last") -> Ledger:
    return Ledger(**LOSS, profile={"mark": mode}).at("10:00:00").fill("ES", 1, "6000")


def test_while_nothing_is_held_every_quote_is_quiet_until_the_day_ends() -> None:
    day = Ledger(**LOSS).tick()
    found = watch(day.book, day.rulebook)
    assert day.book.day is not None
    assert (found.bounds, found.gaps, found.until) == ({}, {}, day.book.day.closes_at)


def test_before_a_day_is_open_nothing_is_quiet() -> None:
    day = Ledger(**LOSS)
    day.book.day = None
    assert watch(day.book, day.rulebook).until == 0


def test_before_the_first_mark_every_quote_is_looked_at() -> None:
    day = held()
    assert watch(day.book, day.rulebook).bounds == {ES: NEVER}


@pytest.mark.parametrize(
    ("mode", "quote", "fields"),
    [
        ("last", ("6000", "6000", "6000"), "last"),
        ("last", (None, "6000", "6000"), "bid"),
        ("conservative", ("6000", "6000", "6000"), "bid"),
        ("conservative", ("6000", None, None), None),
    ],
)
def test_only_the_price_that_values_the_position_is_bounded(
    mode: str, quote: tuple[str | None, ...], fields: str | None
) -> None:
    day = held(mode).quote("ES", *quote)
    bounds = watch(day.book, day.rulebook).bounds[ES]
    if fields is None:
        assert bounds == NEVER
        return
    by_field = dict(zip(("last", "bid", "ask"), zip(bounds[::2], bounds[1::2], strict=True), strict=True))
    low, high = by_field.pop(fields)
    assert price("5994") < low <= price("6000") <= high
    if mode == "last" and fields == "bid":
        assert by_field.pop("last") == (1, 0), "the first last price is never quiet"
    assert all(pair == ANY for pair in by_field.values())


def test_a_short_without_last_prices_is_bounded_by_the_ask() -> None:
    day = Ledger(**LOSS).at("10:00:00").fill("ES", -1, "6000").quote("ES", None, "6000", "6000")
    bounds = watch(day.book, day.rulebook).bounds[ES]
    assert bounds[:4] == (1, 0, *ANY)
    assert bounds[4] <= price("6000") <= bounds[5] < price("6006")


def test_marks_from_bars_are_looked_at_one_by_one() -> None:
    day = held().bar("ES", "10:01:00", ("6000", "6000", "6000", "6000"))
    assert watch(day.book, day.rulebook).bounds == {ES: NEVER}


def test_two_accounts_narrow_each_other() -> None:
    day = held().mark("ES", "6000")
    alone = watch(day.book, day.rulebook).bounds[ES]
    day.fill("ES", -1, "6000", account=99000002).mark("ES", "6000")
    together = watch(day.book, day.rulebook).bounds[ES]
    assert together[0] == alone[0]
    assert together[1] < price("6006") <= alone[1]
    day.fill("ES", 1, "6000", account=99000003)
    assert watch(day.book, day.rulebook).bounds[ES] == NEVER


def test_a_stale_mark_is_watched_by_its_gap() -> None:
    day = held().mark("ES", "6000")
    assert watch(day.book, day.rulebook).gaps == {ES: 10 * SECOND_NS}


def test_no_quote_is_quiet_once_a_timer_is_due() -> None:
    day = Ledger(**LOSS, cooldown_after_loss={}).at("10:00:00").closed("-100")
    assert watch(day.book, day.rulebook).until == nanoseconds(day.now) + 300 * SECOND_NS


def test_deadlines_of_the_planner_count_where_it_plans() -> None:
    desk = Desk(**LOSS).at("10:00:00").snapshot().fill("ES", 1, "6000").mark("ES", "5994").attempt("close")
    assert watch(desk.book, desk.rulebook, Enforce()).until == nanoseconds(desk.now) + 3 * SECOND_NS
