"""How the simulated exchange fills market orders: at once or slowly, whole or in parts, told in which order.

Nobody has measured how fast the broker fills a close (topstepx/API.md 9.5), so everything that a close has to survive
can be set here: RULES.md 1.6 "A close has an exit order" and 8.7.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import chain, repeat
from typing import Any

from adapters.simulator.chance import Chance
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError

PUSHES = ("order", "trade", "position")
_LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Execution:
    """The default is the exchange as captured: market orders fill at once, and a second close is refused as pending.

    pending_seconds: the least and the most that a market order rests as status 6, drawn anew for each; then silence
    until it fills. parts: the sizes of its fills, the last one repeated until nothing is left; () fills the whole.
    between_parts_seconds: from one part to the next. every_market_order: what is said of market orders concerns those
    of the trader and of Order/place too; else only those that closeContract and partialCloseContract make.
    pushes: the order in which one fill is pushed, a permutation of PUSHES; () as captured. shuffles_pushes: any order,
    drawn anew for each fill. push_gap_seconds: about how long from one of them to the next.
    fill_volume_lags: the order push of a part that leaves something unfilled tells the volume before that part.
    accepts_second_close: a close is taken while the order of an earlier one works, so that both may fill and the
    position reverses. size_fixed_at_acceptance: a close's order keeps its size whatever the position does; else it
    shrinks to what is open when it fills, and is cancelled when nothing is.
    Raises ConfigError.
    """

    pending_seconds: tuple[float, float] = (0.0, 0.0)
    parts: tuple[int, ...] = ()
    between_parts_seconds: float = 0.0
    every_market_order: bool = False
    pushes: tuple[str, ...] = ()
    shuffles_pushes: bool = False
    push_gap_seconds: float = 0.0
    fill_volume_lags: bool = False
    accepts_second_close: bool = False
    size_fixed_at_acceptance: bool = True

    def __post_init__(self) -> None:
        least, most = self.pending_seconds
        if not 0 <= least <= most <= _LONGEST_SECONDS:
            raise ConfigError(f"pending_seconds are the least and the most, up to {_LONGEST_SECONDS:g}")
        if not all(0 <= one <= _LONGEST_SECONDS for one in (self.between_parts_seconds, self.push_gap_seconds)):
            raise ConfigError(f"between_parts_seconds and push_gap_seconds are 0 to {_LONGEST_SECONDS:g}")
        if any(part < 1 for part in self.parts):
            raise ConfigError("parts are sizes of at least one contract")
        if self.pushes and sorted(self.pushes) != sorted(PUSHES):
            raise ConfigError(f"pushes name {', '.join(PUSHES)}, each once")

    def takes_its_time(self, closes: bool) -> bool:
        """Whether an order, a close or another one at market, is filled later or in parts of its own."""
        return (closes or self.every_market_order) and bool(self.pending_seconds[1] or self.parts)

    def pending_ns(self, chance: Chance) -> int:
        """How long one order rests before it begins to fill."""
        least, most = (round(one * SECOND_NS) for one in self.pending_seconds)
        return chance.between(least, most) if most > least else least

    def sizes(self) -> Iterator[int]:
        """The sizes of one order's fills, without end; each is bounded by what is left."""
        return chain(self.parts, repeat(self.parts[-1])) if self.parts else repeat(1 << 31)

    def push_order(self, captured: tuple[str, ...], chance: Chance) -> tuple[str, ...]:
        """In which order one fill is pushed; `captured` is how the broker was seen to do it."""
        told = list(self.pushes or captured)
        if self.shuffles_pushes:
            for last in range(len(told) - 1, 0, -1):
                other = chance.between(0, last)
                told[last], told[other] = told[other], told[last]
        return tuple(told)


AS_CAPTURED = Execution()


def execution_of(written: dict[str, Any]) -> Execution:
    """The settings out of a JSON object of their fields; what is left out is as by default. Raises ConfigError."""
    numbers: dict[str, Callable[[Any], Any]] = {
        "pending_seconds": _least_and_most,
        "parts": lambda value: tuple(int(one) for one in value),
        "pushes": lambda value: tuple(str(one) for one in value),
        "between_parts_seconds": float,
        "push_gap_seconds": float,
    }
    names = [field.name for field in fields(Execution)]
    unknown = [name for name in written if name not in names]
    if unknown:
        raise ConfigError(f"execution has no {', '.join(unknown)!s:.60}; it has {', '.join(names)}")
    readers: dict[str, Callable[[Any], Any]] = {**dict.fromkeys(names, _switch), **numbers}
    try:
        return Execution(**{name: readers[name](value) for name, value in written.items()})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"no execution: {error}") from None


def _least_and_most(value: Any) -> tuple[float, float]:
    """One number is both."""
    if not isinstance(value, list):
        return float(value), float(value)
    least, most = value
    return float(least), float(most)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.20} is neither true nor false")
    return value
