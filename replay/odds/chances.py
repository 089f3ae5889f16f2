"""The chance of a history of days, or of several at once: journeys, what they came to, and both intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replay.odds.days import Block, OddsDay, Table, table_of
from replay.odds.draws import resamples
from replay.odds.funded import Funded, funded
from replay.odds.intervals import Interval, data_interval, wilson
from replay.odds.journeys import LOST, PASSED, Journeys, journeys
from replay.odds.merged import LOSE, PASS, Exact, exact
from replay.odds.walk import batches
from riskcore.core.programme.terms import Terms

# Histories drawn for the data's interval, and the journeys through each.
OUTER, INNER = 400, 400
OUTER_FUNDED, INNER_FUNDED = 200, 100
_PLACES = 6


def share(value: float | Fraction) -> float:
    """A share as results write it: six places."""
    return round(float(value), _PLACES)


@dataclass(frozen=True, slots=True)
class Days:
    """How many days it takes those that end so: on average, and by when a quarter, a half and three quarters have."""

    mean: float
    quartiles: tuple[int, int, int]

    def row(self) -> dict[str, Any]:
        return {
            "mean": round(self.mean, 1),
            "median": self.quartiles[1],
            "quartiles": [self.quartiles[0], self.quartiles[2]],
        }


@dataclass(frozen=True, slots=True)
class Chance:
    """What became of the journeys: the shares that pass, lose the account or do neither."""

    passed: float
    lost: float
    neither: float
    days_to_pass: Days | None
    days_to_lose: Days | None
    monte_carlo_95: Interval
    fraction: Fraction | None = None  # The exact chance to pass, where journeys meet again.


def chance_of(days: Sequence[OddsDay], terms: Terms, *, paths: int, seed: int, block: Block = "day") -> Chance:
    """The chance over one history: exact where journeys meet again, else drawn."""
    if terms.target_usd is None:
        return _first_payouts(funded(table_of([days], terms, block), terms, paths, seed))[0]
    solved = exact(list(days), terms, block)
    if solved is not None:
        return _solved(solved)
    return chances_of(journeys(table_of([days], terms, block), terms, paths, seed))[0]


def odds_of_many(
    histories: Sequence[Sequence[OddsDay]],
    terms: Terms | Sequence[Terms],
    *,
    paths: int,
    seed: int,
    block: Block = "day",
) -> list[Chance]:
    """The chance of each setting of a sweep: `histories` are the same dates under each, drawn alike for all of them.

    `terms`: those of all settings, or one of each. Nothing is solved exactly here, so that differences between
    settings owe nothing to the method.
    """
    each = [terms] * len(histories) if isinstance(terms, Terms) else list(terms)
    found: dict[int, Chance] = {}
    for one in {id(one): one for one in each}.values():
        places = [place for place, own in enumerate(each) if own is one]
        table = table_of([histories[place] for place in places], one, block)
        reached = (
            _first_payouts(funded(table, one, paths, seed))
            if one.target_usd is None
            else chances_of(journeys(table, one, paths, seed))
        )
        found.update(zip(places, reached, strict=True))
    return [found[place] for place in range(len(histories))]


def chances_of(travelled: Journeys) -> list[Chance]:
    """What the journeys of each setting came to."""
    each = zip(travelled.ends, travelled.days, strict=True)
    return [_drawn(ends == PASSED, ends == LOST, days) for ends, days in each]


def _first_payouts(accounts: Funded) -> list[Chance]:
    """Of funded accounts the first payout takes the place of the target."""
    found = []
    for paid, lost in zip(accounts.paid_on, accounts.lost_on, strict=True):
        found.append(_drawn(paid > 0, (lost > 0) & (paid == 0), np.where(paid > 0, paid, lost)))
    return found


def _drawn(passed: Any, lost: Any, days: Any) -> Chance:
    count, hits, losses = len(passed), int(passed.sum()), int(lost.sum())
    return Chance(
        hits / count,
        losses / count,
        (count - hits - losses) / count,
        drawn_days(days[passed]),
        drawn_days(days[lost]),
        wilson(hits, count),
    )


def drawn_days(days: Any) -> Days | None:
    """How many days journeys took; None where none did."""
    if not len(days):
        return None
    count, by_then = len(days), np.cumsum(np.bincount(days))
    first, middle, third = (int(np.searchsorted(by_then, (count * quarter + 3) // 4)) for quarter in (1, 2, 3))
    return Days(int(days.sum(dtype=np.int64)) / count, (first, middle, third))


def _solved(found: Exact) -> Chance:
    passed, lost = found.chances[PASS], found.chances[LOSE]
    days = {
        end: Days(float(mean), quartiles)
        for end, mean in found.mean_days.items()
        if mean is not None and (quartiles := found.quartiles[end]) is not None
    }
    chance = float(passed)
    return Chance(
        chance, float(lost), float(1 - passed - lost), days.get(PASS), days.get(LOSE), (chance, chance), passed
    )


# ---- what few days leave open ------------------------------------------------------------------------


Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """The shares that pass and lose in each resampled history."""

    passed: Shares
    lost: Shares
    blocks: int

    @property
    def passing(self) -> Interval:
        return data_interval(self.passed.tolist(), self.blocks)

    @property
    def losing(self) -> Interval:
        return data_interval(self.lost.tolist(), self.blocks)

    def better_than(self, other: "Spread") -> Interval:
        """The chance to pass less that of another setting, history by history."""
        return data_interval((self.passed - other.passed).tolist(), self.blocks)


def spread_of(table: Table, terms: Terms, seed: int, *, outer: int = OUTER, inner: int = INNER) -> Spread:
    """Journeys through whole histories drawn from the days of one, as many blocks each; fewer of funded accounts."""
    [found] = spreads_of(table, terms, seed, outer=outer, inner=inner)
    return found


def spreads_of(table: Table, terms: Terms, seed: int, *, outer: int = OUTER, inner: int = INNER) -> Iterator[Spread]:
    """The same for each setting of a table, in order; histories and journeys are drawn alike for all of them."""
    if terms.target_usd is None:
        outer, inner = OUTER_FUNDED, INNER_FUNDED
    chosen = resamples(seed, outer, table.blocks)
    for start, end in batches(table.settings, outer * inner):
        passed, lost = _shares(table.part(start, end).resampled(chosen), terms, inner, seed)
        for first in range(0, len(passed), outer):
            yield Spread(passed[first : first + outer], lost[first : first + outer], table.blocks)


def _shares(table: Table, terms: Terms, count: int, seed: int) -> tuple[Shares, Shares]:
    """The shares that pass and lose in each row of a table. Of funded accounts the first payout is a pass."""
    if terms.target_usd is None:
        accounts = funded(table, terms, count, seed)
        paid, lost = accounts.paid_on > 0, accounts.lost_on > 0
        return paid.mean(axis=1), (lost & ~paid).mean(axis=1)
    travelled = journeys(table, terms, count, seed)
    return travelled.count(PASSED) / count, travelled.count(LOST) / count
