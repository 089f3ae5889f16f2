"""A close has an exit order, and no second close leaves beside it (RULES.md 1.6): invariant I6 for closes.

Judged from what the journal was told of orders and lists, and from which orders the broker made of closes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.simulator.broker import Broker
from adapters.simulator.records import WorkOrder
from riskcore.core import events as e
from riskcore.core.kinds import CLOSING
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import STATUS_FILLED, WORKING

_WORKS = (1, 6, 7)
# From when on the lists that allow a second close are asked for: after an attempt without an answer, after a lost one.
_UNANSWERED_NS, _ASKED_ONCE_MORE_NS = 3 * SECOND_NS, SECOND_NS
Target = tuple[int, str | None]


@dataclass(slots=True)
class _Unknown:
    """A close that is over while its exit order was not told."""

    ask_from: int
    exits_before: int


@dataclass(slots=True)
class ExitOrders:
    """Follows the orders of closes through the journal. `find` takes a finding of I6."""

    broker: Broker
    find: Callable[[str], None]
    _told: dict[int, tuple[int, int]] = field(default_factory=dict)  # Of each order its status, and since when known.
    _asked_at: dict[tuple[int, str], int] = field(default_factory=dict)
    _unknown: dict[Target, _Unknown] = field(default_factory=dict)
    _exits_before: dict[str, int] = field(default_factory=dict)  # At the attempt of each request.

    def told(self, order_id: int, status: int, at: int) -> None:
        """An order that has ended works no more, whatever is said of it later."""
        known, since = self._told.get(order_id, (status, at))
        self._told[order_id] = (status if known in WORKING else known, since)

    def listed(self, body: e.PositionsListed | e.OrdersListed | e.TradesListed, at: int) -> None:
        """A complete list; what was known before it was asked for and is not in it has ended."""
        asked_at = at if body.asked_at is None else body.asked_at
        key = (body.account, type(body).__name__)
        self._asked_at[key] = max(asked_at, self._asked_at.get(key, 0))
        if not isinstance(body, e.OrdersListed):
            return
        for order in self.broker.orders:
            status, since = self._told.get(order.id, (0, 0))
            unlisted = order.account.id == body.account and order.id not in body.order_ids
            if unlisted and status in body.statuses and since < asked_at:
                self._told[order.id] = (STATUS_FILLED, since)

    def attempted(self, plan: e.RequestPlanned) -> None:
        self._exits_before[plan.request] = len(self._exits((plan.account, plan.contract)))

    def over(self, plan: e.RequestPlanned, state: str, at: int) -> None:
        """A close ended without a confirmation: `at` is when it came into its last state."""
        if plan.kind not in CLOSING or state not in ("attempted", "accepted", "unresolved"):
            return
        later = {"attempted": _UNANSWERED_NS, "unresolved": _ASKED_ONCE_MORE_NS}.get(state, 0)
        self._unknown[plan.account, plan.contract] = _Unknown(at + later, self._exits_before.get(plan.request, 0))

    def planned(self, plan: e.RequestPlanned) -> None:
        """No second close while an exit order works, or while nobody knows whether there is one."""
        if plan.kind not in CLOSING:
            return
        target = plan.account, plan.contract
        exits = self._exits(target)
        for order in exits:
            if order.side != plan.side:
                continue  # What it was to close has turned round since: it closes nothing that this close would.
            # One whose last push is late may be known by its fills to have ended.
            if order.working and self._told.get(order.id, (0, 0))[0] in _WORKS:
                self.find(f"{plan.request} is planned while exit order {order.id} works")
        unknown = self._unknown.pop(target, None)
        if unknown is None or any(order.id in self._told for order in exits[unknown.exits_before :]):
            return
        lists = ("PositionsListed", "OrdersListed", "TradesListed")
        if any(self._asked_at.get((plan.account, name), 0) < unknown.ask_from for name in lists):
            self.find(f"{plan.request} repeats a close whose exit order is unknown: not asked since {unknown.ask_from}")

    def _exits(self, target: Target) -> list[WorkOrder]:
        """The orders that the broker has made of closes, oldest first."""
        orders = (order for order in self.broker.orders if order.closes)
        return [one for one in orders if (one.account.id, one.instrument.id) == target]
