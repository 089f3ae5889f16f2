"""Realised P&L, FIFO lots, voids, repeats and corrections (RULES.md 1.5, API.md 0)."""

from datetime import timedelta

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import money, price
from tests.core.ledger import Ledger


def test_between_the_halves_of_a_flip_the_size_is_what_both_say_so_far() -> None:
    day = Ledger().fill("MNQ", 2, "21000").fill("MNQ", -1, "21000")
    assert day.account_state.positions[day.contract("MNQ")].size == 1


def test_a_partial_exit_keeps_the_rest() -> None:
    day = Ledger().fill("MNQ", 3, "21000").fill("MNQ", -1, "21010", profit="20")
    position = day.account_state.positions[day.contract("MNQ")]
    assert position.size == 2
    assert day.account_state.days["2026-11-20"].round_trips == 0


def test_fees_of_the_opening_half_count_at_once_and_extremes_are_taken_at_closing_fills() -> None:
    day = Ledger().fill("MNQ", 2, "23394.25", fees="0.74")
    figures = day.account_state.days["2026-11-20"]
    assert figures.net_usd == money("-0.74")
    assert figures.worst_usd == 0
    day.fill("MNQ", -2, "23388", profit="-25", fees="0.74")
    figures = day.account_state.days["2026-11-20"]
    assert figures.net_usd == figures.worst_usd == money("-26.48")
    assert figures.best_usd == 0
    assert (figures.fills, figures.round_trips, len(figures.order_fills)) == (2, 1, 2)


def test_a_fill_sent_again_counts_once() -> None:
    day = Ledger().fill("MNQ", 1, "21000", fees="0.37", trade=5, order=9)
    day.fill("MNQ", 1, "21000", fees="0.37", trade=5, order=9)
    figures = day.account_state.days["2026-11-20"]
    assert (figures.fills, figures.fees_usd) == (1, money("0.37"))
    assert day.account_state.positions[day.contract("MNQ")].size == 1


def test_a_present_value_beats_an_absent_one_and_the_difference_is_booked() -> None:
    day = Ledger().fill("MNQ", 1, "21000", fees="0.37", trade=5)
    day.fill("MNQ", 1, "21000", fees=None, commissions="0.25", trade=5)
    figures = day.account_state.days["2026-11-20"]
    assert (figures.fees_usd, figures.commissions_usd) == (money("0.37"), money("0.25"))
    day.fill("MNQ", 1, "21000", fees="0.36", trade=5)
    assert day.account_state.days["2026-11-20"].fees_usd == money("0.36")


def test_a_correction_changes_totals_but_not_what_was_lived() -> None:
    day = Ledger().fill("MNQ", 1, "21000", trade=1).fill("MNQ", -1, "20000", profit="-100", trade=2)
    day.fill("MNQ", -1, "20000", profit="-40", trade=2)
    figures = day.account_state.days["2026-11-20"]
    assert (figures.net_usd, figures.worst_usd) == (money("-40"), money("-100"))


def test_a_pnl_that_comes_later_turns_an_opening_fill_into_a_closing_one() -> None:
    day = Ledger().fill("MNQ", 1, "21000", trade=1).fill("MNQ", -1, "21010", trade=2)
    day.fill("MNQ", -1, "21010", profit="20", trade=2)
    assert day.account_state.positions[day.contract("MNQ")].lots == ()
    assert day.account_state.days["2026-11-20"].round_trips == 1


def test_a_voided_trade_is_taken_back_out() -> None:
    day = Ledger().fill("MNQ", 1, "21000", fees="0.37", trade=1)
    day.fill("MNQ", -1, "20900", profit="-200", fees="0.37", trade=2).void(2)
    figures = day.account_state.days["2026-11-20"]
    assert (figures.fills, figures.round_trips, figures.net_usd) == (1, 0, money("-0.37"))
    assert figures.worst_usd == money("-200.74")
    assert day.account_state.positions[day.contract("MNQ")].size == 1
    day.void(2).fill("MNQ", -1, "20900", profit="-200", trade=2)
    assert day.account_state.days["2026-11-20"].fills == 1


