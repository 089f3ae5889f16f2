"""RULE-006 TradeFrequencyLimit, to the boundary of RULES.md 5."""

from datetime import datetime

import pytest

from riskcore.core import events as e
from riskcore.core.rules import by_name
from tests.core.ledger import CHICAGO, Ledger, clock

NOON = datetime(2026, 11, 20, 12, tzinfo=CHICAGO)


def day_with(start: str = "2026-11-20 08:00:00", **settings: object) -> Ledger:
    off = {"per_minute": None, "per_hour": None, "per_session": None}
    return Ledger(start=start, trade_frequency_limit={**off, **settings})


def windows(day: Ledger) -> list[tuple[str, str]]:
    return [(breach.figures["window"], breach.figures["count"]) for breach in day.breaches if breach.rule == "RULE-006"]


def lockouts(day: Ledger) -> dict[str, str]:
    """Ends of the rule's lockouts in force by their key."""
    return {
        lockout.key: clock(lockout.expires_at or 0)
        for lockout in day.account_state.lockouts.values()
        if lockout.rule == "RULE-006"
    }


def fills(day: Ledger, *times: str) -> Ledger:
    """Orders of one contract filled at these times, in and out by turns."""
    for index, text in enumerate(times):
        day.at(text)
        if index % 2 == 0:
            day.fill("MNQ", 1, "21000")
        else:
            day.fill("MNQ", -1, "21000", profit="0")
    return day


def test_rule_006_example_1_the_fourth_order_in_a_minute() -> None:
    day = fills(Ledger(trade_frequency_limit={}), "09:00:00", "09:00:10", "09:00:20")
    assert day.breaches == []
    fills(day, "09:00:30")
    assert day.breaches[0].figures == {"count": "4", "limit": "3", "window": "minute"}
    assert day.kinds == ["SetLockout", "CancelOrders"]
    assert lockouts(day) == {"minute": "09:01:30"}


def test_rule_006_example_1_reached_locks_at_the_third() -> None:
    day = fills(day_with(per_minute=3, breach_when="reached"), "09:00:00", "09:00:10")
    assert day.breaches == []
    fills(day, "09:00:20")
    assert windows(day) == [("minute", "3")]
    assert lockouts(day) == {"minute": "09:01:20"}


def test_rule_006_example_2_exactly_sixty_seconds_old_is_out() -> None:
    day = fills(day_with(per_minute=1), "09:00:00")
    fills(day, "09:01:00")
    assert day.breaches == []
    inside = fills(day_with(per_minute=1), "09:00:00", "09:00:59.999999")
    assert windows(inside) == [("minute", "2")]


def test_rule_006_example_2_fills_at_0_10_20_70_seconds() -> None:
    times = ("09:00:00", "09:00:10", "09:00:20", "09:01:10")
    assert fills(Ledger(trade_frequency_limit={}), *times).breaches == []
    # Two are in the window at 70 s, so a limit of one is exceeded by exactly one.
    assert windows(fills(day_with(per_minute=1), *times))[-1] == ("minute", "2")


def test_rule_006_example_3_partial_fills_are_one_order_and_three_fills() -> None:
    def partial(unit: str) -> Ledger:
        day = day_with(per_minute=1, count_unit=unit).at("09:00:00")
        return day.fill("MNQ", 2, "21000", order=7).fill("MNQ", 2, "21000", order=7).fill("MNQ", 1, "21000", order=7)

    assert partial("order").breaches == []
    assert windows(partial("fill")) == [("minute", "2"), ("minute", "3")]


def test_rule_006_example_3_the_later_end_governs() -> None:
    day = day_with(per_hour=10, per_minute=1)
    for minute in range(0, 45, 5):
        fills(day, f"09:{minute:02d}:00")
    fills(day, "09:46:30")
    assert day.breaches == []
    fills(day, "09:47:00")
    assert windows(day) == [("minute", "2"), ("hour", "11")]
    assert lockouts(day) == {"minute": "09:48:00", "hour": "10:17:00"}


def test_rule_006_the_hour_is_half_open() -> None:
    assert fills(day_with(per_hour=1), "09:00:00", "10:00:00").breaches == []
    assert windows(fills(day_with(per_hour=1), "09:00:00", "09:59:59.999")) == [("hour", "2")]


def test_rule_006_an_order_is_dated_by_its_first_fill() -> None:
    day = day_with(per_minute=1).at("09:00:00").fill("MNQ", 1, "21000", order=7)
    day.at("09:00:50").fill("MNQ", 1, "21000", order=7).at("09:01:00").fill("MNQ", 1, "21000", order=8)
    assert day.breaches == []


