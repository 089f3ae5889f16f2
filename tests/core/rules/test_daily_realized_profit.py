"""RULE-013 DailyRealizedProfit, to the boundary of RULES.md 5."""

from datetime import datetime

import pytest
from hypothesis import given, settings

from tests.core.ledger import CHICAGO, Ledger, clock, usd
from tests.core.rules.quiet_walk import is_quiet, moves, walk

FLATTEN_AND_LOCK = ["SetLockout", "CancelOrders", "CloseAllPositions"]
GIVE_BACK = {"arm": usd("800"), "fraction": 500_000}


def day_with(start: str = "2026-11-20 08:00:00", **rule: object) -> Ledger:
    return Ledger(start=start, daily_realized_profit=rule)


def totals(day: Ledger) -> list[str]:
    return [breach.figures["day_pnl"] for breach in day.breaches if breach.rule == "RULE-013"]


def test_rule_013_example_1_flatten_and_lock_to_the_reset() -> None:
    assert day_with().closed("300").closed("400").closed("-100").breaches == []
    day = day_with().closed("900").closed("200")
    assert day.breaches[0].figures == {"day_pnl": "1100.00", "profit_target": "1000"}
    assert day.kinds == FLATTEN_AND_LOCK
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.kind, clock(lockout.expires_at or 0)) == ("until_reset", "17:00:00")


@pytest.mark.parametrize(("profit", "expected"), [("999.99", []), ("1000", ["1000.00"]), ("1000.01", ["1000.01"])])
def test_rule_013_example_2_touching_the_target_is_enough(profit: str, expected: list[str]) -> None:
    assert totals(day_with().closed(profit)) == expected


@pytest.mark.parametrize("side", [1, -1])
def test_rule_013_example_3_half_of_the_peak_is_given_back(side: int) -> None:
    day = day_with(give_back=GIVE_BACK).fill("MNQ", 3 * side, "21000").mark("MNQ", str(21000 + 150 * side))
    day.mark("MNQ", str(21000 + 75 * side + 0.25 * side))
    assert day.breaches == []
    day.mark("MNQ", str(21000 + 75 * side))
    assert day.breaches[0].figures == {
        "day_pnl": "450.00",
        "profit_target": "1000",
        "peak": "900.00",
        "floor": "450.00",
    }
    assert day.kinds == FLATTEN_AND_LOCK


@pytest.mark.parametrize(("peak", "breaches"), [("799.99", 0), ("800", 1), ("800.01", 1)])
def test_rule_013_give_back_counts_from_arm(peak: str, breaches: int) -> None:
    assert len(day_with(give_back=GIVE_BACK).closed(peak).closed("-700").breaches) == breaches


def test_rule_013_give_back_counts_closed_and_open_results_together() -> None:
    day = day_with(give_back=GIVE_BACK).closed("500").fill("MNQ", 1, "21000").mark("MNQ", "21200")
    day.fill("MNQ", -1, "21000", profit="0")
    assert day.breaches == []
    assert totals(day.closed("-50")) == ["450.00"]


def test_rule_013_give_back_peak_is_of_the_day() -> None:
    day = day_with("2026-11-19 09:00:00", give_back=GIVE_BACK).closed("900")
    day.at("2026-11-19 17:00:00").closed("10").closed("-20")
    assert day.breaches == []


def test_rule_013_net_counts_fees() -> None:
    assert day_with().closed("1000", fees="0.01").breaches == []
    gross = Ledger(profile={"pnl_basis": "gross"}, daily_realized_profit={}).closed("1000", fees="0.01")
    assert len(gross.breaches) == 1


def test_rule_013_realized_lets_an_open_winner_run() -> None:
    day = day_with().fill("MNQ", 1, "21000").mark("MNQ", "22000")
    assert day.breaches == []


@pytest.mark.parametrize(("side", "below", "at"), [(1, "6007.75", "6008"), (-1, "5992.25", "5992")])
def test_rule_013_combined_adds_the_open_profit(side: int, below: str, at: str) -> None:
    day = day_with(basis="combined").closed("600").fill("ES", side, "6000").mark("ES", below)
    assert day.breaches == []
    assert totals(day.mark("ES", at)) == ["1000.00"]


@pytest.mark.parametrize(
    ("action", "kinds", "alerts"),
    [
        ("flatten_and_lock", FLATTEN_AND_LOCK, []),
        ("flatten", ["CancelOrders", "CloseAllPositions"], []),
        ("lock_only", ["SetLockout"], []),
        ("alert", [], ["well done"]),
    ],
)
def test_rule_013_actions(action: str, kinds: list[str], alerts: list[str]) -> None:
    day = day_with(action=action, message="well done").closed("1000")
    assert (day.kinds, day.alerts) == (kinds, alerts)


