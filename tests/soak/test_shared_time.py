"""Two loops with one hurried time: what one waits for is never passed over because the other was not looked at."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.adapters.clocks import HurriedLoop, HurriedSelector
from tests.soak.shared_time import Follower, Leader

HOUR_SECONDS = 3_600
LINK_SECONDS = 2  # Of simulated time in which an answer over a socket is there; work itself takes its own time.
Side = Callable[[], Awaitable[float]]


@pytest.fixture
def link() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        ours = socket.create_connection(door.getsockname())
        theirs, _ = door.accept()
    with ours, theirs:
        yield ours, theirs


def both(link: tuple[socket.socket, socket.socket], first: Side, second: Side) -> tuple[float, float]:
    """What the leader's side and the follower's return, each in a thread of its own."""
    leader = Leader()
    leader.join(link[0])
    found: dict[str, float] = {}

    def run(name: str, selector: HurriedSelector, side: Side) -> None:
        with asyncio.Runner(loop_factory=lambda: HurriedLoop(selector=selector)) as runner:
            found[name] = runner.run(side())

    threads = [
        threading.Thread(target=run, args=("leader", leader, first), daemon=True),
        threading.Thread(target=run, args=("follower", Follower(link[1]), second), daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found["leader"], found["follower"]


def test_an_hour_passes_for_both_at_once(link: tuple[socket.socket, socket.socket]) -> None:
    async def sleeps(seconds: float) -> float:
        for _ in range(int(HOUR_SECONDS / seconds)):
            await asyncio.sleep(seconds)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    first, second = both(link, lambda: sleeps(90), lambda: sleeps(60))
    assert time.monotonic() - began < 20
    assert first >= began + HOUR_SECONDS
    assert abs(first - second) < LINK_SECONDS


def test_no_time_limit_passes_while_the_other_side_is_at_work(link: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)

    async def asks() -> float:
        loop = asyncio.get_running_loop()
        longest = 0.0
        ticks = asyncio.create_task(_ticks())
        for _ in range(20):
            await asyncio.sleep(60)
            asked = loop.time()
            await loop.sock_sendall(ours, b"?")
            await loop.sock_recv(ours, 1)
            longest = max(longest, loop.time() - asked)
        ticks.cancel()
        return longest

    async def answers() -> float:
        loop = asyncio.get_running_loop()
        ticks = asyncio.create_task(_ticks())
        for _ in range(20):
            await loop.sock_recv(theirs, 1)
            time.sleep(0.01)  # Work that does not yield.
            await loop.sock_sendall(theirs, b"!")
        ticks.cancel()
        return 0.0

    async def _ticks() -> None:
        while True:
            await asyncio.sleep(0.5)

    with ours, theirs:
        longest, _ = both(link, asks, answers)
    assert longest < LINK_SECONDS


def test_a_side_that_is_left_alone_waits_as_long_as_it_takes(link: tuple[socket.socket, socket.socket]) -> None:
    async def alone() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(10)
        while loop.time() - time.monotonic() < 10:
            await asyncio.sleep(1)
        await asyncio.sleep(5)
        began = time.monotonic()
        await asyncio.sleep(0.2)
        return time.monotonic() - began

    async def leaves() -> float:
        await asyncio.sleep(11)
        return 0.0

    alone_for, _ = both(link, alone, leaves)
    assert 0.15 < alone_for < 10
