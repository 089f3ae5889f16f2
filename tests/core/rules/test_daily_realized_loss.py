"""RULE-003 DailyRealizedLoss, to the boundary of RULES.md 5."""

from datetime import datetime

import pytest
from hypothesis import given, settings

from tests.core.ledger import CHICAGO, Ledger, clock, nanoseconds, usd
from tests.core.rules.quiet_walk import is_quiet, moves, walk

FLATTEN_AND_LOCK = ["SetLockout", "CancelOrders", "CloseAllPositions"]


def day_with(start: str = "2026-11-20 08:00:00", **rule: object) -> Ledger:
    return Ledger(start=start, daily_realized_loss={"warn_at": (), **rule})


def totals(day: Ledger) -> list[str]:
    return [breach.figures["day_pnl"] for breach in day.breaches if breach.rule == "RULE-003"]


def test_rule_003_example_1_breach_at_the_third_trade() -> None:
    day = day_with().at("09:00:00").closed("100").at("09:10:00").closed("-200")
    assert day.breaches == []
    day.at("09:20:00").closed("-450")
    assert day.breaches[0].figures == {"day_pnl": "-550.00", "loss_limit": "500"}
    assert day.breaches[0].contract is None
    assert day.breach_times == ["09:20:00"]
    assert day.kinds == FLATTEN_AND_LOCK
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.scope, lockout.kind, clock(lockout.expires_at or 0)) == ("account", "until_reset", "17:00:00")


@pytest.mark.parametrize(("second", "expected"), [("-199.99", []), ("-200", ["-500.00"]), ("-200.01", ["-500.01"])])
def test_rule_003_example_2_touching_the_limit_is_a_breach(second: str, expected: list[str]) -> None:
    assert totals(day_with().closed("-300").closed(second)) == expected


@pytest.mark.parametrize(("basis", "expected"), [("net", ["-501.66"]), ("gross", [])])
@pytest.mark.parametrize("side", [1, -1])
def test_rule_003_example_3_fees_count_on_net(basis: str, expected: list[str], side: int) -> None:
    day = day_with(pnl_basis=basis).fill("MNQ", 3 * side, "21000", fees="1.83")
    day.fill("MNQ", -3 * side, "20917", profit="-498", fees="1.83")
    assert totals(day) == expected
    by_profile = Ledger(profile={"pnl_basis": basis}, daily_realized_loss={}).fill("MNQ", 3, "21000", fees="1.83")
    assert totals(by_profile.fill("MNQ", -3, "20917", profit="-498", fees="1.83")) == expected


def test_rule_003_example_4_expires_at_the_next_reset() -> None:
    friday = day_with("2026-10-30 09:00:00").at("14:00:00").closed("-500")
    sunday = day_with("2026-11-01 17:00:00").at("17:00:00").closed("-500")
    ends = [lockout.expires_at for day in (friday, sunday) for lockout in day.account_state.lockouts.values()]
    assert ends == [
        nanoseconds(datetime.fromisoformat("2026-10-30T22:00:00+00:00")),
        nanoseconds(datetime.fromisoformat("2026-11-02T23:00:00+00:00")),
    ]


def test_rule_003_breaches_once_a_day_and_the_reset_starts_anew() -> None:
    day = day_with("2026-11-19 09:00:00").closed("-500").closed("-300").closed("900").closed("-900")
    assert totals(day) == ["-500.00"]
    day.at("2026-11-19 17:00:00").closed("-499.99")
    assert totals(day) == ["-500.00"]
    assert day.account_state.lockouts == {}
    day.closed("-0.01")
    assert totals(day) == ["-500.00", "-500.00"]


def test_rule_003_a_profit_of_yesterday_never_carries_over() -> None:
    day = day_with("2026-11-19 09:00:00").closed("1000").at("2026-11-19 17:00:00").closed("-500")
    assert totals(day) == ["-500.00"]


def test_rule_003_fees_of_opening_fills_count() -> None:
    day = day_with().closed("-499").fill("MNQ", 1, "21000", fees="0.99")
    assert day.breaches == []
    assert totals(day.fill("MNQ", 1, "21000", fees="0.01")) == ["-500.00"]


@pytest.mark.parametrize(
    ("action", "kinds", "alerts"),
    [
        ("flatten_and_lock", FLATTEN_AND_LOCK, 0),
        ("flatten", ["CancelOrders", "CloseAllPositions"], 0),
        ("lock_only", ["SetLockout"], 0),
        ("alert", [], 1),
    ],
)
@pytest.mark.parametrize("basis", ["realized", "combined"])
def test_rule_003_actions(action: str, kinds: list[str], alerts: int, basis: str) -> None:
    day = day_with(action=action, basis=basis).fill("ES", 1, "6000").closed("-500")
    assert (day.kinds, len(day.alerts)) == (kinds, alerts)


