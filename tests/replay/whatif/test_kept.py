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


LOSS = "rules.daily_unrealized_loss.loss_limit={}"
BUY, SELL, RESTING, STOP, OPEN, CANCELLED = 0, 1, 1, 4, 1, 3


def closed_by_the_rule(*orders: tuple[int, int, int, int, str, float]) -> Trades:
    """Two bought at 21000 with these orders; at 20924 the recorded engine closes them and cancels the orders."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    for order_id, kind, side, size, field, price in orders:
        day.order(order_id, OPEN, kind, side, size, **{field: price})
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    for order_id, kind, side, size, field, price in orders:
        day.order(order_id, CANCELLED, kind, side, size, **{field: price})
    return day


def kept_day(day: Trades, folder: Path, **options: Any) -> tuple[str, list[tuple[str, int, str]]]:
    """The counterfactual's gross P&L of the day where the limit is 700, and what it holds at the end."""
    result: dict[str, Any] = study(day, folder, LOSS.format(700), baseline=(LOSS.format(300),), **options)
    [account] = result["counterfactual"]["accounts"]
    held = [(one["side"], one["size"], one["average_price"]) for one in account["positions"]]
    return account["days"][0]["gross_pnl"], held


@pytest.mark.parametrize(("ask", "gross"), [(20900, "120.00"), (20899.75, "380.00"), (20899.5, "380.00")])
def test_an_entry_that_enforcement_cancelled_goes_on_working(ask: float, gross: str, tmp_path: Path) -> None:
    """It buys one more at 20900 when the other side trades through it by a tick; what is held goes at 15:08."""
    day = closed_by_the_rule((7, RESTING, BUY, 1, "limitPrice", 20900))
    day.at("09:06:00").sparse(lastPrice=ask, bestBid=ask - 0.25, bestAsk=ask)
    day.at("15:07:00").sparse(lastPrice=20930, bestBid=20930, bestAsk=20930.25)
    day.at("15:08:00.250").sparse(lastPrice=21030.5, bestBid=21030.5, bestAsk=21030.75)
    # Closed at 21030: two from 21000, and the third from 20900.
    assert kept_day(day, tmp_path)[0] == gross


def test_an_entry_that_goes_on_working_ends_at_the_flat_by_time(tmp_path: Path) -> None:
    day = closed_by_the_rule((7, RESTING, BUY, 1, "limitPrice", 20900))
    day.at("15:08:00.250").sparse(lastPrice=20980.5, bestBid=20980.5, bestAsk=20980.75)
    day.at("15:20:00").sparse(lastPrice=20890, bestBid=20889.75, bestAsk=20890.25)
    assert kept_day(day, tmp_path) == ("-80.00", [])


def test_an_entry_that_goes_on_working_is_left_out_by_policy_stop(tmp_path: Path) -> None:
    """Another position is cut by RULE-001 first, which is the first action of the day."""
    day = closed_by_the_rule((7, RESTING, BUY, 1, "limitPrice", 20900))
    day.at("09:05:10").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25).trade(4, 20924)
    day.at("09:05:11").sparse(lastPrice=20924, bestBid=20924.5, bestAsk=20924.75)
    day.at("09:05:20").trade(-4, 20924)
    day.at("09:06:00").sparse(lastPrice=20890, bestBid=20889.75, bestAsk=20890.25)
    day.at("15:08:00.250").sparse(lastPrice=20980.5, bestBid=20980.5, bestAsk=20980.75)
    limits = (LOSS.format(700), LIMIT.format(5))
    sizes = {}
    for policy in ("follow", "stop"):
        base = (LOSS.format(300),)
        result: dict[str, Any] = study(day, tmp_path, *limits, baseline=base, policy=policy)
        sizes[policy] = result["counterfactual"]["accounts"][0]["days"][0]["fills"]
    assert sizes["follow"] == sizes["stop"] + 1


def test_a_stop_of_a_position_that_is_gone_meets_no_later_one(tmp_path: Path) -> None:
    """The kept position goes by an entry of the record on the other side before its stop is cancelled."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.order(7, OPEN, STOP, SELL, 2, stopPrice=20900)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    day.at("09:05:10").trade(-2, 20930)
    day.at("09:05:20").order(7, CANCELLED, STOP, SELL, 2, stopPrice=20900)
    day.at("09:05:30").trade(2, 20930)
    day.at("09:06:00").sparse(lastPrice=20930, bestBid=20929.75, bestAsk=20930.25).trade(1, 20930)
    day.at("09:07:00").sparse(lastPrice=20899, bestBid=20898.75, bestAsk=20899.25)
    day.at("09:07:01").sparse(lastPrice=20899, bestBid=20898.75, bestAsk=20899.25)
    day.at("09:08:00").trade(-1, 20940)
    # -280 by the sale at 20930, and +20 of the last trade, which no old stop cut short.
    assert kept_day(day, tmp_path) == ("-260.00", [])


def test_a_kept_target_is_as_large_as_what_is_held_when_it_fills(tmp_path: Path) -> None:
    day = closed_by_the_rule((7, RESTING, SELL, 2, "limitPrice", 21010))
    day.at("09:06:00").trade(-1, 20930)
    day.at("09:07:00").trade(1, 20930)
    day.at("09:08:00").trade(1, 20930)
    day.at("09:09:00").sparse(lastPrice=21010.5, bestBid=21010.25, bestAsk=21010.75)
    day.at("09:10:00").trade(-1, 21010.25)
    # One at 20930 (-140); the target then two again: the older lot (+20) and the newer one (+160).
    assert kept_day(day, tmp_path)[0] == "40.00"
