"""Marks, stale and missing ones, bars (RULES.md 1.5)."""

from dataclasses import replace

import pytest

from riskcore.core import events as e
from riskcore.core.marks import TotalValuation, entry_cost, open_cost, price_moves, stale_at, valuation
from riskcore.core.quantities import money, price
from tests.core.ledger import Ledger

CUT = {"loss_limit": money("300")}


def value(day: Ledger, contract: str, mode: str = "last") -> int | None:
    position = day.account_state.positions[day.contract(contract)]
    return valuation(day.book, position, mode, day.book.now).value


def test_lots_are_valued_against_the_last_price() -> None:
    day = Ledger().fill("MNQ", 2, "21000").fill("MNQ", 1, "21010").quote("MNQ", last="21005")
    assert value(day, "MNQ") == money("10")


def test_conservative_marks_take_longs_at_bid_and_shorts_at_ask() -> None:
    day = Ledger().fill("MNQ", 1, "21000").fill("ES", -1, "6000")
    day.quote("MNQ", "21001", "20999", "21003").quote("ES", "6000", "5999", "6001")
    assert (value(day, "MNQ"), value(day, "MNQ", "conservative")) == (money("2"), money("-2"))
    assert value(day, "ES", "conservative") == money("-50")


def test_conservative_is_also_used_while_no_last_price_is_known() -> None:
    day = Ledger().fill("MNQ", 1, "21000").quote("MNQ", bid="20999", ask="21003")
    assert value(day, "MNQ") == money("-2")


def test_a_quote_that_leaves_the_last_price_out_keeps_it() -> None:
    day = Ledger().fill("MNQ", 1, "21000").mark("MNQ", "21005").quote("MNQ", bid="21000")
    assert value(day, "MNQ") == money("10")


def test_a_print_of_the_market_moves_the_last_price() -> None:
    day = Ledger().fill("MNQ", 1, "21000").mark("MNQ", "21005")
    day.take(e.MarketTraded(day.contract("MNQ"), price("21010")), "print", "market")
    assert value(day, "MNQ") == money("20")


def test_a_mark_older_than_the_last_increase_gives_way_to_the_fill() -> None:
    day = Ledger(daily_unrealized_loss=CUT).mark("MNQ", "20000").fill("MNQ", 1, "21000")
    assert value(day, "MNQ") == 0
    assert day.breaches == []
    day.mark("MNQ", "20850")
    assert day.breaches[0].figures["unrealized"] == "-300.00"


def test_after_a_fill_any_newer_quote_makes_the_last_price_the_mark_again() -> None:
    """A quote carries what changed: one without a last price says that the last price still is what it was."""
    day = Ledger().mark("MNQ", "20990").at("10:00:01").fill("MNQ", 1, "21000")
    assert value(day, "MNQ") == 0
    day.at("10:00:02").quote("MNQ", bid="20995")
    assert value(day, "MNQ") == money("-20")


def test_a_position_known_only_from_the_broker_has_no_value_before_the_next_quote() -> None:
    day = Ledger().mark("MNQ", "20000").push("MNQ", 2, "21000")
    assert value(day, "MNQ") is None
    day.mark("MNQ", "20999")
    assert value(day, "MNQ") == money("-4")


def test_a_closed_result_is_never_counted_twice_while_the_push_is_on_its_way() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("500"), "basis": "combined"})
    day.push("MNQ", 2, "21000").fill("MNQ", 2, "21000").mark("MNQ", "20900")
    day.fill("MNQ", -2, "20900", profit="-400").mark("MNQ", "20850")
    assert day.breaches == []


def test_lots_that_do_not_explain_the_brokers_size_give_way_after_two_seconds() -> None:
    day = Ledger().at("10:00:00").fill("MNQ", 1, "21000").push("MNQ", 3, "21005").mark("MNQ", "21010")
    assert value(day, "MNQ") == money("20")
    day.at("10:00:01.999").tick()
    assert day.bodies(e.DriftDetected) == []
    day.at("10:00:02").tick()
    [drift] = day.bodies(e.DriftDetected)
    assert (drift.fills_size, drift.broker_size) == (1, 3)
    assert value(day, "MNQ") == money("30")


