"""Worked examples of RULES.md 5 through `riskcore replay --json`, whatever a connection shows of the same trades."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.outside.broker import SHAPES, Broker, breaches, commands, replay

pytestmark = pytest.mark.parametrize("shape", SHAPES)
SIDES = pytest.mark.parametrize("side", [1, -1], ids=("long", "short"))
FLATTEN_AND_LOCK = ["SetLockout", "CancelOrders", "CloseAllPositions"]


def kinds(result: Any) -> list[str]:
    return [kind for kind, _, _ in commands(result)]


@SIDES
def test_rule_001_example_1_the_newest_exposure_is_reduced(tmp_path: Path, shape: str, side: int) -> None:
    day = Broker(shape=shape).fill("MNQ", 3 * side, 21000).after(1).fill("ES", 2 * side, 6000)
    assert replay(tmp_path, day, "[rules.max_contracts]\nlimit = 5")["breaches"] == []
    result = replay(tmp_path, day.after(1).fill("MNQ", side, 21000), "[rules.max_contracts]\nlimit = 5")
    assert breaches(result) == [("RULE-001", "10:00:02")]
    assert result["breaches"][0]["figures"] == {"count": "6", "limit": "5"}
    assert commands(result) == [("ReducePosition", "MNQ", 1)]
    assert result["commands"][0]["to"] == 3


@SIDES
def test_rule_001_example_2_gross_counts_both_sides_and_net_does_not(tmp_path: Path, shape: str, side: int) -> None:
    day = Broker(shape=shape).fill("ES", 3 * side, 6000).after(1).fill("NQ", -4 * side, 21000)
    assert commands(replay(tmp_path, day, "[rules.max_contracts]\nlimit = 5")) == [("ReducePosition", "ENQ", 2)]
    assert commands(replay(tmp_path, day, '[rules.max_contracts]\nlimit = 5\ncount_type = "net"')) == []


def test_rule_001_example_3_micro_units(tmp_path: Path, shape: str) -> None:
    settings = '[rules.max_contracts]\nlimit = 5\nweighting = "mini_equivalent"'
    day = Broker(shape=shape).fill("ES", 3, 6000).after(1).fill("MES", 20, 6000)
    assert commands(replay(tmp_path, day, settings)) == []
    assert commands(replay(tmp_path, day.after(1).fill("MES", 1, 6000), settings)) == [("ReducePosition", "MES", 1)]


def test_rule_002_example_3_all_expiries_of_a_root_count(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape).fill("MNQ", 1, 21000).after(1).fill("MNQ", 2, 21100, expiry="H27")
    result = replay(tmp_path, day, "[rules.max_contracts_per_instrument]\nlimits = { MNQ = 2 }")
    assert [row["contract"] for row in result["commands"]] == ["CON.F.US.MNQ.H27"]
    assert commands(result) == [("ReducePosition", "MNQ", 1)]


def test_rule_003_example_1_locked_at_the_third_trade(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape).round("100").after(1).round("-200").after(1).round("-450").clock()
    result = replay(tmp_path, day, "[rules.daily_realized_loss]")
    assert breaches(result) == [("RULE-003", "10:00:05")]
    assert result["breaches"][0]["figures"] == {"day_pnl": "-550.00", "loss_limit": "500"}
    assert kinds(result) == FLATTEN_AND_LOCK
    assert result["accounts"][0]["lockouts"][0]["expires_at"] == "2026-11-20T23:00:00Z"


@pytest.mark.parametrize(("second", "count"), [("-199.99", 0), ("-200", 1), ("-200.01", 1)])
def test_rule_003_example_2_touching_the_limit_is_a_breach(tmp_path: Path, shape: str, second: str, count: int) -> None:
    day = Broker(shape=shape).round("-300").after(1).round(second)
    assert len(replay(tmp_path, day, "[rules.daily_realized_loss]")["breaches"]) == count


def test_rule_003_example_3_fees_of_both_sides_count_on_net(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape)
    day.fees, day.commissions = Decimal("0.36"), Decimal("0.25")
    day.fill("MNQ", 3, 21000).after(60).fill("MNQ", -3, 20917)
    net = replay(tmp_path, day, "[rules.daily_realized_loss]")
    assert net["breaches"][0]["figures"]["day_pnl"] == "-501.66"
    assert replay(tmp_path, day, '[rules.daily_realized_loss]\npnl_basis = "gross"')["breaches"] == []


@pytest.mark.parametrize(
    ("start", "expires"),
    [("2026-10-30 13:59:59", "2026-10-30T22:00:00Z"), ("2026-11-01 16:59:59", "2026-11-02T23:00:00Z")],
)
def test_rule_003_example_4_the_lockout_ends_with_the_trading_day(
    tmp_path: Path, shape: str, start: str, expires: str
) -> None:
    result = replay(tmp_path, Broker(start, shape).round("-500"), "[rules.daily_realized_loss]")
    assert result["accounts"][0]["lockouts"][0]["expires_at"] == expires


@SIDES
def test_rule_004_example_1_closed_at_the_limit(tmp_path: Path, shape: str, side: int) -> None:
    day = Broker(shape=shape).fill("MNQ", 2 * side, 21000).after(1).quote("MNQ", last=str(21000 - 74.75 * side))
    assert replay(tmp_path, day, "[rules.daily_unrealized_loss]")["breaches"] == []
    day.after(1).quote("MNQ", last=str(21000 - 75 * side)).after(1).quote("MNQ", last=str(21000 - 90 * side))
    result = replay(tmp_path, day, "[rules.daily_unrealized_loss]")
    assert breaches(result) == [("RULE-004", "10:00:02")]
    assert result["breaches"][0]["figures"] == {"unrealized": "-300.00", "loss_limit": "300"}
    assert ("ClosePosition", "MNQ", None) in commands(result)


def test_rule_004_examples_3_and_4_total_and_chain(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape).fill("MNQ", 1, 21000).fill("ES", 1, 5800).after(1)
    day.quote("MNQ", last="20900").after(1).quote("ES", last="5792")
    result = replay(tmp_path, day, '[rules.daily_unrealized_loss]\nscope = "total"')
    assert result["breaches"][0]["figures"]["unrealized"] == "-600.00"
    assert kinds(result) == ["CancelOrders", "CloseAllPositions"]
    assert [row["contract"] for row in replay(tmp_path, day, "[rules.daily_unrealized_loss]")["breaches"]] == [
        "CON.F.US.EP.Z26"
    ]
    chain = Broker(shape=shape).round("-400").after(1).fill("MNQ", 1, 21000).after(1).quote("MNQ", last="20850")
    chain.after(1).fill("MNQ", -1, 20850)
    result = replay(tmp_path, chain, "[rules.daily_unrealized_loss]\n[rules.daily_realized_loss]")
    assert breaches(result) == [("RULE-004", "10:00:03"), ("RULE-003", "10:00:04")]
    assert result["breaches"][1]["figures"]["day_pnl"] == "-700.00"


@SIDES
def test_rule_005_examples(tmp_path: Path, shape: str, side: int) -> None:
    def day(root: str, size: int, entry: int, *moves: str) -> Broker:
        broker = Broker(shape=shape).fill(root, size * side, entry)
        for move in moves:
            broker.after(1).quote(root, last=str(entry + float(move) * side))
        return broker

    table = "[rules.max_unrealized_profit]\n"
    assert breaches(replay(tmp_path, day("ES", 1, 6000, "19.75", "20"), table)) == [("RULE-005", "10:00:02")]
    assert breaches(replay(tmp_path, day("MNQ", 2, 21000, "249.75", "250"), table)) == [("RULE-005", "10:00:02")]
    breakeven = table + 'mode = "breakeven"\narm_profit = 200'
    unarmed = day("MNQ", 2, 21000, "49.75", "0", "50", "0.25", "0")
    assert breaches(replay(tmp_path, unarmed, breakeven)) == [("RULE-005", "10:00:05")]
    give_back = table + 'mode = "give_back"\narm_profit = 300'
    assert breaches(replay(tmp_path, day("MNQ", 3, 21000, "50", "25.25", "25"), give_back)) == [
        ("RULE-005", "10:00:03")
    ]


def test_rule_006_examples_1_and_2_rolling_minute(tmp_path: Path, shape: str) -> None:
    def day(*seconds: int) -> Broker:
        broker, start = Broker(shape=shape), 0
        for second in seconds:
            broker.after(second - start).fill("MNQ", 1, 21000)
            start = second
        return broker

    table = "[rules.trade_frequency_limit]\nper_minute = 3\n"
    result = replay(tmp_path, day(0, 10, 20, 30), table)
    assert breaches(result) == [("RULE-006", "10:00:30")]
    assert result["breaches"][0]["figures"] == {"count": "4", "limit": "3", "window": "minute"}
    assert result["accounts"][0]["lockouts"][0]["expires_at"] == "2026-11-20T16:01:30Z"
    assert breaches(replay(tmp_path, day(0, 10, 20), table + 'breach_when = "reached"')) == [("RULE-006", "10:00:20")]
    assert breaches(replay(tmp_path, day(0, 10, 20, 70), table)) == []
    assert breaches(replay(tmp_path, day(0, 20, 40, 60), table)) == []  # Exactly 60 s old is out.
    assert breaches(replay(tmp_path, day(0, 20, 40, 59), table)) == [("RULE-006", "10:00:59")]


@pytest.mark.parametrize(
    ("pnl", "seconds"),
    [("-75", []), ("-99.99", []), ("-100", ["300"]), ("-150", ["300"]), ("-250", ["900"]), ("-350", ["1800"])],
)
def test_rule_007_example_1_the_largest_tier_met(tmp_path: Path, shape: str, pnl: str, seconds: list[str]) -> None:
    result = replay(tmp_path, Broker(shape=shape).round(pnl), "[rules.cooldown_after_loss]")
    assert [row["figures"]["cooldown_seconds"] for row in result["breaches"]] == seconds


def test_rule_007_example_2_a_stop_that_fills_in_pieces(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape).fill("MNQ", 3, 21000)
    for _ in range(3):
        day.after(1).fill("MNQ", -1, 20980, order=77)
    result = replay(tmp_path, day, "[rules.cooldown_after_loss]")
    assert breaches(result) == [("RULE-007", "10:00:03")]
    assert result["breaches"][0]["figures"]["pnl"] == "-120.00"
    assert replay(tmp_path, day, '[rules.cooldown_after_loss]\nunit = "fill"')["breaches"] == []


def test_rule_008_examples_1_and_2(tmp_path: Path, shape: str) -> None:
    stop = {"stopPrice": 20990}
    day = Broker(shape=shape).fill("MNQ", 2, 21000).at("10:00:10").order(7, "MNQ", -2, 4, 1, **stop)
    day.at("10:05:00").order(7, "MNQ", -2, 4, 3, **stop).clock("10:06:00")
    result = replay(tmp_path, day, "[rules.no_stop_loss_grace]")
    assert breaches(result) == [("RULE-008", "10:05:20")]
    assert result["breaches"][0]["figures"] == {"uncovered_seconds": "30", "grace_period_seconds": "30"}
    late = Broker(shape=shape).fill("MNQ", 2, 21000).order(8, "MNQ", -2, 1, 1, limitPrice=21010)
    late.at("10:00:30").order(7, "MNQ", -2, 4, 1, **stop)
    assert breaches(replay(tmp_path, late, "[rules.no_stop_loss_grace]")) == [("RULE-008", "10:00:30")]


def test_rule_009_example_1_the_end_of_the_hours(tmp_path: Path, shape: str) -> None:
    day = Broker("2026-11-20 14:59:59", shape).fill("MNQ", 1, 21000).clock("15:00:00")
    result = replay(tmp_path, day, "[rules.session_block_outside]")
    assert breaches(result) == [("RULE-009", "15:00:00")]
    assert kinds(result) == FLATTEN_AND_LOCK
    assert result["accounts"][0]["lockouts"][0]["expires_at"] == "2026-11-23T14:30:00Z"


def test_rule_010_example_3_a_flicker_costs_no_position(tmp_path: Path, shape: str) -> None:
    day = Broker("2026-11-20 09:59:00", shape).account(canTrade=True).fill("MNQ", 1, 21000)
    for time, can_trade in (("10:00:00", False), ("10:00:04", True), ("10:00:15", False)):
        day.at(time).account(canTrade=can_trade)
    result = replay(tmp_path, day.clock("10:00:20"), "[rules.auth_loss_guard]")
    shown = [kind for kind in kinds(result) if kind != "CancelOrders"]
    assert shown == ["SetLockout", "ClearLockout", "SetLockout", "CloseAllPositions"]
    assert [row["ended_by"] for row in result["lockout_history"]] == ["restored", None]


def test_rule_011_example_2_both_months_one_lockout(tmp_path: Path, shape: str) -> None:
    day = Broker(shape=shape).fill("RTY", 1, 2000, expiry="H27").after(1).fill("RTY", -1, 2000, expiry="M27")
    result = replay(tmp_path, day, '[rules.symbol_blocks]\nblocked_symbols = ["rty"]')
    assert kinds(result).count("ClosePosition") == 2
    assert [row["scope"] for row in result["accounts"][0]["lockouts"]] == ["symbol:RTY"]


@SIDES
def test_rule_012_example_2_the_stop_trails_and_never_loosens(tmp_path: Path, shape: str, side: int) -> None:
    day = Broker(shape=shape).fill("ES", side, 5800).after(1).order(7, "ES", -side, 4, 1, stopPrice=5800 - 10 * side)
    for move in (4.75, 5, 10, 7.75):
        day.after(5).quote("ES", last=str(5800 + move * side))
    settings = """[rules.trade_management]
enabled = true
[rules.trade_management.trailing_stop]
activation_ticks = 20
trail_distance_ticks = 10"""
    result = replay(tmp_path, day, settings)
    prices = [row["price"] for row in result["commands"] if row["kind"] == "ModifyStop"]
    assert prices == [str(5800 + 2.5 * side), str(5800 + 7.5 * side)]


@pytest.mark.parametrize(("last", "count"), [("99.99", 0), ("100", 1)])
def test_rule_013_example_2(tmp_path: Path, shape: str, last: str, count: int) -> None:
    day = Broker(shape=shape).round("900").after(1).round(last)
    result = replay(tmp_path, day, "[rules.daily_realized_profit]")
    assert len(result["breaches"]) == count
    assert kinds(result) == FLATTEN_AND_LOCK * count
