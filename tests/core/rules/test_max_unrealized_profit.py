"""RULE-005 MaxUnrealizedProfit, to the boundary of RULES.md 5."""

import pytest
from hypothesis import given, settings

from riskcore.core.events import RuleFaulted
from riskcore.core.quantities import fraction
from riskcore.core.rebuild import fold
from riskcore.core.rules import by_name
from riskcore.core.state import Book
from tests.core.ledger import Ledger, clock, usd
from tests.core.rules.quiet_walk import is_quiet, moves, walk

BREAKEVEN = {"mode": "breakeven", "arm_profit": usd("200")}
GIVE_BACK = {"mode": "give_back", "arm_profit": usd("300")}


def open_mnq(rule: dict[str, object], size: int = 2) -> Ledger:
    return Ledger(max_unrealized_profit=rule).fill("MNQ", size, "21000")


def test_rule_005_example_1_es_twenty_points() -> None:
    day = Ledger(max_unrealized_profit={}).fill("ES", 1, "6000").mark("ES", "6019.75")
    assert day.breaches == []
    day.mark("ES", "6020")
    assert day.breaches[0].figures == {"unrealized": "1000.00", "profit_target": "1000"}
    assert day.breaches[0].contract == day.contract("ES")
    assert day.kinds == ["ClosePosition"]


def test_rule_005_example_1_mnq_two_contracts() -> None:
    day = open_mnq({}).mark("MNQ", "21249.75")
    assert day.breaches == []
    day.mark("MNQ", "21250")
    assert day.breaches[0].figures["unrealized"] == "1000.00"


def test_rule_005_example_2_breakeven_fires_only_once_armed() -> None:
    day = open_mnq(BREAKEVEN).mark("MNQ", "21050").mark("MNQ", "21000.25")
    assert day.breaches == []
    day.mark("MNQ", "21000")
    assert day.breaches[0].figures == {"unrealized": "0", "floor": "0", "peak": "200.00"}
    assert day.kinds == ["ClosePosition"]
    never = open_mnq(BREAKEVEN).mark("MNQ", "21049.75").mark("MNQ", "21000").mark("MNQ", "20000")
    assert never.breaches == []


def test_rule_005_example_3_give_back_half_of_the_peak() -> None:
    day = open_mnq(GIVE_BACK, 3).mark("MNQ", "21050").mark("MNQ", "21025.25")
    assert day.breaches == []
    day.mark("MNQ", "21025")
    assert day.breaches[0].figures == {"unrealized": "150.00", "floor": "150.00", "peak": "300.00"}


@pytest.mark.parametrize(("last", "breaches"), [("20750.25", 0), ("20750", 1), ("20749.75", 1)])
def test_rule_005_short_below_at_above_the_target(last: str, breaches: int) -> None:
    assert len(open_mnq({}, -2).mark("MNQ", last).breaches) == breaches


@pytest.mark.parametrize(("armed_at", "breaches"), [("20950.25", 0), ("20950", 1), ("20949.75", 1)])
def test_rule_005_short_arms_at_arm_profit(armed_at: str, breaches: int) -> None:
    assert len(open_mnq(BREAKEVEN, -2).mark("MNQ", armed_at).mark("MNQ", "21000").breaches) == breaches


@pytest.mark.parametrize(("last", "breaches"), [("21005.25", 0), ("21005", 1), ("21004.75", 1)])
def test_rule_005_breakeven_keeps_the_floor_offset(last: str, breaches: int) -> None:
    day = open_mnq({**BREAKEVEN, "floor_offset": usd("20")}).mark("MNQ", "21060").mark("MNQ", last)
    assert len(day.breaches) == breaches


def test_rule_005_the_peak_rises_with_the_market() -> None:
    day = open_mnq(GIVE_BACK, 3).mark("MNQ", "21050").mark("MNQ", "21100").mark("MNQ", "21050.25")
    assert day.breaches == []
    day.mark("MNQ", "21050")
    assert day.breaches[0].figures == {"unrealized": "300.00", "floor": "300.00", "peak": "600.00"}


def test_rule_005_a_fraction_of_one_gives_all_of_it_back() -> None:
    rule = {**GIVE_BACK, "give_back_fraction": 1_000_000}
    day = open_mnq(rule, 3).mark("MNQ", "21050").mark("MNQ", "21000.25")
    assert day.breaches == []
    assert day.mark("MNQ", "21000").breaches[0].figures["floor"] == "0"


def test_rule_005_a_new_position_has_a_new_peak() -> None:
    day = open_mnq(BREAKEVEN).mark("MNQ", "21060").fill("MNQ", -2, "21060", profit="240")
    day.fill("MNQ", 2, "21060").mark("MNQ", "21060").mark("MNQ", "21000")
    assert day.breaches == []


