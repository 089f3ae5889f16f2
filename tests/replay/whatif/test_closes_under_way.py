"""While a close of the counterfactual is under way: exits of the record, and what the trader does himself meanwhile."""

from pathlib import Path
from typing import Any

from tests.replay.whatif.sessions import Trades, study

LOSS = "rules.daily_unrealized_loss.loss_limit={}"
SELL, STOP, OPEN = 1, 4, 1


def test_what_the_trader_closes_before_the_broker_hangs_on_no_simulated_price(tmp_path: Path) -> None:
    """Both engines were closing two; sales of the trader's own are there before the counterfactual's broker is."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.700").sparse(lastPrice=20820, bestBid=20819.75, bestAsk=20820.25)
    day.at("09:05:00.900").trade(-2, 20830)
    day.at("09:05:00.920").trade(-2, 20835)
    day.at("09:05:02").sparse(lastPrice=20832, bestBid=20831.75, bestAsk=20832.25)
    day.at("09:20:00").trade(2, 20830)
    result: dict[str, Any] = study(day, tmp_path, LOSS.format(700), baseline=(LOSS.format(300),))
    [row] = result["effect"]["by_day"]
    # Two sold at 20835 (-660) instead of at 20830 (-680) with +20 behind it: the fees of four sides are saved.
    assert (row["net_pnl"], row["exact"], row["simulated"], row["flags"]) == ("2.48", "2.48", "0", [])


def test_an_exit_is_clipped_before_the_brokers_fill_is_judged(tmp_path: Path) -> None:
    """The cut to one loses 121, and RULE-007 cancels entries: a stop for the two of the record is none."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:00.100").order(7, OPEN, STOP, SELL, 2, stopPrice=20930)
    day.at("09:00:00.300").sparse(lastPrice=20940, bestBid=20940, bestAsk=20940.25)
    day.at("09:10:00").trade(-2, 20930, order=7)
    pause = "rules.cooldown_after_loss.loss_thresholds=[{ loss_amount = 100, cooldown_seconds = 1800 }]"
    result: dict[str, Any] = study(day, tmp_path, "rules.max_contracts.limit=1", pause)
    [account] = result["counterfactual"]["accounts"]
    # One sold at 20939.50 (-121), the other by the stop at 20930 (-140).
    assert (account["days"][0]["gross_pnl"], account["positions"]) == ("-261.00", [])
