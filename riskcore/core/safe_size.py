"""How many contracts may be opened so that nothing is breached: tried out, by the rules themselves, on a copy.

An entry at the mark is taken through the core, then the market goes to the stop, then the whole position is closed
there, with the fees of both sides. The largest size after which no rule that counts has breached is the safe one.
Source: INTERFACE.md 9, "safe_size".
"""

from dataclasses import dataclass, replace

from riskcore.core import events as e
from riskcore.core.copies import copy_book
from riskcore.core.issuers import GUARD_ID
from riskcore.core.kinds import Source
from riskcore.core.marks import mark_field, valuation
from riskcore.core.order_roles import is_protective
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules.base import LOSS
from riskcore.core.state import BUY, SELL, Account, Book, Position
from riskcore.core.step import Turn
from riskcore.core.view import View

MOST_CONTRACTS = 10_000  # What no rule bounds below this is called unbounded.
_TRIED = 10**18  # The id of a fill and an order that the broker never gives, and newer than all that it gave.


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the position would be closed: a distance from the mark, or the price of the stop that works already."""

    ticks: int
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """The most contracts, None where nothing bounds them, and the rule that one more would break."""

    size: int | None
    rule: str | None = None


def counting(rulebook: Rulebook, account: Account) -> list[RuleInstance]:
    """The rules in force that bound a size; those in shadow do not, and none that only takes profits."""
    return [
        one for one in rulebook.instances(account) if one.rule.caps_size and one.rule.stands is None and not one.shadow
    ]


def counts_money(instances: list[RuleInstance], view: View) -> bool:
    """Whether any of these rules limits a loss, so that a size without a stop has no answer."""
    for instance in instances:
        view.rule_key = instance.key
        if instance.rule.gauges is not None and any(
            one.kind == LOSS for one in instance.rule.gauges(instance.params, view)
        ):
            return True
    return False


def entry_price(book: Book, contract: str, side: int, mode: str) -> int | None:
    """The mark at which contracts would be opened on a side."""
    mark = book.marks.get(contract)
    if mark is None or contract not in book.contracts:
        return None
    price: int | None = getattr(mark, mark_field(mark, side, mode))
    return price


def stop_of(book: Book, account: Account, instances: list[RuleInstance], contract: str, mode: str) -> Stop | None:
    """The stop a size is reckoned with where nobody gives one: the working one's distance, else RULE-008's own."""
    position = account.positions.get(contract)
    working = None if position is None else working_stop(account, position)
    if position is not None and working is not None:
        price, tick_size = entry_price(book, contract, position.size, mode), book.contracts[contract].tick_size
        distance = 0 if price is None else (price - working) * _sign(position.size)
        if distance >= 0:
            return Stop(-(-distance // tick_size), working)
    placed = [one.rule.stop_ticks(one.params) for one in instances if one.rule.stop_ticks is not None]
    return next((Stop(ticks) for ticks in placed if ticks is not None), None)


def working_stop(account: Account, position: Position) -> int | None:
    """The price of the protective stop that is nearest to the market; None without one that has a price."""
    prices = [
        order.stop_price
        for order in account.working_orders()
        if order.contract == position.contract and order.stop_price is not None and is_protective(order, position)
    ]
    return max(prices, key=lambda price: price * _sign(position.size), default=None) if position.size else None


def fee_rate(view: View, root: str) -> tuple[int, int] | None:
    """What the account's last fill of a product cost, and its contracts; None while no fees are known.

    Both sides of a trade cost alike.
    """
    known = [
        trade
        for trade in view.account.trades.values()
        if not trade.voided and trade.fees_usd is not None and view.root(trade.contract) == root
    ]
    last = max(known, key=lambda trade: (trade.placed_at, trade.id), default=None)
    return None if last is None else (last.costs_usd(), last.size)


# The last answer for an account, contract and side: mostly it is still right, which takes two trials instead of ten.
Found = dict[tuple[int, str, int], int]


def room(book: Book, rulebook: Rulebook, view: View, contract: str, stop: Stop | None, found: Found) -> Room:
    """The most contracts for the held side, or if flat for both sides, whichever allows less."""
    if not counting(rulebook, view.account):
        return Room(None)
    position = view.account.positions.get(contract)
    held = 0 if position is None else position.size
    sides = (_sign(held),) if held else (BUY, SELL)
    rooms = [_Trial(book, rulebook, view, contract, side, stop).room(found) for side in sides]
    return min(rooms, key=lambda one: MOST_CONTRACTS if one.size is None else one.size)


def broken_by(
    book: Book, rulebook: Rulebook, view: View, contract: str, side: int, size: int, stop: Stop | None
) -> str | None:
    """The rule that this many more contracts on a side would break, flat or held; None when none."""
    if not counting(rulebook, view.account):
        return None
    return _Trial(book, rulebook, view, contract, side, stop).broken(size)


def _sign(size: int) -> int:
    return BUY if size > 0 else SELL


class _Trial:
    """Sizes of one side of one contract, tried on copies of the book."""

    def __init__(self, book: Book, rulebook: Rulebook, view: View, contract: str, side: int, stop: Stop | None) -> None:
        self._book = book
        self._rulebook = rulebook
        self._account = view.account.id
        self._contract = contract
        self._side = side
        self._counting = [one.key for one in counting(rulebook, view.account)]
        self._fee = fee_rate(view, view.root(contract)) or (0, 1)
        self._mode = rulebook.profile.mark
        price = entry_price(book, contract, side, self._mode)
        assert price is not None, "only what is quoted is tried"
        self._price = price
        self._stop: int | None = None
        if stop is not None:
            distance = stop.ticks * book.contracts[contract].tick_size
            self._stop = price - side * distance if stop.price is None else stop.price

    def room(self, found: Found) -> Room:
        """The largest size that breaks nothing: the one found last, or else by doubling and halving."""
        about = (self._account, self._contract, self._side)
        last = found.get(about)
        if last is not None and (rule := self.broken(last + 1)) and (last == 0 or not self.broken(last)):
            return Room(last, rule)
        best = self._searched()
        if best.size is not None:
            found[about] = best.size
        return best

    def _searched(self) -> Room:
        fine, size = 0, 1
        while (rule := self.broken(size)) is None:
            if size == MOST_CONTRACTS:
                return Room(None)
            fine, size = size, min(size * 2, MOST_CONTRACTS)
        while size - fine > 1:
            middle = (fine + size) // 2
            broken = self.broken(middle)
            if broken is None:
                fine = middle
            else:
                size, rule = middle, broken
        return Room(fine, rule)

    def broken(self, size: int) -> str | None:
        """The rule that so many contracts more would break: by the entry, on the way to the stop, or by the exit."""
        turn = Turn(replace(copy_book(self._book), enforces=False), self._rulebook)
        held = turn.book.accounts[self._account].positions.get(self._contract)
        whole = size + (0 if held is None else abs(held.size))
        self._fill(turn, self._side, size, self._price, None)
        self._push(turn, self._side * whole)
        if (rule := self._breached(turn)) is not None or self._stop is None:
            return rule
        self._to_stops(turn)
        if (rule := self._breached(turn)) is not None:
            return rule
        position = turn.book.accounts[self._account].positions[self._contract]
        profit = valuation(turn.book, position, self._mode, turn.book.now).value
        self._fill(turn, -self._side, whole, self._stop, profit)
        self._push(turn, 0)
        return self._breached(turn)

    def _fill(self, turn: Turn, side: int, size: int, price: int, profit: int | None) -> None:
        number = _TRIED if profit is None else _TRIED + 1
        costs_usd, contracts = self._fee
        body = e.TradeRecorded(
            account=self._account,
            trade_id=number,
            contract=self._contract,
            price=price,
            side=side,
            size=size,
            created_at=turn.book.now,
            profit_usd=profit,
            fees_usd=-(-costs_usd * size // contracts),
            commissions_usd=0,
            order_id=number,
        )
        self._take(turn, "broker", f"trade:{number}", body)

    def _push(self, turn: Turn, size: int) -> None:
        self._take(turn, "broker", "position", e.PositionObserved(self._account, self._contract, size, None))

    def _to_stops(self, turn: Turn) -> None:
        """The market of every other position at its own working stop, and of this one at the stop in question."""
        account = turn.book.accounts[self._account]
        at = {position.contract: working_stop(account, position) for position in account.held()}
        at.pop(self._contract, None)
        for contract, price in [*at.items(), (self._contract, self._stop)]:
            if price is not None:
                self._take(turn, "market", f"quote:{contract}", e.QuoteObserved(contract, price, price, price))

    def _take(self, turn: Turn, source: Source, key: str, body: e.Fact) -> None:
        turn.take(e.Event(turn.book.now, source, key, body))

    def _breached(self, turn: Turn) -> str | None:
        """The first rule that counts and has breached, over this contract or the account, or failed."""
        for event in turn.events:
            body = event.body
            if isinstance(body, e.RuleBreached | e.RuleFaulted) and body.account == self._account:
                about = body.contract if isinstance(body, e.RuleBreached) else None
                if body.rule_key in self._counting and about in (None, self._contract):
                    return body.rule
                if isinstance(body, e.RuleBreached) and body.rule == GUARD_ID and about == self._contract:
                    # The entry itself brought a lockout about, as behind the last entry of a product.
                    lockouts = turn.book.accounts[self._account].lockouts.values()
                    return next(one.rule for one in lockouts if one.id == body.figures["lockout"])
        return None
