"""RULE-009 SessionBlockOutside, to the boundary of RULES.md 5."""

from datetime import UTC, datetime

import pytest

from riskcore.core.events import CommandIssued, PositionObserved, PositionsListed
from riskcore.core.rules import by_name
from tests.core.ledger import ACCOUNT, Ledger, clock, nanoseconds

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
HOUR = 3600
WRAPPED = {"days": [SUN, MON, TUE, WED, THU], "start": 17 * HOUR, "end": 15 * HOUR + 600}
END_KINDS = ["SetLockout", "CancelOrders", "CloseAllPositions"]


def session(start: str = "2026-11-20 08:00:00", zones: tuple[str, ...] = (), **settings: object) -> Ledger:
    return Ledger(session_block_outside=dict(settings), start=start, zones=zones)


def utc(text: str) -> int:
    return nanoseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def lockouts(day: Ledger) -> dict[str, int | None]:
    """End of each session lockout by its scope."""
    return {
        lockout.scope: lockout.expires_at
        for lockout in day.account_state.lockouts.values()
        if lockout.rule == "RULE-009" and lockout.kind == "until_session" and lockout.key == "session"
    }


def own(day: Ledger) -> list[tuple[str, str]]:
    return [(breach.rule, breach.target) for breach in day.breaches]


# ---- worked examples ---------------------------------------------------------------------------------


def test_rule_009_example_1_flatten_at_the_end_and_lock_over_the_weekend() -> None:
    day = session().at("14:59:59").fill("MNQ", 1, "21000").tick("15:00:00")
    assert day.breach_times == ["15:00:00"]
    assert day.kinds == END_KINDS
    assert lockouts(day) == {"account": utc("2026-11-23 14:30")}


@pytest.mark.parametrize(("at", "breaches"), [("14:59:59.999", []), ("15:00:00", ["15:00:00"])])
def test_rule_009_example_1_the_end_minute_is_outside(at: str, breaches: list[str]) -> None:
    day = session().at(at).fill("MNQ", 1, "21000")
    assert day.breach_times == breaches


@pytest.mark.parametrize(("at", "breaches"), [("08:29:59.999", 1), ("08:30:00", 0), ("08:30:00.001", 0)])
def test_rule_009_example_1_the_start_minute_is_inside(at: str, breaches: int) -> None:
    assert len(session().at(at).fill("MNQ", 1, "21000").breaches) == breaches


@pytest.mark.parametrize(("day", "breaches"), [(16, 0), (17, 0), (18, 0), (19, 0), (20, 0), (21, 1), (22, 1)])
def test_rule_009_the_default_window_is_open_monday_to_friday(day: int, breaches: int) -> None:
    assert len(session(f"2026-11-{day} 10:00:00").fill("MNQ", 1, "21000").breaches) == breaches


THANKSGIVING = {
    "holidays": ["2026-11-26"],
    "early_closes": {"2026-11-27": 12 * HOUR + 15 * 60},
    "flatten_before_end_seconds": 900,
}


def test_rule_009_example_2_early_close_with_safety_flattens_at_noon() -> None:
    day = session("2026-11-27 08:00:00", **THANKSGIVING).at("11:59:59").fill("MNQ", 1, "21000").tick("13:00:00")
    assert day.breach_times == ["12:00:00"]
    assert day.kinds == END_KINDS
    assert lockouts(day) == {"account": utc("2026-11-30 14:30")}


def test_rule_009_example_2_the_holiday_has_no_window() -> None:
    day = session("2026-11-26 09:00:00", **THANKSGIVING).fill("MNQ", 1, "21000")
    assert day.breach_times == ["09:00:00"]
    assert lockouts(day) == {"account": utc("2026-11-27 14:30")}


@pytest.mark.parametrize(("at", "breaches"), [("11:59:59.999", 0), ("12:00:00", 1), ("12:14:59", 1)])
def test_rule_009_example_2_nothing_is_allowed_in_the_safety_before_the_end(at: str, breaches: int) -> None:
    day = session("2026-11-27 08:00:00", **THANKSGIVING).at(at).fill("MNQ", 1, "21000")
    assert len(day.breaches) == breaches


