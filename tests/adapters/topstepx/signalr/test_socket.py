"""WebSockets on loopback: frames of every size, closing, refusals, and nothing of the URL in any error."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.utils import accept_key

from adapters.topstepx.signalr.socket import LONGEST_FRAME_BYTES, WebSocket, WebSockets
from adapters.topstepx.transport import SocketClosed, TokenRefused
from tests.adapters.clocks import ScaledClock
from tests.adapters.topstepx.signalr.hub_server import HubServer

SECRET = "eyJsecret.part.two"
Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def opened(handler: Handler) -> AsyncIterator[WebSocket]:
    async with serve(handler, "127.0.0.1", 0, max_size=None, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        socket = await WebSockets(ScaledClock())(f"ws://127.0.0.1:{port}/hub?access_token={SECRET}")
        yield socket
        await socket.close()


async def raw_server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


class Enough(Exception):
    """The follower has what it wanted."""


async def followed(socket: WebSocket, end: bytes) -> bytes:
    """What a follower is given up to `end`."""
    data = bytearray()

    def take(more: bytes) -> None:
        data.extend(more)
        if data.endswith(end):
            raise Enough

    with pytest.raises(Enough):
        await socket.follow(take)
    return bytes(data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 300_000])
def test_frames_of_every_length_arrive_whole(size: int) -> None:
    async def handler(socket: ServerConnection) -> None:
        async for text in socket:
            await socket.send(text)

    async def run() -> None:
        async with opened(handler) as socket:
            for text in ("a" * size, "b", "\u20ac" * (size // 3), "c"):
                await socket.send(text)
                assert await socket.receive() == text.encode()

    asyncio.run(run())


def test_what_has_come_is_taken_at_once_and_in_order() -> None:
    async def handler(socket: ServerConnection) -> None:
        for index in range(50_000):
            await socket.send(f"{index};")
        await socket.wait_closed()

    async def run() -> None:
        async with opened(handler) as socket:
            data = await followed(socket, b"49999;")
        assert data == "".join(f"{index};" for index in range(50_000)).encode()

    asyncio.run(run())


def test_fragments_and_pings_and_binary_frames_between_them() -> None:
    async def handler(socket: ServerConnection) -> None:
        async def parts() -> AsyncIterator[str]:
            for part in ("one ", "two ", "three "):
                yield part
                await (await socket.ping())

        await socket.send(parts())
        await socket.send(b"four ")
        await socket.send("five")
        await socket.wait_closed()

    async def run() -> None:
        async with opened(handler) as socket:
            data = await followed(socket, b"five")
            assert data == b"one two three four five"

    asyncio.run(run())


def test_the_stream_may_be_cut_at_every_byte() -> None:
    """The answer to the opening handshake and every frame, a byte at a time."""
    stop = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        whole = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key.decode())}\r\n\r\n"
        ).encode()
        whole += b"\x81\x05first\x89\x02hi\x01\x03sec\x80\x03ond\x81\x7e\x00\xc8" + b"x" * 200 + b"\x81\x04last"
        for index in range(len(whole)):
            writer.write(whole[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0)
        await stop.wait()

    async def run() -> None:
        async with await raw_server(answer) as server:
            socket = await WebSockets(ScaledClock())(f"ws://127.0.0.1:{port_of(server)}/hub")
            data = await followed(socket, b"last")
            assert data == b"firstsecond" + b"x" * 200 + b"last"
            await socket.close()
            stop.set()

    asyncio.run(run())


def test_what_came_before_the_end_is_still_received_and_the_code_is_told() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("last words")
        await socket.close(1011, "going down")

    async def run() -> None:
        async with opened(handler) as socket:
            await asyncio.sleep(0.05)
            assert await socket.receive() == b"last words"
            for _ in range(2):
                with pytest.raises(SocketClosed, match=r"1011.*going down"):
                    await socket.receive()
            with pytest.raises(SocketClosed):
                await socket.send("anyone?")
            await socket.close()

    asyncio.run(run())


def test_a_follower_is_given_what_came_before_it_followed_and_told_of_the_end() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("early ")
        await socket.recv()
        await socket.send("late")
        await socket.close(1011, "going down")

    async def run() -> None:
        given: list[bytes] = []
        async with opened(handler) as socket:
            await asyncio.sleep(0.05)
            following = asyncio.create_task(socket.follow(given.append))
            await asyncio.sleep(0)
            assert given == [b"early "]
            await socket.send("go on")
            with pytest.raises(SocketClosed, match=r"1011.*going down"):
                await following
        assert b"".join(given) == b"early late"

    asyncio.run(run())


def test_a_follower_that_fails_is_given_nothing_more_and_ends_the_connection() -> None:
    async def handler(socket: ServerConnection) -> None:
        for _ in range(10_000):
            await socket.send("x")

    async def run() -> None:
        given: list[bytes] = []

        def fail(data: bytes) -> None:
            given.append(data)
            raise Enough

        async with opened(handler) as socket:
            with pytest.raises(Enough):
                await socket.follow(fail)
            with pytest.raises(SocketClosed):
                await socket.send("anyone?")
        assert len(given) == 1

    asyncio.run(run())


def test_a_connection_that_breaks_is_told_to_who_waits() -> None:
    async def handler(socket: ServerConnection) -> None:
        await asyncio.sleep(0.02)
        socket.transport.abort()

    async def run() -> None:
        async with opened(handler) as socket:
            with pytest.raises(SocketClosed, match="connection"):
                await socket.receive()

    asyncio.run(run())


@pytest.mark.parametrize("header", [b"\x81\xff" + b"\xff" * 8, b"\x81\x7f" + (2**40).to_bytes(8, "big")])
def test_a_frame_with_a_mask_or_beyond_all_measure_ends_the_connection(header: bytes) -> None:
    assert LONGEST_FRAME_BYTES < 2**40

    async def handler(socket: ServerConnection) -> None:
        socket.transport.write(header)
        await socket.wait_closed()

    async def run() -> None:
        async with opened(handler) as socket:
            with pytest.raises(SocketClosed, match=r"1002|1009"):
                await socket.receive()

    asyncio.run(run())


def test_closing_tells_the_server() -> None:
    codes: list[int | None] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()
        codes.append(socket.close_code)

    async def run() -> None:
        async with opened(handler) as socket:
            await socket.close()
            await socket.close()
            with pytest.raises(SocketClosed):
                await socket.receive()
            await asyncio.sleep(0.02)

    asyncio.run(run())
    assert codes == [1000]


def test_a_server_that_is_flooding_is_held_back() -> None:
    sent = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal sent
        for _ in range(100_000):
            await socket.send("x" * 1000)
            sent += 1

    async def run() -> None:
        async with opened(handler) as socket:
            await asyncio.sleep(0.5)
            before = sent
            await asyncio.sleep(0.2)
            assert sent == before < 100_000
            taken = 0

            def take(data: bytes) -> None:
                nonlocal taken
                taken += len(data)

            with pytest.raises(SocketClosed):
                await socket.follow(take)
            assert taken == 100_000_000

    asyncio.run(run())
    assert sent == 100_000


# ---- what does not open --------------------------------------------------------------------------------


def refused(url: str) -> SocketClosed:
    async def run() -> SocketClosed:
        with pytest.raises(SocketClosed) as caught:
            await WebSockets(ScaledClock())(url)
        return caught.value

    error = asyncio.run(run())
    shown = [str(error), repr(error), str(error.__cause__), repr(error.__context__ if error.__cause__ else "")]
    assert SECRET not in "".join(shown)
    return error


@pytest.mark.parametrize(
    ("status", "kind"), [(401, TokenRefused), (403, TokenRefused), (404, SocketClosed), (503, SocketClosed)]
)
def test_http_refusals(status: int, kind: type[SocketClosed]) -> None:
    async def run() -> None:
        async with HubServer(statuses=(status,)) as server:
            with pytest.raises(SocketClosed, match=f"HTTP {status}") as caught:
                await WebSockets(ScaledClock())(f"{server.url.replace('http', 'ws')}/hub?access_token={SECRET}")
            assert type(caught.value) is kind
            assert SECRET not in str(caught.value)

    asyncio.run(run())


def test_nothing_listens() -> None:
    async def port() -> int:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            return port_of(server)

    error = refused(f"ws://127.0.0.1:{asyncio.run(port())}/hub?access_token={SECRET}")
    assert str(error).startswith("no connection")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"ws://rtc.example.com/hub?access_token={SECRET}", "in clear"),
        (f"ws://127.0.0.1.example.com/hub?access_token={SECRET}", "in clear"),
        (f"http://127.0.0.1/hub?access_token={SECRET}", "RISKCORE_RTC_URL"),
        (f"ws:///hub?access_token={SECRET}", "RISKCORE_RTC_URL"),
        (f"ws://127.0.0.1:port/hub?access_token={SECRET}", "RISKCORE_RTC_URL"),
        (f"wss://{'a' * 64}.invalid/hub?access_token={SECRET}", "no connection"),
        ("", "RISKCORE_RTC_URL"),
    ],
)
def test_urls_that_are_refused_before_anything_is_sent(url: str, said: str) -> None:
    assert said in str(refused(url))


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        b"hello\r\n\r\n",
        b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html></h",
        b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_a_server_of_another_kind(answered: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answered)
        await writer.drain()

    async def run() -> None:
        async with await raw_server(answer) as server:
            with pytest.raises(SocketClosed):
                await WebSockets(ScaledClock())(f"ws://127.0.0.1:{port_of(server)}/hub?access_token={SECRET}")

    asyncio.run(run())


def test_a_server_that_never_answers_is_left_when_the_caller_gives_up() -> None:
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async def run() -> None:
        clock = ScaledClock()
        async with await raw_server(answer) as server:
            with pytest.raises(TimeoutError):
                async with clock.timeout(3):
                    await WebSockets(clock)(f"ws://127.0.0.1:{port_of(server)}/hub?access_token={SECRET}")
            async with asyncio.timeout(2):
                await left.wait()

    asyncio.run(run())


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    async def run() -> None:
        async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(SocketClosed, match="certificate was not accepted"):
                await WebSockets(ScaledClock())(f"wss://localhost:{port}/hub?access_token={SECRET}")

    asyncio.run(run())


def test_a_certificate_that_is_vouched_for_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    async def handler(socket: ServerConnection) -> None:
        await socket.send(str(await socket.recv()))

    async def run() -> None:
        async with serve(handler, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            socket = await WebSockets(ScaledClock())(f"wss://localhost:{port}/hub")
            await socket.send("secure")
            assert await socket.receive() == b"secure"
            await socket.close()

    asyncio.run(run())


def self_signed(folder: Path) -> Path:
    pytest.importorskip("cryptography")
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
