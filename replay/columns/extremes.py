"""The lowest and highest of a column, block by block and block of blocks by block of blocks.

The first value outside bounds is looked for in the blocks that may hold it, so that it costs O(log n) for any bounds
and any place to start from, and a few array operations of a fixed length each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]
UNSAID = -(2**63)  # A price that a quote leaves out: nothing is lower, and no price is as low.
HIGHEST = 2**63 - 1
FAN = 256  # Values in a block, and blocks in a block of blocks.
_SCANNED = 2 * FAN  # So few are looked at one by one at once.


class Extremes:
    """A column that can tell the first value outside bounds; what is UNSAID is outside of none."""

    def __init__(self, values: Column) -> None:
        lowest = values.min(initial=HIGHEST)
        lows = np.where(values == UNSAID, HIGHEST, values) if lowest == UNSAID else values
        self._levels: list[tuple[Column, Column]] = [(lows, values)]

    def first_outside(self, start: int, end: int, low: int, high: int) -> int:
        """The first place from `start` to before `end` whose value is below `low` or above `high`; `end` if none is."""
        # Bounds may be wider than the numbers of a column.
        low, high = max(low, UNSAID), min(high, HIGHEST)
        if low == UNSAID and high == HIGHEST:
            return end
        return self._find(0, start, end, low, high)

    def _find(self, level: int, start: int, end: int, low: int, high: int) -> int:
        if end - start <= _SCANNED:
            return self._scan(level, start, end, low, high)
        whole = -(-start // FAN) * FAN
        found = self._scan(level, start, whole, low, high)
        if found < whole:
            return found
        if level + 1 == len(self._levels):
            self._add_level()
        last = end // FAN
        block = self._find(level + 1, whole // FAN, last, low, high)
        if block < last:
            return self._scan(level, block * FAN, (block + 1) * FAN, low, high)
        return self._scan(level, last * FAN, end, low, high)

    def _scan(self, level: int, start: int, end: int, low: int, high: int) -> int:
        if start >= end:
            return end
        lows, highs = self._levels[level]
        outside: Any = (lows[start:end] < low) | (highs[start:end] > high)
        first = int(outside.argmax())
        return start + first if outside[first] else end

    def _add_level(self) -> None:
        lows, highs = self._levels[-1]
        whole = len(lows) // FAN * FAN
        self._levels.append(
            (lows[:whole].reshape(-1, FAN).min(axis=1), highs[:whole].reshape(-1, FAN).max(axis=1)),
        )
