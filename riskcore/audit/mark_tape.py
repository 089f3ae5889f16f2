"""How far each contract's price went between one fill and the next: what excursions of round trips are read from.

Only what a quote itself says counts: a price that it leaves out may be older than the position.
"""

from dataclasses import dataclass, field

from riskcore.core import events as e
from riskcore.core.marks import CONSERVATIVE

_SIDES = {1: "bid", -1: "ask"}  # What a position of each side could be closed at.


@dataclass(slots=True)
class Stretch:
    """The lowest and highest mark of each side of the market between two fills of a contract, of any account."""

    since: int
    marks: int = 0
    last_at: int = 0
    longest_gap_ns: int = 0
    from_bars: bool = False
    ends: dict[int, tuple[int, int]] = field(default_factory=dict)  # Side of a position: lowest, highest.

    def add(self, at: int, side: int, low: int, high: int) -> None:
        known = self.ends.get(side)
        self.ends[side] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))
        self.longest_gap_ns = max(self.longest_gap_ns, at - max(self.last_at, self.since))
        self.last_at = at


@dataclass(slots=True)
class MarkTape:
    """Listens to the market of days. `cut` begins a new stretch and says which one it is."""

    mode: str = "last"
    _stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    _known: dict[str, dict[str, None]] = field(default_factory=dict)  # Which of last, bid and ask were ever told.

    def listen(self, event: e.Event) -> None:
        body = event.body
        if isinstance(body, e.QuoteObserved):
            self._quote(event.at, body.contract, body.last, body.bid, body.ask)
        elif isinstance(body, e.QuotesObserved):
            for at, contract, last, bid, ask in body.quotes:
                self._quote(at, contract, last, bid, ask)
        elif isinstance(body, e.MarketTraded):
            self._quote(event.at, body.contract, body.price, None, None)
        elif isinstance(body, e.BarObserved):
            self._bar(body)

    def cut(self, contract: str, at: int) -> int:
        """A fill: what comes from now on is another stretch. Returns its place."""
        stretches = self._stretches.setdefault(contract, [])
        stretches.append(Stretch(at))
        return len(stretches) - 1

    def between(self, contract: str, start: int, end: int | None) -> list[Stretch]:
        """The stretches from one place to before another; to the last one without an end."""
        return self._stretches.get(contract, [])[start:end]

    def _quote(self, at: int, contract: str, last: int | None, bid: int | None, ask: int | None) -> None:
        told = {"last": last, "bid": bid, "ask": ask}
        known = self._known.setdefault(contract, {})
        known.update((name, None) for name, price in told.items() if price is not None)
        stretches = self._stretches.get(contract)
        if not stretches:
            return
        stretch, counted = stretches[-1], False
        for side, own in _SIDES.items():
            by_last = self.mode != CONSERVATIVE and "last" in known
            price = told["last" if by_last or own not in known else own]
            if price is not None:
                stretch.add(at, side, price, price)
                counted = True
        stretch.marks += counted

    def _bar(self, body: e.BarObserved) -> None:
        """A bar during which nothing was filled counts whole; one with a fill inside gives its close (RULES.md 1.5)."""
        stretches = self._stretches.get(body.contract)
        ends_at = body.opens_at + body.unit_ns
        if not stretches or stretches[-1].since >= ends_at:
            return
        stretch = stretches[-1]
        whole = stretch.since < body.opens_at
        stretch.marks, stretch.from_bars = stretch.marks + 1, True
        for side in _SIDES:
            low, high = (body.low, body.high) if whole else (body.close, body.close)
            stretch.add(ends_at, side, low, high)
