"""The connections of the server: at most so many, each with ten seconds for a request, errors answered like ours.

aiohttp parses HTTP and is otherwise lenient: what it normalises or answers by itself is taken out of its hands here.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from adapters.web.access import HEADERS, Refusal

MOST_CONNECTIONS = 128
REQUEST_SECONDS = 10.0
IDLE_SECONDS = 75.0
LINGER_SECONDS = 1.0
SEND_BUFFER = 65_536  # Of the socket: a reader that takes nothing is to be noticed soon.
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(RequestHandler):
    """One connection. `busy`: a whole request is being answered; `stream`: it has become one."""

    __slots__ = ("began_at", "busy", "heard", "stream", "whole_at")

    def __init__(self, manager: "Connections", **options: Any) -> None:
        super().__init__(manager, **options)
        self.busy = self.stream = self.heard = False
        self.began_at: float | None = self._loop.time()
        self.whole_at = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().connection_made(transport)
        self._watch()
        manager = self._manager
        assert isinstance(manager, Connections), "made by it"
        manager.make_room()

    def data_received(self, data: bytes) -> None:
        if self.busy:
            self.heard = True  # The next request, whose time begins when this one is answered.
        elif self.began_at is None:
            self.began_at = self._loop.time()
            self._watch()
        super().data_received(data)

    def _watch(self) -> None:
        self._loop.call_later(REQUEST_SECONDS + 0.01, self._late, self.began_at)

    def _late(self, began_at: float | None) -> None:
        if began_at is not None and self.began_at == began_at and self.transport is not None:
            self.force_close()

    def whole(self) -> None:
        """The request has arrived whole."""
        self.began_at, self.busy, self.heard = None, True, False
        self.whole_at = self._loop.time()

    def answered(self) -> None:
        """It was answered; the next one may have begun."""
        self.busy = False
        if self.heard:
            self.began_at = self._loop.time()
            self._watch()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if status == 400:
            refusal = Refusal("malformed", "not a plain HTTP/1.1 request")
        else:
            refusal = Refusal("fault", f"riskcore has an internal fault: {type(exc).__name__}")
        answer = web.json_response(refusal.row(), status=refusal.status, headers=HEADERS)
        answer.force_close()
        return answer

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()


class Connections(web.Server):
    """All of them. A new one above the limit takes the place of the one that has longest sent no whole request."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)

    def __call__(self) -> Connection:
        return Connection(
            self,
            loop=self._loop,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
        )

    def make_room(self) -> None:
        """Take away connections above the limit: first those that wait, never a stream or one being answered."""
        known = [one for one in self.connections if isinstance(one, Connection) and one.transport is not None]
        waiting = sorted((one for one in known if not (one.busy or one.stream)), key=lambda one: one.whole_at)
        over = len(known) - MOST_CONNECTIONS
        for one in waiting[: max(over, 0)]:
            one.abort()
