"""What an order is for (RULES.md 2, 3.2, RULE-008): entries, bracket legs, cover."""

from dataclasses import replace

import pytest

from riskcore.core.order_roles import covering_size, entry_filled_at, entry_orders, is_entry, leg_cover_ends_at
from riskcore.core.quantities import price
from riskcore.core.state import Account, Lot, Order, Position, Trade

MNQ = "CON.F.US.MNQ.Z26"
NOW = 1_000_000_000_000
TWO_SECONDS = 2_000_000_000
STOP, LIMIT = 4, 1
OPEN, SUSPENDED = 1, 8
AVERAGE = price("21000")


def order(order_id: int, size: int, *, type: int = LIMIT, status: int = OPEN, filled: int = 0, **more: object) -> Order:
    side = 1 if size > 0 else -1
    made = Order(order_id, MNQ, status, type, side, abs(size), filled, None, None, None, None, None, None, NOW)
    return replace(made, **more)


def account_with(size: int, *orders: Order) -> Account:
    """An account that holds `size` MNQ, nothing for 0."""
    account = Account(1, orders={one.id: one for one in orders})
    if size:
        account.positions[MNQ] = Position(MNQ, pushed=size, average_price=AVERAGE)
    return account


def covered(account: Account, now: int = NOW, ticks: int | None = None) -> int:
    distance = None if ticks is None else ticks * price("0.25")
    return covering_size(account, account.positions[MNQ], now, AVERAGE, distance)


# ---- entries -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "ordered", "entry"),
    [
        (0, 1, True),
        (0, -1, True),
        (2, 1, True),
        (2, -1, False),
        (2, -2, False),
        (2, -3, True),
        (-2, -1, True),
        (-2, 1, False),
        (-2, 2, False),
        (-2, 3, True),
    ],
)
def test_an_order_is_an_entry_when_it_would_open_increase_or_cross_zero(held: int, ordered: int, entry: bool) -> None:
    one = order(7, ordered)
    assert is_entry(account_with(held, one), one, NOW) is entry


def test_only_what_is_left_of_an_order_counts() -> None:
    partly = order(7, -3, filled=1)
    assert not is_entry(account_with(2, partly), partly, NOW)
    done = order(7, 3, filled=3)
    assert not is_entry(account_with(0, done), done, NOW)


@pytest.mark.parametrize(("pushed", "filled", "entry"), [(2, 1, False), (1, 1, False), (1, 0, False), (0, 0, False)])
def test_what_fills_and_pushes_have_shown_is_not_left_of_an_exit(pushed: int, filled: int, entry: bool) -> None:
    """Long 2, and an order that sells 2: in whatever order fill, position and order come, it never opens anything."""
    exit_order = order(7, -2)
    account = Account(1, orders={7: exit_order})
    account.positions[MNQ] = Position(MNQ, 1, (Lot(1, AVERAGE, 2 - filled),), pushed=pushed)
    if filled:
        account.trades[1] = sold(filled)
    assert is_entry(account, exit_order, NOW) is entry
    assert is_entry(account, replace(exit_order, size=3), NOW), "one more than was held"


def test_an_exit_that_fills_in_parts_is_none_by_its_fills_alone() -> None:
    exit_order = order(7, -2)
    account = Account(1, orders={7: exit_order}, trades={1: sold(1)})
    account.positions[MNQ] = Position(MNQ, 1, (Lot(1, AVERAGE, 1),))
    assert not is_entry(account, exit_order, NOW)
    account.trades[2] = replace(sold(1), id=2)
    account.positions[MNQ] = Position(MNQ)
    assert not is_entry(account, exit_order, NOW)


def sold(size: int) -> Trade:
    return Trade(1, MNQ, NOW, "2026-11-20", AVERAGE, -1, size, None, None, None, False, 7, NOW)


@pytest.mark.parametrize(("status", "entry"), [(1, True), (6, True), (7, True), (2, False), (3, False), (5, False)])
def test_only_a_working_order_is_an_entry(status: int, entry: bool) -> None:
    one = order(7, 1, status=status)
    assert is_entry(account_with(0, one), one, NOW) is entry


def test_a_suspended_leg_is_never_an_entry_a_suspended_order_without_parent_is() -> None:
    leg = order(8, -1, status=SUSPENDED, parent_id=7)
    alone = order(9, -1, status=SUSPENDED)
    account = account_with(0, order(7, 1), leg, alone)
    assert [one.id for one in entry_orders(account, NOW)] == [7, 9]


