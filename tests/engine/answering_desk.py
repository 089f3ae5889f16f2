"""A desk that is asked for orders: the real core, and a broker that answers every request as it is told to."""

import asyncio
from collections.abc import Callable
from typing import Any

from riskcore.core import events as e
from riskcore.engine.clock import SystemClock
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, nanoseconds

Row = dict[str, Any]


class DayClock:
    """The time of the desk's day."""

    def __init__(self, desk: "AnsweringDesk") -> None:
        self._desk, self._real = desk, SystemClock()

    def now(self) -> int:
        return nanoseconds(self._desk.now)

    async def sleep(self, seconds: float) -> None:
        self._desk.later(seconds)
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return self._real.timeout(seconds)


class AnsweringDesk(Desk):
    """A desk that is asked over the channel; `answer` is what the broker says to a request, None for nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clock = DayClock(self)
        self.answer: Callable[[str], e.Fact] | None = lambda request: e.RequestAccepted(ACCOUNT, request, 77)
        self.followed: list[str] = []
        self.account(name="PRAC-1", can_trade=True, balance="50000").snapshot().mark("MNQ", "21000")

    def submit(self, body: e.Fact) -> str:
        key = f"asked:{self.next_id()}"
        self._take(body, "operator", key)
        return key

    async def settled(self, key: str, timeout_seconds: float) -> list[e.Event]:
        found = [event for event in self.events if event.cause == key]
        planned = [event.body.request for event in found if isinstance(event.body, e.RequestPlanned)]
        for request in planned if self.answer is not None else ():
            answer = self.answer(request)
            self.take(e.RequestAttempted(ACCOUNT, request), "attempt")
            self.take(answer, "answer")
            found.append(e.Event(self.book.now, "gateway", "answer", answer))
        return found

    async def stored(self, key: str, timeout_seconds: float) -> list[e.Event] | None:
        return [event for event in self.events if event.cause == key]

    def follow(self, contract: str) -> None:
        self.followed.append(contract)
        if contract.endswith("Z26"):
            self.mark(contract, "6000")


class SmallMarket:
    async def active_contract(self, root: str) -> str | None:
        return {"ES": "CON.F.US.EP.Z26", "MNQ": "CON.F.US.MNQ.Z26", "6E": "CON.F.US.EU6.H27"}.get(root)

    def health(self) -> Row:
        return {"score": 93, "parts": []}

    def picture(self) -> Row:
        raise RuntimeError("a mistake in a picture")