def test_rule_009_example_3_a_wrapped_window_belongs_to_the_day_it_starts_on() -> None:
    friday_night = session("2026-11-20 02:00:00", windows=[WRAPPED]).fill("MNQ", 1, "21000")
    assert friday_night.breaches == []
    assert friday_night.tick("15:11:00").breach_times == ["15:10:00"]
    friday_evening = session("2026-11-20 17:30:00", windows=[WRAPPED]).fill("MNQ", 1, "21000")
    assert friday_evening.breach_times == ["17:30:00"]
    assert lockouts(friday_evening) == {"account": utc("2026-11-22 23:00")}


# ---- (a) positions -----------------------------------------------------------------------------------


def test_a_position_opened_outside_is_closed_with_its_orders() -> None:
    day = session().at("15:30:00").fill("MNQ", -2, "21000")
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]
    cancel, close = (issued.command for issued in day.commands[1:])
    assert (cancel.scope, cancel.contract, close.contract) == ("symbol", *[day.contract("MNQ")] * 2)
    assert own(day) == [("RULE-009", day.contract("MNQ"))]
    assert day.breaches[0].figures == {
        "local_time": "2026-11-20 15:30:00",
        "timezone": "America/Chicago",
        "next_start": "2026-11-23 08:30:00",
    }


def test_every_new_attempt_outside_is_acted_on_by_the_rule_and_not_again_by_the_guard() -> None:
    day = session().at("15:30:00").fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="0")
    day.at("15:31:00").fill("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", day.contract("MNQ"))] * 2
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition", "CancelOrders", "ClosePosition"]


def test_a_further_increase_in_the_same_life_is_covered_by_the_close_in_force() -> None:
    day = session().at("15:30:00").fill("MNQ", 1, "21000").at("15:30:01").fill("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", day.contract("MNQ"))]


def test_reducing_outside_is_allowed() -> None:
    day = session(close_at_end=False, lockout="none").at("14:00:00").fill("MNQ", 3, "21000").tick("15:00:00")
    day.at("15:30:00").fill("MNQ", -1, "21000", profit="0")
    assert own(day) == [("RULE-009", "end")]
    assert day.kinds == []


def test_an_increase_outside_is_closed_and_the_guard_is_silent() -> None:
    day = session(close_at_end=False).at("14:00:00").fill("MNQ", 1, "21000").at("15:30:00").fill("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end"), ("RULE-009", day.contract("MNQ"))]
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]


def held_over(root: str = "MNQ", size: int = 1, **settings: object) -> Ledger:
    """A position that stays open when its hours have ended at 15:00."""
    day = session(close_at_end=False, lockout="none", **settings)
    return day.at("14:30:00").fill(root, size, "21000").push(root, size, "21000").tick("15:05:00")


@pytest.mark.parametrize("size", [1, -1])
def test_case_core_07_increase_outside_hours(size: int) -> None:
    day = held_over(size=size)
    day.at("15:10:00").fill("MNQ", size, "21000").at("15:10:00.010").push("MNQ", 2 * size, "21000")
    assert day.breach_times == ["15:00:00", "15:10:00.01"]
    assert own(day) == [("RULE-009", "end"), ("RULE-009", day.contract("MNQ"))]
    assert day.kinds == ["CancelOrders", "ClosePosition"]


def test_an_increase_outside_counts_whichever_comes_first_the_push_or_the_fill() -> None:
    day = held_over().at("15:10:00").push("MNQ", 2, "21000")
    assert day.breach_times == ["15:00:00", "15:10:00"]
    assert len(day.at("15:10:00.010").fill("MNQ", 1, "21000").breaches) == 2


def test_an_increase_outside_that_only_a_list_shows_is_closed() -> None:
    day = held_over().at("15:10:00")
    shown = PositionObserved(ACCOUNT, day.contract("MNQ"), 2)
    day.take(PositionsListed(ACCOUNT, (shown,)), "positions")
    assert day.breach_times == ["15:00:00", "15:10:00"]
    assert day.kinds == ["CancelOrders", "ClosePosition"]


def test_an_increase_outside_the_own_window_of_a_product_is_closed() -> None:
    windows = {"ES": [{"days": [FRI], "start": 9 * HOUR, "end": 12 * HOUR}]}
    day = session(close_at_end=False, lockout="none", per_instrument=windows).at("11:00:00").fill("ES", 1, "6000")
    day.fill("MNQ", 1, "21000").at("12:30:00").fill("MNQ", 1, "21000").fill("ES", 1, "6000")
    assert own(day) == [("RULE-009", "end:ES"), ("RULE-009", day.contract("ES"))]


