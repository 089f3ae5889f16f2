"""RULE-001 MaxContracts, to the boundary of RULES.md 5."""

import pytest

from riskcore.core import events as e
from tests.core.ledger import ACCOUNT, Ledger, clock


def cuts(day: Ledger) -> list[tuple[str, str, int | None, int | None]]:
    """Closes and reductions issued: kind, root code, size allowed, excess."""
    return [
        (issued.command.kind, issued.command.contract.split(".")[3], issued.command.to, issued.command.size)
        for issued in day.commands
        if issued.command.kind in ("ClosePosition", "ReducePosition")
    ]


def cancelled(day: Ledger) -> list[int | None]:
    return [issued.command.order_id for issued in day.commands if issued.command.kind == "CancelOrder"]


def listed(day: Ledger, **sizes: int) -> Ledger:
    """A complete list of the account's positions, all known at one instant."""
    rows = tuple(e.PositionObserved(ACCOUNT, day.contract(root), size) for root, size in sizes.items())
    return day.take(e.PositionsListed(ACCOUNT, rows))


def test_rule_001_example_1_equal_is_allowed_and_one_more_is_reduced_by_one() -> None:
    day = Ledger(max_contracts={"limit": 5}).fill("MNQ", 3, "21000").fill("ES", 2, "6000")
    assert day.breaches == []
    day.fill("MNQ", 1, "21000")
    assert day.breaches[0].rule == "RULE-001"
    assert day.breaches[0].figures == {"count": "6", "limit": "5"}
    assert cuts(day) == [("ReducePosition", "MNQ", 3, 1)]


def test_rule_001_example_2_gross_counts_both_sides() -> None:
    day = Ledger(max_contracts={"limit": 5}).fill("ES", 3, "6000").fill("NQ", -4, "21000")
    assert day.breaches[0].figures["count"] == "7"
    assert cuts(day) == [("ReducePosition", "ENQ", 2, 2)]


def test_rule_001_example_2_net_offsets_the_sides() -> None:
    day = Ledger(max_contracts={"limit": 5, "count_type": "net"}).fill("ES", 3, "6000").fill("NQ", -4, "21000")
    assert day.breaches == []


def test_rule_001_example_3_minis_and_micros_count_together() -> None:
    day = Ledger(max_contracts={"limit": 5, "weighting": "mini_equivalent"})
    day.fill("ES", 3, "6000").fill("MES", 20, "6000")
    assert day.breaches == []
    day.fill("MES", 1, "6000")
    assert day.breaches[0].figures == {"count": "51", "limit": "50"}
    assert cuts(day) == [("ReducePosition", "MES", 20, 1)]


def test_rule_001_example_3_a_jump_is_one_command() -> None:
    day = Ledger(max_contracts={"limit": 5}).fill("MNQ", 4, "21000").fill("MNQ", 5, "21000")
    assert cuts(day) == [("ReducePosition", "MNQ", 5, 4)]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("size", "breaches"), [(1, 0), (2, 0), (3, 1)])
def test_rule_001_limit_of_two_below_at_above_both_sides(side: int, size: int, breaches: int) -> None:
    day = Ledger(max_contracts={"limit": 2}).fill("MNQ", side * size, "21000")
    assert len(day.breaches) == breaches
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)] * breaches


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("cover", "breaches"), [(0, 0), (1, 1)])
def test_rule_001_net_cuts_the_heavier_side_only(side: int, cover: int, breaches: int) -> None:
    day = Ledger(max_contracts={"limit": 3, "count_type": "net"})
    day.fill("NQ", -side * 3, "21000").fill("ES", side * 3, "6000").fill("ES", side * 3, "6000")
    assert day.breaches == []
    if cover:
        day.fill("NQ", side, "21000", profit="0")
    assert cuts(day) == [("ReducePosition", "EP", 5, 1)] * breaches


def test_rule_001_sil_counts_two_and_an_unknown_product_counts_as_a_mini() -> None:
    day = Ledger(max_contracts={"limit": 1, "weighting": "mini_equivalent"}).fill("SIL", 5, "30")
    assert day.breaches == []
    day.fill("SIL", 1, "30")
    assert day.breaches[0].figures == {"count": "12", "limit": "10"}
    other = Ledger(max_contracts={"limit": 1, "weighting": "mini_equivalent"}).fill("CON.F.US.XYZ.Z26", 2, "30")
    assert other.breaches[0].figures == {"count": "20", "limit": "10"}


def test_rule_001_whole_contracts_are_cut_rounded_up() -> None:
    day = Ledger(max_contracts={"limit": 5, "weighting": "mini_equivalent"}).fill("MES", 1, "6000")
    day.fill("ES", 5, "6000")
    assert day.breaches[0].figures["count"] == "51"
    assert cuts(day) == [("ReducePosition", "EP", 4, 1)]


