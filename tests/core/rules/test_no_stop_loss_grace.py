"""RULE-008 NoStopLossGrace, to the boundary of RULES.md 5."""

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import price
from tests.core.ledger import ACCOUNT, Ledger

STOP, TRAILING = 4, 5
CANCELLED, FILLED, SUSPENDED = 3, 2, 8


def long_at_ten(size: int = 1, **settings: object) -> Ledger:
    day = Ledger(no_stop_loss_grace=dict(settings), start="2026-11-20 09:59:00")
    return day.at("10:00:00").fill("MNQ", size, "21000")


def stop(day: Ledger, size: int = -1, order_id: int = 7, **more: object) -> Ledger:
    return day.order(order_id, "MNQ", size, type=STOP, stop="20990", **more)


def test_rule_008_example_1_time_used_before_the_stop_counts_when_it_is_cancelled() -> None:
    day = stop(long_at_ten().at("10:00:10"))
    stop(day.at("10:05:00"), status=CANCELLED).tick("10:06:00")
    assert day.breach_times == ["10:05:20"]
    assert day.kinds == ["ClosePosition"]
    assert day.breaches[0].figures == {"uncovered_seconds": "30", "grace_period_seconds": "30"}
    assert day.breaches[0].contract == day.contract("MNQ")


def test_rule_008_example_1_unless_it_is_placed_again() -> None:
    day = stop(long_at_ten().at("10:00:10"))
    stop(day.at("10:05:00"), status=CANCELLED)
    stop(day.at("10:05:19.999"), order_id=8).tick("10:30:00")
    assert day.breaches == []


def test_rule_008_example_2_a_take_profit_is_no_stop() -> None:
    day = long_at_ten().order(7, "MNQ", -1, type=1, limit="21010").tick("10:01:00")
    assert day.breach_times == ["10:00:30"]


@pytest.mark.parametrize(("at", "breaches"), [("10:00:29.999", 0), ("10:00:30", 1), ("10:00:30.001", 1)])
def test_rule_008_example_2_a_stop_at_the_very_end_of_the_grace_is_too_late(at: str, breaches: int) -> None:
    day = stop(long_at_ten().at(at)).tick("10:30:00")
    assert len(day.breaches) == breaches


def test_rule_008_example_3_the_added_part_must_be_covered() -> None:
    day = stop(long_at_ten(2), size=-2)
    day.at("10:10:00").fill("MNQ", 1, "21001")
    stop(day.at("10:10:20"), size=-3).tick("10:30:00")
    assert day.breaches == []


def test_rule_008_example_3_the_clock_runs_until_the_stop_is_raised() -> None:
    day = stop(long_at_ten(2), size=-2)
    day.at("10:10:00").fill("MNQ", 1, "21001").tick("10:30:00")
    assert day.breach_times == ["10:10:30"]


def test_an_increase_does_not_restart_the_clock() -> None:
    day = long_at_ten().at("10:00:20").fill("MNQ", 1, "21001").tick("10:30:00")
    assert day.breach_times == ["10:00:30"]


def test_any_stop_is_enough_when_the_full_size_is_not_required() -> None:
    assert stop(long_at_ten(3, require_full_size=False)).tick("10:30:00").breaches == []
    assert stop(long_at_ten(3)).tick("10:30:00").breach_times == ["10:00:30"]


@pytest.mark.parametrize(("mode", "expected"), [("cumulative", ["10:00:45"]), ("per_gap", ["10:01:00"])])
def test_per_gap_starts_again_each_time_cover_is_lost(mode: str, expected: list[str]) -> None:
    day = stop(long_at_ten(grace_mode=mode).at("10:00:15"))
    stop(day.at("10:00:30"), status=CANCELLED).tick("10:30:00")
    assert day.breach_times == expected


