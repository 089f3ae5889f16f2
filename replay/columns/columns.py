"""Quotes in arrays: the first quote outside its bounds is searched for, so Python sees only the quotes that matter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from replay.columns.extremes import UNSAID, Column, Extremes
from replay.columns.packed import Packed
from riskcore.core.bounds import NEVER, Bounds, Watch
from riskcore.core.quotes import Quotes, Row

Codes = NDArray[np.int16]
Given = Column | Packed
Side = Literal["left", "right"]
LAST, BID, ASK = range(3)  # The prices of a quote.


class Columns:
    """Quotes of any number of contracts, in order. `codes` are places in `names`; what is below 0 is no quote.

    UNSAID stands for a price that a quote leaves out.
    """

    def __init__(self, ats: Given, codes: Codes, names: list[str], lasts: Given, bids: Given, asks: Given) -> None:
        self.ats, self.codes, self.names = ats, codes, names
        self.lasts, self.bids, self.asks = lasts, bids, asks
        self._tracks: dict[str, _Track] = {}

    def track(self, contract: str) -> _Track | None:
        """What was quoted of one contract; None for one that never was."""
        found = self._tracks.get(contract)
        if found is None and contract in self.names:
            found = self._tracks[contract] = _Track(self, self.names.index(contract))
        return found

    def first_outside(self, start: int, end: int, watch: Watch, marked: Mapping[str, int]) -> int:
        """As Quotes.first_outside, with places in these columns."""
        found = self._first_later(watch.until - 1, start, end)
        for contract, gap_ns in watch.gaps.items():
            at = self._last_before_gap(contract, gap_ns, marked[contract], start, found)
            found = self._first_later(at + gap_ns, start, found)
        for contract, bounds in watch.bounds.items():
            track = self.track(contract)
            if track is not None:
                found = track.first_outside(start, found, bounds)
        return found

    def _first_later(self, at: int, start: int, end: int) -> int:
        """The first quote after an instant."""
        if start >= end or self.ats[end - 1] <= at:
            return end
        return _first_place(self.ats, at, start, end, "right")

    def _last_before_gap(self, contract: str, gap_ns: int, marked: int, start: int, end: int) -> int:
        """When the contract was quoted last before it was not quoted for so long, or before `end`."""
        track = self.track(contract)
        return marked if track is None else track.last_before_gap(start, end, gap_ns, marked)

    def moves(self, start: int, end: int) -> list[Row]:
        """As Quotes.moves."""
        found = [(*track.span(start, end), track) for name in self.names if (track := self.track(name)) is not None]
        moved = sorted((track.place(first), first, last, track) for first, last, track in found if first < last)
        return [track.move(first, last) for _, first, last, track in moved]


class _Track:
    """The quotes of one contract among those of others; they are counted by an index of their own."""

    def __init__(self, columns: Columns, code: int) -> None:
        self._columns = columns
        self._name = columns.names[code]
        codes = columns.codes
        # None: every quote is one of this contract, so that an index is a place. Nobody asks for what is no quote.
        alone = len(columns.names) == 1 or ((codes == code) | (codes < 0)).all()
        self._places: NDArray[np.int64] | None = None if alone else np.flatnonzero(codes == code)
        self._prices = [_Prices(self._own(column)) for column in (columns.lasts, columns.bids, columns.asks)]

    def _own(self, column: Given) -> Given:
        return column if self._places is None else column[self._places]

    @cached_property
    def _ats(self) -> Given:
        return self._own(self._columns.ats)

    @cached_property
    def _gaps(self) -> Extremes:
        """At each index how long before it the contract was not quoted."""
        ats = self._ats
        return ats.gaps if isinstance(ats, Packed) else Extremes(np.diff(ats, prepend=ats[:1]))

    def place(self, index: int) -> int:
        return index if self._places is None else int(self._places[index])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The indices of the quotes at the places from `start` to before `end`."""
        if self._places is None:
            return start, end
        first, last = self._places.searchsorted((start, end))
        return int(first), int(last)

    def first_outside(self, start: int, end: int, bounds: Bounds) -> int:
        """The first place from `start` to before `end` at which the contract leaves the bounds."""
        first, last = self.span(start, end)
        found = last
        for prices, low, high in zip(self._prices, bounds[::2], bounds[1::2], strict=True):
            found = prices.extremes.first_outside(first, found, low, high)
        if bounds == NEVER:
            found = first
        return end if found == last else self.place(found)

    def first_beyond(self, start: int, end: int, price: int, low: int, high: int) -> int:
        """The first place from `start` to before `end` that says a price (LAST, BID or ASK) outside these bounds."""
        first, last = self.span(start, end)
        found = self._prices[price].extremes.first_outside(first, last, low, high)
        return end if found == last else self.place(found)

    def last_before_gap(self, start: int, end: int, gap_ns: int, marked: int) -> int:
        """When it was quoted last before the first gap longer than `gap_ns`; `marked`: last before `start`."""
        first, last = self.span(start, end)
        if first == last or self._ats[first] - marked > gap_ns:
            return marked
        return int(self._ats[self._gaps.first_outside(first + 1, last, 0, gap_ns) - 1])

    def extremes(self, start: int, end: int) -> list[tuple[int, int]]:
        """Places and prices of the lowest and the highest last price from `start` to before `end`, in order.

        Of several that are as low or as high the first. Empty where none is said.
        """
        found = self._prices[0].extremes.lowest_and_highest(*self.span(start, end))
        return sorted({self.place(index): price for index, price in found}.items())

    def move(self, first: int, last: int) -> Row:
        """Where the quotes at these indices leave the contract."""
        price, bid, ask = (prices.newest(first, last) for prices in self._prices)
        return int(self._ats[last - 1]), self._name, price, bid, ask


