"""A hub on loopback that does what a test tells it: good by default, and any fault by script."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

END = "\x1e"
Script = Callable[["Caller"], Awaitable[None]]


class Caller:
    """One connection as the server sees it."""

    def __init__(self, hub: "HubServer", socket: ServerConnection) -> None:
        self.hub, self.socket = hub, socket
        self.heard: list[dict[str, Any]] = []
        self._rest = ""

    async def records(self) -> list[dict[str, Any]]:
        text = self._rest + str(await self.socket.recv())
        *records, self._rest = text.split(END)
        found = [json.loads(record) for record in records]
        self.heard += found
        return found

    async def tell(self, *records: Any) -> None:
        """All records in one frame."""
        await self.socket.send("".join(json.dumps(record) + END for record in records))

    async def greet(self, error: str | None = None) -> None:
        (asked,) = await self.records()
        assert asked == {"protocol": "json", "version": 1}
        await self.tell({} if error is None else {"error": error})

    async def answer(self, refused: dict[str, str] | None = None, silent: tuple[str, ...] = ()) -> None:
        """Complete invocations for ever; `refused` names those that fail."""
        while True:
            for record in await self.records():
                if record["type"] != 1:
                    continue
                self.hub.invoked.append((record["target"], *record["arguments"]))
                if record["target"] in silent:
                    continue
                completion = {"type": 3, "invocationId": record["invocationId"], "result": None}
                error = (refused or {}).get(record["target"])
                await self.tell(completion if error is None else completion | {"error": error})

    async def serve_well(self) -> None:
        await self.greet()
        await self.answer()


async def good(caller: Caller) -> None:
    await caller.serve_well()


class HubServer:
    """`async with HubServer(script, ...)`: each connection gets the next script, the last one again and again."""

    def __init__(self, *scripts: Script, statuses: tuple[int, ...] = ()) -> None:
        self._scripts = scripts or (good,)
        self._statuses = list(statuses)  # HTTP refusals of the first attempts.
        self.attempts: list[float] = []
        self.paths: list[str] = []
        self.tokens: list[str] = []
        self.invoked: list[tuple[Any, ...]] = []
        self.callers: list[Caller] = []
        self._server: Server | None = None

    async def __aenter__(self) -> "HubServer":
        self._server = await serve(self._handle, "127.0.0.1", 0, process_request=self._refuse, close_timeout=0.1)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        self.attempts.append(asyncio.get_running_loop().time())
        split = urlsplit(request.path)
        self.paths.append(split.path)
        self.tokens.append(parse_qs(split.query)["access_token"][0])
        if self._statuses:
            return connection.respond(HTTPStatus(self._statuses.pop(0)), "no\n")
        return None

    async def _handle(self, socket: ServerConnection) -> None:
        caller = Caller(self, socket)
        self.callers.append(caller)
        script = self._scripts[min(len(self.callers), len(self._scripts)) - 1]
        with suppress(ConnectionClosed):
            await script(caller)


async def until(found: Callable[[], Any], seconds: float = 400) -> None:
    """Seconds of the loop, far more than needed: a test that waits in vain fails."""
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.1)
