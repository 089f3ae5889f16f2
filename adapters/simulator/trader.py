"""The scripted trader: what a person does in the platform, as data in scenario.py tells it.

Such orders have no tag, go past the API's checks of live accounts, and are rejected like any other when the trading
rights are gone or the market is shut (topstepx/API.md 3.2, 5.5).
"""

from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.scenario import Action, Habit, Scenario
from adapters.simulator.venue import Venue
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import BUY, SELL, STATUS_CANCELLED, TYPE_LIMIT, TYPE_MARKET, TYPE_STOP


class Trader:
    """Carries out the actions and habits of a scenario."""

    def __init__(self, venue: Venue, scenario: Scenario) -> None:
        self._venue = venue
        self._accounts = [venue.accounts[plan.id] for plan in scenario.accounts]
        self._left = {habit: habit.count for habit in scenario.habits}
        self._since: dict[Habit, int] = {}  # When what a habit waits for began.

    def perform(self, action: Action) -> None:
        account, instrument = self._accounts[action.account], self._instrument(action.root)
        match action.deed:
            case "market":
                self._at_market(account, instrument, action.side, action.size)
            case "limit":
                price = instrument.last - action.side * action.ticks * instrument.tick_size
                self._submit(self._new(account, instrument, TYPE_LIMIT, action.side, action.size, limit_price=price))
            case "stop":
                price = instrument.last + action.side * action.ticks * instrument.tick_size
                self._submit(self._new(account, instrument, TYPE_STOP, action.side, action.size, stop_price=price))
            case "bracket":
                entry = self._new(account, instrument, TYPE_MARKET, action.side, action.size)
                self._venue.exchange.leg(entry, TYPE_STOP, -action.side * action.ticks)
                self._venue.exchange.leg(entry, TYPE_LIMIT, action.side * action.target_ticks)
                self._submit(entry)
            case "close":
                held = self._venue.held(account, instrument.id)
                if held:
                    self._at_market(account, instrument, SELL if held > 0 else BUY, abs(held))
            case "cancel":
                for order in self._working(account, instrument):
                    self._cancel(order)
            case "rights":
                account.can_trade = action.side > 0
                self._venue.exchange.show_account(account)

    def look(self, elapsed: int) -> bool:
        """Follow the habits, so many nanoseconds after the beginning; whether any is left."""
        for habit, left in self._left.items():
            if left and elapsed >= habit.from_second * SECOND_NS:
                self._follow(habit, elapsed)
        return any(self._left.values())

    def _follow(self, habit: Habit, elapsed: int) -> None:
        account, instrument = self._accounts[habit.account], self._instrument(habit.root)
        held = self._venue.held(account, instrument.id)
        stops = [order for order in self._working(account, instrument) if order.open and order.stop_price is not None]
        waits_for = {"reenter": held == 0, "add": held != 0, "cancel_stops": bool(stops), "copy": True}[habit.kind]
        if not waits_for:
            self._since.pop(habit, None)
            return
        if elapsed - self._since.setdefault(habit, elapsed) < habit.after_seconds * SECOND_NS:
            return
        if habit.kind == "copy":
            self._since[habit] = elapsed  # On time, however long the look takes.
        else:
            del self._since[habit]
        self._left[habit] -= 1
        if habit.kind == "cancel_stops":
            for order in stops:
                self._cancel(order)
        else:
            self._at_market(account, instrument, habit.side, habit.size)

    def _instrument(self, root: str) -> Instrument:
        instrument = self._venue.instrument(self._venue.active_id(root))
        assert instrument is not None, f"{root} is in the catalogue"
        return instrument

    def _at_market(self, account: TradingAccount, instrument: Instrument, side: int, size: int) -> None:
        self._submit(self._new(account, instrument, TYPE_MARKET, side, size))

    def _new(
        self,
        account: TradingAccount,
        instrument: Instrument,
        kind: int,
        side: int,
        size: int,
        *,
        limit_price: int | None = None,
        stop_price: int | None = None,
    ) -> WorkOrder:
        return self._venue.exchange.new(
            account, instrument, kind, side, size, limit_price=limit_price, stop_price=stop_price
        )

    def _submit(self, order: WorkOrder) -> None:
        if order.account.can_trade and self._venue.open_for_trading():
            self._venue.exchange.submit(order)
        else:
            self._venue.exchange.reject(order)

    def _working(self, account: TradingAccount, instrument: Instrument) -> list[WorkOrder]:
        return [order for order in self._venue.exchange.unfinished(instrument) if order.account is account]

    def _cancel(self, order: WorkOrder) -> None:
        if order.working:  # The other leg may have taken it along.
            self._venue.exchange.show(order, STATUS_CANCELLED)
