"""Round trips of recorded days, flat to flat per contract, with MAE, MFE and R (RULES.md 1.5, "Round trips").

The fills say what a trip is; between them the recorded marks say how far it went against and for the trader:
- MAE and MFE in dollars are the lowest and highest of what the trip had booked plus what was open, before fees, and 0
  at its start. In ticks they are the furthest price against and for the average entry of what was open.
- R is the net result over the risk: the distance of the first stop that protected the trip times its largest size;
  else the loss a rule allows for the position; else the distance of the stop a rule would place.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from riskcore.audit.limits import readings
from riskcore.audit.log import AuditLog
from riskcore.audit.mark_tape import MarkTape, Stretch
from riskcore.audit.status import view_of
from riskcore.core import events as e
from riskcore.core.lots import NO_LOTS, Lots, after_fill, lots_of
from riskcore.core.marks import default_age, entry_cost
from riskcore.core.order_roles import is_protective
from riskcore.core.quantities import SECOND_NS, decimal_text, money_text, move_value, price_text
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.rules.base import LOSS
from riskcore.core.state import STATUS_OPEN, Account, Contract, Position, Trade
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

NO_STOP = "no stop"
CARRIED_IN = "it was open before the day began"
NO_MARKS = "no marks were recorded while it was open"
TOLD_LATE = "its fills were reported late"
NO_ENTRY = "the fills that opened it are unknown"
NO_ECONOMICS = "the tick size of the contract is unknown"
# A fill reported so much later than it was made stands in the wrong place among the quotes.
LATE_NS = 5 * SECOND_NS
_RATIO_PLACES = 4
_Name = tuple[int, str, int]  # Account, contract, how many trips of it had ended before.


@dataclass(frozen=True, slots=True)
class Stop:
    """The first stop that protected a trip; `points` is the loss at it in 1e-9 points a contract."""

    price: int
    at: int
    points: Fraction


@dataclass(slots=True)
class Trip:
    """One round trip while its fills are walked through. Sizes are contracts, amounts 1e-6 dollars."""

    name: _Name
    side: int
    unknown: str = ""  # Why MAE and MFE cannot be told.
    size: int = 0  # The most that was held.
    fills: list[Trade] = field(default_factory=list)
    booked_usd: int = 0
    costs: dict[str, int] = field(default_factory=lambda: {"fees": 0, "commissions": 0})
    open: bool = True
    low_usd: int = 0
    high_usd: int = 0
    low_points: Fraction = Fraction(0)  # Of a contract, in 1e-9 points.
    high_points: Fraction = Fraction(0)
    marks: int = 0
    flags: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class RoundTrips:
    """Listens beside an audit log, behind it; `rows` tells the trips once the log is finished."""

    log: AuditLog
    _tape: MarkTape = field(default_factory=MarkTape)
    _rulebook: Rulebook | None = None
    _cuts: dict[tuple[int, int], int] = field(default_factory=dict)  # Account, fill -> the stretch that begins there.
    _stops: dict[_Name, Stop] = field(default_factory=dict)
    _limits: dict[_Name, int] = field(default_factory=dict)  # The loss that a rule allows for the position alone.
    _opened: dict[tuple[int, str], tuple[Lots, int]] = field(default_factory=dict)
    _before: set[tuple[int, int]] = field(default_factory=set)  # Fills that were known when the day opened.

    def listen(self, event: e.Event) -> None:
        """An event after the log has folded it."""
        body = event.body
        if isinstance(body, e.TradingDayOpened):
            self._open(body)
        elif isinstance(body, e.QuoteObserved | e.QuotesObserved | e.MarketTraded | e.BarObserved):
            self._tape.listen(event)
            return
        elif isinstance(body, e.TradeRecorded) and (body.account, body.trade_id) not in self._cuts:
            self._cuts[body.account, body.trade_id] = self._tape.cut(body.contract, event.at)
        account = self.log.book.accounts.get(getattr(body, "account", None) or 0)
        if account is not None:
            for position in account.held():
                self._protect(account, position, event.at)

    def _open(self, body: e.TradingDayOpened) -> None:
        self._rulebook = rulebook_of(body.settings)
        self._tape.mode = self._rulebook.profile.mark
        for account in body.accounts:
            self._before.update((account.id, one) for one in (*account.trades, *account.old_trades))
            for position in account.positions.values():
                self._opened[account.id, position.contract] = (lots_of(position), position.round_trips)

    def _protect(self, account: Account, position: Position, at: int) -> None:
        name = (account.id, position.contract, position.round_trips)
        if name not in self._limits:
            self._limits[name] = self._loss_limit(account, position)
        cost = entry_cost(position)
        if name in self._stops or cost is None or not cost[0]:
            return
        size, total = cost
        prices = [
            order.stop_price
            for order in account.working_orders()
            if order.status == STATUS_OPEN and order.stop_price is not None and is_protective(order, position)
        ]
        if prices:
            side = 1 if size > 0 else -1
            nearest = max(prices, key=lambda price: side * price)
            self._stops[name] = Stop(nearest, at, Fraction(total - nearest * size, abs(size)))

    def _loss_limit(self, account: Account, position: Position) -> int:
        """The smallest loss at which a rule closes this position alone; 0 without one."""
        assert self._rulebook is not None, "a position is held on a day that was opened"
        view = view_of(self.log.book, self._rulebook, account)
        found = [
            one.limit
            for instance in self._rulebook.instances(account)
            if not instance.shadow and instance.rule.gauges is not None
            for one in readings(instance, view)
            if one.kind == LOSS and one.contract == position.contract and one.limit
        ]
        return min(found, default=0)

    # ---- the trips -----------------------------------------------------------------------------------

    def rows(self, accounts: list[int]) -> list[Row]:
        """The trips of the days, in the order they were entered; those that are still open have no exit."""
        fills: dict[tuple[int, str], list[Trade]] = {}
        for (account, trade_id), trade in self.log.fills.items():
            if account in accounts and (account, trade_id) not in self._before:
                fills.setdefault((account, trade.contract), []).append(trade)
        trips = [
            trip for (account, contract), trades in fills.items() for trip in self._trips(account, contract, trades)
        ]
        trips.sort(key=lambda trip: (trip.fills[0].placed_at, trip.fills[0].id))
        return [self._row(trip) for trip in trips]

    def _trips(self, account: int, contract: str, trades: list[Trade]) -> list[Trip]:
        """Walk through the fills of one contract, the oldest lot closing first."""
        lots, number = self._opened.get((account, contract), (NO_LOTS, 0))
        economics = self.log.book.contracts.get(contract)
        found: list[Trip] = []
        trip = None
        if not lots.flat:
            trip = self._trip(account, contract, number, lots.side or (1 if lots.carried > 0 else -1), CARRIED_IN)
            trip.size = abs(lots.size + lots.carried)
        early: list[Trade] = []  # The opening halves of a flip whose closing halves are not told yet.
        counted = [trade for trade in trades if not trade.voided and not trade.settled]
        for place, trade in enumerate(counted):
            if trip is None:
                known = trade.profit_usd is None
                side = trade.side if known else -trade.side
                trip = self._trip(account, contract, number, side, "" if known else NO_ENTRY)
            lots = after_fill(lots, trade, economics)
            if trade.profit_usd is None and trade.side != trip.side:
                early.append(trade)
                continue
            self._add(trip, trade, lots)
            if lots.trip_ended or (trip.unknown == NO_ENTRY and lots.flat):
                trip.open = False
                found.append(trip)
                number += 1
                trip = None
                if early:
                    trip = self._trip(account, contract, number, lots.side, "")
                    for one in early:
                        self._add(trip, one, lots)
                    early = []
            if trip is not None and economics is not None:
                after = counted[place + 1] if place + 1 < len(counted) else None
                self._follow(trip, trade, after, lots, economics)
        return [*found, *([trip] if trip is not None and trip.fills else [])]

    def _trip(self, account: int, contract: str, number: int, side: int, unknown: str) -> Trip:
        if contract not in self.log.book.contracts:
            unknown = NO_ECONOMICS
        return Trip((account, contract, number), side, unknown)

    def _add(self, trip: Trip, trade: Trade, lots: Lots) -> None:
        trip.fills.append(trade)
        trip.booked_usd += trade.profit_usd or 0
        trip.costs["fees"] += trade.fees_usd or 0
        trip.costs["commissions"] += trade.commissions_usd or 0
        trip.size = max(trip.size, trade.size if trade.profit_usd is not None else abs(lots.size + lots.carried))
        if trade.dated and trade.recorded_at - trade.placed_at > LATE_NS:
            trip.unknown = trip.unknown or TOLD_LATE

    def _follow(self, trip: Trip, trade: Trade, after: Trade | None, lots: Lots, economics: Contract) -> None:
        """What is open behind a fill, at every mark up to the next one and at the price of that."""
        account, contract, _ = trip.name
        start = self._cuts.get((account, trade.id))
        if start is None or lots.carried_cost is None:
            return
        end = None if after is None else self._cuts.get((account, after.id))
        stretches = self._tape.between(contract, start, end)
        prices = [] if after is None else [after.price]
        for stretch in stretches:
            prices += stretch.ends.get(trip.side, ())
            trip.marks += stretch.marks
            if stretch.from_bars:
                trip.flags["from_bars"] = None
        if self._stale(stretches, after):
            trip.flags["stale_marks"] = None
        size, cost = lots.size + lots.carried, lots.cost + lots.carried_cost
        for price in prices if size else ():
            points = price * size - cost
            value = trip.booked_usd + move_value(points, economics.tick_size, economics.tick_value)
            trip.low_usd, trip.high_usd = min(trip.low_usd, value), max(trip.high_usd, value)
            each = Fraction(points, abs(size))
            trip.low_points, trip.high_points = min(trip.low_points, each), max(trip.high_points, each)

    def _stale(self, stretches: list[Stretch], after: Trade | None) -> bool:
        """Whether for longer than a quote stays fresh there was none, so that more may have happened than is known."""
        ends = [*(one.since for one in stretches[1:]), after.recorded_at if after is not None else self.log.book.now]
        gaps = [
            max(one.longest_gap_ns, end - max(one.last_at, one.since))
            for one, end in zip(stretches, ends, strict=False)
        ]
        return max(gaps, default=0) > default_age(self.log.book)

    # ---- rows ----------------------------------------------------------------------------------------

    def _row(self, trip: Trip) -> Row:
        account, contract, _ = trip.name
        first, last = trip.fills[0], trip.fills[-1]
        ended_at = None if trip.open else last.placed_at
        net_usd = trip.booked_usd - sum(trip.costs.values())
        earlier = trip.unknown in (CARRIED_IN, NO_ENTRY)
        entries = [one for one in trip.fills if one.profit_usd is None]
        exits = [one for one in trip.fills if one.profit_usd is not None]
        return {
            "account": account,
            "contract": contract,
            "side": "long" if trip.side > 0 else "short",
            "size": trip.size,
            "entered_at": None if earlier else utc_text(first.placed_at),
            "exited_at": None if ended_at is None else utc_text(ended_at),
            "entry_price": None if earlier else _average(entries),
            "exit_price": _average(exits),
            "fills": len(trip.fills),
            "gross_pnl": money_text(trip.booked_usd),
            **{name: money_text(value) for name, value in trip.costs.items()},
            "net_pnl": money_text(net_usd),
            **self._excursions(trip),
            **self._risk(trip, net_usd),
            "closed_by": None if trip.open else self.log.maker_of_fill(account, last).by,
        }

    def _excursions(self, trip: Trip) -> Row:
        unknown = trip.unknown or (NO_MARKS if not trip.marks else "")
        row: Row = {"marks": trip.marks, "flags": list(trip.flags), "unknown": unknown or None}
        if unknown:
            return {**dict.fromkeys(("mae", "mae_ticks", "mfe", "mfe_ticks")), **row}
        tick = self.log.book.contracts[trip.name[1]].tick_size
        return {
            "mae": money_text(trip.low_usd),
            "mae_ticks": _ratio(trip.low_points / tick),
            "mfe": money_text(trip.high_usd),
            "mfe_ticks": _ratio(trip.high_points / tick),
            **row,
        }

    def _risk(self, trip: Trip, net_usd: int) -> Row:
        """What was risked, where that figure comes from, and the result in multiples of it."""
        stop = self._stops.get(trip.name)
        economics = self.log.book.contracts.get(trip.name[1])
        risk_usd, source = 0, NO_STOP
        if economics is not None and stop is not None and stop.points > 0:
            points = stop.points * trip.size
            risk_usd, source = move_value(int(points), economics.tick_size, economics.tick_value), "stop"
        elif self._limits.get(trip.name):
            risk_usd, source = self._limits[trip.name], "loss limit"
        elif economics is not None and (ticks := self._stop_ticks(trip.name[0])) is not None:
            risk_usd, source = ticks * economics.tick_value * trip.size, "stop distance of a rule"
        return {
            "stop": None if stop is None else {"price": price_text(stop.price), "at": utc_text(stop.at)},
            "risk": money_text(risk_usd) if risk_usd else None,
            "risk_from": source,
            "r": _ratio(Fraction(net_usd, risk_usd)) if risk_usd and not trip.open else None,
        }

    def _stop_ticks(self, account_id: int) -> int | None:
        account = self.log.book.accounts.get(account_id)
        instances = self._rulebook.instances(account) if self._rulebook is not None and account is not None else ()
        placed = [one.rule.stop_ticks(one.params) for one in instances if one.rule.stop_ticks and not one.shadow]
        return min((ticks for ticks in placed if ticks is not None), default=None)


def _average(fills: list[Trade]) -> str | None:
    contracts = sum(one.size for one in fills)
    return price_text(sum(one.price * one.size for one in fills) // contracts) if contracts else None


def _ratio(value: Fraction) -> str:
    """To four places, cut towards zero: -1 is shown only where all of the risk was lost."""
    scale = 10**_RATIO_PLACES
    cut = abs(value.numerator) * scale // value.denominator
    return decimal_text(-cut if value < 0 else cut, _RATIO_PLACES)
