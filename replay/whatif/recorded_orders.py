"""Recorded orders as intent, and orders that work at the counterfactual broker (WHATIF.md 2 and 4)."""

from collections.abc import Iterator
from dataclasses import replace

from replay.whatif.account_course import AccountCourse, Request
from replay.whatif.actions import works
from replay.whatif.broker import NOT_TODAY, Resting, resting_fill
from replay.whatif.desk import FIRST_OWN_ID, Desk
from replay.whatif.recorded_fills import RecordedFills, watched
from riskcore.core import events as e
from riskcore.core.order_roles import is_entry, is_waiting_leg
from riskcore.core.state import (
    STATUS_CANCELLED,
    STOP_TYPES,
    TERMINAL,
    TYPE_TRAILING_STOP,
    Order,
)

TYPE_LIMIT = 1


class RecordedOrders:
    """Keeps, clips or drops recorded orders behind a divergence, and lets orders rest at the broker."""

    def __init__(self, desk: Desk, fills: RecordedFills) -> None:
        self.desk, self.fills = desk, fills

    def order(self, state: AccountCourse, event: e.Event, place: int) -> Iterator[None]:
        """One version of a recorded order."""
        body = event.body
        assert isinstance(body, e.OrderObserved)
        recorded = self.desk.baseline.book.accounts[state.id].orders[body.order_id]
        known = self.desk.account(state).orders.get(body.order_id)
        if body.order_id in state.cancelled or body.order_id in state.resting:
            return
        if recorded.status in TERMINAL:
            if known is None or not known.working:
                return
            if recorded.status == STATUS_CANCELLED and self._works_on(state, recorded, event.at):
                self.rest(state, known, event.at, place, opens=known.id in state.entries)
                yield from self._refit_resting(state, known.contract, event.at)
                return
            filled = min(recorded.fill_volume, known.size)
            yield from self._tell(state, replace(recorded, size=known.size, fill_volume=filled), event.at)
            return
        if body.order_id in state.cancelling:
            yield from self._tell(state, recorded, event.at)
            return
        if known is None and recorded.contract in state.kept:
            self.desk.note_entry(state, recorded, event.at)
        before = len(state.dropped)
        size = self._kept_size(state, recorded, event.at)
        if len(state.dropped) > before and self.fills.refused(state, recorded.contract, recorded.side, event.at):
            state.note_action([recorded.contract])
        if size:
            yield from self._tell(state, replace(recorded, size=recorded.fill_volume + size), event.at)
        elif known is not None and known.working:
            yield from self._tell(state, replace(known, status=STATUS_CANCELLED), event.at)

    def _kept_size(self, state: AccountCourse, recorded: Order, at: int) -> int:
        """How much of a working recorded order the counterfactual keeps; 0: it is dropped."""
        account = self.desk.account(state)
        held = self.desk.held(state, recorded.contract)
        if is_waiting_leg(recorded):
            parent = account.orders.get(recorded.parent_id or 0)
            return recorded.remaining if parent is not None or held * recorded.side < 0 else 0
        base = self.desk.baseline.book.accounts[state.id]
        if is_entry(base, recorded, at):
            refused = self.fills.refused(state, recorded.contract, recorded.side, at)
            if refused and not self.desk.worked_before(state, recorded.id, recorded.contract):
                state.dropped.add(recorded.id)
            return 0 if recorded.id in state.dropped else recorded.remaining
        return min(recorded.remaining, abs(held)) if held * recorded.side < 0 else 0

    def _works_on(self, state: AccountCourse, recorded: Order, at: int) -> bool:
        """Whether the recorded engine's enforcement cancelled the order, and the counterfactual keeps the position.

        Where nothing of that is held any more, an exit has nothing to reduce, and an entry would add to nothing.
        """
        if recorded.contract not in state.kept or self.desk.ends_as_recorded(state, recorded.contract):
            return False
        if not self.desk.held(state, recorded.contract):
            return False
        if watched(self.desk):
            return recorded.id in self.desk.baseline.cancels
        return at - state.kept_at.get(recorded.contract, at) <= 60_000_000_000

    def _tell(self, state: AccountCourse, order: Order, at: int) -> Iterator[None]:
        # Told in the order in which it happens here: a broker time of the record would be of another course.
        body = replace(observed(state.id, order), updated_at=at)
        self.desk.tell(state, body, f"whatif:order:{order.id}@{at}#{order.status}", at)
        yield

    def clip(self, state: AccountCourse, contract: str, left: int, at: int) -> Iterator[None]:
        """Before a fill of the broker is judged: orders that only reduce are no larger than what it leaves."""
        base, account = self.desk.baseline.book.accounts.get(state.id), self.desk.account(state)
        for recorded in self._recorded(state, contract):
            known = account.orders.get(recorded.id)
            if base is None or known is None or is_entry(base, recorded, at):
                continue
            if left * known.side < 0 and known.working and known.remaining > abs(left):
                yield from self._tell(state, replace(known, size=known.fill_volume + abs(left)), at)

    def _recorded(self, state: AccountCourse, contract: str) -> list[Order]:
        """Orders of a contract that work in the record and whose fate the counterfactual has not decided."""
        base = self.desk.baseline.book.accounts.get(state.id)
        working = base.working_orders() if base is not None else []
        decided = state.untouchable()
        return [
            one for one in working if base and one.contract == contract and one.id not in decided and works(base, one)
        ]

    def refit(self, state: AccountCourse, contract: str, at: int) -> Iterator[None]:
        """After a fill: what of each order the counterfactual keeps now, by what it and the record hold."""
        account = self.desk.account(state)
        for recorded in self._recorded(state, contract):
            known = account.orders.get(recorded.id)
            before = known.remaining if known is not None and known.working else 0
            size = self._kept_size(state, recorded, at)
            if size and size != before:
                yield from self._tell(state, replace(recorded, size=recorded.fill_volume + size), at)
            elif known is not None and before and not size:
                yield from self._tell(state, replace(known, status=STATUS_CANCELLED), at)
        yield from self._refit_resting(state, contract, at)

    def _refit_resting(self, state: AccountCourse, contract: str, at: int) -> Iterator[None]:
        """Exits that only the counterfactual has reduce and nothing else: they go when nothing is held.

        One of the record is no larger than what is held, and grows with that up to its own size.
        """
        held = self.desk.held(state, contract)
        for order in list(self.desk.account(state).working_orders()):
            resting = state.resting.get(order.id)
            if order.contract != contract or (resting is None and order.id < FIRST_OWN_ID):
                continue
            if resting is not None and resting.opens:
                continue
            own = order.remaining if resting is None or order.id >= FIRST_OWN_ID else resting.size
            size = min(own, abs(held)) if held * order.side < 0 else 0
            if size and size != order.remaining:
                yield from self._tell(state, replace(order, size=order.fill_volume + size), at)
            elif not size:
                if resting is not None:
                    state.resting.pop(order.id).over = True
                yield from self._tell(state, replace(order, status=STATUS_CANCELLED), at)

    def end_entries(self, state: AccountCourse, contract: str, at: int) -> Iterator[None]:
        """At the end of what is kept in a contract the entries that go on working there are taken back."""
        for request in list(state.resting.values()):
            order = self.desk.account(state).orders.get(request.order_id or 0)
            if request.opens and request.contract == contract and order is not None:
                state.resting.pop(order.id).over = True
                yield from self._tell(state, replace(order, status=STATUS_CANCELLED), at)

    # ---- at the broker -------------------------------------------------------------------------------

    def rest(
        self, state: AccountCourse, order: Order, at: int, place: int, *, carried: bool = False, opens: bool = False
    ) -> None:
        """An order works at the counterfactual broker from an instant on: the market of the day fills it, or nothing.

        `place`: the first quote that may do so.

        `carried`: from the day before, of which a triggered stop may have been left over. `opens`: it is an entry.
        """
        resting = self._resting(order, place)
        known = state.resting.pop(order.id, None)
        if known is not None:
            known.over = True
        if resting is None:
            return
        if carried and known is not None and known.fill is not None and known.fill.moment == NOT_TODAY:
            resting = replace(resting, triggered=True)
        state.limits_rested |= resting.kind == "limit"
        tick = self.desk.contract(order.contract).tick_size
        fill = resting_fill(self.desk.day, resting, tick, at, place, self.desk.how.assumptions)
        moment = fill.moment if fill is not None else NOT_TODAY
        request = Request(state.id, "resting", moment, order.contract, 0, fill, side=order.side, order_id=order.id)
        request.opens, request.size = opens, order.remaining if known is None else known.size
        state.resting[order.id] = request
        if moment != NOT_TODAY:
            self.desk.ask(request)

    def _resting(self, order: Order, place: int) -> Resting | None:
        if order.type in STOP_TYPES and order.stop_price is not None:
            trail = self._trail(order, place) if order.type == TYPE_TRAILING_STOP else None
            return Resting(order.id, order.contract, order.side, "stop", order.stop_price, trail)
        if order.type == TYPE_LIMIT and order.limit_price is not None:
            return Resting(order.id, order.contract, order.side, "limit", order.limit_price)
        return None

    def _trail(self, order: Order, place: int) -> int | None:
        """The distance of a trailing stop: how far behind the last price it stands."""
        self.desk.course.settle()
        mark = self.desk.course.book.marks.get(order.contract)
        if mark is None or mark.last is None or order.stop_price is None:
            return None
        return abs(mark.last - order.stop_price)


def observed(account: int, order: Order) -> e.OrderObserved:
    """An order as it is known, as the broker would say it."""
    return e.OrderObserved(
        account,
        order.id,
        order.contract,
        order.status,
        order.type,
        order.side,
        order.size,
        order.fill_volume,
        order.limit_price,
        order.stop_price,
        order.parent_id,
        order.linked_id,
        order.tag,
        order.updated_at,
    )
