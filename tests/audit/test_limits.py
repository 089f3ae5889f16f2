"""How much of each limit is used, against days whose figures are known."""

from typing import Any

import pytest

from riskcore.audit.limits import Gauge, gauges
from riskcore.audit.status import view_of
from riskcore.core.quantities import money
from tests.core.ledger import ACCOUNT, Ledger


def gauges_of(day: Ledger) -> dict[str, tuple[str, str]]:
    """Per name what is used and the limit."""
    account = day.book.accounts[ACCOUNT]
    view = view_of(day.book, day.rulebook, account)
    rows = [gauge.row() for gauge in gauges(day.book, day.rulebook, account, view)]
    return {row["name"]: (row["used"], row["limit"]) for row in rows}


def losing_day(**rules: Any) -> Ledger:
    """300 won, 120 lost, and long 2 MNQ with 50 open loss."""
    day = Ledger(**rules).at("10:00:00").closed("300").closed("-120")
    return day.fill("MNQ", 2, "21000").push("MNQ", 2).mark("MNQ", "20987.50")


@pytest.mark.parametrize(
    ("basis", "used"),
    [("realized", "0"), ("combined", "0"), ("trailing_realized", "170.00"), ("trailing_unrealized", "170.00")],
)
def test_the_day_loss_as_its_basis_counts_it(basis: str, used: str) -> None:
    day = losing_day(daily_realized_loss={"loss_limit": money("500"), "basis": basis})
    (found,) = gauges_of(day).values()
    assert found == (used, "500")


def test_a_loss_is_shown_as_what_is_used_of_the_limit() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("500")}).closed("-120.25", fees="1.25")
    assert gauges_of(day) == {"day loss": ("121.50", "500")}


@pytest.mark.parametrize(("scope", "used"), [("per_position", "50.00"), ("total", "25.00")])
def test_the_open_loss_of_the_worst_position_or_of_all(scope: str, used: str) -> None:
    day = losing_day(daily_unrealized_loss={"scope": scope})
    day.fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000.50")
    assert gauges_of(day) == {"open loss": (used, "300")}


def test_profits_towards_their_targets() -> None:
    rules = {"daily_realized_profit": {"profit_target": money("1000")}, "max_unrealized_profit": {}}
    day = losing_day(**rules).mark("MNQ", "21010")
    assert gauges_of(day) == {"open profit": ("40.00", "1000"), "day profit": ("180.00", "1000")}
    armed = {"mode": "breakeven", "arm_profit": money("100")}
    assert gauges_of(losing_day(max_unrealized_profit=armed)) == {}


def test_sizes_by_contracts_units_and_roots() -> None:
    rules = {"max_contracts": [{"limit": 5}, {"limit": 5, "weighting": "mini_equivalent"}]}
    day = losing_day(**rules, max_contracts_per_instrument={"limits": {"MNQ": 10, "NQ": 1}}).fill("ES", 1, "6000")
    assert gauges_of(day) == {
        "contracts": ("3", "5"),
        "micro units": ("12", "50"),
        "MNQ contracts": ("2", "10"),
    }


@pytest.mark.parametrize(("unit", "used"), [("order", "5"), ("fill", "5"), ("round_turn", "2")])
def test_trades_of_the_day_by_what_counts_as_one(unit: str, used: str) -> None:
    assert gauges_of(losing_day(trade_frequency_limit={"count_unit": unit})) == {"trades today": (used, "50")}


def test_a_blind_rule_shows_no_gauge() -> None:
    day = Ledger(daily_unrealized_loss={}, daily_realized_loss={}, lacks=("quotes",)).closed("-1")
    assert list(gauges_of(day)) == ["day loss"]


@pytest.mark.parametrize(
    ("used", "limit", "percent"), [(0, 5, 0), (1, 3, 33), (5, 5, 100), (9, 5, 100), (0, 0, 0), (1, 0, 100)]
)
def test_percent_never_leaves_its_scale(used: int, limit: int, percent: int) -> None:
    assert Gauge("RULE-001", "contracts", "count", used, limit).percent == percent
