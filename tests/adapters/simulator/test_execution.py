"""How market orders fill: slowly, in parts, told in any order, twice at a venue that takes a second close."""

from collections import Counter
from itertools import pairwise, permutations
from typing import Any

import pytest

from adapters.simulator.chance import Chance
from adapters.simulator.execution import PUSHES, Execution, execution_of
from adapters.simulator.scenario import Action, Habit
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError
from tests.adapters.simulator.broker_desk import ACCOUNT, BUY, MNQ, SELL, STOP, Desk, kinds, rows, scenario

CLOSE, PARTIAL = "Position/closeContract", "Position/partialCloseContract"
SLOW = Execution(pending_seconds=(6, 6))
REVERSING = Execution(pending_seconds=(6, 6), accepts_second_close=True)


def holding(execution: Execution, size: int = 6, side: int = BUY, seed: int = 1) -> Desk:
    """A desk that holds so much, bought at once, where from now on orders fill as `execution` says."""
    desk = Desk(scenario(), seed=seed)
    desk.place(size=size, side=side)
    desk.wait(1)
    desk.broker.execute(execution)
    return desk


def exits(desk: Desk, count: int = 1) -> list[dict[str, Any]]:
    """The exit orders as Order/searchById shows them now."""
    return [desk.order(order.id) for order in desk.broker.orders if order.closes][-count:]


# ---- slow fills ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "size"), [(CLOSE, 6), (PARTIAL, 4)])
def test_a_slow_close_is_pushed_as_pending_and_then_nothing_is_said_until_it_fills(path: str, size: int) -> None:
    desk = holding(SLOW)
    assert desk.own(path, contractId=MNQ, size=size)["success"]
    told = desk.wait(5.9)
    assert kinds(told) == [6]
    assert (rows(told, "Order")[0]["type"], rows(told, "Order")[0]["size"]) == (2, size)
    assert (desk.held, exits(desk)[0]["status"]) == (6, 6)
    assert {2, "Position", "Trade"} <= set(kinds(desk.wait(0.3)))
    assert desk.held == 6 - size


def test_a_pending_close_is_listed_by_the_query_and_cannot_be_cancelled() -> None:
    desk = holding(SLOW)
    desk.own(CLOSE, contractId=MNQ)
    query = {"filter": {"accountId": ACCOUNT, "statuses": [1, 6, 7, 8]}, "includeTotalCount": True}
    (listed,) = desk.call("Order/v2/query", query)["orders"]
    assert listed["status"] == 6
    assert desk.own("Order/searchOpen")["orders"] == []
    assert desk.own("Order/cancel", orderId=listed["id"])["errorCode"] == 4


def test_other_market_orders_are_slow_only_when_every_one_is() -> None:
    desk = holding(SLOW, size=1)
    desk.place()
    assert desk.held == 2
    desk.broker.execute(Execution(pending_seconds=(6, 6), every_market_order=True))
    desk.place(customTag="slow")
    assert desk.held == 2
    desk.wait(6.1)
    assert desk.held == 3


def test_how_long_an_order_rests_is_drawn_between_the_least_and_the_most() -> None:
    drawn = [Execution(pending_seconds=(0, 10)).pending_ns(Chance(seed)) for seed in range(200)]
    assert 0 <= min(drawn) < SECOND_NS
    assert 9 * SECOND_NS < max(drawn) <= 10 * SECOND_NS


def test_the_default_fills_at_once() -> None:
    desk = holding(Execution())
    desk.own(CLOSE, contractId=MNQ)
    assert desk.held == 0


# ---- parts and pushes ----------------------------------------------------------------------------------


def test_six_contracts_fill_as_one_two_and_three() -> None:
    desk = holding(Execution(parts=(1, 2, 3), between_parts_seconds=2))
    desk.own(CLOSE, contractId=MNQ)
    held = []
    for _ in range(3):
        held.append((desk.held, exits(desk)[0]["status"]))
        desk.wait(2.1)
    assert held == [(5, 1), (3, 1), (0, 2)]
    assert [fill.size for fill in desk.broker.fills if fill.order.closes] == [1, 2, 3]


@pytest.mark.parametrize(("size", "parts"), [(4, [1, 2, 1]), (8, [1, 2, 3, 2]), (10, [1, 2, 3, 3, 1])])
def test_the_last_part_is_repeated_until_nothing_is_left(size: int, parts: list[int]) -> None:
    desk = holding(Execution(parts=(1, 2, 3), between_parts_seconds=1), size=size)
    desk.own(CLOSE, contractId=MNQ)
    desk.wait(8)
    assert [fill.size for fill in desk.broker.fills if fill.order.closes] == parts


def test_what_is_left_of_a_cancelled_order_does_not_fill() -> None:
    desk = holding(Execution(parts=(1, 2, 3), between_parts_seconds=2))
    desk.own(CLOSE, contractId=MNQ)
    desk.wait(2.1)
    assert desk.own("Order/cancel", orderId=exits(desk)[0]["id"])["success"]
    desk.wait(5)
    assert desk.held == 3


@pytest.mark.parametrize("order", list(permutations(PUSHES)))
def test_one_fill_is_told_in_the_order_that_is_set(order: tuple[str, ...]) -> None:
    desk = holding(Execution(pushes=order))
    desk.wait(1)
    desk.own(CLOSE, contractId=MNQ)
    told = [one for one in kinds(desk.wait(1)) if one not in (6, "Account")]
    names = {2: "order", "Trade": "trade", "Position": "position"}
    assert [names[one] for one in dict.fromkeys(told)] == list(order)


