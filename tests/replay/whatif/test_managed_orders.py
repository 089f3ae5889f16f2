"""Orders that RULE-012 changes in the counterfactual alone: the market of the day fills them where they stand then."""

from pathlib import Path
from typing import Any

from tests.replay.whatif.sessions import Trades, study

BUY, SELL, LIMIT, STOP = 0, 1, 1, 4
TARGET = "rules.trade_management.move_target=[{ at_r = 0.5, target_r = 2 }]"
TIGHTEN = "rules.trade_management.tighten_after=[{ minutes = 1, distance_ticks = 8 }]"
AUTO_STOP = "rules.trade_management.auto_stop_loss={ ticks = 40 }"
ON = "rules.trade_management.enabled=true"
STOP_BY_RULE = "rules.no_stop_loss_grace.action=place_stop"


def day_with_a_target() -> Trades:
    """Two bought at 21000, stop at 20990, target at 21010, which fills; later the market goes on to 21021."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:01").order(7, 1, STOP, SELL, 2, stopPrice=20990).order(8, 1, LIMIT, SELL, 2, limitPrice=21010)
    for second, last in enumerate((21003, 21005.5, 21008), 2):
        day.at(f"09:00:{second * 2:02}").sparse(lastPrice=last, bestBid=last - 0.25, bestAsk=last + 0.25)
    return day


def filled_at_its_target(day: Trades) -> Trades:
    day.at("09:00:20").sparse(lastPrice=21010.5, bestBid=21010.25, bestAsk=21010.75)
    day.at("09:00:20.100").order(8, 2, LIMIT, SELL, 2, limitPrice=21010, fillVolume=2).trade(-2, 21010, order=8)
    day.at("09:00:40").sparse(lastPrice=21021, bestBid=21020.75, bestAsk=21021.25)
    return day.at("09:01:00").sparse(lastPrice=21015, bestBid=21014.75, bestAsk=21015.25)  # type: ignore[return-value]


def result_of(day: Trades, folder: Path, *sets: str) -> tuple[str, list[str]]:
    result: dict[str, Any] = study(day, folder, ON, *sets)
    actions = [row["counterfactual_action"]["kind"] for row in result["divergence"] if row["counterfactual_action"]]
    return result["effect"]["net_pnl"], actions


def test_a_moved_target_fills_where_it_stands(tmp_path: Path) -> None:
    """Ten points more on two MNQ."""
    assert result_of(filled_at_its_target(day_with_a_target()), tmp_path, TARGET) == ("40.00", ["ModifyTarget"])


def test_a_tightened_stop_fills_where_it_stands(tmp_path: Path) -> None:
    """The best mark is 21008, so from a minute on the stop is at 21006; recorded is an exit at 20995."""
    day = day_with_a_target()
    for minute, last in ((0, 21007), (1, 21007.5)):
        day.at(f"09:0{minute}:50").sparse(lastPrice=last, bestBid=last - 0.25, bestAsk=last + 0.25)
    day.at("09:02:00").sparse(lastPrice=21005.75, bestBid=21005.5, bestAsk=21006)
    day.at("09:02:01").sparse(lastPrice=21005.25, bestBid=21005.25, bestAsk=21005.75)
    day.at("09:05:00").sparse(lastPrice=20995, bestBid=20994.75, bestAsk=20995.25)
    day.at("09:05:00.100").trade(-2, 20995)
    effect, actions = result_of(day, tmp_path, TIGHTEN)
    assert actions[0] == "ModifyStop"
    assert 38 <= float(effect) <= 42


def placed_and_added_to() -> Trades:
    """One bought, a stop placed by rule at 20990; one more bought, both sold; the recorded day has no stop."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000)
    day.at("09:01:00").sparse(lastPrice=21001, bestBid=21000.75, bestAsk=21001.25).trade(1, 21001)
    return day.at("09:02:00").sparse(lastPrice=21002, bestBid=21001.75, bestAsk=21002.25).trade(-2, 21002)  # type: ignore[return-value]


def test_a_stop_that_is_placed_freezes_nothing_and_is_the_first_action_under_stop(tmp_path: Path) -> None:
    """WHATIF.md 2: freeze is for what was closed, cancelled in or kept out of; stop is for any action."""
    nets = {
        policy: study(placed_and_added_to(), tmp_path, ON, AUTO_STOP, policy=policy)["effect"]["by_day"][0]
        for policy in ("follow", "freeze", "stop")
    }
    assert [nets[policy]["left_out_contracts"] for policy in ("follow", "freeze", "stop")] == [0, 0, 1]
    assert nets["freeze"]["net_pnl"] == "0"


