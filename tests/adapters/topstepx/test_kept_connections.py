"""Connections kept open for what changes something: used, replaced, opened again, and never trusted too far."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.topstepx import http_connection
from adapters.topstepx.kept_connections import KEPT_CONNECTIONS, KeptTransport
from adapters.topstepx.transport import Answer, NotSent, Unanswered
from tests.adapters.clocks import ScaledClock
from tests.adapters.topstepx.test_http import certificate_of

CLOSE, QUESTION = "/api/Position/closeContract", "/api/Position/searchOpen"
HEADERS = {"authorization": "Bearer SECRET", "content-type": "application/json"}
BODY = b'{"accountId":1}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
SCALE = 20  # Of the clock; a renewal is 45 of its seconds away.

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """Answers every request on every connection with `answer`; keeps what arrived, and on which connection."""

    def __init__(self, answer: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]] = OK) -> None:
        self.answer = answer
        self.opened: list[asyncio.StreamWriter] = []
        self.gone = 0
        self.requests: list[tuple[int, bytes]] = []
        self.welcome: Callable[[asyncio.StreamWriter], None] = lambda writer: None
        self.address = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.opened)
        self.opened.append(writer)
        self.welcome(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length")), 0)
                self.requests.append((number, head + await reader.readexactly(length)))
                if isinstance(self.answer, bytes):
                    writer.write(self.answer)
                else:
                    await self.answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.gone += 1
            writer.close()

    def closes(self) -> list[int]:
        """The connections on which closes arrived."""
        return [number for number, request in self.requests if CLOSE.encode() in request]

    async def until(self, holds: Callable[["Server"], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds(self):
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)  # Until the other side has noticed it too.


@asynccontextmanager
async def serving(server: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[KeptTransport]:
    """A transport to it, which has not been used."""
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
    scheme = "http" if context is None else "https"
    server.address = f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    transport = KeptTransport(server.address, ScaledClock(SCALE), Random(1))
    try:
        yield transport
    finally:
        await transport.close()
        listening.close()


@asynccontextmanager
async def warm(server: Server) -> AsyncIterator[KeptTransport]:
    """A transport that has asked once (connection 0 or 1), and whose kept connections are all open."""
    async with serving(server) as transport:
        answer, server.answer = server.answer, OK
        await transport.call("POST", QUESTION, BODY, HEADERS)
        await server.until(lambda known: len(known.opened) > KEPT_CONNECTIONS)
        server.answer = answer
        yield transport


def close_with(server: Server) -> Answer:
    async def run() -> Answer:
        async with warm(server) as transport:
            return await transport.call("POST", CLOSE, BODY, HEADERS)

    return asyncio.run(run())


def test_a_close_leaves_on_a_connection_that_is_open_already() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            for _ in range(5):
                assert await transport.call("POST", CLOSE, BODY, HEADERS) == Answer(200, {"content-length": "2"}, b"{}")
            await asyncio.gather(*(transport.call("POST", CLOSE, BODY, HEADERS) for _ in range(KEPT_CONNECTIONS)))

    asyncio.run(run())
    assert len(server.opened) == 1 + KEPT_CONNECTIONS
    asked_on = next(number for number, request in server.requests if QUESTION.encode() in request)
    assert set(server.closes()) == set(range(1 + KEPT_CONNECTIONS)) - {asked_on}


def test_a_close_is_sent_before_anybody_awaits_its_answer() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            coming = transport.call("POST", CLOSE, BODY, HEADERS)
            await server.until(lambda known: len(known.closes()) == 1)
            assert (await coming).status == 200

    asyncio.run(run())


def test_what_is_sent() -> None:
    server = Server()
    close_with(server)
    head, _, body = server.requests[-1][1].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == f"POST {CLOSE} HTTP/1.1"
    assert sorted(lines) == [
        "accept-encoding: identity",
        "authorization: Bearer SECRET",
        f"content-length: {len(BODY)}",
        "content-type: application/json",
        f"host: {server.address.removeprefix('http://')}",
    ]
    assert body == BODY


def test_more_calls_at_once_than_connections_are_kept() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            calls = [transport.call("POST", CLOSE, BODY, HEADERS) for _ in range(3 * KEPT_CONNECTIONS)]
            assert {answer.status for answer in await asyncio.gather(*calls)} == {200}

    asyncio.run(run())
    assert len(server.closes()) == 3 * KEPT_CONNECTIONS


@pytest.mark.parametrize("status", [201, 302, 401, 429, 500, 503])
def test_every_status_is_an_answer(status: int) -> None:
    server = Server(b"HTTP/1.1 %d Some Words\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n" % status)
    assert close_with(server) == Answer(status, {"content-length": "0", "retry-after": "7"}, b"")


@pytest.mark.parametrize(
    "said",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}',
        b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n6;note=1\r\na": 1}\r\n0\r\nx: y\r\n\r\n',
    ],
)
def test_an_answer_in_any_number_of_pieces(said: bytes) -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        for at in range(len(said)):
            writer.write(said[at : at + 1])
            await asyncio.sleep(0.001)

    for answer in (said, trickle):
        server = Server(answer)
        assert close_with(server).body == b'{"a": 1}'
        assert len(server.closes()) == 1


def test_an_answer_that_ends_with_its_connection() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}")
        writer.close()

    assert close_with(Server(answer)).body == b"{}"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{half",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"\x00\x01 no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 22\r\n\r\n" + gzip.compress(b"{}", mtime=0),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_answer_leaves_the_question_open_and_is_not_asked_again(said: bytes, reset: bool) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.transport.abort() if reset else writer.close()

    server = Server(answer)

    async def run() -> None:
        async with warm(server) as transport:
            with pytest.raises(Unanswered) as error:
                await transport.call("POST", CLOSE, BODY, HEADERS)
            assert "SECRET" not in str(error.value)
            assert len(server.closes()) == 1
            server.answer = OK
            assert (await transport.call("POST", CLOSE, BODY, HEADERS)).status == 200

    asyncio.run(run())
    first, second = server.closes()
    assert first != second


def test_an_answer_too_large_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "LARGEST_ANSWER_BYTES", 1000)
    said = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
    assert len(close_with(Server(said % 1000 + b"x" * 1000)).body) == 1000
    with pytest.raises(Unanswered, match="more than 1000 bytes"):
        close_with(Server(said % 1001 + b"x" * 1001))


def test_a_call_that_takes_too_long_is_given_up_with_its_connection() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        """No answer."""

    server = Server(hang)

    async def run() -> None:
        async with warm(server) as transport:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await transport.call("POST", CLOSE, BODY, HEADERS)
            gone = server.gone
            server.answer = OK
            assert (await transport.call("POST", CLOSE, BODY, HEADERS)).status == 200
            await server.until(lambda known: known.gone == max(gone, 1))

    asyncio.run(run())
    first, second = server.closes()
    assert first != second


def test_what_was_not_asked_for_is_no_answer() -> None:
    """The words of a server that ends a silent connection, or worse, must not pass for an answer to a close."""
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            for writer in server.opened:
                writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            await asyncio.sleep(0.01)
            assert (await transport.call("POST", CLOSE, BODY, HEADERS)).status == 200

    asyncio.run(run())


def test_what_comes_behind_an_answer_ends_the_connection() -> None:
    server = Server(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n?")

    async def run() -> None:
        async with warm(server) as transport:
            for _ in range(2):
                assert (await transport.call("POST", CLOSE, BODY, HEADERS)).body == b"{}"

    asyncio.run(run())
    first, second = server.closes()
    assert first != second


def test_a_connection_that_the_server_lets_go_is_opened_again() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            for writer in server.opened:
                writer.close()
            await server.until(lambda known: len(known.opened) > 2 * KEPT_CONNECTIONS)
            await transport.call("POST", CLOSE, BODY, HEADERS)

    asyncio.run(run())
    assert server.closes()[0] > KEPT_CONNECTIONS


def test_a_silent_connection_is_replaced_before_the_usual_minute_is_over() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server):
            await server.until(lambda known: len(known.opened) > 2 * KEPT_CONNECTIONS)
            assert server.gone < KEPT_CONNECTIONS  # The new ones are there before the old ones go.
            await server.until(lambda known: known.gone >= KEPT_CONNECTIONS)

    asyncio.run(run())


def test_a_server_that_keeps_nothing_is_asked_ever_more_rarely() -> None:
    server = Server()
    server.welcome = lambda writer: writer.transport.abort()

    async def run() -> None:
        async with serving(server) as transport:
            with pytest.raises((NotSent, Unanswered)):
                await transport.call("POST", QUESTION, BODY, HEADERS)
            await asyncio.sleep(40 / SCALE)

    asyncio.run(run())
    assert 3 <= len(server.opened) - 1 <= 6  # After 0, 2, 5, 10, 20, 40 seconds or later.


def test_without_a_kept_connection_a_call_takes_its_time() -> None:
    server = Server()

    async def run() -> None:
        async with serving(server) as transport:
            assert (await transport.call("POST", CLOSE, BODY, HEADERS)).status == 200

    asyncio.run(run())


def test_nothing_was_sent_when_nobody_is_there() -> None:
    server = Server()

    async def run() -> None:
        async with serving(server) as transport:
            pass
        transport = KeptTransport(server.address, ScaledClock(SCALE), Random(1))
        for _ in range(3):
            with pytest.raises(NotSent):
                await transport.call("POST", CLOSE, BODY, HEADERS)
        await transport.close()

    asyncio.run(run())


def test_a_header_that_cannot_be_written_is_not_sent() -> None:
    async def run() -> None:
        async with warm(Server()) as transport:
            with pytest.raises(NotSent, match="a header cannot be written") as error:
                await transport.call("POST", CLOSE, BODY, {"authorization": "Bearer SECRET\r\nx: y"})
            assert "SECRET" not in str(error.value)

    asyncio.run(run())


def test_a_new_token_is_the_one_that_is_sent() -> None:
    server = Server()

    async def run() -> None:
        async with warm(server) as transport:
            for token in ("one", "two"):
                await transport.call("POST", CLOSE, BODY, {"authorization": token})

    asyncio.run(run())
    assert [b"one" in request for _, request in server.requests[-2:]] == [True, False]
    assert b"two" in server.requests[-1][1]


def test_nothing_is_kept_with_whom_nobody_vouches_for(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_of(tmp_path))
    server = Server()

    async def run() -> None:
        async with serving(server, context) as transport:
            for _ in range(2):
                with pytest.raises(NotSent, match=r"(?i)certificate"):
                    await transport.call("POST", CLOSE, BODY, HEADERS)
                await asyncio.sleep(2 / SCALE)

    asyncio.run(run())
    assert server.requests == []


def test_nothing_is_kept_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(b"HTTP/1.1 403 no\r\ncontent-length: 0\r\n\r\n")

    async def run() -> None:
        async with serving(server):
            monkeypatch.setenv("https_proxy", server.address)
            transport = KeptTransport("https://riskcore.invalid", ScaledClock(SCALE), Random(1))
            with pytest.raises(NotSent):
                await transport.call("POST", CLOSE, BODY, HEADERS)
            await asyncio.sleep(3 / SCALE)
            await transport.close()

    asyncio.run(run())
    assert len(server.opened) == 1


def test_closing_ends_every_connection() -> None:
    server = Server()

    async def run() -> Any:
        async with warm(server) as transport:
            await transport.close()
            await server.until(lambda known: known.gone == len(known.opened))

    asyncio.run(run())
