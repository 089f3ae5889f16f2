"""Consecutive quotes by column: four out of five messages of a day are quotes, so they travel many at once."""

from typing import NamedTuple


class Quotes(NamedTuple):
    """At least one quote; `ats` never decrease. None: the quote says nothing of it."""

    ats: list[int]
    contracts: list[str]
    lasts: list[int | None]
    bids: list[int | None]
    asks: list[int | None]

    def row(self, index: int) -> tuple[int, str, int | None, int | None, int | None]:
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
