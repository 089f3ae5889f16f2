"""One SignalR connection from handshake to end: pings both ways, invocations and their completions, silence.

Silence is counted in beats of the clock rather than by comparing times: a system clock that jumps, or an event
loop that was busy for a minute, is no silence of the server. Source: topstepx/API.md 4.1.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from adapters.topstepx.signalr.codec import (
    CLOSE,
    HANDSHAKE,
    PING,
    Close,
    Codec,
    Completion,
    Greeting,
    Message,
    Ping,
    RecordTooLong,
    invocation,
)
from adapters.topstepx.transport import Socket, SocketClosed
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError

HANDSHAKE_LIMIT_SECONDS = 10
INVOCATION_LIMIT_SECONDS = 10
PING_EVERY_SECONDS = 10
# The server pings every 15 s, and its own beat may be a second late, so 15 s would call every idle hub stale.
STALE_AFTER_SECONDS = 20
SERVER_TIMEOUT_SECONDS = 30
BEAT_SECONDS = 1

Call = tuple[str, tuple[int | str, ...]]  # A hub method and its arguments.


class HubLost(GatewayError):
    """The connection has ended. `welcome` is False when the server asked us not to come back at once."""

    def __init__(self, reason: str, welcome: bool = True) -> None:
        super().__init__(reason)
        self.welcome = welcome


class Listener(Protocol):
    """What hears a connection. None of it may wait."""

    def hear(self, message: Message, at: int) -> None:
        """An invocation, plain records or an unreadable record, received at `at`."""

    def heard(self, at: int) -> None:
        """Everything that came at `at` has been handed on, be it a ping only."""

    def beat(self, silent_seconds: int) -> None:
        """Another second has passed, and so many since anything came."""


class HubConnection:
    """Over a socket that is open. `handshake` first, then `run` until it raises; `invoke` meanwhile."""

    def __init__(self, socket: Socket, codec: Codec, clock: Clock, listener: Listener) -> None:
        self._socket, self._codec, self._clock, self._listener = socket, codec, clock, listener
        self._early: list[Message] = []  # What came in the frame of the handshake's answer.
        self._over: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._pending: dict[str, asyncio.Future[str | None]] = {}
        self._invocations = 0
        self._silent_seconds = 0

    async def handshake(self) -> None:
        """Raises HubLost."""
        try:
            async with self._clock.timeout(HANDSHAKE_LIMIT_SECONDS):
                await self._socket.send(HANDSHAKE)
                messages: list[Message] = []
                while not messages:
                    messages = self._codec.receive(await self._socket.receive())
        except TimeoutError:
            raise HubLost(f"no answer to the handshake for {HANDSHAKE_LIMIT_SECONDS} s") from None
        except (SocketClosed, RecordTooLong) as error:
            raise HubLost(str(error)) from None
        greeting, *self._early = messages
        if isinstance(greeting, Greeting) and greeting.error is not None:
            raise HubLost(f"the server refused the handshake: {greeting.error}")

    async def run(self) -> NoReturn:
        """Hand on what comes until the connection ends. Always raises: HubLost, or what the listener raised."""
        tasks = [asyncio.create_task(self._guarded(work)) for work in (self._read, self._beats)]
        try:
            await self._over
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def end(self, reason: str, welcome: bool = True) -> None:
        """Let `run` raise HubLost with this reason, unless the connection has ended already."""
        self._fail(HubLost(reason, welcome))

    async def invoke(self, calls: Sequence[Call], *, each_by_itself: bool = False) -> list[str]:
        """Call hub methods in order and wait until all are done. Raises HubLost when one is not answered or refused.

        `each_by_itself`: a refused one does not end the connection; why they were refused is returned.
        """
        sent: dict[str, str] = {}
        refused: list[str] = []
        target = ""
        try:
            async with self._clock.timeout(INVOCATION_LIMIT_SECONDS):
                for target, arguments in calls:
                    self._invocations += 1
                    invocation_id = str(self._invocations)
                    sent[invocation_id] = target
                    self._pending[invocation_id] = asyncio.get_running_loop().create_future()
                    await self._socket.send(invocation(invocation_id, target, arguments))
                for invocation_id, target in sent.items():
                    error = await self._pending[invocation_id]
                    if error is not None:
                        refused.append(f"{target} was refused: {error}")
        except TimeoutError:
            raise HubLost(f"{target} was not answered for {INVOCATION_LIMIT_SECONDS} s") from None
        except SocketClosed as gone:
            raise HubLost(str(gone)) from None
        finally:
            for invocation_id in sent:
                del self._pending[invocation_id]
        if refused and not each_by_itself:
            raise HubLost(refused[0])
        return refused

    async def close(self) -> None:
        """Say goodbye and let the socket go. Never raises."""
        with suppress(SocketClosed):
            await self._socket.send(CLOSE)
        await self._socket.close()

    # ---- inside ----------------------------------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except (SocketClosed, RecordTooLong) as error:
            self.end(str(error))
        except Exception as error:
            self._fail(error)

    async def _read(self) -> None:
        early, self._early = self._early, []
        self._take(early)
        await self._socket.follow(self._came)

    def _came(self, data: bytes) -> None:
        """Whatever has been read is handed on, also between the word that ends the connection and its end."""
        self._take(self._codec.receive(data))

    def _take(self, messages: list[Message]) -> None:
        at = self._clock.now()
        self._silent_seconds = 0
        for message in messages:
            match message:
                case Completion():
                    completed = self._pending.get(message.invocation_id)
                    if completed is not None and not completed.done():
                        completed.set_result(message.error)
                case Close():
                    self.end(
                        f"the server closed the hub: {message.error or 'no reason given'}", message.allow_reconnect
                    )
                    break
                case Ping() | Greeting():
                    pass
                case _:
                    self._listener.hear(message, at)
        if not self._over.done():
            self._listener.heard(at)

    async def _beats(self) -> None:
        until_ping = PING_EVERY_SECONDS
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            self._silent_seconds += BEAT_SECONDS
            if self._silent_seconds >= SERVER_TIMEOUT_SECONDS:
                self.end(f"the server sent nothing for {SERVER_TIMEOUT_SECONDS} s")
                return
            until_ping -= BEAT_SECONDS
            if until_ping <= 0:
                until_ping = PING_EVERY_SECONDS
                await self._socket.send(PING)
            self._listener.beat(self._silent_seconds)