def test_a_voided_opening_fill_leaves_nothing_open() -> None:
    day = Ledger().fill("MNQ", 1, "21000", trade=1).void(1)
    assert day.account_state.positions[day.contract("MNQ")].size == 0


def test_voided_on_first_sight_is_ignored_even_when_it_is_told_again() -> None:
    day = Ledger().void(7).fill("MNQ", 1, "21000", trade=7)
    assert day.account_state.days.get("2026-11-20") is None
    assert not day.account_state.held()


def test_lockouts_stay_when_the_trade_that_set_them_is_voided() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("100")})
    day.fill("MNQ", 1, "21000", trade=1).fill("MNQ", -1, "20900", profit="-200", trade=2).void(2)
    assert list(day.account_state.lockouts) == ["account/RULE-003/day"]


def test_a_closing_fill_larger_than_the_position_is_a_gap_and_no_opposite_position() -> None:
    day = Ledger().fill("MNQ", 1, "21000").fill("MNQ", -3, "21010", profit="20")
    assert day.account_state.positions[day.contract("MNQ")].size == 0
    [gap] = day.bodies(e.GapRecorded)
    assert gap.text == "a closing fill of 3 found 1 open"


def test_a_closing_fill_of_a_carried_in_position_books_its_result() -> None:
    day = Ledger().fill("MNQ", -2, "21010", profit="40")
    assert day.account_state.days["2026-11-20"].gross_usd == money("40")
    assert not day.account_state.held()
    assert len(day.bodies(e.GapRecorded)) == 1


def test_no_gap_where_the_broker_had_shown_the_position() -> None:
    day = Ledger().push("MNQ", 2, "21000").fill("MNQ", -2, "21010", profit="40").push("MNQ", 0)
    assert day.bodies(e.GapRecorded) == []


@pytest.mark.parametrize(("ahead_seconds", "trade_date"), [(4, "2026-11-23"), (5, "2026-11-23"), (6, "2026-11-20")])
def test_a_broker_time_is_believed_up_to_five_seconds_ahead(ahead_seconds: int, trade_date: str) -> None:
    day = Ledger(start="2026-11-20 16:59:57")
    day.fill("MNQ", 1, "21000", trade=1, created=day.now + timedelta(seconds=ahead_seconds))
    assert day.account_state.trades[1].trade_date == trade_date


def test_a_fill_whose_broker_time_is_not_believed_comes_behind_those_known_before_it() -> None:
    """It is no older than they are for being placed by the receiver's clock, which is behind the broker's."""
    day = Ledger().at("09:00:00")
    for size, at_price, profit, ahead_seconds in (
        (1, "21010", None, 3),
        (-1, "21000", "-20", 4),
        (1, "20990", None, 5),
        (1, "20980", None, 6),
        (-1, "20970", "-40", 7),
    ):
        day.fill("MNQ", size, at_price, profit=profit, created=day.now + timedelta(seconds=ahead_seconds))
    [position] = day.account_state.positions.values()
    assert [lot.price for lot in position.lots] == [price("20980")]
    assert [trade.round_trip for trade in day.account_state.trades.values()] == [0, 0, 1, 1, 1]


def test_a_fill_of_an_earlier_day_corrects_that_day_and_locks_nothing_today() -> None:
    day = Ledger(start="2026-11-19 12:00:00", daily_realized_loss={"loss_limit": money("500")})
    before = day.now
    day.tick().at("2026-11-19 18:00:00")
    day.fill("MNQ", 1, "21000", created=before).fill("MNQ", -1, "20700", profit="-600", created=before)
    [breach] = day.breaches
    assert breach.flags == ("late",)
    assert breach.figures["day_pnl"] == "-600.00"
    assert day.kinds == []
    assert day.account_state.days["2026-11-19"].gross_usd == money("-600")
    day.fill("MNQ", 1, "21000", created=before).fill("MNQ", -1, "20900", profit="-10", created=before)
    assert len(day.breaches) == 1


