"""Journeys through a Combine or a challenge, many at a time: each passes, loses the account, or does neither.

Whole numbers only. The floor moves at the end of the day and a touch is a breach, inside the day or at its close;
the target is reached at the end of the day, or in session by the other reading (PROGRAMME.md 4, 5 and 10).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replay.odds.days import Flags, Integers, Table
from replay.odds.draws import COMBINE, Draws
from replay.odds.walk import Walk, batches, gather
from riskcore.core.programme.terms import CONSISTENCY_BOUNDARY, PASS_AT, Terms
from riskcore.core.quantities import FRACTION_SCALE

# Four years of trading days: who has neither passed nor lost by then does neither.
MOST_DAYS = 1_000
NEITHER, PASSED, LOST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Journeys:
    """How each journey of each setting ended, and on which day: (setting, journey)."""

    ends: NDArray[np.int8]
    days: NDArray[np.int16]

    def count(self, end: int) -> Integers:
        """Journeys of each setting that ended so."""
        return np.asarray(np.count_nonzero(self.ends == end, axis=1), dtype=np.int64)


def journeys(table: Table, terms: Terms, count: int, seed: int, most_days: int = MOST_DAYS) -> Journeys:
    """So many journeys of each setting, the same draws for all of them."""
    parts = batches(table.settings, count)
    draws = Draws(seed, COMBINE, count, keep=len(parts) > 1)
    found = Journeys(
        np.zeros((table.settings, count), dtype=np.int8), np.full((table.settings, count), most_days, dtype=np.int16)
    )
    for start, end in parts:
        rules = _Rules(terms, table.part(start, end))
        _travel(
            Walk(rules.table, draws, carried=3, scratch=2),
            rules,
            found.ends[start:end].reshape(-1),
            found.days[start:end].reshape(-1),
            most_days,
        )
    return found


_PROFIT, _FLOOR, _BEST = range(3)
_NET, _LOW = range(2)
_WORTH_KEEPING = 8


def _travel(walk: Walk, rules: "_Rules", ends: NDArray[np.int8], days: NDArray[np.int16], most_days: int) -> None:
    walk.carried(_FLOOR)[:] = rules.first_floor
    # Journeys that have ended go on unnoticed until they are an eighth: leaving them behind costs more each day.
    gone = 0
    while walk.day < most_days and walk.size:
        profit, floor, best = walk.carried(_PROFIT), walk.carried(_FLOOR), walk.carried(_BEST)
        places = walk.step()
        net = gather(rules.net, places, walk.scratch(_NET))
        low = gather(rules.low, places, walk.scratch(_LOW))
        low += profit
        lost = low <= floor
        early = rules.passed_in_session(places, profit, floor, best)
        profit += net
        np.maximum(best, net, out=best)
        rules.raise_floor(floor, profit, low)
        passed = rules.passes(profit, best)
        passed &= ~lost
        if early is not None:
            passed |= early
            lost &= ~early
        for end, which in ((PASSED, passed), (LOST, lost)):
            gone += _note(walk, np.flatnonzero(which), end, ends, days)
        if gone * _WORTH_KEEPING > walk.size:
            walk.keep(np.flatnonzero(ends[walk.homes] == NEITHER))
            gone = 0


def _note(walk: Walk, which: Integers, end: int, ends: NDArray[np.int8], days: NDArray[np.int16]) -> int:
    """Note an end for the journeys at these places, where it is their first; returns how many those are."""
    homes = walk.homes[which]
    homes = homes[ends[homes] == NEITHER]
    ends[homes] = end
    days[homes] = walk.day
    return len(homes)


class _Rules:
    """The firm's rules of one stage over columns. Profits and floors are measured from the start balance."""

    def __init__(self, terms: Terms, table: Table) -> None:
        assert terms.target_usd is not None, "a stage that can be passed has a target"
        assert terms.maximum_loss_usd is not None, "a stage that can be lost has a Maximum Loss Limit"
        self.table = table
        self.net, self.low = table.net.ravel(), table.low.ravel()
        self._high, self._low_before = table.high.ravel(), table.low_before_high.ravel()
        self._target, self._room = terms.target_usd, terms.maximum_loss_usd
        self._share = terms.consistency
        self._exclusive = terms.reading(CONSISTENCY_BOUNDARY) == "exclusive"
        self._in_session = terms.reading(PASS_AT) == "in_session"
        self._trails = terms.floor_kind == "eod"
        self.first_floor = -self._room

    def raise_floor(self, floor: Integers, profit: Integers, spare: Integers) -> None:
        """The end of the day moves the floor up, at most to the start. `spare` is overwritten."""
        if self._trails:
            np.subtract(profit, self._room, out=spare)
            np.minimum(spare, 0, out=spare)
            np.maximum(floor, spare, out=floor)

    def passes(self, profit: Integers, best: Integers) -> Flags:
        """Whether a profit passes beside a best day."""
        passed: Flags = profit >= self._target
        if self._share is not None:
            near = np.flatnonzero(passed)
            allowed, largest = profit[near] * self._share, best[near] * FRACTION_SCALE
            passed[near] = largest < allowed if self._exclusive else largest <= allowed
        return passed

    def passed_in_session(self, places: Integers, profit: Integers, floor: Integers, best: Integers) -> Flags | None:
        """By the other reading: whether what is realised inside the day passes before the floor is touched."""
        if not self._in_session:
            return None
        high = self._high[places]
        passed = self.passes(profit + high, np.maximum(best, high))
        passed &= profit + self._low_before[places] > floor
        return passed
