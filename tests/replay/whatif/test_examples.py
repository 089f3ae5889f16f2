"""The worked examples of WHATIF.md 6, by their names."""

from pathlib import Path
from typing import Any

import pytest

from tests.replay.whatif.sessions import Trades, export, study, study_of

POLICIES = ("follow", "freeze", "stop")


def money(result: dict[str, Any]) -> tuple[str, str, str]:
    effect = result["effect"]
    return effect["net_pnl"], effect["exact"], effect["simulated"]


def days(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["baseline"], row["counterfactual"]) for row in result["effect"]["by_day"]]


@pytest.mark.parametrize("policy", POLICIES)
def test_1_left_out(tmp_path: Path, policy: str) -> None:
    day = Trades().account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").trade(-2, 20875)
    day.at("09:30:00").trade(1, 20900)
    day.at("09:45:00").trade(-1, 20950)
    day.at("10:00:00").trade(-1, 20940)
    day.at("10:30:00").trade(1, 21000)
    result = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=500", policy=policy)
    assert days(result) == [("-524.96", "-502.48")]
    assert money(result) == ("22.48", "22.48", "0")
    row = result["effect"]["by_day"][0]
    assert (row["left_out_entries"], row["left_out_contracts"]) == (2, 2)
    assert [one["at"] for one in result["divergence"]] == ["2026-11-20T15:30:00Z"]


@pytest.mark.parametrize(("latency_ms", "effect"), [(250, "-106.00"), (0, "-103.00")])
def test_2_closed_by_the_broker(tmp_path: Path, latency_ms: int, effect: str) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:05:00.000").sparse(lastPrice=20925, bestBid=20924.75, bestAsk=20925.25)
    day.at("09:05:00.200").sparse(bestBid=20924.50)
    day.at("09:05:00.300").sparse(bestBid=20924.00)
    day.at("09:20:00").trade(-2, 20950)
    result = study(day, tmp_path, "rules.daily_unrealized_loss.loss_limit=300", latency_ms=latency_ms)
    assert money(result) == (effect, "0", effect)
    assert result["divergence"][0]["at"] == "2026-11-20T15:05:00Z"


def test_3_reduced_then_orders_as_sent(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(6, 21000)
    day.at("09:00:00.250").sparse(bestBid=20999.75)
    day.at("09:10:00").trade(-3, 21010)
    day.at("09:20:00").trade(-3, 21020)
    result = study(day, tmp_path, "rules.max_contracts.limit=5")
    gross = result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"]
    assert gross == "138.50"
    assert money(result) == ("-41.50", "0", "-41.50")


@pytest.mark.parametrize(("policy", "effect"), [("follow", "-77.52"), ("freeze", "-96.28"), ("stop", "-96.28")])
def test_4_a_pause_that_ends(tmp_path: Path, policy: str, effect: str) -> None:
    day = Trades().account()
    day.at("09:00:00").trade(1, 21000)
    day.at("09:10:00").trade(-1, 20940)
    day.at("09:12:00").trade(2, 20950)
    day.at("09:16:00").trade(1, 20960)
    day.at("09:20:00").trade(-3, 20970)
    table = '[{loss_amount="100", cooldown_seconds=300}]'
    result = study(day, tmp_path, f"rules.cooldown_after_loss.loss_thresholds={table}", policy=policy)
    assert money(result) == (effect, effect, "0")
    row = result["effect"]["by_day"][0]
    assert row["left_out_contracts"] == (2 if policy == "follow" else 3)


def test_5_flip(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("08:30:00").trade(1, 21000)
    day.at("08:40:00").trade(-1, 20700)
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").trade(-5, 20990)
    day.at("09:20:00").trade(3, 20980)
    result = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=500")
    row = result["effect"]["by_day"][0]
    assert (row["left_out_entries"], row["left_out_contracts"]) == (2, 5)
    assert row["counterfactual"] == "-601.24"
    assert money(result)[2] == "0"


def test_5_flip_told_as_one_fill(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("08:30:00").trade(1, 21000)
    day.at("08:40:00").trade(-1, 20700)
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").tell_fill(-5, 20990, -40, "CON.F.US.MNQ.Z26", 99000001, None)
    day.at("09:20:00").tell_fill(3, 20980, 60, "CON.F.US.MNQ.Z26", 99000001, None)
    result = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=500")
    row = result["effect"]["by_day"][0]
    assert (row["left_out_entries"], row["left_out_contracts"]) == (2, 5)
    assert row["counterfactual"] == "-601.24"


@pytest.mark.parametrize("policy", POLICIES)
def test_6_looser(tmp_path: Path, policy: str) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.order(500, 1, 4, 1, 2, stopPrice=20850).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    day.at("09:05:00.500").order(500, 3, 4, 1, 2, stopPrice=20850)
    day.at("09:40:00").sparse(lastPrice=20850, bestBid=20850.25, bestAsk=20850.5)
    day.at("09:40:01").sparse(bestBid=20849.75)
    day.at("16:00:00").clock()
    recorded = export(day, tmp_path, "rules.daily_unrealized_loss.loss_limit=300")
    result = study_of(tmp_path, (recorded,), "rules.daily_unrealized_loss.loss_limit=700", policy=policy, quick=False)
    assert days(result) == [("-306.48", "-604.48")]
    assert money(result) == ("-298.00", "0", "-298.00")
    assert result["effect"]["by_day"][0]["flags"] == ["extrapolated"]
    assert (result["range"]["cruellest"], result["range"]["kindest"]) == ("-298.00", "0")


@pytest.mark.parametrize(
    ("bid", "distance", "fraction"), [(20850.25, "0.50", "0.0017"), (20850, "0", "0"), (20849.75, "-0.50", "-0.0017")]
)
def test_2_closest_approach_of_a_baseline_that_goes_on(
    tmp_path: Path, bid: float, distance: str, fraction: str
) -> None:
    """What is left at the limit is nothing, and beyond it less than that."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000)
    day.at("09:05:00").sparse(lastPrice=bid, bestBid=bid, bestAsk=bid)
    day.at("09:20:00").trade(-1, 20950)
    result = study(day, tmp_path, "rules.daily_unrealized_loss.loss_limit=300")
    (row,) = result["closest"]
    assert (row["baseline"]["distance"], row["baseline"]["fraction"]) == (distance, fraction)


def test_2_closest_approach(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20925.25, bestBid=20925, bestAsk=20925.5)
    day.at("09:06:00").sparse(lastPrice=20940, bestBid=20939.75, bestAsk=20940.25)
    day.at("09:20:00").trade(-2, 20950)
    result = study(day, tmp_path, "rules.daily_unrealized_loss.loss_limit=300")
    assert money(result) == ("0", "0", "0")
    near = {"distance": "1.00", "unit": "USD", "fraction": "0.0033", "at": "2026-11-20T15:05:00Z"}
    assert [(row["rule"], row["baseline"], row["counterfactual"]) for row in result["closest"]] == [
        ("RULE-004", near, near)
    ]
