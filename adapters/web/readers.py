"""The stream over WebSockets: each reader has a place in the messages, and what it does not take harms nobody else.

Stored messages wait in the tail or in the journal, never in a queue of the reader, so a slow reader costs no memory.
What is not stored waits for at most one of a kind: the newest quote of a contract, the newest state.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from adapters.web.tail import Tail
from riskcore.audit.stream import BEFORE_ALL, LAST_PART, Place, place_behind, tell_from
from riskcore.audit.stream_messages import STATUS, Channels, Cursor, Message, message_bytes, quote_bytes
from riskcore.core.state import Mark
from riskcore.errors import RiskcoreError
from riskcore.store.journal import Journal

MOST_STREAMS = 32
MOST_BEHIND = 10_000
QUOTES_UP_TO = 1000  # A reader further behind gets no quotes.
STALLED_SECONDS = 20.0
STATUS_SECONDS = 5.0
STATE_SECONDS = 0.25  # Between two looks at whether the state is another one.
AT_ONCE = 200
MOST_READING_BACK = 4  # Readers that are sent older days at the same time.
TOO_SLOW, STOPPING, NOT_ASKED, BROKEN = 4408, 1001, 1008, 1011
FAREWELL_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants: from where (None: from now), and what to leave out."""

    after: Cursor | None
    accounts: frozenset[int] = frozenset()
    types: frozenset[str] = frozenset()

    def has(self, kind: str, account: int | None) -> bool:
        """Whether a message is wanted; the state always is, for without it the connection seems dead."""
        if kind == STATUS:
            return True
        return (not self.types or kind in self.types) and (
            not self.accounts or account is None or account in self.accounts
        )


@dataclass(slots=True, eq=False)
class Reader:
    """One stream. `number` is that of the next message of the tail, None while older ones are read back."""

    wanted: Wanted
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    number: int | None = None
    read_to: Place = BEFORE_ALL
    quotes: dict[str, bytes] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=list)
    status: bytes | None = None
    sending: asyncio.Timeout | None = None
    too_slow: bool = False

    def unstored(self, quotes: bool = False) -> list[bytes]:
        """What waits beside the stored messages; quotes only for a reader that is not behind."""
        found = [*self.said, *([self.status] if self.status is not None else [])]
        self.said, self.status = [], None
        if quotes:
            found += self.quotes.values()
            self.quotes = {}
        return found

    def give_up(self) -> None:
        """It is too far behind: end it, also in the middle of a message."""
        self.too_slow = True
        self.woken.set()
        if self.sending is not None:
            with suppress(RuntimeError):
                self.sending.reschedule(asyncio.get_running_loop().time())


class Slow(Exception):
    """The reader does not take what it is sent."""


