"""What a simulated account did on the days before the gateway was started: orders and fills that lists show.

The trader of those days opens and closes at the close of a minute bar, with a stop at his side, so that history and
bars fit. With `tilts` he doubles his size after a loss and trades faster. The same seed gives the same days, counted
back from the day on which the gateway starts.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from adapters.simulator.bar_history import BarHistory
from adapters.simulator.catalogue import OFFERED, active_expiry, contract_id_of
from adapters.simulator.matching import Exchange
from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.scenario import PastDays
from adapters.simulator.venue import EXCHANGE_ZONE, Venue
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.core.state import BUY, SELL, STATUS_CANCELLED, STATUS_FILLED, TYPE_MARKET, TYPE_STOP

_SATURDAY = 5
_FIRST_ENTRY, _LAST_ENTRY_MINUTES = time(8, 35), 330
_STOP_TICKS = 60
_LARGEST_SIZE = 12


def live_through(plan: PastDays, venue: Venue, exchange: Exchange, account: TradingAccount, seed: int) -> None:
    """Book the past of one account, oldest day first; its balance is what it is after all of it."""
    balance = account.balance_usd
    for day in _days(plan.days, venue.now):
        product = OFFERED[plan.root]
        instrument = venue.instrument(contract_id_of(product, active_expiry(product, day)))
        assert instrument is not None, f"{plan.root} is offered on every day"
        chance = Random(f"{seed} {account.id} {day.isoformat()}")
        if chance.random() >= plan.idle_share:
            _trade(plan, exchange, account, instrument, venue.history(instrument), day, chance)
    account.balance_usd = balance
    account.holdings.clear()


def _days(count: int, now: int) -> Iterator[date]:
    """Working days before today, the oldest first."""
    day = datetime.fromtimestamp(now // SECOND_NS, EXCHANGE_ZONE).date()
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < _SATURDAY:
            found.append(day)
    return reversed(found)


def _trade(
    plan: PastDays,
    exchange: Exchange,
    account: TradingAccount,
    instrument: Instrument,
    bars: BarHistory,
    day: date,
    chance: Random,
) -> None:
    """Round trips of one day, in the session's hours."""
    opened = datetime.combine(day, _FIRST_ENTRY, EXCHANGE_ZONE).astimezone(UTC)
    minute = int(opened.timestamp()) * SECOND_NS
    last = minute + _LAST_ENTRY_MINUTES * MINUTE_NS
    size = 1
    for _ in range(chance.randint(1, plan.round_trips)):
        minute += chance.randint(2, 45) * MINUTE_NS
        held = chance.randint(3, 40)
        if minute + held * MINUTE_NS > last:
            break
        side = chance.choice((BUY, SELL))
        entry_at, exit_at = (at + chance.randrange(SECOND_NS) for at in (minute, minute + held * MINUTE_NS))
        entry, leaving = bars.price_at(minute), bars.price_at(minute + held * MINUTE_NS)
        stop = entry - side * _STOP_TICKS * instrument.tick_size
        for order in (
            _filled(exchange, account, instrument, side, size, entry_at, entry),
            _cancelled_stop(exchange, account, instrument, -side, size, (entry_at, exit_at), stop),
            _filled(exchange, account, instrument, -side, size, exit_at, leaving),
        ):
            exchange.book_past(order)
        lost = (leaving - entry) * side < 0
        if plan.tilts:
            size = min(2 * size, _LARGEST_SIZE) if lost else 1
        minute += held * MINUTE_NS


def _filled(
    exchange: Exchange, account: TradingAccount, instrument: Instrument, side: int, size: int, at: int, price: int
) -> WorkOrder:
    """A market order that filled at once."""
    order = WorkOrder(exchange.next_id(), account, instrument, TYPE_MARKET, side, size, at, at, STATUS_FILLED)
    order.filled, order.filled_price = size, price
    return order


def _cancelled_stop(
    exchange: Exchange,
    account: TradingAccount,
    instrument: Instrument,
    side: int,
    size: int,
    worked: tuple[int, int],
    price: int,
) -> WorkOrder:
    """A stop that worked until the trader left."""
    order = WorkOrder(exchange.next_id(), account, instrument, TYPE_STOP, side, size, *worked, STATUS_CANCELLED)
    order.stop_price = price
    return order
