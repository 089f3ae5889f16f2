"""The counterfactual course of one account in the reference: its book, rules, requests, policies and left-out entries.

WHATIF.md sections 1 to 3. The record of the account stands beside it; both see the same market.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Protocol

from tests.replay.whatif import reference_money as money
from tests.replay.whatif.reference_books import Book, Booked, Mark, closing_part, without_oldest
from tests.replay.whatif.reference_broker import FILL, MARK, Market, Moment, Priced, Request
from tests.replay.whatif.reference_facts import Fill, Order, Push, Void, trade_date, worth
from tests.replay.whatif.reference_rules import Findings, Lockout, Look, Memory, Settings, judge

FOLLOW, FREEZE, STOP = "follow", "freeze", "stop"


@dataclass
class Record:
    """What was recorded of one account, so far."""

    book: Book = field(default_factory=Book)
    orders: dict[int, Order] = field(default_factory=dict)
    pushed: dict[str, int] = field(default_factory=dict)
    fills: dict[int, Fill] = field(default_factory=dict)
    increases: list[str] = field(default_factory=list)

    def remaining(self, order: Order) -> int:
        """What is left of a working order: its fills count at once, also before it says so itself."""
        filled = sum(one.size for one in self.book.standing() if one.unit == f"order:{order.id}")
        return max(order.size - max(order.filled, filled), 0) if order.working else 0

    def could_open(self, order: Order) -> bool:
        """Whether what is left of it would open, increase or turn the recorded position."""
        left, position = self.remaining(order), self.book.position(order.contract)
        return left > 0 and (order.side * position >= 0 or left > abs(position))

    def fee_per_contract(self, contract: str) -> Fraction:
        """Of the latest recorded fill of the contract."""
        return [one for one in self.fills.values() if one.contract == contract][-1].fee_per_contract


@dataclass
class Cancelled:
    """An order that the counterfactual cancelled, or one that it never let in: that one may still reduce."""

    effective_at: int
    worked: bool  # It worked when the lockout began, or the close was decided.


class Surroundings(Protocol):
    """What a course asks of the run it belongs to."""

    settings: Settings
    policy: str
    market: Market
    marks: dict[str, Mark]

    def note_divergence(self, account: int, day: date, at: int) -> None: ...


@dataclass
class Course:
    run: Surroundings
    account: int
    record: Record
    book: Book = field(default_factory=Book)
    memory: Memory = field(default_factory=Memory)
    ledger: money.Account = field(default_factory=money.Account)
    cancelled: dict[int, Cancelled] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    past: dict[date, Fraction] = field(default_factory=dict)  # Net of days whose book is gone.
    flattening: bool = False
    diverged: bool = False
    stopped: bool = False
    frozen: set[str] = field(default_factory=set)
    broker_fills: int = 0

    # ---- the day -------------------------------------------------------------------------------------

    def open_day(self, now: int, independent: bool, opening: Moment, before: date | None) -> None:
        """Start a trading day: as the course left off, or from a copy of the recorded account."""
        self.stopped = False
        if independent and before is not None:
            self.past[before] = self.book.net(before)
            self.book = Book([replace(one) for one in self.record.book.fills])
            self.memory = Memory(increases=list(self.record.increases))
            self.cancelled, self.requests, self.frozen, self.flattening = {}, [], set(), False
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

    # ---- recorded facts ------------------------------------------------------------------------------

    def take_quote(self, contract: str, moment: Moment) -> None:
        if self.book.position(contract):
            self._issue(judge(self.run.settings, self._look(moment), of_quote=True), moment)

    def take_push(self, push: Push, moment: Moment) -> None:
        before = self._exposure(push.contract)
        self.record.pushed[push.contract] = push.size
        if not self.diverged:
            self._changed(push.contract, before, moment)

    def take_order(self, order: Order, moment: Moment) -> None:
        self.record.orders[order.id] = order
        wanted = self.record.could_open(order) and order.id not in self.cancelled
        if wanted and self.memory.locked(moment.at):
            self.cancelled[order.id] = Cancelled(moment.at, worked=False)
            self._act({order.contract}, moment)
        self._look_again(moment)

    def take_fill(self, fill: Fill, moment: Moment) -> None:
        """Closing part first: what it decides counts for the opening part."""
        closing = closing_part(fill, self.record.book.position(fill.contract))
        self.record.fills[fill.id] = fill
        done, fees = 0, Fraction(0)
        for size, closes in ((closing, True), (fill.size - closing, False)):
            if not size:
                continue
            recorded = self._recorded(fill, size, closes, moment)
            self.record.book.fills.append(recorded)
            if not closes:
                self.record.increases.append(fill.contract)
            self.thaw(moment.at)
            if closes:
                taken = self._take_closing(fill, recorded, done, fees, moment)
            else:
                taken = self._take_opening(fill, recorded, done, fees, moment)
            done, fees = done + taken[0], fees + taken[1]
        self.ledger.trim(fill.contract, self.record.book.position(fill.contract), self.book.position(fill.contract))

    def take_void(self, void: Void, moment: Moment) -> None:
        """Of the executed share; what other fills realised stays as booked."""
        fill = self.record.fills[void.id]
        for one in self.record.book.fills:
            one.voided = one.voided or one.recorded_id == void.id
        before = self._exposure(fill.contract)
        shares = [one for one in self.book.fills if one.recorded_id == void.id and not one.voided]
        for one in shares:
            one.voided = True
        self.ledger.void(fill)
        self.ledger.trim(fill.contract, self.record.book.position(fill.contract), self.book.position(fill.contract))
        if shares:
            closing = [one for one in shares if one.closes]
            self._changed(fill.contract, before, moment, voided=(closing or shares)[0])

    def _recorded(self, fill: Fill, size: int, closes: bool, moment: Moment) -> Booked:
        total = fill.fees + fill.commissions
        fees = total if size == fill.size else fill.fee_per_contract * size
        if not closes and size < fill.size:
            fees = total - fill.fee_per_contract * (fill.size - size)
        pnl = fill.pnl if closes and fill.pnl is not None else Fraction(0)
        place = moment.place - 1
        day = trade_date(fill.made_at)
        return Booked(
            fill.contract, fill.side, size, fill.price, closes, pnl, fees, fill.unit, day, fill.made_at, fill.at, place,
            fill.id,
        )  # fmt: skip

    # ---- intent --------------------------------------------------------------------------------------

    def _take_closing(
        self, fill: Fill, recorded: Booked, done: int, fees: Fraction, moment: Moment
    ) -> tuple[int, Fraction]:
        if not self.diverged:
            return self._book(replace(recorded), moment)
        held = self.book.position(fill.contract) * -fill.side
        size = 0 if self._is_cancelled(fill, moment.at) else max(min(recorded.size, held), 0)
        net = (recorded.pnl / recorded.size) - fill.fee_per_contract
        self.ledger.clip(fill, recorded.size - size, recorded.day, net)
        return self._share(fill, recorded, size, True, done, fees, moment)

    def _take_opening(
        self, fill: Fill, recorded: Booked, done: int, fees: Fraction, moment: Moment
    ) -> tuple[int, Fraction]:
        first, booked = 0, Fraction(0)
        against = max(self.book.position(fill.contract) * -fill.side, 0)
        if against and not self._is_cancelled(fill, moment.at):
            # The counterfactual holds the other side: it is reduced first, which is always allowed.
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
        before = self._exposure(one.contract)
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
        """A fill of an entry order that worked when the lockout began, before its cancel takes effect."""
        known = self.cancelled.get(fill.order) if fill.order is not None else None
        running = bool(self.memory.locked(now))
        return running and known is not None and known.worked and now < known.effective_at

    def _is_kept_out(self, fill: Fill, now: int) -> bool:
        return bool(self.memory.locked(now)) and not self._worked(fill, now) and not self._is_cancelled(fill, now)

    def _allowed(self, fill: Fill, now: int) -> bool:
        """A fill before its cancel takes effect counts, whatever the policy: nobody can take that order back sooner."""
        if self._worked(fill, now):
            return True
        by_policy = self.stopped or fill.contract in self.frozen
        gone = self._is_cancelled(fill, now) or self._is_dropped(fill)
        return not (by_policy or gone or self.memory.locked(now))

    def _guard_cost(self, fill: Fill, size: int, moment: Moment) -> Fraction | None:
        """Had the entry been made and closed by the guard: None without a later quote of the day."""
        market = self.run.market
        place = market.pricing_quote(fill.contract, fill.side, moment)
        if place is None:
            return None
        price = market.by_quote(fill.contract, fill.side, place, market.due(moment.at)).price
        fees = fill.fee_per_contract + self._fee_at(fill.contract, place)
        return -(worth(fill.contract, (price - fill.price) * fill.side) - fees) * size

    def _fee_at(self, contract: str, place: int) -> Fraction:
        fills = [
            one
            for one in self.run.market.facts[:place]
            if isinstance(one, Fill) and one.account == self.account and one.contract == contract
        ]
        return fills[-1].fee_per_contract

    # ---- judging and acting --------------------------------------------------------------------------

    def _exposure(self, contract: str) -> int:
        """Fills until the first push of the contract and pushes from then on; after the divergence the lots."""
        if not self.diverged and contract in self.record.pushed:
            return self.record.pushed[contract]
        return self.book.position(contract)

    def _look(self, moment: Moment, fill: Booked | None = None, voided: Booked | None = None) -> Look:
        contracts = dict.fromkeys([*self.book.contracts(), *self.record.pushed])
        sizes = {contract: self._exposure(contract) for contract in contracts}
        exposure = {contract: size for contract, size in sizes.items() if size}
        pending = {request.contract for request in self.requests}
        return Look(moment.at, self.book, exposure, self.run.marks, self.memory, pending, fill, voided)

    def _look_again(self, moment: Moment) -> None:
        self._issue(judge(self.run.settings, self._look(moment)), moment)

    def _changed(
        self, contract: str, before: int, moment: Moment, fill: Booked | None = None, voided: Booked | None = None
    ) -> None:
        """After a fill, a void or a push: lives, lockouts, requests; then the rules, then the guard."""
        after = self._exposure(contract)
        if after == 0 or before * after < 0:
            self.memory.lives_over.discard(contract)
        if after != before:
            for lockout in self.memory.locked(moment.at):
                lockout.held[contract] = _smaller(lockout.held.get(contract, 0), after)
        self._lapse(moment)
        self._issue(judge(self.run.settings, self._look(moment, fill, voided)), moment)
        if abs(after) > abs(before) or before * after < 0:
            self._guard(contract, after, moment)

    def _guard(self, contract: str, size: int, moment: Moment) -> None:
        lockouts = self.memory.locked(moment.at)
        if not lockouts:
            return
        held = [lockout.held.get(contract, 0) for lockout in lockouts]
        level = min(abs(one) if one * size > 0 else 0 for one in held)
        if abs(size) > level:
            self._issue(Findings(levels={contract: level}), moment)

    def _lapse(self, moment: Moment) -> None:
        """Requests whose contract is at its level; once flat what a close leaves working is cancelled."""
        met = [one for one in self.requests if abs(self.book.position(one.contract)) <= one.level]
        self.requests = [one for one in self.requests if one not in met]
        self._sweep([one.contract for one in met if one.sweeps], moment)
        if self.flattening and not self.book.held():
            self.flattening = False
            self._sweep([order.contract for order in self.record.orders.values()], moment)

    def _sweep(self, contracts: list[str], moment: Moment) -> None:
        acted = set()
        for order in self.record.orders.values():
            if order.contract in contracts and self.record.remaining(order) and order.id not in self.cancelled:
                self.cancelled[order.id] = Cancelled(self.run.market.due(moment.at), worked=True)
                acted.add(order.contract)
        if acted:
            self._act(acted, moment)

    def _issue(self, found: Findings, moment: Moment) -> None:
        acted: set[str] = set()
        for rule, key, until in found.locks:
            self._lock(rule, key, until, moment.at)
        held = self.book.held()
        levels = dict.fromkeys(held, 0) if found.flatten else found.levels
        for contract, level in levels.items():
            covered = any(one.contract == contract and one.level <= level for one in self.requests)
            if covered or abs(held.get(contract, 0)) <= level:
                continue
            plan = self.run.market.plan(self.account, contract, 1 if held[contract] > 0 else -1, moment)
            self.requests.append(Request(contract, level, plan, sweeps=found.flatten or contract in found.closing))
            acted.add(contract)
        self.flattening = self.flattening or (found.flatten and bool(held))
        closing = acted if found.flatten else acted & found.closing
        for order in self.record.orders.values():
            wanted = found.cancels_entries or order.contract in closing
            if wanted and order.id not in self.cancelled and self.record.could_open(order):
                self.cancelled[order.id] = Cancelled(self.run.market.due(moment.at), worked=True)
                acted.add(order.contract)
        if acted:
            self._act(acted, moment)

    def _lock(self, rule: str, key: str, until: int, now: int) -> None:
        known = self.memory.lockouts.get((rule, key))
        if known is not None and now < known.until:
            known.until = max(known.until, until)
            return
        contracts = dict.fromkeys([*self.book.contracts(), *self.record.pushed])
        sizes = {one: max(self._exposure(one), self.book.position(one), key=abs) for one in contracts}
        self.memory.lockouts[rule, key] = Lockout(until, sizes)

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
        before = {contract: self._exposure(contract) for contract in self.record.pushed}
        self.diverged = True
        self.run.note_divergence(self.account, trade_date(moment.at), moment.at)
        for contract, size in before.items():
            if self.book.position(contract) != size:
                self._changed(contract, size, moment)

    # ---- the broker ----------------------------------------------------------------------------------

    def execute(self, request: Request, priced: Priced, moment: Moment) -> None:
        """A close as the broker carries it out: an order of its own, that RULE-006 does not count."""
        self.requests.remove(request)
        position = self.book.position(request.contract)
        size = abs(position) - request.level
        assert size > 0, "a request lapses when its contract is at its level"
        side, fee = (1 if position > 0 else -1), self.record.fee_per_contract(request.contract)
        _, closed = without_oldest(self.book.lots(request.contract), size)
        pnl = self.book.realises(request.contract, size, priced.price)
        day = trade_date(priced.at)
        self.broker_fills += 1
        unit = f"broker:{self.broker_fills}"
        one = Booked(
            request.contract, -side, size, priced.price, True, pnl, fee * size, unit, day, priced.at, priced.at,
            moment.place - 1, None,
        )  # fmt: skip
        for lot in closed:
            realised = worth(request.contract, (priced.price - lot.price) * lot.side) - fee
            for _ in range(lot.size):
                missing = money.Missing(lot.side, True, priced.price, fee, realised, day)
                self.ledger.close(request.contract, missing, priced.flags)
        self.requests.append(request)  # Met by this very fill: it lapses with it.
        self._book(one, moment)

    def due_now(self, kind: str, place: int) -> Request | None:
        """The first request that a line prices."""
        return next((one for one in self.requests if one.plan.kind == kind and one.plan.place == place), None)

    def next_mark(self) -> Request | None:
        waiting = [one for one in self.requests if one.plan.kind == MARK]
        return min(waiting, key=lambda one: one.plan.due, default=None)


def _smaller(held: int, size: int) -> int:
    return 0 if held * size <= 0 else min(held, size, key=abs)


__all__ = ["FILL", "Course", "Record"]
