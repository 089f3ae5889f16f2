"""The smallest broker that speaks HTTP: answers by path from what a test puts in, and keeps what it was asked.

Over a real socket on loopback (`serving`), or directly in memory as a Transport (`Script`).
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from adapters.topstepx.transport import Answer, NotSent, Unanswered

KEY, NAME = "SECRET-API-KEY", "SECRET-USER-NAME"
ACCOUNT, MNQ = 99000001, "CON.F.US.MNQ.Z26"
GOOD: dict[str, Any] = {"success": True, "errorCode": 0, "errorMessage": None}


class Gone(Exception):
    """The connection is dropped without an answer."""


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    path: str
    body: Any
    token: str | None


@dataclass(frozen=True)
class Reply:
    """An answer with a status of its own; `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[Call], Any]  # A dict (status 200), a Reply, or an awaitable of either; may raise Gone or NotSent.


def token(number: int, ends: int | None = None) -> str:
    """A JSON web token; SECRET must not turn up anywhere."""
    claims = {"n": number} | ({} if ends is None else {"exp": ends})
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJSECRET.{middle}.SECRET{number}"


def good(**payload: Any) -> dict[str, Any]:
    return {**payload, **GOOD}


def failed(code: int, message: str | None = None, **payload: Any) -> dict[str, Any]:
    return {**payload, "success": False, "errorCode": code, "errorMessage": message}


class SmallBroker:
    """`rules` answers a path ("Order/place"); without one, a good answer with empty lists."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.rules: dict[str, Rule] = {}
        self.logins = 0
        self.ends: int | None = None  # The `exp` of the tokens to come.
        self.valid: set[str] | None = None  # Tokens that are taken; None: all.

    def on(self, path: str, *answers: Any) -> None:
        """These answers one after another, the last one for ever; callables are asked."""
        left = list(answers)

        def rule(call: Call) -> Any:
            answer = left.pop(0) if len(left) > 1 else left[0]
            return answer(call) if callable(answer) else answer

        self.rules[path] = rule

    def paths(self) -> list[str]:
        return [call.path for call in self.calls]

    def count(self, path: str) -> int:
        return self.paths().count(path)

    def last(self, path: str) -> Any:
        return next(call.body for call in reversed(self.calls) if call.path == path)

    async def answer(self, path: str, body: bytes, authorization: str | None) -> Reply:
        name = path.removeprefix("/api/")
        taken = authorization.removeprefix("Bearer ") if authorization else None
        call = Call(name, json.loads(body) if body else None, taken)
        self.calls.append(call)
        if name not in ("Auth/loginKey", "Status/ping") and self.valid is not None and taken not in self.valid:
            return Reply(401)
        rule = self.rules.get(name, self._default)
        found = rule(call)
        if isinstance(found, Awaitable):
            found = await found
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Reply) else Reply(200, found)

    def _default(self, call: Call) -> Any:
        match call.path:
            case "Auth/loginKey":
                return good(token=self._token())
            case "Auth/validate":
                return good(newToken=self._token())
            case "Account/search":
                row = {"id": ACCOUNT, "name": "PRAC-V2-1", "balance": 150000.5, "canTrade": True, "simulated": True}
                return good(accounts=[row])
            case "Order/v2/query":
                return good(orders=[], totalCount=0)
            case "Order/place":
                return good(orderId=9056)
            case "Status/ping":
                return "pong"
            case _:
                lists = {"Position/searchOpen": "positions", "Trade/search": "trades", "History/retrieveBars": "bars"}
                name = lists.get(call.path, "contracts" if call.path.startswith("Contract/") else "orders")
                return good(**{name: []})

    def _token(self) -> str:
        self.logins += 1
        made = token(self.logins, self.ends)
        if self.valid is not None:
            self.valid.add(made)
        return made


@asynccontextmanager
async def serving(broker: SmallBroker) -> AsyncIterator[str]:
    """The broker on a socket of its own; its base URL."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            reply = await broker.answer(request.path, body, request.headers.get("authorization"))
        except Gone:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=content, headers=dict(reply.headers))

    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Script:
    """The broker without a socket, for tests in which time stands still."""

    def __init__(self, broker: SmallBroker) -> None:
        self.broker = broker
        self.closed = False

    def __repr__(self) -> str:
        return "Script()"

    async def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            reply = await self.broker.answer(path, body, headers.get("authorization"))
        except Gone:
            raise Unanswered("the connection broke") from None
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        return Answer(reply.status, dict(reply.headers), content)

    async def close(self) -> None:
        self.closed = True


class HandClock:
    """Time that passes only while somebody sleeps; a time limit passes at once when nothing else can happen."""

    def __init__(self, start: int = 1_795_262_400 * 10**9) -> None:
        self.at = start
        self.slept: list[float] = []

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += round(seconds * 10**9)
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(seconds / 50)


def unreachable(call: Call) -> Any:
    raise NotSent("no connection to the broker")


async def hang(call: Call) -> Any:
    """No answer, ever."""
    await asyncio.Event().wait()