def test_a_triggered_stop_is_a_market_order_that_nothing_moves(tmp_path: Path) -> None:
    """Triggered at 09:00:10; the size that a fill of 09:00:10.900 asks for comes at 09:00:11.150, too late."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:10").sparse(lastPrice=20990, bestBid=20989.75, bestAsk=20990.25)
    day.at("09:00:10.900").trade(1, 20990)
    day.at("09:00:12").sparse(lastPrice=20992, bestBid=20991.75, bestAsk=20992.25)
    day.at("09:00:20").sparse(lastPrice=20980, bestBid=20979.75, bestAsk=20980.25)
    day.at("09:00:30").sparse(lastPrice=20980, bestBid=20979.75, bestAsk=20980.25).trade(-3, 20980)
    row = study(day, tmp_path, ON, AUTO_STOP)["effect"]["by_day"][0]
    # Two are sold at 20991.50 for the recorded 20980.
    assert row["net_pnl"] == "46.00"


def test_a_stop_that_the_last_quote_of_a_day_triggers_is_filled_at_the_first_of_the_next(tmp_path: Path) -> None:
    """WHATIF.md 4: at the next quote of that contract in the file, although that one stands above the stop again."""
    day = Trades("2026-11-19 08:00:00").account()
    # A first contract that only the record still holds: the next day starts with other lots.
    day.at("14:00:00").sparse(lastPrice=21010, bestBid=21009.75, bestAsk=21010.25).trade(1, 21010)
    for second in (10, 20):
        day.at(f"14:00:{second}").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.at("15:00:00").trade(2, 21000)
    day.at("15:00:10").sparse(lastPrice=20990, bestBid=20989.75, bestAsk=20990.25)
    day.at("2026-11-20 09:00:00").sparse(lastPrice=21005, bestBid=21004.75, bestAsk=21005.25)
    day.at("2026-11-20 09:00:10").sparse(lastPrice=21006, bestBid=21005.75, bestAsk=21006.25).trade(-3, 21006)
    rows = study(day, tmp_path, ON, AUTO_STOP)["effect"]["by_day"]
    # One tick below the first bid, 21004.50: 18.00 on two for the recorded 16.00 on three, and a side less in fees.
    assert [row["net_pnl"] for row in rows] == ["-21.62", "2.62"]


def test_a_stop_for_what_was_added_changes_the_one_that_stands(tmp_path: Path) -> None:
    """In live there is never a second stop of riskcore's own: 1 @ 20990 becomes 2 @ 20986, which is not reached."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000)
    day.at("09:01:00").sparse(lastPrice=20992, bestBid=20991.75, bestAsk=20992.25).trade(1, 20992)
    for second in (10, 11):
        day.at(f"09:01:{second}").sparse(lastPrice=20989, bestBid=20988.75, bestAsk=20989.25)
    day.at("09:03:00").sparse(lastPrice=20995, bestBid=20994.75, bestAsk=20995.25).trade(-2, 20995)
    result = study(day, tmp_path, STOP_BY_RULE)
    assert result["divergence"]
    assert result["effect"]["net_pnl"] == "0"


def test_what_is_added_while_a_stop_is_under_way_is_covered_when_it_works(tmp_path: Path) -> None:
    """One more bought 100 ms after the stop was asked for: 2 @ 20990 leave at 20989 less a tick, recorded 20995."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000)
    day.at("09:00:30.100").trade(1, 21000)
    for second in (10, 11):
        day.at(f"09:01:{second}").sparse(lastPrice=20989, bestBid=20989, bestAsk=20989.25)
    day.at("09:03:00").sparse(lastPrice=20995, bestBid=20994.75, bestAsk=20995.25).trade(-2, 20995)
    # Two contracts at 20988.75 instead of 20995.
    assert study(day, tmp_path, STOP_BY_RULE)["effect"]["net_pnl"] == "-25.00"


def test_a_stop_that_has_filled_is_not_moved_back_into_life(tmp_path: Path) -> None:
    """The quote that fills the stop of two also asks for break-even, which takes effect when the stop is gone."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:05").order(7, 1, STOP, SELL, 1, stopPrice=20950)
    day.at("09:00:09.900").trade(1, 21000)
    day.at("09:00:10").sparse(lastPrice=20990, bestBid=20989.75, bestAsk=20990.25)
    day.at("09:00:10.100").sparse(lastPrice=21020, bestBid=21019.75, bestAsk=21020.25)
    for second in (20, 30):
        day.at(f"09:00:{second}").sparse(lastPrice=20999, bestBid=20998.75, bestAsk=20999.25)
    day.at("09:05:00").trade(-3, 21015)
    break_even = "rules.trade_management.auto_breakeven={ profit_trigger_ticks = 10 }"
    # Two are sold at 21019.50 instead of 21015, the third by the trader's own stop, moved to 21000, at 20998.50.
    assert study(day, tmp_path, ON, AUTO_STOP, break_even)["effect"]["net_pnl"] == "-15.00"
