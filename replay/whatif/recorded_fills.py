"""Recorded fills as intent: what of each the counterfactual would have executed (WHATIF.md 2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from replay.whatif import broker
from replay.whatif.account_course import AccountCourse, Request, Share
from replay.whatif.broker import BEFORE, Moment, instant_in
from replay.whatif.desk import Desk
from replay.whatif.flat_by import flat_by
from replay.whatif.intent import Parts, closed_by, per_contract, realised, share, split
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, move_value
from riskcore.core.state import Trade

# How old a close of the baseline may be for a recorded closing fill to be taken for its doing (WHATIF.md 1).
ENGINE_FILL_NS = 60 * SECOND_NS
CLOSING = ("CloseAllPositions", "ClosePosition", "ReducePosition")


NO_PARTS = Parts(0, 0)


@dataclass(frozen=True, slots=True)
class Before:
    """What the record was before a fact of an account."""

    known: Trade | None = None  # A fill told before.
    parts: Parts = NO_PARTS
    own: bool = False  # A close of the baseline is in force that this fill carries out.


def before_fill(desk: Desk, state: AccountCourse, body: e.TradeRecorded, at: int) -> Before:
    """A fill against the record just before it."""
    account = desk.baseline.book.accounts.get(state.id)
    known = None if account is None else account.trade(body.trade_id)
    if known is not None:
        return Before(known)
    recorded = state.recorded.get(body.contract, 0)
    parts = split(recorded, body.side, body.size, closes=body.profit_usd is not None)
    own = False
    if account is not None and parts.closing and not watched(desk):
        own = any(
            one.kind in CLOSING and one.contract in (None, body.contract) and at - one.set_at <= ENGINE_FILL_NS
            for one in account.obligations.values()
        )
    return Before(None, parts, own)


def watched(desk: Desk) -> bool:
    """Whether an engine ran when this was recorded: its own requests tell its fills from the trader's."""
    return desk.baseline.book.started_at > 0


def is_engines(desk: Desk, state: AccountCourse, body: e.TradeRecorded, before: Before) -> bool:
    """Whether a recorded fill carried out a request of the engine that was recorded."""
    if not watched(desk):
        return before.own
    known = desk.baseline.book.accounts[state.id].trade(body.trade_id)
    return known is not None and known.enforced


def note_recorded(state: AccountCourse, body: e.TradeRecorded, before: Before) -> None:
    """The record after a fill: what it holds, what a contract costs there by what was told of the latest fill."""
    if before.known is not None:
        if body.trade_id == state.rated.get(body.contract):
            note_rate(state, body)
        return
    recorded = state.recorded.get(body.contract, 0)
    carried_in = recorded == 0 and before.parts.closing
    if not carried_in:
        state.recorded[body.contract] = recorded + body.side * body.size
    note_rate(state, body)


def note_rate(state: AccountCourse, body: e.TradeRecorded) -> None:
    """What one contract costs by a fill; a later version of it that leaves a cost out takes nothing back."""
    again = state.rated.get(body.contract) == body.trade_id
    fees, commissions = state.rates[body.contract] if again else (None, None)
    state.rated[body.contract] = body.trade_id
    state.rates[body.contract] = (
        fees if body.fees_usd is None else per_contract(body.fees_usd, body.size),
        commissions if body.commissions_usd is None else per_contract(body.commissions_usd, body.size),
    )


