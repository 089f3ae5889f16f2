"""I13: realised + unrealised = all fills marked to market, after every event, whatever order they are told in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.marks import valuation
from riskcore.core.quantities import PRICE_SCALE, price, price_text
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES, POINT_USD, TICK = "ES", 50, price("0.25")
BASE, MARK = price("6000"), price("6123.50")
# A broker's average price is cut to 1e-9 points, and a value to 1e-6 dollars.
CUT_USD = 3


@dataclass(frozen=True)
class Made:
    """One execution, as the exchange made it."""

    id: int
    size: int  # Signed.
    price: int
    profit: Fraction | None  # Dollars; None for one that opens.
    at: datetime


@dataclass
class Exchange:
    """A broker that matches first in, first out, written apart from the core."""

    lots: list[list[int]] = field(default_factory=list)  # [signed size, price]
    made: list[Made] = field(default_factory=list)
    shown: list[tuple[int, int, int]] = field(default_factory=list)  # (size, average, fills so far) after each.

    @property
    def size(self) -> int:
        return sum(size for size, _ in self.lots)

    def trade(self, size: int, at_price: int, at: datetime) -> list[Made]:
        """An execution as half-turns: what it closes, and what it opens."""
        side, left, halves = (1 if size > 0 else -1), abs(size), []
        closed = min(left, abs(self.size)) if self.size * side < 0 else 0
        if closed:
            halves.append((side * closed, self._close(side, closed, at_price)))
        if left > closed:
            self.lots.append([side * (left - closed), at_price])
            halves.append((side * (left - closed), None))
        new = [Made(len(self.made) + 1 + n, one, at_price, profit, at) for n, (one, profit) in enumerate(halves)]
        self.made.extend(new)
        average = sum(held * paid for held, paid in self.lots) // self.size if self.size else 0
        self.shown.append((self.size, average, len(self.made)))
        return new

    def _close(self, side: int, contracts: int, at_price: int) -> Fraction:
        profit, left = Fraction(0), contracts
        while left:
            held, paid = self.lots[0]
            taken = min(left, abs(held))
            profit += Fraction(-side * (at_price - paid) * taken * POINT_USD, PRICE_SCALE)
            left -= taken
            self.lots[0][0] += side * taken
            if not self.lots[0][0]:
                self.lots.pop(0)
        return profit


def marked_usd(size: int, cost: int) -> Fraction:
    """What signed contracts bought for a signed cost are worth at the mark."""
    return Fraction((MARK * size - cost) * POINT_USD, PRICE_SCALE)


def equity(day: Ledger) -> Fraction:
    account = day.book.accounts.get(ACCOUNT)
    if account is None or not account.positions:
        return Fraction(0)
    [position] = account.positions.values()
    value = valuation(day.book, position, "last", day.book.now).value
    assert value is not None
    return Fraction(sum(one.gross_usd for one in account.days.values()) + value, 10**6)


@dataclass
class Telling:
    """The ledger, what it was told so far, and what equity must be."""

    day: Ledger
    exchange: Exchange
    carried: tuple[int, int] = (0, 0)  # Signed size and cost that was there before the first fill.
    told: set[int] = field(default_factory=set)
    pushed: int = 0  # How many fills the last push knows.
    own_time: bool = True  # Whether fills tell when they were made; else the time they come at.

    def of(self, ids: set[int]) -> Fraction:
        fills = [one for one in self.exchange.made if one.id in ids]
        size = self.carried[0] + sum(one.size for one in fills)
        return marked_usd(size, self.carried[1] + sum(one.size * one.price for one in fills))

    def fill(self, made: Made, profit: Fraction | None) -> None:
        self.day.now += timedelta(milliseconds=1)
        text = None if profit is None else f"{float(profit):.2f}"
        created = made.at if self.own_time else self.day.now
        self.day.fill(ES, made.size, price_text(made.price), profit=text, trade=made.id, created=created)
        self.told.add(made.id)

    def push(self, number: int) -> None:
        self.day.now += timedelta(milliseconds=1)
        size, average, self.pushed = self.exchange.shown[number]
        body = e.PositionObserved(ACCOUNT, self.day.contract(ES), size, average)
        self.day.take(body, "position")

    def mark(self) -> None:
        self.day.mark(ES, price_text(MARK))

    def check(self, about: str) -> None:
        """Equity is that of the fills told; where a push is ahead of them and no lots are known, of those too."""
        self.mark()
        found, ahead = equity(self.day), {one.id for one in self.exchange.made[: self.pushed]}
        right = (self.of(self.told), self.of(self.told | ahead))
        assert any(abs(found - one) <= Fraction(CUT_USD, 10**6) for one in right), (about, found, right)

    def check_all(self) -> None:
        self.mark()
        assert abs(equity(self.day) - self.of(self.told)) <= Fraction(CUT_USD, 10**6)


# size, price in ticks from the base, size of each part, closing half last, pushes before fills, P&L later, told again
BURST = st.tuples(
    st.integers(-4, 4).filter(bool),
    st.integers(-200, 200),
    st.integers(1, 4),
    st.booleans(),
    st.lists(st.booleans(), min_size=16, max_size=16),
    st.booleans(),
    st.booleans(),
)


def burst(telling: Telling, deed: tuple[Any, ...]) -> None:
    """One order: executed in parts, its fills and pushes told in an order of their own."""
    size, ticks, part, halves_swapped, pushes_first, late_profit, again = deed
    day, exchange = telling.day, telling.exchange
    side, left, number = (1 if size > 0 else -1), abs(size), len(exchange.shown)
    fills: list[Made] = []
    while left:
        taken = min(part, left)
        left -= taken
        halves = exchange.trade(side * taken, BASE + ticks * TICK, day.now)
        fills.extend(reversed(halves) if halves_swapped else halves)
    pushes = list(range(number, len(exchange.shown)))
    order = iter(pushes_first)
    # A P&L comes later only where the fill before it is no half of the same flip.
    late = [one for one in fills if late_profit and one.profit is not None]
    for kind, one in _merged(fills, pushes, order):
        if kind == "push":
            telling.push(one)
        else:
            telling.fill(one, None if one in late else one.profit)
        telling.check(f"{kind} {one}")
    for one in late:
        telling.fill(one, one.profit)
        telling.check(f"profit {one}")
    if again:
        for one in fills:
            telling.fill(one, one.profit)
            telling.check(f"again {one}")
    telling.check_all()
    day.now += timedelta(seconds=5)
    day.tick()
    telling.check_all()


def _merged(fills: list[Made], pushes: list[int], pushes_first: Iterator[bool]) -> Iterator[tuple[str, Any]]:
    fills, pushes = list(fills), list(pushes)
    while fills or pushes:
        if pushes and (not fills or next(pushes_first, False)):
            yield "push", pushes.pop(0)
        else:
            yield "fill", fills.pop(0)


@given(st.lists(BURST, min_size=1, max_size=6), st.booleans())
@settings(max_examples=250, deadline=None)
def test_realised_and_unrealised_are_all_fills_marked_to_market(deeds: list[tuple[Any, ...]], own_time: bool) -> None:
    telling = Telling(Ledger().at("09:00:00"), Exchange(), own_time=own_time)
    telling.mark()
    for deed in deeds:
        burst(telling, deed)
    assert telling.day.bodies(e.DriftDetected) == []


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(-40, 40)), min_size=1, max_size=3),
    st.sampled_from((1, -1)),
    st.lists(BURST, min_size=1, max_size=5),
    st.booleans(),
)
@settings(max_examples=250, deadline=None)
def test_also_of_a_position_that_was_carried_in(
    lots: list[tuple[int, int]], side: int, deeds: list[tuple[Any, ...]], own_time: bool
) -> None:
    """A snapshot shows it and nobody told its fills; then it is closed, added to and turned round."""
    day, exchange = Ledger().at("09:00:00"), Exchange()
    exchange.lots = [[side * size, BASE + ticks * TICK] for size, ticks in lots]
    size, cost = exchange.size, sum(held * paid for held, paid in exchange.lots)
    shown = e.PositionObserved(ACCOUNT, day.contract(ES), size, cost // size)
    day.take(e.PositionsListed(ACCOUNT, (shown,), nanoseconds(day.now)), "positions")
    telling = Telling(day, exchange, carried=(size, cost), own_time=own_time)
    telling.check_all()
    day.now += timedelta(seconds=3)
    day.tick()
    assert len(day.bodies(e.DriftDetected)) == 1
    telling.check_all()
    for deed in deeds:
        burst(telling, deed)
    assert len(day.bodies(e.DriftDetected)) == 1


@given(
    st.lists(st.tuples(st.integers(-4, 4).filter(bool), st.integers(-200, 200)), min_size=1, max_size=8),
    st.sampled_from((0, 4_999, 5_000, 5_001, 8_000, 60_000)),
    st.randoms(use_true_random=False),
)
@settings(max_examples=250, deadline=None)
def test_fills_told_in_any_order_are_all_fills_however_far_the_clock_is_behind(
    deeds: list[tuple[int, int]], behind_ms: int, order: Random
) -> None:
    """A list after a gap, and the pushes before it: some of the times are ahead of the clock, others are not."""
    telling = Telling(Ledger().at("09:00:00"), Exchange())
    for size, ticks in deeds:
        telling.day.now += timedelta(seconds=1)
        telling.exchange.trade(size, BASE + ticks * TICK, telling.day.now + timedelta(milliseconds=behind_ms))
    for made in order.sample(telling.exchange.made, len(telling.exchange.made)):
        telling.fill(made, made.profit)
    telling.check_all()


@pytest.mark.parametrize("ahead_ms", [5_002, 60_000, 86_400_000])
@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_time_that_is_wrong_puts_no_fill_out_of_its_place(wrong: int, ahead_ms: int) -> None:
    """Fills that are told as they are made, a millisecond later; one has a time that is not believed."""
    telling = Telling(Ledger().at("09:00:00"), Exchange())
    for number, size in enumerate((2, -2, -1, 1)):
        telling.day.now += timedelta(seconds=1)
        ahead = timedelta(milliseconds=ahead_ms if number == wrong else 0)
        [made] = telling.exchange.trade(size, BASE + number * TICK, telling.day.now + ahead)
        telling.fill(made, made.profit)
        telling.check_all()


@pytest.mark.parametrize("side", [1, -1])
def test_the_oracle_knows_a_flip(side: int) -> None:
    exchange = Exchange()
    exchange.trade(2 * side, BASE, datetime.min)
    halves = exchange.trade(-5 * side, BASE + 4 * TICK, datetime.min)
    assert [(one.size, one.profit) for one in halves] == [(-2 * side, 100 * side), (-3 * side, None)]