def test_rule_001_newest_first_then_the_next_most_recently_increased() -> None:
    day = listed(Ledger(max_contracts={"limit": 2}), MES=1, ES=3, MNQ=1)
    assert cuts(day) == [("ClosePosition", "MNQ", None, None), ("ReducePosition", "EP", 1, 2)]


def test_rule_001_increasing_an_older_contract_makes_it_the_newest() -> None:
    day = Ledger(max_contracts={"limit": 4}).fill("ES", 2, "6000").fill("MNQ", 2, "21000").fill("ES", 1, "6000")
    assert cuts(day) == [("ReducePosition", "EP", 2, 1)]


def test_rule_001_close_all_flattens() -> None:
    day = Ledger(max_contracts={"limit": 1, "action": "close_all"}).fill("ES", 1, "6000").fill("MNQ", 1, "21000")
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]
    day.order(5, "MNQ", 1)
    assert day.kinds == ["CancelOrders", "CloseAllPositions"]


@pytest.mark.parametrize(
    ("settings", "kind", "ends"),
    [
        ({"lockout": "cooldown", "cooldown_seconds": 90}, "cooldown", "09:01:30"),
        ({"lockout": "until_reset"}, "until_reset", "17:00:00"),
    ],
)
def test_rule_001_lockout_of_the_account(settings: dict[str, object], kind: str, ends: str) -> None:
    day = Ledger(max_contracts={"limit": 1, **settings}).at("09:00:00").fill("MNQ", 2, "21000")
    assert day.kinds == ["SetLockout", "ReducePosition"]
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.scope, lockout.kind, clock(lockout.expires_at or 0)) == ("account", kind, ends)


def test_rule_001_no_lockout_by_default() -> None:
    day = Ledger(max_contracts={"limit": 1}).fill("MNQ", 2, "21000")
    assert day.account_state.lockouts == {}


def test_rule_001_one_episode_until_the_count_is_at_the_limit_again() -> None:
    day = Ledger(max_contracts={"limit": 2}).fill("MNQ", 3, "21000").fill("MNQ", 1, "21000")
    assert len(day.breaches) == 1
    assert len(day.kinds) == 1
    day.fill("MNQ", -2, "21000", profit="0")
    assert len(day.breaches) == 1
    day.fill("MNQ", 1, "21000")
    assert [breach.figures["count"] for breach in day.breaches] == ["3", "3"]
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)] * 2


def test_rule_001_another_contract_that_grew_meanwhile_is_cut_when_the_first_cut_is_met() -> None:
    day = Ledger(max_contracts={"limit": 2}).fill("MNQ", 3, "21000").fill("ES", 1, "6000")
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)]
    day.mark("ES", "6000").fill("MNQ", -1, "21000", profit="0")
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1), ("ClosePosition", "EP", None, None)]
    assert len(day.breaches) == 1


def test_rule_001_working_orders_do_not_count_by_default() -> None:
    day = Ledger(max_contracts={"limit": 2}).fill("MNQ", 2, "21000").order(5, "MNQ", 3)
    assert day.breaches == []


@pytest.mark.parametrize("side", [1, -1])
def test_rule_001_working_orders_count_and_the_newest_entry_is_cancelled(side: int) -> None:
    day = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).fill("MNQ", 3 * side, "21000")
    day.order(4, "MNQ", side).order(5, "ES", side)
    assert day.breaches == []
    day.order(6, "MNQ", side)
    assert day.breaches[0].figures == {"count": "6", "limit": "5"}
    assert cancelled(day) == [6]
    assert cuts(day) == []


def test_rule_001_as_many_orders_are_cancelled_as_make_the_excess() -> None:
    day = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).order(4, "MNQ", 3).order(5, "MNQ", 2)
    day.order(6, "ES", 1)
    assert cancelled(day) == [6]
    bigger = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).order(4, "MNQ", 2).order(5, "MNQ", 3)
    bigger.fill("MNQ", 2, "21000")
    assert bigger.breaches[0].figures["count"] == "7"
    assert cancelled(bigger) == [5]


def test_rule_001_sides_of_working_orders_do_not_add_up() -> None:
    day = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).fill("MNQ", 3, "21000")
    day.order(4, "MNQ", 2).order(5, "MNQ", -5)
    assert day.breaches == []
    day.order(6, "ES", -1)
    assert day.breaches[0].figures["count"] == "6"
    assert cancelled(day) == [6]


def test_rule_001_filled_part_of_an_order_counts_once() -> None:
    day = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).order(4, "MNQ", 5)
    day.fill("MNQ", 2, "21000", order=4).order(4, "MNQ", 5, filled=2)
    assert day.breaches == []
    day.order(5, "MNQ", 1)
    assert day.breaches[0].figures["count"] == "6"
    later = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).order(4, "MNQ", 5)
    later.order(4, "MNQ", 5, filled=2).fill("MNQ", 2, "21000", order=4)
    assert later.breaches == []


