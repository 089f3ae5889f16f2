"""Fills of a day on which the courses parted, told again on a later day: what was left out stays out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.replay.whatif.sessions import Trades, study
from tests.replay.whatif.test_examples import days

LIMIT = "rules.daily_realized_loss.loss_limit=500"


def losing_day() -> tuple[Trades, list[dict[str, Any]]]:
    """Example 1 of WHATIF.md, and the four fills that are left out of the counterfactual."""
    day = Trades("2026-11-19 08:00:00").account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").trade(-2, 20875)
    told = []
    for time, size, price in (("09:30", 1, 20900), ("09:45", -1, 20950), ("10:00", -1, 20940), ("10:30", 1, 21000)):
        day.at(f"{time}:00").trade(size, price)
        told.append({**day.last_trade, "creationTimestamp": day.now.isoformat()})
    return day, told


def listed(day: Trades, fills: list[dict[str, Any]]) -> None:
    answer = {"trades": fills[::-1], "success": True, "errorCode": 0, "errorMessage": None}
    request = {"accountId": fills[0]["accountId"], "startTimestamp": "2026-11-19T00:00:00Z"}
    day.line({"rest": "/api/Trade/search", "request": request, "status": 200, "response": answer})


def pushed(day: Trades, fills: list[dict[str, Any]]) -> None:
    for fill in fills:
        day.user("GatewayUserTrade", fill)


@pytest.mark.parametrize("tell", [listed, pushed])
@pytest.mark.parametrize("policy", ["follow", "freeze", "stop"])
def test_a_fill_that_was_left_out_is_not_made_up_for_by_a_list_of_the_next_day(
    tmp_path: Path, policy: str, tell: Callable[[Trades, list[dict[str, Any]]], None]
) -> None:
    day, fills = losing_day()
    tell(day.at("2026-11-20 09:00:00"), fills)
    day.at("09:30:00").trade(1, 21000)
    day.at("09:40:00").trade(-1, 21010)
    result = study(day, tmp_path, LIMIT, policy=policy)
    assert days(result) == [("-524.96", "-502.48"), ("18.76", "18.76")]
    assert [one["trade_date"] for one in result["divergence"]] == ["2026-11-19"]


def test_a_fill_that_was_left_out_and_is_voided_the_next_day_changes_the_baseline_alone(tmp_path: Path) -> None:
    day, fills = losing_day()
    day.at("2026-11-20 09:00:00")
    for fill in fills[2:]:
        day.void(fill)
    day.at("09:30:00").trade(1, 21000)
    result = study(day, tmp_path, LIMIT)
    assert days(result)[0] == ("-403.72", "-502.48")
    assert [row["counterfactual"] for row in result["effect"]["by_day"]] == ["-502.48", "-0.62"]


def test_a_fill_of_which_a_share_was_executed_is_corrected_for_that_share(tmp_path: Path) -> None:
    """RULE-001 5 sells one of six at the broker; of the recorded exit of six five are executed."""
    day = Trades("2026-11-19 08:00:00").account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(6, 21000)
    day.at("09:00:00.250").sparse(bestBid=20999.75)
    day.at("09:10:00").trade(-6, 21010)
    later = {**day.last_trade, "creationTimestamp": day.now.isoformat(), "profitAndLoss": 132}
    pushed(day.at("2026-11-20 09:00:00"), [later])
    day.at("09:30:00").trade(1, 21000)
    result = study(day, tmp_path, "rules.max_contracts.limit=5")
    # Two dollars a contract more than the prices say, for five contracts.
    assert days(result)[0] == ("124.56", "101.06")