def test_rule_013_the_message_is_the_reason_of_the_lockout() -> None:
    assert [lockout.reason for lockout in day_with().closed("1000").account_state.lockouts.values()] == [
        "Daily target reached"
    ]


def test_rule_013_breaches_once_a_day_and_starts_anew_at_the_reset() -> None:
    day = day_with("2026-11-19 09:00:00").closed("1000").closed("-500").closed("900")
    assert totals(day) == ["1000.00"]
    day.at("2026-11-19 17:00:00").closed("999.99")
    assert totals(day) == ["1000.00"]
    assert totals(day.closed("0.01")) == ["1000.00", "1000.00"]


def test_rule_013_a_late_profit_is_recorded_without_commands() -> None:
    day = day_with("2026-11-19 16:00:00").closed("900").fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "21050", profit="100", created=created)
    assert totals(day) == ["1000.00"]
    assert day.breaches[0].flags == ("late",)
    assert day.commands == []


@pytest.mark.parametrize(("loss", "expected"), [("-0.01", ["1000.00"]), ("0", [])])
def test_rule_013_a_void_of_an_earlier_day_is_late(loss: str, expected: list[str]) -> None:
    day = day_with("2026-11-19 16:00:00").fill("MNQ", 2, "21000").fill("MNQ", -1, "20999", profit=loss, trade=70)
    day.fill("MNQ", -1, "21000", profit="1000" if expected else "999.99").tick("2026-11-19 17:00:01")
    assert day.breaches == []
    day.void(70)
    assert totals(day) == expected
    assert all(breach.flags == ("late",) for breach in day.breaches)
    assert day.commands == []


def test_rule_013_a_late_profit_raises_no_peak_of_today() -> None:
    day = day_with("2026-11-19 16:00:00", give_back=GIVE_BACK).fill("MNQ", 1, "21000")
    created = datetime(2026, 11, 19, 16, 59, 59, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:01").fill("MNQ", -1, "21450", profit="900", created=created).closed("10")
    assert day.breaches == []


@pytest.mark.parametrize("rule", [{"basis": "combined"}, {"give_back": GIVE_BACK}])
def test_rule_013_never_on_a_stale_mark(rule: dict[str, object]) -> None:
    day = day_with(**rule).fill("ES", 1, "6000").fill("MNQ", 1, "21000").at("09:00:00")
    day.mark("MNQ", "21000").mark("ES", "6019").mark("ES", "6016")
    day.at("09:00:11").mark("MNQ", "21100" if "basis" in rule else "20800")
    assert day.breaches == []
    day.mark("ES", "6016")
    assert len(day.breaches) == 1


def test_rule_013_never_on_incomplete_marks() -> None:
    day = day_with(basis="combined").push("ES", 1).fill("MNQ", 1, "21000").mark("MNQ", "21600")
    assert day.breaches == []


def test_rule_013_loss_is_judged_before_profit() -> None:
    day = Ledger(
        daily_realized_loss={"loss_limit": usd("100"), "warn_at": (), "basis": "trailing_realized"},
        daily_realized_profit={"give_back": {"arm": usd("800"), "fraction": 100_000}},
    )
    day.closed("900").closed("-200")
    assert [breach.rule for breach in day.breaches] == ["RULE-003", "RULE-013"]
    assert [issued.rule for issued in day.commands if issued.command.kind == "CloseAllPositions"] == ["RULE-003"]


def test_rule_013_quiet_below_the_target() -> None:
    day = day_with(basis="combined").fill("MNQ", 1, "21000").mark("MNQ", "21100")
    assert is_quiet(day, "MNQ", "21499")
    assert is_quiet(day, "MNQ", "10000")
    assert not is_quiet(day, "MNQ", "21500")


RULES = [{}, {"basis": "combined"}, {"give_back": GIVE_BACK}, {"basis": "combined", "give_back": GIVE_BACK}]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=15, deadline=None)
@given(steps=moves("MNQ", "ES"))
def test_rule_013_quotes_within_the_bounds_change_nothing(
    rule: dict[str, object], steps: list[tuple[str, str, int]]
) -> None:
    day = day_with(**rule).closed("300").fill("MNQ", 3, "21000").fill("ES", -1, "6000")
    walk(day.mark("MNQ", "21000").mark("ES", "6000"), steps)