def test_shuffled_pushes_come_in_every_order_and_late_ones_later() -> None:
    drawn = Counter(Execution(shuffles_pushes=True).push_order(PUSHES, Chance(seed)) for seed in range(200))
    assert len(drawn) == 6
    desk = holding(Execution(push_gap_seconds=1))
    desk.own(CLOSE, contractId=MNQ)
    told = [at for at, _, _, line in desk.wait(5) if line["target"] != "GatewayUserAccount"]
    assert told[-1] - told[0] > 1.4 * SECOND_NS


def test_the_volume_of_an_order_push_lags_until_its_last_part() -> None:
    desk = holding(Execution(parts=(1, 2, 3), between_parts_seconds=1, fill_volume_lags=True))
    desk.own(CLOSE, contractId=MNQ)
    told = [(row["status"], row["fillVolume"]) for row in rows(desk.wait(5), "Order")]
    assert told == [(6, 0), (1, 0), (1, 1), (2, 6)]


# ---- a second close ------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [BUY, SELL])
def test_two_closes_reverse_the_position_where_the_venue_takes_both(side: int) -> None:
    desk = holding(REVERSING, side=side)
    assert desk.own(CLOSE, contractId=MNQ)["success"]
    desk.wait(3)
    assert desk.own(CLOSE, contractId=MNQ)["success"]
    desk.wait(10)
    assert desk.held == (-6 if side == BUY else 6)
    assert rows(desk.lines, "Position")[-1]["type"] == (2 if side == BUY else 1)


def test_two_partial_closes_take_twice_the_size() -> None:
    desk = holding(REVERSING)
    for _ in range(2):
        assert desk.own(PARTIAL, contractId=MNQ, size=4)["success"]
    desk.wait(10)
    assert desk.held == -2


def test_a_second_close_is_as_large_as_what_is_open_when_it_is_taken() -> None:
    desk = holding(Execution(parts=(2,), between_parts_seconds=2, accepts_second_close=True))
    desk.own(CLOSE, contractId=MNQ)
    assert desk.held == 4
    desk.own(CLOSE, contractId=MNQ)
    assert [one["size"] for one in exits(desk, 2)] == [6, 4]
    desk.wait(10)
    assert desk.held == -4


def test_a_venue_that_refuses_a_second_close_does_so_while_the_first_is_pending() -> None:
    desk = holding(SLOW)
    desk.own(CLOSE, contractId=MNQ)
    assert desk.own(CLOSE, contractId=MNQ)["errorCode"] == 6
    desk.wait(7)
    assert desk.held == 0


def test_a_close_whose_size_is_not_fixed_fits_what_is_open_when_it_fills() -> None:
    execution = Execution(pending_seconds=(6, 6), accepts_second_close=True, size_fixed_at_acceptance=False)
    desk = holding(execution)
    for _ in range(2):
        desk.own(CLOSE, contractId=MNQ)
    desk.place(side=SELL, size=2)
    desk.wait(10)
    assert desk.held == 0
    assert [(one["size"], one["status"]) for one in exits(desk, 2)] == [(4, 2), (6, 3)]


def test_a_stop_that_fills_first_lets_a_close_of_fixed_size_open_the_other_side() -> None:
    desk = holding(SLOW)
    desk.place(STOP, side=SELL, size=6, stopPrice=20_999)
    desk.own(CLOSE, contractId=MNQ)
    desk.broker.steer(MNQ, 20_990 * 10**9, SECOND_NS, desk.at)
    desk.wait(3)
    assert desk.held == 0
    desk.wait(5)
    assert desk.held == -6


# ---- settings and the copier ---------------------------------------------------------------------------


def test_settings_are_read_from_json() -> None:
    assert execution_of({}) == Execution()
    assert execution_of({"pending_seconds": "6", "parts": ["1", "2"], "fill_volume_lags": True}) == Execution(
        pending_seconds=(6, 6), parts=(1, 2), fill_volume_lags=True
    )
    assert execution_of({"pending_seconds": ["0", "2.5"], "pushes": ["trade", "position", "order"]}) == Execution(
        pending_seconds=(0, 2.5), pushes=("trade", "position", "order")
    )


@pytest.mark.parametrize(
    "written",
    [
        {"speed": "1"},
        {"pending_seconds": "-1"},
        {"pending_seconds": ["3", "2"]},
        {"pending_seconds": ["1", "2", "3"]},
        {"pending_seconds": "nan"},
        {"parts": ["0"]},
        {"parts": "x"},
        {"pushes": ["order", "trade"]},
        {"between_parts_seconds": "-0.1"},
        {"accepts_second_close": "yes"},
    ],
)
def test_wrong_settings_are_refused(written: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        execution_of(written)


def test_a_copier_buys_each_second_whatever_is_held() -> None:
    desk = Desk(
        scenario(
            actions=(Action(2, "market", side=-1, size=2),),
            habits=(Habit("copy", count=5, after_seconds=1, from_second=3),),
        )
    )
    desk.wait(20)
    bought = [order.created_at for order in desk.broker.orders if order.side > 0]
    assert len(bought) == 5
    assert all(abs(after - before - SECOND_NS) < SECOND_NS // 100 for before, after in pairwise(bought))
    assert desk.held == 3
