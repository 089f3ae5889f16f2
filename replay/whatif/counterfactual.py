"""What happens behind a divergence: recorded facts as intent, and what the broker does in turn (WHATIF.md 2, 4)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from replay.whatif.account_course import AccountCourse, Request
from replay.whatif.actions import works
from replay.whatif.broker import BEFORE, CLOSES, Fill, Moment
from replay.whatif.course import Course
from replay.whatif.decided import Decided
from replay.whatif.desk import FIRST_OWN_ID, Desk, How, Ids, decided_from
from replay.whatif.flat_by import flat_by
from replay.whatif.intent import closed_by, realised
from replay.whatif.market import DayFacts
from replay.whatif.recorded_fills import Before, RecordedFills, before_fill, is_engines, note_recorded, watched
from replay.whatif.recorded_orders import RecordedOrders, observed
from riskcore.core import events as e
from riskcore.core.marks import valuation
from riskcore.core.order_roles import STOP_TAG
from riskcore.core.protection import own_stop
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_OPEN,
    Order,
)

TYPE_STOP = 4
# A push is that much ahead of its fills at most (core/carried.py); later the broker's size is its own word.
APART_NS = 2 * SECOND_NS


class Counterfactual:
    """One trading day of everything behind divergences."""

    def __init__(
        self,
        day: DayFacts,
        course: Course,
        baseline: Course,
        how: How,
        state_of: Callable[[int], AccountCourse],
        ids: Ids,
    ) -> None:
        self.desk = Desk(day, course, baseline, how, state_of, ids)
        self.fills = RecordedFills(self.desk)
        self.orders = RecordedOrders(self.desk, self.fills)
        self.decided = Decided(self.desk)

    # ---- recorded facts ------------------------------------------------------------------------------

    def before(self, state: AccountCourse, event: e.Event) -> Before:
        """What the record was before a fact; to be asked before the baseline takes it."""
        body = event.body
        if isinstance(body, e.TradeRecorded):
            return before_fill(self.desk, state, body, event.at)
        if isinstance(body, e.OrderObserved):
            state.told_at.setdefault(body.order_id, event.at)
        account = self.desk.baseline.book.accounts.get(state.id)
        return Before(account.trade(body.trade_id) if account is not None and isinstance(body, e.TradeVoided) else None)

    def after(self, state: AccountCourse, event: e.Event, before: Before) -> None:
        """The record after a fact."""
        body = event.body
        if isinstance(body, e.TradeRecorded):
            note_recorded(state, body, before)
            size = state.recorded.get(body.contract, 0)
            if abs(size) <= state.alike.get(body.contract, -1):
                del state.alike[body.contract]
            if state.parted:
                self.fills.thaw(state, body.contract, flat=not size, at=event.at)
        elif isinstance(body, e.TradeVoided):
            known = before.known
            if known is not None and not known.voided:
                state.recorded[known.contract] = state.recorded.get(known.contract, 0) - known.side * known.size
        for drift in self.desk.baseline.drifts:
            self.desk.state_of(drift.account).recorded[drift.contract] = drift.broker_size
        self.desk.baseline.drifts.clear()

    def marked(self, state: AccountCourse, event: e.Event, before: Before) -> e.Event:
        """A recorded fact for the counterfactual, which has no requests that would tell the engine's own fills.

        Where no engine ran, neither course can tell them apart, and RULE-006 counts them in both.
        """
        body = event.body
        known = isinstance(body, e.TradeRecorded) and watched(self.desk) and not body.own
        if known and isinstance(body, e.TradeRecorded) and is_engines(self.desk, state, body, before):
            return replace(event, body=replace(body, own=True))
        return event

    def intent(self, state: AccountCourse, event: e.Event, place: int, before: Before) -> Iterator[None]:
        """A recorded fact behind the divergence; yields whenever the counterfactual may have decided something."""
        body = event.body
        if isinstance(body, e.TradeRecorded):
            yield from self.fills.fill(state, self.marked(state, event, before), place, before)
            yield from self._moved(state, body.contract, event.at)
            self._close_what_slipped_in(state, body, event.at, place)
        elif isinstance(body, e.PositionObserved):
            yield from self.orders.refit(state, body.contract, event.at)
        elif isinstance(body, e.TradeVoided):
            yield from self.fills.voided(state, event)
        elif isinstance(body, e.OrderObserved):
            yield from self.orders.order(state, event, place)
        else:
            told = self._told(state, event)
            if told is not None:
                self.desk.course.take(told)
                yield

    def _told(self, state: AccountCourse, event: e.Event) -> e.Event | None:
        """Other facts of an account: what the broker said of balance, positions and order lists no longer counts."""
        body, account = event.body, self.desk.account(state)
        if isinstance(body, e.AccountObserved):
            return replace(event, body=replace(body, balance_usd=None))
        if isinstance(body, e.PositionsListed):
            held = tuple(e.PositionObserved(state.id, one.contract, one.lot_size) for one in account.held())
            return replace(event, source="gateway", body=replace(body, positions=held))
        if isinstance(body, e.OrdersListed):
            working = tuple(order.id for order in account.working_orders())
            return replace(event, source="gateway", body=replace(body, order_ids=working))
        return event

    def _close_what_slipped_in(self, state: AccountCourse, body: e.TradeRecorded, at: int, place: int) -> None:
        """An entry that filled before its cancel took effect is closed, also where a flatten in force covers it."""
        if body.order_id not in state.cancelling or not self.desk.held(state, body.contract):
            return
        account = self.desk.account(state)
        if any(one.kind == "CloseAllPositions" for one in account.obligations.values()):
            self.decided.close(state, body.contract, 0, at, place + 1)

    # ---- what the broker does ------------------------------------------------------------------------

    def recording_ends(self) -> None:
        """No day follows: what is kept beyond the last line is closed at the last mark."""
        last_at = self.desk.day.last_at or self.desk.day.day.opens_at
        for request in self.desk.requests:
            if request.what == "flat_by" and request.moment.place >= len(self.desk.day.ats):
                request.moment = Moment(len(self.desk.day.ats), BEFORE, last_at)
                request.decided_at = max(request.decided_at, last_at + 1)

    def next_at(self, place: int) -> int | None:
        return self.desk.next_at(place)

    def next_place(self, start: int) -> int:
        return self.desk.next_place(start)

    def act(self) -> Iterator[int]:
        """The next thing the broker does; yields from which place on a quote prices what that decides."""
        request = self.desk.next_request()
        assert request is not None, "the broker has something to do"
        request.over = True
        state = self.desk.state_of(request.account)
        steps = {
            "close": self._filled,
            "cancel": self._cancelled,
            "stop": self._stop_set,
            "target": self._target_moved,
            "resting": self._rested,
            "flat_by": self._flat_by,
        }[request.what]
        for _ in steps(state, request):
            yield decided_from(request)

    def _filled(self, state: AccountCourse, request: Request) -> Iterator[None]:
        held = self.desk.held(state, request.contract)
        assert request.fill is not None, "a close was priced when it was asked for"
        if held * request.side < 0 and abs(held) > request.level:
            yield from self._execute(state, request, request.fill, abs(held) - request.level)

    def _execute(
        self, state: AccountCourse, request: Request, fill: Fill, size: int, *, closes: bool = True
    ) -> Iterator[None]:
        """The broker's own fill; each is an order of its own."""
        contract, at = request.contract, max(fill.moment.at, self.desk.course.book.now)
        economics = self.desk.contract(contract)
        price = fill.price if fill.price is not None else self._last_mark(state, contract)
        pieces = closed_by(self.desk.lots(state, contract), size) if closes else []
        own_id = self.desk.ids.next()
        fees, commissions = self.desk.costs(state, contract, size)
        body = e.TradeRecorded(
            state.id,
            own_id,
            contract,
            price,
            request.side,
            size,
            at,
            realised(pieces, price, request.side, economics) if closes else None,
            fees,
            commissions,
            request.order_id if request.order_id is not None else own_id,
            own=request.order_id is None,
        )
        state.day(self.desk.trade_date).flags.update(fill.flags)
        if closes:
            recorded = max(-state.recorded.get(contract, 0) * request.side, 0)
            missing = recorded - abs(self.desk.held(state, contract)) + size
            state.simulated.closed(body, self.desk.trade_date, pieces, economics, missing)
            yield from self.orders.clip(state, contract, self.desk.held(state, contract) + request.side * size, at)
        self.desk.tell(state, body, f"whatif:fill:{own_id - FIRST_OWN_ID}", at)
        yield
        self.desk.tell_size(state, contract, at)
        yield
        yield from self._moved(state, contract, at)

    def _last_mark(self, state: AccountCourse, contract: str) -> int:
        """The last mark as the counterfactual values its position (RULES.md 1.5)."""
        self.desk.course.settle()
        book, mode = self.desk.course.book, self.desk.course.runner.turn.rulebook.profile.mark
        position = self.desk.account(state).positions[contract]
        price = valuation(book, position, "last" if mode == "last" else mode, book.now).price
        if price is None:
            lots = self.desk.lots(state, contract)
            price = closed_by(lots, abs(lots.size + lots.carried))[-1].price
        return price

    def _moved(self, state: AccountCourse, contract: str, at: int) -> Iterator[None]:
        """After a fill: requests lapse, orders are cut to what is held, a flatten ends that has closed everything."""
        held = self.desk.held(state, contract)
        for request in state.closes:
            if request.contract == contract and (abs(held) <= request.level or held * request.side > 0):
                request.over = True
        state.closes = [one for one in state.closes if not one.over]
        if not any(one.contract == contract for one in (*state.closes, *state.resting.values())):
            state.simulated.not_coming(contract)
        self._cancel_what_is_left(state, contract, at)
        yield from self.orders.refit(state, contract, at)
        self._end_flatten(state, at)

    def _cancel_what_is_left(self, state: AccountCourse, contract: str, at: int) -> None:
        """Once flat is seen behind a close, what still works is cancelled (RULES.md 3.4)."""
        if contract not in state.flattening or self.desk.held(state, contract):
            return
        whole = state.flattening.pop(contract)
        account = self.desk.account(state)
        if whole and (account.held() or True in state.flattening.values()):
            state.flattening.setdefault("", True)
            return
        whole |= state.flattening.pop("", False)
        for order in account.working_orders():
            if (whole or order.contract == contract) and works(account, order):
                self.decided.cancel(state, order.id, order.contract, at, worked=True)

    def _end_flatten(self, state: AccountCourse, at: int) -> None:
        """A flatten is one close for each contract held when it was decided; then it swallows no later one."""
        account = self.desk.account(state)
        if state.closes or not account.held():
            return
        for one in list(account.obligations.values()):
            if one.kind == "CloseAllPositions" and one.set_at < at:
                key = f"whatif:flat:{one.id}"
                self.desk.course.runner.turn.derive(at, key, e.ObligationMet(account.id, one.id))

    def _cancelled(self, state: AccountCourse, request: Request) -> Iterator[None]:
        order = self.desk.account(state).orders.get(request.order_id or 0)
        if order is None or not order.working:
            return
        state.cancelled.add(order.id)
        resting = state.resting.pop(order.id, None)
        if resting is not None:
            resting.over = True
        yield from self._tell_order(state, replace(order, status=STATUS_CANCELLED), request.moment.at)

    def _tell_order(self, state: AccountCourse, order: Order, at: int) -> Iterator[None]:
        body = replace(observed(state.id, order), updated_at=at)
        self.desk.tell(state, body, f"whatif:order:{order.id}@{at}#{order.status}", at)
        yield

    def _stop_set(self, state: AccountCourse, request: Request) -> Iterator[None]:
        """A stop that a rule placed or moved works from now on; one that was triggered by then is a market order.

        As in live there is never a second stop of ours: a stop is placed by changing the one that stands.
        """
        account, held = self.desk.account(state), self.desk.held(state, request.contract)
        known = account.orders.get(request.order_id) if request.order_id is not None else None
        if request.order_id is None:
            known = own_stop(account, request.contract, request.side)
        standing = state.resting.get(known.id) if known is not None else None
        triggered = standing.fill.triggered if standing is not None and standing.fill is not None else None
        gone = request.order_id is not None and (known is None or not known.working)
        if gone or held * request.side >= 0 or (triggered is not None and triggered < request.moment.place):
            return
        if known is None:
            own_id = self.desk.ids.next()
            known = Order(
                own_id,
                request.contract,
                STATUS_OPEN,
                TYPE_STOP,
                request.side,
                0,
                0,
                None,
                None,
                None,
                None,
                f"{STOP_TAG}{own_id - FIRST_OWN_ID}",
                None,
                request.moment.at,
            )
        size = known.fill_volume + min(request.size, abs(held)) if request.size else known.size
        price = request.price if request.price is not None else known.stop_price
        order = replace(known, status=STATUS_OPEN, size=size, stop_price=price)
        yield from self._tell_order(state, order, request.moment.at)
        self.orders.rest(state, order, request.moment.at, request.moment.place)

    def _target_moved(self, state: AccountCourse, request: Request) -> Iterator[None]:
        """An order that takes profit works at another price from now on."""
        order = self.desk.account(state).orders.get(request.order_id or 0)
        if order is None or not order.working or self.desk.held(state, request.contract) * request.side >= 0:
            return
        moved = replace(order, limit_price=request.price)
        yield from self._tell_order(state, moved, request.moment.at)
        self.orders.rest(state, moved, request.moment.at, request.moment.place)

    def _rested(self, state: AccountCourse, request: Request) -> Iterator[None]:
        """The market has reached an order that works at the broker; only an entry of the record opens anything."""
        order = self.desk.account(state).orders.get(request.order_id or 0)
        state.resting.pop(request.order_id or 0, None)
        held = self.desk.held(state, request.contract)
        assert request.fill is not None, "an order that is due has its fill"
        if order is None or not order.working:
            return
        able = min(order.remaining, abs(held)) if held * order.side < 0 else 0
        enters = request.opens and not self.fills.left_out_by_policy(state, order.contract)
        opened = order.remaining - able if enters else 0
        at = request.fill.moment.at
        if not able + opened:
            if request.opens:
                yield from self._tell_order(state, replace(order, status=STATUS_CANCELLED), at)
            return
        done = order.fill_volume + able + opened
        yield from self._tell_order(state, replace(order, status=STATUS_FILLED, size=done, fill_volume=done), at)
        if able:
            yield from self._execute(state, request, request.fill, able)
        if opened:
            yield from self._execute(state, request, request.fill, opened, closes=False)

    def _flat_by(self, state: AccountCourse, request: Request) -> Iterator[None]:
        """At the flat-by time a kept position is closed down to what the record then holds on its side."""
        contract = request.contract
        yield from self.orders.end_entries(state, contract, max(request.moment.at, self.desk.course.book.now))
        held, recorded = self.desk.held(state, contract), state.recorded.get(contract, 0)
        level = abs(recorded) if recorded * held > 0 else 0
        if abs(held) <= level:
            return
        due = flat_by(self.desk.course.book, self.desk.account(state), contract)
        if request.moment.at == due:
            self.decided.close(state, contract, level, due, request.moment.place)
            return
        side = -1 if held > 0 else 1
        at_mark = Fill(request.moment, None, ("unpriced",))
        closing = Request(state.id, "close", request.moment, contract, request.moment.at, at_mark, level, side)
        yield from self._execute(state, closing, at_mark, abs(held) - level)

    # ---- days and divergences ------------------------------------------------------------------------

    def tell_sizes(self, state: AccountCourse, at: int) -> None:
        """At the divergence, once: exposure by the lots, but where a push is only ahead of its fills."""
        for position in list(self.desk.account(state).positions.values()):
            disagrees = position.disagrees_since is not None and at - position.disagrees_since < APART_NS
            ahead = position.pushed is not None and position.push_at > position.fill_at
            if not (disagrees and ahead):
                self.desk.tell_size(state, position.contract, at)

    def carry_orders(self, state: AccountCourse) -> None:
        """Orders that work at the broker work on the next day too."""
        account = self.desk.account(state)
        for order_id in list(state.resting):
            order = account.orders.get(order_id)
            if order is not None and order.working and not state.resting[order_id].opens:
                self.orders.rest(state, order, self.desk.day.day.opens_at, 0, carried=True)
            else:
                state.resting.pop(order_id)


__all__ = ["CLOSES", "Counterfactual"]
