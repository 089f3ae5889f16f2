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
    for day in days:
        for contract in day.traded():
            traded.setdefault(contract, True)
        found = [event for contract in sorted(traded) for event in _bars_of(day, bars, contract, uncovered)]
        found.sort(key=lambda event: event.at)
        yield _merged(day, found) if found else day


def _bars_of(day: DayFacts, bars: Bars, contract: str, uncovered: list[str]) -> list[Event]:
    if not day.ats:
        return []
    first_at, last_at = day.ats[0], day.ats[-1]
    # Time in a recording ends with its last line, so a bar that ends later never becomes known.
    found = [event for at, line in bars.lines(contract, first_at, last_at + 1) for event in normalise(line, at)]
    if not found and contract in day.traded():
        uncovered.append(f"{contract}: no bars between {utc_text(first_at)} and {utc_text(last_at)}")
    return found


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
    return merged
