"""Which fills are of riskcore's own orders, and that RULE-006 leaves them out unless it is told to count them."""

from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import money, price
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
MNQ = "CON.F.US.MNQ.Z26"


def closing(**rules: Any) -> Desk:
    """Long 1 ES, being closed by riskcore."""
    desk = Desk(**LOSS, **rules).at("10:00:00").snapshot().fill("ES", 1, "6000").push("ES", 1).at("10:05:00")
    desk.closed("-100", contract="YM")
    assert isinstance(desk, Desk)
    return desk.attempt("close").accept("close")


def last(desk: Desk) -> bool:
    return list(desk.account_state.trades.values())[-1].enforced


def test_the_fill_of_a_close_that_is_on_its_way() -> None:
    desk = closing()
    assert not any(trade.enforced for trade in desk.account_state.trades.values())
    assert last(desk.fill("ES", -1, "6000", profit="0"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "enforced"), [(0, True), (5, True), (5.001, False)])
def test_a_fill_told_after_the_position(seconds: float, enforced: bool) -> None:
    desk = closing().push("ES", 0).tick("10:05:03")
    assert isinstance(desk, Desk)
    assert desk.bodies(e.RequestConfirmed) == []
    assert desk.snapshot().bodies(e.RequestConfirmed)
    desk.later(seconds).fill("ES", -1, "6000", profit="0")
    assert last(desk) is enforced


def test_a_close_that_was_not_sent_fills_nothing() -> None:
    desk = Desk(**LOSS).at("10:00:00").snapshot().fill("ES", 1, "6000").push("ES", 1).at("10:05:00")
    desk.closed("-100", contract="YM").fill("ES", -1, "6000", profit="0")
    assert isinstance(desk, Desk)
    assert not last(desk)


def test_another_contract_an_opening_fill_and_a_working_order_of_the_trader_are_not_ours() -> None:
    desk = closing().fill("MNQ", -1, "21000", profit="0")
    assert isinstance(desk, Desk)
    assert not last(desk)
    desk.fill("ES", 1, "6000")
    assert not last(desk)
    desk.order(77, "ES", -1, type=4, stop="5990").fill("ES", -1, "5990", profit="0", order=77)
    assert not last(desk)


def test_the_fill_of_our_own_stop() -> None:
    desk = Desk().at("10:00:00").snapshot().fill("MNQ", 1, "21000")
    stop = price("20990")
    desk.take(e.OrderObserved(ACCOUNT, 50, MNQ, 1, 4, -1, 1, 0, None, stop, tag="rc-stop-1"), "order")
    desk.take(e.OrderObserved(ACCOUNT, 50, MNQ, 2, 2, -1, 1, 1), "order")
    desk.fill("MNQ", -1, "20990", profit="-20", order=50)
    assert isinstance(desk, Desk)
    assert last(desk)


@pytest.mark.parametrize(
    ("settings", "breaches"),
    [({}, 0), ({"count_enforcement_fills": True}, 1), ({"count_unit": "fill"}, 0), ({"count_unit": "round_turn"}, 0)],
)
def test_rule_006_counts_them_only_when_told_to(settings: dict[str, Any], breaches: int) -> None:
    limits = {"per_minute": 2, "per_hour": None, "per_session": None, **settings}
    desk = closing(trade_frequency_limit=limits).fill("ES", -1, "6000", profit="0")
    assert len([one for one in desk.breaches if one.rule == "RULE-006"]) == breaches
    desk.fill("MNQ", 1, "21000")
    expected = breaches + 1 if settings.get("count_unit") != "round_turn" else 0
    assert len([one for one in desk.breaches if one.rule == "RULE-006"]) == expected


def test_a_round_turn_counts_however_it_ended() -> None:
    limits = {"per_minute": 1, "per_hour": None, "per_session": None, "count_unit": "round_turn"}
    desk = closing(trade_frequency_limit=limits).fill("ES", -1, "6000", profit="0")
    assert [one.figures["count"] for one in desk.breaches if one.rule == "RULE-006"] == ["2"]
