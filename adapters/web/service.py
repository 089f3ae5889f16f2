"""The service put together: one port, the checks of every request, the routes, the stream, the page."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from aiohttp import web

from adapters.web import parameters
from adapters.web.access import (
    HEADERS,
    LARGEST_BODY,
    LINK_SECONDS,
    OPEN,
    PAGE,
    STREAM,
    Head,
    Refusal,
    Route,
    Sessions,
    check,
    hosts_of,
    too_large,
)
from adapters.web.commands import COMMANDS, carry_out
from adapters.web.connections import REQUEST_SECONDS, Connection, Connections
from adapters.web.metrics import metrics_text
from adapters.web.owner import Owner
from adapters.web.readers import Readers, Wanted
from adapters.web.reading import Reading, Served, cursor_asked
from adapters.web.tail import Tail
from riskcore.audit.stream_messages import ALERT, TYPES, message_bytes
from riskcore.version import VERSION

LOOPBACK, EVERY_ADDRESS = "127.0.0.1", ("0.0.0.0", "::")
RUNNING_SECONDS, STORED_SECONDS = 1.0, 0.25  # Between two looks at the journal: woken by an engine, or not.
JSON = "application/json"
BEYOND = 4409  # How a stream ends whose cursor this journal did not give.
_CLOSE = {"Connection": "close"}
_SUFFIXES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".json": JSON,
}
_HOW_TO_GET_IN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>riskcore</title>"
    "<h1>This page needs a new link</h1><p>Run <code>riskcore web</code> on this computer; it opens the page."
    " After a restart of the engine the page needs a new link."
)
Answer = Callable[[Head], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Options:
    """[api] of the settings, and where to listen. Only a read-only service may listen anywhere but on loopback."""

    page: bool = True
    port: int = 0
    quote_hz: int = 4
    address: str = LOOPBACK
    names: Sequence[str] = ()


@dataclass(slots=True)
class Service:
    """Runs on the loop it is started on. Without an owner it is read-only."""

    served: Served
    options: Options
    owner: Owner | None
    sessions: Sessions = field(init=False)
    tail: Tail = field(init=False)
    readers: Readers = field(init=False)
    warnings: list[str] = field(default_factory=list)
    _reading: Reading = field(init=False)
    _page: dict[str, tuple[str, bytes]] = field(init=False)
    _gets: dict[str, Answer] = field(init=False)
    _routes: dict[str, Route] = field(init=False)
    _prefixes: dict[str, Route] = field(init=False)
    _server: asyncio.Server | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _connections: Connections | None = None

    @property
    def url(self) -> str:
        return f"http://{self._hosts()[0]}:{self.sessions.port}"

    def _hosts(self) -> list[str]:
        """What the service is called, the name for links first."""
        options = self.options
        own = [] if options.address in (LOOPBACK, *EVERY_ADDRESS) else [options.address]
        return [*options.names, *(f"[{one}]" if ":" in one else one for one in own), LOOPBACK]

    async def start(self) -> None:
        """Listen; a port that is taken is replaced by a free one. Raises OSError when there is none."""
        self._connections = Connections(self._handle)
        served, pace = self.served, STORED_SECONDS if self.owner is None else RUNNING_SECONDS
        self.tail = Tail(served.journal, pace, served.channels)
        self.readers = Readers(self.tail, served.journal, self._state, self.options.quote_hz, served.channels)
        self._reading = Reading(self.served, self.tail, self.owner)
        self._page = _page() if self.options.page else {}
        self._make_routes()
        self._server = await self._listen()
        port = self._server.sockets[0].getsockname()[1]
        self.sessions = Sessions(port, hosts_of(port, self._hosts()), self.options.page)
        self._tasks = [asyncio.create_task(self.tail.run()), asyncio.create_task(self.readers.run())]

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        assert self._connections is not None, "made before"
        address, port = self.options.address, self.options.port
        try:
            return await loop.create_server(self._connections, address, port)
        except OSError as error:
            if port == 0 or self.owner is None:
                raise
            self.warnings.append(f"[api] port {port} cannot be used ({error.strerror}); a free port is used instead")
            return await loop.create_server(self._connections, address, 0)

    async def stop(self) -> None:
        """End streams with 1001, then everything."""
        self.readers.stop()
        if self._server is not None:
            self._server.close()
        deadline = time.monotonic() + 1.0
        while len(self.readers) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connections is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._connections.shutdown(0.5)
        self.readers.close()
        self._reading.close()
        self.tail.close()

    def say_halt(self, text: str, over: bool) -> None:
        """A halt is told although nothing can be stored."""
        data = dict.fromkeys(("id", "level", "rule", "title", "text", "allowed", "until", "channels"))
        level, title = ("info", "The halt is over") if over else ("critical", "The engine is halted")
        now = self._reading.now()
        data |= {"level": level, "title": title, "text": text, "channels": self.served.channels(level, now)}
        self.readers.say(message_bytes(None, now, ALERT, None, data))
        self.readers.say_state(only_if_new=True)

    def _state(self) -> dict[str, Any]:
        state = "read_only" if self.owner is None else self.owner.state()
        return {"state": state, "profile": self.served.profile, "version": VERSION, "head": self.tail.head}

    # ---- routes --------------------------------------------------------------------------------------

    def _make_routes(self) -> None:
        reading = self._reading
        named = (
            "status health calendar config limits positions orders lockouts connections breaches enforcement days fills"
        )
        self._gets = {
            f"/api/{name}": getattr(reading, name, None) or _recorded(reading, name) for name in named.split()
        }
        self._gets |= {"/api/events": reading.events, "/metrics": self._metrics}
        self._routes = {path: Route("GET") for path in (*self._gets, STREAM)}
        self._routes |= {f"/api/{name}": Route("POST", one.bearer_only) for name, one in COMMANDS.items()}
        if self.options.page:
            self._routes |= {path: Route("GET") for path in (PAGE, OPEN, *self._page)}
            self._routes["/api/link"] = Route("POST", bearer_only=True)
        self._prefixes = {"/api/why/": Route("GET")}

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection), "made by our server"
        head = head_of(request)
        try:
            try:
                check(head, self.sessions, self._routes, self._prefixes)
                content = await self._body(request, connection, head)
                answer = await self._answer(request, connection, head, content)
            except Refusal as refusal:
                answer = self._refused(head, refusal)
            except (asyncio.CancelledError, ConnectionError):
                raise
            except Exception as error:
                text = f"riskcore has an internal fault: {type(error).__name__}: {str(error)[:200]}"
                answer = self._refused(head, Refusal("fault", text))
        finally:
            connection.answered()
        if not isinstance(answer, web.WebSocketResponse):
            answer.headers["Server"] = "riskcore"
            if head.all("upgrade") or answer.headers.get("Connection") == "close":
                answer.force_close()
        return answer

    async def _body(self, request: web.BaseRequest, connection: Connection, head: Head) -> bytes:
        """The whole body, within the time a request may take. Raises Refusal."""
        content = b""
        if request.can_read_body:
            left = (
                REQUEST_SECONDS
                if connection.began_at is None
                else (connection.began_at + REQUEST_SECONDS - asyncio.get_running_loop().time())
            )
            try:
                async with asyncio.timeout(left):
                    async for part in request.content.iter_any():
                        content += part
                        if len(content) > LARGEST_BODY:
                            raise too_large()
            except TimeoutError:
                raise Refusal("malformed", "the request did not arrive in time", headers=_CLOSE) from None
            except web.RequestPayloadError:
                raise Refusal("malformed", "the body is broken", headers=_CLOSE) from None
        connection.whole()
        if head.method == "GET" and content:
            raise Refusal("value", "a GET has no body")
        return content

    async def _answer(
        self, request: web.BaseRequest, connection: Connection, head: Head, content: bytes
    ) -> web.StreamResponse:
        path = head.path
        if path == STREAM:
            return await self._stream(request, connection, head)
        if path == OPEN:
            return self._opened(head)
        if path == "/api/link":
            parameters.query(head.target, {})
            parameters.body(content, {})
            return _json(self._link())
        if path in self._page:
            parameters.query(head.target, {})
            kind, content = self._page[path]
            return _bytes(content, kind)
        if head.method == "POST":
            parameters.query(head.target, {})
            return _json(await carry_out(path.removeprefix("/api/"), content, self.owner))
        reading = self._gets.get(path, self._reading.why)
        found = await reading(head)
        if isinstance(found, bytes):
            return _bytes(found, "text/plain; version=0.0.4; charset=utf-8" if path == "/metrics" else JSON)
        return _json(found)

    def _refused(self, head: Head, refusal: Refusal) -> web.Response:
        if refusal.code == "token" and head.method == "GET" and head.path == PAGE and self.options.page:
            answer = _bytes(_HOW_TO_GET_IN.encode(), _SUFFIXES[".html"])
        else:
            answer = _json(refusal.row())
        answer.set_status(refusal.status)
        answer.headers.update(refusal.headers)
        return answer

    # ---- letting a browser in ------------------------------------------------------------------------

    def _link(self) -> dict[str, Any]:
        word = self.sessions.new_link(asyncio.get_running_loop().time())
        ends = datetime.fromtimestamp(time.time() + LINK_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"schema": "riskcore.link/1", "url": f"{self.url}{OPEN}?once={word}", "expires_at": ends}

    def new_link(self) -> dict[str, Any]:
        """A link for whoever started this service."""
        return self._link()

    def _opened(self, head: Head) -> web.Response:
        asked = parameters.query(head.target, {"once": parameters.text})
        cookie = self.sessions.use_link(asked.get("once", ""), asyncio.get_running_loop().time())
        if cookie is None:
            raise Refusal("link", "this link was used, is older than a minute, or was never given: run riskcore web")
        answer = web.Response(status=303, headers={**HEADERS, "Location": PAGE})
        answer.headers["Set-Cookie"] = f"{self.sessions.cookie_name}={cookie}; HttpOnly; SameSite=Strict; Path=/"
        return answer

    # ---- the stream ----------------------------------------------------------------------------------

    async def _stream(self, request: web.BaseRequest, connection: Connection, head: Head) -> web.StreamResponse:
        asked = parameters.query(
            head.target, {"after": parameters.text, "account": parameters.text, "types": _types}, ("account",)
        )
        socket = web.WebSocketResponse(autoping=True, compress=False, max_msg_size=LARGEST_BODY)
        if not socket.can_prepare(request):
            raise Refusal("value", "the stream is a WebSocket: ask for the upgrade")
        if not self.tail.looked.is_set():
            async with asyncio.timeout(REQUEST_SECONDS):
                await self.tail.looked.wait()
        accounts = await self._reading.account_ids(asked["account"])
        after = cursor_asked(asked["after"]) if "after" in asked else None
        if self.readers.full:
            raise Refusal("busy", "there is no room for another stream; close one first")
        connection.stream = True
        socket.headers.update(HEADERS)
        await socket.prepare(request)
        if after is not None and not await self._reading.has(after):
            await socket.close(code=BEYOND, message=b"this journal has no such cursor")
            return socket
        wanted = Wanted(after, frozenset(accounts), asked.get("types", frozenset()))
        await self.readers.serve(socket, request.transport, wanted)
        return socket

    async def _metrics(self, head: Head) -> bytes:
        parameters.query(head.target, {})
        return await metrics_text(self._reading, self.readers, self._state()["state"])


def _types(name: str, given: str) -> frozenset[str]:
    kinds = frozenset(given.split(","))
    unknown = sorted(kinds - set(TYPES))
    if unknown:
        raise Refusal("value", f"there is no message of type {unknown[0][:40]!r}")
    return kinds


def _recorded(reading: Reading, name: str) -> Answer:
    return lambda head: reading.recorded(name, head)


def head_of(request: web.BaseRequest) -> Head:
    """The request as it came: nothing joined, decoded or normalised."""
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape"))
        for name, value in request.raw_headers
    )
    return Head(request.method, request.raw_path, (request.version.major, request.version.minor), headers)


def _json(row: dict[str, Any]) -> web.Response:
    return _bytes(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(), JSON)


def _bytes(content: bytes, kind: str) -> web.Response:
    return web.Response(body=content, headers={**HEADERS, "Content-Type": kind})


def _page() -> dict[str, tuple[str, bytes]]:
    """The files of the page, by the path each is served under."""
    found = {}
    for file in files("adapters.web").joinpath("page").iterdir():
        kind = _SUFFIXES.get("." + file.name.rpartition(".")[2])
        if file.is_file() and kind is not None:
            found[PAGE if file.name == "index.html" else f"/{file.name}"] = (kind, file.read_bytes())
    return found
