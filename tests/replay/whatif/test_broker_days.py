"""The counterfactual broker on whole days: bars, stops that rules place, orders that go on working (WHATIF.md 4)."""

from pathlib import Path
from typing import Any

import pytest

from tests.recordings import MNQ
from tests.replay.whatif.sessions import Trades, export, study, study_of

OPEN_LOSS = "rules.daily_unrealized_loss.loss_limit=300"


def bar(day: Trades, opens: str, open_: float, high: float, low: float, close: float) -> None:
    """A minute bar as the broker's history has it, told when it has ended."""
    day.line(
        {
            "rest": "/api/History/retrieveBars",
            "request": {"contractId": MNQ, "unit": 2, "unitNumber": 1},
            "status": 200,
            "response": {
                "bars": [{"t": f"2026-11-20T{opens}+00:00", "o": open_, "h": high, "l": low, "c": close, "v": 1}],
                "success": True,
                "errorCode": 0,
                "errorMessage": None,
            },
        }
    )


def test_a_close_inside_a_bar(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:01:00")
    bar(day, "15:00:00", 21000, 21001, 20990, 20995)
    day.at("09:02:00")
    bar(day, "15:01:00", 20995, 20996, 20920, 20921)
    day.at("09:03:00")
    bar(day, "15:02:00", 20921, 20950, 20900, 20940)
    day.at("09:20:00").trade(-2, 20950)
    result = study(day, tmp_path, OPEN_LOSS, quick=False)
    row = result["effect"]["by_day"][0]
    # Decided when the bar of 09:01 is known, at 09:02: inside the bar of 09:02, which closes later; its open counts.
    assert row["flags"] == ["from_bars"]
    assert row["net_pnl"] == "-118.00"  # 20921 less two ticks against 20950, twice 2 dollars a point.
    found = result["range"]
    assert (found["kindest"], found["kindest_of"]["bar_path"]) == ("0", "kindest")
    assert (found["cruellest"], found["cruellest_of"]["bar_path"]) == ("-204.00", "cruellest")


def test_a_stop_that_a_rule_places_is_filled_at_the_next_quote(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:06").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.at("09:05:00").sparse(lastPrice=20990, bestBid=20990, bestAsk=20990.25)
    day.at("09:05:01").sparse(bestBid=20989.5)
    day.at("09:20:00").trade(-2, 21010)
    rules = (
        "rules.no_stop_loss_grace.grace_period_seconds=5",
        "rules.no_stop_loss_grace.action=place_stop",
        "rules.no_stop_loss_grace.place_stop_ticks=40",
    )
    result = study(day, tmp_path, *rules)
    assert result["divergence"][0]["counterfactual_action"]["kind"] == "PlaceStop"
    # Stop at 20990, triggered at 09:05:00, filled at the bid of the next quote less one tick.
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-43.00"
    assert result["effect"]["net_pnl"] == result["effect"]["simulated"] == "-83.00"


def looser(quotes: list[tuple[str, dict[str, float]]], **order: Any) -> Trades:
    """Long 2 closed by riskcore at 09:05 with an order of the trader's; what the market did after it."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.order(500, 1, **order).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    day.at("09:05:00.500").order(500, 3, **order)
    for at, prices in quotes:
        day.at(at).sparse(**prices)
    day.at("16:00:00").clock()
    return day


@pytest.mark.parametrize(("bid", "filled"), [(21050.0, False), (21050.25, True)])
def test_a_limit_that_goes_on_working_fills_when_it_is_traded_through(tmp_path: Path, bid: float, filled: bool) -> None:
    day = looser(
        [("09:40:00", {"bestBid": bid}), ("14:00:00", {"lastPrice": 20990, "bestBid": 20990})],
        kind=1,
        side=1,
        size=2,
        limitPrice=21050,
    )
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), "rules.daily_unrealized_loss.loss_limit=900")
    gross = result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"]
    # Filled at its own price; else closed at 15:08 at the last mark.
    assert gross == ("200.00" if filled else "-40.00")


def test_what_is_kept_is_closed_at_the_flat_by_time(tmp_path: Path) -> None:
    day = looser(
        [("15:07:59", {"bestBid": 20980}), ("15:08:00.250", {"bestBid": 20970})],
        kind=4,
        side=1,
        size=2,
        stopPrice=20800,
    )
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), "rules.daily_unrealized_loss.loss_limit=900")
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-122.00"  # 20970 less two ticks.
    assert result["effect"]["by_day"][0]["flags"] == ["extrapolated"]


def test_two_accounts_part_one_by_one(tmp_path: Path) -> None:
    other = 99000002
    day = Trades().account().account(other, "50KTC-V2-99000002")
    for account in (99000001, other):
        day.at("09:00:00" if account == 99000001 else "09:00:10").trade(2, 21000, account=account)
    day.at("09:10:00").trade(-2, 20870, account=99000001).trade(-2, 20990, account=other)
    day.at("09:30:00").trade(1, 20900, account=99000001).trade(1, 20900, account=other)
    day.at("09:40:00").trade(-1, 20890, account=99000001).trade(-1, 20890, account=other)
    result = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=500")
    assert [(row["account"], row["net_pnl"]) for row in result["effect"]["by_day"]] == [
        (99000001, "21.24"),
        (other, "0"),
    ]