def test_what_is_told_again_with_the_same_size_outside_is_no_increase() -> None:
    day = held_over().at("15:10:00").push("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end")]


def test_an_increase_outside_after_a_cut_counts_from_the_smallest_size() -> None:
    day = held_over(size=3).at("15:10:00").fill("MNQ", -2, "21000", profit="0").push("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end")]
    day.at("15:11:00").push("MNQ", 2, "21000")
    assert own(day)[1:] == [("RULE-009", day.contract("MNQ"))]


def test_a_push_that_completes_a_fill_from_inside_the_hours_is_no_increase() -> None:
    day = session(close_at_end=False, lockout="none").at("14:30:00").fill("MNQ", 1, "21000").push("MNQ", 1, "21000")
    day.at("14:59:59.990").fill("MNQ", 1, "21000").at("15:00:00.050").push("MNQ", 2, "21000")
    assert own(day) == [("RULE-009", "end")]
    assert own(day.push("MNQ", 3, "21000"))[1:] == [("RULE-009", day.contract("MNQ"))]


def test_a_push_that_opens_for_a_fill_from_inside_the_hours_is_what_the_end_left_over() -> None:
    day = session(close_at_end=False, lockout="none").at("14:30:00").push("MNQ", 0)
    day.at("14:59:59.990").fill("MNQ", 1, "21000").at("15:00:00.050").push("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end")]
    assert own(day.push("MNQ", 2, "21000"))[1:] == [("RULE-009", day.contract("MNQ"))]


def test_a_push_larger_than_the_fills_from_inside_the_hours_was_opened_outside() -> None:
    day = session(close_at_end=False, lockout="none").at("14:30:00").push("MNQ", 0)
    day.at("14:59:59.990").fill("MNQ", 1, "21000").at("15:00:00.050").push("MNQ", 2, "21000")
    assert own(day) == [("RULE-009", day.contract("MNQ"))]


def test_a_fill_outside_of_a_push_from_inside_is_no_increase() -> None:
    day = session(close_at_end=False, lockout="none").at("14:30:00").fill("MNQ", 1, "21000").push("MNQ", 1, "21000")
    day.at("14:59:59.990").push("MNQ", 2, "21000").at("15:00:00.050").fill("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end")]


def test_what_was_added_inside_the_next_session_is_allowed_and_what_comes_after_it_is_not() -> None:
    day = (
        session("2026-11-19 08:00:00", close_at_end=False, lockout="none").at("2026-11-19 14:00").fill("ES", 1, "6000")
    )
    day.at("2026-11-20 10:00").fill("ES", 1, "6000").tick("2026-11-20 15:30")
    assert own(day) == [("RULE-009", "end")]
    day.at("2026-11-20 15:31").fill("ES", 1, "6000")
    assert own(day)[1:] == [("RULE-009", day.contract("ES"))]


def test_an_increase_while_the_close_of_the_end_is_in_force_is_no_second_breach() -> None:
    day = session().at("14:30:00").fill("MNQ", 1, "21000").tick("15:00:00").fill("MNQ", 1, "21000")
    assert own(day) == [("RULE-009", "end")]


def test_a_position_first_seen_outside_is_closed_at_once() -> None:
    day = session("2026-11-20 15:30:00").push("MNQ", 2, "21000")
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]


def test_a_position_carried_over_the_weekend_is_breached_once() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").tick("2026-11-23 16:00:00")
    assert day.breach_times == ["15:00:00"]


def test_a_new_position_is_closed_at_the_end_of_the_next_session_again() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").at("15:00:10").fill("MNQ", -1, "21000", profit="0")
    day.at("2026-11-23 10:00").fill("MNQ", 1, "21000").tick("16:00:00")
    assert day.breach_times == ["15:00:00", "15:00:00"]
    assert lockouts(day) == {"account": utc("2026-11-24 14:30")}


# ---- (b) orders --------------------------------------------------------------------------------------


def test_an_entry_order_outside_is_cancelled_and_named_once() -> None:
    day = session().at("08:10:00").order(7, "MNQ", 1, limit="20900")
    assert own(day) == [("RULE-009", "order:7")]
    assert day.kinds == ["SetLockout", "CancelOrder"]
    assert day.commands[1].command.order_id == 7
    assert lockouts(day) == {"account": utc("2026-11-20 14:30")}
    day.at("08:11:00").order(7, "MNQ", 1, limit="20901")
    assert len(day.breaches) == 1