class Readers:
    """All streams of a service."""

    def __init__(
        self,
        tail: Tail,
        journal: Callable[[], Journal],
        state: Callable[[], dict[str, Any]],
        quote_hz: int,
        channels: Channels,
    ) -> None:
        self._channels = channels
        self._tail = tail
        self._journal = journal
        self._state = state
        self._quote_seconds = 1 / quote_hz
        self._readers: dict[Reader, web.WebSocketResponse] = {}
        self._quotes: dict[str, Mark] = {}
        self._quotes_due: asyncio.TimerHandle | None = None
        self._quoted_at: dict[str, float] = {}
        self._said: dict[str, Any] = {}
        self._back = ThreadPoolExecutor(MOST_READING_BACK, "riskcore-web-back")
        self._stopping = False
        tail.changed = self._changed

    def __len__(self) -> int:
        return len(self._readers)

    @property
    def full(self) -> bool:
        return len(self._readers) >= MOST_STREAMS

    # ---- what happens --------------------------------------------------------------------------------

    def _changed(self, marks: Mapping[str, Mark]) -> None:
        """The tail has looked at the journal, or heard quotes."""
        self._quotes.update(marks)
        self._hand_out_quotes()
        for reader in self._readers:
            if reader.number is not None and self._tail.end - reader.number >= MOST_BEHIND:
                reader.give_up()
            reader.woken.set()
        self.say_state(only_if_new=True)

    def say(self, body: bytes) -> None:
        """Tell everybody something that is not stored, at once behind what they have."""
        for reader in self._readers:
            reader.said.append(body)
            reader.woken.set()

    def say_state(self, *, only_if_new: bool = False) -> None:
        """Tell everybody how the service is."""
        state = {name: value for name, value in self._state().items() if name != "head"}
        if only_if_new and state == self._said:
            return
        self._said = state
        for reader in self._readers:
            reader.status = self.state_bytes()
            reader.woken.set()

    def state_bytes(self) -> bytes:
        return message_bytes(None, time.time_ns(), STATUS, None, self._state())

    async def run(self) -> None:
        """Say the state until cancelled."""
        said_at = time.monotonic()
        while True:
            await asyncio.sleep(STATE_SECONDS)
            due = time.monotonic() - said_at >= STATUS_SECONDS
            self.say_state(only_if_new=not due)
            said_at = time.monotonic() if due else said_at

    def _hand_out_quotes(self) -> None:
        """At once, but no contract too often: of what came too soon, the newest goes when it is due."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        due_at = {name: self._quoted_at.get(name, -self._quote_seconds) + self._quote_seconds for name in self._quotes}
        for name in [name for name, at in due_at.items() if at <= now]:
            # One that had to wait counts as sent when it was due, so that waiting does not add up.
            waited = now - due_at[name] < self._quote_seconds
            mark, self._quoted_at[name] = self._quotes.pop(name), due_at[name] if waited else now
            body = quote_bytes(name, mark) if self._readers else b""
            for reader in self._readers:
                behind = None if reader.number is None else self._tail.end - reader.number
                if behind is not None and behind <= QUOTES_UP_TO and reader.wanted.has("MarketQuote", None):
                    reader.quotes[name] = body
                    reader.woken.set()
        if self._quotes and self._quotes_due is None:
            self._quotes_due = loop.call_at(min(due_at[name] for name in self._quotes), self._quotes_are_due)

    def _quotes_are_due(self) -> None:
        self._quotes_due = None
        self._hand_out_quotes()

    # ---- one reader ----------------------------------------------------------------------------------

    async def serve(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, wanted: Wanted) -> None:
        """Send until the reader goes, is too slow, says something, or the service stops."""
        reader = Reader(wanted)
        self._readers[reader] = socket
        listening = asyncio.create_task(self._listen(socket))
        sending = asyncio.create_task(self._send_all(reader, _Line(socket, transport, reader)))
        try:
            done, _ = await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
            code, why = (await asyncio.gather(*done))[0]
        finally:
            del self._readers[reader]
            for task in (listening, sending):
                task.cancel()
            await asyncio.gather(listening, sending, return_exceptions=True)
        if code:
            with suppress(Exception):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await socket.close(code=code, message=why.encode())
        if transport is not None:
            transport.close()

    async def _listen(self, socket: web.WebSocketResponse) -> tuple[int, str]:
        message = await socket.receive()
        said = message.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        return (NOT_ASKED, "this stream is only read") if said else (0, "")

    async def _send_all(self, reader: Reader, line: "_Line") -> tuple[int, str]:
        try:
            await line.send(self.state_bytes())
            async for body in self._bodies(reader):
                await line.send(body)
        except Slow:
            return TOO_SLOW, "too slow: resume behind your last cursor"
        except ConnectionError:
            return 0, ""
        except RiskcoreError as error:
            return BROKEN, str(error)[:100]
        return STOPPING, "the service stops"

    async def _bodies(self, reader: Reader) -> AsyncIterator[bytes]:
        """Everything that is for this reader, in order; ends with the service."""
        tail, wanted, place = self._tail, reader.wanted, BEFORE_ALL
        if wanted.after is None:
            reader.number = tail.end
        else:
            place = place_behind(wanted.after)
            while place < tail.start and not self._stopping:
                async for message in self._read_back(place, reader):
                    if wanted.has(message.type, message.account):
                        yield message.body
                    for body in reader.unstored():
                        yield body
                place = reader.read_to
            reader.number = tail.number_behind(place)
        while not self._stopping:
            reader.woken.clear()
            if reader.number < tail.first or reader.too_slow:
                raise Slow
            found = tail.messages(reader.number, AT_ONCE)
            for message in found:
                reader.number += 1
                # What was read back may reach further than the tail had come.
                if message.place > place and wanted.has(message.type, message.account):
                    yield message.body
            unstored = reader.unstored(quotes=not found)
            for body in unstored:
                yield body
            if not found and not unstored:
                await reader.woken.wait()

    async def _read_back(self, place: Place, reader: Reader) -> AsyncIterator[Message]:
        """Messages from the journal, made again in a thread that waits for the reader."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[list[Message]] = asyncio.Queue(2)
        over = False
        part: list[Message] = []

        def hand_over(messages: list[Message]) -> None:
            handed = asyncio.run_coroutine_threadsafe(waiting.put(messages), loop)
            while True:
                if over or self._stopping:
                    handed.cancel()
                    raise Slow
                with suppress(TimeoutError):
                    handed.result(LOOK_AGAIN_SECONDS)
                    return

        def take(message: Message) -> None:
            part.append(message)
            if len(part) >= AT_ONCE:
                hand_over(part[:])
                part.clear()

        def read() -> Place:
            with self._journal() as journal:
                day, seq, last = place
                reached = tell_from(journal, Cursor(day, seq, 0 if last == LAST_PART else last), take, self._channels)
            hand_over(part)
            return reached

        reading = loop.run_in_executor(self._back, read)
        reading.add_done_callback(lambda one: one.cancelled() or one.exception())
        taking: asyncio.Future[list[Message]] | None = None
        try:
            while True:
                taking = asyncio.ensure_future(waiting.get())
                await asyncio.wait((taking, reading), return_when=asyncio.FIRST_COMPLETED)
                if not taking.done() and waiting.empty():
                    break
                for message in await taking:
                    yield message
            reader.read_to = await reading
        finally:
            over = True
            if taking is not None:
                taking.cancel()

    def stop(self) -> None:
        """End every stream with 1001."""
        self._stopping = True
        for reader in self._readers:
            reader.woken.set()

    def close(self) -> None:
        self._back.shutdown(wait=False, cancel_futures=True)


class _Line:
    """Sends to one reader, and notices when it takes nothing."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, reader: Reader) -> None:
        self._socket = socket
        self._transport = transport
        self._reader = reader
        self._sent = self._taken = 0
        self._taken_at = time.monotonic()

    async def send(self, body: bytes) -> None:
        """Raises Slow when nothing was taken for too long, ConnectionError."""
        self._look()
        self._sent += len(body)
        try:
            async with asyncio.timeout(STALLED_SECONDS) as limit:
                self._reader.sending = limit
                await self._socket.send_str(body.decode())
        except TimeoutError:
            raise Slow from None
        finally:
            self._reader.sending = None

    def _look(self) -> None:
        """What lies in the buffer was not taken yet."""
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        if waiting == 0 or self._sent - waiting > self._taken:
            self._taken, self._taken_at = self._sent - waiting, time.monotonic()
        elif time.monotonic() - self._taken_at > STALLED_SECONDS:
            raise Slow