def test_zero_and_negative_prices_are_real() -> None:
    day = Ledger().fill("CL", 1, "0").fill("CL", -1, "-37.63", profit="-37630")
    assert day.account_state.days["2026-11-20"].gross_usd == money("-37630")


def test_an_off_grid_fill_is_carried_exactly_and_flagged() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("1")})
    day.fill("MNQ", 1, "21000.1").fill("MNQ", -1, "20999.6", profit="-1")
    assert day.breaches[0].flags == ("off_grid",)
    assert day.account_state.trades[1].price == price("21000.1")


def test_round_trips_count_flat_to_flat_per_contract() -> None:
    day = Ledger().fill("MNQ", 1, "21000").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.fill("MNQ", -2, "21000", profit="0").fill("ES", -1, "6000", profit="0").fill("ES", -1, "6000")
    assert day.account_state.days["2026-11-20"].round_trips == 2


def test_every_fill_knows_its_flat_to_flat_trip() -> None:
    day = Ledger().closed("-1").closed("-1").fill("MNQ", 1, "21000")
    assert [one.round_trip for one in day.account_state.trades.values()] == [0, 0, 1, 1, 2]


# ---- corrections -------------------------------------------------------------------------------------


def trips(day: Ledger) -> list[int]:
    return [one.round_trip for one in day.account_state.trades.values() if not one.voided]


def three_trips() -> Ledger:
    day = Ledger()
    for number in range(3):
        day.fill("MNQ", 1, "21000", trade=10 + 2 * number).fill("MNQ", -1, "21000", profit="0", trade=11 + 2 * number)
    return day


@pytest.mark.parametrize(
    ("voided", "numbers", "count"),
    [
        ((10, 11), [0, 0, 1, 1], 2),
        ((12, 13), [0, 0, 1, 1], 2),
        ((14, 15), [0, 0, 1, 1], 2),
        ((13,), [0, 0, 1, 1, 1], 1),
    ],
)
def test_a_void_numbers_the_round_trips_of_what_remains_anew(
    voided: tuple[int, ...], numbers: list[int], count: int
) -> None:
    day = three_trips()
    for trade in voided:
        day.void(trade)
    assert trips(day) == numbers
    assert day.account_state.days["2026-11-20"].round_trips == count
    assert day.account_state.positions[day.contract("MNQ")].round_trips == count


def test_after_a_void_the_next_fill_continues_the_numbers() -> None:
    day = three_trips().void(12).void(13).closed("0")
    assert trips(day) == [0, 0, 1, 1, 2, 2]


def test_a_result_told_later_ends_the_round_trip() -> None:
    day = Ledger().fill("MNQ", 1, "21000", trade=81).fill("MNQ", -1, "21000", trade=82)
    assert day.account_state.positions[day.contract("MNQ")].round_trips == 0
    day.fill("MNQ", -1, "21000", profit="0", trade=82)
    assert day.account_state.positions[day.contract("MNQ")].round_trips == 1
    assert trips(day.closed("0")) == [0, 0, 1, 1]


def test_a_result_told_later_that_ends_a_position_ends_its_life() -> None:
    day = Ledger(daily_unrealized_loss={"loss_limit": money("100")}).fill("ES", -1, "6000", trade=81).mark("ES", "6002")
    assert len(day.breaches) == 1
    assert len(day.account_state.episodes) == 1
    day.fill("ES", -1, "6000", profit="-50", trade=81)
    assert day.account_state.episodes == {}
    assert day.account_state.held() == []


def test_a_void_leaves_the_other_contracts_alone() -> None:
    day = Ledger().fill("ES", 2, "6000", trade=70).fill("MNQ", 1, "21000", trade=71).fill("MNQ", 1, "21010", trade=72)
    day.void(71)
    sizes = {name: position.lot_size for name, position in day.account_state.positions.items()}
    assert sizes == {day.contract("ES"): 2, day.contract("MNQ"): 1}