class RecordedFills:
    """Executes shares of recorded fills behind a divergence. Each step yields when the counterfactual may decide."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def fill(self, state: AccountCourse, event: e.Event, place: int, before: Before) -> Iterator[None]:
        body = event.body
        assert isinstance(body, e.TradeRecorded)
        if before.known is not None:
            yield from self._corrected(state, event, body, before.known)
            return
        note_rate(state, body)
        state.fills[body.trade_id] = body
        state.shares[body.trade_id] = Share(body.size, contract=body.contract)
        closing, opening = before.parts
        contract = body.contract
        held = self.desk.held(state, contract)
        if state.has_cancelled(body.order_id, event.at) and body.order_id not in state.dropped:
            held = 0  # Of an order that came during a lockout a trader who respects that sends what only closes.
        able = abs(held) if held * body.side < 0 else 0
        if self._is_no_intent(state, body, before):
            self._not_executed(state, body, closing, able, event.at)
            closing = 0
        executed = min(closing, able)
        self._clipped(state, body, closing - executed)
        reduced = min(opening, able - executed)
        if reduced:
            # The record opens what the counterfactual only reduces: those contracts are missing from here on.
            state.simulated.left_out(contract, body.trade_id, reduced)
        if executed + reduced:
            yield from self._execute(state, event, body, executed + reduced, closes=True)
        self.thaw(state, contract, flat=abs(state.recorded.get(contract, 0)) == before.parts.closing, at=event.at)
        entry = opening - reduced
        if entry and self._may_enter(state, body, event.at):
            yield from self._execute(state, event, body, entry, closes=False)
        elif entry:
            self._left_out(state, event, body, place, entry)
            yield
        elif not executed + reduced:
            yield

    def _not_executed(self, state: AccountCourse, body: e.TradeRecorded, closing: int, able: int, at: int) -> None:
        """The record closes what the counterfactual holds on: it keeps that, or is closing it itself."""
        left = abs(state.recorded.get(body.contract, 0)) - closing
        beyond = max(min(closing, able - left), 0)
        self._clipped(state, body, closing - beyond)
        # Down to which size it is closing by itself; what lies between that and the record, it keeps.
        levels = [one.level for one in state.closes if one.contract == body.contract and not one.over]
        level = min(levels, default=able)
        kept = 0 if body.order_id in state.resting else min(beyond, max(min(able, level) - left, 0))
        if beyond > kept:
            economics = self.desk.contract(body.contract)
            state.simulated.expected(body, self.desk.trade_date, beyond - kept, economics)
        if kept:
            self._keep(state, body.contract, at)

    def _keep(self, state: AccountCourse, contract: str, at: int) -> None:
        """A close of the record is dropped: from here on the day is extrapolated, up to the flat-by time."""
        day, facts = state.day(self.desk.trade_date), self.desk.day
        day.flags.add("extrapolated")
        day.all_simulated = True
        if any(
            one.what == "flat_by" and one.contract == contract and one.account == state.id
            for one in self.desk.requests
            if not one.over
        ):
            return
        due = flat_by(self.desk.course.book, self.desk.account(state), contract)
        moment = instant_in(facts, due) if at < due else Moment(len(facts.ats), BEFORE, facts.day.closes_at - 1)
        self.desk.ask(Request(state.id, "flat_by", moment, contract, due))

    def _is_no_intent(self, state: AccountCourse, body: e.TradeRecorded, before: Before) -> bool:
        """Whether the fill carried out the recorded engine's request, which the counterfactual did not make alike."""
        if not is_engines(self.desk, state, body, before) or body.contract in state.alike:
            return body.order_id is not None and body.order_id in state.resting
        if self.desk.ends_as_recorded(state, body.contract):
            state.day(self.desk.trade_date).flags.add("extrapolated")
            state.day(self.desk.trade_date).all_simulated = True
            return False
        return True

    def _clipped(self, state: AccountCourse, body: e.TradeRecorded, size: int) -> None:
        if size:
            state.simulated.clipped(body, self.desk.trade_date, size, self.desk.contract(body.contract))

    # ---- entries -------------------------------------------------------------------------------------

    def _may_enter(self, state: AccountCourse, body: e.TradeRecorded, at: int) -> bool:
        """Whether an entry is made: no lockout, no rule that refuses it, and no policy that leaves it out."""
        worked = state.cancelling.get(body.order_id) if body.order_id is not None else None
        if worked is not None and worked[1] and at < worked[0]:
            return True  # It was on its way when the lockout began, and fills before its cancel takes effect.
        if state.has_cancelled(body.order_id, at) or body.order_id in state.dropped:
            return False
        if self.refused(state, body.contract, body.side, at):
            # Nothing has cancelled it so far: what worked when the lockout began is at the broker.
            return body.order_id is not None and self.desk.worked_before(state, body.order_id, body.contract)
        return not self.left_out_by_policy(state, body.contract)

    def left_out_by_policy(self, state: AccountCourse, contract: str) -> bool:
        """Whether the policy leaves entries of a contract out, though no rule refuses them."""
        policy = self.desk.how.policy
        return state.acted if policy == "stop" else policy == "freeze" and contract in state.frozen

    def refused(self, state: AccountCourse, contract: str, side: int, at: int) -> bool:
        return self.desk.course.refuses(state.id, contract, side, at) is not None

    def thaw(self, state: AccountCourse, contract: str, *, flat: bool, at: int) -> None:
        """Policy freeze ends for a contract once no lockout covers it and the record is flat there."""
        if contract in state.frozen and flat and not self.refused(state, contract, 1, at):
            state.frozen.discard(contract)

    def _left_out(self, state: AccountCourse, event: e.Event, body: e.TradeRecorded, place: int, size: int) -> None:
        day = state.day(self.desk.trade_date)
        order = body.order_id if body.order_id is not None else -body.trade_id
        if order not in day.left_out_orders:
            day.left_out_orders.append(order)
        day.left_out_contracts += size
        state.simulated.left_out(body.contract, body.trade_id, size)
        if self.refused(state, body.contract, body.side, event.at):
            state.note_action([body.contract])
        cost = self._guard_cost(state, body, event.at, place, size)
        day.guard_cost_usd = None if cost is None or day.guard_cost_usd is None else day.guard_cost_usd + cost

    def _guard_cost(self, state: AccountCourse, body: e.TradeRecorded, at: int, place: int, size: int) -> int | None:
        """What an entry that was left out would have cost, had the guard closed it; None without a later price."""
        economics, how = self.desk.contract(body.contract), self.desk.how.assumptions
        found = broker.close(self.desk.day, state.id, body.contract, -body.side, economics.tick_size, at, place, how)
        if found.price is None or "priced_by_fill" in found.flags:
            return None
        fees, commissions = state.rates[body.contract]
        costs = 2 * size * ((fees or 0) + (commissions or 0))
        points = (found.price - body.price) * body.side * size
        return costs - move_value(points, economics.tick_size, economics.tick_value)

    # ---- shares --------------------------------------------------------------------------------------

    def _execute(
        self, state: AccountCourse, event: e.Event, body: e.TradeRecorded, size: int, *, closes: bool
    ) -> Iterator[None]:
        """Tell the counterfactual of a part of a recorded fill, at the recorded price and time."""
        shared = state.shares[body.trade_id]
        before = shared.executed
        trade_id = self.desk.ids.next() if shared.parts else body.trade_id
        profit = None
        if closes:
            economics = self.desk.contract(body.contract)
            pieces = closed_by(self.desk.lots(state, body.contract), size)
            profit = realised(pieces, body.price, body.side, economics)
        part = replace(
            body,
            trade_id=trade_id,
            size=size,
            profit_usd=profit,
            fees_usd=_costs(body.fees_usd, body.size, before, size),
            commissions_usd=_costs(body.commissions_usd, body.size, before, size),
        )
        state.shares[body.trade_id] = replace(shared, parts=(*shared.parts, (trade_id, size)))
        self.desk.tell(state, part, f"whatif:trade:{trade_id}", event.at)
        yield
        self.desk.tell_size(state, body.contract, event.at)
        yield

    def _corrected(self, state: AccountCourse, event: e.Event, body: e.TradeRecorded, known: Trade) -> Iterator[None]:
        """A later version of a recorded fill applies to the share that was executed."""
        shared = state.shares.get(body.trade_id)
        if shared is None:
            self.desk.tell(state, body, f"whatif:{event.key}", event.at)
            yield
            return
        before = 0
        account = self.desk.account(state)
        for trade_id, size in shared.parts:
            part = account.trade(trade_id)
            profit = None
            if part is not None and None not in (part.profit_usd, known.profit_usd, body.profit_usd):
                change = (body.profit_usd or 0) - (known.profit_usd or 0)
                profit = (part.profit_usd or 0) + per_contract(change, shared.size) * size
            later = replace(
                body,
                trade_id=trade_id,
                size=size,
                profit_usd=profit,
                fees_usd=_costs(body.fees_usd, shared.size, before, size),
                commissions_usd=_costs(body.commissions_usd, shared.size, before, size),
            )
            before += size
            self.desk.tell(state, later, f"whatif:trade:{trade_id}", event.at)
            yield

    def again(self, state: AccountCourse, event: e.Event, before: Before) -> Iterator[None]:
        """A fill of a day that parted, told again or voided on a later day: what was not executed stays out."""
        body = event.body
        if isinstance(body, e.TradeRecorded):
            # Of a fill that is so old that only its id is known, no later version counts.
            if before.known is not None:
                yield from self._corrected(state, event, body, before.known)
        else:
            yield from self.voided(state, event)

    def voided(self, state: AccountCourse, event: e.Event) -> Iterator[None]:
        """A recorded fill does not count: its executed share goes, what other fills realised stays as booked."""
        body = event.body
        assert isinstance(body, e.TradeVoided)
        shared = state.shares.get(body.trade_id)
        if shared is None:
            # Of the time before the divergence: executed as recorded.
            known = self.desk.account(state).trade(body.trade_id)
            self.desk.tell(state, body, f"whatif:{event.key}", event.at)
            yield
            if known is not None:
                self.desk.tell_size(state, known.contract, event.at)
                yield
            return
        for trade_id, _ in shared.parts:
            self.desk.tell(state, replace(body, trade_id=trade_id), f"whatif:void:{trade_id}", event.at)
            yield
        state.simulated.voided(shared.contract, body.trade_id)
        self.desk.tell_size(state, shared.contract, event.at)
        yield


def _costs(total: int | None, size: int, before: int, executed: int) -> int | None:
    """Costs of `executed` contracts of a fill of which `before` have been executed already."""
    whole, done = share(total, size, before + executed), share(total, size, before)
    return None if whole is None else whole - (done or 0) if before else whole
