"""RULE-007 CooldownAfterLoss, to the boundary of RULES.md 5."""

from dataclasses import replace
from datetime import datetime

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import PRICE_SCALE
from riskcore.core.rules import by_name
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, clock, usd


def tiers(day: Ledger) -> list[tuple[str, str]]:
    """P&L and pause of each breach of a loss tier."""
    return [
        (breach.figures["pnl"], breach.figures["cooldown_seconds"])
        for breach in day.breaches
        if "loss_amount" in breach.figures
    ]


def ends(day: Ledger) -> dict[str, str]:
    return {
        lockout.key: clock(lockout.expires_at or 0)
        for lockout in day.account_state.lockouts.values()
        if lockout.rule == "RULE-007"
    }


def losing(day: Ledger, *profits: str, unit_order: int | None = None) -> Ledger:
    """A position of one contract per profit, closed contract by contract."""
    day.fill("MNQ", len(profits), "21000")
    for profit in profits:
        day.fill("MNQ", -1, "20980", profit=profit, order=unit_order)
    return day


@pytest.mark.parametrize(
    ("profit", "expected"),
    [
        ("-75", []),
        ("-99.99", []),
        ("-100", [("-100.00", "300")]),
        ("-150", [("-150.00", "300")]),
        ("-199.99", [("-199.99", "300")]),
        ("-200", [("-200.00", "900")]),
        ("-250", [("-250.00", "900")]),
        ("-300", [("-300.00", "1800")]),
        ("-350", [("-350.00", "1800")]),
        ("350", []),
    ],
)
def test_rule_007_example_1_the_largest_tier_met(profit: str, expected: list[tuple[str, str]]) -> None:
    day = Ledger(cooldown_after_loss={}).at("09:00:00").closed(profit)
    assert tiers(day) == expected
    assert day.kinds == (["SetLockout", "CancelOrders"] if expected else [])


def test_rule_007_example_1_figures() -> None:
    day = Ledger(cooldown_after_loss={}).closed("-250")
    assert day.breaches[0].figures == {"pnl": "-250.00", "loss_amount": "200", "cooldown_seconds": "900"}
    assert day.breaches[0].contract == day.contract("MNQ")


def test_rule_007_example_2_a_stop_that_fills_in_pieces() -> None:
    day = Ledger(cooldown_after_loss={}).at("09:00:00").fill("MNQ", 3, "21000")
    for second in ("01", "02"):
        day.at(f"09:00:{second}").fill("MNQ", -1, "20980", profit="-40", order=9)
    assert day.breaches == []
    day.at("09:00:03").fill("MNQ", -1, "20980", profit="-40", order=9)
    assert tiers(day) == [("-120.00", "300")]
    assert ends(day) == {"cooldown": "09:05:03"}


def test_rule_007_example_2_judged_by_fill_it_never_triggers() -> None:
    day = losing(Ledger(cooldown_after_loss={"unit": "fill"}), "-40", "-40", "-40", unit_order=9)
    assert day.breaches == []


def test_rule_007_example_3_the_later_end_counts_and_pauses_never_add_up() -> None:
    day = Ledger(cooldown_after_loss={}).at("09:59:00").fill("ES", 1, "6000").at("10:00:00").closed("-120")
    assert ends(day) == {"cooldown": "10:05:00"}
    day.at("10:02:00").fill("ES", -1, "5995", profit="-250")
    assert ends(day) == {"cooldown": "10:17:00"}


def test_rule_007_a_smaller_loss_later_never_shortens() -> None:
    day = Ledger(cooldown_after_loss={}).at("09:00:00").fill("ES", 1, "6000").at("10:00:00").closed("-350")
    day.at("10:01:00").fill("ES", -1, "5998", profit="-100")
    assert ends(day) == {"cooldown": "10:30:00"}
    assert len(tiers(day)) == 2


