"""The values that must come out, computed apart from the product: closed forms, fractions, inside and at the close."""

import math
from fractions import Fraction

import numpy as np
import pytest

from replay.odds.base_rates import random_walk
from replay.odds.chances import chance_of, odds_of_many, spread_of
from replay.odds.days import OddsDay, table_of
from replay.odds.journeys import PASSED, journeys
from replay.odds.merged import PASS, exact
from riskcore.core.programme.terms import Terms
from tests.replay.odds.sample_days import normal_days, normal_grid, terms, two_point

PATHS = 200_000
SYMMETRIC = [
    ("50K", 250, "33554432/129140163", 0.614311),
    ("50K", 500, "512/1875", 0.454480),
    ("50K", 1000, "8/27", 0.390453),
    ("50K", 750, "81/256", None),
    ("50K", 1500, "4/9", None),
    ("50K", 2000, "1/4", None),
    ("100K", 500, "23328/117649", 0.490401),
    ("100K", 1000, "27/128", 0.355668),
    ("100K", 1500, "2/9", 0.319997),
    ("150K", 500, "387420489/2000000000", 0.626111),
    ("150K", 1500, "27/128", 0.355668),
]


def drawn(days: list[OddsDay], under: Terms, paths: int = PATHS) -> float:
    return int(journeys(table_of([days], under), under, paths, 11).count(PASSED)[0]) / paths


def within(value: float, truth: float, paths: int, known: float = 0.0) -> bool:
    """Within four standard errors, and what the truth itself is known to."""
    return abs(value - truth) <= 4 * math.sqrt(truth * (1 - truth) / paths) + known


# ---- 1: closed forms ---------------------------------------------------------------------------------


def test_a_random_walk_without_edge() -> None:
    assert random_walk(terms(size="50K")) == 0.245253
    assert random_walk(terms(size="100K")) == random_walk(terms(size="150K")) == 0.183940
    assert random_walk(terms(product="static_50k")) == 0.333333
    assert random_walk(terms(stage="xfa")) is None


def test_small_steps_come_near_the_closed_forms() -> None:
    # 51 of 100 days of ±100 win: the drift of mean 50 and deviation 500, theta = 0.0004.
    days = two_point(100, 100, 51, 49)
    trailing = exact(days, terms(size="50K"))
    assert trailing is not None
    assert abs(float(trailing.chances[PASS]) - 0.410242) < 0.012
    static = exact(days, terms(product="static_50k"))
    assert static is not None
    ratio = math.exp(0.0004 * 2000)
    assert abs(float(static.chances[PASS]) - (ratio - 1) / (ratio - math.exp(-0.0004 * 4000))) < 1e-4


# ---- 2: exact fractions ------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "step", "fraction", "better"), SYMMETRIC)
def test_exact_fractions(size: str, step: float, fraction: str, better: float | None) -> None:
    under = terms(size=size)
    assert chance_of(two_point(step, step), under, paths=100, seed=1).fraction == Fraction(fraction)
    if better is not None:
        found = exact(two_point(step, step, 11, 9), under)
        assert found is not None
        assert round(float(found.chances[PASS]), 6) == better


@pytest.mark.parametrize(
    ("up", "down", "share", "chance"),
    [(1800, 600, "0.55", 0.837553), (2200, 1000, "0.55", 0.583720), (2200, 1000, "0.5", 0.583415)],
)
def test_uneven_days_with_a_best_day(up: float, down: float, share: str, chance: float) -> None:
    found = exact(two_point(up, down), terms(size="50K", consistency=share))
    assert found is not None
    assert abs(float(found.chances[PASS]) - chance) < 1e-6


@pytest.mark.parametrize("step", [500, 2000])
def test_journeys_agree_with_the_fractions(step: float) -> None:
    fraction = next(Fraction(text) for size, known, text, _ in SYMMETRIC if (size, known) == ("50K", step))
    assert within(drawn(two_point(step, step), terms(size="50K")), float(fraction), PATHS)


