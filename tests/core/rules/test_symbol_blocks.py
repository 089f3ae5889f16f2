"""RULE-011 SymbolBlocks, to the boundary of RULES.md 5."""

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import price
from riskcore.core.rules import by_name
from tests.core.ledger import ACCOUNT, Ledger


def blocking(*roots: str, **settings: object) -> Ledger:
    return Ledger(symbol_blocks={"blocked_symbols": list(roots), **settings})


def lockouts(day: Ledger) -> list[tuple[str, str, int | None]]:
    return [(lockout.scope, lockout.kind, lockout.expires_at) for lockout in day.account_state.lockouts.values()]


def targets(day: Ledger) -> list[tuple[str, str]]:
    return [(breach.rule, breach.target) for breach in day.breaches]


def test_rule_011_example_1_a_working_order_is_cancelled() -> None:
    day = blocking("RTY").order(7, "RTY", 1, limit="2000")
    assert day.kinds == ["SetLockout", "CancelOrder"]
    assert day.commands[1].command.order_id == 7
    assert lockouts(day) == [("symbol:RTY", "symbol_permanent", None)]
    assert day.breaches[0].figures == {"symbol": "RTY"}


def test_rule_011_example_2_every_expiry_is_closed_under_one_lockout() -> None:
    march, june = "CON.F.US.RTY.H27", "CON.F.US.RTY.M27"
    day = blocking("RTY").fill(march, 1, "2000").fill(june, -1, "2000")
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition", "CancelOrders", "ClosePosition"]
    assert targets(day) == [("RULE-011", march), ("RULE-011", june)]
    assert lockouts(day) == [("symbol:RTY", "symbol_permanent", None)]


def test_rule_011_example_3_a_mini_does_not_block_its_micro() -> None:
    assert blocking("ES").order(7, "MES", 1, limit="5900").fill("MES", 1, "5900").breaches == []
    with_micros = blocking("ES", include_micros=True).order(7, "MES", 1, limit="5900")
    assert with_micros.kinds == ["SetLockout", "CancelOrder"]
    assert lockouts(with_micros) == [("symbol:MES", "symbol_permanent", None)]


def test_rule_011_example_3_a_broker_code_is_its_root() -> None:
    day = blocking("ES").fill("CON.F.US.EP.Z26", 1, "5900")
    assert lockouts(day) == [("symbol:ES", "symbol_permanent", None)]


def test_a_micro_does_not_block_its_mini() -> None:
    assert blocking("MES", include_micros=True).fill("ES", 1, "5900").breaches == []


def test_names_are_read_in_any_case() -> None:
    assert len(blocking("rty").fill("RTY", 1, "2000").breaches) == 1


@pytest.mark.parametrize(("root", "breaches"), [("ES", 0), ("MNQ", 0), ("MES", 1), ("RTY", 1)])
def test_with_allowed_symbols_everything_else_is_blocked(root: str, breaches: int) -> None:
    day = Ledger(symbol_blocks={"allowed_symbols": ["ES", "mnq"]}).fill(root, 1, "2000")
    assert len(day.breaches) == breaches


def test_a_symbol_both_allowed_and_blocked_is_blocked() -> None:
    day = Ledger(symbol_blocks={"allowed_symbols": ["ES"], "blocked_symbols": ["ES"]}).fill("ES", 1, "5900")
    assert len(day.breaches) == 1


def test_an_empty_list_blocks_nothing() -> None:
    assert Ledger(symbol_blocks={}).fill("RTY", 1, "2000").breaches == []


def test_every_attempt_is_acted_on_and_only_by_the_rule() -> None:
    day = blocking("RTY").fill("RTY", 1, "2000").fill("RTY", -1, "2000", profit="0").fill("RTY", 1, "2000")
    assert targets(day) == [("RULE-011", day.contract("RTY"))] * 2
    day.order(7, "RTY", 2, limit="1990").order(7, "RTY", 2, status=3).order(8, "RTY", 2, limit="1990")
    assert targets(day)[2:] == [("RULE-011", "order:7"), ("RULE-011", "order:8")]


