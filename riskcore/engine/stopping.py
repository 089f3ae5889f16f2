"""Work that a request to stop interrupts."""

import asyncio
from collections.abc import Coroutine
from typing import Any


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