def test_every_new_entry_order_outside_is_cancelled() -> None:
    day = session().at("08:10:00").order(7, "MNQ", 1).order(7, "MNQ", 1, status=3).order(8, "ES", -1)
    assert own(day) == [("RULE-009", "order:7"), ("RULE-009", "order:8")]


def test_orders_can_be_ignored() -> None:
    day = session(action_on_order="ignore").at("08:10:00").order(7, "MNQ", 1)
    assert day.breaches == []


def test_a_protective_stop_outside_is_left_alone() -> None:
    day = session(close_at_end=False).at("14:00:00").fill("MNQ", 1, "21000").tick("15:00:00")
    day.at("15:30:00").order(7, "MNQ", -1, type=4, stop="20990")
    assert own(day) == [("RULE-009", "end")]


def test_the_other_leg_of_a_bracket_is_no_attempt() -> None:
    day = session(close_at_end=False).at("14:00:00").order(6, "MNQ", 1, type=2).fill("MNQ", 1, "21000", order=6)
    day.order(6, "MNQ", 1, type=2, status=2, filled=1).order(7, "MNQ", -1, type=4, stop="20990", parent=6)
    day.order(8, "MNQ", -1, limit="21010", parent=6, linked=7).tick("15:00:00")
    day.at("15:30:00").fill("MNQ", -1, "20990", profit="-5", order=7).at("15:30:05").order(8, "MNQ", -1, status=3)
    assert own(day) == [("RULE-009", "end")]


# ---- (c) the end -------------------------------------------------------------------------------------


def test_the_other_leg_of_a_bracket_is_no_attempt_after_a_reset_either() -> None:
    day = session("2026-11-19 08:00:00", close_at_end=False, lockout="none").at("14:00:00")
    day.order(6, "MNQ", 1, type=2, status=2, filled=1).push("MNQ", 1, "21000").at("15:30:00")
    day.order(7, "MNQ", -1, type=4, stop="20990", parent=6).order(8, "MNQ", -1, limit="21010", parent=6)
    day.at("2026-11-19 17:30").order(7, "MNQ", -1, type=4, status=2, filled=1, parent=6).push("MNQ", 0)
    assert own(day.tick("2026-11-19 17:31")) == [("RULE-009", "end")]


def test_nothing_open_at_the_end_is_no_breach_and_no_lockout() -> None:
    day = session().at("14:00:00").closed("-10").tick("16:00:00")
    assert (day.breaches, day.account_state.lockouts) == ([], {})


def test_a_working_entry_order_at_the_end_is_cancelled() -> None:
    day = session().at("14:00:00").order(7, "MNQ", 1, limit="20900").tick("15:00:00")
    assert own(day) == [("RULE-009", "end")]
    assert day.kinds == END_KINDS
    # The order that goes on working in the record is not breached a second time.
    assert day.tick("16:00:00").breach_times == ["15:00:00"]


def test_positions_stay_when_they_are_not_closed_at_the_end() -> None:
    day = session(close_at_end=False, flatten_before_end_seconds=900).at("14:00:00").fill("MNQ", 1, "21000")
    day.order(7, "ES", 1, limit="5900").tick("16:00:00")
    assert day.breach_times == ["15:00:00"]
    assert day.kinds == ["SetLockout", "CancelOrders"]
    assert day.commands[-1].command.contract == day.contract("ES")


def test_without_lockout_only_the_flatten_is_issued() -> None:
    day = session(lockout="none").at("14:00:00").fill("MNQ", 1, "21000").tick("15:00:00")
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


def test_several_positions_are_one_flatten() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").fill("ES", -1, "5900").tick("15:00:00")
    assert day.kinds == END_KINDS


def test_a_position_opened_at_the_very_end_is_an_attempt_of_its_own() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").at("15:00:00").fill("ES", 1, "5900")
    assert own(day) == [("RULE-009", "end"), ("RULE-009", day.contract("ES"))]
    assert day.kinds[:3] == END_KINDS


# ---- warnings ----------------------------------------------------------------------------------------