def test_rule_007_an_order_climbs_into_a_higher_tier() -> None:
    day = Ledger(cooldown_after_loss={}).at("09:00:00").fill("MNQ", 3, "21000")
    day.at("09:00:01").fill("MNQ", -1, "20980", profit="-110", order=9)
    day.at("09:00:02").fill("MNQ", -2, "20980", profit="-220", order=9)
    assert tiers(day) == [("-110.00", "300"), ("-330.00", "1800")]
    assert ends(day) == {"cooldown": "09:30:02"}


def test_rule_007_orders_are_judged_by_themselves() -> None:
    assert losing(Ledger(cooldown_after_loss={}), "-60", "-60").breaches == []


def test_rule_007_a_round_trip_adds_up_over_its_orders() -> None:
    day = losing(Ledger(cooldown_after_loss={"unit": "round_trip"}), "-60", "-60")
    assert tiers(day) == [("-120.00", "300")]
    day.at("11:00:00")
    assert tiers(losing(day, "-60")) == [("-120.00", "300")]


def test_rule_007_net_takes_the_closing_fills_own_costs_only() -> None:
    day = (
        Ledger(cooldown_after_loss={})
        .fill("MNQ", 1, "21000", fees="50")
        .fill("MNQ", -1, "20980", profit="-99", fees="0.60", commissions="0.40")
    )
    assert tiers(day) == [("-100.00", "300")]
    below = (
        Ledger(cooldown_after_loss={})
        .fill("MNQ", 1, "21000", fees="50")
        .fill("MNQ", -1, "20980", profit="-99", fees="0.60", commissions="0.39")
    )
    assert below.breaches == []


def test_rule_007_gross_leaves_costs_out() -> None:
    day = Ledger(profile={"pnl_basis": "gross"}, cooldown_after_loss={}).closed("-99.99", fees="5")
    assert day.breaches == []


def test_rule_007_voided_fills_do_not_count() -> None:
    day = (
        Ledger(cooldown_after_loss={}).fill("MNQ", 2, "21000").fill("MNQ", -1, "20980", profit="-60", order=9, trade=77)
    )
    day.void(77).fill("MNQ", -1, "20980", profit="-60", order=9)
    assert day.breaches == []


def test_rule_007_close_positions_flattens_as_well() -> None:
    day = Ledger(cooldown_after_loss={"close_positions": True}).fill("ES", 1, "6000").closed("-100")
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]


def test_rule_007_the_reset_does_not_end_the_pause() -> None:
    day = Ledger(start="2026-11-19 16:00:00", cooldown_after_loss={}).at("16:58:00").closed("-100")
    day.tick("17:00:00")
    assert ends(day) == {"cooldown": "17:03:00"}


def test_rule_007_a_late_loss_is_recorded_without_commands() -> None:
    day = Ledger(start="2026-11-19 16:00:00", cooldown_after_loss={}).fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "20900", profit="-200", created=created)
    assert tiers(day) == [("-200.00", "900")]
    assert day.breaches[0].flags == ("late",)
    assert day.commands == []


# ---- later versions and voids ------------------------------------------------------------------------

UNITS = ("fill", "order", "round_trip")


def told_without_result(**settings: object) -> Ledger:
    """A position of one contract, closed at 10:02:00 by a fill whose P&L nobody has told yet."""
    day = Ledger(cooldown_after_loss=settings).at("10:01:00").fill("ES", 1, "6000", trade=1)
    return day.at("10:02:00").fill("ES", -1, "5988", fees=None, trade=2).at("10:02:01")


@pytest.mark.parametrize("unit", UNITS)
def test_case_core_08_pnl_in_a_later_version(unit: str) -> None:
    day = told_without_result(unit=unit)
    assert day.breaches == []
    day.fill("ES", -1, "5988", profit="-600", trade=2)
    assert tiers(day) == [("-600.00", "1800")]
    assert day.breach_times == ["10:02:01"]
    assert ends(day) == {"cooldown": "10:32:01"}
    assert day.kinds == ["SetLockout", "CancelOrders"]


