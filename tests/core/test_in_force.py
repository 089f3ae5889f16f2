"""Obligations: what a command puts in force, when it is met, what it covers (RULES.md 1.6, 3.3, 3.4)."""

from typing import Any

import pytest

from riskcore.core.events import Command, CommandIssued, RuleBreached
from riskcore.core.in_force import (
    FLAT_CHECKS_NS,
    covers_order,
    effect_seen,
    end_obligation,
    is_met,
    next_flat_check,
    note_flat_checks,
    put_in_force,
    remember_guard_close,
    third_guard_close,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Obligation, Order, Position, Request

ES, NQ = "CON.F.US.EP.Z26", "CON.F.US.ENQ.Z26"
STOP = 4


def order(order_id: int, side: int = 1, contract: str = ES, **more: Any) -> Order:
    values = {"status": 1, "type": 1, "size": 1, "fill_volume": 0, "stop_price": None, **more}
    return Order(
        id=order_id, contract=contract, side=side, limit_price=None, parent_id=None, linked_id=None, tag=None,
        updated_at=None, recorded_at=0, **values,
    )  # fmt: skip


def account(size: int = 0, *orders: Order, nq: int = 0) -> Account:
    made = Account(1)
    made.positions = {ES: Position(ES, pushed=size), NQ: Position(NQ, pushed=nq)}
    made.orders = {one.id: one for one in orders}
    return made


def issue(on: Account, kind: str, name: str = "c1", at: int = 0, **fields: Any) -> Obligation | None:
    put_in_force(on, CommandIssued(name, 1, "R", "r.0", "b1", Command(kind, **fields)), at)
    return on.obligations.get(name)


@pytest.mark.parametrize("kind", ["Alert", "SetLockout", "ClearLockout"])
def test_commands_that_act_by_being_recorded_put_nothing_in_force(kind: str) -> None:
    assert issue(account(1), kind) is None


@pytest.mark.parametrize(
    ("scope", "contract", "bound"),
    [("entry", None, (1, 3)), ("entry", ES, (1,)), ("all", None, (1, 2, 3)), ("all", ES, (1, 2)), ("all", NQ, (3,))],
)
def test_a_cancel_is_bound_to_the_orders_that_work_now(
    scope: str, contract: str | None, bound: tuple[int, ...]
) -> None:
    on = account(1, order(1), order(2, -1, type=STOP), order(3, 1, NQ), order(4, status=3))
    obligation = issue(on, "CancelOrders", scope=scope, contract=contract)
    assert obligation is not None
    assert obligation.order_ids == bound


@pytest.mark.parametrize(
    ("kind", "fields", "size", "nq", "met"),
    [
        ("CloseAllPositions", {}, 0, 0, True),
        ("CloseAllPositions", {}, 0, 1, False),
        ("ClosePosition", {"contract": ES}, 0, 1, True),
        ("ClosePosition", {"contract": ES}, -1, 0, False),
        ("ReducePosition", {"contract": ES, "to": 2}, 3, 0, False),
        ("ReducePosition", {"contract": ES, "to": 2}, 2, 0, True),
        ("ReducePosition", {"contract": ES, "to": 2}, -2, 0, True),
        ("ReducePosition", {"contract": ES, "to": 2}, 1, 0, True),
        ("ClosePosition", {"contract": "CON.F.US.XX.Z26"}, 1, 0, True),
        ("PlaceStop", {"contract": ES, "size": 1}, 0, 0, True),
        ("PlaceStop", {"contract": ES, "size": 1}, 1, 0, False),
    ],
)
def test_when_an_obligation_is_met(kind: str, fields: dict[str, Any], size: int, nq: int, met: bool) -> None:
    on = account(size, nq=nq)
    obligation = issue(on, kind, **fields)
    assert obligation is not None
    assert is_met(on, obligation) is met


@pytest.mark.parametrize(
    ("stop", "wanted", "stands"),
    [
        ({"stop_price": 5}, {"price": 5, "size": 1}, True),
        ({"stop_price": 6}, {"price": 5, "size": 1}, False),
        ({"stop_price": 5, "size": 2}, {"price": 5, "size": 1}, False),
        ({"stop_price": 5, "size": 2, "fill_volume": 1}, {"price": 5, "size": 1}, True),
        ({"stop_price": 6}, {"price": None, "size": 1}, True),
        ({"stop_price": 5, "size": 7}, {"price": 5, "size": None}, True),
        ({"stop_price": 5, "contract": NQ}, {"price": 5, "size": 1}, False),
        ({"stop_price": 5, "type": 1}, {"price": 5, "size": 1}, False),
        ({"stop_price": 5, "status": 3}, {"price": 5, "size": 1}, False),
        ({"stop_price": 5}, {"price": 5, "size": 1, "order_id": 8}, True),
        ({"stop_price": 5}, {"price": 5, "size": 1, "order_id": 9}, False),
    ],
)
def test_a_wanted_stop_stands(stop: dict[str, Any], wanted: dict[str, Any], stands: bool) -> None:
    on = account(1, order(8, -1, **{"type": STOP, **stop}))
    kind = "ModifyStop" if "order_id" in wanted else "PlaceStop"
    obligation = issue(on, kind, contract=ES, side=-1, **wanted)
    assert obligation is not None
    assert is_met(on, obligation) is stands
    request = Request("q", "gone", "x", ES, wanted.get("order_id"), wanted["size"] or 0, -1, wanted["price"], 1, "", 0)
    assert effect_seen(on, request) is stands


def test_a_newer_wanted_stop_replaces_the_older_of_its_contract() -> None:
    on = account(1)
    issue(on, "PlaceStop", "c1", contract=ES, price=5)
    issue(on, "PlaceStop", "c2", contract=NQ, price=5)
    issue(on, "ModifyStop", "c3", contract=ES, price=6, order_id=8)
    issue(on, "ClosePosition", "c4", contract=ES)
    assert list(on.obligations) == ["c2", "c3", "c4"]
    assert on.obligations["c3"].order_ids == (8,)


def test_flat_is_checked_two_and_ten_seconds_after() -> None:
    on = account(0, order(1))
    obligation = issue(on, "ConfirmFlat", at=100, scope="all")
    assert obligation is not None
    assert FLAT_CHECKS_NS == (2 * SECOND_NS, 10 * SECOND_NS)
    assert next_flat_check(obligation) == 100 + 2 * SECOND_NS
    note_flat_checks(on, 99 + 2 * SECOND_NS)
    assert obligation.checks_done == 0
    note_flat_checks(on, 100 + 2 * SECOND_NS)
    assert next_flat_check(obligation) == 100 + 10 * SECOND_NS
    note_flat_checks(on, 100 + 10 * SECOND_NS)
    assert next_flat_check(obligation) is None
    assert not is_met(on, obligation), "an order is left"
    on.orders[1] = order(1, status=3)
    assert is_met(on, obligation)
    obligation.checks_done = 1
    assert not is_met(on, obligation)


def test_only_a_close_is_checked() -> None:
    obligation = issue(account(1), "ClosePosition", contract=ES)
    assert obligation is not None
    assert next_flat_check(obligation) is None


@pytest.mark.parametrize(
    ("positions", "orders", "fills", "seen"), [(5, 5, 5, True), (4, 5, 5, False), (5, 4, 5, False), (5, 5, 4, False)]
)
def test_a_snapshot_is_all_three_lists(positions: int, orders: int, fills: int, seen: bool) -> None:
    on = account()
    on.reconciled_at, on.orders_listed_at, on.seeded_at = positions, orders, fills
    assert effect_seen(on, Request("q", "o", "takeSnapshot", None, None, 0, 0, None, 1, "accepted", 5)) is seen


def test_a_part_is_closed_when_its_obligation_is_met_or_gone() -> None:
    on = account(3)
    issue(on, "ReducePosition", "c1", contract=ES, to=2)
    request = Request("q", "c1", "partialCloseContract", ES, None, 1, 0, None, 1, "accepted", 5)
    assert not effect_seen(on, request)
    on.positions[ES].pushed = 2
    assert effect_seen(on, request)
    end_obligation(on, "c1")
    on.positions[ES].pushed = 9
    assert effect_seen(on, request)


def test_the_alerts_of_an_obligation_end_with_it() -> None:
    on = account(1)
    issue(on, "ClosePosition", "c1", contract=ES)
    for about in ("planner.0|c1/closeContract", "planner.0|c11/closeContract", "r.0|c1/closeContract"):
        on.episodes[about] = on.counters[about] = 1
    end_obligation(on, "c1")
    assert list(on.episodes) == list(on.counters) == ["planner.0|c11/closeContract", "r.0|c1/closeContract"]


@pytest.mark.parametrize(
    ("kind", "fields", "covered"),
    [
        ("CloseAllPositions", {}, True),
        ("ClosePosition", {"contract": ES}, True),
        ("ClosePosition", {"contract": NQ}, False),
        ("CancelOrder", {"order_id": 1, "contract": ES}, True),
        ("CancelOrder", {"order_id": 2, "contract": ES}, False),
        ("ReducePosition", {"contract": ES, "to": 1}, False),
    ],
)
def test_entry_orders_that_are_taken_care_of(kind: str, fields: dict[str, Any], covered: bool) -> None:
    on = account(1, order(1))
    issue(on, kind, **fields)
    assert covers_order(on, on.orders[1], 0) is covered
    assert covers_order(on, order(9, -1), 0), "an order that only reduces needs no care"


@pytest.mark.parametrize(("third_at", "alerts"), [(60 * SECOND_NS, True), (60 * SECOND_NS + 1, False)])
def test_the_third_guard_close_within_a_minute(third_at: int, alerts: bool) -> None:
    on = account()
    assert not third_guard_close(on, ES, 0)
    for at in (0, 5):
        remember_guard_close(on, RuleBreached("b", 1, "GUARD", "guard.0", ES, ES, {}), at)
    assert third_guard_close(on, ES, third_at) is alerts
    assert not third_guard_close(on, NQ, 5)


def test_an_answered_order_is_no_close() -> None:
    on = account()
    remember_guard_close(on, RuleBreached("b", 1, "GUARD", "guard.0", "order:7", ES, {}), 5)
    assert (on.guarded, on.memory) == ({7: 5}, {})
