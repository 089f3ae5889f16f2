"""The matching half of the generated exchange: orders work and fill, accounts hold and are charged.

Everything is announced as the user hub does, in the orders of events that were captured: entry order 6, trade,
order 2, position, account; exit order before or after its trades, opening fills emitted again; a bracket SL(8),
entry(6), TP(8), entry(2), TP(1), SL(1). Source: topstepx/API.md 0.3, 0.4, 2.3, 4.3.
"""

from collections.abc import Callable, Iterable, Sequence

from adapters.simulator import rows
from adapters.simulator.records import Fill, Holding, Instrument, TradingAccount, WorkOrder
from adapters.topstepx.fields import Object
from riskcore.core.state import (
    BUY,
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_OPEN,
    STATUS_SUSPENDED,
)

_PENDING = 6
_LIMIT, _MARKET, _STOP = 1, 2, 4
_CREATED = 0


class Exchange:
    """All orders, fills and holdings of a day. `tell` announces, `wait` lets milliseconds pass, `chance` decides."""

    def __init__(
        self,
        tell: Callable[[Object], None],
        wait: Callable[[int], int],
        chance: Callable[[float], bool],
        first_id: int,
    ) -> None:
        self._tell = tell
        self._wait = wait
        self._chance = chance
        self._next_id = first_id
        self.orders: list[WorkOrder] = []
        self.fills: list[Fill] = []

    # ---- orders --------------------------------------------------------------------------------------

    def market(
        self, account: TradingAccount, instrument: Instrument, side: int, sizes: Sequence[int], tag: str | None
    ) -> WorkOrder:
        """A market order filled in pieces of `sizes`, each piece after the first a tick worse."""
        order = self._new(account, instrument, _MARKET, side, sum(sizes), _PENDING, tag=tag)
        self._tell_order(order)
        self._wait(3)
        price = instrument.ask if side == BUY else instrument.bid
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
        kind = _STOP if stop_price is not None else _LIMIT
        order = self._new(account, instrument, kind, side, size, _PENDING, limit_price, stop_price)
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
        """Entry and both legs, born in the same instant; the legs wait suspended and without a price."""
        kind = _MARKET if limit_price is None else _LIMIT
        entry = self._new(account, instrument, kind, side, size, _PENDING, limit_price, tag=tag)
        stop = self._new(account, instrument, _STOP, -side, size, STATUS_SUSPENDED, tag=f"{tag}-SL")
        target = self._new(account, instrument, _LIMIT, -side, size, STATUS_SUSPENDED, tag=f"{tag}-TP")
        stop.parent = target.parent = entry
        stop.linked, target.linked, target.links_openly = target, stop, True
        stop.offset = -side * stop_ticks * instrument.tick_size
        target.offset = side * target_ticks * instrument.tick_size
        for order in (stop, entry, target):
            self._tell_order(order)
        self._wait(3)
        if limit_price is None:
            self._fill(entry, instrument.ask if side == BUY else instrument.bid, size)
        else:
            self.show(entry, STATUS_OPEN)
        return entry, stop, target

    def show(self, order: WorkOrder, status: int) -> None:
        """The order takes on a status, and the hub says so."""
        order.status = status
        order.updated_at = self._wait(1)
        self._tell_order(order)
        if status == STATUS_CANCELLED:
            for leg in self._legs(order):
                if leg.status == STATUS_SUSPENDED:
                    self.show(leg, STATUS_CANCELLED)

    def match(self, instrument: Instrument) -> None:
        """Fill the working orders that the last price touches."""
        for order in list(self.orders):
            if order.instrument is not instrument or not order.open:
                continue
            if order.stop_price is not None and (instrument.last - order.stop_price) * order.side >= 0:
                # A stop that triggers is a market order from then on and loses its price (RULES.md 2).
                order.type, order.stop_price = _MARKET, None
                self._wait(2)
                self._fill(order, instrument.ask if order.side == BUY else instrument.bid, order.size)
            elif order.limit_price is not None and (order.limit_price - instrument.last) * order.side >= 0:
                self._wait(2)
                self._fill(order, order.limit_price, order.size)

    # ---- fills ---------------------------------------------------------------------------------------

    def _fill(self, order: WorkOrder, price: int, size: int) -> None:
        """One execution with everything the hub says about it."""
        at = self._wait(1)
        paid = (order.filled_price or 0) * order.filled + price * size
        order.filled += size
        order.filled_price = paid // order.filled
        order.updated_at = at
        if order.filled == order.size:
            order.status = STATUS_FILLED
        else:
            order.status = STATUS_OPEN
        trades, holding = self._book(order, price, size, at)
        entry = all(fill.profit_usd is None for fill in trades)
        order_first = not entry and self._chance(0.5)
        if order_first:
            self._tell_order(order)
        if not entry and holding.size * order.side >= 0:
            for fill in holding.opened_by:
                if fill not in trades:
                    self._tell(rows.hub("GatewayUserTrade", rows.fill(fill), _CREATED))
            holding.opened_by = [fill for fill in trades if fill.profit_usd is None]
        for fill in trades:
            self._tell(rows.hub("GatewayUserTrade", rows.fill(fill), _CREATED))
        if not order_first:
            self._tell_order(order)
        self._tell(rows.position_push(holding))
        self._tell_account(order.account)
        if order.status == STATUS_FILLED:
            self._after(order, price)

    def _book(self, order: WorkOrder, price: int, size: int, at: int) -> tuple[list[Fill], Holding]:
        """The half-turns of an execution: what closes, then what opens; a flip gives one of each."""
        account, instrument = order.account, order.instrument
        holding = account.holdings.get(instrument.id)
        held = 0 if holding is None else holding.size
        if holding is None or not held:
            holding = account.holdings[instrument.id] = Holding(self._id() % 2**31, account, instrument, at)
        closing = min(size, abs(held)) if held * order.side < 0 else 0
        trades = []
        for part, closes in ((closing, True), (size - closing, False)):
            if part:
                profit = holding.take(price, part) if closes else None
                fill = Fill(self._id(), account, instrument, order, at, price, order.side, part, profit)
                if not closes:
                    holding.add(fill)
                trades.append(fill)
                account.balance_usd += fill.net_usd
        self.fills.extend(trades)
        return trades, holding

    def _after(self, order: WorkOrder, price: int) -> None:
        """Legs come alive when their entry has filled, and one leg's fill cancels the other."""
        self._wait(18)
        legs = self._legs(order)
        for leg in reversed(legs):
            if leg.status == STATUS_SUSPENDED:
                if leg.type == _STOP:
                    leg.stop_price = price + leg.offset
                else:
                    leg.limit_price = price + leg.offset
                self.show(leg, STATUS_OPEN)
        if order.linked is not None and order.linked.working:
            self.show(order.linked, STATUS_CANCELLED)

    def _legs(self, entry: WorkOrder) -> list[WorkOrder]:
        return [order for order in self.orders if order.parent is entry]

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

    # ---- what is told --------------------------------------------------------------------------------

    def show_account(self, account: TradingAccount) -> None:
        """The hub says what the account is now."""
        self._wait(2)
        self._tell_account(account)

    def _tell_account(self, account: TradingAccount) -> None:
        """Two to four times the same balance (API.md 4.3)."""
        for _ in range(4 if self._chance(0.2) else 3 if self._chance(0.3) else 2):
            self._tell(rows.hub("GatewayUserAccount", rows.account(account)))

    def _tell_order(self, order: WorkOrder) -> None:
        self._tell(rows.hub("GatewayUserOrder", rows.order(order)))

    def _new(
        self,
        account: TradingAccount,
        instrument: Instrument,
        kind: int,
        side: int,
        size: int,
        status: int,
        limit_price: int | None = None,
        stop_price: int | None = None,
        *,
        tag: str | None = None,
    ) -> WorkOrder:
        at = self._wait(1)
        order = WorkOrder(
            self._id(), account, instrument, kind, side, size, at, at, status, limit_price, stop_price, tag
        )
        self.orders.append(order)
        return order

    def _id(self) -> int:
        self._next_id += 3
        return self._next_id