def alert_times(day: Ledger) -> list[str]:
    return [
        clock(event.at)
        for event in day.events
        if isinstance(event.body, CommandIssued) and event.body.command.kind == "Alert"
    ]


def test_warnings_come_before_the_end_while_something_is_open() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").tick("16:00:00")
    assert alert_times(day) == ["14:55:00", "14:59:00"]
    assert day.alerts == ["the allowed hours end in 300 s", "the allowed hours end in 60 s"]


def test_a_warning_is_not_made_up_for_later() -> None:
    day = session().at("14:57:00").order(7, "MNQ", 1, limit="20900").tick("14:59:30")
    assert alert_times(day) == ["14:59:00"]


def test_nobody_is_warned_with_nothing_open() -> None:
    day = session().at("14:00:00").closed("-10").tick("16:00:00")
    assert day.alerts == []


# ---- windows of one product --------------------------------------------------------------------------

CRUDE = {"per_instrument": {"CL": [{"days": [MON, TUE, WED, THU, FRI], "start": 8 * HOUR, "end": 13 * HOUR}]}}


def test_a_product_with_its_own_window_is_closed_alone() -> None:
    day = session(**CRUDE).at("12:00:00").fill("CL", 1, "70").fill("MNQ", 1, "21000").tick("14:00:00")
    assert day.breach_times == ["13:00:00"]
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]
    assert [issued.command.contract for issued in day.commands[-2:]] == [day.contract("CL")] * 2
    assert lockouts(day) == {"symbol:CL": utc("2026-11-23 14:00")}


def test_the_own_window_replaces_the_general_one() -> None:
    early = session(**CRUDE).at("08:10:00").fill("CL", 1, "70")
    assert early.breaches == []
    late = session(**CRUDE).at("13:30:00").fill("CL", 1, "70")
    assert late.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]
    assert lockouts(late) == {"symbol:CL": utc("2026-11-23 14:00")}


def test_the_general_end_leaves_a_product_alone_that_is_inside_its_own_window() -> None:
    later = {"per_instrument": {"CL": [{"days": [FRI], "start": 8 * HOUR, "end": 16 * HOUR}]}}
    day = session(**later).at("14:00:00").fill("CL", 1, "70").fill("MNQ", 1, "21000").tick("15:30:00")
    assert day.breach_times == ["15:00:00"]
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]
    assert day.commands[-1].command.contract == day.contract("MNQ")
    assert day.tick("16:00:00").breach_times == ["15:00:00", "16:00:00"]


def test_an_entry_order_outside_the_own_window_locks_the_product_only() -> None:
    day = session(**CRUDE).at("13:30:00").order(7, "CL", 1, limit="69")
    assert own(day) == [("RULE-009", "order:7")]
    assert list(lockouts(day)) == ["symbol:CL"]


# ---- calendars and clocks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("friday", "monday_start"),
    [
        ("2026-10-30", "2026-11-02 14:30"),  # Clocks go back on Sunday: 08:30 CST.
        ("2026-03-06", "2026-03-09 13:30"),  # Clocks go forward on Sunday: 08:30 CDT.
    ],
)
def test_the_next_start_over_a_clock_change_is_local_time(friday: str, monday_start: str) -> None:
    day = session(f"{friday} 09:00:00").fill("MNQ", 1, "21000").tick("15:00:00")
    assert day.breach_times == ["15:00:00"]
    assert lockouts(day) == {"account": utc(monday_start)}


@pytest.mark.parametrize(("sunday", "start"), [("2026-11-01", "23:00"), ("2026-03-08", "22:00")])
def test_a_sunday_start_on_the_day_of_a_clock_change(sunday: str, start: str) -> None:
    friday = "2026-10-30" if sunday == "2026-11-01" else "2026-03-06"
    day = session(f"{friday} 16:00:00", windows=[WRAPPED]).fill("MNQ", 1, "21000")
    assert lockouts(day) == {"account": utc(f"{sunday} {start}")}


def test_a_window_over_the_hour_that_comes_twice_ends_by_local_time() -> None:
    night = {"days": [SAT], "start": 22 * HOUR, "end": 3 * HOUR}
    day = session("2026-10-31 23:00:00", windows=[night]).fill("MNQ", 1, "21000")
    # 03:00 CST on 2026-11-01 is 09:00Z: the window lasts six hours.
    assert day.tick("2026-11-01 04:00:00").breach_times == ["03:00:00"]


