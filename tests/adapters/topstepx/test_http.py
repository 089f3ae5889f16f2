"""HTTP over real sockets: what was sent, what came back, and whether a failed call can have arrived."""

import asyncio
import gzip
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.topstepx import http
from adapters.topstepx.http import MOST_KEPT_OPEN, HttpTransport, base_url, hub_url
from adapters.topstepx.transport import Answer, NotSent, Unanswered
from riskcore.errors import ConfigError
from tests.adapters.topstepx.small_broker import Gone, Reply, SmallBroker, hang, serving

PATH = "/api/Position/closeContract"
HEADERS = {"authorization": "Bearer SECRET", "content-type": "application/json"}


async def ask(base: str, body: bytes = b"{}") -> Answer:
    transport = HttpTransport(base)
    try:
        return await transport.call("POST", PATH, body, HEADERS)
    finally:
        await transport.close()


def asked(broker: SmallBroker, body: bytes = b"{}") -> Answer:
    async def run() -> Answer:
        async with serving(broker) as base:
            return await ask(base, body)

    return asyncio.run(run())


async def with_raw(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    use: Callable[[str], Awaitable[Any]],
) -> Any:
    """A server that speaks bytes, for what no HTTP server would send."""

    async def safely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(safely, "127.0.0.1", 0)
    async with server:
        return await use(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


def test_a_call_and_its_answer() -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", Reply(200, {"success": True}, {"X-Note": "Here"}))
    answer = asked(broker, b'{"accountId":1}')
    assert (answer.status, answer.body) == (200, b'{"success": true}')
    assert answer.headers["x-note"] == "Here"
    (call,) = broker.calls
    assert (call.path, call.body, call.token) == ("Position/closeContract", {"accountId": 1}, "SECRET")


def test_connections_are_kept() -> None:
    opened: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        while True:
            await reader.readuntil(b"\r\n\r\n{}")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async def use(base: str) -> None:
        transport = HttpTransport(base)
        for _ in range(5):
            await transport.call("POST", PATH, b"{}", HEADERS)
        await transport.close()

    asyncio.run(with_raw(handle, use))
    assert len(opened) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 500])
def test_every_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", Reply(status, {}, {"Location": "/api/Order/place"}))
    assert asked(broker).status == status
    assert broker.paths() == ["Position/closeContract"]


def test_a_packed_answer_is_unpacked() -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", Reply(200, gzip.compress(b'"pong"'), {"Content-Encoding": "gzip"}))
    assert asked(broker).body == b'"pong"'


def test_a_packed_answer_that_is_none_is_no_answer() -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", Reply(200, b"no gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(Unanswered):
        asked(broker)


def test_nothing_was_sent_without_a_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: connections are refused.
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NotSent, match="no connection to http://127"):
            asyncio.run(ask(base))


def test_a_header_that_cannot_be_written_is_not_shown() -> None:
    async def run() -> None:
        async with serving(SmallBroker()) as base:
            transport = HttpTransport(base)
            try:
                await transport.call("POST", PATH, b"{}", {"authorization": "Bearer SECRET\r\nx: y"})
            finally:
                await transport.close()

    with pytest.raises(NotSent, match="a header cannot be written") as error:
        asyncio.run(run())
    assert "SECRET" not in str(error.value)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(NotSent):
        asyncio.run(ask("https://riskcore.invalid"))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{half",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x00\x01 no HTTP at all\r\n\r\n",
    ],
)
def test_a_connection_that_breaks_after_sending_leaves_the_question_open(said: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(said)
        await writer.drain()

    with pytest.raises(Unanswered) as error:
        asyncio.run(with_raw(handle, ask))
    assert "SECRET" not in str(error.value)


def test_an_aborted_connection_leaves_the_question_open() -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", Gone())
    with pytest.raises(Unanswered):
        asked(broker)
    assert len(broker.calls) == 1


def test_an_answer_too_large_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 1000)
    broker = SmallBroker()
    broker.on("Position/closeContract", Reply(200, b"x" * 1000), Reply(200, gzip.compress(b"x" * 1001)))
    assert len(asked(broker).body) == 1000
    broker.on("Position/closeContract", Reply(200, gzip.compress(b"x" * 1001), {"Content-Encoding": "gzip"}))
    with pytest.raises(Unanswered, match="more than 1000 bytes"):
        asked(broker)


def test_a_cancelled_call_drops_its_connection_and_the_next_one_works() -> None:
    broker = SmallBroker()
    broker.on("Position/closeContract", hang, {"success": True})

    async def run() -> None:
        async with serving(broker) as base:
            transport = HttpTransport(base)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await transport.call("POST", PATH, b"{}", HEADERS)
            assert (await transport.call("POST", PATH, b"{}", HEADERS)).status == 200
            await transport.close()

    asyncio.run(run())


