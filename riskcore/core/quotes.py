"""Consecutive quotes by column: four out of five messages of a day are quotes, so they travel many at once."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import sub

from riskcore.core.bounds import NEVER, Watch
from riskcore.core.events import Event, QuoteObserved

# Quotes looked at together. Longer chunks fail more often, shorter ones cost more calls.
CHUNK = 256
Row = tuple[int, str, int | None, int | None, int | None]
_Column = list[int] | list[str] | list[int | None]


@dataclass(eq=False)
class Quotes:
    """At least one quote; `ats` never decrease. None: the quote says nothing of it.

    The runner asks by the methods only, so that a day of quotes may be kept in a form that is searched faster
    (replay.columns); such a form makes the lists when somebody reads them.
    """

    ats: list[int]
    contracts: list[str]
    lasts: list[int | None]
    bids: list[int | None]
    asks: list[int | None]

    def __iter__(self) -> Iterator[_Column]:
        yield from (self.ats, self.contracts, self.lasts, self.bids, self.asks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotes) and tuple(self) == tuple(other)

    def __len__(self) -> int:
        return len(self.ats)

    def row(self, index: int) -> Row:
        """One quote: (at, contract, last, bid, ask)."""
        return self.ats[index], self.contracts[index], self.lasts[index], self.bids[index], self.asks[index]

    def part(self, start: int, end: int) -> "Quotes":
        """The quotes from `start` to before `end`."""
        return Quotes(
            self.ats[start:end],
            self.contracts[start:end],
            self.lasts[start:end],
            self.bids[start:end],
            self.asks[start:end],
        )

    def first_at(self, at: int, start: int = 0) -> int:
        """The first quote from `start` that was received at or after an instant; how many there are if none was."""
        return bisect_left(self.ats, at, start)

    def first_outside(self, start: int, end: int, watch: Watch, marked: Mapping[str, int]) -> int:
        """The first quote from `start` to before `end` that is not quiet; `end` if all are.

        marked: when each contract of `watch.gaps` was last quoted before `start`.
        """
        seen = dict(marked)
        for low in range(start, end, CHUNK):
            high = min(low + CHUNK, end)
            if self._all_quiet(low, high, watch, seen):
                if self.contracts[low] in seen:
                    seen[self.contracts[low]] = self.ats[high - 1]
                continue
            for index in range(low, high):
                at, contract, *prices = self.row(index)
                stale = any(at - seen[one] > gap_ns for one, gap_ns in watch.gaps.items())
                if stale or at >= watch.until or not watch.holds(contract, *prices):
                    return index
                if contract in seen:
                    seen[contract] = at
        return end

    def _all_quiet(self, low: int, high: int, watch: Watch, seen: Mapping[str, int]) -> bool:
        """Whether a whole chunk is quiet, by its extremes; False when only looking one by one can tell."""
        if self.ats[high - 1] >= watch.until:
            return False
        if not watch.bounds:
            return True
        ats = self.ats[low:high]
        contract = self.contracts[low]
        if len(set(self.contracts[low:high])) > 1:
            return False
        for watched, gap_ns in watch.gaps.items():
            if watched != contract:
                if ats[-1] - seen[watched] > gap_ns:
                    return False
            elif ats[0] - seen[watched] > gap_ns or max(map(sub, ats[1:], ats), default=0) > gap_ns:
                return False
        bounds = watch.bounds.get(contract)
        if bounds is None or bounds == NEVER:
            return bounds is None
        columns = (self.lasts, self.bids, self.asks)
        for column, least, most in zip(columns, bounds[::2], bounds[1::2], strict=True):
            said = [price for price in dict.fromkeys(column[low:high]) if price is not None]
            if said and not (least <= min(said) and max(said) <= most):
                return False
        return True

    def moves(self, start: int, end: int) -> list[Row]:
        """Where the quotes from `start` to before `end` leave each contract, by first appearance.

        (when it was last quoted, contract, the newest last, bid and ask that any of these quotes says)
        """
        contracts = self.contracts[start:end]
        if len(set(contracts)) == 1:
            newest = (_newest(column, start, end) for column in (self.lasts, self.bids, self.asks))
            last, bid, ask = newest
            return [(self.ats[end - 1], contracts[0], last, bid, ask)]
        found: dict[str, Row] = {}
        for at, contract, *prices in self.rows(start, end):
            known = found.get(contract, (at, contract, None, None, None))
            last, bid, ask = (old if new is None else new for old, new in zip(known[2:], prices, strict=True))
            found[contract] = (at, contract, last, bid, ask)
        return list(found.values())

    def rows(self, start: int, end: int) -> list[Row]:
        """The quotes from `start` to before `end`, one by one."""
        one = self.part(start, end)
        return list(zip(one.ats, one.contracts, one.lasts, one.bids, one.asks, strict=True))


Item = Event | Quotes


def _newest(column: Sequence[int | None], low: int, high: int) -> int | None:
    """The last price of a part of a column that says one."""
    return next((column[index] for index in range(high - 1, low - 1, -1) if column[index] is not None), None)


def quote_key(contract: str, at: int) -> str:
    """The natural key of a quote: what it is about and when it was received."""
    return f"quote:{contract}@{at}"


def quote_at(quotes: Quotes, index: int) -> Event:
    """One of them as a fact of its own."""
    at, contract, last, bid, ask = quotes.row(index)
    return Event(at, "market", quote_key(contract, at), QuoteObserved(contract, last, bid, ask))