@pytest.mark.nightly
@pytest.mark.parametrize(("size", "step", "fraction", "better"), SYMMETRIC)
def test_all_journeys_agree_with_the_fractions(size: str, step: float, fraction: str, better: float | None) -> None:
    under = terms(size=size)
    assert within(drawn(two_point(step, step), under), float(Fraction(fraction)), PATHS)
    if better is not None:
        assert within(drawn(two_point(step, step, 11, 9), under), better, PATHS)


# ---- 3: normal days, breach inside the day -----------------------------------------------------------

NORMAL = [
    (0, 500, (0.25453, 0.29514, 0.25413), (16.9, 16.9)),
    (0, 1000, (0.25971, 0.33120, 0.23435), (5.4, 5.9)),
    (50, 500, (0.44254, 0.50751, 0.44214), (18.0, 18.0)),
]


def check_normal_days(mean: float, deviation: float, known: tuple[float, float, float], paths: int) -> float:
    """Inside the day, at the close, inside with 55 %; returns the mean days of the first."""
    for truth, inside, share in zip(known, (True, False, True), ("off", "off", "0.55"), strict=True):
        under = terms(size="50K", consistency=share)
        assert within(drawn(normal_grid(mean, deviation, inside=inside), under, paths), truth, paths, 0.0005)
    under = terms(size="50K", consistency="off")
    table = table_of([normal_grid(mean, deviation, inside=True)], under)
    return float(journeys(table, under, paths, 3).days.mean())


def test_normal_days_inside_and_at_the_close() -> None:
    mean, deviation, known, _ = NORMAL[1]
    assert abs(check_normal_days(mean, deviation, known, 100_000) - 5.4) < 0.1


@pytest.mark.nightly
@pytest.mark.parametrize(("mean", "deviation", "known", "days"), NORMAL)
def test_all_normal_days(
    mean: float, deviation: float, known: tuple[float, float, float], days: tuple[float, float]
) -> None:
    found = check_normal_days(mean, deviation, known, PATHS)
    assert days[0] - 0.1 < found < days[1] + 0.1


# ---- 4: how little a history says --------------------------------------------------------------------


def coverage(traders: int, days: int, outer: int, inner: int) -> float:
    """In how many cases the data's interval holds the truth."""
    under = terms(size="50K")
    truth = drawn(normal_grid(50, 500, inside=False), under)
    held = 0
    for trader in range(traders):
        history = table_of([normal_days(days, 50, 500, trader)], under)
        low, high = spread_of(history, under, trader, outer=outer, inner=inner).passing
        held += low <= truth <= high
    return held / traders


def test_the_interval_of_the_data_holds_the_truth() -> None:
    assert coverage(40, 30, 120, 150) >= 0.86


@pytest.mark.nightly
@pytest.mark.parametrize("days", [20, 60])
def test_the_interval_of_the_data_covers_95_of_100(days: int) -> None:
    assert 0.93 <= coverage(400, days, 400, 400) <= 0.97


def test_a_short_history_says_little() -> None:
    under = terms(size="50K")
    found = odds_of_many([normal_days(60, 50, 500, trader) for trader in range(200)], under, paths=1_000, seed=1)
    assert abs(float(np.std([one.passed for one in found])) - 0.24) < 0.03


@pytest.mark.nightly
@pytest.mark.parametrize(("days", "deviation"), [(20, 0.33), (30, 0.28), (60, 0.24), (120, 0.18), (250, 0.12)])
def test_how_little_a_history_says(days: int, deviation: float) -> None:
    under = terms(size="50K")
    found = odds_of_many([normal_days(days, 50, 500, trader) for trader in range(1_500)], under, paths=2_000, seed=1)
    assert abs(float(np.std([one.passed for one in found])) - deviation) < 0.02


def test_the_interval_of_the_drawing() -> None:
    low, high = chance_of(normal_days(250, 50, 500, 1), terms(size="50K"), paths=10_000, seed=1).monte_carlo_95
    assert 0.0085 < (high - low) / 2 < 0.0099
