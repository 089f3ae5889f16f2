"""Order/place, modify and cancel of the simulated broker: every refusal, every type, every leg (API.md 2.3, 2.5)."""

from typing import Any

import pytest

from adapters.simulator.scenario import AccountPlan, PricePath
from tests.adapters.simulator.broker_desk import (
    ACCOUNT,
    JOIN_ASK,
    JOIN_BID,
    LIMIT,
    MARKET,
    MNQ,
    SELL,
    STOP,
    STOP_LIMIT,
    TRAILING,
    Desk,
    plain,
    rows,
    scenario,
)

OFF_TO = (PricePath("MNQ", "21000", ((2, "21000"), (6, "21010"), (12, "20990")), noise_ticks=0),)


def legs(stop: int | None = None, target: int | None = None, stop_type: int = 4) -> dict[str, Any]:
    return {
        "stopLossBracket": None if stop is None else {"ticks": stop, "type": stop_type},
        "takeProfitBracket": None if target is None else {"ticks": target, "type": 1},
    }


REJECTIONS = [
    ({"type": STOP, "stopPrice": 20999}, "Invalid stop price"),
    ({"type": STOP, "stopPrice": 21000}, "Invalid stop price"),
    ({"type": STOP, "stopPrice": 21010.1}, "Invalid stop price"),
    ({"type": STOP, "side": SELL, "stopPrice": 21010}, "Invalid stop price"),
    ({"type": STOP}, "Invalid stop price"),
    ({"type": STOP_LIMIT, "limitPrice": 21020}, "Invalid stop price"),
    ({"type": LIMIT}, "Invalid limit price"),
    ({"type": LIMIT, "limitPrice": 20999.9}, "Invalid limit price"),
    ({"type": TRAILING}, "Trail Distance not set."),
    ({"type": TRAILING, "trailPrice": 20990.1}, "Invalid trail price. Price is not aligned to tick size."),
    ({"type": TRAILING, "trailPrice": 20749.75}, "Trail Distance exceeds maximum (1000)"),
    (legs(stop=40), "Invalid stop loss ticks (40). Ticks should be less than zero when longing."),
    (legs(stop=-1), "Invalid stop loss ticks (-1). Price should be at least 4 ticks away."),
    (legs(target=3), "Invalid take profit ticks (3). Price should be at least 4 ticks away."),
    (
        {"side": SELL, **legs(stop=-40)},
        "Invalid stop loss ticks (-40). Ticks should be greater than zero when shorting.",
    ),
    (
        {"side": SELL, **legs(target=10)},
        "Invalid take profit ticks (10). Ticks should be less than zero when going short",
    ),
    (legs(target=-10), "Invalid take profit ticks (-10). Ticks should be greater than zero when going long"),
]


@pytest.mark.parametrize(("fields", "message"), REJECTIONS, ids=[message for _, message in REJECTIONS])
def test_a_rejection_says_why_and_leaves_a_rejected_order(fields: dict[str, Any], message: str) -> None:
    desk = Desk()
    answer = desk.place(**{"kind": fields.pop("type", MARKET), **fields})
    assert (answer["success"], answer["errorCode"], answer["errorMessage"]) == (False, 2, message)
    assert desk.order(answer["orderId"])["status"] == 5
    assert desk.held == 0


REFUSALS = [
    ({"accountId": 5}, 1, None),
    ({"contractId": "F.US.MNQ"}, 2, "Invalid symbol"),
    ({"contractId": "CON.F.US.XXX.Z26"}, 8, None),
    ({"contractId": "CON.F.US.MNQ.U26"}, 9, None),
    ({"kind": 9}, 2, "Invalid order type"),
    ({"size": 0}, 2, "Invalid order size"),
    ({"accountId": 99_000_009}, 10, "Live accounts not supported"),
]


@pytest.mark.parametrize(("fields", "code", "message"), REFUSALS)
def test_a_refusal_makes_no_order(fields: dict[str, Any], code: int, message: str | None) -> None:
    desk = Desk(scenario(accounts=(AccountPlan(), AccountPlan(99_000_009, "LIVE", simulated=False))))
    answer = desk.place(**fields)
    assert (answer["orderId"], answer["success"]) == (None, False)
    assert (answer["errorCode"], answer["errorMessage"]) == (code, message)
    assert desk.broker.orders == []


def test_a_trail_needs_a_last_price() -> None:
    desk = Desk()
    answer = desk.place(TRAILING, contractId="CON.F.US.MES.Z26", trailPrice=6010)
    assert answer["errorMessage"] == "Cannot trail without a last price"


