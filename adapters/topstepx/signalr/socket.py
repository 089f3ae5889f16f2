"""WebSockets over asyncio: the opening handshake, control frames and closing are websockets' own protocol objects.

Whole unfragmented text frames, which is all that a hub sends in practice, are cut out here: a fast market sends
one message a frame, and this costs a tenth of websockets' generator. Every other frame goes to websockets, whole
and in order, so its checks hold. No compression is offered: at a few hundred bytes a message it saves nothing on
the line and costs more than decoding. The URL holds the token, so websockets' log, which shows it, is off, and
no error repeats it. Redirects are not followed: the token is for the host that was asked.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from adapters.topstepx.transport import SocketClosed, TokenRefused
from riskcore.engine.ports import Clock

LONGEST_FRAME_BYTES = 64 * 1024 * 1024
LONGEST_ANSWER_BYTES = 64 * 1024
CLOSE_LIMIT_SECONDS = 1
_PAUSE_ABOVE_BYTES = 1024 * 1024  # Waiting for the reader; more stays with the sender.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TEXT_FRAME = 0x81  # Text, final, no extension.
_UNACCEPTABLE = 0x00  # Stands for a frame that websockets is to refuse by its header.
_CONTROL = 0x08
_FINAL = 0x80
_END_OF_HEADERS = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
_SWITCHING_PROTOCOLS, _UNAUTHORISED, _FORBIDDEN = 101, 401, 403
_ADDRESS_DELAY_SECONDS = 0.25  # After so long without an answer the host's next address is tried as well.
_NOT_SPOKEN = "what answers there does not speak WebSocket"
_SILENT = logging.getLogger("riskcore.websocket")
_SILENT.disabled = True


class WebSocket(asyncio.Protocol):
    """One connection: the Socket of adapters.topstepx.transport."""

    def __init__(self, uri: WebSocketURI, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self._clock = clock
        self._protocol = ClientProtocol(uri, max_size=LONGEST_FRAME_BYTES, logger=_SILENT)
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._came: asyncio.Future[None] | None = None  # What `receive` waits for.
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._paused = False
        self._rest = bytearray()  # The beginning of a frame whose end has not come.
        self._needed = 0  # How long that frame is, as far as is known.
        self._fragmented = False
        self._error: Exception | None = None
        self._follower: Callable[[bytes], None] | None = None
        self._failure: Exception | None = None  # Of the follower.

    # ---- Socket ----------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Wait until the server has agreed. Raises SocketClosed."""
        await self._opened

    async def receive(self) -> bytes:
        while not self._frames:
            if self._gone.done():
                raise SocketClosed(self._reason())
            self._came = asyncio.get_running_loop().create_future()
            try:
                await self._came
            finally:
                self._came = None
        frame = self._frames.popleft()
        self._taken(self._waiting_bytes - len(frame))
        return frame

    async def follow(self, take: Callable[[bytes], None]) -> NoReturn:
        """Frames are handed on in the step that reads them from the connection, so `take` must not wait.

        Each of those steps reads a few hundred kilobytes at most: a flood does not keep other connections waiting.
        """
        self._follower = take
        self._hand_on()
        try:
            await asyncio.shield(self._gone)
        finally:
            self._follower = None
        raise self._failure or SocketClosed(self._reason())

    async def send(self, text: str) -> None:
        if self._protocol.state is not State.OPEN or self._gone.done():
            raise SocketClosed(self._reason())
        self._protocol.send_text(text.encode("utf-8"))
        self._flush()

    async def close(self) -> None:
        if self._transport is None:
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        self._transport.close()
        try:
            # A half-open connection never takes what is still to be written.
            async with self._clock.timeout(CLOSE_LIMIT_SECONDS):
                await asyncio.shield(self._gone)
        except TimeoutError:
            self._transport.abort()

    # ---- asyncio.Protocol ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        if not self._opened.done():
            data = self._handshake(data)
            if not data:
                return
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        self._cut(data)
        if self._follower is not None:
            self._hand_on()
        elif self._came is not None and not self._came.done() and self._frames:
            self._came.set_result(None)
        if self._waiting_bytes > _PAUSE_ABOVE_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._error = self._error or error
        self._protocol.receive_eof()
        if not self._gone.done():
            self._gone.set_result(None)
        if not self._opened.done():
            failure = self._error
            self._opened.set_exception(failure if isinstance(failure, SocketClosed) else SocketClosed(self._reason()))
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    def _hand_on(self) -> None:
        """Give what has come to the follower; one that fails is given nothing more."""
        assert self._follower is not None
        if not self._frames or self._failure is not None:
            return
        joined = self._frames[0] if len(self._frames) == 1 else b"".join(self._frames)
        self._frames.clear()
        self._taken(0)
        try:
            self._follower(joined)
        except Exception as error:
            self._failure = error
            self._fail(SocketClosed("what came could not be followed"))

    # ---- frames ----------------------------------------------------------------------------------------

    def _handshake(self, data: bytes) -> bytes:
        """Give websockets the answer to the opening handshake; what comes after it is ours."""
        self._rest += data
        end = self._rest.find(_END_OF_HEADERS) + len(_END_OF_HEADERS)
        whole = bytes(self._rest)
        if end < len(_END_OF_HEADERS):
            if len(whole) > LONGEST_ANSWER_BYTES:
                self._fail(SocketClosed(_NOT_SPOKEN))
            return b""
        self._rest.clear()
        found = _STATUS.match(whole)
        status = int(found[1]) if found else None
        if status != _SWITCHING_PROTOCOLS:
            refusal = TokenRefused if status in (_UNAUTHORISED, _FORBIDDEN) else SocketClosed
            self._fail(refusal(f"the server refused the WebSocket with HTTP {status}" if status else _NOT_SPOKEN))
            return b""
        self._protocol.receive_data(whole[:end])
        self._protocol.events_received()
        if self._protocol.state is not State.OPEN:
            self._fail(SocketClosed(_NOT_SPOKEN))
            return b""
        self._opened.set_result(None)
        return whole[end:]

    def _cut(self, data: bytes) -> None:
        """Take whole frames from `data`, and keep what is left."""
        frames, position, size, taken = self._frames, 0, len(data), 0
        self._needed = 2
        while size - position >= 2:
            first, length = data[position], data[position + 1]
            start = position + 2
            if length == 126 or length == 127:
                start += 2 if length == 126 else 8
                length = int.from_bytes(data[position + 2 : start], "big") if start <= size else 0
            elif length > 127:  # A mask, which no server may use: websockets refuses the header.
                first, length = _UNACCEPTABLE, 0
            end = start + length
            if length > LONGEST_FRAME_BYTES:
                first, end = _UNACCEPTABLE, start
            elif end > size:
                self._needed = end - position
                break
            if first == _TEXT_FRAME and not self._fragmented:
                frames.append(data[start:end])
                taken += length
            else:
                self._unusual(data[position:end])
            position = end
        self._waiting_bytes += taken
        self._rest += data[position:]

    def _unusual(self, frame: bytes) -> None:
        if not frame[0] & _CONTROL:
            self._fragmented = not frame[0] & _FINAL
        self._protocol.receive_data(frame)
        self._events()

    def _events(self) -> None:
        """What websockets made of a frame: content, an answer to send, or the end."""
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and not event.opcode & _CONTROL:
                self._frames.append(bytes(event.data))
                self._waiting_bytes += len(event.data)
        self._flush()

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
        if self._protocol.close_expected():
            self._transport.close()

    def _taken(self, left: int) -> None:
        self._waiting_bytes = left
        if self._paused and left <= _PAUSE_ABOVE_BYTES // 4 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _fail(self, error: SocketClosed) -> None:
        self._error = error
        assert self._transport is not None
        self._transport.abort()

    def _reason(self) -> str:
        """Why the connection is gone, without anything that could hold the URL."""
        closed = self._protocol.close_rcvd or self._protocol.close_sent
        if closed is not None:
            return f"the WebSocket was closed: {closed}"
        return "the connection was lost" if self._error is None else reason_of(self._error)


