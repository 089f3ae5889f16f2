"""Work that a request to stop interrupts."""

import asyncio

import pytest

from riskcore.engine.tasks import unless_stopped
from riskcore.errors import BrokerUnreachable


def test_work_that_is_done_first_is_done() -> None:
    async def run() -> bool:
        return await unless_stopped(asyncio.Event(), asyncio.sleep(0))

    assert asyncio.run(run())


def test_a_stop_ends_work_that_would_last() -> None:
    ended: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    async def run() -> bool:
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, stopping.set)
        return await unless_stopped(stopping, lasting())

    assert not asyncio.run(run())
    assert ended == ["ended"]


def test_what_the_work_raises_is_raised() -> None:
    async def failing() -> None:
        raise BrokerUnreachable("nobody there")

    with pytest.raises(BrokerUnreachable, match="nobody there"):
        asyncio.run(unless_stopped(asyncio.Event(), failing()))
