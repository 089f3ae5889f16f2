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
    """A column that can tell the first value outside bounds; what is UNSAID is outside of none.

    `blocks`: the lowest and highest of each whole block where they are known, of values that are all said. Such
    values may be anything that gives a column for a slice (packed.py).
    """

    def __init__(self, values: Any, blocks: tuple[Column, Column] | None = None) -> None:
        self._levels: list[tuple[Any, Any]] = [(values, values)]
        if blocks is None:
            self._has_unsaid = bool(values.min(initial=HIGHEST) == UNSAID)
        else:
            self._has_unsaid = False
            self._levels.append(blocks)

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
        lows, highs = self._range_at(level, start, end)
        below = lows < low
        if self._has_unsaid and not level:
            below &= lows != UNSAID
        outside = below | (highs > high)
        first = int(outside.argmax())
        return start + first if outside[first] else end

    def _range_at(self, level: int, start: int, end: int) -> tuple[Column, Column]:
        lows, highs = self._levels[level]
        low = lows[start:end]
        return low, low if highs is lows else highs[start:end]

    def lowest_and_highest(self, start: int, end: int) -> list[tuple[int, int]]:
        """The first places of the lowest and of the highest value, with these; none where all is UNSAID."""
        low, high = self._range(0, start, end)
        if high == UNSAID:
            return []
        lowest, highest = (low + 1, HIGHEST), (UNSAID, high - 1)
        return [(self.first_outside(start, end, *lowest), low), (self.first_outside(start, end, *highest), high)]

    def _range(self, level: int, start: int, end: int) -> tuple[int, int]:
        """The lowest and the highest value of some places."""
        if end - start <= _SCANNED:
            return self._range_of(level, start, end)
        whole, last = -(-start // FAN), end // FAN
        if level + 1 == len(self._levels):
            self._add_level()
        parts = (
            self._range_of(level, start, whole * FAN),
            self._range(level + 1, whole, last),
            self._range_of(level, last * FAN, end),
        )
        return min(low for low, _ in parts), max(high for _, high in parts)

    def _range_of(self, level: int, start: int, end: int) -> tuple[int, int]:
        lows, highs = self._range_at(level, start, end)
        if self._has_unsaid and not level:
            lows = lows[lows != UNSAID]
        return int(lows.min(initial=HIGHEST)), int(highs.max(initial=UNSAID))

    def _add_level(self) -> None:
        """A block in which nothing is said has HIGHEST as its lowest: it is below no bound."""
        lows, highs = self._levels[-1]
        whole = len(lows) // FAN * FAN
        blocks = lows[:whole].reshape(-1, FAN)
        if self._has_unsaid and len(self._levels) == 1:
            least = blocks.min(axis=1, initial=HIGHEST, where=blocks != UNSAID)
        else:
            least = blocks.min(axis=1)
        self._levels.append((least, highs[:whole].reshape(-1, FAN).max(axis=1)))