def test_a_rule_may_have_another_zone_than_the_profile() -> None:
    berlin = {"timezone": "Europe/Berlin", "windows": [{"days": [FRI], "start": 15 * HOUR, "end": 20 * HOUR}]}
    day = session(zones=("Europe/Berlin",), **berlin).at("12:59:59").fill("MNQ", 1, "21000").tick("14:00:00")
    assert day.breach_times == ["13:00:00"]  # 20:00 in Berlin.
    assert lockouts(day) == {"account": utc("2026-11-27 14:00")}


def test_windows_that_touch_are_one_session() -> None:
    halves = [
        {"days": [FRI], "start": 8 * HOUR, "end": 12 * HOUR},
        {"days": [FRI], "start": 12 * HOUR, "end": 15 * HOUR},
    ]
    day = session(windows=halves).at("09:00:00").fill("MNQ", 1, "21000").tick("16:00:00")
    assert day.breach_times == ["15:00:00"]


def test_between_two_windows_of_a_day_is_outside() -> None:
    halves = [
        {"days": [FRI], "start": 8 * HOUR, "end": 11 * HOUR},
        {"days": [FRI], "start": 13 * HOUR, "end": 15 * HOUR},
    ]
    day = session(windows=halves).at("12:00:00").fill("MNQ", 1, "21000")
    assert lockouts(day) == {"account": utc("2026-11-20 19:00")}
    early = session(windows=halves, early_closes={"2026-11-20": 12 * HOUR}).at("12:30:00").fill("MNQ", 1, "21000")
    assert lockouts(early) == {"account": utc("2026-11-27 14:00")}


def test_a_wrapped_window_ends_where_a_holiday_begins() -> None:
    day = session("2026-11-25 18:00:00", windows=[WRAPPED], holidays=["2026-11-26"]).fill("MNQ", 1, "21000")
    assert day.tick("2026-11-26 01:00:00").breach_times == ["00:00:00"]
    assert lockouts(day) == {"account": utc("2026-11-29 23:00")}


def test_a_wrapped_window_ends_at_the_early_close_and_the_evening_session_starts_as_ever() -> None:
    early = {"windows": [WRAPPED], "early_closes": {"2026-11-26": 12 * HOUR}}
    day = session("2026-11-26 09:00:00", **early).fill("MNQ", 1, "21000").tick("13:00:00")
    assert day.breach_times == ["12:00:00"]
    assert lockouts(day) == {"account": utc("2026-11-26 23:00")}


def test_the_lockout_ends_by_the_clock_and_not_at_the_reset() -> None:
    day = session().at("14:00:00").fill("MNQ", 1, "21000").tick("15:00:00")
    day.at("15:00:05").fill("MNQ", -1, "21000", profit="0").tick("2026-11-23 08:29:59.999")
    assert list(lockouts(day)) == ["account"]
    assert lockouts(day.tick("08:30:00")) == {}


def test_the_next_start_is_looked_for_over_holidays() -> None:
    only_once = {"windows": [{"days": [SAT], "start": HOUR, "end": 2 * HOUR}]}
    saturdays = [f"2026-11-{day:02}" for day in (21, 28)]
    day = session(**only_once, holidays=saturdays).fill("MNQ", 1, "21000")
    assert lockouts(day) == {"account": utc("2026-12-05 07:00")}


def test_no_window_in_sight_locks_without_an_end() -> None:
    day = session(windows=[]).fill("MNQ", 1, "21000")
    assert lockouts(day) == {"account": None}
    assert "next_start" not in day.breaches[0].figures


def test_a_window_needs_a_start_that_is_not_its_end() -> None:
    rule = by_name("session_block_outside")
    with pytest.raises(ValueError, match="start that is not its end"):
        rule.build({"windows": [{"days": [MON], "start": HOUR, "end": HOUR}]})
    with pytest.raises(ValueError, match="a day or more"):
        rule.build({"per_instrument": {"CL": [{"days": [], "start": HOUR, "end": 2 * HOUR}]}})


def test_the_figures_show_the_local_time_of_the_attempt() -> None:
    day = Ledger(session_block_outside={}).at("15:59:58").fill("MNQ", 1, "21000")
    assert day.breaches[0].figures["local_time"] == "2026-11-20 15:59:58"
