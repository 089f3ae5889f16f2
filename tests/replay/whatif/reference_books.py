"""Books of the reference: what one course holds and has realised. Lots are folded from scratch at every question."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.replay.whatif.reference_facts import SECOND_NS, Fill, Quote, worth

FRESH_NS = 10 * SECOND_NS


@dataclass
class Booked:
    """A fill, or the share of one, in one course. A closing one never opens the other side."""

    contract: str
    side: int
    size: int
    price: Fraction
    closes: bool
    pnl: Fraction
    fees: Fraction
    unit: str  # Its order, for RULE-006 and RULE-007.
    day: date
    made_at: int
    at: int
    place: int  # Where in the recording it stands; for what is told between two lines that of the latter.
    recorded_id: int | None  # None: the counterfactual broker's.
    voided: bool = False

    @property
    def net(self) -> Fraction:
        return self.pnl - self.fees


@dataclass(frozen=True)
class Lot:
    side: int
    size: int
    price: Fraction


@dataclass
class Book:
    fills: list[Booked] = field(default_factory=list)

    def standing(self) -> list[Booked]:
        return [one for one in self.fills if not one.voided]

    def lots(self, contract: str) -> list[Lot]:
        """First in, first out, over the fills that stand."""
        lots: list[Lot] = []
        for one in self.standing():
            if one.contract != contract:
                continue
            if one.closes:
                lots, _ = without_oldest(lots, one.size)
            else:
                lots.append(Lot(one.side, one.size, one.price))
        return lots

    def position(self, contract: str) -> int:
        return sum(lot.side * lot.size for lot in self.lots(contract))

    def contracts(self) -> list[str]:
        return list(dict.fromkeys(one.contract for one in self.fills))

    def held(self) -> dict[str, int]:
        """Every open position by contract, signed."""
        sizes = {contract: self.position(contract) for contract in self.contracts()}
        return {contract: size for contract, size in sizes.items() if size}

    def realises(self, contract: str, size: int, price: Fraction) -> Fraction:
        """What closing the oldest contracts at a price realises, before fees."""
        _, closed = without_oldest(self.lots(contract), size)
        return sum((worth(contract, (price - lot.price) * lot.side) * lot.size for lot in closed), Fraction(0))

    def net(self, day: date) -> Fraction:
        return sum((one.net for one in self.standing() if one.day == day), Fraction(0))

    def last_increase(self, contract: str) -> Booked | None:
        opening = [one for one in self.fills if one.contract == contract and not one.closes]
        return opening[-1] if opening else None


def without_oldest(lots: list[Lot], size: int) -> tuple[list[Lot], list[Lot]]:
    """The lots that are left, and those that go."""
    left: list[Lot] = []
    gone: list[Lot] = []
    for lot in lots:
        taken = min(size, lot.size)
        size -= taken
        if taken:
            gone.append(Lot(lot.side, taken, lot.price))
        if lot.size > taken:
            left.append(Lot(lot.side, lot.size - taken, lot.price))
    return left, gone


def closing_part(fill: Fill, position: int) -> int:
    """How much of a fill reduces the position that was recorded just before it."""
    return min(fill.size, abs(position)) if fill.side * position < 0 else 0


@dataclass
class Mark:
    """What the market of a contract has said so far: each side with the instant it was last told."""

    last: Fraction | None = None
    bid: Fraction | None = None
    ask: Fraction | None = None
    last_at: int = 0
    bid_at: int = 0
    ask_at: int = 0
    at: int = 0
    place: int = -1

    def take(self, quote: Quote, place: int) -> None:
        for side in ("last", "bid", "ask"):
            value = getattr(quote, side)
            if value is not None:
                setattr(self, side, value)
                setattr(self, f"{side}_at", quote.at)
        if (self.last, self.bid, self.ask) != (None, None, None):
            self.at, self.place = quote.at, place

    def to_close(self, position_side: int) -> tuple[Fraction, int] | None:
        """The price at which a position is closed, and since when it is known: the other side, else the last."""
        price, since = (self.bid, self.bid_at) if position_side > 0 else (self.ask, self.ask_at)
        if price is not None:
            return price, since
        return None if self.last is None else (self.last, self.last_at)


def mark_price(book: Book, contract: str, mark: Mark | None) -> tuple[Fraction, int] | None:
    """What a position is valued at, and since when: a fill that increased it, until a newer quote comes."""
    increase = book.last_increase(contract)
    if mark is None or mark.place < 0 or (increase is not None and increase.place > mark.place):
        return None if increase is None else (increase.price, increase.at)
    own = mark.bid if book.position(contract) > 0 else mark.ask
    price = mark.last if mark.last is not None else own
    return None if price is None else (price, mark.at)


def open_pnl(book: Book, contract: str, mark: Mark | None) -> tuple[Fraction, int] | None:
    """Unrealised P&L of the lots, and since when the mark behind it is known."""
    known = mark_price(book, contract, mark)
    if known is None:
        return None
    price, since = known
    lots = book.lots(contract)
    return sum((worth(contract, (price - lot.price) * lot.side) * lot.size for lot in lots), Fraction(0)), since