def test_rule_006_a_fill_without_an_order_counts_by_itself() -> None:
    day = day_with(per_minute=1).at("09:00:00")
    for trade in (1, 2):
        body = e.TradeRecorded(99000001, trade, day.contract("MNQ"), 21000 * 10**9, 1, 1)
        day.take(body, f"trade:{trade}")
    assert windows(day) == [("minute", "2")]


def test_rule_006_exits_count_like_entries() -> None:
    day = day_with(per_minute=3).at("09:00:00").fill("MNQ", 5, "21000")
    for size in (2, 2):
        day.fill("MNQ", -size, "21000", profit="0")
    assert day.breaches == []
    day.fill("MNQ", -1, "21000", profit="0")
    assert windows(day) == [("minute", "4")]
    assert "CloseAllPositions" not in day.kinds


def test_rule_006_round_turns_count_flat_to_flat() -> None:
    day = day_with(per_minute=1, count_unit="round_turn").at("09:00:00").fill("MNQ", 2, "21000")
    day.fill("MNQ", -1, "21000", profit="0").fill("MNQ", -1, "21000", profit="0").fill("MNQ", 1, "21000")
    assert day.breaches == []
    day.fill("MNQ", -1, "21000", profit="0")
    assert windows(day) == [("minute", "2")]


def test_rule_006_a_round_turn_is_dated_by_its_last_fill() -> None:
    day = day_with(per_minute=1, count_unit="round_turn")
    fills(day, "09:00:00", "09:00:50")
    fills(day, "09:00:55", "09:01:49")
    assert windows(day) == [("minute", "2")]
    later = day_with(per_minute=1, count_unit="round_turn")
    fills(later, "09:00:00", "09:00:50")
    fills(later, "09:00:55", "09:01:50")
    assert later.breaches == []


def test_rule_006_a_round_turn_that_is_still_open_does_not_count_with_one_that_ends() -> None:
    day = day_with(per_minute=1, count_unit="round_turn").at("09:00:00").fill("ES", 2, "6000")
    day.fill("ES", -1, "6000", profit="0").closed("0")
    assert day.breaches == []
    day.fill("ES", -1, "6000", profit="0")
    assert windows(day) == [("minute", "2")]


def test_rule_006_voided_fills_do_not_count() -> None:
    day = day_with(per_minute=1).at("09:00:00").fill("MNQ", 1, "21000", trade=901).void(901)
    day.fill("MNQ", 1, "21000")
    assert day.breaches == []


def test_rule_006_a_fill_seen_twice_counts_once() -> None:
    day = day_with(per_minute=1).at("09:00:00").fill("MNQ", 1, "21000", trade=901).fill("MNQ", 1, "21000", trade=901)
    assert day.breaches == []


def test_rule_006_the_place_in_the_window_is_by_broker_time() -> None:
    day = day_with(per_minute=1).at("2026-11-20 12:00:30").fill("MNQ", 1, "21000", created=NOON)
    day.at("12:01:00").fill("MNQ", 1, "21000")
    assert day.breaches == []
    received = day_with(per_minute=1).at("2026-11-20 12:00:30").fill("MNQ", 1, "21000", created=NOON)
    received.at("12:00:59").fill("MNQ", 1, "21000")
    assert windows(received) == [("minute", "2")]


def test_rule_006_a_fill_that_is_out_of_the_window_itself_breaches_nothing() -> None:
    day = day_with(per_minute=1).at("2026-11-20 12:01:30").fill("MNQ", 1, "21000").fill("ES", 1, "6000", created=NOON)
    assert day.breaches == []


def test_rule_006_every_further_order_breaches_again_and_extends_the_lockout() -> None:
    day = fills(day_with(per_minute=1), "09:00:00", "09:00:10")
    day.at("09:00:20").fill("ES", 1, "6000")
    assert windows(day) == [("minute", "2"), ("minute", "3")]
    assert lockouts(day) == {"minute": "09:01:20"}


def test_rule_006_an_opening_fill_in_the_cooldown_restarts_it_even_when_the_window_is_not_over() -> None:
    day = fills(day_with(per_minute=1, cooldowns={"minute": 600}), "09:00:00", "09:00:10")
    assert lockouts(day) == {"minute": "09:10:10"}
    day.at("09:05:00").fill("MNQ", 1, "21000")
    assert windows(day) == [("minute", "2")]
    assert lockouts(day) == {"minute": "09:15:00"}
    assert day.breaches[-1].rule == "GUARD"


