"""What the broker shows beyond the fills: valued at once where no lots are known, and never twice (RULES.md 1.5)."""

from datetime import timedelta

import pytest

from riskcore.core import events as e
from riskcore.core.carried import sizes_gone_through
from riskcore.core.quantities import price
from riskcore.core.state import Position
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES = "CON.F.US.EP.Z26"


def of(day: Ledger) -> Position:
    return day.account_state.positions[ES]


def carried(day: Ledger) -> tuple[int, int | None, int]:
    return (of(day).carried, of(day).carried_cost, of(day).confirmed)


def lots(day: Ledger) -> list[tuple[int, int]]:
    return [(lot.size, lot.price) for lot in of(day).lots]


def later(day: Ledger, milliseconds: int) -> Ledger:
    day.now += timedelta(milliseconds=milliseconds)
    return day


def listed(day: Ledger, size: int, average: str) -> Ledger:
    shown = e.PositionObserved(ACCOUNT, ES, size, price(average))
    return day.take(e.PositionsListed(ACCOUNT, (shown,), nanoseconds(day.now)), "positions")


def held(size: int = 2, average: str = "6000") -> Ledger:
    """Carried in, and so for more than two seconds."""
    return later(listed(Ledger().at("09:00:00"), size, average), 3000).tick()


def test_what_no_fill_told_of_is_carried_at_the_brokers_average_and_confirmed_by_the_drift() -> None:
    day = listed(Ledger().at("09:00:00"), 2, "6000")
    assert carried(day) == (2, price("12000"), 0)
    later(day, 1999).tick()
    assert of(day).confirmed == 0
    assert carried(later(day, 1).tick()) == (2, price("12000"), 2)
    assert of(day).disagrees_since is None


def test_a_push_ahead_of_its_fills_gives_way_to_each_of_them() -> None:
    day = Ledger().at("09:00:00").push("ES", 1, "6000").push("ES", 3, "6002")
    assert carried(day) == (3, price("18006"), 0)
    later(day, 5).fill("ES", 1, "6000")
    assert (lots(day), carried(day)) == ([(1, price("6000"))], (2, price("12006"), 0))
    later(day, 5).fill("ES", 2, "6003")
    assert (lots(day), carried(day)) == ([(1, price("6000")), (2, price("6003"))], (0, 0, 0))
    assert (of(day).shown, [one.shown for one in day.account_state.trades.values()]) == (None, [False, False])


def test_another_push_ahead_counts_what_is_told_by_then() -> None:
    day = later(Ledger().at("09:00:00").push("ES", 2, "6000"), 5).fill("ES", 1, "6000").push("ES", 4, "6001")
    assert (lots(day), carried(day)) == ([(1, price("6000"))], (3, price("18004"), 0))


def test_a_push_ahead_of_the_exit_leaves_what_is_known_to_the_fill() -> None:
    day = later(Ledger().at("09:00:00").push("ES", 3, "6000"), 5).fill("ES", 1, "6000").push("ES", 0)
    assert (lots(day), carried(day)) == ([(1, price("6000"))], (2, price("12000"), 0))
    day = held().push("ES", 1)
    assert carried(day) == (2, price("12000"), 2)
    day.fill("ES", -1, "6004", profit="200")
    assert carried(day) == (1, price("6000"), 1)
    assert of(day).disagrees_since is None


def test_pushes_ahead_of_a_way_in_and_out_leave_nothing() -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000").push("ES", 0)
    assert (carried(day), of(day).shown) == ((0, 0, 0), None)


def test_pushes_ahead_of_a_flip_give_way_to_all_its_fills() -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000").push("ES", -1, "6010")
    later(day, 1).fill("ES", 2, "6000").fill("ES", -2, "6010", profit="1000").fill("ES", -1, "6010")
    assert (lots(day), carried(day), of(day).side) == ([(1, price("6010"))], (0, 0, 0), -1)


def test_pushes_ahead_that_show_fewer_give_way_to_the_exit_as_well() -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000").push("ES", 1, "6000")
    made = day.now
    later(day, 1).fill("ES", 2, "6000", created=made).fill("ES", -1, "6010", profit="500", created=made)
    assert (lots(day), carried(day)) == ([(1, price("6000"))], (0, 0, 0))