class _Prices:
    """One price of a contract over its quotes."""

    def __init__(self, column: Given) -> None:
        self._column = column
        self.extremes = column.extremes if isinstance(column, Packed) else Extremes(column)

    @cached_property
    def _said(self) -> NDArray[np.int64]:
        """At each index which quote said a price last."""
        said = np.where(self._column[:] == UNSAID, -1, np.arange(len(self._column)))
        return np.maximum.accumulate(said)

    def newest(self, first: int, last: int) -> int | None:
        """The newest price that the quotes at these indices say."""
        found = int(self._column[last - 1])
        if found != UNSAID:
            return found
        said = int(self._said[last - 1])
        return int(self._column[said]) if said >= first else None


def _first_place(ats: Given, at: int, start: int, end: int, side: Side) -> int:
    """The first place from `start` to before `end` that is not before an instant, or on the right side: after it."""
    if isinstance(ats, Packed):
        return min(max(ats.searchsorted(at, side), start), end)
    # Places outside may be in any order.
    return start + int(ats[start:end].searchsorted(at, side))


class ColumnQuotes(Quotes):
    """Quotes from one place of some columns to before another; the lists are made when somebody reads them."""

    def __init__(self, columns: Columns, start: int, end: int) -> None:
        self._columns, self._start, self._end = columns, start, end

    def __getattr__(self, name: str) -> Any:
        columns = self._columns
        span = slice(self._start, self._end)
        found: list[Any]
        if name == "ats":
            found = columns.ats[span].tolist()
        elif name == "contracts":
            found = [columns.names[code] for code in columns.codes[span].tolist()]
        elif name in ("lasts", "bids", "asks"):
            found = [None if one == UNSAID else one for one in getattr(columns, name)[span].tolist()]
        else:
            raise AttributeError(name)
        setattr(self, name, found)
        return found

    def __len__(self) -> int:
        return self._end - self._start

    def arrays(self) -> tuple[Column, Codes, list[str], Column, Column, Column]:
        """The columns: when, codes, the names of those, last, bid and ask."""
        columns, span = self._columns, slice(self._start, self._end)
        return (
            columns.ats[span],
            columns.codes[span],
            columns.names,
            columns.lasts[span],
            columns.bids[span],
            columns.asks[span],
        )

    def row(self, index: int) -> Row:
        columns, place = self._columns, self._start + index
        last, bid, ask = (
            None if (price := int(column[place])) == UNSAID else price
            for column in (columns.lasts, columns.bids, columns.asks)
        )
        return int(columns.ats[place]), columns.names[columns.codes[place]], last, bid, ask

    def part(self, start: int, end: int) -> ColumnQuotes:
        return ColumnQuotes(self._columns, self._start + start, self._start + end)

    def first_at(self, at: int, start: int = 0) -> int:
        return _first_place(self._columns.ats, at, self._start + start, self._end, "left") - self._start

    def first_outside(self, start: int, end: int, watch: Watch, marked: Mapping[str, int]) -> int:
        base = self._start
        return self._columns.first_outside(base + start, base + end, watch, marked) - base

    def moves(self, start: int, end: int) -> list[Row]:
        return self._columns.moves(self._start + start, self._start + end)