def test_case_core_08_with_rule_003_both_lock_at_the_version() -> None:
    day = Ledger(cooldown_after_loss={}, daily_realized_loss={"loss_limit": usd("500")})
    day.fill("ES", 1, "6000").fill("ES", -1, "5988", trade=2).at("10:02:01").fill(
        "ES", -1, "5988", profit="-600", trade=2
    )
    assert [(breach.rule, breach.flags) for breach in day.breaches] == [("RULE-003", ()), ("RULE-007", ())]
    assert day.breach_times == ["10:02:01", "10:02:01"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("fees", "commissions", "expected"), [("0.99", None, []), ("1", None, ["-100.00"]), (None, "1.01", ["-100.01"])]
)
def test_rule_007_costs_told_later(unit: str, fees: str | None, commissions: str | None, expected: list[str]) -> None:
    day = told_without_result(unit=unit).fill("ES", -1, "5988", profit="-99", fees=None, trade=2)
    day.at("10:03:00").fill("ES", -1, "5988", profit="-99", fees=fees, commissions=commissions, trade=2)
    assert [pnl for pnl, _ in tiers(day)] == expected
    assert day.breach_times == ["10:03:00"] * len(expected)


@pytest.mark.parametrize("unit", UNITS)
def test_rule_007_a_later_version_breaches_again_only_in_a_higher_tier(unit: str) -> None:
    day = told_without_result(unit=unit)
    for minute, profit in enumerate(("-120", "-199.99", "-200", "-50", "-250", "-299.99", "-300")):
        day.at(f"10:{10 + minute}:00").fill("ES", -1, "5988", profit=profit, trade=2)
    assert tiers(day) == [("-120.00", "300"), ("-200.00", "900"), ("-300.00", "1800")]


def test_rule_007_the_same_version_again_is_no_event() -> None:
    day = told_without_result().fill("ES", -1, "5988", profit="-120", trade=2)
    day.at("10:03:00").fill("ES", -1, "5988", profit="-120", trade=2)
    assert tiers(day) == [("-120.00", "300")]


def test_rule_007_costs_of_an_opening_fill_told_later_are_no_event() -> None:
    day = Ledger(cooldown_after_loss={}).fill("ES", 2, "6000", fees=None, trade=71, order=7)
    day.fill("ES", -1, "5988", profit="-120", order=8).at("10:00:00").fill(
        "ES", 2, "6000", fees="500", trade=71, order=7
    )
    assert len(day.breaches) == 1


@pytest.mark.parametrize("unit", ["order", "round_trip"])
@pytest.mark.parametrize(("loss", "expected"), [("-199.99", []), ("-200", ["10:10:00"])])
def test_rule_007_a_void_that_leaves_a_larger_loss(unit: str, loss: str, expected: list[str]) -> None:
    day = Ledger(cooldown_after_loss={"unit": unit}).at("10:00:00").fill("ES", 3, "6000")
    day.fill("ES", -1, "6002", profit="80", order=9, trade=77).at("10:05:00").fill(
        "ES", -1, "5988", profit=loss, order=9
    )
    assert day.breach_times == ["10:05:00"]
    day.at("10:10:00").void(77)
    assert day.breach_times[1:] == expected


@pytest.mark.parametrize("unit", UNITS)
def test_rule_007_a_void_of_the_loss_itself_keeps_the_pause_and_adds_none(unit: str) -> None:
    day = told_without_result(unit=unit).fill("ES", -1, "5988", profit="-250", trade=2).at("10:03:00").void(2)
    assert tiers(day) == [("-250.00", "900")]
    assert ends(day) == {"cooldown": "10:17:01"}


def test_rule_007_a_unit_whose_breaching_fill_was_voided_has_breached_all_the_same() -> None:
    day = Ledger(cooldown_after_loss={}).fill("ES", 3, "6000").fill("ES", -1, "5988", profit="-250", order=9, trade=77)
    day.void(77).fill("ES", -1, "5988", fees=None, order=9, trade=78)
    day.fill("ES", -1, "5988", profit="-210", order=9, trade=78)
    assert tiers(day) == [("-250.00", "900")]


