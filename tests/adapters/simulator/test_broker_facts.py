"""The twelve facts of topstepx/API.md 0, each true of the simulated broker."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

from adapters.simulator.scenario import AccountPlan, PricePath
from adapters.topstepx.fields import Number, encode
from tests.adapters.simulator.broker_desk import (
    ACCOUNT,
    AT,
    BUY,
    LIMIT,
    MNQ,
    SELL,
    STOP,
    Desk,
    kinds,
    plain,
    rows,
    scenario,
)

WORKING = [1, 6, 7, 8]
BRACKETS = {"stopLossBracket": {"ticks": -40, "type": 4}, "takeProfitBracket": {"ticks": 60, "type": 1}}
RISING = PricePath("MNQ", "21000", ((1, "21000"), (10, "21018.5")), noise_ticks=0)


def working(desk: Desk) -> list[dict[str, Any]]:
    asked = {"filter": {"accountId": ACCOUNT, "statuses": WORKING}, "includeTotalCount": True}
    found: list[dict[str, Any]] = desk.call("Order/v2/query", asked)["orders"]
    return found


def bracket(desk: Desk, **fields: Any) -> int:
    answer = desk.place(size=2, **BRACKETS, **fields)
    assert answer["success"]
    entry: int = answer["orderId"]
    return entry


def test_fact_1_user_events_are_wrapped() -> None:
    desk = Desk()
    desk.place()
    told = [line["arguments"] for _, hub, _, line in desk.wait(1) if hub == "user"]
    assert told
    assert all(len(arguments) == 1 and set(arguments[0]) == {"action", "data"} for arguments in told)


def test_fact_2_the_hub_leaves_nulls_out_and_rest_sends_them() -> None:
    desk = Desk()
    order = desk.place()["orderId"]
    heard = desk.wait(1)
    assert all("profitAndLoss" not in row for row in rows(heard, "Trade"))
    assert all("limitPrice" not in row and "customTag" not in row for row in rows(heard, "Order"))
    assert None not in [value for row in rows(heard, "Order") for value in row.values()]
    assert desk.own("Trade/search")["trades"][0]["profitAndLoss"] is None
    shown = desk.order(order)
    assert shown["limitPrice"] is None
    assert shown["customTag"] is None


def test_fact_3_the_opening_fill_is_emitted_again_on_close() -> None:
    desk = Desk()
    desk.place()
    (opening,) = rows(desk.wait(1), "Trade")
    desk.own("Position/closeContract", contractId=MNQ)
    again, closing = rows(desk.wait(1), "Trade")
    assert again == opening
    assert closing["id"] != opening["id"]
    assert closing["profitAndLoss"] in (-0.5, -1)  # Bought at the ask, sold at the bid, one or two ticks apart.


def test_fact_4_the_balance_moves_by_profit_less_fees_and_commissions_of_each_side() -> None:
    desk = Desk(scenario(RISING))
    desk.place(size=15)
    desk.wait(11)
    opened = rows(desk.lines, "Account")[-1]["balance"]
    assert opened == float(50000 - 15 * (Fraction("0.37") + Fraction("0.25")))
    desk.own("Position/closeContract", contractId=MNQ)
    heard = desk.wait(1)
    (closing,) = [row for row in rows(heard, "Trade") if "profitAndLoss" in row]
    (opening,) = [row for row in rows(heard, "Trade") if "profitAndLoss" not in row]
    gross = (Fraction(closing["price"]) - Fraction(opening["price"])) * 2 * 15
    assert closing["profitAndLoss"] == float(gross)
    assert (closing["fees"], closing["commissions"]) == (5.55, 3.75)
    balances = {row["balance"] for row in rows(heard, "Account")}
    assert balances == {float(Fraction("49990.7") + gross - Fraction("9.3"))}


def test_fact_5_a_rejected_place_creates_an_order_with_a_real_id() -> None:
    desk = Desk()
    answer = desk.place(STOP, BUY, stopPrice=20990)
    assert (answer["success"], answer["errorCode"], answer["errorMessage"]) == (False, 2, "Invalid stop price")
    heard = desk.wait(1)
    assert [row["status"] for row in rows(heard, "Order")] == [6, 5]
    assert {row["id"] for row in rows(heard, "Order")} == {answer["orderId"]}
    assert desk.order(answer["orderId"])["status"] == 5
    assert desk.broker.received[-1].performed is False
    assert desk.broker.received[-1].order_ids == (answer["orderId"],)


def test_fact_6_search_open_hides_suspended_legs_and_the_query_shows_them() -> None:
    desk = Desk()
    entry = bracket(desk, type=LIMIT, limitPrice=20990)
    assert [order["id"] for order in desk.own("Order/searchOpen")["orders"]] == [entry]
    assert sorted(order["status"] for order in working(desk)) == [1, 8, 8]
    assert [row["status"] for row in rows(desk.wait(1), "Order")].count(8) == 2
    seen = desk.own("Order/search", startTimestamp="2026-11-01T00:00:00Z")["orders"]
    assert [order["status"] for order in seen] == [1]


def test_fact_7_a_tag_is_burnt_for_ever_even_by_a_rejected_order() -> None:
    desk = Desk()
    assert not desk.place(STOP, BUY, stopPrice=20990, customTag="mine")["success"]
    again = desk.place(customTag="mine")
    assert (again["errorCode"], again["errorMessage"]) == (2, "custom tag already in use")
    assert again["orderId"] is None
    assert desk.held == 0
    assert desk.place(customTag="other")["success"]
    assert desk.place(customTag="other")["errorCode"] == 2


def test_fact_7_a_tag_is_unique_per_account_and_legs_burn_theirs() -> None:
    desk = Desk(scenario(accounts=(AccountPlan(), AccountPlan(99_000_002))))
    bracket(desk, customTag="one")
    assert desk.place(customTag="one-SL")["errorMessage"] == "custom tag already in use"
    assert desk.place(customTag="one", accountId=99_000_002)["success"]


def test_fact_8_bracket_ticks_are_signed_offsets_from_the_entry() -> None:
    desk = Desk()
    bracket(desk)
    desk.wait(1)
    legs = {order["type"]: plain(order) for order in working(desk)}
    assert (legs[STOP]["stopPrice"], legs[LIMIT]["limitPrice"]) == (20990.25, 21015.25)
    short = desk.place(side=SELL, stopLossBracket={"ticks": 10, "type": 4}, takeProfitBracket={"ticks": 20, "type": 1})
    assert short["errorMessage"] == "Invalid take profit ticks (20). Ticks should be less than zero when going short"


def test_fact_9_closing_leaves_the_bracket_legs_which_open_a_new_position_later() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", ((4, "21000"), (8, "20980")), noise_ticks=0)))
    bracket(desk)
    desk.wait(1)
    desk.own("Position/closeContract", contractId=MNQ)
    desk.wait(0.5)
    assert desk.held == 0
    assert sorted(order["status"] for order in working(desk)) == [1, 1]
    desk.wait(6)
    assert desk.held == -2


def test_fact_10_nothing_is_numbered_and_nothing_is_told_twice() -> None:
    desk = Desk()
    desk.place()
    heard = desk.wait(1)
    assert heard
    assert desk.broker.messages(desk.at) == []
    assert all(set(line) == {"hub", "target", "arguments"} for _, _, _, line in heard)


def test_fact_11_quotes_are_sparse_and_arrays_may_hold_nulls() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", noise_ticks=3)))
    desk.wait(60)
    quotes = [line["arguments"] for _, _, _, line in desk.lines if line["target"] == "GatewayQuote"]
    assert all(contract == MNQ for contract, _ in quotes)
    always = {"symbol", "lastUpdated", "timestamp", "contract"}
    assert all(always <= set(row) for _, row in quotes)
    assert {"lastPrice", "bestBid", "bestAsk", "open", "high", "low", "volume"} <= set(quotes[0][1])
    assert any("lastPrice" not in row for _, row in quotes)
    for earlier, later in pairwise(quotes):
        if "bestBid" in earlier[1] and "bestBid" in later[1]:
            assert later[1]["bestBid"] != earlier[1]["bestBid"]
    prints = [line["arguments"][1] for _, _, _, line in desk.lines if line["target"] == "GatewayTrade"]
    assert any(None in batch for batch in prints)
    depth = [line["arguments"][1] for _, _, _, line in desk.lines if line["target"] == "GatewayDepth"]
    assert depth
    assert all(None in batch for batch in depth)


def test_fact_12_times_have_seven_digits_on_the_hub_and_at_most_six_in_rest() -> None:
    desk = Desk()
    order = desk.place()["orderId"]
    (fill,) = rows(desk.wait(1), "Trade")
    (searched,) = desk.own("Trade/search")["trades"]
    pushed, read = (row["creationTimestamp"].removesuffix("+00:00") for row in (fill, searched))
    assert len(pushed.partition(".")[2]) == 7
    assert pushed.startswith(read)
    assert len(read.partition(".")[2]) <= 6
    assert not read.endswith("0")
    assert desk.order(order)["updateTimestamp"].endswith("+00:00")


def test_fact_12_the_same_number_is_spelled_in_several_ways() -> None:
    desk = Desk()
    for _ in range(6):
        desk.place()
    spelled = {encode(trade["price"]) for trade in desk.own("Trade/search")["trades"]}
    assert {"21000.25", "21000.250000000"} <= spelled
    desk.place(LIMIT, BUY, limitPrice=20990)
    desk.place(LIMIT, BUY, limitPrice=20990)
    desk.place(LIMIT, BUY, limitPrice=20990)
    found = desk.own("Order/searchOpen")["orders"]
    assert {encode(order["limitPrice"]) for order in found} == {"20990", "20990.0", "20990.000000000"}
    assert all(isinstance(order["limitPrice"], Number | int) for order in found)


def test_events_of_an_entry_and_of_a_bracket_come_in_the_captured_order() -> None:
    desk = Desk()
    desk.place()
    assert kinds(desk.wait(1)) == [6, "Trade", 2, "Position", "Account"]
    desk.place(**BRACKETS)
    assert [kind for kind in kinds(desk.wait(1)) if isinstance(kind, int)] == [8, 6, 8, 2, 1, 1]


def test_an_account_event_comes_two_to_four_times() -> None:
    desk = Desk()
    counts = set()
    for _ in range(30):
        desk.place()
        counts.add(len(rows(desk.wait(1), "Account")))
    assert counts == {2, 3, 4}


def test_time_never_runs_backwards() -> None:
    desk = Desk()
    desk.broker.advance(AT)
    desk.place()
    heard = desk.wait(2)
    assert [at for at, *_ in heard] == sorted(at for at, *_ in heard)
    assert all(at > AT for at, *_ in heard)