def test_lots_are_dropped_when_the_broker_stays_flat() -> None:
    day = Ledger().at("10:00:00").fill("MNQ", 1, "21000").push("MNQ", 1, "21000").push("MNQ", 0)
    day.at("10:00:05").tick()
    position = day.account_state.positions[day.contract("MNQ")]
    assert (position.lots, position.carried) == ((), 0)


def test_a_position_without_a_known_average_has_no_value() -> None:
    day = Ledger().push("MNQ", 2).mark("MNQ", "21000")
    assert value(day, "MNQ") is None


def test_an_unknown_product_has_no_value_until_it_is_described() -> None:
    day = Ledger().fill("CON.F.US.XYZ.Z26", 1, "10").mark("CON.F.US.XYZ.Z26", "11")
    assert value(day, "CON.F.US.XYZ.Z26") is None


@pytest.mark.parametrize(("at", "alerts"), [("10:00:10", 0), ("10:00:10.001", 1)])
def test_a_quote_older_than_ten_seconds_is_stale_and_alerts_once(at: str, alerts: int) -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    day.at(at).tick()
    assert len(day.alerts) == alerts
    day.at("10:00:15").tick()
    assert day.alerts == [f"{day.contract('MNQ')}: the mark is stale"]


def test_every_new_quote_is_judged_the_moment_it_arrives_after_a_stale_one() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    day.at("10:01:00").mark("MNQ", "20850")
    assert day.breach_times == ["10:01:00"]
    assert len(day.bodies(e.EpisodeEnded)) == 1


def test_a_stale_mark_closes_nothing_by_itself() -> None:
    day = Ledger(daily_unrealized_loss={**CUT, "confirm_ms": 5000}, profile={"max_quote_age_ns": 10**9})
    day.at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "20800").at("10:00:06").tick()
    assert day.breaches == []


def test_a_position_with_no_mark_at_all_alerts_after_ten_seconds() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:00:00").push("MNQ", 1, "21000")
    day.at("10:00:10").tick()
    assert day.alerts == []
    day.at("10:00:10.001").tick()
    assert day.alerts == [f"{day.contract('MNQ')}: the open position has no mark"]


def test_no_stale_alert_where_the_recording_has_no_quotes() -> None:
    day = Ledger(daily_unrealized_loss=CUT, lacks=("quotes",)).at("10:00:00").fill("MNQ", 1, "21000")
    day.at("10:05:00").mark("MNQ", "20000").tick()
    assert day.alerts == []
    assert day.breaches == []


# ---- bars --------------------------------------------------------------------------------------------


def test_a_position_held_through_a_bar_sees_its_adverse_extreme_first() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("09:59:00").fill("MNQ", 1, "21000")
    day.bar("MNQ", "10:00:00", ("21000", "21200", "20850", "21100"))
    [breach] = day.breaches
    assert breach.flags == ("from_bars",)
    assert breach.figures["unrealized"] == "-300.00"
    assert day.breach_times == ["10:01:00"]


def test_a_short_sees_the_high_first_and_the_close_stays_as_the_mark() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("09:59:00").fill("MNQ", -1, "21000")
    day.bar("MNQ", "10:00:00", ("21000", "21150", "20900", "20950"))
    assert len(day.breaches) == 1
    assert value(day, "MNQ") == money("100")


def test_a_bar_with_a_fill_inside_gives_only_its_close() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:00:30").fill("MNQ", 1, "21000")
    day.bar("MNQ", "10:00:00", ("21000", "21200", "20000", "20990"))
    assert day.breaches == []
    assert value(day, "MNQ") == money("-20")