def test_position_brackets_refuse_bracket_objects() -> None:
    desk = Desk(scenario(accounts=(AccountPlan(auto_oco=False),)))
    answer = desk.place(**legs(stop=-40))
    assert answer["errorMessage"].startswith("Brackets cannot be used with Position Brackets.")
    assert answer["orderId"] is not None
    assert desk.place(**legs())["success"]


def test_without_trading_rights_and_outside_hours_orders_are_rejected() -> None:
    assert Desk(scenario(accounts=(AccountPlan(can_trade=False),))).place()["errorCode"] == 4
    weekend = Desk(scenario(hours=True))
    answer = weekend.place()
    assert answer["errorCode"] == 5
    assert weekend.order(answer["orderId"])["status"] == 5


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"accountId": ACCOUNT}, {"accountId": "x", "contractId": MNQ, "type": 2, "side": 0, "size": 1}],
)
def test_a_malformed_body_is_a_bad_request(body: Any) -> None:
    desk = Desk()
    status, answer = desk.send("Order/place", body)
    assert (status, answer["status"]) == (400, 400)
    assert desk.broker.received[-1].error_code is None


def test_each_type_rests_where_it_should_and_fills() -> None:
    desk = Desk(scenario(*OFF_TO))
    placed = {
        LIMIT: desk.place(LIMIT, limitPrice=20992),
        STOP: desk.place(STOP, stopPrice=21005),
        STOP_LIMIT: desk.place(STOP_LIMIT, stopPrice=21006, limitPrice=21020),
        JOIN_BID: desk.place(JOIN_BID),
        JOIN_ASK: desk.place(JOIN_ASK, SELL),
    }
    assert all(answer["success"] for answer in placed.values())
    desk.wait(14)
    found = {kind: desk.order(answer["orderId"]) for kind, answer in placed.items()}
    assert {kind: order["status"] for kind, order in found.items()} == dict.fromkeys(placed, 2)
    assert found[STOP]["type"] == MARKET  # A stop that triggers turns into a market order and loses its price.
    assert found[STOP]["stopPrice"] is None
    assert found[STOP_LIMIT]["type"] == LIMIT
    assert plain(found[LIMIT])["filledPrice"] == 20992


def test_a_limit_beyond_the_market_fills_at_the_markets_price() -> None:
    desk = Desk()
    order = desk.order(desk.place(LIMIT, limitPrice=21100)["orderId"])
    assert plain(order)["filledPrice"] in (21000.0, 21000.25)


def test_a_trailing_stop_takes_an_absolute_price_and_reads_back_a_distance() -> None:
    desk = Desk(scenario(*OFF_TO))
    desk.place()
    trail = desk.place(TRAILING, SELL, trailPrice=20995)["orderId"]
    shown = plain(desk.order(trail))
    assert (shown["trailPrice"], shown["trailDistance"], shown["stopPrice"]) == (5, 20, 20995)
    desk.wait(5.1)
    assert plain(desk.order(trail))["stopPrice"] > 21004
    desk.wait(8)
    assert desk.order(trail)["status"] == 2
    assert desk.held == 0


def test_a_bracket_is_born_in_one_instant_and_one_leg_cancels_the_other() -> None:
    desk = Desk(scenario(*OFF_TO))
    entry = desk.place(size=2, customTag="t", **legs(stop=-16, target=24))["orderId"]
    family = [row for row in rows(desk.wait(0.5), "Order") if row["id"] == entry or row.get("parentOrderId") == entry]
    assert len({row["creationTimestamp"] for row in family}) == 1
    assert [row["customTag"] for row in family[:3]] == ["t-SL", "t", "t-TP"]
    stop, _, target = family[:3]
    assert target["linkedOrderId"] == stop["id"]
    assert "linkedOrderId" not in stop
    desk.wait(8)
    assert (desk.order(target["id"])["status"], desk.order(stop["id"])["status"]) == (2, 3)
    assert desk.held == 0


def test_a_trailing_bracket_leg_follows_the_market() -> None:
    desk = Desk(scenario(*OFF_TO))
    desk.place(**legs(stop=-16, stop_type=5))
    desk.wait(5.1)
    (stop,) = desk.own("Order/searchOpen")["orders"]
    assert plain(stop)["stopPrice"] > 21004
    assert stop["trailDistance"] == 16


def test_cancelling_the_entry_takes_its_suspended_legs_along() -> None:
    desk = Desk()
    entry = desk.place(LIMIT, limitPrice=20900, **legs(stop=-16, target=24))["orderId"]
    assert desk.own("Order/cancel", orderId=entry)["success"]
    assert {order.status for order in desk.broker.orders} == {3}
    assert desk.broker.flat()


