"""Which block each journey draws on each of its days: the same for every setting (common random numbers).

Whole numbers from the raw stream of PCG64, which numpy keeps the same for good: the same seed gives the same journeys
on every machine, and under every version of Python and numpy.
"""

import numpy as np
from numpy.typing import NDArray

from replay.odds.days import Integers

COMBINE, FUNDED, OUTER = 0, 1, 2  # Streams of one seed that have nothing to do with one another.
_LOW_BITS = np.uint64(32)


class Draws:
    """One row of draws for each day of the journeys. Rows are kept while several settings go through them."""

    def __init__(self, seed: int, stream: int, journeys: int, *, keep: bool) -> None:
        self.journeys = journeys
        self._source = np.random.PCG64([seed, stream])
        self._rows: list[NDArray[np.uint32]] = []
        self._keep = keep
        self._next = 0
        self._among, self._found = 0, dict[int, Integers]()

    def row(self, day: int, among: int) -> Integers:
        """A number from 0 to before `among` for every journey on its day number `day`."""
        while self._next <= day:
            raw = (self._source.random_raw(self.journeys) >> _LOW_BITS).astype(np.uint32)
            if not self._keep:
                self._rows.clear()
            self._rows.append(raw)
            self._next += 1
        if not self._keep:
            return _below(self._rows[-1], among)
        if among != self._among:
            self._among, self._found = among, {}
        if day not in self._found:
            self._found[day] = _below(self._rows[day], among)
        return self._found[day]


def _below(raw: NDArray[np.uint32], among: int) -> Integers:
    return ((raw.astype(np.uint64) * np.uint64(among)) >> _LOW_BITS).astype(np.int64)


def resamples(seed: int, count: int, blocks: int) -> Integers:
    """So many resamples of as many blocks as there are, drawn with replacement."""
    return Draws(seed, OUTER, count * blocks, keep=False).row(0, blocks).reshape(count, blocks)