def test_a_short_is_covered_by_a_buy_stop_and_by_nothing_else() -> None:
    day = Ledger(no_stop_loss_grace={}).at("10:00:00").fill("MNQ", -1, "21000")
    day.order(7, "MNQ", -1, type=STOP, stop="20990").tick("10:00:29")
    day.order(8, "MNQ", 1, type=STOP, stop="21010").tick("10:30:00")
    assert day.breaches == []
    day = Ledger(no_stop_loss_grace={}).at("10:00:00").fill("MNQ", -1, "21000")
    assert day.order(7, "MNQ", -1, type=STOP, stop="20990").tick("10:30:00").breach_times == ["10:00:30"]


def test_a_stop_trailed_into_profit_still_covers() -> None:
    day = long_at_ten().order(7, "MNQ", -1, type=STOP, stop="21050").tick("10:30:00")
    assert day.breaches == []


@pytest.mark.parametrize(("price_text", "breaches"), [("20990.25", 0), ("20990", 0), ("20989.75", 1)])
def test_a_stop_further_away_than_allowed_does_not_cover(price_text: str, breaches: int) -> None:
    day = long_at_ten(max_stop_distance_ticks=40)
    day.order(7, "MNQ", -1, type=STOP, stop=price_text).tick("10:30:00")
    assert len(day.breaches) == breaches


def test_the_distance_is_measured_from_the_average_entry() -> None:
    day = long_at_ten(max_stop_distance_ticks=40).fill("MNQ", 1, "21010")
    day.order(7, "MNQ", -2, type=STOP, stop="20994.75").tick("10:30:00")
    assert day.breach_times == ["10:00:30"]


def test_a_trailing_stop_without_a_price_covers() -> None:
    day = long_at_ten(max_stop_distance_ticks=1).order(7, "MNQ", -1, type=TRAILING).tick("10:30:00")
    assert day.breaches == []


def test_a_suspended_leg_covers_for_two_seconds_and_the_clock_starts_then() -> None:
    day = Ledger(no_stop_loss_grace={}).at("10:00:00").order(6, "MNQ", 1, type=2, status=6)
    day.order(7, "MNQ", -1, type=STOP, status=SUSPENDED, parent=6)
    day.fill("MNQ", 1, "21000", order=6).order(6, "MNQ", 1, type=2, status=FILLED, filled=1).tick("10:30:00")
    assert day.breach_times == ["10:00:32"]


def test_a_leg_that_works_in_time_leaves_no_time_used() -> None:
    day = Ledger(no_stop_loss_grace={}).at("10:00:00").order(6, "MNQ", 1, type=2, status=6)
    day.order(7, "MNQ", -1, type=STOP, status=SUSPENDED, parent=6).fill("MNQ", 1, "21000", order=6)
    day.at("10:00:01.999").order(7, "MNQ", -1, type=STOP, stop="20990", parent=6)
    day.at("10:05:00").order(7, "MNQ", -1, type=STOP, stop="20990", parent=6, status=CANCELLED).tick("10:30:00")
    assert day.breach_times == ["10:05:30"]


def entered_before_the_reset(told: str, *, first: str = "16:59:59", last: str = "16:59:59.500") -> Ledger:
    """A bracket whose entry fills in two parts; its leg is first shown at `told`."""
    day = Ledger(no_stop_loss_grace={}, start="2026-11-19 16:59:00").at("16:59:00").order(6, "MNQ", 2, type=2, status=6)
    if told < first:
        day.at(told).order(7, "MNQ", -2, type=STOP, status=SUSPENDED, parent=6)
    day.at(first).order(6, "MNQ", 2, type=2, status=1, filled=1).fill("MNQ", 1, "21000", order=6)
    day.at(last).fill("MNQ", 1, "21000", order=6).order(6, "MNQ", 2, type=2, status=FILLED, filled=2)
    if told > last:
        day.at(told).order(7, "MNQ", -2, type=STOP, status=SUSPENDED, parent=6)
    return day


def test_the_cover_of_a_leg_ends_at_the_same_instant_when_a_reset_lies_between() -> None:
    day = entered_before_the_reset("16:59:00").tick("17:10:00")
    assert day.breach_times == ["17:00:31"]


