"""Bars of a simulated contract: from its quotes since it is quoted, quiet made-up ones before. Source: API.md 2.1."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from riskcore.core.quantities import MINUTE_NS, SECOND_NS

_SECONDS_KEPT, _MINUTES_KEPT = 7_200, 20_160  # Two hours, two weeks.


@dataclass(slots=True)
class Bar:
    """`opens_at` in nanoseconds, prices of 1e-9 points."""

    opens_at: int
    open: int
    high: int
    low: int
    close: int
    volume: int

    def add(self, later: "Bar") -> None:
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume += later.volume


# Of a market that moves: how long a wave is in minutes, and how many ticks high.
_WAVES = ((7_001, 900), (1_501, 320), (241, 110), (47, 40), (13, 14))


class BarHistory:
    """One contract. `price` is where it stood before its first quote.

    With `trades`, which says whether the exchange trades at an instant, what is made up moves as a market does and
    stands still when the exchange does; without it, it is quiet and always there.
    """

    def __init__(self, price: int, tick_size: int, trades: Callable[[int], bool] | None = None) -> None:
        self._price = price
        self._trades = trades
        self._tick_size = tick_size
        self._began: int | None = None
        self._seconds: dict[int, Bar] = {}  # By the number of the second; oldest first.
        self._minutes: dict[int, Bar] = {}

    def note(self, at: int, price: int, volume: int) -> None:
        """The contract traded."""
        if self._began is None:
            self._began = at // MINUTE_NS * MINUTE_NS
        _note(self._seconds, SECOND_NS, _SECONDS_KEPT, Bar(at, price, price, price, price, volume))
        _note(self._minutes, MINUTE_NS, _MINUTES_KEPT, Bar(at, price, price, price, price, volume))

    def newest_first(self, unit_ns: int, start: int, end: int, limit: int) -> list[Bar]:
        """At most `limit` bars that open in [start, end), the latest ones. Seconds without a trade have none."""
        base, base_ns = (self._minutes, MINUTE_NS) if unit_ns >= MINUTE_NS else (self._seconds, SECOND_NS)
        oldest_kept = next(iter(base), 0) * base_ns
        found: list[Bar] = []
        opens_at = (end - 1) // unit_ns * unit_ns
        while opens_at >= start and len(found) < limit:
            bar: Bar | None
            if self._began is None or opens_at + unit_ns <= self._began:
                bar = self._made_up(opens_at, unit_ns)
            else:
                first = max(opens_at, oldest_kept)
                numbers = range(first // base_ns, (opens_at + unit_ns - 1) // base_ns + 1)
                bar = _together(opens_at, [base[number] for number in numbers if number in base])
            if bar is not None:
                found.append(bar)
            opens_at -= unit_ns
        return found

    def price_at(self, at: int) -> int:
        """Where a market that moves stood at an instant before the first quote: the close of the bar that ends then."""
        minute, rest = divmod(at, MINUTE_NS)
        here, there = self._minute_price(minute), self._minute_price(minute + 1)
        return self._on_grid(here + (there - here) * rest // MINUTE_NS)

    def _minute_price(self, minute: int) -> int:
        return self._price + _ticks_at(minute) * self._tick_size

    def _on_grid(self, price: int) -> int:
        return price // self._tick_size * self._tick_size

    def _moving(self, opens_at: int, unit_ns: int) -> Bar | None:
        """A bar of a market that moves, whatever its length out of the same prices; None while the exchange halts."""
        assert self._trades is not None, "a quiet history has quiet bars"
        step = min(unit_ns, MINUTE_NS)
        starts = [at for at in range(opens_at, opens_at + unit_ns, step) if self._trades(at)]
        if not starts:
            return None
        prices = [self.price_at(starts[0]), *(self.price_at(at + step) for at in starts)]
        volume = 20 + sum(at // step * 7919 % 60 for at in starts)
        return Bar(
            opens_at, prices[0], max(prices) + self._tick_size, min(prices) - self._tick_size, prices[-1], volume
        )

    def _made_up(self, opens_at: int, unit_ns: int) -> Bar | None:
        """A bar that is always the same and ends where the next one begins."""
        if self._trades is not None:
            return self._moving(opens_at, unit_ns)
        opened, close = (self._price + _wave(opens_at // unit_ns + step) * self._tick_size for step in (0, 1))
        high, low = max(opened, close) + self._tick_size, min(opened, close) - self._tick_size
        return Bar(opens_at, opened, high, low, close, 40 + 5 * _wave(opens_at // unit_ns))


@lru_cache(maxsize=1 << 16)
def _ticks_at(minute: int) -> int:
    """How far a market that moves is from its price, the same for every contract: seven weeks of minutes are kept."""
    return sum(_triangle(minute, length, height) for length, height in _WAVES) + minute * 7919 % 9 - 4


def _triangle(minute: int, length: int, height: int) -> int:
    """Up and down between 0 and `height` once in `length` minutes."""
    place = minute % length * 2
    return height * (place if place < length else 2 * length - place) // length - height // 2


def _wave(number: int) -> int:
    """A few ticks up or down."""
    return number * 7919 % 9 - 4


def _note(bars: dict[int, Bar], unit_ns: int, kept: int, bar: Bar) -> None:
    number = bar.opens_at // unit_ns
    if number in bars:
        bars[number].add(bar)
        return
    bars[number] = bar
    if len(bars) > kept:
        del bars[next(iter(bars))]


def _together(opens_at: int, bars: list[Bar]) -> Bar | None:
    if not bars:
        return None
    whole = Bar(opens_at, bars[0].open, bars[0].high, bars[0].low, bars[0].close, bars[0].volume)
    for bar in bars[1:]:
        whole.add(bar)
    return whole
