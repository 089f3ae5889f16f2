"""The counterfactual course of one account in the reference: intent, policies, left-out entries, its broker's fills.

WHATIF.md sections 1 to 4. Until the divergence recorded fills are facts; after it they are intent.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Protocol

from tests.replay.whatif import reference_money as money
from tests.replay.whatif.reference_baseline import NEVER, Baseline
from tests.replay.whatif.reference_books import Book, Booked, Mark, without_oldest
from tests.replay.whatif.reference_broker import MARK, RECORD, Market, Moment, Plan, Priced, Request
from tests.replay.whatif.reference_facts import Fill, Order, trade_date, worth
from tests.replay.whatif.reference_judge import Judge
from tests.replay.whatif.reference_kept import Kept
from tests.replay.whatif.reference_record import Cancelled
from tests.replay.whatif.reference_rules import Memory

FOLLOW, FREEZE, STOP = "follow", "freeze", "stop"


class Surroundings(Protocol):
    """What a course asks of the run it belongs to."""

    policy: str
    market: Market
    marks: dict[str, Mark]

    def note_divergence(self, account: int, day: date, at: int) -> None: ...


@dataclass
class Course(Judge):
    run: Surroundings
    baseline: Baseline | None = None
    ledger: money.Account = field(default_factory=money.Account)
    kept: Kept = field(default_factory=Kept)
    past: dict[date, Fraction] = field(default_factory=dict)  # Net of days whose book is gone.
    baseline_locked: bool = False  # Before the fill in hand.
    stopped: bool = False
    frozen: set[str] = field(default_factory=set)
    broker_fills: int = 0

    # ---- the day -------------------------------------------------------------------------------------

    def open_day(self, now: int, independent: bool, opening: Moment, before: date | None) -> None:
        """Start a trading day: as the course left off, or from a copy of the recorded account.

        For the policies a day diverges at its first action: none of them is in force before that.
        """
        self.stopped, self.frozen = False, set()
        if independent and before is not None:
            self.past[before] = self.book.net(before)
            self.book = Book([replace(one) for one in self.record.book.fills])
            left = self.baseline.left(self.settings) if self.baseline is not None else Memory()
            self.memory = replace(left, increases=list(self.record.increases))
            self.cancelled, self.requests, self.flattening = {}, [], False
            if self.baseline is not None:
                self.cancelled = dict(self.baseline.cancelled)
                self.requests, self.flattening = list(self.baseline.requests), self.baseline.flattening
            self.ledger.queues.clear()
            self.diverged = False
            self._look_again(opening)
            return
        contracts = dict.fromkeys([*self.book.contracts(), *self.record.book.contracts()])
        self.diverged = any(self.book.lots(one) != self.record.book.lots(one) for one in contracts)
        if self.diverged:
            self.run.note_divergence(self.account, trade_date(now), now)

    def thaw(self, now: int) -> None:
        """A frozen contract is free once no lockout covers it and its recorded position is flat."""
        if not self.memory.locked(now):
            self.frozen = {contract for contract in self.frozen if self.record.book.position(contract)}

    def part_where_only_the_baseline_acts(self, moment: Moment) -> None:
        if self.baseline is not None and self.baseline.actions - self.actions:
            self._diverge(moment)

    # ---- recorded facts ------------------------------------------------------------------------------

    def take_order(self, order: Order, moment: Moment, worked: bool) -> None:
        """`worked`: it was told before; then a lockout that forbids it has begun since."""
        if self.could_open(order) and order.id not in self.cancelled and self.memory.locked(moment.at):
            action = ("cancel", order.id, 0)
            self.actions.add(action)
            if not self.diverged and self._is_alike(action):
                self.cancelled[order.id] = Cancelled(NEVER, worked=True)
            else:
                self.cancelled[order.id] = Cancelled(self.run.market.due(moment.at) if worked else moment.at, worked)
                self._act({order.contract}, moment)
        self._look_again(moment)

    def take_part(
        self, fill: Fill, recorded: Booked, done: int, fees: Fraction, engine: bool, moment: Moment
    ) -> tuple[int, Fraction]:
        """One part of a recorded fill: how much of it was executed, for which fees."""
        self.thaw(moment.at)
        if not recorded.closes:
            return self._take_opening(fill, recorded, done, fees, moment)
        if not self.diverged:
            return self._book(replace(recorded), moment)
        held = max(self.book.position(fill.contract) * -fill.side, 0)
        size = 0 if self._is_cancelled(fill, moment.at) else min(recorded.size, held)
        requested = [one.plan.kind for one in self.requests if one.contract == fill.contract]
        if engine and RECORD not in requested:
            # What riskcore closed in the record is no intent: what this course holds beyond the record, it keeps.
            left = abs(self.record.book.position(fill.contract))
            beyond = max(min(recorded.size, held - left), 0)
            self.ledger.clip(fill, recorded.size - beyond, recorded.day)
            levels = [one.level or 0 for one in self.requests if one.contract == fill.contract]
            kept = min(beyond, max(min([held, *levels]) - left, 0))
            if beyond > kept:
                self.ledger.expect(fill, beyond - kept, recorded.day)
            if kept:
                self.kept.keep(fill.contract, recorded.day)
                self.kept.close_in_time(self, fill.contract, moment)
            return 0, Fraction(0)
        self.ledger.clip(fill, recorded.size - size, recorded.day)
        return self._share(fill, recorded, size, True, done, fees, moment)

    def take_void(self, fill: Fill, moment: Moment) -> None:
        """Of the executed share; what other fills realised stays as booked."""
        before = self.exposure(fill.contract)
        shares = [one for one in self.book.fills if one.recorded_id == fill.id and not one.voided]
        for one in shares:
            one.voided = True
        self.ledger.void(fill)
        self.trim(fill.contract)
        if shares:
            closing = [one for one in shares if one.closes]
            self._changed(fill.contract, before, moment, voided=(closing or shares)[0])

    def trim(self, contract: str) -> None:
        self.ledger.trim(contract, self.record.book.position(contract), self.book.position(contract))
        if all(one.contract != contract for one in self.requests):
            self.ledger.early[contract].clear()  # Nothing of it comes from the broker any more.

    # ---- intent --------------------------------------------------------------------------------------

    def _take_opening(
        self, fill: Fill, recorded: Booked, done: int, fees: Fraction, moment: Moment
    ) -> tuple[int, Fraction]:
        first, booked = 0, Fraction(0)
        against = max(self.book.position(fill.contract) * -fill.side, 0)
        if against and not self._is_cancelled(fill, moment.at):
            # The counterfactual holds the other side: it is reduced first, which is always allowed.
            self.ledger.only_reduced(fill, min(recorded.size, against))
            first, booked = self._share(fill, recorded, min(recorded.size, against), True, done, fees, moment)
        rest = recorded.size - first
        if not rest:
            return first, booked
        if not self._allowed(fill, moment.at):
            if self._is_kept_out(fill, moment.at):
                self._act({fill.contract}, moment)
            self._diverge(moment)
            self.ledger.leave_out(fill, rest, recorded.day, self._guard_cost(fill, rest, moment))
            return first, booked
        if not self.diverged:
            return self._book(replace(recorded), moment)
        second, more = self._share(fill, recorded, rest, False, done + first, fees + booked, moment)
        return first + second, booked + more

    def _share(
        self, fill: Fill, recorded: Booked, size: int, closes: bool, done: int, fees: Fraction, moment: Moment
    ) -> tuple[int, Fraction]:
        """Execute a share of a recorded fill; what it realises comes from the counterfactual lots."""
        if not size:
            return 0, Fraction(0)
        whole = done + size == fill.size
        cost = fill.fees + fill.commissions - fees if whole else fill.fee_per_contract * size
        pnl = self.book.realises(fill.contract, size, fill.price) if closes else Fraction(0)
        return self._book(replace(recorded, size=size, closes=closes, pnl=pnl, fees=cost), moment)

    def _book(self, one: Booked, moment: Moment) -> tuple[int, Fraction]:
        before = self.exposure(one.contract)
        self.book.fills.append(one)
        if not one.closes:
            self.memory.increases.append(one.contract)
        self._changed(one.contract, before, moment, fill=one)
        return one.size, one.fees

    def _is_cancelled(self, fill: Fill, now: int) -> bool:
        known = self.cancelled.get(fill.order) if fill.order is not None else None
        return known is not None and known.worked and now >= known.effective_at

    def _is_dropped(self, fill: Fill) -> bool:
        """Whether its order was placed while entries were not allowed: the trader who respects that only closes."""
        known = self.cancelled.get(fill.order) if fill.order is not None else None
        return known is not None and not known.worked

    def _worked(self, fill: Fill, now: int) -> bool:
        """A fill of an entry order that worked when its cancel was decided, before that takes effect."""
        known = self.cancelled.get(fill.order) if fill.order is not None else None
        return known is not None and known.worked and now < known.effective_at

    def _is_kept_out(self, fill: Fill, now: int) -> bool:
        return bool(self.memory.locked(now)) and not self._worked(fill, now) and not self._is_cancelled(fill, now)

    def _allowed(self, fill: Fill, now: int) -> bool:
        """A fill before its cancel takes effect counts, whatever the policy: nobody can take that order back sooner.

        During a lockout of the baseline too, a recorded entry is what both guards answer alike.
        """
        if self._worked(fill, now) or (not self.diverged and self.baseline_locked):
            return True
        by_policy = self.stopped or fill.contract in self.frozen
        gone = self._is_cancelled(fill, now) or self._is_dropped(fill)
        return not (by_policy or gone or self.memory.locked(now))

    def _guard_cost(self, fill: Fill, size: int, moment: Moment) -> Fraction | None:
        """Had the entry been made and closed by the guard, for the same fees: None without a later quote of the day."""
        market = self.run.market
        place = market.pricing_quote(fill.contract, fill.side, moment)
        if place is None:
            return None
        price = market.by_quote(fill.contract, fill.side, place, market.due(moment.at)).price
        each = fill.fee_per_contract * size
        entry = fill.fees + fill.commissions if size == fill.size else each
        return entry + each - worth(fill.contract, (price - fill.price) * fill.side) * size

    # ---- acting --------------------------------------------------------------------------------------

    def _is_alike(self, action: tuple[str, str | int, int]) -> bool:
        return self.baseline is not None and action in self.baseline.actions

    def _request(self, contract: str, level: int, sweeps: bool, moment: Moment) -> bool:
        if self._is_alike(("close", contract, level)):
            self.requests.append(Request(contract, level, Plan(RECORD, moment.at), sweeps, moment.at))
            return False
        self.put_in_force(contract, level, sweeps, moment)
        return True

    def put_in_force(self, contract: str, level: int, sweeps: bool, moment: Moment) -> None:
        side = 1 if self.book.position(contract) > 0 else -1
        plan = self.run.market.plan(self.account, contract, side, moment)
        self.requests.append(Request(contract, level, plan, sweeps, moment.at))

    def _cancel(self, order: Order, moment: Moment) -> bool:
        alike = self._is_alike(("cancel", order.id, 0))
        effective_at = NEVER if alike else self.run.market.due(moment.at)
        self.cancelled[order.id] = Cancelled(effective_at, worked=True)
        return not alike

    def _act(self, contracts: set[str], moment: Moment) -> None:
        """An action: the policies start with it, and the course parts from the record if it has not yet."""
        self.stopped = self.stopped or self.run.policy == STOP
        if self.run.policy == FREEZE:
            self.frozen |= contracts
            self.thaw(moment.at)
        self._diverge(moment)

    def _diverge(self, moment: Moment) -> None:
        if self.diverged:
            return
        before = {contract: self.exposure(contract) for contract in self.record.pushed}
        self.diverged = True
        self.run.note_divergence(self.account, trade_date(moment.at), moment.at)
        for contract, size in before.items():
            if self.book.position(contract) != size:
                self._changed(contract, size, moment)

    # ---- the broker ----------------------------------------------------------------------------------

    def execute(self, request: Request, priced: Priced, moment: Moment) -> None:
        """A close as the broker carries it out. It lapses with the very fill that meets it."""
        position = self.book.position(request.contract)
        level = request.level
        if level is None:
            self.requests.remove(request)
            recorded = self.record.book.position(request.contract)
            level = abs(recorded) if recorded * position > 0 else 0
        size = abs(position) - level
        if size > 0:
            self.fill_by_broker(request.contract, size, priced, moment)

    def fill_by_broker(self, contract: str, size: int, priced: Priced, moment: Moment) -> None:
        """A fill of the counterfactual broker: an order of its own, that RULE-006 does not count."""
        side = 1 if self.book.position(contract) > 0 else -1
        fee, day = self.record.fee_per_contract(contract), trade_date(priced.at)
        _, closed = without_oldest(self.book.lots(contract), size)
        pnl = self.book.realises(contract, size, priced.price)
        self.broker_fills += 1
        unit = f"broker:{self.broker_fills}"
        one = Booked(
            contract, -side, size, priced.price, True, pnl, fee * size, unit, day, priced.at, priced.at,
            moment.place - 1, None,
        )  # fmt: skip
        for lot in closed:
            realised = worth(contract, (priced.price - lot.price) * lot.side) - fee
            for _ in range(lot.size):
                missing = money.Missing(lot.side, True, priced.price, fee, realised, day)
                self.ledger.close(contract, missing, priced.flags)
        self._book(one, moment)
        self.trim(contract)

    def due_now(self, kind: str, place: int) -> Request | None:
        """The first request that a line prices."""
        return next((one for one in self.requests if one.plan.kind == kind and one.plan.place == place), None)

    def next_mark(self) -> Request | None:
        waiting = [one for one in self.requests if one.plan.kind == MARK]
        return min(waiting, key=lambda one: one.plan.due, default=None)
