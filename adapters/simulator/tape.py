"""What the market hub says of a contract that trades: a sparse quote each time, now and then prints and depth."""

from collections.abc import Callable

from adapters.simulator import rows
from adapters.simulator.chance import Chance
from adapters.simulator.records import Instrument
from adapters.topstepx.fields import Object

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
