"""The tasks of an engine: a failure of any of them ends it loudly instead of leaving it half alive."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from riskcore.engine.ports import Clock


class Tasks:
    """Work that runs as long as the engine, and calls to the broker that end by themselves.

    `failed` is called with what a task raised.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._lasting: set[asyncio.Task[None]] = set()
        self._calls: set[asyncio.Task[None]] = set()

    def lasting(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that goes on until the engine stops."""
        self._begin(work, self._lasting)

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        """A call whose answer is waited for when the engine stops."""
        self._begin(work, self._calls)

    def _begin(self, work: Coroutine[Any, Any, None], group: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        group.add(task)

        def over(done: asyncio.Task[None]) -> None:
            group.discard(done)
            failure = None if done.cancelled() else done.exception()
            if failure is not None:
                self._failed(failure)

        task.add_done_callback(over)

    async def end(self, clock: Clock, seconds: float) -> None:
        """End what lasts, and wait so long for the answers to the calls."""
        for task in self._lasting:
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)
        try:
            async with clock.timeout(seconds):
                while self._calls:
                    await asyncio.wait(self._calls)
        except TimeoutError:
            for call in self._calls:
                call.cancel()


async def unless_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work, or leave it when `stopping` is set first; whether it was done. Raises what the work raises."""
    doing, asked = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((doing, asked), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, asked):
            task.cancel()
        await asyncio.gather(doing, asked, return_exceptions=True)