def test_rule_005_adding_keeps_the_peak_in_dollars() -> None:
    day = open_mnq(GIVE_BACK, 3).mark("MNQ", "21050").fill("MNQ", 3, "21050").mark("MNQ", "21037.75")
    assert day.breaches == []
    day.mark("MNQ", "21037.25")
    assert day.breaches[0].figures == {"unrealized": "147.00", "floor": "150.00", "peak": "300.00"}


def test_rule_005_one_breach_per_position_life() -> None:
    day = open_mnq({}).mark("MNQ", "21250").mark("MNQ", "21000").mark("MNQ", "21300")
    assert day.kinds == ["ClosePosition"]
    day.fill("MNQ", -2, "21300", profit="1200").fill("MNQ", 2, "21300").mark("MNQ", "21550")
    assert len(day.breaches) == 2


def test_rule_005_positions_are_judged_by_themselves() -> None:
    day = Ledger(max_unrealized_profit={}).fill("MNQ", 2, "21000").fill("ES", 1, "6000")
    day.mark("MNQ", "21200").mark("ES", "6010")
    assert day.breaches == []


def test_rule_005_total_flattens_at_the_sum() -> None:
    day = Ledger(max_unrealized_profit={"scope": "total"}).fill("MNQ", 2, "21000").fill("ES", 1, "6000")
    day.mark("MNQ", "21200").mark("ES", "6003.75")
    assert day.breaches == []
    day.mark("ES", "6004")
    assert day.breaches[0].figures == {"unrealized": "1000.00", "profit_target": "1000"}
    assert day.breaches[0].contract is None
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


def test_rule_005_total_peak_ends_when_the_account_is_flat() -> None:
    day = Ledger(max_unrealized_profit={**BREAKEVEN, "scope": "total"}).fill("MNQ", 2, "21000")
    day.fill("ES", 1, "6000").mark("MNQ", "21060").mark("ES", "6001").fill("MNQ", -2, "21060", profit="240")
    assert day.breaches == []
    day.fill("ES", -1, "6001", profit="50").fill("ES", 1, "6000").mark("ES", "5990")
    assert day.breaches == []


def test_rule_005_total_peak_stays_while_anything_is_open() -> None:
    day = Ledger(max_unrealized_profit={**BREAKEVEN, "scope": "total"}).fill("MNQ", 2, "21000")
    day.fill("ES", 1, "6000").mark("MNQ", "21060").mark("ES", "6001").fill("MNQ", -2, "21060", profit="240")
    assert day.mark("ES", "6000").breaches[0].figures == {"unrealized": "0", "floor": "0", "peak": "290.00"}


def test_rule_005_total_give_back() -> None:
    day = Ledger(max_unrealized_profit={**GIVE_BACK, "scope": "total"}).fill("MNQ", 1, "21000").fill("ES", -1, "6000")
    day.mark("MNQ", "21100").mark("ES", "5998")
    assert day.breaches == []
    day.mark("MNQ", "21025.25")
    assert day.breaches == []
    assert day.mark("MNQ", "21025").breaches[0].figures == {"unrealized": "150.00", "floor": "150.00", "peak": "300.00"}


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_005_lockout_until_reset(scope: str) -> None:
    day = open_mnq({"lockout": "until_reset", "scope": scope}).mark("MNQ", "21250")
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.scope, lockout.kind, clock(lockout.expires_at or 0)) == ("account", "until_reset", "17:00:00")
    assert day.kinds[0] == "SetLockout"


def test_rule_005_a_stale_mark_never_triggers_a_total() -> None:
    day = Ledger(max_unrealized_profit={"scope": "total"}).fill("MNQ", 2, "21000").fill("ES", 1, "6000")
    day.at("09:00:00").mark("MNQ", "21200").at("09:00:10.001").mark("ES", "6010")
    assert day.breaches == []
    day.mark("MNQ", "21200")
    assert len(day.breaches) == 1
    fresh = Ledger(max_unrealized_profit={"scope": "total"}).fill("MNQ", 2, "21000").fill("ES", 1, "6000")
    fresh.at("09:00:00").mark("MNQ", "21200").at("09:00:10").mark("ES", "6010")
    assert len(fresh.breaches) == 1


def test_rule_005_a_stale_peak_is_not_remembered() -> None:
    day = Ledger(max_unrealized_profit={**BREAKEVEN, "scope": "total"}).fill("MNQ", 1, "21000").fill("ES", 1, "6000")
    day.at("09:00:00").mark("MNQ", "21100").mark("ES", "5990").at("09:00:11").mark("ES", "6000").mark("MNQ", "21000")
    assert day.breaches == []


def test_rule_005_a_total_without_all_marks_never_triggers() -> None:
    day = Ledger(max_unrealized_profit={"scope": "total"}).fill("MNQ", 2, "21000").push("ES", 1)
    assert day.mark("MNQ", "21300").breaches == []