def test_more_is_added_to_what_was_carried_in_before_its_fill_is_told() -> None:
    day = held().push("ES", 3, "6002")
    assert carried(day) == (3, price("18006"), 2)
    assert of(day).disagrees_since is not None
    later(day, 5).fill("ES", 1, "6006")
    assert (lots(day), carried(day)) == ([(1, price("6006"))], (2, price("12000"), 2))
    assert of(day).disagrees_since is None


@pytest.mark.parametrize(
    ("before_ms", "new"), [(3000, True), (3001, False)], ids=["as the list was asked for", "before it"]
)
def test_a_fill_made_before_the_list_is_part_of_what_it_showed(before_ms: int, new: bool) -> None:
    day = held()
    day.fill("ES", 1, "6000", created=day.now - timedelta(milliseconds=before_ms))
    assert (of(day).lot_size, of(day).carried) == ((3, 2) if new else (2, 1))


@pytest.mark.parametrize("behind_ms", [1998, 1999, 2000])
def test_a_fill_told_long_after_the_push_that_came_behind_it_is_part_of_that(behind_ms: int) -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000")
    made = day.now - timedelta(milliseconds=10)
    later(day, behind_ms).fill("ES", -1, "6000", profit="0", created=made)
    assert of(day).carried == (1 if behind_ms < 2000 else 2)


@pytest.mark.parametrize("ago_ms", [1999, 2000, 2001])
def test_a_push_is_never_two_seconds_old(ago_ms: int) -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000")
    day.fill("ES", -1, "6000", profit="0", created=day.now - timedelta(milliseconds=ago_ms))
    assert of(day).carried == (1 if ago_ms < 2000 else 2)


@pytest.mark.parametrize(("size", "explains"), [(1, False), (2, True)])
def test_a_fill_after_the_list_belongs_to_it_where_the_list_is_explained_by_that(size: int, explains: bool) -> None:
    day = later(listed(Ledger().at("09:00:00"), 2, "6000"), 5).fill("ES", size, "6000")
    assert of(day).carried == (0 if explains else 2)


def test_a_price_that_was_unknown_is_taken_over_when_the_broker_names_it() -> None:
    day = later(Ledger().at("09:00:00").push("ES", 2), 3000).tick()
    assert carried(day) == (2, None, 2)
    assert carried(day.push("ES", 2)) == (2, None, 2)
    assert carried(day.push("ES", 2, "6001")) == (2, price("12002"), 2)


def test_a_drift_settles_the_fills_before_it() -> None:
    day = Ledger().at("09:00:00").fill("ES", 2, "6000").push("ES", 1, "6000")
    later(day, 2000).tick()
    assert (lots(day), carried(day)) == ([], (1, price("6000"), 1))
    assert [one.settled for one in day.account_state.trades.values()] == [True]


def test_the_void_of_a_settled_fill_takes_its_share_of_what_is_carried() -> None:
    day = Ledger().at("09:00:00").fill("ES", 2, "6000", trade=5).push("ES", 3, "6001")
    later(day, 2000).tick().void(5)
    assert carried(day) == (1, price("6003"), 1)


def test_the_void_of_a_settled_exit_opens_again_what_it_closed() -> None:
    day = Ledger().at("09:00:00").fill("ES", 2, "6000").fill("ES", -1, "6004", profit="200", trade=5).push("ES", 2, "1")
    later(day, 3000).tick()
    day.push("ES", 2, "6000").void(5)
    assert carried(day)[:1] == (3,)


def test_the_void_of_a_settled_fill_of_a_trip_that_is_over_opens_nothing() -> None:
    day = Ledger().at("09:00:00").fill("ES", 2, "6000", trade=5).push("ES", 1, "6000")
    later(day, 2000).tick().fill("ES", -1, "6000", profit="0").push("ES", 0).fill("ES", 1, "6010")
    day.void(5)
    assert (lots(day), carried(day)) == ([(1, price("6010"))], (0, 0, 0))


@pytest.mark.parametrize("order", [(5, 6), (6, 5)])
def test_the_voids_of_both_halves_of_a_settled_round_trip_leave_nothing(order: tuple[int, int]) -> None:
    day = held().at("09:00:30").fill("ES", -2, "6000", profit="0").push("ES", 0)
    day.at("09:01:00").fill("ES", 1, "6000", trade=5).push("ES", 1, "6000").fill(
        "ES", -1, "6010", profit="500", trade=6
    ).push("ES", 0)
    later(day.at("09:02:00").push("ES", -2, "6010"), 5).fill("ES", -2, "6010")
    assert [one.settled for one in day.account_state.trades.values()] == [True, True, True, False]
    assert day.account_state.days[day.book.trade_date].round_trips == 2
    for trade, carried_then in zip(order, (0 if order[0] == 5 else 1, 0), strict=True):
        day.void(trade)
        figures = day.account_state.days[day.book.trade_date]
        assert (figures.round_trips, of(day).lot_size) == (1, carried_then - 2)
    assert (lots(day), carried(day)[0]) == ([(2, price("6010"))], 0)