@pytest.mark.parametrize(("age", "entry"), [(0, False), (TWO_SECONDS, False), (TWO_SECONDS + 1, True)])
def test_a_leg_is_no_entry_for_two_seconds_after_its_parent_was_seen_filled(age: int, entry: bool) -> None:
    leg = order(8, -1, type=STOP, parent_id=7)
    account = account_with(0, order(7, 1, status=2, filled_at=NOW), leg)
    assert is_entry(account, leg, NOW + age) is entry


def test_entry_orders_can_be_asked_for_one_contract() -> None:
    other = replace(order(8, 1), contract="CON.F.US.EP.Z26")
    account = account_with(0, order(7, 1), other)
    assert [one.id for one in entry_orders(account, NOW, MNQ)] == [7]
    assert [one.id for one in entry_orders(account, NOW)] == [7, 8]


def test_a_fill_tells_that_an_entry_is_filled_before_its_order_does() -> None:
    leg = order(8, -1, type=STOP, parent_id=7)
    account = account_with(0, leg)
    assert entry_filled_at(account, leg) is None
    account.trades[1] = Trade(1, MNQ, NOW, "2026-11-20", AVERAGE, 1, 1, None, None, None, False, 7, NOW + 5)
    assert entry_filled_at(account, leg) == NOW + 5
    account.orders[7] = order(7, 1, status=2, filled_at=NOW + 9)
    assert entry_filled_at(account, leg) == NOW + 9


# ---- cover -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [2, -2])
@pytest.mark.parametrize(("type", "size"), [(3, 2), (4, 2), (5, 2), (1, 0), (2, 0), (6, 0), (7, 0)])
def test_only_stops_cover(held: int, type: int, size: int) -> None:
    assert covered(account_with(held, order(7, -held, type=type))) == size


@pytest.mark.parametrize(("status", "size"), [(1, 2), (6, 0), (7, 0), (8, 0), (2, 0), (3, 0), (5, 0)])
def test_only_an_open_stop_covers(status: int, size: int) -> None:
    assert covered(account_with(2, order(7, -2, type=STOP, status=status))) == size


def test_a_stop_on_the_same_side_or_in_another_contract_covers_nothing() -> None:
    other = replace(order(8, -2, type=STOP), contract="CON.F.US.EP.Z26")
    assert covered(account_with(2, order(7, 2, type=STOP), other)) == 0


def test_several_stops_cover_together_with_what_is_left_of_them() -> None:
    assert covered(account_with(5, order(7, -3, type=STOP, filled=1), order(8, -2, type=STOP))) == 4


@pytest.mark.parametrize("held", [1, -1])
@pytest.mark.parametrize(("points", "size"), [("9.75", 1), ("10", 1), ("10.25", 0)])
def test_a_stop_further_than_the_distance_covers_nothing_on_either_side_of_the_entry(
    held: int, points: str, size: int
) -> None:
    for away in (price(points), -price(points)):
        stop = order(7, -held, type=STOP, stop_price=AVERAGE + away)
        assert covered(account_with(held, stop), ticks=40) == size


def test_a_trailing_stop_covers_without_a_price() -> None:
    assert covered(account_with(1, order(7, -1, type=5)), ticks=1) == 1


@pytest.mark.parametrize(("age", "size"), [(0, 1), (TWO_SECONDS - 1, 1), (TWO_SECONDS, 0)])
def test_a_suspended_leg_covers_for_two_seconds_after_the_entry_fill(age: int, size: int) -> None:
    leg = order(8, -1, type=STOP, status=SUSPENDED, parent_id=7)
    account = account_with(1, order(7, 1, status=2, filled_at=NOW), leg)
    assert covered(account, NOW + age) == size
    ends_at = leg_cover_ends_at(account, account.positions[MNQ], NOW + age)
    assert ends_at == (NOW + TWO_SECONDS if size else None)


def test_a_suspended_take_profit_covers_nothing() -> None:
    leg = order(8, -1, status=SUSPENDED, parent_id=7)
    account = account_with(1, order(7, 1, status=2, filled_at=NOW), leg)
    assert covered(account) == 0
    assert leg_cover_ends_at(account, account.positions[MNQ], NOW) is None