def test_a_leg_shown_after_the_reset_covers_by_an_entry_filled_before_it() -> None:
    day = entered_before_the_reset("17:00:00.500").tick("17:10:00")
    # Half a second before the reset and a second and a half after it were uncovered until the leg was shown.
    assert day.breach_times == ["17:00:29.5"]


@pytest.mark.parametrize(("filled", "ends"), [("16:59:57.999", "17:00:27.999"), ("16:59:58", "17:00:28")])
def test_an_entry_filled_longer_ago_than_its_legs_are_trusted_makes_no_difference(filled: str, ends: str) -> None:
    day = Ledger(no_stop_loss_grace={}, start="2026-11-19 16:59:00").at(filled)
    day.order(6, "MNQ", 1, type=2, status=FILLED, filled=1).fill("MNQ", 1, "21000", order=6)
    day.at("17:00:00").order(7, "MNQ", -1, type=STOP, status=SUSPENDED, parent=6).tick("17:10:00")
    assert day.breach_times == [ends]


def test_a_leg_of_an_entry_told_by_its_order_alone_covers_over_the_reset() -> None:
    day = Ledger(no_stop_loss_grace={}, start="2026-11-19 16:59:00").at("16:59:59")
    day.order(6, "MNQ", 1, type=2, status=FILLED, filled=1)
    day.order(7, "MNQ", -1, type=STOP, status=SUSPENDED, parent=6)
    day.at("16:59:59.400").push("MNQ", 1, "21000").tick("17:10:00")
    assert day.breach_times == ["17:00:31"]


def test_each_position_is_judged_anew_and_once() -> None:
    day = long_at_ten().tick("10:10:00")
    assert day.breach_times == ["10:00:30"]
    day.fill("MNQ", -1, "21000", profit="0").at("10:20:00").fill("MNQ", 1, "21000").tick("10:30:00")
    assert day.breach_times == ["10:00:30", "10:20:30"]


def test_a_flip_starts_a_new_clock() -> None:
    day = Ledger(no_stop_loss_grace={}).at("10:00:00").push("MNQ", 1, "21000")
    day.at("10:00:20").push("MNQ", -1, "21000").tick("10:30:00")
    assert day.breach_times == ["10:00:50"]


def test_the_clock_runs_through_the_reset() -> None:
    day = Ledger(no_stop_loss_grace={}, start="2026-11-19 16:00:00").at("16:59:50").fill("MNQ", 1, "21000")
    day.tick("17:00:30")
    assert day.breach_times == ["17:00:20"]


@pytest.mark.parametrize(("size", "expected", "side"), [(2, "20990", -1), (-2, "21010", 1)])
def test_place_stop_puts_a_stop_at_the_entry_less_the_distance(size: int, expected: str, side: int) -> None:
    day = long_at_ten(size, action="place_stop").tick("10:01:00")
    command = day.commands[-1].command
    assert (command.kind, command.contract) == ("PlaceStop", day.contract("MNQ"))
    assert (command.price, command.size, command.side) == (price(expected), 2, side)


@pytest.mark.parametrize(("side", "expected"), [(1, "20990"), (-1, "21010.25")])
def test_place_stop_rounds_away_from_the_market(side: int, expected: str) -> None:
    day = long_at_ten(side, action="place_stop")
    # The average is 21000.1666...: a long's stop goes down to the grid, a short's up.
    day.fill("MNQ", side, "21000.25").fill("MNQ", side, "21000.25").tick("10:01:00")
    assert day.commands[-1].command.price == price(expected)


def test_place_stop_covers_only_what_is_missing() -> None:
    day = stop(long_at_ten(3, action="place_stop"), size=-2).tick("10:01:00")
    assert day.commands[-1].command.size == 1