def test_rule_007_an_order_named_later_brings_its_fills_together() -> None:
    day = Ledger(cooldown_after_loss={}).fill("ES", 2, "6000").fill("ES", -1, "5997", profit="-150", order=9)
    loss = e.TradeRecorded(ACCOUNT, 50, day.contract("ES"), 5997 * PRICE_SCALE, -1, 1, None, usd("-50"), 0, None, None)
    day.at("10:00:00").take(loss, "trade:50")
    assert tiers(day) == [("-150.00", "300")]
    day.at("10:01:00").take(replace(loss, order_id=9), "trade:50")
    assert tiers(day)[1:] == [("-200.00", "900")]


def test_rule_007_a_void_that_joins_two_round_trips_joins_their_losses() -> None:
    day = Ledger(cooldown_after_loss={"unit": "round_trip"}).fill("ES", 1, "6000", trade=71)
    day.fill("ES", -1, "5999", profit="-60", trade=72).fill("ES", 1, "6000", trade=73).fill(
        "ES", -1, "5999", profit="-60"
    )
    assert day.breaches == []
    day.at("10:00:00").void(71)
    assert tiers(day) == [("-120.00", "300")]


@pytest.mark.parametrize("correct", ["version", "void"])
def test_rule_007_a_correction_of_an_earlier_day_is_late_and_has_no_commands(correct: str) -> None:
    day = Ledger(start="2026-11-19 16:00:00", cooldown_after_loss={}).fill("ES", 2, "6000")
    day.fill("ES", -1, "6001", profit="50", order=9, trade=77).fill("ES", -1, "5999", profit="-140", order=9, trade=78)
    day.tick("2026-11-19 17:00:00")
    assert day.breaches == []
    if correct == "void":
        day.void(77)
    else:
        day.fill("ES", -1, "5999", profit="-190", order=9, trade=78)
    assert tiers(day) == [("-140.00", "300")]
    assert (day.breaches[0].flags, day.breaches[0].target) == (("late",), "late.2026-11-19")
    assert day.commands == []


def test_rule_007_what_an_earlier_day_breached_is_not_breached_again_by_a_correction() -> None:
    day = Ledger(start="2026-11-19 16:00:00", cooldown_after_loss={}).fill("ES", 1, "6000")
    day.fill("ES", -1, "5999", profit="-250", fees=None, trade=77).tick("2026-11-19 17:00:00")
    day.fill("ES", -1, "5999", profit="-250", fees="3", trade=77)
    assert tiers(day) == [("-250.00", "900")]


def test_rule_007_forgets_the_tiers_of_fills_that_are_forgotten() -> None:
    day = Ledger(start="2026-11-17 10:00:00", cooldown_after_loss={}).closed("-100")
    for date in ("2026-11-18", "2026-11-19", "2026-11-20"):
        day.at(f"{date} 10:00:00").closed("-100")
    known = [name for name in day.account_state.memory if ".tier." in name]
    assert len(known) < 4
    assert all(int(name.rpartition(".")[2]) in day.account_state.trades for name in known)


RUN = {"loss_thresholds": [], "consecutive_losses": {"count": 3, "cooldown_seconds": 600}}


def runs(day: Ledger) -> list[str]:
    return [breach.figures["losses"] for breach in day.breaches if "losses" in breach.figures]


def test_rule_007_a_run_of_losses_below_at_and_beyond_the_count() -> None:
    day = Ledger(cooldown_after_loss=RUN).at("09:00:00").closed("-1").closed("-1")
    assert day.breaches == []
    day.at("09:01:00").closed("-1")
    assert day.breaches[0].figures == {"pnl": "-1.00", "losses": "3", "cooldown_seconds": "600"}
    assert ends(day) == {"run": "09:11:00"}
    assert day.kinds == ["SetLockout", "CancelOrders"]
    day.at("10:00:00").closed("-1")
    assert runs(day) == ["3", "4"]


@pytest.mark.parametrize("profit", ["0", "0.01", "50"])
def test_rule_007_break_even_and_wins_reset_the_run(profit: str) -> None:
    day = Ledger(cooldown_after_loss=RUN).closed("-1").closed("-1").closed(profit).closed("-1").closed("-1")
    assert day.breaches == []
    assert runs(day.closed("-1")) == ["3"]


