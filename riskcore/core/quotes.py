"""Consecutive quotes by column: four out of five messages of a day are quotes, so they travel many at once."""

from typing import NamedTuple

from riskcore.core.events import Event, QuoteObserved


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


Item = Event | Quotes


def quote_key(contract: str, at: int) -> str:
    """The natural key of a quote: what it is about and when it was received."""
    return f"quote:{contract}@{at}"


def quote_at(quotes: Quotes, index: int) -> Event:
    """One of them as a fact of its own."""
    at, contract, last, bid, ask = quotes.row(index)
    return Event(at, "market", quote_key(contract, at), QuoteObserved(contract, last, bid, ask))
