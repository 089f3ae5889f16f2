"""What was recorded of one account so far, in the reference: fills, orders and pushed sizes."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.replay.whatif.reference_books import Book, Booked, closing_part
from tests.replay.whatif.reference_facts import Fill, Order, trade_date


@dataclass
class Record:
    """What was recorded of one account, so far."""

    book: Book = field(default_factory=Book)
    orders: dict[int, Order] = field(default_factory=dict)
    pushed: dict[str, int] = field(default_factory=dict)
    fills: dict[int, Fill] = field(default_factory=dict)
    increases: list[str] = field(default_factory=list)

    def remaining(self, order: Order) -> int:
        """What is left of a working order: its fills count at once, also before it says so itself."""
        filled = sum(one.size for one in self.book.standing() if one.unit == f"order:{order.id}")
        return max(order.size - max(order.filled, filled), 0) if order.working else 0

    def is_entry(self, order: Order) -> bool:
        """Whether what is left of it would open, increase or turn the position that fills left."""
        return opens(order, self.remaining(order), self.book.position(order.contract))

    def take(self, one: Booked) -> None:
        self.book.fills.append(one)
        if not one.closes:
            self.increases.append(one.contract)

    def parts(self, fill: Fill, place: int) -> list[Booked]:
        """A fill split against the position just before it: what reduces that, then what opens or increases."""
        closing = closing_part(fill, self.book.position(fill.contract))
        total, each = fill.fees + fill.commissions, fill.fee_per_contract
        parts = []
        for size, closes in ((closing, True), (fill.size - closing, False)):
            if not size:
                continue
            fees = total if size == fill.size else each * size if closes else total - each * closing
            pnl = fill.pnl if closes and fill.pnl is not None else Fraction(0)
            day = trade_date(fill.made_at)
            parts.append(
                Booked(
                    fill.contract, fill.side, size, fill.price, closes, pnl, fees, fill.unit, day, fill.made_at,
                    fill.at, place, fill.id,
                )
            )  # fmt: skip
        return parts

    def void(self, trade: int) -> None:
        for one in self.book.fills:
            one.voided = one.voided or one.recorded_id == trade

    def fee_per_contract(self, contract: str) -> Fraction:
        """Of the latest recorded fill of the contract."""
        return [one for one in self.fills.values() if one.contract == contract][-1].fee_per_contract


@dataclass
class Cancelled:
    """An order that the counterfactual cancelled, or one that it never let in: that one may still reduce."""

    effective_at: int
    worked: bool  # It worked when the lockout began, or the close was decided.


def opens(order: Order, left: int, position: int) -> bool:
    return left > 0 and (order.side * position >= 0 or left > abs(position))
