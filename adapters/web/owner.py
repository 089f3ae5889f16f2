"""What the service may ask of the engine it belongs to. A read-only service has none."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from riskcore.engine.desk import Desk, Market
from riskcore.schema.rows import Row

COMMAND_SECONDS = 60.0


class RunningEngine(Desk, Market, Protocol):
    """The engine as its trader sees it, with its own condition."""


class Owner:
    """The engine behind the service, which lives on another loop. Everything but `ask` is read from any thread.

    An engine that ends and begins again in the same process is put in anew; the service goes on.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.desk: Desk | None = None
        self.market: Market | None = None
        self.state: Callable[[], str] = lambda: "starting"
        self.halted: Callable[[], str | None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, desk: Desk, market: Market, state: Callable[[], str], halted: Callable[[], str | None]) -> None:
        """An engine begins; called on its loop."""
        self._loop = asyncio.get_running_loop()
        self.desk, self.market, self.state, self.halted = desk, market, state, halted

    def detach(self, state: str) -> None:
        """It has ended."""
        self.desk = self.market = None
        self.state, self.halted = lambda: state, lambda: None

    async def ask(self, question: Callable[[Desk, Market], Coroutine[Any, Any, Row]]) -> Row | None:
        """The answer of the engine, given on its own loop; None while there is none. Raises RiskcoreError."""
        desk, market, loop = self.desk, self.market, self._loop
        if desk is None or market is None or loop is None or loop.is_closed():
            return None
        future = asyncio.run_coroutine_threadsafe(question(desk, market), loop)
        return await asyncio.wait_for(asyncio.wrap_future(future), COMMAND_SECONDS)