class WebSockets:
    """Opens WebSockets: the Connect of adapters.topstepx.transport.

    `wss` always with the server's certificate checked; `ws`, which sends the token in clear, only to this machine.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._context: ssl.SSLContext | None = None

    async def __call__(self, url: str) -> WebSocket:
        uri = _parsed(url)
        options: dict[str, Any] = {}
        if uri.secure:
            if self._context is None:
                self._context = ssl.create_default_context()
            options = {"ssl": self._context, "server_hostname": uri.host, "ssl_shutdown_timeout": CLOSE_LIMIT_SECONDS}
        opened = WebSocket(uri, self._clock)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: opened, uri.host, uri.port, happy_eyeballs_delay=_ADDRESS_DELAY_SECONDS, **options
            )
            await opened.open()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one.
            raise SocketClosed(reason_of(error)) from None
        except asyncio.CancelledError:
            await opened.close()
            raise
        return opened


def _parsed(url: str) -> WebSocketURI:
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError):
        raise SocketClosed("the hub's URL is no ws or wss URL; set RISKCORE_RTC_URL to one, or unset it") from None
    if not uri.secure and uri.host not in _LOOPBACK:
        raise SocketClosed(f"{uri.host}: ws sends the token in clear and is for this machine only; use wss or https")
    return uri


def reason_of(error: Exception) -> str:
    """A sentence about what went wrong, without the URL."""
    if isinstance(error, SocketClosed):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate was not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason or 'TLS failed'}"
    if isinstance(error, socket.gaierror):
        return "the host's address was not found; check the network and RISKCORE_RTC_URL"
    if isinstance(error, OSError):
        return f"no connection: {error.strerror or error}"
    return f"no connection ({type(error).__name__})"
