"""The running equity inside each day of one course, from its recorded marks.

Measured is what the Maximum Loss Limit is judged by: the day's net result, and what is open at the prices at which it
could be closed (PROGRAMME.md 4). Amounts are 1e-6 dollars from the balance the day opened with.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from replay.whatif.course import Course
from replay.whatif.market import DayFacts
from riskcore.core.events import BarObserved, Event, MarketTraded
from riskcore.core.marks import CONSERVATIVE, open_cost, valuation
from riskcore.core.products import micro_units, product_code, root_of_code
from riskcore.core.quantities import move_value
from riskcore.core.state import Account, Position


@dataclass(slots=True)
class Inside:
    """What one account's day came to on its way."""

    low_usd: int = 0
    high_usd: int = 0  # Realised.
    low_before_high_usd: int = 0
    largest_units: int = 0

    def realised(self, net_usd: int) -> None:
        if net_usd > self.high_usd:
            self.high_usd, self.low_before_high_usd = net_usd, self.low_usd

    def equity(self, usd: int) -> None:
        self.low_usd = min(self.low_usd, usd)


@dataclass(slots=True)
class RunningEquity:
    """Follows one course. `marked` has the trade dates on which quotes or bars came."""

    course: Course
    found: dict[tuple[int, str], Inside] = field(default_factory=dict)
    marked: dict[str, None] = field(default_factory=dict)

    def look(self, account_id: int, at: int) -> None:
        account = self.course.book.accounts.get(account_id)
        if account is None or self.course.book.day is None:
            return
        inside, realised = self._inside(account), self._realised(account)
        inside.realised(realised)
        inside.equity(realised + self._open(account.held(), at))
        units = sum(abs(one.size) * _units(one.contract) for one in account.held())
        inside.largest_units = max(inside.largest_units, units)

    def follow(self, day: DayFacts, start: int, end: int) -> None:
        self.marked[self.course.book.trade_date] = None
        for account in self.course.book.accounts.values():
            held = [one for one in account.held() if open_cost(one) is not None]
            if not held:
                continue
            moving = [(one, _own_prices(day, one, start, end)) for one in held]
            lowest = self._lowest([pair for pair in moving if pair[1]])
            if lowest is not None:
                self._inside(account).equity(self._realised(account) + lowest)

    def market(self, event: Event) -> None:
        """A print marks; so do the extremes of a bar, where the position was held all through it (RULES.md 1.5)."""
        bar = event.body
        if not isinstance(bar, BarObserved | MarketTraded):
            return
        self.marked[self.course.book.trade_date] = None
        if isinstance(bar, MarketTraded):
            for account in self.course.book.accounts.values():
                if any(one.contract == bar.contract for one in account.held()):
                    self._inside(account).equity(self._realised(account) + self._open(account.held(), event.at))
            return
        for account in self.course.book.accounts.values():
            position = account.positions.get(bar.contract)
            if position is None or open_cost(position) is None:
                continue
            held_since = max(position.changed_at, position.fill_at)
            if held_since >= bar.opens_at + bar.unit_ns:
                continue
            prices = [bar.close] if held_since >= bar.opens_at else [bar.low, bar.high, bar.close]
            others = (one for one in account.held() if one.contract != bar.contract)
            fixed = self._realised(account) + self._open(others, event.at)
            for price in prices:
                self._inside(account).equity(fixed + (self._value(position, price) or 0))

    # ---- what it comes to ----------------------------------------------------------------------------

    def _inside(self, account: Account) -> Inside:
        return self.found.setdefault((account.id, self.course.book.trade_date), Inside())

    def _realised(self, account: Account) -> int:
        day = account.days.get(self.course.book.trade_date)
        return 0 if day is None else day.net_usd

    def _open(self, positions: Iterable[Position], at: int) -> int:
        """Open results at the marks of the book; what nobody can value is left out."""
        return sum(valuation(self.course.book, one, CONSERVATIVE, at).value or 0 for one in positions)

    def _value(self, position: Position, price: int) -> int | None:
        contract, cost = self.course.book.contracts.get(position.contract), open_cost(position)
        if contract is None or cost is None:
            return None
        return move_value(price * cost[0] - cost[1], contract.tick_size, contract.tick_value)

    def _lowest(self, moving: list[tuple[Position, list[tuple[int, int]]]]) -> int | None:
        """The lowest sum of open results along prices of one position or of several: (place, price) of each."""
        if len(moving) == 1:
            position, prices = moving[0]
            ends = (min(prices, key=lambda one: one[1]), max(prices, key=lambda one: one[1]))
            values = [self._value(position, price) for _, price in ends]
            return min((one for one in values if one is not None), default=None)
        steps = sorted((place, index, price) for index, (_, prices) in enumerate(moving) for place, price in prices)
        now = [self._value(position, prices[0][1]) or 0 for position, prices in moving]
        lowest: int | None = None
        for (place, index, price), after in pairwise([*steps, (None, 0, 0)]):
            now[index] = self._value(moving[index][0], price) or 0
            if place != after[0]:
                lowest = sum(now) if lowest is None else min(lowest, sum(now))
        return lowest


def _own_prices(day: DayFacts, position: Position, start: int, end: int) -> list[tuple[int, int]]:
    """(place, price) of every mark of a position: the side it could be closed at, else the last price.

    The first is the one before `start`: where nothing has come since the position was increased, that fill's price.
    """
    cost = open_cost(position)
    assert cost is not None, "only what is valued is followed"
    contract, long = position.contract, cost[0] > 0
    places, quotes = day.places(contract), day.quotes(start, end)
    before = bisect_left(places, start) - 1
    own, last = (
        None if side is None else side.price
        for side in ((day.bid if long else day.ask)(contract, before), day.last(contract, before))
    )
    awaits = before < 0 or day.ats[places[before]] <= position.increased_at
    first = position.increase_price if awaits and position.increase_price is not None else last if own is None else own
    found = [] if first is None else [(start - 1, first)]
    said = quotes.bids if long else quotes.asks
    for offset, name in enumerate(quotes.contracts):
        if name == contract:
            own = said[offset] if said[offset] is not None else own
            last = quotes.lasts[offset] if quotes.lasts[offset] is not None else last
            price = last if own is None else own
            if price is not None:
                found.append((start + offset, price))
    return found


def _units(contract: str) -> int:
    return micro_units(root_of_code(product_code(contract)))
