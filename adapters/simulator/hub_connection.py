"""One client of a simulated hub: handshake, pings, subscriptions, and the faults that strike its messages.

Order of the ways of an event: lost, doubled, swapped, late, then the queue of the socket, where records are slow,
cut up or joined. Source: topstepx/API.md 4.1 to 4.3; times are SignalR's defaults.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import ClientConnectionResetError, WSMsgType, web

from adapters.simulator import hub_protocol
from adapters.simulator.faults import HANDSHAKE, ON_CONNECTION, Fault, FaultBoard
from adapters.simulator.hub_protocol import PING, RECORD_SEPARATOR, Invocation, Records
from adapters.simulator.transport_faults import HALF_OPEN_SECONDS, abort, stop_reading
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.ports import Clock

PING_SECONDS = 15
CLIENT_TIMEOUT_SECONDS = 30
HANDSHAKE_SECONDS = 15
SWAP_SECONDS = 1  # How long a message waits to be overtaken.
LONGEST_QUEUE = 100_000  # Records for a client that does not read.
CLOSED_WITH_ERROR = "Connection closed with an error."
_MARKET_EVENTS = ("GatewayQuote", "GatewayTrade", "GatewayDepth")
_GOODBYE = None

Subscription = tuple[str, str]  # Target of the events, and account or contract; empty for all.
Invoke = Callable[["HubConnection", Invocation], str | None]


class HubConnection:
    """`invoke` carries out a method of the hub and returns the error of its completion."""

    def __init__(
        self,
        place: str,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        board: FaultBoard,
        clock: Clock,
        invoke: Invoke,
    ) -> None:
        self.subscriptions: set[Subscription] = set()
        self.ended = asyncio.Event()
        self._place = place
        self._socket = socket
        self._transport = transport
        self._board = board
        self._clock = clock
        self._invoke = invoke
        self._mute = False
        self._greeted = False
        self._heard_at = clock.now()
        self._queue: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        self._overtaken: tuple[str, str] | None = None
        self._late: deque[tuple[int, tuple[str, str]]] = deque()
        self._patience_seconds = CLIENT_TIMEOUT_SECONDS
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """From the handshake to the end of the socket."""
        records = Records()
        try:
            async with self._clock.timeout(HANDSHAKE_SECONDS):
                waiting = await self._handshake(records)
        except TimeoutError:
            waiting = None
        if waiting is None:
            await self._socket.close()
            return
        self._start(self._write())
        self._start(self._keep())
        try:
            self._greeted = True
            for record in waiting:
                self._hear(record)
            for name in ON_CONNECTION:
                if (fault := self._board.strike(self._place, (name,))) is not None:
                    self.suffer(fault)
            while (frame := await self._frame()) is not None:
                for record in records.feed(frame):
                    self._hear(record)
        except hub_protocol.Unreadable:
            await self._socket.close()
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handshake(self, records: Records) -> list[str] | None:
        """Records that came behind the handshake; None when it was refused or the client went away."""
        came: list[str] = []
        while not came:
            frame = await self._frame()
            if frame is None:
                return None
            came = records.feed(frame)
        error = hub_protocol.handshake_error(came[0])
        if self._board.strike(self._place, (HANDSHAKE,)) is not None:
            error = "Handshake was canceled."
        answer = hub_protocol.HANDSHAKE_ACCEPTED if error is None else hub_protocol.refuse_handshake(error)
        await self._send(answer + RECORD_SEPARATOR)
        return came[1:] if error is None else None

    async def _frame(self) -> str | None:
        """The next frame's text; None when the socket has ended."""
        message = await self._socket.receive()
        self._heard_at = self._clock.now()
        if message.type is WSMsgType.TEXT:
            text: str = message.data
            return text
        if message.type is WSMsgType.BINARY:
            content: bytes = message.data
            return content.decode("utf-8", "replace")
        return None

    async def _keep(self) -> None:
        """Pings, and the end of a client that has said nothing for too long."""
        while self._clock.now() - self._heard_at <= self._patience_seconds * SECOND_NS:
            await self._clock.sleep(PING_SECONDS)
            self._say(PING)
        abort(self._transport)

    def end(self, *, error: str | None = None, allow_reconnect: bool = True) -> None:
        """Say goodbye and close."""
        if self._greeted:
            self._say(hub_protocol.close(error, allow_reconnect=allow_reconnect))
            self._queue.put_nowait(_GOODBYE)
        else:
            self.drop()

    def drop(self) -> None:
        """End the TCP connection without a word."""
        abort(self._transport)

    # ---- what the client wants -----------------------------------------------------------------------

    def _hear(self, record: str) -> None:
        message = hub_protocol.read(record)
        if message == hub_protocol.CLOSE:
            self.drop()
        if not isinstance(message, Invocation):
            return
        error = self._invoke(self, message)
        if message.id is not None:
            self._say(hub_protocol.completion(message.id, error))

    # ---- faults of the connection --------------------------------------------------------------------

    def suffer(self, fault: Fault) -> None:
        """A fault that strikes the connection as a whole."""
        if fault.name == "half_open":
            self._mute = True
            stop_reading(self._transport)
            # Nothing can be heard any more; the client must be the first to lose patience.
            self._patience_seconds = HALF_OPEN_SECONDS
        elif fault.name == "silent":
            self._mute = True
        elif fault.name == "oversize_frame":
            self._say(hub_protocol.invocation("GatewayOversize", ["x" * fault.size_bytes]))
        elif fault.name == "gateway_logout":
            self.subscriptions.clear()
            self._say(hub_protocol.invocation("GatewayLogout", []))
        elif fault.name in ("server_close", "server_close_final"):
            self.end(error=CLOSED_WITH_ERROR, allow_reconnect=fault.name == "server_close")
        else:
            self.drop()

    # ---- events --------------------------------------------------------------------------------------

    def event(self, target: str, record: str) -> None:
        """An event this client has subscribed to, by way of the faults in force."""
        if target == "GatewayUserTrade" and self._struck("fills_missing", target):
            return
        if target in _MARKET_EVENTS and self._struck("market_frozen", target):
            return
        self._swap(target, record)
        if self._struck("duplicated", target):
            self._swap(target, record)

    def _struck(self, name: str, target: str) -> Fault | None:
        return self._board.strike(self._place, (name,), target)

    def _swap(self, target: str, record: str) -> None:
        if self._overtaken is not None:
            self._delay(target, record)
            self._let_overtaken_go()
        elif self._struck("reordered", target):
            self._overtaken = (target, record)
            self._start(self._overtaken_goes_soon())
        else:
            self._delay(target, record)

    async def _overtaken_goes_soon(self) -> None:
        waiting = self._overtaken
        await self._clock.sleep(SWAP_SECONDS)
        if self._overtaken is waiting:
            self._let_overtaken_go()

    def _let_overtaken_go(self) -> None:
        if self._overtaken is not None:
            (target, record), self._overtaken = self._overtaken, None
            self._delay(target, record)

    def _delay(self, target: str, record: str) -> None:
        fault = self._struck("delayed", target)
        if fault is None and not self._late:
            self._say(record, target)
            return
        due = self._clock.now() + (round(fault.seconds * SECOND_NS) if fault is not None else 0)
        # One connection keeps its order: what is in time waits behind what is late.
        self._late.append((max(due, self._late[-1][0]) if self._late else due, (record, target)))
        if len(self._late) == 1:
            self._start(self._late_ones_come())

    async def _late_ones_come(self) -> None:
        while self._late:
            wait = self._late[0][0] - self._clock.now()
            if wait > 0:
                await self._clock.sleep(wait / SECOND_NS)
            if self._late:
                self._say(*self._late.popleft()[1])

    def heal(self) -> None:
        """Whatever a fault has kept back comes now; what went silent stays so."""
        self._let_overtaken_go()
        while self._late:
            self._say(*self._late.popleft()[1])

    # ---- the socket ----------------------------------------------------------------------------------

    def _say(self, record: str, target: str = "") -> None:
        """Queue a record; `target` is empty for what is no event."""
        if self._queue.qsize() >= LONGEST_QUEUE:
            self.drop()
        else:
            self._queue.put_nowait((record, target))

    async def _write(self) -> None:
        try:
            while (said := await self._queue.get()) is not _GOODBYE:
                await self._write_record(*said)
            await self._socket.close()
        except ClientConnectionResetError:
            pass  # The reader sees the end, too.

    async def _write_record(self, record: str, target: str) -> None:
        slow = self._board.strike(self._place, ("slow",), target)
        if slow is not None:
            await self._clock.sleep(slow.seconds)
        if self._mute:
            return
        if target and self._struck("split", target):
            for character in record + RECORD_SEPARATOR:
                await self._send(character)
            return
        frame = record + RECORD_SEPARATOR
        if target and self._struck("two_records_in_a_frame", target):
            frame += PING + RECORD_SEPARATOR
        await self._send(frame)

    async def _send(self, frame: str) -> None:
        await self._socket.send_str(frame)
