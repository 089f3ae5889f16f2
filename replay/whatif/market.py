"""The facts of one trading day, each at its place, and the market of that day as columns that are bisected.

The market is a fact of both courses (WHATIF.md 2), so what the counterfactual broker will find is looked up the
moment it is needed. Every fact has a place in the day: a quote is one, an event is one. Prices are 1e-9 points,
instants nanoseconds UTC.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from replay.columns.columns import ColumnQuotes
from replay.columns.extremes import UNSAID
from replay.columns.growing import GrowingColumns
from riskcore.core import events as e
from riskcore.core.quotes import Quotes
from riskcore.core.state import Day, Mark


class Side(NamedTuple):
    """One price of the market as it was known at a place, and when it was said."""

    price: int
    at: int


class Bar(NamedTuple):
    """One history bar; `ends_at` is when it becomes known."""

    opens_at: int
    ends_at: int
    open: int
    high: int
    low: int
    close: int


@dataclass(slots=True)
class Run:
    """Quotes at the places from `start` to before `end`."""

    start: int
    end: int


@dataclass(slots=True)
class Told:
    """One fact that is no plain quote, at its place."""

    place: int
    event: e.Event


@dataclass(slots=True)
class DayFacts:
    """One trading day of the recording. `marks` are the prices it starts with."""

    day: Day
    lacks: tuple[str, ...] = ()
    opened: e.Event | None = None  # The recorded opening of a journal export.
    rolled_to: str | None = None  # The date in the recorded DayRolled of a journal export.
    items: list[Run | Told] = field(default_factory=list)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    outlined: bool = False  # Its facts have been let go of; `fill` brings them back.
    _columns: GrowingColumns = field(default_factory=GrowingColumns)
    _places: dict[str, array[int]] = field(default_factory=dict)
    _bars: dict[str, list[Bar]] = field(default_factory=dict)
    _later_bars: dict[str, list[Bar]] = field(default_factory=dict)  # Nobody heard of them; they price what is closed.
    _fills: dict[tuple[int, str], list[tuple[int, int, int]]] = field(default_factory=dict)

    # ---- what comes in -------------------------------------------------------------------------------

    @property
    def ats(self) -> array[int]:
        """When each fact was received."""
        return self._columns.ats

    def add_quotes(self, quotes: Quotes) -> None:
        """Consecutive quotes of this day."""
        start = len(self.ats)
        self._columns.add_quotes(quotes)
        if self.items and isinstance(self.items[-1], Run):
            self.items[-1].end = len(self.ats)
        else:
            self.items.append(Run(start, len(self.ats)))

    def add_event(self, event: e.Event) -> None:
        """Any other fact of this day."""
        body = event.body
        if isinstance(body, e.QuotesObserved):
            self.add_quotes(Quotes(*(list(column) for column in zip(*body.quotes, strict=True))))
            return
        if isinstance(body, e.QuoteObserved):
            self.add_quotes(Quotes([event.at], [body.contract], [body.last], [body.bid], [body.ask]))
            return
        place = len(self.ats)
        self.items.append(Told(place, event))
        if isinstance(body, e.MarketTraded):
            self._columns.add_row(event.at, body.contract, body.price)
        else:
            self._columns.add_row(event.at)
        if isinstance(body, e.BarObserved):
            self._bars.setdefault(body.contract, []).append(_bar(body))
        elif isinstance(body, e.TradeRecorded):
            self._fills.setdefault((body.account, body.contract), []).append((event.at, place, body.price))

    def add_price(self, event: e.Event) -> None:
        """A bar of this day that ends behind the last fact: it prices what is closed by then, and tells nobody."""
        body = event.body
        if isinstance(body, e.BarObserved):
            self._later_bars.setdefault(body.contract, []).append(_bar(body))

    def outline(self) -> DayFacts:
        """The day without its facts, for one that may not be needed again."""
        outlined = DayFacts(self.day, self.lacks, self.opened, self.rolled_to, outlined=True)
        for at in self.ats[:1]:
            outlined._columns.add_row(at)
        return outlined

    def fill(self, whole: DayFacts) -> None:
        """Give an outline the facts of the same day."""
        self.outlined = False
        self.items, self._columns, self._places = whole.items, whole._columns, whole._places
        self._bars, self._later_bars, self._fills = whole._bars, whole._later_bars, whole._fills

    # ---- what is looked up ---------------------------------------------------------------------------

    def quotes(self, start: int, end: int) -> Quotes:
        """The quotes at these places, which must all be quotes."""
        return ColumnQuotes(self._columns.columns, start, end)

    def places(self, contract: str) -> array[int]:
        """The places of everything the market said of a contract."""
        found = self._places.get(contract)
        if found is None:
            found = self._places[contract] = self._columns.places(contract)
        return found

    def first_quote(self, contract: str, at: int, place: int) -> int | None:
        """Which of `places(contract)` is the first at or after an instant that is not before a place."""
        places = self.places(contract)
        index = bisect_left(places, max(place, bisect_left(self.ats, at)))
        return index if index < len(places) else None

    def said(self, contract: str, index: int) -> tuple[int, int, int]:
        """Last, bid and ask of one quote of a contract as it came; UNSAID where it left one out."""
        place = self.places(contract)[index]
        columns = self._columns
        return columns.lasts[place], columns.bids[place], columns.asks[place]

    def last(self, contract: str, index: int) -> Side | None:
        """The last price as known with the quote at an index of `places(contract)`."""
        return self._back(self._columns.lasts, contract, index, "last")

    def bid(self, contract: str, index: int) -> Side | None:
        """The bid as known with that quote."""
        return self._back(self._columns.bids, contract, index, "bid")

    def ask(self, contract: str, index: int) -> Side | None:
        """The ask as known with that quote."""
        return self._back(self._columns.asks, contract, index, "ask")

    def _back(self, column: array[int], contract: str, index: int, name: str) -> Side | None:
        """A quote that leaves a side out keeps the side's last value."""
        places = self.places(contract)
        for one in range(index, -1, -1):
            price = column[places[one]]
            if price != UNSAID:
                return Side(price, self.ats[places[one]])
        mark = self.marks.get(contract)
        known: int | None = None if mark is None else getattr(mark, name)
        return Side(known, mark.at) if mark is not None and known is not None else None

    def next_outside(self, contract: str, index: int, price: int, low: int, high: int) -> int:
        """Which of `places(contract)` from an index on is the first that says a price outside these bounds.

        `price` is LAST, BID or ASK of the columns. Their number where none does.
        """
        places, track = self.places(contract), self._columns.columns.track(contract)
        if track is None or index >= len(places):
            return len(places)
        return bisect_left(places, track.first_beyond(places[index], len(self.ats), price, low, high))

    def first_bar(self, contract: str, at: int) -> Bar | None:
        """The first bar of a contract that ends after an instant; of several the shortest."""
        known = (self._bars.get(contract, ()), self._later_bars.get(contract, ()))
        later = [bar for bars in known for bar in bars if bar.ends_at > at]
        return min(later, key=lambda bar: (bar.ends_at, bar.ends_at - bar.opens_at), default=None)

    def bars_after(self, contract: str, at: int) -> list[Bar]:
        """The bars of a contract that end after an instant and no quote falls into, in order, none over another."""
        found: list[Bar] = []
        later = [bar for bar in self._bars.get(contract, ()) if bar.ends_at > at]
        quoted = [self.ats[place] for place in self.places(contract)] if later else []
        for bar in sorted(later, key=lambda bar: (bar.ends_at, bar.ends_at - bar.opens_at)):
            covered = bisect_left(quoted, bar.opens_at) < bisect_left(quoted, bar.ends_at)
            if not covered and (not found or bar.opens_at >= found[-1].ends_at):
                found.append(bar)
        return found

    def next_fill(self, account: int, contract: str, at: int, place: int) -> int | None:
        """The place of the account's next recorded fill of a contract at or after an instant."""
        fills = self._fills.get((account, contract), ())
        return next((one for told_at, one, _ in fills if told_at >= at and one >= place), None)

    def fill_price(self, place: int) -> int:
        """The price of the recorded fill at a place."""
        return next(price for fills in self._fills.values() for _, one, price in fills if one == place)

    def first_place(self, at: int) -> int:
        """The place of the first fact at or after an instant."""
        return bisect_left(self.ats, at)

    def last_before(self, contract: str, place: int) -> Side | None:
        """The last price as known before a place."""
        return self.last(contract, bisect_left(self.places(contract), place) - 1)

    def extremes(self, contracts: list[str], start: int, end: int, *, turns: bool) -> list[tuple[int, str, int]]:
        """Where the last price matters from `start` to before `end`: (place, contract, last), in order.

        Of one contract its lowest and its highest, with `turns` each new high and low and the furthest it went back
        from them; of several every one, for their sum may be extreme anywhere.
        """
        found: list[tuple[int, str, int]] = []
        for contract in contracts:
            if len(contracts) == 1 and not turns:
                track = self._columns.columns.track(contract)
                extremes = [] if track is None else track.extremes(start, end)
                found += [(place, contract, last) for place, last in extremes]
                continue
            said = self._said(contract, start, end)
            if turns and said and len(contracts) == 1:
                said = turning_points(said)
            found += [(place, contract, last) for last, place in said]
        return sorted(found)

    def _said(self, contract: str, start: int, end: int) -> list[tuple[int, int]]:
        """Every last price of a contract from `start` to before `end`, with its place."""
        places, lasts = self.places(contract), self._columns.lasts
        inside = places[bisect_left(places, start) : bisect_left(places, end)]
        return [(lasts[place], place) for place in inside if lasts[place] != UNSAID]

    def traded(self) -> list[str]:
        """The contracts that any account traded on this day."""
        return sorted({contract for _, contract in self._fills})

    @property
    def has_bars(self) -> bool:
        return bool(self._bars or self._later_bars)

    @property
    def last_at(self) -> int | None:
        """When the last fact of the day was received."""
        return self.ats[-1] if self.ats else None


def _bar(body: e.BarObserved) -> Bar:
    return Bar(body.opens_at, body.opens_at + body.unit_ns, body.open, body.high, body.low, body.close)


def turning_points(said: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of prices with their places: what a level that trails the price, from above or below, may stand or be met at."""
    found: dict[tuple[int, int], None] = {}
    for way in (1, -1):
        best = furthest = said[0]
        for one in said:
            if one[0] * way > best[0] * way:
                found[furthest] = found[best] = None
                best = furthest = one
            elif one[0] * way < furthest[0] * way:
                furthest = one
        found[furthest] = found[best] = None
    return list(found)
