"""Order ids where the source names none."""

import pytest

from replay.imports.history import Fill, fill_of
from replay.imports.orders import ORDER_IDS_FROM, with_orders
from tests.replay.imports.inputs import fill


def half_turn(trade_id: int, at: str, side: int = 1, **other: object) -> Fill:
    row = fill(trade_id, at, side, 1, 23400, 1, **{"fees": 1, "orderId": None, **other})
    return fill_of({name: value for name, value in row.items() if value is not None})


def test_fills_of_one_contract_second_and_side_are_one_order() -> None:
    fills = [half_turn(8, "07-21T14:00:00.9"), half_turn(7, "07-21T14:00:00")]
    found = with_orders(fills)
    assert [(one.recorded and one.recorded.order_id, one.approximate) for one in found] == [
        (ORDER_IDS_FROM + 7, True)
    ] * 2


@pytest.mark.parametrize(
    "other",
    [
        half_turn(8, "07-21T14:00:01"),
        half_turn(8, "07-21T13:59:59.999999"),
        half_turn(8, "07-21T14:00:00", 0),
        half_turn(8, "07-21T14:00:00", contractId="CON.F.US.MES.U25"),
        half_turn(8, "07-21T14:00:00", accountId=501),
    ],
)
def test_anything_else_is_another_order(other: Fill) -> None:
    orders = {one.recorded and one.recorded.order_id for one in with_orders([half_turn(7, "07-21T14:00:00"), other])}
    assert orders == {ORDER_IDS_FROM + 7, ORDER_IDS_FROM + 8}


def test_an_order_that_is_named_and_a_voided_fill_stay_as_they_are() -> None:
    fills = [half_turn(7, "07-21T14:00:00", orderId=5), half_turn(8, "07-21T14:00:00", voided=True)]
    assert with_orders(fills) == fills
