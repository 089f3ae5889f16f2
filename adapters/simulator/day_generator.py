"""A small seeded exchange that is told what the trader does and writes what a broker connection would have said.

A script gives the plot (orders, price targets, faults), the seed everything between: noise of the price, latencies,
which quote fields change. The same script with the same seed gives the same bytes on every Python.
Prices are given as text of points; times as text of the exchange's clock in Chicago. Source: topstepx/API.md 0, 3, 4.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.simulator import rows
from adapters.simulator.chance import Chance
from adapters.simulator.matching import Exchange
from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.tape import Tape
from adapters.topstepx.fields import Object, instant
from riskcore.core.quantities import MINUTE_NS, SECOND_NS, money
from riskcore.core.quantities import price as price_of
from riskcore.core.state import STATUS_CANCELLED, STATUS_OPEN, WORKING

Write = Callable[[int, Object], None]
MILLISECOND_NS = SECOND_NS // 1000
MICROSECOND_NS = MILLISECOND_NS // 1000
LATENCY_NS = 40 * MILLISECOND_NS  # Server stamp to client (API.md 4.3).
_EXCHANGE_ZONE = ZoneInfo("America/Chicago")
_LONGEST_SILENCE_NS = 4 * SECOND_NS  # Of an instrument that is not the moving one.
_SEARCH_BACK_NS = 30 * MINUTE_NS
_FIRST_ID, _IDS_OF_A_DAY = 3_420_000_000, 10_000


class DayGenerator:
    """One recording in the making. `write(at, line)` takes each line with its time of receipt in nanoseconds."""

    def __init__(self, write: Write, *, seed: int, start: str) -> None:
        self._write = write
        self._chance = Chance(seed)
        self.now = exchange_time(start)
        self._received_at = self.now
        self._lost: set[str] = set()
        self._lost_at = self.now
        self.accounts: list[TradingAccount] = []
        self.instruments: list[Instrument] = []
        self._exchange = Exchange(self._user_event, self._pass, self._chance, _FIRST_ID + seed * _IDS_OF_A_DAY)
        self._tape = Tape(self._market_event, self._chance)

    @property
    def orders(self) -> list[WorkOrder]:
        """Every order of the day so far, oldest first."""
        return self._exchange.orders

    # ---- the stage -----------------------------------------------------------------------------------

    def account(self, id: int, name: str, balance: str = "50000") -> TradingAccount:
        """A simulated account with its opening balance in dollars."""
        added = TradingAccount(id, name, money(balance))
        self.accounts.append(added)
        return added

    def instrument(self, root: str, expiry: str, last: str) -> Instrument:
        """A contract that is quoted from here on, at a price of `last` points."""
        added = Instrument(root, expiry, price_of(last))
        self.instruments.append(added)
        return added

    def connect(self) -> None:
        """Both hubs connect and the first snapshot is read."""
        for hub in ("user", "market"):
            self._line({"connection": hub, "state": "connected"})
        self._line(
            rows.rest(
                "Account/search", {"onlyActiveAccounts": True}, {"accounts": [rows.account(a) for a in self.accounts]}
            )
        )
        for instrument in self.instruments:
            self.describe(instrument)
        for account in self.accounts:
            self._snapshot(account)

    def describe(self, instrument: Instrument) -> None:
        """The contract's record is looked up."""
        request: Object = {"contractId": instrument.id}
        self._line(rows.rest("Contract/searchById", request, {"contract": rows.contract(instrument)}))

    def at(self, local: str) -> None:
        """Jump to an instant of the exchange's clock; nothing happens in between. A date may be left out."""
        self.now = max(self.now, self._time(local))

    def _time(self, local: str) -> int:
        date = datetime.fromtimestamp(self.now // SECOND_NS, _EXCHANGE_ZONE).date().isoformat()
        return exchange_time(local if "-" in local else f"{date} {local}")

    # ---- the market ----------------------------------------------------------------------------------

    def walk(self, instrument: Instrument, to: str, *, until: str, every: int = 2000, noise: int = 3) -> None:
        """Quotes until an instant, about one each `every` milliseconds, wandering to the price `to`.

        `noise` ticks at most off the straight line; the last quote is at `to` exactly. Working orders fill on the
        way. Each of the other instruments is quoted now and then at its own price.
        """
        target, ends_at = price_of(to), self._time(until)
        start, starts_at = instrument.last, self.now
        while (next_at := self.now + self._chance.about(every * MILLISECOND_NS)) < ends_at:
            self.now = next_at
            line = start + (target - start) * (self.now - starts_at) // (ends_at - starts_at)
            ticks = self._chance.between(-noise, noise)
            self._trade_at(
                instrument, line // instrument.tick_size * instrument.tick_size + ticks * instrument.tick_size
            )
            self._others(instrument)
        self.now = ends_at
        self._trade_at(instrument, target)

    def print_price(self, instrument: Instrument, at_price: str) -> None:
        """One quote at a price, now."""
        self._trade_at(instrument, price_of(at_price))

    def _others(self, moving: Instrument) -> None:
        for instrument in self.instruments:
            waiting = self.now - instrument.quoted_at > _LONGEST_SILENCE_NS
            if instrument is not moving and (waiting or self._chance.happens(0.2)):
                self.now += self._chance.about(2 * MILLISECOND_NS)
                self._trade_at(instrument, instrument.last)

    def _trade_at(self, instrument: Instrument, last: int) -> None:
        self._tape.trade(instrument, last, self.now)
        self._exchange.match(instrument)

    # ---- the trader ----------------------------------------------------------------------------------

    def market(
        self,
        account: TradingAccount,
        instrument: Instrument,
        side: int,
        size: int,
        *,
        fills: Sequence[int] = (),
        tag: str | None = None,
    ) -> WorkOrder:
        """A market order; `fills` splits it into partial fills, the market moving a tick against each."""
        assert not fills or sum(fills) == size, "the fills add up to the order"
        self._pass(120)
        return self._exchange.market(account, instrument, side, fills or (size,), tag)

    def stop(self, account: TradingAccount, instrument: Instrument, side: int, size: int, price: str) -> WorkOrder:
        """A stop order that works until the last price touches it."""
        self._pass(60)
        return self._exchange.rest_order(account, instrument, side, size, stop_price=price_of(price))

    def limit(self, account: TradingAccount, instrument: Instrument, side: int, size: int, price: str) -> WorkOrder:
        """A limit order that works until the last price reaches it."""
        self._pass(60)
        return self._exchange.rest_order(account, instrument, side, size, limit_price=price_of(price))

    def bracket(
        self,
        account: TradingAccount,
        instrument: Instrument,
        side: int,
        size: int,
        *,
        stop_ticks: int,
        target_ticks: int,
        tag: str,
        entry_price: str | None = None,
    ) -> tuple[WorkOrder, WorkOrder, WorkOrder]:
        """An entry with suspended stop and target legs, one cancelling the other: entry, stop, target.

        At market, or a limit entry at `entry_price`. Ticks are magnitudes from the entry fill.
        """
        self._pass(90)
        limit_price = None if entry_price is None else price_of(entry_price)
        return self._exchange.bracket(account, instrument, side, size, stop_ticks, target_ticks, tag, limit_price)

    def modify(self, order: WorkOrder, *, price: str | None = None, size: int | None = None) -> None:
        """Another price or size for a working order."""
        self._pass(50)
        order.size = order.size if size is None else size
        if price is not None and order.stop_price is not None:
            order.stop_price = price_of(price)
        elif price is not None:
            order.limit_price = price_of(price)
        self._exchange.show(order, STATUS_OPEN)

    def cancel(self, order: WorkOrder) -> None:
        self._pass(50)
        if order.working:
            self._exchange.show(order, STATUS_CANCELLED)

    def close(self, account: TradingAccount, instrument: Instrument) -> None:
        """closeContract by a connected program: a REST line, then a market order without a tag (API.md 3.2)."""
        self._pass(40)
        request: Object = {"accountId": account.id, "contractId": instrument.id}
        self._line(rows.rest("Position/closeContract", request, {}))
        size = account.holdings[instrument.id].size
        self._exchange.market(account, instrument, -1 if size > 0 else 1, (abs(size),), None)

    # ---- the broker's moods --------------------------------------------------------------------------

    def can_trade(self, account: TradingAccount, allowed: bool) -> None:
        """The broker takes the trading rights away, or gives them back."""
        account.can_trade = allowed
        self._exchange.show_account(account)

    def void(self, *orders: WorkOrder) -> None:
        """All fills of these orders are voided, and the balance is put right."""
        self._pass(500)
        self._exchange.void(orders)

    def lose(self, *hubs: str) -> None:
        """Connections break: what they would have said from here on is lost."""
        self._lost_at = self.now
        for hub in hubs:
            self._line({"connection": hub, "state": "lost"})
        self._lost.update(hubs)

    def reconnect(self, *hubs: str) -> None:
        """Connections come back, and REST says what was missed, overlapping what is known (API.md 4.4)."""
        self._lost.difference_update(hubs)
        for hub in hubs:
            self._line({"connection": hub, "state": "connected"})
        if "user" in hubs:
            request: Object = {"onlyActiveAccounts": True}
            self._line(rows.rest("Account/search", request, {"accounts": [rows.account(a) for a in self.accounts]}))
            for account in self.accounts:
                self._snapshot(account)

    def repeat_fills(self, order: WorkOrder) -> None:
        """The hub sends the fills of an order once more."""
        for fill in self._exchange.fills:
            if fill.order is order:
                self._user_event(rows.hub("GatewayUserTrade", rows.fill(fill), 0))

    def clock(self) -> None:
        """A clock line: time passes without news."""
        self._line({"clock": True})

    def _snapshot(self, account: TradingAccount) -> None:
        """Open positions, working orders, recent orders and fills of one account."""
        digits, since = rows.REST_DIGITS, self._lost_at - _SEARCH_BACK_NS
        own: Object = {"accountId": account.id}
        window: Object = {**own, "startTimestamp": rows.time(since, digits)}
        held = [rows.position(one, digits) for one in account.holdings.values() if one.size]
        orders = [one for one in self._exchange.orders if one.account is account]
        working = [rows.order(one, digits) for one in reversed(orders) if one.working]
        recent = [rows.order(one, digits) for one in orders if one.updated_at >= since and not one.working]
        fills = [one for one in self._exchange.fills if one.account is account and one.at >= since]
        query: Object = {"filter": {**own, "statuses": list(WORKING)}, "pageSize": 100, "includeTotalCount": True}
        self._line(rows.rest("Position/searchOpen", own, {"positions": held}))
        self._line(rows.rest("Order/v2/query", query, {"orders": working, "totalCount": len(working)}))
        self._line(rows.rest("Order/search", {**window, "endTimestamp": None}, {"orders": recent}))
        self._line(rows.rest("Trade/search", window, {"trades": [rows.fill(one, digits) for one in reversed(fills)]}))

    # ---- time ----------------------------------------------------------------------------------------

    def _pass(self, milliseconds: int) -> int:
        """Let about so many milliseconds pass; the time then."""
        self.now += self._chance.about(milliseconds * MILLISECOND_NS)
        return self.now

    def _user_event(self, line: Object) -> None:
        self._line(line, "user")

    def _market_event(self, line: Object) -> None:
        self._line(line, "market")

    def _line(self, line: Object, hub: str = "") -> None:
        """Write a line as received: later than it was sent, never before the one ahead of it."""
        arrives_at = self.now + self._chance.about(LATENCY_NS)
        if hub in self._lost:
            return
        self._received_at = max(self._received_at + MICROSECOND_NS, arrives_at // MICROSECOND_NS * MICROSECOND_NS)
        self._write(self._received_at, line)


def exchange_time(local: str) -> int:
    """Nanoseconds of "2026-11-20 08:30:00" by the clock in Chicago, with or without a fraction. Raises ValueError."""
    moment = datetime.fromisoformat(local).replace(tzinfo=_EXCHANGE_ZONE)
    return instant(moment.isoformat())
