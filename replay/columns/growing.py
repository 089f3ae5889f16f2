"""The columns of a day while it is read: facts are added one after another, and searched once all of them are there."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from replay.columns.columns import ColumnQuotes, Columns
from replay.columns.extremes import UNSAID
from riskcore.core.quotes import Quotes

NO_QUOTE = -1


class GrowingColumns:
    """One row a fact; what is no quote has the code NO_QUOTE. Nothing is added once `columns` has been asked for."""

    def __init__(self) -> None:
        self.ats: array[int] = array("q")
        self.names: list[str] = []
        self._codes: array[int] = array("h")
        self._prices = tuple(array("q") for _ in range(3))
        self._known: dict[str, int] = {}
        self._columns: Columns | None = None

    def __getstate__(self) -> dict[str, Any]:
        # What was worked out for searching is quickly worked out again, and larger than the facts.
        return {**self.__dict__, "_columns": None}

    @property
    def lasts(self) -> array[int]:
        """The last price of each row, 1e-9 points; UNSAID where it says none. So are bids and asks."""
        return self._prices[0]

    @property
    def bids(self) -> array[int]:
        return self._prices[1]

    @property
    def asks(self) -> array[int]:
        return self._prices[2]

    def code(self, name: str) -> int:
        """The number of a contract, a new one for one that is new."""
        code = self._known.get(name)
        if code is None:
            code = self._known[name] = len(self.names)
            self.names.append(name)
        return code

    def add_quotes(self, quotes: Quotes) -> None:
        """Consecutive quotes."""
        if isinstance(quotes, ColumnQuotes):
            ats, codes, names, *prices = quotes.arrays()
            places = np.zeros(len(names), np.int16)
            for used in np.flatnonzero(np.bincount(codes)).tolist():
                places[used] = self.code(names[used])
            self.ats.frombytes(ats.tobytes())
            self._codes.frombytes(places[codes].tobytes())
            for column, found in zip(self._prices, prices, strict=True):
                column.frombytes(found.tobytes())
            return
        self.ats.extend(quotes.ats)
        self._codes.extend([self.code(name) for name in quotes.contracts])
        for column, given in zip(self._prices, (quotes.lasts, quotes.bids, quotes.asks), strict=True):
            column.extend([UNSAID if one is None else one for one in given])

    def add_row(self, at: int, contract: str | None = None, last: int | None = None) -> None:
        """Any other fact; of a contract and a price where it is a print."""
        self.ats.append(at)
        self._codes.append(NO_QUOTE if contract is None else self.code(contract))
        self.lasts.append(UNSAID if last is None else last)
        self.bids.append(UNSAID)
        self.asks.append(UNSAID)

    def places(self, contract: str) -> array[int]:
        """The rows of a contract."""
        found: array[int] = array("i")
        code = self._known.get(contract)
        if code is not None:
            found.frombytes(np.flatnonzero(self.columns.codes == code).astype(np.int32).tobytes())
        return found

    @property
    def columns(self) -> Columns:
        """All rows, to be searched."""
        if self._columns is None:
            # The arrays are looked at where they are.
            ats, lasts, bids, asks = (np.frombuffer(one, np.int64) for one in (self.ats, *self._prices))
            self._columns = Columns(ats, np.frombuffer(self._codes, np.int16), self.names, lasts, bids, asks)
        return self._columns