def test_a_close_does_not_queue_behind_calls_that_are_never_answered() -> None:
    broker = SmallBroker()
    broker.on("Position/searchOpen", hang)
    broker.on("Position/closeContract", {"success": True})

    async def run() -> None:
        async with serving(broker) as base:
            transport = HttpTransport(base)
            hanging = [
                asyncio.create_task(transport.call("POST", "/api/Position/searchOpen", b"{}", HEADERS))
                for _ in range(2 * MOST_KEPT_OPEN)
            ]
            while broker.count("Position/searchOpen") < len(hanging):
                await asyncio.sleep(0.01)
            assert (await transport.call("POST", PATH, b"{}", HEADERS)).status == 200
            for one in hanging:
                one.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            await transport.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = certificate_of(tmp_path)
    asked: list[bytes] = []

    async def run() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.read(1))
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        async with server:
            await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    with pytest.raises(NotSent, match=r"(?i)certificate"):
        asyncio.run(run())
    assert asked in ([], [b""])


def test_there_is_no_switch_to_turn_certificates_off() -> None:
    source = Path(http.__file__).read_text(encoding="utf-8")
    assert re.findall(r"verify\s*=\s*(\w+)", source) == ["True"]


def test_proxies_of_the_environment_are_not_asked_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert asked(SmallBroker()).status == 200


def test_proxies_of_the_environment_are_used_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 no\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async def use(proxy: str) -> None:
        monkeypatch.setenv("https_proxy", proxy.replace("//", "//user:SECRET@"))
        await ask("https://riskcore.invalid")

    seen: list[bytes] = []
    with pytest.raises(NotSent) as error:
        asyncio.run(with_raw(handle, use))
    assert seen[0].startswith(b"CONNECT riskcore.invalid:443")
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.topstepx.com", "https://api.topstepx.com"),
        (" https://api.topstepx.com/ ", "https://api.topstepx.com"),
        ("https://api.example.com:8443/broker/", "https://api.example.com:8443/broker"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://localhost:80", "http://localhost:80"),
        ("HTTPS://LOCALHOST", "https://LOCALHOST"),
    ],
)
def test_addresses_that_are_taken(text: str, expected: str) -> None:
    assert base_url(text) == expected
    assert hub_url(text) == expected.replace("http", "ws", 1)


def test_hubs_may_be_named_by_either_scheme() -> None:
    assert hub_url("wss://rtc.topstepx.com/") == "wss://rtc.topstepx.com"
    assert hub_url("ws://127.0.0.1:5") == "ws://127.0.0.1:5"
    with pytest.raises(ConfigError):
        base_url("wss://rtc.topstepx.com")
    with pytest.raises(ConfigError):
        hub_url("ws://rtc.topstepx.com")


@pytest.mark.parametrize(
    "text",
    [
        "http://api.topstepx.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "http://[::2]",
        "api.topstepx.com",
        "ftp://127.0.0.1",
        "https://",
        "https://:443",
        "https://host:0",
        "https://host:99999",
        "https://[::1",
        "",
        "https://user:SECRET@api.topstepx.com",
        "https://api.topstepx.com/?token=SECRET",
        "https://api.topstepx.com/#SECRET",
        "http://user:SECRET@127.0.0.1",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    for check in (base_url, hub_url):
        with pytest.raises(ConfigError) as error:
            check(text)
        assert "SECRET" not in str(error.value)
        assert "--" in str(error.value)
    with pytest.raises(ConfigError):
        HttpTransport(text)


def certificate_of(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key."""
    path = folder / "certificate.pem"
    path.write_text(_PEM, encoding="ascii")
    return path


# Of nobody, for a server that must not be believed.
_PEM = """\
-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUEhNHDfnvmhUkjDzkEOdrZLSE738wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMTEyNDQwNFoYDzIxMjYxMDI4
MTI0NDA0WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATo0+kB6Ylq3G0F+edrn4FoUnBq9QGaSwHVM0mLw6AmZBnfDptHlzjv
rrHG0LOZQEVB2QYVdl8PW/wi8jfpb+Jco2QwYjAdBgNVHQ4EFgQUcMccMcOW1JzB
uOrFL/Dg/eYxIT0wHwYDVR0jBBgwFoAUcMccMcOW1JzBuOrFL/Dg/eYxIT0wDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDgnomWynykgQjgIusdj9kpoQpw5+gQ2x0DGUQX2P6/iwIhAOz3i/BRP95Qr/Rj
IMArjS/tTGowK8UPLiktz8795qSB
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmb9ub1ImdYMM9SZ+
0Gz3i2Rdpu2R2/OSAqCV42MQ+4qhRANCAATo0+kB6Ylq3G0F+edrn4FoUnBq9QGa
SwHVM0mLw6AmZBnfDptHlzjvrrHG0LOZQEVB2QYVdl8PW/wi8jfpb+Jc
-----END PRIVATE KEY-----
"""