def test_a_refused_stop_leads_to_a_close() -> None:
    day = long_at_ten(action="place_stop").tick("10:01:00")
    obligation = next(iter(day.account_state.obligations.values()))
    planned = e.RequestPlanned(ACCOUNT, "r1", obligation.id, "placeStop", obligation.contract, None, 1, -1, 1, 1)
    day.take(planned).take(e.RequestRefused(ACCOUNT, "r1", "Invalid stop price"))
    assert day.kinds == ["PlaceStop", "ClosePosition"]
    assert len(day.breaches) == 1


def test_a_placed_stop_that_is_cancelled_is_placed_again_and_at_last_closed() -> None:
    day = stop(long_at_ten(action="place_stop").tick("10:01:00"))
    for second, kinds in ((5, 2), (10, 3), (15, 4)):
        assert day.account_state.obligations == {}
        stop(day.at(f"10:02:{second:02}"), order_id=second, status=1)
        stop(day, order_id=7, status=CANCELLED)
        stop(day, order_id=second, status=CANCELLED)
        assert len(day.kinds) == kinds
        if kinds < 4:
            stop(day.at(f"10:02:{second + 1:02}"), order_id=100 + second)
            stop(day.at(f"10:02:{second + 2:02}"), order_id=7)
            stop(day, order_id=100 + second, status=CANCELLED)
    assert day.kinds == ["PlaceStop", "PlaceStop", "PlaceStop", "ClosePosition"]
    assert len(day.breaches) == 1
    day.tick("10:30:00")
    assert len(day.kinds) == 4


def test_per_gap_a_cancelled_stop_has_its_grace_before_it_is_placed_again() -> None:
    day = stop(long_at_ten(action="place_stop", grace_mode="per_gap").tick("10:01:00"))
    stop(day.at("10:02:00"), status=CANCELLED).tick("10:02:29.999")
    assert day.kinds == ["PlaceStop"]
    day.tick("10:03:00")
    assert day.kinds == ["PlaceStop", "PlaceStop"]
    assert len(day.breaches) == 1


@pytest.mark.parametrize(("seconds", "stops"), [("01.999", 1), ("02", 2), ("02.001", 2)])
def test_a_stop_that_has_filled_is_not_placed_again_while_its_fill_is_awaited(seconds: str, stops: int) -> None:
    """Order, fill and position come in no fixed order; a second stop would open what nobody wants."""
    day = stop(long_at_ten(action="place_stop").tick("10:01:00"))
    stop(day.at("10:02:00"), status=FILLED, filled=1)
    day.tick(f"10:02:{seconds}")
    assert day.kinds == ["PlaceStop"] * stops


def test_a_stop_whose_fill_comes_behind_its_own_word_is_the_last() -> None:
    day = stop(long_at_ten(action="place_stop").tick("10:01:00"))
    stop(day.at("10:02:00"), status=FILLED, filled=1)
    day.at("10:02:01").fill("MNQ", -1, "20990", profit="-20", order=7).tick("10:30:00")
    assert day.kinds == ["PlaceStop"]


def test_what_is_added_later_is_covered_by_a_larger_stop_of_ours() -> None:
    day = stop(long_at_ten(action="place_stop").tick("10:01:00"), tag="rc-stop-1")
    day.at("10:02:00").fill("MNQ", 1, "21000")
    assert [(one.command.kind, one.command.size) for one in day.commands] == [("PlaceStop", 1), ("PlaceStop", 2)]


def test_what_is_added_while_a_stop_is_under_way_is_covered_as_soon_as_it_works() -> None:
    """Not only with the next tick: a recording has none."""
    day = long_at_ten(action="place_stop").tick("10:00:30").at("10:00:30.100").fill("MNQ", 1, "21000")
    assert [one.command.size for one in day.commands] == [1]
    stop(day.at("10:00:30.250"), tag="rc-stop-1")
    assert [one.command.size for one in day.commands] == [1, 2]


def test_alert_closes_nothing() -> None:
    day = long_at_ten(action="alert").tick("10:01:00")
    assert (day.breach_times, day.kinds, len(day.alerts)) == (["10:00:30"], [], 1)


