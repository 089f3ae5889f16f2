"""What the best of many settings is worth: the statistics of choosing among them (ODDS.md 5, WHATIF.md 7).

The best of many settings is better than none even where no setting does anything. Nothing here knows a recording:
effects are numbers, one a day.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from math import e, prod, sqrt
from statistics import NormalDist, fmean, median, variance

from replay.sweep.grid import Grid, number_of

_EULER_GAMMA = 0.5772156649
_NORMAL = NormalDist()
# Values of a numeric key that differ by no more than this share are neighbours.
NEARBY = Decimal("0.1")
# Fewer settings than this have no middle.
FEWEST_ON_A_PLATEAU = 3
# Days between those that a setting is chosen on and the day that it is judged on.
EMBARGO_DAYS = 1
# Fewer days than this have no spread, so nothing can be said of any setting.
FEWEST_DAYS = 2
# The deflated probability takes many days for granted; over fewer than this it says nothing.
FEWEST_DAYS_FOR_A_PROBABILITY = 20

Effects = Sequence[int]  # Of one setting, one a day.


def expected_best_of(trials: int) -> float:
    """What the best of so many trials without any effect comes to, in standard errors; 0 for a single one."""
    if trials < 2:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return (1 - _EULER_GAMMA) * first + _EULER_GAMMA * second


def deflated_probability(
    ratio: float, days: int, ratio_variance: float, trials: int, skewness: float, kurtosis: float
) -> float | None:
    """The probability that the best ratio of mean to deviation is more than luck (the deflated Sharpe ratio).

    `ratio` is that of a day, `ratio_variance` its variance over the trials; a normal distribution has kurtosis 3.
    None where moments this extreme leave the ratio without a standard error.
    """
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    if spread <= 0:
        return None
    luck = sqrt(ratio_variance) * expected_best_of(trials)
    return _NORMAL.cdf((ratio - luck) * sqrt(days - 1) / sqrt(spread))


def standard_error(effects: Effects) -> float:
    """Of the sum over the days, each taken as independent of the others. Two days at least."""
    return _deviation(effects) * sqrt(len(effects))


def _deviation(effects: Effects) -> float:
    """Of a sample; exact up to the root, and much faster than the standard library's."""
    days, total = len(effects), sum(effects)
    return sqrt((days * sum(effect * effect for effect in effects) - total * total) / (days * (days - 1)))


@dataclass(frozen=True, slots=True)
class Luck:
    """The best setting beside what luck alone would have found. Effects in the unit of the days."""

    trials: int  # Settings that came to the same on every day are one trial.
    expected_standard_errors: float
    expected: float  # The same with the median standard error of the trials that have one.
    best: int  # The place of the setting with the largest effect; the first of several.
    best_standard_errors: float | None
    probability: float | None  # Deflated; None where there are too few days, or no spread to judge it by.


def luck_of(settings: Sequence[Effects]) -> Luck:
    """What luck alone would find among these settings. Two days at least."""
    trials = list(dict.fromkeys(map(tuple, settings)))
    totals = [sum(effects) for effects in settings]
    best = totals.index(max(totals))
    errors = [error for error in map(standard_error, trials) if error]
    expected = expected_best_of(len(trials))
    chosen = settings[best]
    error = standard_error(chosen)
    return Luck(
        len(trials),
        expected,
        expected * median(errors) if errors else 0.0,
        best,
        totals[best] / error if error else None,
        _deflated(chosen, trials) if error and len(chosen) >= FEWEST_DAYS_FOR_A_PROBABILITY else None,
    )


def _deflated(chosen: Effects, trials: Sequence[Effects]) -> float | None:
    ratios = [_ratio(effects) for effects in trials]
    mean = fmean(chosen)
    second, third, fourth = (fmean((effect - mean) ** power for effect in chosen) for power in (2, 3, 4))
    return deflated_probability(
        _ratio(chosen),
        len(chosen),
        variance(ratios) if len(ratios) > 1 else 0.0,
        len(trials),
        third / second**1.5,
        fourth / second**2,
    )


def _ratio(effects: Effects) -> float:
    deviation = _deviation(effects)
    return fmean(effects) / deviation if deviation else 0.0


# ---- plateaus ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plateau:
    """Settings side by side that all come to about the same. Places are those of the grid."""

    places: tuple[int, ...]
    middle: int


