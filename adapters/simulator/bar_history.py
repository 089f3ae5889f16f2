"""Bars of a simulated contract: from its quotes since it is quoted, quiet made-up ones before. Source: API.md 2.1."""

from dataclasses import dataclass

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


class BarHistory:
    """One contract. `price` is where it stood before its first quote."""

    def __init__(self, price: int, tick_size: int) -> None:
        self._price = price
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

    def _made_up(self, opens_at: int, unit_ns: int) -> Bar:
        """A quiet bar that is always the same and ends where the next one begins."""
        opened, close = (self._price + _wave(opens_at // unit_ns + step) * self._tick_size for step in (0, 1))
        high, low = max(opened, close) + self._tick_size, min(opened, close) - self._tick_size
        return Bar(opens_at, opened, high, low, close, 40 + 5 * _wave(opens_at // unit_ns))


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
