"""The simulated broker's REST endpoints over HTTP, and the faults that strike them. Source: topstepx/API.md 1 and 2.

A request is carried out when it has arrived; its answer leaves after `latency_seconds`, so that pushes of its effect
may come before it, as they do at the broker.
"""

import asyncio
import socket
import sys
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.simulator.faults import Fault, FaultBoard, names_at
from adapters.simulator.hub import token_of
from adapters.simulator.transport_faults import abort, meet
from adapters.topstepx.fields import Object, decode, encode
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError

PING_PATH = "/api/Status/ping"
_KEPT_CALLS = 10_000
_UNREADABLE: Object = {"title": "One or more validation errors occurred.", "status": 400}
_CODES = ("error_code", "success_with_error_code")

Answer = Callable[[str, Any, str | None], tuple[int, Any]]  # Path, body, token: status, answer.


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived. `status` is None when it was not carried out; `fault` is what struck it."""

    at: int
    path: str
    status: int | None
    fault: str | None


class RestServer:
    """`arrived` hears of every request before a fault can strike it, `carry_out` asks the broker."""

    def __init__(
        self,
        board: FaultBoard,
        clock: Clock,
        latency_seconds: float,
        arrived: Callable[[str], None],
        carry_out: Answer,
    ) -> None:
        self.calls: deque[Call] = deque(maxlen=_KEPT_CALLS)
        self._board = board
        self._clock = clock
        self._latency_seconds = latency_seconds
        self._arrived = arrived
        self._carry_out = carry_out
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/api/{rest:.*}", self._serve)]

    def spare(self, transport: asyncio.Transport | None) -> None:
        """A connection that is none of a client of the broker."""
        if transport is not None:
            self._transports.discard(transport)

    def suffer(self, fault: Fault) -> None:
        """A new fault strikes the connections that are open."""
        if fault.name in ("refused", "dropped") and fault.only is None:
            for transport in list(self._transports):
                abort(transport)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        path = request.path
        if request.transport is not None:
            self._transports.add(request.transport)
        self._arrived(path)
        fault = self._board.strike("rest", names_at("rest"), path)
        carried_out = fault is None or _carried_out(fault)
        status, answer = self._answer(request, content) if carried_out else (200, _refusal())
        self._note(path, status if carried_out else None, fault)
        if fault is None:
            await self._clock.sleep(self._latency_seconds)
            return _response(status, answer)
        return await self._strike(request, fault, status, answer)

    def _note(self, path: str, status: int | None, fault: Fault | None) -> None:
        self.calls.append(Call(self._clock.now(), path, status, fault.name if fault is not None else None))

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any]:
        if request.path == PING_PATH and request.method == "GET":
            return 200, "pong"
        if request.method != "POST":
            return 405, None
        try:
            body = decode(content).value if content else {}
        except ValueError:
            return 400, _UNREADABLE
        return self._carry_out(request.path, body, token_of(request))

    async def _strike(self, request: web.Request, fault: Fault, status: int, answer: Any) -> web.StreamResponse:
        """The answer as the fault leaves it."""
        if fault.name in _CODES:
            envelope = answer if isinstance(answer, dict) else {}
            code = {"success": fault.name == "success_with_error_code", "errorCode": fault.error_code}
            return _response(200, {**envelope, **code})
        if fault.name == "delayed":
            await self._clock.sleep(fault.seconds)
            return _response(status, answer)
        if fault.name == "answer_lost":
            await self._clock.sleep(self._latency_seconds)  # As an answer would, so that pushes may come before it.
        if fault.name in ("slow", "split"):
            return await self._trickle(request, fault, _response(status, answer))
        return await meet(request, fault, self._clock)

    async def _trickle(self, request: web.Request, fault: Fault, whole: web.Response) -> web.StreamResponse:
        """The same answer, byte by byte."""
        content = whole.body if isinstance(whole.body, bytes) else b""
        answer = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.headers["Content-Type"]})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for byte in content:
            if fault.name == "slow":
                await self._clock.sleep(fault.seconds / len(content))
            await answer.write(bytes((byte,)))
        await answer.write_eof()
        return answer


def _carried_out(fault: Fault) -> bool:
    """Whether the broker does what it was asked for in spite of the fault."""
    if fault.status is not None or fault.name in ("html_with_200", *_CODES):
        return fault.processed or fault.name == "success_with_error_code"
    return fault.name in ("timeout_after", "answer_lost", "slow", "split", "delayed")


def _refusal() -> Object:
    return {"success": False, "errorCode": 0, "errorMessage": None}


def _response(status: int, answer: Any) -> web.Response:
    kind = "application/problem+json" if status == 400 else "application/json"
    text = "" if answer is None else encode(answer)
    return web.Response(status=status, text=text, content_type=kind, charset="utf-8")


class Listener:
    """`factory` makes the protocol of a new connection. Port 0 takes a free one, known as `port` from then on."""

    def __init__(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> None:
        self.port = port
        self._factory = factory
        self._host = host
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def open(self) -> None:
        """Raises GatewayError when the port cannot be had."""
        if self._server is not None:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                # Elsewhere it would let two programs share the port; here it only ends the wait for old connections.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self.port))
        except OSError as error:
            listening.close()
            raise GatewayError(
                f"port {self.port} of {self._host} cannot be opened: {error.strerror or error}; choose another one"
            ) from error
        self.port = listening.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(self._factory, sock=listening)

    def close(self) -> None:
        """Refuse new connections; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
