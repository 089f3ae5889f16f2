"""Where a scenario lets the price of a contract go: straight lines between targets, and a little noise."""

from bisect import bisect_right

from adapters.simulator.records import Instrument
from adapters.simulator.scenario import PricePath
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