def test_a_void_changes_the_fills_and_not_what_was_shown_beyond_them() -> None:
    day = held()
    made = day.now - timedelta(milliseconds=3500)
    day.fill("ES", 1, "6000", created=made, trade=5)
    assert (of(day).lot_size, of(day).carried) == (2, 1)
    day.void(5)
    assert (of(day).lot_size, carried(day)) == (1, (1, price("6000"), 1))


def test_the_sizes_that_fills_went_through_reach_two_seconds_back() -> None:
    day = Ledger().at("09:00:00").fill("ES", 3, "6000")
    later(day, 1).fill("ES", -1, "6000", profit="0").fill("ES", -1, "6000", profit="0").fill("ES", 5, "1", trade=9)
    at = nanoseconds(day.void(9).now)
    assert sizes_gone_through(day.account_state, of(day), at) == [2, 3, 0, 2, 3, 0]
    assert sizes_gone_through(day.account_state, of(day), at + 1_999_000_000) == [2, 3, 2, 3]
    assert sizes_gone_through(day.account_state, of(day), at + 2_000_000_000) == []


def test_a_push_between_fills_of_an_exit_that_are_told_out_of_order_is_no_news() -> None:
    day = Ledger().at("09:00:00").fill("ES", -6, "6000").push("ES", -6, "6000").at("09:01:00")
    made = day.now
    parts = ((2, 51, "-200", made), (1, 52, "-100", made + timedelta(milliseconds=6)), (3, 50, "-300", made))
    for size, trade, profit, created in parts:
        later(day, 50).fill("ES", size, "6002", profit=profit, trade=trade, created=created)
    assert sizes_gone_through(day.account_state, of(day), nanoseconds(day.now)) == [-3, -4, -6, -1, -3, -6]
    for size in (-3, -1, 0):  # As they were made: 3, 2 and 1 of them.
        later(day, 10).push("ES", size, "6000")
        assert (carried(day), of(day).shown) == ((0, 0, 0), None)


@pytest.mark.parametrize(("size", "beside"), [(1, 1), (2, 0), (3, 2)])
def test_a_larger_fill_that_was_made_after_a_push_is_no_part_of_it(size: int, beside: int) -> None:
    """The push is of a fill that is still to be told: the larger one does not stand for it."""
    day = later(Ledger().at("09:00:00").push("ES", 2, "6000"), 40).fill("ES", size, "6000")
    assert (of(day).lot_size, of(day).carried) == (size, beside)


def test_fills_that_come_to_what_is_shown_leave_nothing_beside_them() -> None:
    day = Ledger().at("09:00:00").push("ES", 2, "6000")
    first = day.now
    later(day, 40).fill("ES", 1, "6000", trade=9)  # It is told before the older one of its order.
    assert carried(day) == (1, price("6000"), 0)
    later(day, 90).fill("ES", 2, "6000", trade=8, created=first)
    later(day, 90).push("ES", 3, "6000")
    assert (lots(day), carried(day)) == ([(2, price("6000")), (1, price("6000"))], (0, 0, 0))


def test_no_older_word_of_the_broker_replaces_a_fill_that_was_made_since() -> None:
    """Seeds 900685 and 900761 of the simulation: the push of a fill was lost, and the fill with it."""
    day = Ledger().at("09:00:00").push("ES", 0).at("09:00:01").fill("ES", 1, "6000").at("09:00:03").tick()
    assert len(day.bodies(e.DriftDetected)) == 1
    assert (lots(day), of(day).size) == ([(1, price("6000"))], 0)
    listed(day.at("09:00:04"), 1, "6000").at("09:00:10").tick()
    assert (lots(day), of(day).size, len(day.bodies(e.DriftDetected))) == ([(1, price("6000"))], 1, 1)


