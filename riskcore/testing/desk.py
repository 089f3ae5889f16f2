"""A scripted broker: carries out the planner's requests, or refuses, or never says; its effects come as its own events.

desk = Desk(daily_realized_loss={"loss_limit": usd("100")}).snapshot()
desk.fill("ES", 1, "6000").closed("-100")
assert desk.asked == ["closeContract CON.F.US.EP.Z26"]
"""

from datetime import timedelta
from typing import Any, Self

from riskcore.core import events as e
from riskcore.core.state import Request
from riskcore.schema.codec import book_from_bytes, state_bytes
from riskcore.testing.ledger import ACCOUNT, Ledger

WORKING_STATUSES = (1, 6, 7, 8)


class Desk(Ledger):
    """A ledger whose requests are carried out. `forgetful` writes and reads the book between any two events."""

    enforces = True

    def __init__(self, *, forgetful: bool = False, **options: Any) -> None:
        self.forgetful = forgetful
        super().__init__(**options)

    def _step(self, event: e.Event) -> Self:
        super()._step(event)
        if self.forgetful:
            self.runner.turn.book = book_from_bytes(state_bytes(self.book))
        return self

    # ---- what the planner wants ----------------------------------------------------------------------

    @property
    def planned(self) -> list[e.RequestPlanned]:
        return self.bodies(e.RequestPlanned)

    @property
    def asked(self) -> list[str]:
        """Every request so far: what, and about what."""
        texts = []
        for one in self.planned:
            size = f" by {one.size}" if one.kind == "partialCloseContract" else ""
            texts.append(f"{one.kind} {one.order_id or one.contract or ''}{size}".strip())
        return texts

    def open(self, kind: str = "", account: int = ACCOUNT) -> Request:
        """The one open request of a kind."""
        [request] = [one for one in self.book.accounts[account].requests.values() if kind in one.kind]
        return request

    def later(self, seconds: float) -> Self:
        self.now += timedelta(seconds=seconds)
        return self.tick()

    # ---- what the broker does ------------------------------------------------------------------------

    def attempt(self, kind: str = "") -> Self:
        return self._answer(e.RequestAttempted(ACCOUNT, self.open(kind).id))

    def accept(self, kind: str = "") -> Self:
        return self._answer(e.RequestAccepted(ACCOUNT, self.open(kind).id))

    def refuse(self, kind: str = "", why: str = "no") -> Self:
        return self._answer(e.RequestRefused(ACCOUNT, self.open(kind).id, why))

    def lose(self, kind: str = "") -> Self:
        """Nobody knows what became of it."""
        return self._answer(e.RequestUnresolved(ACCOUNT, self.open(kind).id, "timeout"))

    def _answer(self, body: Any) -> Self:
        return self._take(body, "gateway", f"answer:{body.request}")

    def snapshot(self, *held: tuple[str, int], orders: tuple[int, ...] | None = None) -> Self:
        """Positions in full, then orders and fills in full; what is held is as known unless said otherwise."""
        positions = tuple(e.PositionObserved(ACCOUNT, self.contract(name), size) for name, size in held)
        self.take(e.PositionsListed(ACCOUNT, positions), "positions")
        if orders is None:
            orders = tuple(self.account_state.orders)
        self.take(e.OrdersListed(ACCOUNT, WORKING_STATUSES, orders), "orders")
        return self.list_fills()

    def list_fills(self) -> Self:
        """Every fill of the day has been told."""
        assert self.book.day is not None
        return self.take(e.TradesListed(ACCOUNT, self.book.day.opens_at), "trades")
