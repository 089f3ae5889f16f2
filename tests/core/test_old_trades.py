"""Fills of earlier days: an id counts once, for ever; corrections and voids find their row (RULES.md 1.5)."""

from datetime import timedelta
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.old_trades import is_old_id
from riskcore.core.quantities import money, price
from riskcore.core.state import Account
from riskcore.schema.codec import state_bytes
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES = "CON.F.US.EP.Z26"


def through(day: Ledger, resets: int) -> Ledger:
    """A round trip a day, over so many resets."""
    left = resets
    while left:
        day.now += timedelta(days=1)
        if day.now.weekday() < 5:
            day.closed("-1")
            left -= 1
    return day


def told(day: Ledger, trade: int, size: int, at_price: str, profit: str | None = None) -> Ledger:
    """The row of a fill that was made at nine in the morning of the first day."""
    first = day.now.replace(year=2026, month=11, day=2, hour=9, minute=0)
    return day.fill("ES", size, at_price, profit=profit, trade=trade, created=first)


def begun(**rules: Any) -> Ledger:
    day = Ledger(start="2026-11-02 09:00:00", **rules)
    day._ids = 1000
    return told(told(day, 1, 3, "6000"), 2, -2, "6010", "1000")


@pytest.mark.parametrize("resets", [0, 1, 2, 3, 7, 8, 9, 12])
def test_a_fill_told_again_after_any_number_of_resets_counts_once(resets: int) -> None:
    day = through(begun(daily_realized_loss={"loss_limit": money("500")}), resets)
    figures = {key: (one.fills, one.gross_usd) for key, one in day.account_state.days.items()}
    told(told(day, 1, 3, "6000"), 2, -2, "6010", "1000")
    assert {key: (one.fills, one.gross_usd) for key, one in day.account_state.days.items()} == figures
    assert day.account_state.positions[ES].size == 1
    assert day.breaches == []


@pytest.mark.parametrize("resets", [1, 2, 3, 7, 8, 12])
def test_a_void_after_any_number_of_resets_takes_out_what_it_voids_and_nothing_else(resets: int) -> None:
    day = through(begun(), resets).fill("ES", 1, "6020", trade=50).void(50)
    position = day.account_state.positions[ES]
    assert position.size == 1
    [cost] = [lot.price for lot in position.lots] or [position.carried_cost]
    assert cost == price("6000")


@pytest.mark.parametrize("resets", [1, 2, 3, 7])
def test_the_void_of_an_old_closing_fill_opens_again_what_it_closed(resets: int) -> None:
    day = through(begun(), resets)
    before = day.account_state.days["2026-11-02"].gross_usd if resets < 8 else 0
    day.void(2)
    position = day.account_state.positions[ES]
    assert [(lot.trade_id, lot.price, lot.size) for lot in position.lots] == [(1, price("6000"), 3)]
    assert before - day.account_state.days["2026-11-02"].gross_usd == money("1000")
    day.void(2)
    assert position.size == 3


def void_with_row(day: Ledger, trade: int, size: int, at_price: str, profit: str | None) -> Ledger:
    row = e.TradeVoided(
        ACCOUNT,
        trade,
        ES,
        price(at_price),
        1 if size > 0 else -1,
        abs(size),
        nanoseconds(day.now),
        None if profit is None else money(profit),
    )
    return day.take(row, f"trade:{trade}")


def test_a_void_of_a_fill_that_is_not_known_any_more_goes_by_its_own_row() -> None:
    day = through(begun(), 12)
    assert is_old_id(day.account_state, 2)
    void_with_row(day, 2, -2, "6010", "1000")
    position = day.account_state.positions[ES]
    assert (position.size, position.carried_cost) == (3, 3 * price("6000"))
    void_with_row(day, 2, -2, "6010", "1000")
    through(day, 10)
    void_with_row(day, 2, -2, "6010", "1000")
    told(day, 2, -2, "6010", "1000")
    assert day.account_state.positions[ES].size == 3, "voided once, and never booked again"


def test_a_void_without_a_row_of_a_fill_that_is_not_known_any_more_is_remembered_and_moves_nothing() -> None:
    day = through(begun(), 12).void(2)
    assert day.account_state.positions[ES].size == 1
    told(day, 2, -2, "6010", "1000")
    assert day.account_state.positions[ES].size == 1


def test_a_void_on_first_sight_moves_nothing_whatever_its_row_says() -> None:
    day = void_with_row(begun(), 99, -1, "6010", "500")
    assert day.account_state.positions[ES].size == 1
    day.fill("ES", -1, "6010", profit="500", trade=99)
    assert day.account_state.positions[ES].size == 1


def test_an_opening_fill_of_long_ago_was_closed_long_ago() -> None:
    day = through(told(told(begun(), 3, -1, "6010", "500"), 4, 1, "6010"), 12)
    void_with_row(day, 1, 3, "6000", None)
    assert day.account_state.positions[ES].size == 1


@pytest.mark.parametrize("resets", [1, 3, 7])
def test_a_correction_of_an_old_fill_changes_its_day(resets: int) -> None:
    day = through(begun(), resets)
    told(day, 2, -2, "6010", "900")
    assert day.account_state.days["2026-11-02"].gross_usd == money("900")


@pytest.mark.slow
def test_a_week_of_busy_trading_is_kept_in_little_room() -> None:
    day = Ledger(start="2026-11-02 09:00:00")
    sizes: list[int] = []
    for _ in range(20):
        for _ in range(20):
            day.closed("-1")
        through(day, 1)
        sizes.append(len(state_bytes(day.book)))
    account = day.account_state
    assert len(account.trades) <= 3 * 42
    assert len(account.old_trades) <= 8 * 42
    assert len(account.old_trades) + len(account.trades) + len(account.old_ids) == day._ids
    assert sizes[19] - sizes[14] < 5 * 42 * 12, "of a fill of long ago only the id is kept"


def test_a_position_that_is_held_longer_than_its_fills_are_kept_stays_open_at_its_cost() -> None:
    day = Ledger(start="2026-11-02 09:00:00").fill("ES", 1, "6000").fill("ES", 2, "6003")
    through(day, 12).mark("ES", "6010")
    position = day.account_state.positions[ES]
    assert (position.lots, position.carried, position.carried_cost) == ((), 3, price("18006"))
    assert (position.lot_size, position.size) == (3, 3)
    day.fill("ES", -1, "6010", profit="500")
    assert (position := day.account_state.positions[ES]).carried_cost == price("12006")
    assert day.fill("ES", -2, "6010", profit="700").account_state.positions[ES].size == 0
    assert position.carried == 2


def test_what_old_ids_are_looked_up_by() -> None:
    account = Account(1, old_ids=(3, 5, 8))
    assert [one for one in range(10) if is_old_id(account, one)] == [3, 5, 8]
