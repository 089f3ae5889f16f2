"""The counterfactual broker of the reference: when and at what price a close would have been executed.

WHATIF.md section 4, by looking forward through the whole recording each time: the market is a fact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.replay.whatif.reference_books import Book, Mark, mark_price
from tests.replay.whatif.reference_facts import (
    MILLISECOND_NS,
    SECOND_NS,
    Fact,
    Fill,
    Quote,
    closes_at,
    tick_of,
    trade_date,
)

LATE_NS = 10 * SECOND_NS
STALE_NS = 10 * SECOND_NS
STOP_SLIPPAGE_TICKS = 1
QUOTE, FILL, MARK, RECORD = "quote", "fill", "mark", "record"  # RECORD: the record tells what comes of it.


@dataclass(frozen=True)
class Moment:
    """When something is decided. `place` is the first line of the recording that comes after it, or is it.

    `next_fill` is the first line whose fill may price what is decided: one that has been taken is behind it, and what
    the broker's own fill decides comes before the recorded fill that priced it.
    """

    at: int
    place: int
    next_fill: int


@dataclass(frozen=True)
class Plan:
    """What prices a close: a quote's or a fill's line, or the last mark at an instant."""

    kind: str
    due: int  # Decision and latency.
    place: int = -1


@dataclass(frozen=True)
class Priced:
    price: Fraction
    at: int
    flags: frozenset[str]


def _worse(contract: str, side: int, price: Fraction, ticks: int) -> Fraction:
    """A sale is made lower and rounded down to the grid, a purchase higher and rounded up."""
    tick = tick_of(contract)
    worse = (price - side * ticks * tick) / tick
    whole = worse.numerator // worse.denominator if side > 0 else -(-worse.numerator // worse.denominator)
    return whole * tick


@dataclass
class Market:
    """The recorded market, and what a close in it costs."""

    facts: Sequence[Fact]
    latency_ms: int
    slippage_ticks: int

    def due(self, at: int) -> int:
        return at + self.latency_ms * MILLISECOND_NS

    def marks_after(self, contract: str, place: int) -> Mark:
        """The mark of a contract once the line at `place` has been taken, from the beginning of the recording."""
        mark = Mark()
        for index, fact in enumerate(self.facts[: place + 1]):
            if isinstance(fact, Quote) and fact.contract == contract:
                mark.take(fact, index)
        return mark

    def pricing_quote(self, contract: str, side: int, moment: Moment) -> int | None:
        """The first quote of that trading day that may price a close: late enough, behind the decision, priced."""
        due, ends = self.due(moment.at), closes_at(trade_date(moment.at))
        for index in range(moment.place, len(self.facts)):
            fact = self.facts[index]
            if fact.at >= ends:
                return None
            if not isinstance(fact, Quote) or fact.contract != contract or fact.at < due:
                continue
            if self.marks_after(contract, index).to_close(side) is not None:
                return index
        return None

    def plan(self, account: int, contract: str, side: int, moment: Moment) -> Plan:
        due, ends = self.due(moment.at), closes_at(trade_date(moment.at))
        quote = self.pricing_quote(contract, side, moment)
        if quote is not None:
            return Plan(QUOTE, due, quote)
        for index in range(moment.next_fill, len(self.facts)):
            fact = self.facts[index]
            of_contract = isinstance(fact, Fill) and fact.account == account and fact.contract == contract
            if of_contract and due <= fact.at < ends:
                return Plan(FILL, due, index)
        return Plan(MARK, min(due, ends - 1))

    def by_quote(self, contract: str, side: int, place: int, due: int) -> Priced:
        """The other side of the market made worse by the slippage, on the grid."""
        quote = self.facts[place]
        known = self.marks_after(contract, place).to_close(side)
        assert known is not None
        price, since = known
        flags = {"late_fill"} if quote.at > due + LATE_NS else set()
        if quote.at - since > STALE_NS:
            flags.add("stale_fill")
        return Priced(_worse(contract, side, price, self.slippage_ticks), quote.at, frozenset(flags))

    def by_stop(self, contract: str, side: int, place: int) -> Priced | None:
        """A stop is filled a tick beyond the other side of the quote behind the one that triggered it."""
        known = self.marks_after(contract, place).to_close(side)
        if known is None:
            return None
        return Priced(_worse(contract, side, known[0], STOP_SLIPPAGE_TICKS), self.facts[place].at, frozenset())

    def by_fill(self, place: int, due: int) -> Priced:
        fill = self.facts[place]
        assert isinstance(fill, Fill)
        flags = {"priced_by_fill"} | ({"late_fill"} if fill.at > due + LATE_NS else set())
        return Priced(fill.price, fill.at, frozenset(flags))

    def by_mark(self, book: Book, contract: str, at: int, before: int) -> Priced:
        """The last mark at an instant; `before` is the first line that is not told yet."""
        known = mark_price(book, contract, self.marks_after(contract, before - 1))
        assert known is not None, "what is held was bought at a price"
        return Priced(known[0], at, frozenset({"unpriced"}))


@dataclass
class Request:
    """A close of one contract down to a level, on its way. Without a level: to what the record then holds."""

    contract: str
    level: int | None
    plan: Plan
    sweeps: bool  # Once the contract is flat, what still works in it is cancelled (RULES.md 3.4).
    decided_at: int


@dataclass
class WorkingStop:
    """A recorded stop that goes on working in the counterfactual: its cancel was riskcore's enforcement."""

    contract: str
    side: int
    size: int
    price: Fraction
    triggered: bool = False

    def is_reached(self, mark: Mark) -> bool:
        """At or through the stop: by the last price, else by the side that a stop of this side watches."""
        own = mark.bid if self.side < 0 else mark.ask
        price = mark.last if mark.last is not None else own
        return price is not None and (price - self.price) * self.side >= 0
