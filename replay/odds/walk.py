"""Where journeys stand in their days: which day each of them lives next, and which of them still go on.

The columns of all journeys live in room that is used again and again: fresh memory costs more than the arithmetic.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from replay.odds.days import Integers, Table
from replay.odds.draws import Draws

Amounts = NDArray[Any]  # Whole numbers of 32 or of 64 bits.
# So many journeys at a time stay near the processor's cache.
AT_ONCE = 80_000


class Walk:
    """Journeys through the settings of a table, `draws.journeys` of each, with further columns for what they carry.

    Every column and every scratch array has one place for each journey that goes on. `amounts`: the numbers of those
    that are carried, and of scratch.
    """

    def __init__(
        self, table: Table, draws: Draws, carried: int, scratch: int, amounts: type[np.int32 | np.int64] = np.int64
    ) -> None:
        self.day = 0
        self.size = table.settings * draws.journeys
        self._table, self._draws = table, draws
        self._last = table.last.ravel()
        self._starts = (table.starts + np.arange(table.settings)[:, None] * table.days).ravel()
        first_block = np.repeat(np.arange(table.settings, dtype=np.int64) * table.blocks, draws.journeys)
        ids = np.tile(np.arange(draws.journeys, dtype=np.int64), table.settings)
        homes = np.arange(self.size, dtype=np.int64)
        # Where each journey is, beside these, counts only for blocks of several days.
        self._columns = [ids, first_block, homes, *([] if table.single else [np.zeros_like(ids)])]
        self._spare = np.zeros_like(ids)
        self._carried, self._scratch = (
            [np.zeros(self.size, dtype=amounts) for _ in range(count)] for count in (carried, scratch)
        )

    @property
    def ids(self) -> Integers:
        return self._columns[0][: self.size]

    def carried(self, index: int) -> Amounts:
        """One column of what journeys carry from day to day, 0 at first."""
        return self._carried[index][: self.size]

    def scratch(self, index: int) -> Amounts:
        return self._scratch[index][: self.size]

    @property
    def homes(self) -> Integers:
        """Where each journey is noted in a flat column of all of them, setting by setting."""
        return self._columns[2][: self.size]

    def step(self) -> Integers:
        """The places, in the flattened columns of the table, of the days that are lived now."""
        drawn = self._spare[: self.size]
        gather(self._draws.row(self.day, self._table.blocks), self.ids, drawn)
        drawn += self._columns[1][: self.size]
        self.day += 1
        if self._table.single:
            return drawn
        places = self._columns[3][: self.size]
        if self.day == 1:
            gather(self._starts, drawn, places)
        else:
            begun = self._starts[drawn]
            np.copyto(places, np.where(self._last[places], begun, places + 1))
        return places

    def keep(self, places: Integers) -> None:
        """Only these journeys go on."""
        for index, column in enumerate(self._columns):
            gather(column[: self.size], places, self._spare[: len(places)])
            self._columns[index], self._spare = self._spare, column
        for index, amounts in enumerate(self._carried):
            gather(amounts[: self.size], places, self._scratch[0][: len(places)])
            self._carried[index], self._scratch[0] = self._scratch[0], amounts
        self.size = len(places)


def gather(column: Amounts, places: Integers, found: Amounts) -> Amounts:
    """The numbers of a column at places, written into `found`. Every place is inside the column."""
    column.take(places, out=found, mode="clip")
    return found


def batches(settings: int, journeys: int) -> list[tuple[int, int]]:
    """Settings that go through their journeys together: from, and before."""
    size = max(AT_ONCE // journeys, 1)
    return [(start, min(start + size, settings)) for start in range(0, settings, size)]