@pytest.mark.parametrize(("closed", "shown"), [(-1, 4), (-4, 0)])
def test_rule_003_an_entry_whose_fees_lock_is_closed_although_its_push_comes_later(closed: int, shown: int) -> None:
    """The broker's last word is still flat when the fill decides: the flatten stays in force until it is so again."""
    day = Ledger(daily_realized_loss={"loss_limit": usd("50")}).at("10:00:00").push("MNQ", 0)
    day.closed("-48").at("10:02:00").fill("MNQ", 4, "21000", fees="2.48")
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]
    day.at("10:02:01").push("MNQ", 4, "21000").tick("10:02:30")
    assert [one.kind for one in day.account_state.obligations.values()] == ["CloseAllPositions"]
    day.at("10:02:31").fill("MNQ", closed, "21000", profit="0").at("10:02:32").push("MNQ", shown)
    assert bool(day.account_state.obligations) is bool(shown)


def test_rule_003_realized_does_not_look_at_open_positions() -> None:
    day = day_with().closed("-400").fill("ES", 1, "6000").mark("ES", "5000")
    assert day.breaches == []


@pytest.mark.parametrize(("side", "below", "at"), [(1, "5998.25", "5998"), (-1, "6001.75", "6002")])
def test_rule_003_combined_adds_the_open_loss(side: int, below: str, at: str) -> None:
    day = day_with(basis="combined").closed("-400").fill("ES", side, "6000").mark("ES", below)
    assert day.breaches == []
    day.mark("ES", at)
    assert totals(day) == ["-500.00"]
    assert day.kinds == FLATTEN_AND_LOCK


def test_rule_003_combined_sums_all_positions() -> None:
    day = day_with(basis="combined").fill("MNQ", 1, "21000").fill("ES", -1, "6000").mark("MNQ", "20800")
    assert day.breaches == []
    day.mark("ES", "6002")
    assert totals(day) == ["-500.00"]


@pytest.mark.parametrize("basis", ["trailing_realized", "trailing_unrealized"])
def test_rule_003_trailing_follows_closed_highs(basis: str) -> None:
    day = day_with(basis=basis).closed("1200").closed("-400").closed("-99.99")
    assert day.breaches == []
    day.closed("-0.01")
    assert day.breaches[0].figures == {"day_pnl": "700.00", "loss_limit": "500", "floor": "700.00"}


def test_rule_003_trailing_starts_at_the_plain_limit() -> None:
    day = day_with(basis="trailing_realized").closed("-499.99")
    assert day.breaches == []
    assert day.closed("-0.01").breaches[0].figures["floor"] == "-500.00"


@pytest.mark.parametrize(("basis", "expected"), [("trailing_realized", []), ("trailing_unrealized", ["300.00"])])
def test_rule_003_open_highs_count_for_trailing_unrealized_only(basis: str, expected: list[str]) -> None:
    day = day_with(basis=basis).fill("ES", 2, "6000").mark("ES", "6008").mark("ES", "6003.25")
    assert day.breaches == []
    assert totals(day.mark("ES", "6003")) == expected


def test_rule_003_trailing_realized_measures_open_losses_against_closed_highs() -> None:
    day = day_with(basis="trailing_realized").closed("600").fill("ES", 1, "6000").mark("ES", "5990.25")
    assert day.breaches == []
    assert totals(day.mark("ES", "5990")) == ["100.00"]


def test_rule_003_the_peak_is_of_the_day() -> None:
    day = day_with("2026-11-19 09:00:00", basis="trailing_realized").closed("1200")
    day.at("2026-11-19 17:00:00").closed("-499.99")
    assert day.breaches == []


def test_rule_003_warns_once_at_each_share() -> None:
    day = Ledger(daily_realized_loss={}).closed("-349.99")
    assert day.alerts == []
    day.closed("-0.01").closed("100").closed("-100")
    assert len(day.alerts) == 1
    day.closed("-100").closed("-0.01")
    assert len(day.alerts) == 2
    assert day.breaches == []


def test_rule_003_warnings_start_anew_at_the_reset() -> None:
    day = Ledger(start="2026-11-19 09:00:00", daily_realized_loss={}).closed("-350")
    day.at("2026-11-19 17:00:00").closed("-350")
    assert len(day.alerts) == 2


def test_rule_003_several_levels_are_judged_by_themselves() -> None:
    day = Ledger(
        daily_realized_loss=[
            {"loss_limit": usd("300"), "action": "lock_only", "warn_at": ()},
            {"loss_limit": usd("500"), "warn_at": ()},
        ]
    )
    day.fill("MNQ", 3, "21000").fill("MNQ", -1, "20850", profit="-300")
    assert day.kinds == ["SetLockout"]
    day.fill("MNQ", -1, "20900", profit="-200")
    assert totals(day) == ["-300.00", "-500.00"]
    assert day.kinds[1:] == ["CancelOrders", "CloseAllPositions"]


def test_rule_003_a_voided_loss_keeps_the_lockout() -> None:
    day = day_with().fill("MNQ", 1, "21000").fill("MNQ", -1, "20750", profit="-500", trade=77).void(77)
    assert len(day.account_state.lockouts) == 1
    assert totals(day) == ["-500.00"]


