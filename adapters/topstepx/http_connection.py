"""One HTTP/1.1 connection that is open before it is needed: a request leaves in the step that sends it.

What is said to the server is made of bytes by the caller; what it answers is read by h11, the parser that httpx has
too, which judges every header, chunk and early end. A connection on which anything unexpected happens is not used
again, and a request on it is never sent a second time: whether it arrived is unknown (DESIGN.md "Requests to the
broker").
"""

import asyncio

import h11

from adapters.topstepx.transport import LARGEST_ANSWER_BYTES, Answer, Unanswered


class HttpConnection(asyncio.Protocol):
    """`name` is who is at the other end, for errors. One call at a time, while `usable`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = ""
        self._transport: asyncio.Transport | None = None
        self._parser = _parser_of_one_answer()
        self._answer: asyncio.Future[Answer] | None = None
        self._response: h11.Response | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def usable(self) -> bool:
        """Whether it is open and nothing is under way on it."""
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    def send(self, path: str, request: bytes) -> None:
        """Send a whole request, whose path is named in errors."""
        assert self._transport is not None
        self._transport.write(request)
        self._path = path
        self._answer = asyncio.get_running_loop().create_future()

    async def answer(self) -> Answer:
        """The answer to what was sent; whoever gives up waiting ends the connection. Raises Unanswered."""
        assert self._answer is not None
        try:
            return await self._answer
        finally:
            self._answer = None
            if self._parser.their_state is h11.DONE and not self._parser.trailing_data[0]:
                self._parser = _parser_of_one_answer()
                self._response, self._pieces, self._size = None, [], 0
            else:
                self.end()

    def end(self) -> None:
        """Let it go at once."""
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.end()  # Nobody asked: whatever it is, it must not pass for the answer to the next question.
            return
        self._read(data)

    def eof_received(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._read(b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("the connection was lost" if error is None else str(error) or type(error).__name__)

    # ---- inside ----------------------------------------------------------------------------------------

    def _read(self, data: bytes) -> None:
        try:
            self._parser.receive_data(data)
            while self._answer is not None and not self._answer.done():
                event = self._parser.next_event()
                if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
                    return
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._fail(str(error))

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Response):
            self._response = event
        elif isinstance(event, h11.Data):
            self._size += len(event.data)
            if self._size > LARGEST_ANSWER_BYTES:
                self._fail(f"more than {LARGEST_ANSWER_BYTES} bytes")
            self._pieces.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            assert self._answer is not None
            assert self._response is not None
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._response.headers}
            if headers.get("content-encoding", "identity") != "identity":
                self._fail("it is compressed, which was not requested")
                return
            self._answer.set_result(Answer(self._response.status_code, headers, b"".join(self._pieces)))

    def _fail(self, why: str) -> None:
        self.end()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unanswered(f"{self._name} broke the answer to {self._path} off: {why}"))


def _parser_of_one_answer() -> h11.Connection:
    """A parser that takes a request for sent, made before it is, because that takes longer than sending it."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="POST", target="/", headers=[("host", "_"), ("content-length", "0")]))
    parser.send(h11.EndOfMessage())
    return parser
