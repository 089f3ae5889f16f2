"""What open positions are worth: lots against the mark (RULES.md 1.5, "Unrealised")."""

from typing import NamedTuple

from riskcore.core.lots import filled, without_oldest
from riskcore.core.quantities import move_value
from riskcore.core.state import Book, Mark, Position

CONSERVATIVE = "conservative"  # The mark at which a position could be closed: longs at the bid, shorts at the ask.
# A tenth of a cent: no tick is worth as little, and no cut or share of a limit loses as much.
ROUNDED_USD = 1_000


class Valuation(NamedTuple):
    """Unrealised P&L of one position in 1e-6 USD; None without a mark or tick economics."""

    value: int | None
    price: int | None = None
    stale: bool = False
    from_bars: bool = False
    closed: bool = False  # Fills closed it, and only the broker's size, or the P&L of a fill, has not followed yet.


class TotalValuation(NamedTuple):
    """Unrealised P&L of an account: all known positions, and the part whose marks are fresh."""

    value: int
    fresh: int
    stale: bool
    incomplete: bool
    from_bars: bool

    @property
    def flags(self) -> tuple[str, ...]:
        named = (("stale_mark", self.stale), ("incomplete_marks", self.incomplete), ("from_bars", self.from_bars))
        return tuple(name for name, on in named if on)


NO_VALUE = Valuation(None)


def mark_field(mark: Mark, side: int, mode: str) -> str:
    """Which price of the mark values a position: last, bid or ask. Falls back to what is known."""
    own = "bid" if side > 0 else "ask"
    if mode == "last" and mark.last is not None:
        return "last"
    return own if getattr(mark, own) is not None else "last"


def open_cost(position: Position) -> tuple[int, int] | None:
    """(signed size, signed price times contracts) of all that is valued; None when a price of it is unknown.

    The value at a price is price times size less cost: also where the halves of a flip have not both been told, and
    what is open is two sides of one contract. Lots count as fills say, whatever size is pushed; what the broker shows
    beyond them counts at its average price (carried.py).
    """
    if position.carried_cost is None:
        return None
    size, cost = filled(position.side, position.lots, position.early)
    return size + position.carried, cost + position.carried_cost


def entry_cost(position: Position) -> tuple[int, int] | None:
    """(signed size, signed price times contracts) at which the contracts that are open were entered.

    Differs from `open_cost` between the halves of a flip: there what one half closes has no say any more.
    """
    known = open_cost(position)
    if known is None or not position.early or position.carried:
        return known
    closing = sum(lot.size for lot in position.early)
    lots, left = without_oldest(position.lots, closing)
    side = position.side
    if not lots:
        side, lots = -side, without_oldest(position.early, closing - left)[0]
    return side * sum(lot.size for lot in lots), side * sum(lot.price * lot.size for lot in lots)


def valued_side(position: Position) -> int:
    """The direction in which the position's value follows the price: 1 long, -1 short, 0 where it follows none."""
    cost = open_cost(position)
    size = cost[0] if cost is not None else position.size
    return (size > 0) - (size < 0)


def valuation(book: Book, position: Position, mode: str, now: int) -> Valuation:
    """Value of one position at `now`. A mark older than the last increase is not used (RULES.md 1.5)."""
    return valuation_at(book, position, book.marks.get(position.contract), mode, now)


def valuation_at(book: Book, position: Position, mark: Mark | None, mode: str, now: int) -> Valuation:
    """The same at another mark of its contract than the book's."""
    contract = book.contracts.get(position.contract)
    cost = open_cost(position)
    if contract is None or cost is None:
        return NO_VALUE
    size, total_cost = cost
    if size == 0:
        return Valuation(move_value(-total_cost, contract.tick_size, contract.tick_value), closed=True)
    from_bars = False
    if mark is None or not _has_a_say(position):
        price = position.increase_price
        seen_at, valid_ns = position.increased_at, mark.valid_ns if mark else default_age(book)
    else:
        price = getattr(mark, mark_field(mark, size, mode))
        seen_at, valid_ns, from_bars = mark.at, mark.valid_ns, mark.from_bars
    if price is None:
        return NO_VALUE
    value = move_value(price * size - total_cost, contract.tick_size, contract.tick_value)
    return Valuation(value, price, now - seen_at > valid_ns, from_bars)


def _has_a_say(position: Position) -> bool:
    """Whether the mark of the contract values what is open.

    It does not where the last increase came behind it. A push that is ahead of its fills increases no lot that is
    known, and is beyond them only where it counts as carried.
    """
    return not position.awaits_mark or (position.increase_price is None and not position.carried)


def default_age(book: Book) -> int:
    """How long a quote stays fresh, in nanoseconds (RULES.md 1.5, max_quote_age_seconds)."""
    age: int = book.settings["profile"]["max_quote_age_ns"]
    return age


def stale_at(book: Book, position: Position) -> int:
    """The first instant at which the position's mark is stale if nothing newer comes."""
    mark = book.marks.get(position.contract)
    if mark is None or not _has_a_say(position):
        return position.increased_at + (mark.valid_ns if mark else default_age(book)) + 1
    return mark.at + mark.valid_ns + 1


def whole_ticks(book: Book, position: Position, amount_usd: int) -> int | None:
    """How many whole ticks against the position cost this amount; None where it has no size or no contract record."""
    contract, cost = book.contracts.get(position.contract), open_cost(position)
    if contract is None or cost is None or cost[0] == 0:
        return None
    ticks: int = amount_usd // (contract.tick_value * abs(cost[0]))
    return ticks


def price_moves(book: Book, position: Position, slack_usd: int) -> int | None:
    """How far the price may move before the value changes by `slack_usd`, less what rounding may hide."""
    contract = book.contracts.get(position.contract)
    cost = open_cost(position)
    if contract is None or cost is None or cost[0] == 0:
        return None
    points: int = (slack_usd - ROUNDED_USD) * contract.tick_size // (contract.tick_value * abs(cost[0]))
    return max(points, -1)
