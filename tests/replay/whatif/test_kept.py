"""What the record closed deeper than the counterfactual would: closed by itself in part, kept in part (WHATIF.md 2)."""

from pathlib import Path
from typing import Any

import pytest

from tests.replay.whatif.sessions import Trades, study

LIMIT = "rules.max_contracts.limit={}"


def reduced(answered: str) -> Trades:
    """Six bought; the recorded engine, limit 4, sold two at an instant; a limit of 5 would have sold one."""
    day = Trades().account()
    day.at("08:59:59").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.at("09:00:00").trade(6, 21000)
    if answered < "09:00:00.300":
        day.at(answered).trade(-2, 20999.5)
    day.at("09:00:00.300").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    if answered > "09:00:00.300":
        day.at(answered).trade(-2, 20999.5)
    day.at("10:00:00").trade(-4, 21010)
    day.at("15:07:00").sparse(lastPrice=21020, bestBid=21020, bestAsk=21020.25)
    day.at("15:08:00.250").sparse(lastPrice=21030, bestBid=21030, bestAsk=21030.25)
    day.at("16:00:00").clock()
    return day


@pytest.mark.parametrize("answered", ["09:00:00.200", "09:00:00.400"])
def test_a_deeper_cut_of_the_record_leaves_what_is_kept(answered: str, tmp_path: Path) -> None:
    result: dict[str, Any] = study(reduced(answered), tmp_path, LIMIT.format(5), baseline=(LIMIT.format(4),))
    [day] = result["effect"]["by_day"]
    # One sold at 20999.25 (-1.50), four by the trader at 21010 (+80), the kept one at 15:08 at 21029.50 (+59).
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "137.50"
    assert result["baseline"]["accounts"][0]["days"][0]["gross_pnl"] == "78.00"
    assert (day["flags"], day["exact"], day["simulated"]) == (["extrapolated"], "0", "59.50")


def test_what_the_broker_closed_of_the_kept_replaces_no_later_close(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    # Kept to 15:08, but for one that the trader's own entry takes off; the record is short of one since.
    day.at("15:00:00").trade(-1, 20990)
    day.at("15:08:00.250").sparse(lastPrice=20980, bestBid=20980, bestAsk=20980.25)
    day.at("2026-11-23 09:00:00").sparse(lastPrice=20970, bestBid=20970, bestAsk=20970.25)
    day.at("09:10:00").trade(1, 20970)
    loss = "rules.daily_unrealized_loss.loss_limit={}"
    result = study(day, tmp_path, loss.format(700), baseline=(loss.format(300),))
    first, second = result["effect"]["by_day"]
    # Closed at 20990 (-20) and at 20979.50 (-41), against -304 of the record; and no short of one on the next day.
    assert (first["net_pnl"], first["exact"]) == ("243.62", "0")
    assert (second["net_pnl"], second["exact"], second["simulated"]) == ("-39.38", "-39.38", "0")