@pytest.mark.parametrize("mode", ["profit_target", "breakeven", "give_back"])
def test_rule_005_a_position_without_a_mark_is_passed_over(mode: str) -> None:
    rule = {"mode": mode, "arm_profit": usd("300"), "profit_target": usd("300"), "give_back_fraction": fraction("1")}
    day = Ledger(max_unrealized_profit=rule).push("ES", 1).fill("MNQ", 2, "21000").mark("MNQ", "21075")
    if mode != "profit_target":
        day.mark("MNQ", "21000")
    assert [breach.contract for breach in day.breaches] == [day.contract("MNQ")]
    assert day.bodies(RuleFaulted) == []


@pytest.mark.parametrize("mode", ["breakeven", "give_back"])
def test_rule_005_arm_profit_is_required(mode: str) -> None:
    with pytest.raises(ValueError, match=f"arm_profit is required for mode {mode}"):
        by_name("max_unrealized_profit").build({"mode": mode})


def test_rule_005_quiet_between_the_mark_and_the_target() -> None:
    day = open_mnq({}).mark("MNQ", "21100")
    assert is_quiet(day, "MNQ", "21249")
    assert is_quiet(day, "MNQ", "15000")
    assert not is_quiet(day, "MNQ", "21250")


def test_rule_005_quiet_between_the_floor_and_the_peak() -> None:
    day = open_mnq(GIVE_BACK, 3).mark("MNQ", "21100").mark("MNQ", "21080")
    assert is_quiet(day, "MNQ", "21051")
    assert is_quiet(day, "MNQ", "21099")
    assert not is_quiet(day, "MNQ", "21050")
    assert not is_quiet(day, "MNQ", "21100.25")


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_005_a_rebuild_remembers_the_same_peak_when_one_bar_breaches_and_then_rises(scope: str) -> None:
    day = Ledger(max_unrealized_profit={**GIVE_BACK, "scope": scope}).at("09:00:00").fill("MNQ", 3, "21000")
    day.mark("MNQ", "21100").bar("MNQ", "09:01", ("21100", "21300", "21010", "21200"))
    assert day.breaches[0].flags == ("from_bars",)
    rebuilt = Book()
    for event in day.events:
        fold(rebuilt, day.rulebook, event)
    assert rebuilt.accounts == day.book.accounts


RULES = [
    {},
    {"scope": "total"},
    BREAKEVEN,
    {**BREAKEVEN, "floor_offset": usd("50"), "scope": "total"},
    GIVE_BACK,
    {**GIVE_BACK, "scope": "total", "give_back_fraction": 333_333},
]


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=15, deadline=None)
@given(steps=moves("MNQ", "ES"))
def test_rule_005_quotes_within_the_bounds_change_nothing(
    rule: dict[str, object], steps: list[tuple[str, str, int]]
) -> None:
    day = Ledger(max_unrealized_profit=rule).fill("MNQ", 3, "21000").fill("ES", -1, "6000")
    walk(day.mark("MNQ", "21000").mark("ES", "6000"), steps)


@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_005_a_position_that_fills_have_closed_gives_nothing_back(scope: str) -> None:
    """The flat push comes after the closing fill: in between there is no open profit, and none was lost."""
    day = Ledger(max_unrealized_profit={**GIVE_BACK, "scope": scope})
    day.fill("MNQ", 3, "21000").push("MNQ", 3, "21000").mark("MNQ", "21060")
    day.fill("MNQ", -3, "21060", profit="360").mark("MNQ", "21000").push("MNQ", 0)
    assert day.breaches == []


@pytest.mark.parametrize("mode", [GIVE_BACK, BREAKEVEN])
@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_005_the_other_side_of_a_flip_has_nothing_to_give_back(scope: str, mode: dict[str, object]) -> None:
    """Both halves are told before the push that shows the flip: what they opened is a new position, with no peak."""
    day = Ledger(max_unrealized_profit={**mode, "scope": scope})
    day.fill("MNQ", 3, "21000").push("MNQ", 3, "21000").mark("MNQ", "21060")
    day.fill("MNQ", -3, "21060", profit="360").fill("MNQ", -3, "21060").mark("MNQ", "21061")
    day.push("MNQ", -3, "21060").mark("MNQ", "21062")
    assert day.breaches == []
    day.mark("MNQ", "21010").mark("MNQ", "21060")
    assert len(day.breaches) == 1


@pytest.mark.parametrize("mode", [BREAKEVEN, GIVE_BACK])
@pytest.mark.parametrize("scope", ["per_position", "total"])
def test_rule_005_a_push_ahead_of_a_flip_hands_no_peak_on(scope: str, mode: dict[str, object]) -> None:
    """The profit of the old side, which no fill has closed yet, is no peak of the new one."""
    day = open_mnq({**mode, "scope": scope}).push("MNQ", 2, "21000").mark("MNQ", "21150")
    day.push("MNQ", -1, "21150").fill("MNQ", -2, "21150", profit="600").fill("MNQ", -1, "21150")
    assert day.mark("MNQ", "21160").breaches == []
    assert len(day.mark("MNQ", "20990").mark("MNQ", "21150").breaches) == 1