def test_nothing_is_remembered_of_orders_that_are_gone() -> None:
    day = blocking("RTY").order(7, "RTY", 2, limit="1990")
    assert list(day.account_state.episodes) == ["symbol_blocks.0|order:7"]
    assert day.order(7, "RTY", 2, status=3).account_state.episodes == {}


def test_orders_can_be_left_alone() -> None:
    day = blocking("RTY", cancel_orders=False).order(7, "RTY", 1, limit="2000")
    assert day.breaches == []
    assert day.fill("RTY", 1, "2000").kinds == ["SetLockout", "ClosePosition"]


def test_the_stop_of_a_position_is_left_alone() -> None:
    day = blocking("RTY").fill("RTY", 1, "2000").order(7, "RTY", -1, type=4, stop="1990")
    assert targets(day) == [("RULE-011", day.contract("RTY"))]


def test_the_other_leg_of_a_bracket_is_no_attempt() -> None:
    day = blocking("RTY").order(6, "RTY", 1, type=2).fill("RTY", 1, "2000", order=6)
    day.order(7, "RTY", -1, type=4, stop="1990", parent=6).order(8, "RTY", -1, limit="2010", parent=6)
    day.at("08:00:10").fill("RTY", -1, "1990", profit="-5", order=7).order(8, "RTY", -1, status=3, parent=6)
    assert targets(day) == [("RULE-011", "order:6"), ("RULE-011", day.contract("RTY"))]


# ---- what is there already ---------------------------------------------------------------------------


def found_by_snapshot(**settings: object) -> Ledger:
    day = blocking("RTY", **settings)
    contract = day.contract("RTY")
    row = e.PositionObserved(ACCOUNT, contract, 2, price("2000"))
    return day.take(e.PositionsListed(ACCOUNT, (row,)), "positions")


def test_an_existing_position_is_closed() -> None:
    assert found_by_snapshot().kinds == ["SetLockout", "CancelOrders", "ClosePosition"]


def test_an_existing_position_may_be_kept_and_reduced_but_not_increased() -> None:
    day = found_by_snapshot(close_existing=False)
    assert day.kinds == ["SetLockout", "CancelOrders"]
    day.push("RTY", 1)
    assert day.kinds == ["SetLockout", "CancelOrders"]
    day.push("RTY", 2)
    assert day.kinds[-1] == "ReducePosition"
    assert day.commands[-1].command.to == 1
    assert targets(day)[-1] == ("GUARD", day.contract("RTY"))


def test_keeping_what_exists_does_not_mean_that_a_new_position_may_be_opened() -> None:
    day = blocking("RTY", close_existing=False).fill("RTY", 1, "2000")
    assert day.kinds == ["SetLockout", "CancelOrders", "ClosePosition"]


# ---- settings ----------------------------------------------------------------------------------------


def test_the_reset_ends_nothing() -> None:
    day = blocking("RTY").order(7, "RTY", 1).order(7, "RTY", 1, status=3).tick("17:30:00")
    assert lockouts(day) == [("symbol:RTY", "symbol_permanent", None)]


def test_two_lists_end_only_their_own_lockouts() -> None:
    day = Ledger(symbol_blocks=[{"blocked_symbols": ["RTY"]}, {"blocked_symbols": ["ES"]}])
    day.order(7, "RTY", 1).order(8, "ES", 1).order(8, "ES", 1, status=3)
    assert [scope for scope, _, _ in lockouts(day)] == ["symbol:RTY", "symbol:ES"]
    assert "ClearLockout" not in day.kinds


def test_a_root_that_leaves_the_list_ends_its_lockout() -> None:
    day = blocking("RTY", "ES").order(7, "RTY", 1).order(8, "ES", 1)
    day.rulebook.rules["symbol_blocks"][0]["blocked_symbols"] = ["ES"]
    day.rulebook._instances.clear()
    day.tick("09:00:00").order(9, "MNQ", 1)
    assert [scope for scope, _, _ in lockouts(day)] == ["symbol:ES"]


def test_positions_are_judged_where_orders_are_not_seen() -> None:
    rule = by_name("symbol_blocks")
    assert rule.needs(rule.build({})) == ("positions",)
