"""One judged course of an account in the reference: rules, lockouts, guard and what they decide (RULES.md 3).

The baseline and the counterfactual are both judged like this; what becomes of a decision is their own business.
"""

from dataclasses import dataclass, field
from typing import Protocol

from tests.replay.whatif.reference_books import Book, Booked, Mark
from tests.replay.whatif.reference_broker import Market, Moment, Request
from tests.replay.whatif.reference_facts import Order
from tests.replay.whatif.reference_record import Cancelled, Record, opens
from tests.replay.whatif.reference_rules import Findings, Lockout, Look, Memory, Settings, judge

Action = tuple[str, str | int, int]


class Run(Protocol):
    """What a course asks of the run it belongs to."""

    policy: str
    market: Market
    marks: dict[str, Mark]


@dataclass
class Judge:
    run: Run
    account: int
    record: Record
    settings: Settings
    book: Book = field(default_factory=Book)
    memory: Memory = field(default_factory=Memory)
    cancelled: dict[int, Cancelled] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    actions: set[Action] = field(default_factory=set)  # What was decided at the event in hand.
    flattening: bool = False
    diverged: bool = False

    # ---- what a kind of course makes of a decision ---------------------------------------------------

    def _request(self, contract: str, level: int, sweeps: bool, moment: Moment) -> bool:
        """Put a close or a cut in force. True when it is an action of this course alone."""
        raise NotImplementedError

    def _cancel(self, order: Order, moment: Moment) -> bool:
        """Cancel an order. True when it is an action of this course alone."""
        raise NotImplementedError

    def _act(self, contracts: set[str], moment: Moment) -> None:
        """Something changes at the broker in this course alone."""

    # ---- quotes --------------------------------------------------------------------------------------

    def take_quote(self, contract: str, moment: Moment) -> None:
        if self.book.position(contract):
            self._issue(judge(self.settings, self._look(moment), of_quote=True), moment)

    def take_push(self, contract: str, before: int, moment: Moment) -> None:
        """The record's position was pushed; `before` is what was shown until then."""
        if not self.diverged:
            self._changed(contract, before, moment)

    # ---- judging -------------------------------------------------------------------------------------

    def exposure(self, contract: str) -> int:
        """Fills until the first push of the contract and pushes from then on; after the divergence the lots."""
        if not self.diverged and contract in self.record.pushed:
            return self.record.pushed[contract]
        return self.book.position(contract)

    def could_open(self, order: Order) -> bool:
        """Whether an order is an entry, by its fills and, until the divergence, also by what the broker has shown.

        Orders and positions follow their fills a moment later: what is shown decides whether an order is answered,
        and a cancel of what has filled, or only reduces, changes nothing.
        """
        if not self.record.is_entry(order):
            return False
        return self.diverged or opens(order, order.size - order.filled, self.exposure(order.contract))

    def _look(self, moment: Moment, fill: Booked | None = None, voided: Booked | None = None) -> Look:
        contracts = dict.fromkeys([*self.book.contracts(), *self.record.pushed])
        sizes = {contract: self.exposure(contract) for contract in contracts}
        exposure = {contract: size for contract, size in sizes.items() if size}
        pending = {request.contract for request in self.requests}
        return Look(moment.at, self.book, exposure, self.run.marks, self.memory, pending, fill, voided)

    def _look_again(self, moment: Moment) -> None:
        self._issue(judge(self.settings, self._look(moment)), moment)

    def _changed(
        self, contract: str, before: int, moment: Moment, fill: Booked | None = None, voided: Booked | None = None
    ) -> None:
        """After a fill, a void or a push: lives, lockouts, requests; then the rules, then the guard."""
        after = self.exposure(contract)
        if after == 0 or before * after < 0:
            self.memory.lives_over.discard(contract)
        if after != before:
            for lockout in self.memory.locked(moment.at):
                lockout.held[contract] = _smaller(lockout.held.get(contract, 0), after)
        self._lapse(moment)
        self._issue(judge(self.settings, self._look(moment, fill, voided)), moment)
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
        met = [one for one in self.requests if abs(self.book.position(one.contract)) <= (one.level or 0)]
        self.requests = [one for one in self.requests if one not in met]
        self._sweep([one.contract for one in met if one.sweeps], moment)
        if self.flattening and not self.book.held():
            self.flattening = False
            self._sweep([order.contract for order in self.record.orders.values()], moment)

    def _sweep(self, contracts: list[str], moment: Moment) -> None:
        acted = set()
        for order in self.record.orders.values():
            wanted = order.contract in contracts and order.id not in self.cancelled
            if wanted and self.record.remaining(order):
                self.actions.add(("cancel", order.id, 0))
                acted |= {order.contract} if self._cancel(order, moment) else set()
        if acted:
            self._act(acted, moment)

    def _issue(self, found: Findings, moment: Moment) -> None:
        acted: set[str] = set()
        for rule, key, until in found.locks:
            self._lock(rule, key, until, moment.at)
        held = self.book.held()
        levels = dict.fromkeys(held, 0) if found.flatten else found.levels
        closing = set(held) if found.flatten else set()
        for contract, level in levels.items():
            covered = any(one.contract == contract and (one.level or 0) <= level for one in self.requests)
            if covered or abs(held.get(contract, 0)) <= level:
                continue
            sweeps = found.flatten or contract in found.closing
            closing |= {contract} if sweeps else set()
            self.actions.add(("close", contract, level))
            if self._request(contract, level, sweeps, moment):
                acted.add(contract)
        self.flattening = self.flattening or (found.flatten and bool(held))
        for order in self.record.orders.values():
            wanted = found.cancels_entries or order.contract in closing
            if wanted and order.id not in self.cancelled and self.could_open(order):
                self.actions.add(("cancel", order.id, 0))
                if self._cancel(order, moment):
                    acted.add(order.contract)
        if acted:
            self._act(acted, moment)

    def _lock(self, rule: str, key: str, until: int, now: int) -> None:
        known = self.memory.lockouts.get((rule, key))
        if known is not None and now < known.until:
            known.until = max(known.until, until)
            return
        contracts = dict.fromkeys([*self.book.contracts(), *self.record.pushed])
        sizes = {one: max(self.exposure(one), self.book.position(one), key=abs) for one in contracts}
        self.memory.lockouts[rule, key] = Lockout(until, sizes)


def _smaller(held: int, size: int) -> int:
    return 0 if held * size <= 0 else min(held, size, key=abs)