def test_once_fills_explain_what_was_shown_they_close_in_the_order_in_which_they_were_made() -> None:
    day = listed(Ledger().at("09:00:00"), 4, "6000")
    asked = day.now
    later(day, 500).fill("ES", 2, "5999", created=asked + timedelta(milliseconds=5))
    day.fill("ES", 2, "6001", created=asked - timedelta(milliseconds=130))
    assert carried(day) == (0, 0, 0)  # They come to what was listed.
    day.push("ES", 6, "5999").fill("ES", 2, "5997")
    assert carried(day) == (0, 0, 0)
    assert lots(day) == [(2, price("6001")), (2, price("5999")), (2, price("5997"))]
    later(day, 100).fill("ES", -3, "5998", profit="-350")
    assert lots(day) == [(1, price("5999")), (2, price("5997"))]
    assert not any(trade.shown for trade in day.account_state.trades.values())


def test_a_round_trip_told_behind_the_fills_of_what_was_shown_closes_its_own_lot() -> None:
    """The last of the fills that explain what was shown comes first of a list, and those made before others follow."""
    day = listed(Ledger().at("09:00:00"), -1, "6004")
    before = day.now - timedelta(seconds=5)
    later(day, 500).push("ES", -3, "6006").fill("ES", -2, "6007")
    later(day, 500).fill("ES", 1, "6001", profit="150")
    for size, at_price, profit, seconds in ((-1, "6000", None, 0), (1, "6004", "-200", 1), (-1, "6004", None, 2)):
        day.fill("ES", size, at_price, profit=profit, created=before + timedelta(seconds=seconds))
    assert lots(day) == [(2, price("6007"))]
    assert of(day).round_trips == 1


def test_a_late_fill_that_closed_what_nobody_told_of_closes_nothing_that_was_opened_behind_it() -> None:
    """Also where fills that were told after it are all of what the broker has shown since."""
    day = listed(Ledger().at("09:00:00"), 2, "6000")
    asked = day.now
    later(day, 500).fill("ES", 1, "6001", created=asked + timedelta(milliseconds=5))
    day.fill("ES", 2, "6000", created=asked - timedelta(seconds=1))
    day.fill("ES", -1, "6002", profit="50", created=asked - timedelta(seconds=2))
    assert (carried(day)[0], lots(day)) == (0, [(2, price("6000")), (1, price("6001"))])


@pytest.mark.parametrize(("milliseconds", "left"), [(-1, 1), (0, 0), (1, 0)])
def test_a_list_that_confirms_what_was_shown_knows_the_fills_made_before_it(milliseconds: int, left: int) -> None:
    """A push alone may be some moments old, so a fill that is told soon behind it could be new."""
    day = later(Ledger().at("09:00:00").fill("ES", 6, "6001").push("ES", 1, "6000"), 2100).tick()
    day.push("ES", 1, "6000")
    assert carried(day) == (1, price("6000"), 1)
    listed(later(day, 50), 1, "6000")
    asked = day.now
    later(day, 100).fill("ES", -1, "6002", profit="100", created=asked + timedelta(milliseconds=milliseconds))
    assert of(day).carried + sum(size for size, _ in lots(day)) == left


@pytest.mark.parametrize("first", ["push", "fill"])
def test_a_round_trip_that_began_before_the_fills_stays_counted(first: str) -> None:
    """Also when the next position is pushed ahead of its fills, and whichever word of the exit came first."""
    day = held(-1, "6003")
    if first == "push":
        later(day.push("ES", 0), 500).fill("ES", 1, "6004", profit="-50")
    else:
        later(day.fill("ES", 1, "6004", profit="-50"), 500).push("ES", 0)
    later(day, 5000).push("ES", 2, "6002")
    assert (of(day).round_trips, carried(day)[0]) == (1, 2)
    later(day, 500).fill("ES", 2, "6002")
    later(day, 500).fill("ES", -2, "6003", profit="100")
    day.push("ES", 0)
    figures = day.account_state.days[day.book.trade_date]
    assert (figures.round_trips, of(day).round_trips, lots(day), carried(day)) == (2, 2, [], (0, 0, 0))


@pytest.mark.parametrize(
    ("size", "average", "cost"),
    [
        (6, "5989.833333333", "35939"),
        (-6, "5989.833333333", "-35939"),
        (7, "5989.857142857", "41929"),
        (3, "5989.833333334", "17969.5"),
        (2, "5989.83", "11979.66"),
    ],
)
def test_what_was_paid_is_whole_ticks_but_for_what_an_average_leaves_out(size: int, average: str, cost: str) -> None:
    assert of(Ledger().at("09:00:00").push("ES", size, average)).carried_cost == price(cost)
