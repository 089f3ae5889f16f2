"""One SignalR connection: what was read is handed on up to its end (API.md 4.1)."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import pytest

from adapters.topstepx.signalr.codec import Codec, Invocation, Message
from adapters.topstepx.signalr.connection import HubConnection, HubLost
from tests.adapters.clocks import LoopClock

FILL = b'{"type":1,"target":"GatewayUserTrade","arguments":[{"id":1}]}\x1e'


class Listener:
    def __init__(self) -> None:
        self.targets: list[str] = []
        self.pictures = 0

    def hear(self, message: Message, at: int) -> None:
        assert isinstance(message, Invocation)
        self.targets.append(message.target)

    def heard(self, at: int) -> None:
        self.pictures += 1

    def beat(self, silent_seconds: int) -> None:
        pass


class Socket:
    """Hands on what the test gives it."""

    take: Callable[[bytes], None]

    async def receive(self) -> bytes:
        return b"{}\x1e"

    async def follow(self, take: Callable[[bytes], None]) -> NoReturn:
        self.take = take
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, text: str) -> None:
        pass

    async def close(self) -> None:
        pass


def test_what_is_read_while_the_connection_ends_is_handed_on() -> None:
    """It is off the socket, so nobody else would ever tell it: fault grid, http_401 with a position open."""

    async def run() -> None:
        socket, listener = Socket(), Listener()
        connection = HubConnection(socket, Codec(), LoopClock(), listener)
        await connection.handshake()
        running = asyncio.create_task(connection.run())
        while not hasattr(socket, "take"):
            await asyncio.sleep(0)
        connection.end("the login was renewed")
        socket.take(FILL)
        with pytest.raises(HubLost, match="the login was renewed"):
            await running
        assert listener.targets == ["GatewayUserTrade"]
        assert listener.pictures == 1, "a connection that has ended is not called alive"

    asyncio.run(run())