def test_rule_003_a_late_fill_corrects_its_own_day_and_sets_no_lockout() -> None:
    day = day_with("2026-11-19 16:00:00").closed("-400").fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "20950", profit="-100", created=created)
    assert totals(day) == ["-500.00"]
    assert day.breaches[0].flags == ("late",)
    assert day.commands == []
    day.closed("-499.99")
    assert totals(day) == ["-500.00"]
    assert totals(day.closed("-0.01")) == ["-500.00", "-500.00"]


def test_rule_003_a_late_fill_of_a_day_that_had_breached_says_nothing() -> None:
    day = day_with("2026-11-19 16:00:00").closed("-500").fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "20950", profit="-100", created=created)
    assert totals(day) == ["-500.00"]


def test_rule_003_a_late_profit_raises_no_peak_of_today() -> None:
    day = day_with("2026-11-19 16:00:00", basis="trailing_realized").fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "21500", profit="1000", created=created).closed("-499.99")
    assert day.breaches == []


def test_rule_003_looking_at_a_day_without_fills_makes_no_figures() -> None:
    assert day_with(basis="combined").order(5, "MNQ", 1).account_state.days == {}


def test_rule_003_a_loss_that_needs_a_stale_mark_alerts_and_acts_when_it_is_fresh() -> None:
    day = day_with(basis="combined").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.at("09:00:00").mark("ES", "5994").mark("MNQ", "21000").at("09:00:10.001").mark("MNQ", "20900")
    assert totals(day) == ["-500.00"]
    assert day.breaches[0].flags == ("stale_mark",)
    assert day.kinds == []
    assert day.alerts
    day.mark("ES", "5994")
    assert totals(day) == ["-500.00"]
    assert day.kinds == FLATTEN_AND_LOCK


def test_rule_003_a_loss_that_recovers_while_stale_closes_nothing() -> None:
    day = day_with(basis="combined").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.at("09:00:00").mark("ES", "5994").mark("MNQ", "21000").at("09:00:11").mark("MNQ", "20900").mark("ES", "5999")
    assert day.kinds == []


def test_rule_003_the_fresh_part_alone_acts() -> None:
    day = day_with(basis="combined").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.at("09:00:00").mark("ES", "5999").mark("MNQ", "21000").at("09:00:11").mark("MNQ", "20750")
    assert day.breaches[0].flags == ("stale_mark",)
    assert day.kinds == FLATTEN_AND_LOCK


def test_rule_003_an_unknown_mark_is_left_out_and_said() -> None:
    day = day_with(basis="combined").push("ES", 1, None).fill("MNQ", 1, "21000").mark("MNQ", "20750")
    assert day.breaches[0].flags == ("incomplete_marks",)
    assert day.kinds == FLATTEN_AND_LOCK


def test_rule_003_quiet_up_to_the_next_warning() -> None:
    day = Ledger(daily_realized_loss={"basis": "combined"}).fill("MNQ", 1, "21000").mark("MNQ", "20900")
    assert is_quiet(day, "MNQ", "20826")
    assert is_quiet(day, "MNQ", "22000")
    assert not is_quiet(day, "MNQ", "20825")


RULES = [
    {},
    {"basis": "combined"},
    {"basis": "combined", "warn_at": ()},
    {"basis": "trailing_realized"},
    {"basis": "trailing_unrealized"},
]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=15, deadline=None)
@given(steps=moves("MNQ", "ES"))
def test_rule_003_quotes_within_the_bounds_change_nothing(
    rule: dict[str, object], steps: list[tuple[str, str, int]]
) -> None:
    day = Ledger(daily_realized_loss=rule).closed("120").fill("MNQ", 3, "21000").fill("ES", -1, "6000")
    walk(day.mark("MNQ", "21000").mark("ES", "6000"), steps)


@pytest.mark.parametrize(
    ("correct", "expected"),
    [
        ({"profit": "-499.99"}, []),
        ({"profit": "-500"}, ["-500.00"]),
        ({"profit": "-400", "fees": "100"}, ["-500.00"]),
        ({}, ["-500.00"]),
    ],
)
def test_a_correction_of_an_earlier_day_is_recorded_late_and_locks_nothing(
    correct: dict[str, str], expected: list[str]
) -> None:
    """An empty correction is the void of a win."""
    win = "100" if not correct else "0"
    loss = "-500" if not correct else "-400"
    day = Ledger(start="2026-11-19 16:00:00", daily_realized_loss={"loss_limit": usd("500"), "warn_at": []})
    day.fill("ES", 3, "6000").fill("ES", -1, "6001", profit=win, trade=77).fill("ES", -1, "5999", profit=loss, trade=78)
    day.tick("2026-11-19 17:00:00")
    if correct:
        day.fill("ES", -1, "5999", trade=78, **correct)
    else:
        day.void(77)
    late = day.breaches
    assert [breach.figures["day_pnl"] for breach in late] == expected
    assert all((breach.flags, breach.target) == (("late",), "late.2026-11-19") for breach in late)
    assert day.commands == []
    day.fill("ES", -1, "5999", profit="-600", trade=79)
    assert [breach.figures["day_pnl"] for breach in day.breaches[len(late) :]] == ["-600.00"]