def test_a_suspended_leg_can_be_cancelled_but_not_modified() -> None:
    desk = Desk()
    entry = desk.place(LIMIT, limitPrice=20900, **legs(stop=-16))["orderId"]
    leg = next(order.id for order in desk.broker.orders if order.id != entry)
    assert desk.own("Order/modify", orderId=leg, size=2)["errorCode"] == 4
    assert desk.own("Order/cancel", orderId=leg)["success"]


def test_one_leg_is_modified_and_the_other_stays() -> None:
    desk = Desk()
    desk.place(size=2, **legs(stop=-40, target=60))
    desk.wait(1)
    before = {order["type"]: plain(order) for order in desk.own("Order/searchOpen")["orders"]}
    asked = {"orderId": before[STOP]["id"], "size": 1, "stopPrice": 20995, "limitPrice": None, "trailPrice": None}
    assert desk.own("Order/modify", **asked)["success"]
    after = {order["type"]: plain(order) for order in desk.own("Order/searchOpen")["orders"]}
    assert (after[STOP]["stopPrice"], after[STOP]["size"]) == (20995, 1)
    assert after[LIMIT] == before[LIMIT]
    assert [row["stopPrice"] for row in rows(desk.wait(1), "Order")] == [20995]


def test_modify_keeps_what_is_null_and_does_not_bound_a_trail() -> None:
    desk = Desk()
    limit = desk.place(LIMIT, limitPrice=20990)["orderId"]
    assert desk.own("Order/modify", orderId=limit, size=3, limitPrice=None)["success"]
    assert plain(desk.order(limit))["limitPrice"] == 20990
    trail = desk.place(TRAILING, SELL, trailPrice=20990)["orderId"]
    assert desk.own("Order/modify", orderId=trail, trailPrice=20000)["success"]
    assert desk.order(trail)["trailDistance"] == 4000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, "Invalid order size"),
        ({"limitPrice": 20990.1}, "Invalid limit price"),
    ],
)
def test_a_senseless_change_is_rejected(fields: dict[str, Any], message: str) -> None:
    desk = Desk()
    order = desk.place(LIMIT, limitPrice=20990)["orderId"]
    answer = desk.own("Order/modify", orderId=order, **fields)
    assert (answer["errorCode"], answer["errorMessage"]) == (3, message)


def test_a_stop_is_not_moved_through_the_market() -> None:
    desk = Desk()
    order = desk.place(STOP, SELL, stopPrice=20990)["orderId"]
    assert desk.own("Order/modify", orderId=order, stopPrice=21001)["errorMessage"] == "Invalid stop price"


@pytest.mark.parametrize("path", ["Order/cancel", "Order/modify"])
def test_codes_of_changes(path: str) -> None:
    accounts = (AccountPlan(), AccountPlan(99_000_002), AccountPlan(99_000_009, simulated=False))
    desk = Desk(scenario(accounts=accounts))
    filled = desk.place()["orderId"]
    for account, order, code in (
        (5, filled, 1),
        (ACCOUNT, 5, 2),
        (99_000_002, filled, 2),
        (ACCOUNT, filled, 3),
        (99_000_009, filled, 6),
    ):
        assert desk.call(path, {"accountId": account, "orderId": order})["errorCode"] == code
    assert not any(call.performed for call in desk.broker.received[1:])


def test_follower_accounts_cannot_cancel() -> None:
    desk = Desk(scenario(accounts=(AccountPlan(follower=True),)))
    answer = desk.own("Order/cancel", orderId=desk.place(LIMIT, limitPrice=20990)["orderId"])
    assert (answer["errorCode"], answer["errorMessage"]) == (6, "Follower accounts cannot cancel orders")


def test_large_orders_fill_in_pieces_and_show_as_open_meanwhile() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", noise_ticks=0, quotes_per_second=1), largest_fill=2))
    order = desk.place(size=5)["orderId"]
    shown = desk.order(order)
    assert (shown["status"], shown["fillVolume"]) == (1, 2)
    assert desk.held == 2
    desk.wait(4)
    assert (desk.order(order)["status"], desk.held) == (2, 5)
    assert [fill.size for fill in desk.broker.fills] == [2, 2, 1]


def test_what_is_left_of_an_order_can_be_cancelled() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", noise_ticks=0, quotes_per_second=1), largest_fill=2))
    order = desk.place(size=5)["orderId"]
    assert desk.own("Order/cancel", orderId=order)["success"]
    desk.wait(4)
    assert desk.held == 2
    assert desk.order(order)["fillVolume"] == 2