def test_rule_006_a_closing_fill_in_the_cooldown_does_not_restart_it() -> None:
    day = day_with(per_minute=1, cooldowns={"minute": 600}).at("09:00:00").fill("MNQ", 2, "21000")
    day.at("09:00:10").fill("MNQ", -1, "21000", profit="0").at("09:05:00").fill("MNQ", -1, "21000", profit="0")
    assert lockouts(day) == {"minute": "09:10:10"}


def test_rule_006_an_opening_fill_at_the_very_end_of_the_cooldown_is_free() -> None:
    day = fills(day_with(per_minute=1, cooldowns={"minute": 600}), "09:00:00", "09:00:10")
    day.at("09:10:10").fill("MNQ", 1, "21000")
    assert lockouts(day) == {}


def test_rule_006_the_end_of_a_cooldown_clears_no_window() -> None:
    day = fills(day_with(per_hour=2, cooldowns={"hour": 60}), "09:00:00", "09:00:10", "09:00:20", "09:30:00")
    assert windows(day) == [("hour", "3"), ("hour", "4")]


@pytest.mark.parametrize(("count", "breaches"), [(1, 0), (2, 0), (3, 1)])
def test_rule_006_session_below_at_above(count: int, breaches: int) -> None:
    times = ("09:00:00", "10:30:00", "12:00:00")[:count]
    day = fills(day_with(per_session=2), *times)
    assert len(windows(day)) == breaches
    assert lockouts(day) == ({"session": "17:00:00"} if breaches else {})


def test_rule_006_session_lockout_of_a_duration() -> None:
    day = fills(day_with(per_session=1, session_lockout="duration:3600"), "09:00:00", "10:30:00")
    assert lockouts(day) == {"session": "11:30:00"}
    late = fills(day_with(per_session=1, session_lockout="duration:3600"), "09:00:00", "16:30:00")
    assert lockouts(late) == {"session": "17:00:00"}


def test_rule_006_the_session_starts_anew_at_the_reset_and_rolling_windows_go_on() -> None:
    day = day_with("2026-11-19 16:00:00", per_session=1, per_hour=2)
    fills(day, "16:30:00", "16:40:00")
    assert windows(day) == [("session", "2")]
    fills(day, "17:00:00")
    assert windows(day) == [("session", "2"), ("hour", "3")]
    assert lockouts(day) == {"hour": "17:30:00"}


def test_rule_006_a_running_cooldown_goes_on_across_the_reset() -> None:
    day = day_with("2026-11-19 16:00:00", per_minute=1)
    fills(day, "16:59:30", "16:59:40")
    day.tick("17:00:00")
    assert lockouts(day) == {"minute": "17:00:40"}


def test_rule_006_a_late_fill_is_counted_in_its_own_session_without_commands() -> None:
    day = day_with("2026-11-19 16:00:00", per_session=1)
    fills(day, "16:30:00")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("ES", 1, "6000", created=created)
    assert windows(day) == [("session", "2")]
    assert day.breaches[0].flags == ("late",)
    assert day.commands == []


def test_rule_006_off_switches_a_window_off() -> None:
    day = day_with()
    for minute in range(20):
        day.at(f"09:00:{minute:02d}").fill("MNQ", 1, "21000")
    assert day.breaches == []


def test_rule_006_cooldowns_given_in_part_keep_the_other_default() -> None:
    params = by_name("trade_frequency_limit").build({"cooldowns": {"minute": 5}})
    assert params.cooldowns == {"minute": 5, "hour": 1800}


@pytest.mark.parametrize("text", ["duration:0", "duration:86401", "duration:", "duration:1h", "never", "until_reset:5"])
def test_rule_006_session_lockout_is_checked(text: str) -> None:
    with pytest.raises(ValueError, match="session_lockout is until_reset or duration:N"):
        by_name("trade_frequency_limit").build({"session_lockout": text})


@pytest.mark.parametrize(
    ("unit", "counted", "breaches"), [("order", False, 0), ("order", True, 1), ("round_turn", False, 1)]
)
def test_rule_006_what_riskcores_own_stop_closes_counts_as_a_round_turn_only(
    unit: str, counted: bool, breaches: int
) -> None:
    limit = 1 if unit == "round_turn" else 3
    day = day_with(per_session=limit, count_unit=unit, count_enforcement_fills=counted).closed("0")
    day.fill("MNQ", 1, "21000").order(7, "MNQ", -1, type=4, stop="20990", tag="rc-stop-1")
    day.fill("MNQ", -1, "20990", profit="-20", order=7)
    assert len(day.breaches) == breaches


