"""Where a scenario lets the price of a contract go, and how the market hub reports it: quotes, prints, depth."""

from bisect import bisect_right
from collections.abc import Callable

from adapters.simulator import rows
from adapters.simulator.chance import Chance
from adapters.simulator.records import Instrument
from adapters.simulator.scenario import PricePath
from adapters.topstepx.fields import Object
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of


class MovingPrice:
    """The path of one contract. Before the script begins it stands at its first price."""

    def __init__(self, plan: PricePath, instrument: Instrument) -> None:
        self.instrument = instrument
        self.noise_ticks = plan.noise_ticks
        self.every_ns = SECOND_NS // plan.quotes_per_second
        targets = [(round(second * SECOND_NS), price_of(target)) for second, target in plan.targets]
        self._points = [(0, price_of(plan.start)), *targets]
        self._seconds = [elapsed for elapsed, _ in self._points]

    def line(self, elapsed: int) -> int:
        """The price on the tick grid so many nanoseconds after the beginning, without noise."""
        index = bisect_right(self._seconds, max(elapsed, 0)) - 1
        at, price = self._points[index]
        if index + 1 < len(self._points):
            next_at, next_price = self._points[index + 1]
            price += (next_price - price) * (max(elapsed, 0) - at) // (next_at - at)
        return price // self.instrument.tick_size * self.instrument.tick_size

    def aim(self, price: int, elapsed: int, within: int) -> None:
        """Leave the plan so many nanoseconds after the beginning and be at `price` `within` nanoseconds later."""
        self._points = [(0, self.line(0)), (elapsed, self.line(elapsed)), (elapsed + max(within, 1), price)]
        self._seconds = [at for at, _ in self._points]


_PRINTS_EVERY, _DEPTH_EVERY = 9, 31  # In quotes.


class Tape:
    """The market hub of one broker. `tell` takes each event, `chance` decides (API.md 0.11, 4.3)."""

    def __init__(self, tell: Callable[[Object], None], chance: Chance) -> None:
        self._tell = tell
        self._chance = chance
        self._quotes = 0

    def trade(self, instrument: Instrument, last: int, at: int) -> None:
        """The market trades at `last`; told are the fields of the quote that changed."""
        self._quotes += 1
        before = (instrument.last, instrument.bid, instrument.ask)
        instrument.move_to(last, 1 if self._chance.happens(0.75) else 2)
        volume = 1 + self._chance.between(0, 12)
        instrument.volume += volume
        if self._quotes % _PRINTS_EVERY == 0:
            sizes = [1, 0, volume] if self._chance.happens(0.3) else [volume]
            self._tell(rows.prints(instrument, sizes, self._chance.happens(0.5), at))
        if self._quotes % _DEPTH_EVERY == 0:
            self._tell(rows.depth(instrument, [3 + self._chance.between(0, 20) for _ in range(4)], at))
        self._tell(rows.quote(instrument, self._changed(instrument, before, at), at))

    def _changed(self, instrument: Instrument, before: tuple[int, int, int], at: int) -> Object:
        """The fields of a quote that changed; all of them in the first one."""
        names = ("lastPrice", "bestBid", "bestAsk")
        after = (instrument.last, instrument.bid, instrument.ask)
        first = not instrument.quoted_at
        instrument.quoted_at = at
        changed: Object = {"symbolName": f"/{instrument.root}"} if first else {}
        for name, old, new in zip(names, before, after, strict=True):
            if first or old != new:
                changed[name] = rows.price(new)
        if first:
            changed |= {name: rows.price(getattr(instrument, name)) for name in ("open", "high", "low")}
        if first or self._chance.happens(0.5):
            changed["volume"] = instrument.volume
        return changed