def test_shadow_records_and_does_nothing() -> None:
    day = long_at_ten(shadow=True).tick("10:01:00")
    assert (day.breach_times, day.kinds) == (["10:00:30"], [])


def test_a_recording_without_orders_makes_the_rule_blind() -> None:
    day = Ledger(no_stop_loss_grace={}, lacks=("orders",)).at("10:00:00").fill("MNQ", 1, "21000").tick("10:10:00")
    assert day.breaches == []


# ---- downtime ----------------------------------------------------------------------------------------


def lost_from_10_to_50(day: Ledger) -> Ledger:
    day.at("10:00:10").take(e.ConnectionChanged("user", "lost"), "connection")
    return day.at("10:00:50").take(e.ConnectionChanged("user", "connected"), "connection")


def snapshot(day: Ledger, *orders: int) -> Ledger:
    return day.at("10:00:51").take(e.OrdersListed(ACCOUNT, (1,), orders), "orders")


def test_downtime_does_not_count_when_the_snapshot_shows_a_stop() -> None:
    day = snapshot(stop(lost_from_10_to_50(long_at_ten()).at("10:00:51")), 7)
    assert day.breaches == []
    stop(day.at("10:05:00"), status=CANCELLED).tick("10:30:00")
    assert day.breach_times == ["10:05:20"]


def test_downtime_counts_when_the_snapshot_shows_no_stop() -> None:
    day = snapshot(lost_from_10_to_50(long_at_ten()))
    assert day.breach_times == ["10:00:51"]
    assert day.breaches[0].figures["uncovered_seconds"] == "51"


def test_a_stop_that_disappeared_during_downtime_makes_the_downtime_count() -> None:
    day = snapshot(lost_from_10_to_50(stop(long_at_ten())))
    assert day.breach_times == ["10:00:51"]
    assert day.breaches[0].figures["uncovered_seconds"] == "41"


def test_a_snapshot_is_not_waited_for_longer_than_five_seconds() -> None:
    day = lost_from_10_to_50(long_at_ten()).tick("10:02:00")
    assert day.breach_times == ["10:00:55"]


def test_nothing_is_judged_while_the_connection_is_lost() -> None:
    day = long_at_ten().at("10:00:10").take(e.ConnectionChanged("user", "lost"), "connection").tick("10:30:00")
    assert day.breaches == []


def test_nothing_is_judged_of_an_account_that_nothing_is_seen_of_until_it_is_back() -> None:
    day = long_at_ten().at("10:00:10").take(e.SightChanged(ACCOUNT, True), "sight").tick("10:30:00")
    assert day.breaches == []
    day.take(e.OrdersListed(ACCOUNT, (1,), ()), "orders").at("10:30:01").take(e.SightChanged(ACCOUNT, False), "sight")
    assert day.breach_times == ["10:30:01"]


def test_what_happened_while_nothing_was_seen_of_an_account_does_not_count_when_a_stop_is_there_at_the_end() -> None:
    day = long_at_ten().at("10:00:10").take(e.SightChanged(ACCOUNT, True), "sight").at("10:04:00")
    stop(day).take(e.OrdersListed(ACCOUNT, (1,), (7,)), "orders").take(e.SightChanged(ACCOUNT, False), "sight")
    stop(day.at("10:05:00"), status=CANCELLED).tick("10:30:00")
    assert day.breach_times == ["10:05:20"]


def test_a_position_opened_while_the_connection_is_lost_is_uncovered_from_its_opening() -> None:
    day = Ledger(no_stop_loss_grace={}).at("10:00:10").take(e.ConnectionChanged("user", "lost"), "connection")
    day.at("10:00:40").push("MNQ", 1, "21000")
    day.at("10:00:50").take(e.ConnectionChanged("user", "connected"), "connection")
    assert snapshot(day).tick("10:30:00").breach_times == ["10:01:10"]