def test_a_bar_that_ended_before_the_last_change_gives_nothing() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:05:00").fill("MNQ", 1, "21000")
    start = day.now
    body = e.BarObserved(day.contract("MNQ"), 0, 60 * 10**9, *[price("20000")] * 4)
    day.take(body, "bar", "market")
    assert day.now == start
    assert value(day, "MNQ") == 0


def test_a_newer_quote_is_not_overwritten_by_a_bar() -> None:
    day = Ledger().at("09:59:00").fill("MNQ", 1, "21000").at("10:02:00").mark("MNQ", "21010")
    opens_at = day.book.now - 240 * 10**9
    day.take(e.BarObserved(day.contract("MNQ"), opens_at, 60 * 10**9, *[price("20000")] * 4), "bar", "market")
    assert value(day, "MNQ") == money("20")


def test_bars_of_a_contract_nobody_holds_only_leave_their_close() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("09:59:00").bar("MNQ", "10:00:00", ("1", "2", "0.5", "1.5"))
    assert day.book.marks[day.contract("MNQ")].last == price("1.5")


def test_a_fill_at_the_very_start_of_a_bar_is_inside_it() -> None:
    day = Ledger(daily_unrealized_loss=CUT).at("10:00:00").fill("MNQ", 1, "21000")
    day.bar("MNQ", "10:00:00", ("21000", "21200", "20000", "20990"))
    assert day.breaches == []


# ---- what the quiet bounds rest on -------------------------------------------------------------------


def test_a_mark_is_stale_one_nanosecond_after_its_age_whether_quoted_or_not() -> None:
    day = Ledger().at("10:00:00").fill("MNQ", 1, "21000")
    position = day.account_state.positions[day.contract("MNQ")]
    age, filled_at = 10 * 10**9, day.book.now
    assert stale_at(day.book, position) == filled_at + age + 1
    day.at("10:00:05").mark("MNQ", "21000")
    position = day.account_state.positions[day.contract("MNQ")]
    assert stale_at(day.book, position) == filled_at + 5 * 10**9 + age + 1
    day.at("10:00:07").push("MNQ", 2)
    position = day.account_state.positions[day.contract("MNQ")]
    assert position.awaits_mark
    assert stale_at(day.book, position) == filled_at + 5 * 10**9 + age + 1  # What is known keeps its mark.
    day.at("10:00:08").fill("MNQ", 1, "21000")
    position = day.account_state.positions[day.contract("MNQ")]
    assert stale_at(day.book, position) == day.book.now + age + 1


def test_a_push_ahead_of_its_fill_hides_nothing_of_what_is_known() -> None:
    """Without the open profit of the others the day would be 600 down, and locked."""
    day = Ledger(daily_realized_loss={"loss_limit": money("500"), "basis": "combined"})
    day.fill("MNQ", 2, "21000").push("MNQ", 2, "21000").mark("MNQ", "21050").closed("-600", contract="ES")
    day.push("MNQ", 3, "21016.666666666")
    assert value(day, "MNQ") == money("200")
    day.fill("MNQ", 1, "21050")
    assert (value(day, "MNQ"), day.breaches) == (money("200"), [])
    day.mark("MNQ", "21033.5")
    assert day.breaches == []
    day.mark("MNQ", "21033.25")
    assert [breach.figures["day_pnl"] for breach in day.breaches] == ["-500.50"]


def test_a_second_push_ahead_keeps_the_price_of_the_last_fill_for_a_mark() -> None:
    day = Ledger().mark("MNQ", "20000").fill("MNQ", 1, "21000").push("MNQ", 1, "21000").push("MNQ", 2, "21005")
    assert value(day, "MNQ") == 0


@pytest.mark.parametrize(
    ("size", "slack", "points"),
    [
        (1, "10", "4.9995"),  # 10 dollars are 5 points of one MNQ: a price of one tick less is quiet, five are not.
        (-1, "10", "4.9995"),
        (4, "10", "1.249875"),
        (1, "0.50", "0.2495"),
        (1, "0.001", "0"),
        (1, "0", "-1e-9"),  # No room at all: not even the price it is at.
        (1, "-100", "-1e-9"),
    ],
)
def test_how_far_a_price_may_move(size: int, slack: str, points: str) -> None:
    day = Ledger().fill("MNQ", size, "21000").mark("MNQ", "21000")
    position = day.account_state.positions[day.contract("MNQ")]
    assert price_moves(day.book, position, money(slack)) == price(points)


