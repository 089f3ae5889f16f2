"""What the counterfactual decided, handed to its broker: closes, cancels and stops (WHATIF.md 4)."""

from replay.whatif import broker
from replay.whatif.account_course import AccountCourse, Request
from replay.whatif.actions import Action, works
from replay.whatif.broker import instant_in
from replay.whatif.desk import Desk
from riskcore.core.issuers import GUARD_ID
from riskcore.core.order_roles import entry_orders

FLATTENING = ("CloseAllPositions", "ClosePosition")


class Decided:
    """Asks the broker of one day for what the counterfactual alone decided, and notes what only the record did."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def is_used_up(self, state: AccountCourse, order_id: int) -> bool:
        """Whether the record has filled all of an order, of which the counterfactual may have executed less."""
        account = self.desk.baseline.book.accounts.get(state.id)
        order = account.orders.get(order_id) if account is not None else None
        return account is not None and order is not None and order_id not in state.resting and not works(account, order)

    def carry_out(self, state: AccountCourse, action: Action, place: int) -> None:
        """The broker is asked to do what the counterfactual alone decided; quotes before `place` come too early."""
        at = action.at
        if action.what == "close":
            self.close(state, action.contract, action.level[0] or 0, at, place)
            if action.command is not None and action.command.kind in FLATTENING and not self._cuts(state, action):
                state.flattening[action.contract] = action.command.kind == "CloseAllPositions"
                account = self.desk.account(state)
                for order in entry_orders(account, at, action.contract):
                    if works(account, order) and not self.is_used_up(state, order.id):
                        self.cancel(state, order.id, order.contract, at, worked=True)
            return
        done_at = at + self.desk.how.assumptions.latency_ns
        moment = instant_in(self.desk.day, done_at)
        if action.what == "cancel":
            worked = action.rule != GUARD_ID or self.desk.worked_before(state, int(action.target), action.contract)
            self.cancel(state, int(action.target), action.contract, at, worked=worked)
        elif action.what in ("stop", "target") and action.command is not None:
            wanted = action.command
            self.desk.ask(
                Request(
                    state.id,
                    action.what,
                    moment,
                    action.contract,
                    at,
                    side=wanted.side or 0,
                    order_id=wanted.order_id,
                    size=wanted.size or 0,
                    price=wanted.price,
                )
            )

    def _cuts(self, state: AccountCourse, action: Action) -> bool:
        """Whether a close is a cut that goes down to nothing: it leaves the contract's orders alone (RULES.md 3.4)."""
        instances = self.desk.course.runner.turn.rulebook.instances(self.desk.account(state))
        return action.rule == GUARD_ID or any(one.key == action.rule_key and one.rule.cuts for one in instances)

    def close(self, state: AccountCourse, contract: str, level: int, at: int, place: int) -> None:
        held = self.desk.held(state, contract)
        pending = [one for one in state.closes if one.contract == contract and not one.over]
        if any(one.level <= level for one in pending):
            return
        position = self.desk.account(state).positions.get(contract)
        signed = held or (position.size if position is not None else 0)
        side = -1 if signed > 0 else 1
        economics = self.desk.contract(contract)
        fill = broker.close(
            self.desk.day, state.id, contract, side, economics.tick_size, at, place, self.desk.how.assumptions
        )
        request = Request(state.id, "close", fill.moment, contract, at, fill, level, side)
        state.closes.append(request)
        self.desk.ask(request)

    def only_recorded(self, state: AccountCourse, action: Action, place: int) -> None:
        """The baseline acts and the counterfactual does not: what it holds it keeps (WHATIF.md 2, looser rules)."""
        if action.what != "close":
            return
        contract, level = action.contract, action.level[0] or 0
        position = self.desk.account(state).positions.get(contract)
        held = self.desk.held(state, contract) or (position.size if position is not None else 0)
        if abs(held) > level:
            state.kept.add(contract)
            state.kept_at[contract] = action.at
            for order in self.desk.baseline.book.accounts[state.id].working_orders():
                if order.contract == contract:
                    self.desk.note_entry(state, order, action.at)

    def cancel(self, state: AccountCourse, order_id: int, contract: str, at: int, *, worked: bool) -> None:
        """Ask for a cancel. `worked`: the order worked when entries were forbidden, so it may fill until then."""
        if order_id in state.cancelling:
            return  # Asked for already; what is decided later changes nothing about it.
        done_at = at + self.desk.how.assumptions.latency_ns
        state.cancelling[order_id] = (done_at, worked)
        if not worked:
            state.dropped.add(order_id)
        moment = instant_in(self.desk.day, done_at)
        self.desk.ask(Request(state.id, "cancel", moment, contract, at, order_id=order_id))
