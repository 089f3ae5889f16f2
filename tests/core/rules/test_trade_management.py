"""RULE-012 TradeManagement, to the boundary of RULES.md 5."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core.events import CommandIssued
from riskcore.core.quantities import fraction, price, price_text
from riskcore.core.rules import by_name
from tests.core.ledger import Ledger, clock, usd
from tests.core.rules.quiet_walk import is_quiet, moves, walk

STOP = 4
PRESET = [
    {"at_r": fraction("1.5"), "fraction": fraction("0.5")},
    {"at_r": fraction("2.5"), "fraction": fraction("0.3")},
    {"at_r": fraction("4"), "fraction": fraction("0.2")},
]
BREAKEVEN: dict[str, Any] = {"auto_breakeven": {"profit_trigger_ticks": 10, "offset_ticks": 0}}
TRAILING: dict[str, Any] = {"trailing_stop": {"activation_ticks": 20, "trail_distance_ticks": 10}}


def managing(**blocks: Any) -> Ledger:
    return Ledger(trade_management=dict(blocks)).at("10:00:00")


def held(day: Ledger, contract: str, size: int, entry: str, stop: str) -> Ledger:
    """A position with a protective stop for all of it, order 7."""
    day.fill(contract, size, entry)
    return day.order(7, contract, -size, type=STOP, stop=stop)


def prints(day: Ledger, contract: str, *marks: str) -> Ledger:
    """Marks two seconds apart, so that the interval between two moves never matters."""
    for mark in marks:
        day.now += timedelta(seconds=2)
        day.mark(contract, mark)
    return day


def stops(day: Ledger) -> list[tuple[str, str | None]]:
    return [
        (issued.command.kind, None if issued.command.price is None else price_text(issued.command.price))
        for issued in day.commands
        if issued.command.kind in ("PlaceStop", "ModifyStop")
    ]


def moved(day: Ledger) -> list[str | None]:
    return [value for _, value in stops(day)]


def sizes(day: Ledger) -> list[int | None]:
    return [issued.command.size for issued in day.commands if issued.command.kind == "ModifyStop"]


def exits(day: Ledger) -> list[tuple[str, int | None]]:
    return [
        (issued.command.kind, issued.command.size)
        for issued in day.commands
        if issued.command.kind in ("ReducePosition", "ClosePosition")
    ]


def command_times(day: Ledger) -> list[str]:
    return [clock(event.at) for event in day.events if isinstance(event.body, CommandIssued)]


# ---- worked examples ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "expected"), [(0, "21000"), (1, "21000.25"), (-2, "20999.5")])
def test_rule_012_example_1_breakeven_at_ten_ticks(offset: int, expected: str) -> None:
    day = managing(auto_breakeven={"profit_trigger_ticks": 10, "offset_ticks": offset})
    held(day, "MNQ", 2, "21000", "20990")
    assert moved(prints(day, "MNQ", "21002.25")) == []
    assert moved(prints(day, "MNQ", "21002.50")) == [expected]
    command = day.commands[-1].command
    assert (command.kind, command.order_id, command.size) == ("ModifyStop", 7, None)
    assert day.breaches == []


def test_rule_012_example_2_the_stop_trails_and_never_goes_back() -> None:
    day = held(managing(**TRAILING), "ES", 1, "5800", "5790")
    assert moved(prints(day, "ES", "5804.75")) == []
    assert moved(prints(day, "ES", "5805")) == ["5802.5"]
    assert moved(prints(day, "ES", "5810")) == ["5802.5", "5807.5"]
    assert moved(prints(day, "ES", "5807.75", "5808", "5810")) == ["5802.5", "5807.5"]


def test_rule_012_example_3_exits_at_multiples_of_r() -> None:
    day = held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998")
    assert exits(prints(day, "ES", "5002.75")) == []
    assert exits(prints(day, "ES", "5003")) == [("ReducePosition", 2)]
    assert exits(prints(day, "ES", "5004.75")) == [("ReducePosition", 2)]
    assert exits(prints(day, "ES", "5005")) == [("ReducePosition", 2), ("ReducePosition", 1)]
    assert exits(prints(day, "ES", "5008"))[2:] == [("ClosePosition", None)]
    assert [issued.command.to for issued in day.commands] == [2, 1, None]


def test_rule_012_example_3_a_short_mirrors() -> None:
    day = held(managing(**TRAILING), "ES", -1, "5800", "5810")
    assert moved(prints(day, "ES", "5795.25")) == []
    assert moved(prints(day, "ES", "5795", "5790", "5792.25")) == ["5797.5", "5792.5"]
    day = held(managing(partial_exits=PRESET), "ES", -4, "5000", "5002")
    assert exits(prints(day, "ES", "4997", "4995", "4992")) == [
        ("ReducePosition", 2),
        ("ReducePosition", 1),
        ("ClosePosition", None),
    ]


# ---- breakeven and trail -----------------------------------------------------------------------------


def test_breakeven_is_set_once_and_a_stop_moved_by_hand_is_respected() -> None:
    day = prints(held(managing(**BREAKEVEN), "MNQ", 2, "21000", "20990"), "MNQ", "21002.50")
    day.order(7, "MNQ", -2, type=STOP, stop="20995")
    assert moved(prints(day, "MNQ", "21003", "21002", "21010")) == ["21000"]


def test_management_goes_on_from_a_stop_that_was_moved_up_by_hand() -> None:
    day = prints(held(managing(**TRAILING), "ES", 1, "5800", "5790"), "ES", "5805")
    day.order(7, "ES", -1, type=STOP, stop="5804")
    assert moved(prints(day, "ES", "5806", "5806.50")) == ["5802.5"]
    assert moved(prints(day, "ES", "5806.75")) == ["5802.5", "5804.25"]


def test_a_stop_that_is_already_tighter_is_left_alone() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 1, "21000", "21001")
    assert moved(prints(day, "MNQ", "21002.50")) == []


def test_the_tighter_of_breakeven_and_trail_wins() -> None:
    both = {"auto_breakeven": {"offset_ticks": 12}, **TRAILING}
    day = held(managing(**both), "ES", 1, "5800", "5790")
    assert moved(prints(day, "ES", "5805", "5805.25", "5805.50", "5805.75")) == ["5803", "5803.25"]


@pytest.mark.parametrize(("step", "expected"), [(1, ["5802.5", "5802.75"]), (2, ["5802.5", "5803"])])
def test_smaller_steps_than_the_smallest_are_not_made(step: int, expected: list[str]) -> None:
    day = held(managing(min_step_ticks=step, **TRAILING), "ES", 1, "5800", "5790")
    assert moved(prints(day, "ES", "5805", "5805.25", "5805.50"))[:2] == expected


def test_moves_keep_their_interval_and_the_wanted_price_is_sent_when_it_is_over() -> None:
    day = held(managing(**TRAILING), "ES", 1, "5800", "5790")
    day.at("10:00:10").mark("ES", "5805").at("10:00:10.400").mark("ES", "5807").at("10:00:10.900").mark("ES", "5808")
    assert moved(day) == ["5802.5"]
    day.tick("10:00:30")
    assert moved(day) == ["5802.5", "5805.5"]
    assert command_times(day)[1] == "10:00:11"


def test_without_interval_every_step_is_sent() -> None:
    day = held(managing(min_interval_ms=0, **TRAILING), "ES", 1, "5800", "5790")
    day.at("10:00:10").mark("ES", "5805").mark("ES", "5806")
    assert moved(day) == ["5802.5", "5803.5"]


@pytest.mark.parametrize(("back_to", "sent"), [("5806", True), ("5805.75", True), ("5805.5", False), ("5805", False)])
def test_a_stop_at_or_through_the_market_is_not_sent(back_to: str, sent: bool) -> None:
    day = held(managing(**TRAILING), "ES", 1, "5800", "5790")
    day.at("10:00:10").mark("ES", "5805").at("10:00:10.400").mark("ES", "5808").mark("ES", back_to)
    day.tick("10:00:15")
    assert moved(day) == (["5802.5", "5805.5"] if sent else ["5802.5"])
    assert len(day.alerts) == (0 if sent else 1)


def test_a_blocked_stop_is_told_once_and_sent_when_the_market_allows() -> None:
    day = held(managing(auto_breakeven={"offset_ticks": 10}), "MNQ", 1, "21000", "20990")
    prints(day, "MNQ", "21002.50", "21002.25", "21002.50")
    assert (moved(day), len(day.alerts)) == ([], 1)
    assert moved(prints(day, "MNQ", "21002.75")) == ["21002.5"]


@pytest.mark.parametrize(("size", "expected"), [(1, "21000"), (-1, "21000.25")])
def test_a_price_off_the_grid_is_rounded_away_from_the_market(size: int, expected: str) -> None:
    day = managing(**BREAKEVEN)
    day.fill("MNQ", size, "21000").fill("MNQ", size, "21000.25").fill("MNQ", size, "21000.25")
    day.order(7, "MNQ", -3 * size, type=STOP, stop="20980" if size > 0 else "21020")
    prints(day, "MNQ", "21010" if size > 0 else "20990")
    assert moved(day) == [expected]


def test_a_stale_mark_moves_nothing() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 1, "21000", "20990")
    assert moved(day.tick("10:30:00")) == []


def test_a_new_life_starts_anew() -> None:
    day = prints(held(managing(**BREAKEVEN), "MNQ", 1, "21000", "20990"), "MNQ", "21002.50")
    day.fill("MNQ", -1, "21002.50", profit="5").order(7, "MNQ", -1, type=STOP, status=3)
    day.fill("MNQ", 1, "21100").order(8, "MNQ", -1, type=STOP, stop="21090")
    assert moved(prints(day, "MNQ", "21102.25", "21102.50")) == ["21000", "21100"]


def test_breakeven_uses_the_average_of_the_moment_it_is_applied() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 1, "21000", "20990").fill("MNQ", 1, "21002")
    assert moved(prints(day, "MNQ", "21003.25")) == []
    assert moved(prints(day, "MNQ", "21003.50")) == ["21001"]
    day.fill("MNQ", 2, "21020")
    assert [value for value in moved(prints(day, "MNQ", "21040")) if value not in (None, "21001")] == []


# ---- which stop --------------------------------------------------------------------------------------


def test_the_nearest_stop_is_managed() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 2, "21000", "20980").order(8, "MNQ", -1, type=STOP, stop="20990")
    prints(day, "MNQ", "21002.50")
    assert [issued.command.order_id for issued in day.commands] == [8]


def test_the_bracket_leg_is_managed_before_a_nearer_stop() -> None:
    day = managing(**BREAKEVEN).order(6, "MNQ", 1, type=2).fill("MNQ", 1, "21000", order=6)
    day.order(6, "MNQ", 1, type=2, status=2, filled=1).order(7, "MNQ", -1, type=STOP, stop="20980", parent=6)
    day.order(8, "MNQ", -1, type=STOP, stop="20990")
    prints(day, "MNQ", "21002.50")
    assert [issued.command.order_id for issued in day.commands] == [7]


def test_a_trailing_stop_without_a_price_is_left_alone() -> None:
    day = managing(**BREAKEVEN).fill("MNQ", 1, "21000").order(7, "MNQ", -1, type=5)
    assert moved(prints(day, "MNQ", "21002.50")) == []


def test_a_trailing_stop_that_shows_a_price_is_left_alone() -> None:
    day = managing(**BREAKEVEN).fill("MNQ", 1, "21000").order(7, "MNQ", -1, type=5, stop="20990")
    assert moved(prints(day, "MNQ", "21002.50")) == []


@pytest.mark.parametrize(("kind", "shown"), [(5, None), (5, "21005"), (STOP, None)])
@pytest.mark.parametrize("parent", [None, 5])
def test_a_stop_that_cannot_be_moved_does_not_keep_the_one_beside_it_from_being_managed(
    kind: int, shown: str | None, parent: int | None
) -> None:
    day = managing(**BREAKEVEN).fill("MNQ", -1, "21000").order(7, "MNQ", 1, type=STOP, stop="21010")
    prints(day.order(8, "MNQ", 1, type=kind, stop=shown, parent=parent), "MNQ", "20997.50")
    assert [(issued.command.kind, issued.command.order_id) for issued in day.commands] == [("ModifyStop", 7)]


@pytest.mark.parametrize(("choice", "expected"), [("create", [("PlaceStop", "21000")]), ("skip", [])])
@pytest.mark.parametrize(("size", "marks"), [(2, ["21002.50", "21003"]), (-2, ["20997.50", "20997"])])
def test_a_position_without_stop_gets_one_or_is_skipped(
    choice: str, expected: list[tuple[str, str]], size: int, marks: list[str]
) -> None:
    day = managing(manage_without_stop=choice, **BREAKEVEN).fill("MNQ", size, "21000")
    prints(day, "MNQ", *marks, marks[0])
    assert stops(day) == expected
    if expected:
        assert (day.commands[0].command.size, day.commands[0].command.side) == (2, -size // 2)


# ---- automatic stop ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "expected"), [(2, "20990"), (-2, "21010")])
def test_the_automatic_stop_is_placed_at_the_entry(size: int, expected: str) -> None:
    day = managing(auto_stop_loss={"ticks": 40}).fill("MNQ", size, "21000").tick("10:05:00")
    assert stops(day) == [("PlaceStop", expected)]
    assert (day.commands[0].command.size, day.commands[0].command.side) == (2, -size // 2)


def test_a_position_with_a_stop_gets_no_second_one() -> None:
    day = managing(auto_stop_loss={"ticks": 40}).order(7, "MNQ", -1, type=STOP, stop="20900")
    assert stops(day.fill("MNQ", 1, "21000").tick("10:05:00")) == []


def with_waiting_leg() -> Ledger:
    day = managing(auto_stop_loss={"ticks": 40}).order(6, "MNQ", 1, type=2, status=6)
    return day.order(7, "MNQ", -1, type=STOP, status=8, parent=6).fill("MNQ", 1, "21000", order=6)


def test_a_bracket_leg_that_is_about_to_work_is_waited_for() -> None:
    day = with_waiting_leg().at("10:00:01").order(7, "MNQ", -1, type=STOP, stop="20980", parent=6)
    assert stops(day.tick("10:05:00")) == []


def test_a_bracket_leg_is_not_waited_for_longer_than_two_seconds() -> None:
    day = with_waiting_leg().tick("10:05:00")
    assert stops(day) == [("PlaceStop", "20990")]
    assert command_times(day) == ["10:00:02"]


def test_a_block_works_only_when_its_table_is_given() -> None:
    day = held(managing(), "MNQ", 1, "21000", "20990")
    assert prints(day, "MNQ", "21500", "20995").commands == []


def test_a_position_that_is_being_closed_is_managed_no_more() -> None:
    day = Ledger(trade_management=dict(BREAKEVEN), max_unrealized_profit={"profit_target": usd("5")})
    held(day.at("10:00:00"), "MNQ", 1, "21000", "20990")
    prints(day, "MNQ", "21010", "21011")
    assert (moved(day), exits(day)) == (["21000"], [("ClosePosition", None)])
    day.fill("MNQ", 1, "21000")
    assert stops(day) == [("ModifyStop", "21000")]


# ---- size --------------------------------------------------------------------------------------------


def test_the_stop_follows_the_size_of_the_position_and_keeps_its_price() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 3, "21000", "20990").at("10:01:00")
    day.fill("MNQ", -1, "21000", profit="0", order=30)
    command = day.commands[-1].command
    assert (command.kind, command.order_id, command.size, command.price) == ("ModifyStop", 7, 2, None)
    day.at("10:02:00").order(7, "MNQ", -2, type=STOP, stop="20990").at("10:03:00").fill("MNQ", 2, "21000")
    assert sizes(day) == [2, 4]


@pytest.mark.parametrize(("second", "expected"), [(1, [3]), (-1, [1])])
def test_a_position_that_changes_while_its_stop_is_being_placed_gets_the_size_it_has_by_then(
    second: int, expected: list[int]
) -> None:
    day = managing(auto_stop_loss={"ticks": 40}).fill("MNQ", 2, "21000").at("10:00:00.02")
    day.fill("MNQ", second, "21000", profit=None if second > 0 else "0").at("10:00:00.25")
    day.order(7, "MNQ", -2, type=STOP, stop="20990", tag="rc-stop-1")
    assert (stops(day)[0], sizes(day)) == (("PlaceStop", "20990"), expected)
    day.at("10:00:01").order(7, "MNQ", -expected[0], type=STOP, stop="20990", tag="rc-stop-1").tick("10:05:00")
    assert sizes(day) == expected


def test_a_stop_placed_by_hand_for_a_part_stays_as_it_is() -> None:
    day = managing(auto_stop_loss={"ticks": 40}).fill("MNQ", 2, "21000").at("10:00:00.02").fill("MNQ", 1, "21000")
    day.at("10:00:00.25").order(7, "MNQ", -2, type=STOP, stop="20990")
    assert sizes(day) == []


def test_what_other_stops_cover_is_left_to_them() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 2, "21000", "20990").at("10:01:00").fill("MNQ", 1, "21000")
    day.order(8, "MNQ", -1, type=STOP, stop="20980")
    assert sizes(day) == [3]
    day.at("10:02:00").order(7, "MNQ", -3, type=STOP, stop="20990")
    assert sizes(day) == [3, 2]


def test_the_stops_own_fill_changes_no_size() -> None:
    day = held(managing(**BREAKEVEN), "MNQ", 3, "21000", "20990").at("10:01:00")
    day.fill("MNQ", -1, "20990", profit="-5", order=7).order(7, "MNQ", -3, type=STOP, stop="20990", filled=1)
    assert sizes(day) == []


def test_an_entry_that_is_still_filling_changes_no_size() -> None:
    day = managing(**BREAKEVEN).order(6, "MNQ", 3, type=2).fill("MNQ", 1, "21000", order=6)
    day.order(7, "MNQ", -3, type=STOP, stop="20990", parent=6).at("10:00:01").fill("MNQ", 1, "21000", order=6)
    assert sizes(day) == []
    day.at("10:00:05").order(6, "MNQ", 3, type=2, status=3, filled=2)
    assert sizes(day) == [2]


# ---- partial exits -----------------------------------------------------------------------------------


def test_without_a_stop_there_is_no_r_and_no_exit() -> None:
    day = managing(partial_exits=PRESET).fill("ES", 4, "5000")
    assert exits(prints(day, "ES", "5100")) == []


def test_r_is_fixed_at_the_first_cover() -> None:
    day = held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998")
    day.order(7, "ES", -4, type=STOP, stop="4990")
    assert exits(prints(day, "ES", "5003")) == [("ReducePosition", 2)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [("ClosePosition", None)]),
        (2, [("ReducePosition", 1), ("ClosePosition", None)]),
        (3, [("ReducePosition", 1), ("ReducePosition", 1), ("ClosePosition", None)]),
        (10, [("ReducePosition", 5), ("ReducePosition", 3), ("ClosePosition", None)]),
    ],
)
def test_the_last_contract_leaves_only_at_the_final_level(size: int, expected: list[tuple[str, int | None]]) -> None:
    day = held(managing(partial_exits=PRESET), "ES", size, "5000", "4998")
    assert exits(prints(day, "ES", "5003", "5005", "5008", "5010")) == expected


def test_a_jump_over_several_levels_is_one_exit() -> None:
    day = held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998")
    assert exits(prints(day, "ES", "5006")) == [("ReducePosition", 3)]
    assert day.commands[-1].command.to == 1


def test_fractions_that_leave_something_leave_it() -> None:
    half = [{"at_r": fraction("1"), "fraction": fraction("0.5")}]
    day = held(managing(partial_exits=half), "ES", 4, "5000", "4998")
    assert exits(prints(day, "ES", "5002", "5050")) == [("ReducePosition", 2)]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("0.25", [("ReducePosition", 2), ("ReducePosition", 1)]),
        ("0.499999", [("ReducePosition", 2), ("ReducePosition", 1)]),
        ("0.5", [("ReducePosition", 2), ("ClosePosition", None)]),
    ],
)
def test_case_core_10_last_partial_exit(second: str, expected: list[tuple[str, int | None]]) -> None:
    levels = [
        {"at_r": fraction("1"), "fraction": fraction("0.5")},
        {"at_r": fraction("2"), "fraction": fraction(second)},
    ]
    day = held(managing(partial_exits=levels), "ES", 4, "5000", "4998")
    assert exits(prints(day, "ES", "5002", "5004", "5050")) == expected


def test_what_the_trader_closes_himself_is_not_closed_again() -> None:
    day = held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998")
    day.at("10:01:00").fill("ES", -2, "5001", profit="100", order=30)
    prints(day, "ES", "5003")
    assert exits(day) == [("ReducePosition", 1)]
    assert day.commands[-1].command.to == 1


def test_an_entry_added_after_an_exit_is_not_cut_with_it() -> None:
    day = prints(held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998"), "ES", "5003")
    day.fill("ES", -2, "5003", profit="300", order=30).fill("ES", 2, "5000")
    prints(day, "ES", "5005.25")
    assert exits(day)[-1] == ("ReducePosition", 1)
    assert [issued.command.to for issued in day.commands if issued.command.kind == "ReducePosition"] == [2, 3]


def test_the_original_size_is_the_one_before_the_first_exit() -> None:
    day = prints(held(managing(partial_exits=PRESET), "ES", 4, "5000", "4998"), "ES", "5003")
    day.fill("ES", -2, "5003", profit="300", order=30).fill("ES", 8, "5000")
    prints(day, "ES", "5005")
    assert exits(day) == [("ReducePosition", 2), ("ReducePosition", 1)]


@pytest.mark.parametrize(
    ("levels", "message"),
    [([("1", "0.5"), ("1", "0.2")], "must rise"), ([("1", "0.5"), ("2", "0.6")], "not be more than 1")],
)
def test_levels_rise_and_fractions_sum_to_one_at_most(levels: list[tuple[str, str]], message: str) -> None:
    plain = [{"at_r": fraction(at_r), "fraction": fraction(share)} for at_r, share in levels]
    with pytest.raises(ValueError, match=message):
        by_name("trade_management").build({"partial_exits": plain})


# ---- holding time ------------------------------------------------------------------------------------


def test_a_position_held_too_long_is_closed_once() -> None:
    day = managing(max_hold_minutes=5).fill("MNQ", 1, "21000").at("10:03:00").fill("MNQ", 1, "21000")
    assert exits(day.tick("10:04:59.999")) == []
    day.tick("10:30:00")
    assert exits(day) == [("ClosePosition", None)]
    assert command_times(day) == ["10:05:00"]


def test_holding_time_needs_neither_orders_nor_quotes() -> None:
    rule = by_name("trade_management")
    assert rule.needs(rule.build({"max_hold_minutes": 5})) == ("positions",)
    assert rule.needs(rule.build(BREAKEVEN)) == ("positions", "orders", "quotes")
    assert rule.needs(rule.build({"auto_stop_loss": {"ticks": 4}})) == ("positions", "orders")


# ---- quiet -------------------------------------------------------------------------------------------

BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "auto_breakeven": st.fixed_dictionaries(
            {"profit_trigger_ticks": st.integers(1, 30), "offset_ticks": st.integers(-5, 35)}
        ),
        "trailing_stop": st.fixed_dictionaries(
            {"activation_ticks": st.integers(1, 40), "trail_distance_ticks": st.integers(1, 40)}
        ),
        "partial_exits": st.just(PRESET),
        "tighten_after": st.lists(st.integers(1, 40), min_size=1, max_size=2, unique=True).map(
            lambda distances: [
                {"minutes": 1 + number, "distance_ticks": distance}
                for number, distance in enumerate(sorted(distances, reverse=True))
            ]
        ),
        "move_target": st.just(
            [{"at_r": fraction("0.5"), "target_r": fraction("2")}, {"at_r": fraction("1"), "target_r": fraction("3.1")}]
        ),
        "min_step_ticks": st.integers(1, 5),
        "min_interval_ms": st.sampled_from([0, 1000, 5000]),
        "manage_without_stop": st.sampled_from(["create", "skip"]),
    },
)


@settings(max_examples=300, deadline=None)
@given(BLOCKS, st.sampled_from([1, 3, -1, -3]), st.booleans(), st.integers(0, 150), moves("MNQ", steps=15))
def test_inside_the_quiet_bounds_nothing_happens_and_nothing_is_remembered(
    blocks: dict[str, Any], size: int, stopped: bool, seconds: int, steps: list[tuple[str, str, int]]
) -> None:
    day = managing(**blocks).fill("MNQ", size, "21000")
    if size == 3:
        day.fill("MNQ", 1, "21000.25")  # An average off the grid.
    if stopped:
        day.order(7, "MNQ", -size, type=STOP, stop=price_text(price("21000") - price("5") * (1 if size > 0 else -1)))
    target = price("21000") + price("9") * (1 if size > 0 else -1)
    day.order(8, "MNQ", -size, type=1, limit=price_text(target))
    day.now += timedelta(seconds=seconds)
    walk(day.mark("MNQ", "21000"), steps)


def test_quotes_below_the_next_level_are_quiet() -> None:
    day = held(managing(**BREAKEVEN, **TRAILING), "ES", 1, "5800", "5790").mark("ES", "5800")
    assert is_quiet(day, "ES", "5802.25")
    assert is_quiet(day, "ES", "5700")
    assert not is_quiet(day, "ES", "5802.50")
    prints(day, "ES", "5806")
    assert is_quiet(day, "ES", "5806")
    assert not is_quiet(day, "ES", "5806.25")


def test_while_the_mark_is_unknown_or_stale_every_quote_is_looked_at() -> None:
    day = held(managing(**TRAILING), "ES", 1, "5800", "5790").mark("ES", "5801")
    assert is_quiet(day, "ES", "5800.50")
    day.push("ES", 2)
    assert not is_quiet(day, "ES", "5800.50")


def test_the_stop_follows_a_position_down_to_its_last_contract() -> None:
    day = Ledger(trade_management={"trailing_stop": {"activation_ticks": 20, "trail_distance_ticks": 10}})
    day.fill("MNQ", 3, "21000").order(7, "MNQ", -3, type=4, stop="20990")
    day.at("10:00:00").fill("MNQ", -2, "21001", profit="4").at("10:00:05").tick()
    sizes = [issued.command.size for issued in day.commands if issued.command.kind == "ModifyStop"]
    assert sizes == [1]