class Ground:
    """Which settings of a grid lie side by side.

    Values of a numeric key are neighbours within ten percent, and where the grid is coarser, the next one on each
    side. Values that are no numbers have none: rules that differ in kind form no plateau.
    """

    def __init__(self, grid: Grid) -> None:
        self.sizes = [len(axis.values) for axis in grid.axes]
        self.strides = [prod(self.sizes[index + 1 :]) for index in range(len(self.sizes))]
        lines = [_in_order([number_of(value) for value in axis.values]) for axis in grid.axes]
        self._near = [_near(line, size) for (line, _), size in zip(lines, self.sizes, strict=True)]
        self._next = [_next(line, size) for (line, _), size in zip(lines, self.sizes, strict=True)]
        # How far along its axis each value stands, counted in values.
        self._rank = [rank for _, rank in lines]
        self.points = list(product(*(range(size) for size in self.sizes)))

    def plateau_of(self, settings: Sequence[Effects]) -> Plateau | None:
        """The widest plateau above zero; None where there is none. Two days at least.

        A setting counts for no more than the worst of its neighbours, so that a peak counts for what surrounds it.
        The best such level, less its own standard error, is the height that a plateau has everywhere.
        """
        totals = [sum(effects) for effects in settings]
        levels = self._levels(totals)
        highest = max(levels)
        if highest <= 0:
            return None
        top = levels.index(highest)
        height = max(0.0, highest - standard_error(settings[top]))
        high = {place for place, total in enumerate(totals) if total > 0 and total >= height}
        parts = [part for part in self._parts(high) if len(part) >= FEWEST_ON_A_PLATEAU]
        if not parts:
            return None
        widest = max(parts, key=lambda part: (len(part), fmean(totals[place] for place in part)))
        return Plateau(tuple(widest), self._middle(widest))

    def _levels(self, totals: Sequence[int]) -> list[int]:
        """The lowest total of each setting and its neighbours, one key after the other."""
        levels = list(totals)
        for axis, stride in enumerate(self.strides):
            near = self._near[axis]
            levels = [
                min(levels[place + (other - point[axis]) * stride] for other in near[point[axis]])
                for place, point in enumerate(self.points)
            ]
        return levels

    def _parts(self, places: set[int]) -> list[list[int]]:
        """The places in parts that hang together, in the order of the grid."""
        left, parts = set(places), []
        for start in sorted(places):
            if start not in left:
                continue
            left.remove(start)
            part = [start]
            for place in part:
                for other in self._beside(place):
                    if other in left:
                        left.remove(other)
                        part.append(other)
            parts.append(sorted(part))
        return parts

    def _beside(self, place: int) -> list[int]:
        point = self.points[place]
        return [
            place + (other - point[axis]) * stride
            for axis, stride in enumerate(self.strides)
            for other in self._next[axis][point[axis]]
        ]

    def _middle(self, places: list[int]) -> int:
        """The place nearest to the mean of them all, counted in values of the grid."""
        spots = {place: [rank[at] for rank, at in zip(self._rank, self.points[place], strict=True)] for place in places}
        centre = [fmean(column) for column in zip(*spots.values(), strict=True)]
        return min(places, key=lambda place: sum((at - mid) ** 2 for at, mid in zip(spots[place], centre, strict=True)))


def _in_order(values: Sequence[Decimal | None]) -> tuple[list[tuple[Decimal, int]], list[int]]:
    """The numbers of a key with their places, ascending; and for each place its rank, 0 for what is no number."""
    line = sorted((value, place) for place, value in enumerate(values) if value is not None)
    ranks = [0] * len(values)
    for rank, (_, place) in enumerate(line):
        ranks[place] = rank
    return line, ranks


def _near(line: Sequence[tuple[Decimal, int]], size: int) -> list[list[int]]:
    """For each place of a key those within NEARBY and the next on each side, itself too."""
    near = [[place] for place in range(size)]
    values = [value for value, _ in line]
    for rank, (value, place) in enumerate(line):
        reach = NEARBY * abs(value)
        first = min(bisect_left(values, value - reach), max(rank - 1, 0))
        end = max(bisect_right(values, value + reach), rank + 2)
        near[place] = [other for _, other in line[first:end]]
    return near


def _next(line: Sequence[tuple[Decimal, int]], size: int) -> list[list[int]]:
    beside: list[list[int]] = [[] for _ in range(size)]
    for (_, one), (_, other) in pairwise(line):
        beside[one].append(other)
        beside[other].append(one)
    return beside


# ---- walking forward ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WalkForward:
    """What choosing on earlier days was worth on later ones: the first day judged, and the effect of each."""

    first: int
    chosen: tuple[int | None, ...]  # For each day judged; None where nothing was to be recommended.
    effects: tuple[int, ...]  # 0 where nothing was.


def walk_forward(ground: Ground, settings: Sequence[Effects]) -> WalkForward | None:
    """Choose on the days so far, leave one out, and judge on the next; the first half is only chosen on.

    None where too few days are left to judge on.
    """
    days = len(settings[0])
    first = max(FEWEST_DAYS, days // 2) + EMBARGO_DAYS
    if first >= days:
        return None
    chosen: list[int | None] = []
    for day in range(first, days):
        plateau = ground.plateau_of([effects[: day - EMBARGO_DAYS] for effects in settings])
        chosen.append(None if plateau is None else plateau.middle)
    effects = (0 if place is None else settings[place][day] for day, place in enumerate(chosen, first))
    return WalkForward(first, tuple(chosen), tuple(effects))
