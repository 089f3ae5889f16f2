"""Quiet bounds: which quotes need no look (DESIGN.md, "The fast path"). Rules are held to them in core/rules."""

import pytest

from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.rules.base import UNBOUNDED
from riskcore.core.watch import NEVER, QuietMarks, watch
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
        ("conservative", ("6000", None, None), "last"),
    ],
)
def test_only_the_price_that_values_the_position_is_bounded(
    mode: str, quote: tuple[str | None, ...], fields: str
) -> None:
    day = held(mode).quote("ES", *quote)
    bounds = watch(day.book, day.rulebook).bounds[ES]
    by_field = dict(zip(("last", "bid", "ask"), zip(bounds[::2], bounds[1::2], strict=True), strict=True))
    low, high = by_field.pop(fields)
    assert price("5994") < low <= price("6000") <= high
    if mode == "last" and fields == "bid":
        assert by_field.pop("last") == (1, 0), "the first last price is never quiet"
    if mode == "conservative" and fields == "last":
        assert by_field.pop("bid") == (1, 0), "the first bid is never quiet"
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
    assert watch(desk.book, desk.rulebook).until == nanoseconds(desk.now) + 3 * SECOND_NS


# ---- marks moved by quiet quotes ---------------------------------------------------------------------


def quiet_of(day: Ledger, seconds: float, last: str | None, bid: str | None = None, ask: str | None = None) -> bool:
    """Whether one ES quote so long from now is quiet."""
    values = [None if value is None else price(value) for value in (last, bid, ask)]
    at = nanoseconds(day.now) + int(seconds * SECOND_NS)
    return QuietMarks().is_quiet(day.book, watch(day.book, day.rulebook), at, ES, *values)


@pytest.mark.parametrize(
    ("mode", "quote", "quiet"),
    [
        ("last", ("6000", None, None), True),
        ("last", ("5990", None, None), False),
        ("last", (None, "1", "9999"), True),  # Bid and ask value nothing here.
        ("conservative", (None, "5990", None), False),
        ("conservative", ("1", "6000", "9999"), True),
    ],
)
def test_a_quote_is_quiet_within_the_bounds_of_the_price_that_counts(
    mode: str, quote: tuple[str | None, ...], quiet: bool
) -> None:
    assert quiet_of(held(mode).mark("ES", "6000"), 1, *quote) is quiet


def test_a_short_is_held_to_its_ask() -> None:
    day = Ledger(**LOSS, profile={"mark": "conservative"}).at("10:00:00").fill("ES", -1, "6000").mark("ES", "6000")
    assert quiet_of(day, 1, None, ask="6000.25")
    assert not quiet_of(day, 1, None, ask="6010")


def test_before_the_first_mark_no_quote_is_quiet() -> None:
    assert not quiet_of(held(), 1, "6000")


def test_a_contract_nobody_holds_is_quiet_at_any_price() -> None:
    assert quiet_of(Ledger(**LOSS).at("10:00:00").tick(), 1, "1")


@pytest.mark.parametrize(("seconds", "quiet"), [(10, True), (10.000000001, False)])
def test_no_quote_is_quiet_once_a_mark_it_rests_on_went_stale(seconds: float, quiet: bool) -> None:
    assert quiet_of(held().mark("ES", "6000"), seconds, "6000") is quiet


@pytest.mark.parametrize(("seconds", "quiet"), [(299.999999, True), (300, False)])
def test_a_quote_at_the_instant_of_a_timer_is_not_quiet(seconds: float, quiet: bool) -> None:
    day = Ledger(**LOSS, cooldown_after_loss={}).at("10:00:00").closed("-100")
    assert quiet_of(day, seconds, "6000") is quiet


def test_a_moved_mark_counts_as_quoted_and_is_settled_once_with_what_it_left_out() -> None:
    day, quiet = held().mark("ES", "6000"), QuietMarks()
    start = nanoseconds(day.now)
    assert quiet.marked_at(day.book, ES) == start
    quiet.move(start + 1, ES, price("6001"), None, None)
    quiet.move(start + 2, ES, None, price("6000.50"), None)
    quiet.move(start + 3, ES, None, None, price("6001.25"))
    quiet.move(start + 4, ES, price("6000.75"), None, None)
    assert quiet.marked_at(day.book, ES) == start + 4
    mark = quiet.settled(day.book)[ES]
    assert (mark.last, mark.bid, mark.ask, mark.at) == (
        price("6000.75"),
        price("6000.50"),
        price("6001.25"),
        start + 4,
    )
    assert quiet.settled(day.book) == {}
    assert quiet.marked_at(day.book, ES) == start, "the mark itself is put in place by settle"


def test_bounds_are_worked_out_again_only_after_something_happened() -> None:
    day, quiet = held().mark("ES", "6000"), QuietMarks()
    first = quiet.bounds(day.book, day.rulebook)
    day.mark("ES", "6001")
    assert quiet.bounds(day.book, day.rulebook) is first
    quiet.happened()
    again = quiet.bounds(day.book, day.rulebook)
    assert again == watch(day.book, day.rulebook)
    assert again is not first
