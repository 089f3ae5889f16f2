"""History bars beside a recording (`--bars`): facts of both courses once each becomes known (INTERFACE.md 6)."""

from bisect import bisect_left
from collections.abc import Iterator

from adapters.topstepx.normalise import normalise
from replay.imports.bars import Bars
from replay.whatif.market import DayFacts, Run
from riskcore.core.events import Event
from riskcore.core.quotes import Quotes
from riskcore.schema.instants import utc_text


def with_bars(days: Iterator[DayFacts], bars: Bars, uncovered: list[str]) -> Iterator[DayFacts]:
    """The days with the bars of every contract traded so far; what they do not cover is added to `uncovered`."""
    traded: dict[str, bool] = {}
    begun = False
    day = next(days, None)
    while day is not None:
        following = next(days, None)
        for contract in day.traded():
            traded.setdefault(contract, True)
        if day.ats:
            # Time begins with the first line of the recording and ends with its last one (RULES.md 1.1).
            start = day.day.opens_at if begun else day.ats[0]
            end = day.day.closes_at if following is not None else day.ats[-1] + 1
            _say_uncovered(day, bars, uncovered)
            day, begun = _with(day, bars, sorted(traded), start, end), True
        yield day
        day = following


def _with(day: DayFacts, bars: Bars, contracts: list[str], start: int, end: int) -> DayFacts:
    """The day with the bars that become known in [start, end) as facts, and those behind for prices alone."""
    found = [event for contract in contracts for event in _events(bars, contract, start, end)]
    found.sort(key=lambda event: event.at)
    merged = _merged(day, found) if found else day
    for contract in contracts:
        for event in _events(bars, contract, end, day.day.closes_at + 1):
            merged.add_price(event)
    return merged


def _events(bars: Bars, contract: str, start: int, end: int) -> list[Event]:
    return [event for at, line in bars.lines(contract, start, end) for event in normalise(line, at)]


def _say_uncovered(day: DayFacts, bars: Bars, uncovered: list[str]) -> None:
    first_at, last_at = day.ats[0], day.ats[-1]
    for contract in day.traded():
        if next(bars.lines(contract, first_at, last_at + 1), None) is None:
            uncovered.append(f"{contract}: no bars between {utc_text(first_at)} and {utc_text(last_at)}")


def _merged(day: DayFacts, bars: list[Event]) -> DayFacts:
    merged = DayFacts(day.day, day.lacks, day.opened, day.rolled_to)
    waiting = iter(bars)
    bar = next(waiting, None)
    for item in day.items:
        if not isinstance(item, Run):
            while bar is not None and bar.at <= item.event.at:
                merged.add_event(bar)
                bar = next(waiting, None)
            merged.add_event(item.event)
            continue
        quotes: Quotes = day.quotes(item.start, item.end)
        while bar is not None and bar.at <= quotes.ats[-1]:
            end = bisect_left(quotes.ats, bar.at)
            if end:
                merged.add_quotes(quotes.part(0, end))
                quotes = quotes.part(end, len(quotes.ats))
            merged.add_event(bar)
            bar = next(waiting, None)
        merged.add_quotes(quotes)
    while bar is not None:
        merged.add_event(bar)
        bar = next(waiting, None)
    return merged
