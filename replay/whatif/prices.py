"""A column of prices in little room: a day has a million of each. Prices are 1e-9 points."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

UNSAID = -(2**63)  # What a quote says nothing of.
_UNIT = 10**6  # Thousandths of a point: what most products trade in.
_MOST = 2**31 - 1
_SMALL_UNSAID = -(2**31)


class Prices:
    """Grows at its end. Four bytes a price while all are whole thousandths of a point, eight from then on."""

    def __init__(self) -> None:
        self._small = True
        self._column: array[int] = array("i")

    def extend(self, prices: Sequence[int | None]) -> None:
        if self._small:
            # Prices come again and again, so each is looked at once.
            seen = set(prices)
            if any(one is not None and (one % _UNIT or abs(one) >= _MOST * _UNIT) for one in seen):
                self._widen()
        if self._small:
            units = {one: _SMALL_UNSAID if one is None else one // _UNIT for one in seen}
            self._column.extend([units[one] for one in prices])
        else:
            self._column.extend([UNSAID if one is None else one for one in prices])

    def _widen(self) -> None:
        self._column = array("q", [self._exact(one) for one in self._column])
        self._small = False

    @staticmethod
    def _exact(one: int) -> int:
        return UNSAID if one == _SMALL_UNSAID else one * _UNIT

    def __getitem__(self, place: int) -> int:
        """The price at a place, UNSAID where nothing was said."""
        return self._exact(self._column[place]) if self._small else self._column[place]

    def extremes(self, start: int, end: int) -> list[tuple[int, int]]:
        """Places and prices of the lowest and the highest from `start` to before `end`, in order of place."""
        column = self._column[start:end]
        unsaid = _SMALL_UNSAID if self._small else UNSAID
        said = [one for one in column if one != unsaid] if unsaid in column else column
        if not said:
            return []
        unit = _UNIT if self._small else 1
        found = {start + column.index(one): one * unit for one in (min(said), max(said))}
        return sorted(found.items())

    def part(self, start: int, end: int) -> list[int | None]:
        """The prices from `start` to before `end`."""
        column = self._column[start:end].tolist()
        if self._small:
            return [None if one == _SMALL_UNSAID else one * _UNIT for one in column]
        return [None if one == UNSAID else one for one in column]