def test_rule_001_protective_bracket_legs_are_left_out() -> None:
    day = Ledger(max_contracts={"limit": 2, "include_working_orders": True}).order(4, "MNQ", 2)
    day.order(5, "MNQ", -2, type=4, status=8, parent=4).order(6, "MNQ", -2, status=8, parent=4, linked=5)
    assert day.breaches == []


def test_rule_001_positions_over_the_limit_are_cut_and_entries_on_top_cancelled() -> None:
    day = Ledger(max_contracts={"limit": 2, "include_working_orders": True}).order(4, "MNQ", 1)
    day.fill("MNQ", 3, "21000")
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)]
    assert cancelled(day) == [4]


def test_rule_001_orders_alone_never_close_a_position_even_with_close_all() -> None:
    settings = {"limit": 2, "include_working_orders": True, "action": "close_all"}
    day = Ledger(max_contracts=settings).fill("MNQ", 2, "21000").order(4, "MNQ", 1)
    assert day.kinds == ["CancelOrder"]


def test_rule_001_counting_orders_never_loosens_the_count_of_positions() -> None:
    day = Ledger(max_contracts={"limit": 5, "include_working_orders": True}).fill("ES", 3, "6000")
    day.fill("NQ", -4, "21000")
    assert day.breaches[0].figures["count"] == "7"
    assert cuts(day) == [("ReducePosition", "ENQ", 2, 2)]


def test_rule_001_net_with_working_orders_looks_at_both_outcomes() -> None:
    settings = {"limit": 3, "count_type": "net", "include_working_orders": True}
    day = Ledger(max_contracts=settings).fill("NQ", -4, "21000").order(4, "ES", 5)
    assert [breach.figures["count"] for breach in day.breaches] == ["4"]
    calm = Ledger(max_contracts=settings).fill("NQ", -2, "21000").fill("ES", 2, "6000").order(4, "ES", 3)
    assert calm.breaches == []
    calm.order(5, "ES", 1)
    assert calm.breaches[0].figures["count"] == "4"
    assert cancelled(calm) == [5]


def test_rule_001_exit_orders_over_the_limit_are_said_and_left_alone() -> None:
    day = Ledger(max_contracts={"limit": 3, "include_working_orders": True}).fill("MNQ", 3, "21000")
    day.order(4, "MNQ", -3, type=4, stop="20900").order(5, "MNQ", -3, limit="21100")
    assert day.breaches[0].figures["count"] == "6"
    assert day.kinds == []
    assert len(day.alerts) == 1


def test_rule_001_every_new_order_over_the_limit_is_cancelled_within_one_episode() -> None:
    day = Ledger(max_contracts={"limit": 1, "include_working_orders": True}).fill("MNQ", 1, "21000")
    day.order(4, "MNQ", 1).order(5, "MNQ", 1)
    assert cancelled(day) == [4, 5]
    assert len(day.breaches) == 1


def test_rule_001_an_order_that_fills_before_its_cancel_leads_to_a_cut() -> None:
    day = Ledger(max_contracts={"limit": 1, "include_working_orders": True}).fill("MNQ", 1, "21000")
    day.order(4, "MNQ", 1).order(4, "MNQ", 1, status=2, filled=1).fill("MNQ", 1, "21000", order=4)
    assert [breach.figures["count"] for breach in day.breaches] == ["2", "2"]
    assert cuts(day) == [("ReducePosition", "MNQ", 1, 1)]


def test_rule_001_judges_the_first_complete_list_of_positions() -> None:
    day = listed(Ledger(max_contracts={"limit": 2}), MNQ=3)
    assert cuts(day) == [("ReducePosition", "MNQ", 2, 1)]


@pytest.mark.parametrize("side", [1, -1])
def test_rule_001_an_execution_counts_once_whichever_of_its_events_comes_first(side: int) -> None:
    settings = {"limit": 2, "include_working_orders": True}
    pushed = Ledger(max_contracts=settings).push("MNQ", 0).order(4, "MNQ", 2 * side, status=6)
    pushed.push("MNQ", 2 * side, "21000").fill("MNQ", 2 * side, "21000", order=4)
    assert pushed.breaches == []
    filled = Ledger(max_contracts=settings).order(4, "MNQ", 2 * side, status=6)
    filled.fill("MNQ", 2 * side, "21000", order=4).push("MNQ", 2 * side, "21000")
    assert filled.breaches == []
    filled.order(5, "MNQ", side)
    assert filled.breaches[0].figures == {"count": "3", "limit": "2"}
    assert cancelled(filled) == [5]
