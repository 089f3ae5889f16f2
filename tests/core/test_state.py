"""The state: copies that share nothing that changes, sizes, figures (DESIGN.md)."""

import dataclasses

import pytest

from riskcore.core import state as s
from tests.schema.examples import example

ES = "CON.F.US.EP.Z26"


def test_an_account_is_made_when_it_is_first_heard_of() -> None:
    book = s.Book(now=9)
    account = s.account_of(book, 7)
    assert (account.id, account.first_at) == (7, 9)
    assert s.account_of(book, 7) is account


def test_sizes_are_fills_until_the_first_push() -> None:
    position = s.Position(ES, side=-1, lots=(s.Lot(1, 5, 2), s.Lot(2, 5, 1)), early=(s.Lot(3, 5, 1),))
    assert position.lot_size == position.size == -2
    position.pushed = 0
    assert (position.lot_size, position.size) == (-2, 0)


def test_money_of_a_day() -> None:
    day = s.DayFigures("2026-11-20", gross_usd=100, fees_usd=7, commissions_usd=3)
    assert day.net_usd == day.realised_usd("net") == 90
    assert day.realised_usd("gross") == 100


@pytest.mark.parametrize(("size", "filled", "left"), [(3, 0, 3), (3, 1, 2), (3, 3, 0), (3, 4, 0)])
def test_what_is_left_of_an_order(size: int, filled: int, left: int) -> None:
    order = s.Order(1, ES, 1, 1, 1, size, filled, None, None, None, None, None, None, 0)
    assert order.remaining == left


@pytest.mark.parametrize(("status", "works"), [(0, False), (1, True), (2, False), (5, False), (6, True), (8, True)])
def test_which_orders_work(status: int, works: bool) -> None:
    account = s.Account(1)
    order = s.Order(1, ES, status, 1, 1, 1, 0, None, None, None, None, None, None, 0)
    account.orders[1] = order
    assert order.working is works
    assert account.working_orders() == ([order] if works else [])


@pytest.mark.parametrize(("scope", "covers"), [("account", True), ("symbol:ES", True), ("symbol:MES", False)])
def test_what_a_lockout_covers(scope: str, covers: bool) -> None:
    lockout = s.Lockout(scope, "R", "day", "cooldown", 0, 5, "")
    assert lockout.covers("ES") is covers
    assert lockout.id == f"{scope}/R/day"


def test_an_obligation_fails_as_often_as_its_worst_target() -> None:
    obligation = s.Obligation("o", "CloseAllPositions", "R", None, 0)
    assert obligation.failures == 0
    obligation.attempts = {"a": s.Attempts(failures=1), "b": s.Attempts(failures=3), "c": s.Attempts()}
    assert obligation.failures == 3


@pytest.mark.parametrize(
    ("contract", "order_id", "target"),
    [(ES, None, f"k/{ES}"), (ES, 7, "k/7"), (None, None, "k/account"), (None, 0, "k/0")],
)
def test_what_a_request_acts_on(contract: str | None, order_id: int | None, target: str) -> None:
    assert s.Request("q", "o", "k", contract, order_id, 0, 0, None, 1, "planned", 0).target == target


def test_a_book_without_a_day_has_no_trade_date() -> None:
    with pytest.raises(AssertionError, match="no trading day"):
        _ = s.Book().trade_date


@pytest.mark.parametrize(("fees", "commissions", "costs"), [(None, None, 0), (7, None, 7), (None, 3, 3), (7, 3, 10)])
def test_costs_the_broker_has_not_said_yet_count_nothing(fees: int | None, commissions: int | None, costs: int) -> None:
    trade = s.Trade(1, ES, 0, "2026-11-20", 5, 1, 1, None, fees, commissions, False, None, 0)
    assert trade.costs_usd() == costs


def test_the_figures_of_a_day_are_made_once() -> None:
    account = s.Account(1)
    day = account.day("2026-11-20")
    assert (day.trade_date, day.fills) == ("2026-11-20", 0)
    assert account.day("2026-11-20") is day
    assert list(account.days) == ["2026-11-20"]


LOT = (s.Lot(1, 5, 2),)


@pytest.mark.parametrize(
    ("position", "held"),
    [
        (s.Position(ES), False),
        (s.Position(ES, side=1, lots=LOT), True),
        (s.Position(ES, side=1, lots=LOT, early=LOT), False),  # Lots that add up to nothing.
        (s.Position(ES, side=1, lots=LOT, pushed=0), False),
        (s.Position(ES, pushed=-1), True),
    ],
)
def test_what_is_held(position: s.Position, held: bool) -> None:
    assert s.Account(1, positions={ES: position}).held() == ([position] if held else [])


def test_the_trade_date_is_that_of_the_open_day() -> None:
    day = s.Day("2026-11-20", 0, 9, "America/Chicago", 0, {})
    assert s.Book(day=day).trade_date == "2026-11-20"


def test_an_old_fill_keeps_every_field_but_its_id_elsewhere() -> None:
    whole = example(s.Trade)
    assert s.OldTrade.of(whole).trade(whole.id) == whole
    account = s.Account(1, trades={7: whole}, old_trades={8: s.OldTrade.of(whole)})
    assert (account.trade(7), account.trade(9)) == (whole, None)
    assert account.trade(8) == dataclasses.replace(whole, id=8)


@pytest.mark.parametrize(
    ("position", "valued"),
    [
        (s.Position(ES), False),
        (s.Position(ES, pushed=1), True),
        (s.Position(ES, side=1, lots=LOT, pushed=0), True),
        (s.Position(ES, carried=1, pushed=0), True),
    ],
)
def test_what_is_valued(position: s.Position, valued: bool) -> None:
    assert position.valued is valued


def test_what_was_carried_in_counts_as_size_once_it_is_confirmed() -> None:
    position = s.Position(ES, side=1, lots=LOT, carried=3, confirmed=2)
    assert (position.lot_size, position.size) == (4, 4)
    account = s.Account(1, positions={ES: s.Position(ES, carried=2, confirmed=2)})
    assert len(account.held()) == 1