def test_rule_007_costs_make_a_break_even_a_loss() -> None:
    day = Ledger(cooldown_after_loss=RUN).closed("-1").closed("-1").closed("0", fees="0.37")
    assert runs(day) == ["3"]


def test_rule_007_a_losing_unit_breaches_the_run_once() -> None:
    day = losing(Ledger(cooldown_after_loss=RUN).closed("-1").closed("-1"), "-1", "-1", unit_order=9)
    assert runs(day) == ["3"]


def test_rule_007_the_run_starts_anew_each_day() -> None:
    day = Ledger(start="2026-11-19 16:00:00", cooldown_after_loss=RUN).closed("-1").closed("-1")
    day.at("2026-11-19 17:00:00").closed("-1").closed("-1")
    assert day.breaches == []
    assert runs(day.closed("-1")) == ["3"]


def test_rule_007_a_tier_and_a_run_are_two_breaches_with_their_own_lockouts() -> None:
    rule = {"consecutive_losses": {"count": 2, "cooldown_seconds": 60}}
    day = Ledger(cooldown_after_loss=rule).at("09:00:00").closed("-1").closed("-100")
    assert [breach.target for breach in day.breaches] == ["loss", "run"]
    assert ends(day) == {"cooldown": "09:05:00", "run": "09:01:00"}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["-1", "-1", None], ["3"]),  # The last one turns out a loss.
        (["-1", None, "-1"], ["3"]),  # One in between joins what lost before it and after it.
        (["-1", "-1", None, "1"], []),  # A win has ended the run since.
        (["-1", None], []),  # Not long enough.
        (["-1", "1", None, "-1"], []),
    ],
)
def test_rule_007_a_correction_that_makes_a_unit_a_losing_one(
    unit: str, results: list[str | None], expected: list[str]
) -> None:
    day = Ledger(cooldown_after_loss={**RUN, "unit": unit})
    for result in results:
        day.fill("ES", 1, "6000").fill("ES", -1, "6000", profit=result or "0", trade=None if result else 500)
    assert day.breaches == []
    day.at("10:00:00").fill("ES", -1, "6000", profit="0", fees="0.01", trade=500)
    assert runs(day) == expected
    assert runs(day.fill("ES", -1, "6000", profit="0", fees="0.02", trade=500)) == expected


def test_rule_007_a_void_of_a_win_between_losses_makes_no_unit_a_losing_one() -> None:
    day = Ledger(cooldown_after_loss=RUN).closed("-1").closed("-1").fill("ES", 1, "6000", trade=80)
    day.fill("ES", -1, "6001", profit="50", trade=81).closed("-1").void(81).void(80)
    assert day.breaches == []
    assert runs(day.closed("-1")) == ["4"]


def test_rule_007_a_void_that_turns_an_order_into_a_loss_makes_the_run() -> None:
    day = Ledger(cooldown_after_loss=RUN).closed("-1").closed("-1").fill("ES", 2, "6000")
    day.fill("ES", -1, "6001", profit="50", order=9, trade=81).fill("ES", -1, "5999", profit="-40", order=9)
    assert day.breaches == []
    assert runs(day.void(81)) == ["3"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([(usd("100"), 300), (usd("100"), 600)], "once"),
        ([(0, 300)], "above 0"),
        ([(usd("100"), 0)], "at least 1"),
    ],
)
def test_rule_007_tiers_are_checked(given: list[tuple[int, int]], said: str) -> None:
    plain = [{"loss_amount": amount, "cooldown_seconds": seconds} for amount, seconds in given]
    with pytest.raises(ValueError, match=said):
        by_name("cooldown_after_loss").build({"loss_thresholds": plain})


@pytest.mark.parametrize(("seconds", "accepted"), [(0, False), (1, True)])
def test_a_cooldown_lasts_a_second_at_least(seconds: int, accepted: bool) -> None:
    tiers = [{"loss_amount": usd("100"), "cooldown_seconds": seconds}]
    build = by_name("cooldown_after_loss").build
    if accepted:
        assert build({"loss_thresholds": tiers})
    else:
        with pytest.raises(ValueError, match="at least 1"):
            build({"loss_thresholds": tiers})
