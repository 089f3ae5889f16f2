"""RULE-004 DailyUnrealizedLoss, to the boundary of RULES.md 5."""

import pytest
from hypothesis import given, settings

from tests.core.ledger import Ledger, clock, usd
from tests.core.rules.quiet_walk import is_quiet, moves, walk


def day_with(**rule: object) -> Ledger:
    return Ledger(daily_unrealized_loss=rule)


def test_rule_004_example_1_mnq_at_the_limit() -> None:
    day = day_with().fill("MNQ", 2, "21000").mark("MNQ", "20925.25")
    assert day.breaches == []
    day.mark("MNQ", "20925")
    assert day.breaches[0].figures == {"unrealized": "-300.00", "loss_limit": "300"}
    assert day.breaches[0].contract == day.contract("MNQ")
    assert [(issued.command.kind, issued.command.contract) for issued in day.commands] == [
        ("ClosePosition", day.contract("MNQ"))
    ]


def test_rule_004_example_2_es_long_and_nq_short() -> None:
    day = day_with().fill("ES", 1, "5800").mark("ES", "5794.25")
    assert day.breaches == []
    assert day.mark("ES", "5794").breaches[0].figures["unrealized"] == "-300.00"
    short = day_with().fill("NQ", -1, "21000").mark("NQ", "21014.75")
    assert short.breaches == []
    assert short.mark("NQ", "21015").breaches[0].figures["unrealized"] == "-300.00"


def test_rule_004_example_3_total_flattens_and_per_position_closes_es_only() -> None:
    def two_losers(scope: str) -> Ledger:
        day = day_with(scope=scope).fill("MNQ", 1, "21000").fill("ES", 1, "5800")
        return day.mark("MNQ", "20900").mark("ES", "5792")

    total = two_losers("total")
    assert total.breaches[0].figures["unrealized"] == "-600.00"
    assert total.kinds == ["CancelOrders", "CloseAllPositions"]
    single = two_losers("per_position")
    assert [issued.command.contract for issued in single.commands] == [single.contract("ES")]


def test_rule_004_example_4_the_close_may_trip_the_daily_loss() -> None:
    day = Ledger(daily_unrealized_loss={}, daily_realized_loss={"warn_at": ()}).closed("-400")
    day.fill("MNQ", 2, "21000").mark("MNQ", "20925")
    assert [breach.rule for breach in day.breaches] == ["RULE-004"]
    day.fill("MNQ", -2, "20925", profit="-300")
    assert [breach.rule for breach in day.breaches] == ["RULE-004", "RULE-003"]
    assert day.breaches[1].figures["day_pnl"] == "-700.00"


@pytest.mark.parametrize(("side", "last"), [(1, "20924.75"), (-1, "21075.25")])
def test_rule_004_beyond_the_limit(side: int, last: str) -> None:
    day = day_with().fill("MNQ", 2 * side, "21000").mark("MNQ", last)
    assert day.breaches[0].figures["unrealized"] == "-301.00"


def test_rule_004_one_command_per_life_and_a_new_position_starts_anew() -> None:
    day = day_with().fill("MNQ", 2, "21000").mark("MNQ", "20925").mark("MNQ", "20900").mark("MNQ", "21000")
    day.mark("MNQ", "20900")
    assert day.kinds == ["ClosePosition"]
    day.fill("MNQ", -2, "20900", profit="-400").fill("MNQ", 2, "20900").mark("MNQ", "20825")
    assert len(day.breaches) == 2


def test_rule_004_total_breaches_once_until_the_account_is_flat() -> None:
    day = day_with(scope="total").fill("MNQ", 2, "21000").mark("MNQ", "20925").mark("MNQ", "21000")
    day.mark("MNQ", "20900")
    assert len(day.breaches) == 1
    day.fill("MNQ", -2, "20900", profit="-400").fill("MNQ", 2, "20900").mark("MNQ", "20825")
    assert len(day.breaches) == 2


@pytest.mark.parametrize(
    ("scope", "action", "kinds", "alerts"),
    [
        ("per_position", None, ["ClosePosition"], 0),
        ("per_position", "flatten", ["CancelOrders", "CloseAllPositions"], 0),
        ("per_position", "flatten_and_lock", ["SetLockout", "CancelOrders", "CloseAllPositions"], 0),
        ("per_position", "alert", [], 1),
        ("total", None, ["CancelOrders", "CloseAllPositions"], 0),
        ("total", "close_position", ["CancelOrders", "CloseAllPositions"], 0),
        ("total", "flatten_and_lock", ["SetLockout", "CancelOrders", "CloseAllPositions"], 0),
        ("total", "alert", [], 1),
    ],
)
def test_rule_004_actions(scope: str, action: str | None, kinds: list[str], alerts: int) -> None:
    day = day_with(scope=scope, action=action).fill("MNQ", 2, "21000").mark("MNQ", "20925")
    assert (day.kinds, len(day.alerts)) == (kinds, alerts)


