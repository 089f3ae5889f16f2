"""closeContract and partialCloseContract of the simulated broker (API.md 2.5, 5), and what was received of them."""

import pytest

from adapters.simulator.scenario import AccountPlan, PricePath
from tests.adapters.simulator.broker_desk import ACCOUNT, MNQ, SELL, Desk, plain, rows, scenario

CLOSE, PARTIAL = "Position/closeContract", "Position/partialCloseContract"
SLOW = PricePath("MNQ", "21000", noise_ticks=0, quotes_per_second=1)


@pytest.mark.parametrize("side", [0, SELL])
def test_a_close_is_a_market_order_without_a_tag(side: int) -> None:
    desk = Desk()
    desk.place(side=side, size=3, customTag="entry")
    desk.wait(1)
    answer = desk.own(CLOSE, contractId=MNQ)
    assert answer == {"success": True, "errorCode": 0, "errorMessage": None}
    heard = desk.wait(1)
    closing = rows(heard, "Order")[-1]
    assert (closing["type"], closing["size"], closing["status"], closing["side"]) == (2, 3, 2, 1 - side)
    assert "customTag" not in closing
    flat = rows(heard, "Position")[-1]
    assert (flat["action"], flat["type"], flat["size"]) == (2, 0, 0)
    assert flat["averagePrice"] > 0
    assert desk.broker.flat()
    assert desk.own("Position/searchOpen")["positions"] == []


def test_a_partial_close_keeps_the_rest() -> None:
    desk = Desk()
    desk.place(size=3)
    assert desk.own(PARTIAL, contractId=MNQ, size=2)["success"]
    assert desk.held == 1
    (shown,) = desk.own("Position/searchOpen")["positions"]
    assert (shown["type"], shown["size"], shown["contractDisplayName"]) == (1, 1, "MNQZ26")


@pytest.mark.parametrize(("path", "code"), [(CLOSE, 8), (PARTIAL, 9)])
def test_codes_of_closing(path: str, code: int) -> None:
    desk = Desk(scenario(accounts=(AccountPlan(), AccountPlan(99_000_009, simulated=False))))
    for account, contract, expected in (
        (5, MNQ, 1),
        (ACCOUNT, MNQ, 2),
        (ACCOUNT, "CON.F.US.XXX.Z26", 3),
        (ACCOUNT, "CON.F.US.MNQ.U26", 4),
        (99_000_009, MNQ, code),
    ):
        assert desk.call(path, {"accountId": account, "contractId": contract, "size": 1})["errorCode"] == expected
    assert len(desk.broker.received) == 5
    assert not any(call.performed or call.order_ids for call in desk.broker.received)


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_size_that_is_not_held_is_refused(size: int) -> None:
    desk = Desk()
    desk.place(size=3)
    assert desk.own(PARTIAL, contractId=MNQ, size=size)["errorCode"] == 5
    assert desk.held == 3


def test_a_second_close_never_turns_the_position_round() -> None:
    desk = Desk(scenario(SLOW, largest_fill=2))
    desk.place(size=4)
    desk.wait(3)
    assert desk.own(CLOSE, contractId=MNQ)["success"]
    assert desk.held == 2
    assert desk.own(CLOSE, contractId=MNQ)["errorCode"] == 6
    assert desk.own(PARTIAL, contractId=MNQ, size=1)["errorCode"] == 7
    desk.wait(3)
    assert desk.held == 0
    assert [call.performed for call in desk.broker.received] == [True, True, False, False]


def test_outside_hours_a_close_is_rejected() -> None:
    friday = 1_795_208_940 * 10**9  # 2026-11-20 15:09 in Chicago, a minute before orders are refused.
    desk = Desk(scenario(hours=True), at=friday)
    desk.place()
    desk.wait(120)
    assert desk.own(CLOSE, contractId=MNQ)["errorCode"] == 5
    answer = desk.own(PARTIAL, contractId=MNQ, size=1)
    assert (answer["errorCode"], answer["errorMessage"]) == (6, None)
    assert desk.held == 1
    assert [order.status for order in desk.broker.orders] == [2, 5, 5]


def test_the_oldest_lot_is_closed_first() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", ((1, "21000"), (3, "21010")), noise_ticks=0)))
    first = desk.order(desk.place()["orderId"])
    desk.wait(3)
    second = desk.order(desk.place()["orderId"])
    desk.own(PARTIAL, contractId=MNQ, size=1)
    fill = desk.broker.fills[-1]
    bought = plain(first)["filledPrice"]
    assert fill.profit_usd == round((fill.price / 10**9 - bought) * 2 * 10**6)
    (shown,) = desk.own("Position/searchOpen")["positions"]
    assert plain(shown)["averagePrice"] == plain(second)["filledPrice"]


def test_what_was_received_names_request_and_orders() -> None:
    desk = Desk()
    entry = desk.place(customTag="mine")["orderId"]
    desk.own(CLOSE, contractId=MNQ)
    placed, closed = desk.broker.received
    assert (placed.path, placed.order_ids, placed.performed) == ("Order/place", (entry,), True)
    assert placed.request["customTag"] == "mine"
    assert closed.order_ids == (desk.broker.orders[-1].id,)
    desk.own("Position/searchOpen")
    assert len(desk.broker.received) == 2
