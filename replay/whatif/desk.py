"""What everything behind a divergence needs: the day, both books, and a way to tell the counterfactual a fact."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from replay.whatif.account_course import AccountCourse, Request
from replay.whatif.broker import BEFORE, CLOSES, Assumptions
from replay.whatif.course import Course
from replay.whatif.intent import signed_size
from replay.whatif.market import DayFacts
from riskcore.core import events as e
from riskcore.core.exposure_change import root_of
from riskcore.core.lots import NO_LOTS, Lots, lots_of
from riskcore.core.order_roles import is_entry
from riskcore.core.state import Account, Contract, Order
from riskcore.errors import InputError

# Ids of the counterfactual broker: no broker counts that far.
FIRST_OWN_ID = 1 << 62


class How(Protocol):
    """The options that decide what happens behind a divergence."""

    @property
    def policy(self) -> str: ...
    @property
    def assumptions(self) -> Assumptions: ...
    @property
    def end(self) -> str: ...


@dataclass(slots=True)
class Ids:
    """Numbers for what only the counterfactual has; the same run gives the same ones."""

    given: int = 0

    def next(self) -> int:
        self.given += 1
        return FIRST_OWN_ID + self.given


@dataclass(slots=True)
class Desk:
    """One day behind the divergences of all accounts."""

    day: DayFacts
    course: Course
    baseline: Course
    how: How
    state_of: Callable[[int], AccountCourse]
    ids: Ids
    requests: list[Request] = field(default_factory=list)
    asked: bool = False

    def ends_as_recorded(self, state: AccountCourse, contract: str) -> bool:
        """Whether the record's enforcement ends what is kept here; notes that it was asked."""
        if contract not in state.kept:
            return False
        state.end_assumed = True
        return self.how.end == "recorded"

    @property
    def trade_date(self) -> str:
        return self.day.day.trade_date

    # ---- the counterfactual book ---------------------------------------------------------------------

    def account(self, state: AccountCourse) -> Account:
        """The account in the counterfactual; made known when a fact of it comes only now."""
        return self.course.book.accounts.get(state.id) or Account(state.id)

    def lots(self, state: AccountCourse, contract: str) -> Lots:
        position = self.account(state).positions.get(contract)
        return NO_LOTS if position is None else lots_of(position)

    def held(self, state: AccountCourse, contract: str) -> int:
        """The signed size that the counterfactual holds."""
        return signed_size(self.lots(state, contract))

    def contract(self, name: str) -> Contract:
        """Tick economics, without which nothing can be closed at another price. Raises InputError."""
        found = self.course.book.contracts.get(name) or self.baseline.book.contracts.get(name)
        if found is None:
            raise InputError(
                f"{name}: neither the recording nor the built-in table knows its tick, so other rules cannot be "
                "tried on it; add a Contract/searchById line that describes it"
            )
        return found

    def tell(self, state: AccountCourse, body: e.Fact, key: str, at: int) -> None:
        """One fact of the counterfactual broker."""
        self.course.take(e.Event(max(at, self.course.book.now), "gateway", key, body))

    def tell_size(self, state: AccountCourse, contract: str, at: int) -> None:
        """The size that a fill leaves, where the record pushes positions: exposure follows pushes from the first on."""
        position = self.account(state).positions.get(contract)
        if position is None or position.pushed is None:
            return
        size = position.lot_size
        if position.pushed != size:
            key = f"whatif:position:{state.id}:{contract}@{at}#{self.ids.next() - FIRST_OWN_ID}"
            self.tell(state, e.PositionObserved(state.id, contract, size), key, at)

    def worked_before(self, state: AccountCourse, order_id: int, contract: str) -> bool:
        """Whether an order that a lockout forbids worked when that began: its rest may have become an entry since."""
        root = root_of(self.course.book, contract)
        lockouts = [one for one in self.account(state).lockouts.values() if one.covers(root)]
        told_at = state.told_at.get(order_id)
        return told_at is not None and told_at <= min((one.set_at for one in lockouts), default=-1)

    def note_entry(self, state: AccountCourse, order: Order, at: int) -> None:
        """What an order was for in the record: behind the close that cancels it every order looks like an entry.

        One on the other side of a position is an exit, however large.
        """
        account = self.baseline.book.accounts[state.id]
        position = account.positions.get(order.contract)
        against = position is not None and position.size * order.side < 0
        if not against and is_entry(account, order, at):
            state.entries.add(order.id)

    def costs(self, state: AccountCourse, contract: str, size: int) -> tuple[int | None, int | None]:
        """Fees and commissions of a fill of the broker: those of the account's latest recorded fill (WHATIF.md 4)."""
        fees, commissions = state.rates.get(contract, (0, 0))
        return None if fees is None else fees * size, None if commissions is None else commissions * size

    # ---- what the broker still has to do -------------------------------------------------------------

    def ask(self, request: Request) -> None:
        self.requests.append(request)
        self.asked = True

    def next_request(self) -> Request | None:
        """What the broker does next."""
        self.requests = [one for one in self.requests if not one.over]
        return min(self.requests, key=lambda one: one.moment, default=None)

    def next_at(self, place: int) -> int | None:
        """When the broker acts next, if that is before the fact at a place."""
        request = self.next_request()
        if request is None:
            return None
        due = request.moment.place < place or (request.moment.place == place and request.moment.phase == BEFORE)
        return request.moment.at if due else None

    def next_place(self, start: int) -> int:
        """Up to which place facts can be taken before the broker acts."""
        request = self.next_request()
        if request is None:
            return len(self.day.ats) + 1
        return max(start + 1, request.moment.place + (request.moment.phase != BEFORE))


def decided_from(request: Request) -> int:
    """The place from which a quote prices what the execution of a request decides: a later one than its own."""
    moment = request.moment
    return moment.place + 1 if moment.phase != BEFORE else moment.place


__all__ = ["CLOSES", "Desk", "How", "Ids", "decided_from"]