# ---- later versions and voids ------------------------------------------------------------------------


def test_rule_006_a_round_turn_that_a_later_version_ends_is_counted_when_it_is_told() -> None:
    day = day_with(per_session=1, count_unit="round_turn").at("09:00:00").closed("10")
    day.fill("ES", 1, "6000").fill("ES", -1, "6000", trade=50)
    assert day.breaches == []
    day.at("09:00:05").fill("ES", -1, "6000", profit="0", trade=50)
    assert (windows(day), day.breach_times) == ([("session", "2")], ["09:00:05"])
    day.at("09:00:06").fill("ES", -1, "6000", profit="0", fees="1", trade=50)
    assert len(day.breaches) == 1


def test_rule_006_a_later_version_that_leaves_the_round_turn_open_counts_nothing() -> None:
    day = day_with(per_session=1, count_unit="round_turn").closed("10")
    day.fill("ES", 2, "6000").fill("ES", -1, "6000", trade=50).fill("ES", -1, "6000", profit="0", trade=50)
    assert day.breaches == []


def test_rule_006_a_void_takes_a_round_turn_back_and_numbers_the_others_anew() -> None:
    day = day_with(per_session=2, count_unit="round_turn").at("09:00:00").closed("1").fill("MNQ", 1, "21000")
    day.fill("MNQ", -1, "21000", profit="1", trade=50).void(50).fill("MNQ", -1, "21000", profit="1")
    assert day.breaches == []
    day.closed("1")
    assert windows(day) == [("session", "3")]


@pytest.mark.parametrize("unit", ["order", "fill"])
def test_rule_006_a_later_version_of_a_fill_is_no_further_trade(unit: str) -> None:
    day = day_with(per_session=1, count_unit=unit).fill("ES", 1, "6000", trade=50).fill("ES", -1, "6000", trade=51)
    assert windows(day) == [("session", "2")]
    day.fill("ES", -1, "6000", profit="0", trade=51).fill("ES", -1, "6000", profit="0", fees="1", trade=51)
    assert len(day.breaches) == 1


def test_rule_006_a_version_that_is_told_later_restarts_no_pause() -> None:
    day = fills(day_with(per_minute=1), "09:00:00", "09:00:10", "09:00:20")
    assert lockouts(day) == {"minute": "09:01:20"}
    day.at("09:00:30").fill("MNQ", 1, "21000", fees="1", trade=3)
    assert lockouts(day) == {"minute": "09:01:20"}


def test_rule_006_a_round_turn_of_an_earlier_day_that_a_version_ends_is_late() -> None:
    day = day_with("2026-11-19 16:00:00", per_session=1, count_unit="round_turn").closed("1")
    day.fill("ES", 1, "6000").fill("ES", -1, "6000", trade=70).tick("2026-11-19 17:00:00")
    day.fill("ES", -1, "6000", profit="0", trade=70)
    assert windows(day) == [("session", "2")]
    assert day.breaches[0].flags == ("late",)
    assert day.commands == []


# ---- several tables ----------------------------------------------------------------------------------


def test_rule_006_two_tables_have_session_lockouts_of_their_own() -> None:
    off = {"per_minute": None, "per_hour": None}
    tables = [
        {**off, "per_session": 1, "session_lockout": "duration:600"},
        {**off, "per_session": 2, "session_lockout": "until_reset"},
    ]
    day = fills(Ledger(trade_frequency_limit=tables), "09:00:00", "09:00:10", "09:00:20")
    assert lockouts(day) == {"session": "09:10:20", "session.1": "17:00:00"}
    kinds = {lockout.key: lockout.kind for lockout in day.account_state.lockouts.values()}
    assert kinds == {"session": "cooldown", "session.1": "until_reset"}
    ended = day.tick("17:00:00").bodies(e.LockoutEnded)
    assert [(one.lockout, one.ended_by) for one in ended] == [
        ("account/RULE-006/session", "expiry"),
        ("account/RULE-006/session.1", "reset"),
    ]


def test_rule_006_a_table_does_not_restart_the_pause_of_another_one() -> None:
    off = {"per_hour": None, "per_session": None}
    tables = [
        {**off, "per_minute": 10, "cooldowns": {"minute": 1800}},
        {**off, "per_minute": 1, "cooldowns": {"minute": 60}},
    ]
    day = fills(Ledger(trade_frequency_limit=tables), "09:00:00", "09:00:10", "09:00:20")
    assert lockouts(day) == {"minute.1": "09:01:20"}
