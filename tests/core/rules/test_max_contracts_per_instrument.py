"""RULE-002 MaxContractsPerInstrument, to the boundary of RULES.md 5."""

import pytest

from riskcore.core.rules import by_name
from tests.core.ledger import Ledger, clock
from tests.core.rules.test_max_contracts import cancelled, cuts

LIMITS = {"MNQ": 2, "ES": 1}


def test_rule_002_example_1_reduces_by_the_excess_and_allows_the_limit() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("MNQ", 2, "21000")
    assert day.breaches == []
    day.fill("MNQ", 1, "21000")
    assert day.breaches[0].rule == "RULE-002"
    assert day.breaches[0].figures == {"count": "3", "limit": "2"}
    assert day.breaches[0].contract == day.contract("MNQ")
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)]


def test_rule_002_example_2_block_closes_an_unlisted_root() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS, "unknown_symbol_action": "block"})
    day.fill("RTY", 1, "2400")
    assert cuts(day) == [("ClosePosition", "RTY", None, None)]


def test_rule_002_example_2_allow_with_limit() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS, "unknown_symbol_action": "allow_with_limit:1"})
    day.fill("RTY", 1, "2400")
    assert day.breaches == []
    day.fill("RTY", 1, "2400")
    assert cuts(day) == [("ReducePosition", "RTY", 1, 1)]


def test_rule_002_example_3_all_expiries_count_and_the_newest_is_cut() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("CON.F.US.MNQ.Z26", 1, "21000")
    day.fill("CON.F.US.MNQ.H27", 2, "21200")
    [issued] = day.commands
    assert (issued.command.contract, issued.command.to, issued.command.size) == ("CON.F.US.MNQ.H27", 1, 1)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("size", "breaches"), [(1, 0), (2, 0), (3, 1)])
def test_rule_002_below_at_above_on_both_sides(side: int, size: int, breaches: int) -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("MNQ", side * size, "21000")
    assert len(day.breaches) == breaches


def test_rule_002_expiries_on_opposite_sides_count_by_size() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("CON.F.US.MNQ.Z26", 2, "21000")
    day.fill("CON.F.US.MNQ.H27", -1, "21200")
    assert day.breaches[0].figures["count"] == "3"
    assert [issued.command.contract for issued in day.commands] == ["CON.F.US.MNQ.H27"]


def test_rule_002_limit_zero_closes_every_expiry() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": {"MNQ": 0}}).fill("CON.F.US.MNQ.Z26", 2, "21000")
    assert cuts(day) == [("ClosePosition", "MNQ", None, None)]


def test_rule_002_roots_match_whole() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": {"ES": 1}}).fill("MES", 20, "6000")
    assert day.breaches == []


def test_rule_002_unlisted_roots_are_allowed_by_default_and_capped_by_default_limit() -> None:
    assert Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("RTY", 50, "2400").breaches == []
    day = Ledger(max_contracts_per_instrument={"default_limit": 1, "unknown_symbol_action": "block"})
    day.fill("RTY", 1, "2400")
    assert day.breaches == []
    day.fill("RTY", 1, "2400")
    assert cuts(day) == [("ReducePosition", "RTY", 1, 1)]
    blocked = Ledger(max_contracts_per_instrument={"default_limit": 0}).fill("RTY", 1, "2400")
    assert cuts(blocked) == [("ClosePosition", "RTY", None, None)]


def test_rule_002_close_all_closes_that_root_only() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS, "enforcement": "close_all"}).fill("ES", 1, "6000")
    day.fill("CON.F.US.MNQ.Z26", 2, "21000").fill("CON.F.US.MNQ.H27", 1, "21200")
    assert [(issued.command.kind, issued.command.contract) for issued in day.commands] == [
        ("ClosePosition", "CON.F.US.MNQ.Z26"),
        ("ClosePosition", "CON.F.US.MNQ.H27"),
    ]


def test_rule_002_each_root_has_its_own_episode() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS}).fill("MNQ", 3, "21000").fill("ES", 2, "6000")
    day.fill("MNQ", 1, "21000")
    assert [breach.target for breach in day.breaches] == ["MNQ", "ES"]
    day.fill("MNQ", -4, "21000", profit="0").fill("MNQ", 3, "21000")
    assert [breach.target for breach in day.breaches] == ["MNQ", "ES", "MNQ"]


def test_rule_002_a_cut_of_one_root_does_not_hold_back_another() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": {"MNQ": 2, "ES": 1}}).fill("ES", 2, "6000")
    day.fill("CON.F.US.MNQ.Z26", 3, "21000").fill("CON.F.US.MNQ.H27", 1, "21200")
    day.fill("CON.F.US.MNQ.Z26", -1, "21000", profit="0")
    assert [(issued.command.contract, issued.command.kind) for issued in day.commands] == [
        ("CON.F.US.EP.Z26", "ReducePosition"),
        ("CON.F.US.MNQ.Z26", "ReducePosition"),
        ("CON.F.US.MNQ.H27", "ClosePosition"),
    ]


@pytest.mark.parametrize(
    ("settings", "ends"),
    [({"lockout": "cooldown"}, "09:01:00"), ({"lockout": "until_reset"}, "17:00:00")],
)
def test_rule_002_lockout_is_of_the_root(settings: dict[str, str], ends: str) -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS, **settings}).at("09:00:00").fill("MNQ", 3, "21000")
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.scope, clock(lockout.expires_at or 0)) == ("symbol:MNQ", ends)


def test_rule_002_working_orders_of_the_root_count_per_side() -> None:
    day = Ledger(max_contracts_per_instrument={"limits": LIMITS, "include_working_orders": True})
    day.fill("MNQ", 1, "21000").order(4, "MNQ", 1).order(5, "MNQ", -2).order(6, "ES", 1)
    assert day.breaches == []
    day.order(7, "MNQ", 1)
    assert day.breaches[0].figures == {"count": "3", "limit": "2"}
    assert cancelled(day) == [7]


def test_rule_002_an_order_in_a_blocked_root_is_cancelled() -> None:
    day = Ledger(max_contracts_per_instrument={"unknown_symbol_action": "block", "include_working_orders": True})
    day.order(4, "RTY", 1)
    assert cancelled(day) == [4]
    assert day.breaches[0].contract == day.contract("RTY")


@pytest.mark.parametrize("action", ["allow_with_limit:0", "allow_with_limit:10000"])
def test_rule_002_allow_with_limit_takes_0_to_10000(action: str) -> None:
    by_name("max_contracts_per_instrument").build({"unknown_symbol_action": action})


@pytest.mark.parametrize(
    "action", ["allow_with_limit:10001", "allow_with_limit:-1", "allow_with_limit:", "allow_with_limit", "open"]
)
def test_rule_002_other_actions_are_refused(action: str) -> None:
    with pytest.raises(ValueError, match="allow_with_limit"):
        by_name("max_contracts_per_instrument").build({"unknown_symbol_action": action})
