"""Journeys through a Combine or a challenge, many at a time: each passes, loses the account, or does neither.

Whole numbers only. The floor moves at the end of the day and a touch is a breach, inside the day or at its close;
the target is reached at the end of the day, or in session by the other reading (PROGRAMME.md 4, 5 and 10).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replay.odds.days import Flags, Integers, Table
from replay.odds.draws import COMBINE, Draws
from replay.odds.walk import Amounts, Walk, batches, gather
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
        rules = _Rules(terms, table.part(start, end), most_days)
        _travel(
            Walk(rules.table, draws, carried=3 if rules.best_counts else 2, scratch=2, amounts=rules.amounts),
            rules,
            found.ends[start:end].reshape(-1),
            found.days[start:end].reshape(-1),
            most_days,
        )
    return found


_PROFIT, _FLOOR, _BEST = range(3)
_NET, _LOW = range(2)
_WORTH_KEEPING = 8
_LARGEST = 2**31


def _travel(walk: Walk, rules: "_Rules", ends: NDArray[np.int8], days: NDArray[np.int16], most_days: int) -> None:
    walk.carried(_FLOOR)[:] = rules.first_floor
    # Journeys that have ended go on unnoticed until they are an eighth: leaving them behind costs more each day.
    gone = 0
    while walk.day < most_days and walk.size:
        profit, floor = walk.carried(_PROFIT), walk.carried(_FLOOR)
        best = walk.carried(_BEST) if rules.best_counts else None
        places = walk.step()
        net = gather(rules.net, places, walk.scratch(_NET))
        low = gather(rules.low, places, walk.scratch(_LOW))
        low += profit
        lost = low <= floor
        early = rules.passed_in_session(places, profit, floor, best)
        profit += net
        if best is not None:
            np.maximum(best, net, out=best)
        rules.raise_floor(floor, profit, low)
        passed = rules.passes(profit, best)
        passed &= ~lost
        if early is not None:
            passed |= early
        gone += _note(walk, passed, lost, ends, days)
        if gone * _WORTH_KEEPING > walk.size:
            walk.keep(np.flatnonzero(ends[walk.homes] == NEITHER))
            gone = 0


def _note(walk: Walk, passed: Flags, lost: Flags, ends: NDArray[np.int8], days: NDArray[np.int16]) -> int:
    """Note how journeys end, where it is their first end; returns how many those are. Who has passed is not lost."""
    which = (passed | lost).nonzero()[0]
    if not len(which):
        return 0
    homes = walk.homes[which]
    first = ends[homes] == NEITHER
    homes = homes[first]
    ends[homes] = np.where(passed[which[first]], PASSED, LOST)
    days[homes] = walk.day
    return len(homes)


class _Rules:
    """The firm's rules of one stage over columns. Profits and floors are measured from the start balance.

    Amounts are counted in the largest unit that divides all of them: where they fit, 32 bits are twice as fast.
    """

    def __init__(self, terms: Terms, table: Table, most_days: int) -> None:
        target, room = terms.target_usd, terms.maximum_loss_usd
        assert target is not None, "a stage that can be passed has a target"
        assert room is not None, "a stage that can be lost has a Maximum Loss Limit"
        self.table = table
        columns = [column.ravel() for column in (table.net, table.low, table.high, table.low_before_high)]
        unit = math.gcd(target, room, *(int(np.gcd.reduce(column)) for column in columns))
        # A journey goes on for a while after it has ended, so that every day counts.
        furthest = target + room + (most_days + 1) * max(int(np.abs(column).max()) for column in columns)
        self.amounts: type[np.int32 | np.int64] = np.int32 if furthest // unit < _LARGEST else np.int64
        self.net, self.low, self._high, self._low_before = ((column // unit).astype(self.amounts) for column in columns)
        self._target, self._room = target // unit, room // unit
        self._share = terms.consistency
        self._exclusive = terms.reading(CONSISTENCY_BOUNDARY) == "exclusive"
        self._in_session = terms.reading(PASS_AT) == "in_session"
        self._trails = terms.floor_kind == "eod"
        self.first_floor = -self._room
        largest = np.array([max(self.net.max(), self._high.max())], dtype=np.int64)
        # Where no day is large enough to raise the target, nothing hangs on the best one.
        self.best_counts = not self._is_allowed(largest, np.array([self._target], dtype=np.int64)).all()

    def raise_floor(self, floor: Amounts, profit: Amounts, spare: Amounts) -> None:
        """The end of the day moves the floor up, at most to the start. `spare` is overwritten."""
        if self._trails:
            np.subtract(profit, self._room, out=spare)
            np.minimum(spare, 0, out=spare)
            np.maximum(floor, spare, out=floor)

    def passes(self, profit: Amounts, best: Amounts | None) -> Flags:
        """Whether a profit passes beside a best day."""
        passed: Flags = profit >= self._target
        if best is not None:
            near = passed.nonzero()[0]
            passed[near] = self._is_allowed(best[near].astype(np.int64), profit[near].astype(np.int64))
        return passed

    def _is_allowed(self, best: Integers, profit: Integers) -> Flags:
        """Whether a best day is no larger a share of the profit than the consistency rule allows."""
        if self._share is None:
            return np.ones(len(best), dtype=np.bool_)
        largest, allowed = best * FRACTION_SCALE, profit * self._share
        return np.asarray(largest < allowed if self._exclusive else largest <= allowed)

    def passed_in_session(
        self, places: Integers, profit: Amounts, floor: Amounts, best: Amounts | None
    ) -> Flags | None:
        """By the other reading: whether what is realised inside the day passes before the floor is touched."""
        if not self._in_session:
            return None
        high = self._high[places]
        passed = self.passes(profit + high, None if best is None else np.maximum(best, high))
        passed &= profit + self._low_before[places] > floor
        return passed
