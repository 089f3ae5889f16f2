"""What a recorded fill means once the courses have parted: its closing and its opening part (WHATIF.md 2).

Pure arithmetic: sizes are contracts, signed ones long above zero; prices 1e-9 points, money 1e-6 dollars.
"""

from typing import NamedTuple

from riskcore.core.lots import Lots
from riskcore.core.quantities import move_value
from riskcore.core.state import Contract


class Parts(NamedTuple):
    """The closing part reduces the recorded position, the opening part opens or increases it."""

    closing: int
    opening: int


def split(recorded: int, side: int, size: int, *, closes: bool) -> Parts:
    """A recorded fill against the recorded position just before it.

    `closes`: the broker booked a result for it. Where nothing is known to close, such a fill closed contracts that
    were carried in before the recording began, and opened none (RULES.md 1.5).
    """
    if recorded * side < 0:
        closing = min(size, abs(recorded))
        return Parts(closing, size - closing)
    return Parts(size, 0) if closes and recorded == 0 else Parts(0, size)


def share(total: int | None, size: int, executed: int) -> int | None:
    """The part of a fill's costs that its executed contracts bear; what does not divide stays with the others."""
    if total is None or executed == size:
        return total
    return per_contract(total, size) * executed


def per_contract(total: int, size: int) -> int:
    """Costs of one contract, to a millionth of a dollar, cut towards zero."""
    return total // size if total >= 0 else -(-total // size)


class Piece(NamedTuple):
    """Contracts of one lot that a fill closes, and the price they were opened at."""

    price: int
    size: int


def closed_by(lots: Lots, size: int) -> list[Piece]:
    """The pieces of what is open that a closing fill takes, first in first out; what was carried in comes first."""
    pieces = []
    left = size
    if lots.carried and lots.carried_cost is not None:
        taken = min(left, abs(lots.carried))
        if taken:
            pieces.append(Piece(lots.carried_cost // lots.carried, taken))
        left -= taken
    for lot in lots.lots:
        taken = min(left, lot.size)
        if taken:
            pieces.append(Piece(lot.price, taken))
        left -= taken
    return pieces


def realised(pieces: list[Piece], price: int, side: int, contract: Contract) -> int:
    """What a closing fill on `side` at a price realises of these pieces, in 1e-6 dollars."""
    points = sum((piece.price - price) * side * piece.size for piece in pieces)
    return move_value(points, contract.tick_size, contract.tick_value)


def signed_size(lots: Lots) -> int:
    """Everything that is open, carried in or opened by fills."""
    return lots.size + lots.carried


def open_lots(lots: Lots) -> list[Piece]:
    """What is open as (price, signed size), neighbours of one price together: equal for equal positions."""
    found: list[Piece] = []
    pieces = [Piece(lot.price, lots.side * lot.size) for lot in lots.lots]
    if lots.carried:
        cost = lots.carried_cost
        pieces.insert(0, Piece(0 if cost is None else cost // lots.carried, lots.carried))
    pieces += [Piece(lot.price, -lots.side * lot.size) for lot in lots.early]
    for piece in pieces:
        if found and found[-1].price == piece.price:
            found[-1] = Piece(piece.price, found[-1].size + piece.size)
        else:
            found.append(piece)
    return [piece for piece in found if piece.size]
