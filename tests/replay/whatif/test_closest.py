"""Closest approach to a level that trails: measured from where the level stood, in both courses (WHATIF.md 5)."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from replay.whatif.market import turning_points
from tests.replay.whatif.sessions import Trades, study

TRAILING = ("rules.daily_realized_loss.loss_limit=500", "rules.daily_realized_loss.basis=trailing_unrealized")


def nearest(day: Trades, folder: Path) -> list[tuple[Any, Any]]:
    result = study(day, folder, *TRAILING)
    assert result["divergence"] == []
    return [(row["baseline"]["distance"], row["baseline"]["at"]) for row in result["closest"]] + [
        (row["counterfactual"]["distance"], row["counterfactual"]["at"]) for row in result["closest"]
    ]


def bought(prices: list[float]) -> Trades:
    """Two MNQ bought at 21000, then a last price a second; a point is $4."""
    day = Trades().account()
    day.at("09:00:00").quote(21000).trade(2, 21000)
    for number, price in enumerate(prices):
        day.at(f"09:00:{number + 1:02d}").quote(price)
    day.at("09:10:00").trade(-2, prices[-1])
    return day


def test_a_low_before_the_high_is_not_measured_from_the_high(tmp_path: Path) -> None:
    # -100 at first, then up to +300, and back to +240: the low was 100 below the day's start.
    day = bought([20975, 21030, 21075, 21060])
    first = ("398.76", "2026-11-20T15:00:01Z")
    assert nearest(day, tmp_path) == [first, first]


def test_what_is_given_back_is_measured_from_the_high_in_both_courses(tmp_path: Path) -> None:
    # Up to +300, back to +20, up to +200: 280 of 500 used.
    day = bought([21075, 21005, 21050])
    lowest = ("220.00", "2026-11-20T15:00:02Z")
    assert nearest(day, tmp_path) == [lowest, lowest]


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("seed", range(40))
def test_turning_points_hold_the_most_that_is_given_back(seed: int, way: int) -> None:
    random = Random(seed)
    said = [(random.randrange(12), place) for place in range(random.randint(1, 40))]

    def most(points: list[tuple[int, int]]) -> int:
        best = worst = 0
        for price, _ in sorted(points, key=lambda one: one[1]):
            best = max(best, price * way - said[0][0] * way)
            worst = max(worst, best - (price - said[0][0]) * way)
        return worst

    assert most(turning_points(said)) == most(said)
