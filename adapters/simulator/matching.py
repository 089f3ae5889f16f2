"""The matching half of the generated exchange: orders work and fill, accounts hold and are charged.

Everything is announced as the user hub does, in the orders of events that were captured: entry order 6, trade,
order 2, position, account; exit order before or after its trades, opening fills emitted again; a bracket SL(8),
entry(6), TP(8), entry(2), TP(1), SL(1). Source: topstepx/API.md 0.3, 0.4, 2.3, 4.3.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from adapters.simulator import rows
from adapters.simulator.chance import Chance
from adapters.simulator.execution import AS_CAPTURED, Execution
from adapters.simulator.records import Fill, Holding, Instrument, TradingAccount, WorkOrder
from adapters.topstepx.fields import Object
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_OPEN,
    STATUS_SUSPENDED,
    TYPE_LIMIT,
    TYPE_MARKET,
    TYPE_STOP,
    TYPE_STOP_LIMIT,
)

PENDING, REJECTED = 6, 5
_CREATED = 0
_MILLISECONDS = 1000


class Exchange:
    """All orders, fills and holdings of a day. `tell` announces, `wait` lets milliseconds pass, `chance` decides.

    `largest_fill` is the most contracts of one execution, 0 for no bound; what is left fills at the next quotes.
    `execution` says how market orders fill and may be changed at any time; what takes its time then needs `later`,
    which has something happen so many nanoseconds from now.
    """

    def __init__(
        self,
        tell: Callable[[Object], None],
        wait: Callable[[int], int],
        chance: Chance,
        first_id: int,
        largest_fill: int = 0,
        execution: Execution = AS_CAPTURED,
        later: Callable[[int, Callable[[], None]], None] = lambda delay_ns, happen: happen(),
    ) -> None:
        self._tell = tell
        self._wait = wait
        self._chance = chance
        self._next_id = first_id
        self._largest_fill = largest_fill
        self._later = later
        self.execution = execution
        self._unfinished: dict[str, list[WorkOrder]] = {}  # Of each contract, oldest first.
        self._by_id: dict[int, WorkOrder] = {}
        self.orders: list[WorkOrder] = []
        self.fills: list[Fill] = []

    # ---- orders --------------------------------------------------------------------------------------

    def market(
        self, account: TradingAccount, instrument: Instrument, side: int, sizes: Sequence[int], tag: str | None
    ) -> WorkOrder:
        """A market order filled in pieces of `sizes`, each piece after the first a tick worse."""
        order = self.new(account, instrument, TYPE_MARKET, side, sum(sizes), tag=tag)
        self._tell_order(order)
        self._wait(3)
        price = instrument.touch(side)
        for index, size in enumerate(sizes):
            if index:
                self._wait(180)
            self._fill(order, price + side * index * instrument.tick_size, size)
        return order

    def rest_order(
        self,
        account: TradingAccount,
        instrument: Instrument,
        side: int,
        size: int,
        *,
        stop_price: int | None = None,
        limit_price: int | None = None,
    ) -> WorkOrder:
        """A stop or limit order: pending, then open."""
        kind = TYPE_STOP if stop_price is not None else TYPE_LIMIT
        order = self.new(account, instrument, kind, side, size, limit_price=limit_price, stop_price=stop_price)
        self._tell_order(order)
        self._wait(4)
        self.show(order, STATUS_OPEN)
        return order

    def bracket(
        self,
        account: TradingAccount,
        instrument: Instrument,
        side: int,
        size: int,
        stop_ticks: int,
        target_ticks: int,
        tag: str,
        limit_price: int | None,
    ) -> tuple[WorkOrder, WorkOrder, WorkOrder]:
        """Entry and both legs; the legs wait suspended and without a price. Ticks are magnitudes."""
        kind = TYPE_MARKET if limit_price is None else TYPE_LIMIT
        entry = self.new(account, instrument, kind, side, size, limit_price=limit_price, tag=tag)
        stop = self.leg(entry, TYPE_STOP, -side * stop_ticks)
        target = self.leg(entry, TYPE_LIMIT, side * target_ticks)
        self.submit(entry)
        return entry, stop, target

    def submit(self, order: WorkOrder) -> None:
        """A new order and its legs reach the exchange: told, then filled at the market or open."""
        stops = [leg for leg in order.legs if leg.type != TYPE_LIMIT]
        for told in (*stops, order, *(leg for leg in order.legs if leg.type == TYPE_LIMIT)):
            self._tell_order(told)
        self._wait(3)
        if order.type != TYPE_MARKET:
            self.show(order, STATUS_OPEN)
        elif self.execution.takes_its_time(order.closes):
            order.timed = True
            fill = partial(self._fill_next, order, self.execution.sizes())
            self._later(self.execution.pending_ns(self._chance), fill)
        else:
            self._fill(order, order.instrument.touch(order.side), self._piece(order))

    def _fill_next(self, order: WorkOrder, sizes: Iterator[int]) -> None:
        """The next part of an order that takes its time."""
        if order.closes and not self.execution.size_fixed_at_acceptance:
            self._fit(order)
        if not order.working:
            return
        self._fill(order, order.instrument.touch(order.side), min(next(sizes), self._piece(order)))
        if order.left:
            delay_ns = round(self.execution.between_parts_seconds * SECOND_NS)
            self._later(delay_ns, partial(self._fill_next, order, sizes))

    def _fit(self, order: WorkOrder) -> None:
        """A close whose size is that of the position when it fills: smaller, or cancelled when nothing is open."""
        holding = order.account.holdings.get(order.instrument.id)
        open_size = max(-holding.size * order.side, 0) if holding is not None else 0
        if not open_size and order.working:
            self.show(order, STATUS_CANCELLED)
        elif open_size < order.left:
            order.size = order.filled + open_size

    def cross(self, order: WorkOrder) -> None:
        """Fill an open limit order that is as good as a market order, at the market's price."""
        price = order.instrument.touch(order.side)
        plain = order.open and order.stop_price is None
        if plain and order.limit_price is not None and (order.limit_price - price) * order.side >= 0:
            self._wait(2)
            self._fill(order, price, self._piece(order))

    def reject(self, order: WorkOrder) -> None:
        """A new order is reported as pending, milliseconds later as rejected, without a reason (API.md 3.2)."""
        self._tell_order(order)
        self._wait(3)
        self.show(order, REJECTED)

    def show(self, order: WorkOrder, status: int) -> None:
        """The order takes on a status, and the hub says so."""
        order.status = status
        order.updated_at = self._wait(1)
        self._tell_order(order)
        if status in (STATUS_CANCELLED, REJECTED):
            for leg in order.legs:
                if leg.status == STATUS_SUSPENDED:
                    self.show(leg, STATUS_CANCELLED)

    def order(self, order_id: int) -> WorkOrder | None:
        return self._by_id.get(order_id)

    def unfinished(self, instrument: Instrument) -> tuple[WorkOrder, ...]:
        """The orders of a contract that have not ended, suspended ones too, oldest first."""
        orders = self._unfinished.get(instrument.id)
        if not orders:
            return ()
        self._unfinished[instrument.id] = orders = [order for order in orders if order.working]
        return tuple(orders)

    def match(self, instrument: Instrument) -> None:
        """Fill the working orders that the last price touches."""
        for order in self.unfinished(instrument):
            if not order.open or order.timed:
                continue
            if order.type == TYPE_MARKET:
                self._fill(order, instrument.touch(order.side), self._piece(order))
            elif order.stop_price is not None:
                self._watch_stop(order, order.stop_price)
            elif order.limit_price is not None and (order.limit_price - instrument.last) * order.side >= 0:
                self._wait(2)
                self._fill(order, order.limit_price, self._piece(order))

    def _watch_stop(self, order: WorkOrder, stop_price: int) -> None:
        """Trigger a stop that the last price touches; a trailing one follows the market first."""
        instrument = order.instrument
        if order.trail_ticks is not None:
            stop_price = self._trail(order, stop_price, order.trail_ticks * instrument.tick_size)
        if (instrument.last - stop_price) * order.side < 0:
            return
        # A stop that triggers is a market order from then on and loses its price (RULES.md 2).
        order.stop_price = order.trail_ticks = None
        self._wait(2)
        if order.type == TYPE_STOP_LIMIT:
            order.type = TYPE_LIMIT
            self.show(order, STATUS_OPEN)
            self.cross(order)
        else:
            order.type = TYPE_MARKET
            self._fill(order, instrument.touch(order.side), self._piece(order))

    def _trail(self, order: WorkOrder, stop_price: int, distance: int) -> int:
        """The stop's price after it has followed the market, which it does in one direction only."""
        trailed = order.instrument.last + order.side * distance
        if (stop_price - trailed) * order.side <= 0:
            return stop_price
        order.stop_price = trailed
        self.show(order, STATUS_OPEN)
        return trailed

    def _piece(self, order: WorkOrder) -> int:
        """What one execution fills of an order."""
        return min(order.left, self._largest_fill) if self._largest_fill else order.left

    # ---- fills ---------------------------------------------------------------------------------------

    def _fill(self, order: WorkOrder, price: int, size: int) -> None:
        """One execution with everything the hub says about it."""
        at = self._wait(1)
        before = order.filled
        paid = (order.filled_price or 0) * order.filled + price * size
        order.filled += size
        order.filled_price = paid // order.filled
        order.updated_at = at
        if order.filled == order.size:
            order.status = STATUS_FILLED
        else:
            order.status = STATUS_OPEN
        trades, holding = self._book(order, price, size, at)
        self._tell_fill(order, trades, holding, before)
        self._tell_account(order.account)
        if order.status == STATUS_FILLED:
            self._after(order, price)

    def _tell_fill(self, order: WorkOrder, trades: list[Fill], holding: Holding, filled_before: int) -> None:
        """Order, trades and position of one execution, in no promised order (RULES.md 2)."""
        entry = all(fill.profit_usd is None for fill in trades)
        order_first = not entry and self._chance.happens(0.5)
        told = trades
        if not entry and holding.size * order.side >= 0:
            told = [*(fill for fill in holding.opened_by if fill not in trades), *trades]
            holding.opened_by = [fill for fill in trades if fill.profit_usd is None]
        row = rows.order(order)
        if self.execution.fill_volume_lags and order.left:
            row["fillVolume"] = filled_before
        pushes = {
            "order": [rows.hub("GatewayUserOrder", row)],
            "trade": [rows.hub("GatewayUserTrade", rows.fill(fill), _CREATED) for fill in told],
            "position": [rows.position_push(holding)],
        }
        captured = ("order", "trade", "position") if order_first else ("trade", "order", "position")
        for place, kind in enumerate(self.execution.push_order(captured, self._chance)):
            if place and self.execution.push_gap_seconds:
                self._wait(round(self.execution.push_gap_seconds * _MILLISECONDS))
            for push in pushes[kind]:
                self._tell(push)

    def _book(self, order: WorkOrder, price: int, size: int, at: int) -> tuple[list[Fill], Holding]:
        """The half-turns of an execution: what closes, then what opens; a flip gives one of each."""
        account, instrument = order.account, order.instrument
        holding = account.holdings.get(instrument.id)
        held = 0 if holding is None else holding.size
        if holding is None or not held:
            holding = account.holdings[instrument.id] = Holding(self.next_id() % 2**31, account, instrument, at)
        closing = min(size, abs(held)) if held * order.side < 0 else 0
        trades = []
        for part, closes in ((closing, True), (size - closing, False)):
            if part:
                profit = holding.take(price, part) if closes else None
                fill = Fill(self.next_id(), account, instrument, order, at, price, order.side, part, profit)
                if not closes:
                    holding.add(fill)
                trades.append(fill)
                account.balance_usd += fill.net_usd
        self.fills.extend(trades)
        return trades, holding

    def book_past(self, order: WorkOrder) -> None:
        """An order of an earlier day, filled at its `filled_price` when it was last changed, if it was filled."""
        self.orders.append(order)
        self._by_id[order.id] = order
        if order.filled_price is not None:
            self._book(order, order.filled_price, order.filled, order.updated_at)

    def _after(self, order: WorkOrder, price: int) -> None:
        """Legs come alive when their entry has filled, and one leg's fill cancels the other."""
        self._wait(18)
        for leg in reversed(order.legs):
            if leg.status == STATUS_SUSPENDED:
                if leg.type == TYPE_LIMIT:
                    leg.limit_price = price + leg.offset
                else:
                    leg.stop_price = price + leg.offset
                self.show(leg, STATUS_OPEN)
        if order.linked is not None and order.linked.working:
            self.show(order.linked, STATUS_CANCELLED)

    def void(self, orders: Iterable[WorkOrder]) -> None:
        """The fills of these orders never happened; they must leave the position as it is."""
        accounts = []
        for order in orders:
            for fill in self.fills:
                if fill.order is order:
                    fill.voided = True
                    fill.account.balance_usd -= fill.net_usd
                    self._tell(rows.hub("GatewayUserTrade", rows.fill(fill)))
            if order.account not in accounts:
                accounts.append(order.account)
        for account in accounts:
            self._tell_account(account)

    # ---- what is pushed ------------------------------------------------------------------------------

    def show_account(self, account: TradingAccount) -> None:
        """The hub says what the account is now."""
        self._wait(2)
        self._tell_account(account)

    def _tell_account(self, account: TradingAccount) -> None:
        """Two to four times the same balance (API.md 4.3)."""
        for _ in range(4 if self._chance.happens(0.2) else 3 if self._chance.happens(0.3) else 2):
            self._tell(rows.hub("GatewayUserAccount", rows.account(account)))

    def _tell_order(self, order: WorkOrder) -> None:
        self._tell(rows.hub("GatewayUserOrder", rows.order(order)))

    def new(
        self,
        account: TradingAccount,
        instrument: Instrument,
        kind: int,
        side: int,
        size: int,
        *,
        status: int = PENDING,
        limit_price: int | None = None,
        stop_price: int | None = None,
        tag: str | None = None,
    ) -> WorkOrder:
        """An order that was not pushed yet."""
        at = self._wait(1)
        order = WorkOrder(
            self.next_id(), account, instrument, kind, side, size, at, at, status, limit_price, stop_price, tag
        )
        self.orders.append(order)
        self._by_id[order.id] = order
        self._unfinished.setdefault(instrument.id, []).append(order)
        return order

    def leg(self, entry: WorkOrder, kind: int, ticks: int) -> WorkOrder:
        """A bracket leg, suspended until its entry fills, `ticks` (signed) from that fill; the stop comes first."""
        suffix = "TP" if kind == TYPE_LIMIT else "SL"
        tag = None if entry.tag is None else f"{entry.tag}-{suffix}"
        leg = self.new(entry.account, entry.instrument, kind, -entry.side, entry.size, status=STATUS_SUSPENDED, tag=tag)
        leg.parent = entry
        leg.offset = ticks * entry.instrument.tick_size
        for other in entry.legs:
            other.linked, leg.linked, leg.links_openly = leg, other, True
        entry.legs.append(leg)
        return leg

    def next_id(self) -> int:
        self._next_id += 3
        return self._next_id