@pytest.mark.parametrize("size", [-3, -1, 1, 2, 7])
def test_within_that_move_the_value_never_changes_by_the_slack(size: int) -> None:
    day = Ledger().fill("MNQ", size, "21000").mark("MNQ", "21000")
    position, slack = day.account_state.positions[day.contract("MNQ")], money("123.45")
    points = price_moves(day.book, position, slack)
    assert points is not None
    mark = day.book.marks[day.contract("MNQ")]
    for moved, changed in ((points, True), (-points, True), (points + price("0.0005") + 1, False)):
        day.book.marks[day.contract("MNQ")] = replace(mark, last=price("21000") + moved)
        now = value(day, "MNQ")
        assert now is not None
        assert (abs(now) < slack) is changed


def test_what_has_no_value_has_no_move_either() -> None:
    unknown = Ledger().fill("CON.F.US.XYZ.Z26", 1, "10")
    nameless = Ledger().push("MNQ", 2)
    closed = Ledger().push("MNQ", 2, "21000").fill("MNQ", 2, "21000").push("MNQ", 2, "21000")
    closed.fill("MNQ", -2, "21000", profit="0")
    half_told = Ledger().fill("MNQ", 2, "21000").fill("MNQ", -2, "21010")
    for day in (unknown, nameless, closed, half_told):
        [position] = day.account_state.positions.values()
        assert price_moves(day.book, position, money("10")) is None
    assert value(closed, "MNQ") == 0


@pytest.mark.parametrize(
    ("on", "flags"),
    [
        ((False, False, False), ()),
        ((True, False, False), ("stale_mark",)),
        ((True, True, True), ("stale_mark", "incomplete_marks", "from_bars")),
    ],
)
def test_flags_of_a_total(on: tuple[bool, bool, bool], flags: tuple[str, ...]) -> None:
    assert TotalValuation(0, 0, *on).flags == flags


# ---- between the halves of a flip --------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, -1])
def test_what_one_half_of_a_flip_closes_is_valued_and_is_no_entry(side: int) -> None:
    day = Ledger().fill("MNQ", 2 * side, "21000").fill("MNQ", -3 * side, "21010").mark("MNQ", "21004")
    position = day.account_state.positions[day.contract("MNQ")]
    assert value(day, "MNQ") == side * money("52")  # Two gained ten points, and one is six points better.
    assert open_cost(position) == (-side, -side * (3 * price("21010") - 2 * price("21000")))
    assert entry_cost(position) == (-side, -side * price("21010"))


@pytest.mark.parametrize(("closed", "size", "cost"), [(1, 2, "42020"), (2, 1, "21020"), (3, 0, "0")])
def test_an_exit_whose_result_is_not_told_yet_leaves_the_newest_lots(closed: int, size: int, cost: str) -> None:
    day = Ledger().fill("MNQ", 1, "21000").fill("MNQ", 1, "21000").fill("MNQ", 1, "21020").fill("MNQ", -closed, "21010")
    position = day.account_state.positions[day.contract("MNQ")]
    assert entry_cost(position) == (size, price(cost))
    day.mark("MNQ", "21010")
    assert value(day, "MNQ") == money("20")


def test_a_position_that_nets_to_nothing_is_worth_what_its_sides_differ_by_and_is_closed() -> None:
    day = Ledger().fill("MNQ", 2, "21000").fill("MNQ", -2, "21010").mark("MNQ", "20000")
    known = valuation(day.book, day.account_state.positions[day.contract("MNQ")], "last", day.book.now)
    assert (known.value, known.price, known.closed) == (money("40"), None, True)