@pytest.mark.parametrize(
    ("settings_", "ends"),
    [({"lockout": "cooldown"}, "09:05:00"), ({"lockout": "until_reset"}, "17:00:00"), ({}, None)],
)
@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_004_lockouts(settings_: dict[str, object], ends: str | None, scope: str) -> None:
    day = day_with(scope=scope, **settings_).fill("MNQ", 2, "21000").at("09:00:00").mark("MNQ", "20925")
    lockouts = day.account_state.lockouts.values()
    assert [clock(lockout.expires_at or 0) for lockout in lockouts] == ([ends] if ends else [])


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_004_confirm_waits_exactly_so_long(scope: str) -> None:
    day = day_with(scope=scope, confirm_ms=500).fill("MNQ", 2, "21000").at("09:00:00").mark("MNQ", "20925")
    day.at("09:00:00.400").mark("MNQ", "20920")
    day.tick("09:00:00.499999")
    assert day.breaches == []
    day.tick("09:00:01")
    assert day.breach_times == ["09:00:00.5"]


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_004_confirm_starts_again_after_a_recovery(scope: str) -> None:
    day = day_with(scope=scope, confirm_ms=500).fill("MNQ", 2, "21000").at("09:00:00").mark("MNQ", "20925")
    day.at("09:00:00.400").mark("MNQ", "20925.25").at("09:00:00.600").mark("MNQ", "20925")
    day.tick("09:00:01.099999")
    assert day.breaches == []
    assert day.tick("09:00:02").breach_times == ["09:00:01.1"]


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_004_confirm_with_a_mark_that_goes_stale_meanwhile_waits_for_a_quote(scope: str) -> None:
    day = Ledger(
        profile={"max_quote_age_ns": 1_000_000_000}, daily_unrealized_loss={"scope": scope, "confirm_ms": 5_000}
    )
    day.fill("MNQ", 2, "21000").at("09:00:00").mark("MNQ", "20925").tick("09:00:06")
    assert day.kinds == []
    day.at("09:00:07").mark("MNQ", "20925")
    assert len(day.breaches) == 1
    assert day.kinds[0] in ("ClosePosition", "CancelOrders")


def test_rule_004_a_total_that_needs_a_stale_mark_alerts_and_acts_when_it_is_fresh() -> None:
    day = day_with(scope="total").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.at("09:00:00").mark("ES", "5996").mark("MNQ", "21000").at("09:00:10.001").mark("MNQ", "20950")
    assert day.breaches[0].flags == ("stale_mark",)
    assert day.kinds == []
    day.mark("ES", "5996")
    assert len(day.breaches) == 1
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


def test_rule_004_a_mark_exactly_at_its_age_is_fresh() -> None:
    day = day_with(scope="total").fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    day.at("09:00:00").mark("ES", "5996").mark("MNQ", "21000").at("09:00:10").mark("MNQ", "20950")
    assert day.breaches[0].flags == ()
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


def test_rule_004_an_unknown_mark_is_left_out_and_said() -> None:
    day = day_with(scope="total").push("ES", 1).fill("MNQ", 2, "21000").mark("MNQ", "20925")
    assert day.breaches[0].flags == ("incomplete_marks",)
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


def test_rule_004_conservative_marks_value_longs_at_the_bid() -> None:
    day = Ledger(profile={"mark": "conservative"}, daily_unrealized_loss={}).fill("MNQ", 2, "21000")
    day.quote("MNQ", "20925", "20925.25", "20925")
    assert day.breaches == []
    assert len(day.quote("MNQ", bid="20925").breaches) == 1


def test_rule_004_quiet_down_to_the_limit_and_at_any_gain() -> None:
    day = day_with().fill("MNQ", 2, "21000").mark("MNQ", "20990")
    assert is_quiet(day, "MNQ", "20926")
    assert is_quiet(day, "MNQ", "30000")
    assert not is_quiet(day, "MNQ", "20925")


def test_rule_004_nothing_is_quiet_while_a_loss_is_being_confirmed() -> None:
    day = day_with(confirm_ms=500).fill("MNQ", 2, "21000").mark("MNQ", "20925")
    assert not is_quiet(day, "MNQ", "21000")


RULES = [
    {"loss_limit": usd("300")},
    {"scope": "total"},
    {"confirm_ms": 1_500},
    {"confirm_ms": 1_500, "scope": "total"},
    {"action": "alert", "scope": "total"},
]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=15, deadline=None)
@given(steps=moves("MNQ", "ES"))
def test_rule_004_quotes_within_the_bounds_change_nothing(
    rule: dict[str, object], steps: list[tuple[str, str, int]]
) -> None:
    day = day_with(**rule).fill("MNQ", 3, "21000").fill("ES", -1, "6000")
    walk(day.mark("MNQ", "21000").mark("ES", "6000"), steps)
