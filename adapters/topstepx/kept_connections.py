"""HTTP to the broker with connections kept open for what changes something: a close waits for no DNS, TCP or TLS.

A connection that is open is no call. The server and what lies between may let a silent one go whenever they like, so
each is replaced before the usual minute is over, and one that is lost is opened again, never more often than once a
second and ever more rarely while it fails. Whatever cannot go over a kept connection goes through httpx's pool, as
all questions do. Source: DESIGN.md "Requests to the broker".
"""

import asyncio
import re
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from adapters.topstepx import wire
from adapters.topstepx.http import CONNECT_SECONDS, HttpTransport, is_loopback, proxy_of
from adapters.topstepx.http_connection import HttpConnection
from adapters.topstepx.transport import Answer
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.back_off import BackOff
from riskcore.engine.ports import Clock

# So many calls may leave at the same time; flattening an account closes a few contracts and cancels a few orders.
KEPT_CONNECTIONS = 4
BEAT_SECONDS = 1  # Between two looks at them, each of which opens one at most.
RENEW_NS, LET_GO_NS = 45 * SECOND_NS, 55 * SECOND_NS  # Of silence.
# One that was lost sooner, unused, is a failure to open: the server does not want it.
SETTLED_NS = 10 * SECOND_NS
BACK_OFF = BackOff(BEAT_SECONDS * SECOND_NS, 30 * SECOND_NS)
PATHS = frozenset(
    body.PATH
    for body in (wire.CloseContract, wire.PartialCloseContract, wire.OrderCancel, wire.OrderPlace, wire.OrderModify)
)
_ADDRESS_DELAY_SECONDS = 0.25  # After so long without an answer the host's next address is tried as well.
_HEADER = re.compile(r"[\t\x20-\x7e]*")


@dataclass(slots=True)
class _Kept:
    """A connection that nobody uses now. `settled`: it has shown that the server keeps it."""

    connection: HttpConnection
    silent_since: int
    settled: bool = False


class KeptTransport:
    """Calls to one base URL (adapters.topstepx.transport.Transport)."""

    def __init__(self, base: str, clock: Clock, chance: Random, connect_seconds: float = CONNECT_SECONDS) -> None:
        """Raises ConfigError for an address that http.base_url refuses. Connections are kept from the first call on."""
        self._pool = HttpTransport(base, connect_seconds)
        self._base = self._pool.base
        self._url = httpx.URL(self._base)
        self._clock, self._chance = clock, chance
        self._connect_seconds = connect_seconds
        self._context = _certificates(self._url) if self._url.scheme == "https" else None
        self._keeps = proxy_of(self._base) is None
        self._kept: list[_Kept] = []
        self._busy: set[HttpConnection] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._failures = 0
        self._not_before = 0
        self._headers: Mapping[str, str] = {}
        self._heads: dict[str, bytes] = {}  # By path, for those headers.

    def __repr__(self) -> str:
        return f"KeptTransport({self._base!r})"

    def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Coroutine[Any, Any, Answer]:
        """One request: on a kept connection it is sent here and now, in the pool when its answer is awaited.

        Raises NotSent, Unanswered, when it is; neither names a header or a body.
        """
        if self._keeping is None and self._keeps:
            self._keeping = asyncio.get_running_loop().create_task(self._keep())
        head = self._head(path, headers) if method == "POST" and path in PATHS else None
        connection = self._taken() if head is not None else None
        if head is None or connection is None:
            return self._pool.call(method, path, body, headers)
        connection.send(path, b"%b%d\r\n\r\n%b" % (head, len(body), body))
        self._busy.add(connection)
        return self._answer_of(connection)

    async def _answer_of(self, connection: HttpConnection) -> Answer:
        try:
            return await connection.answer()
        finally:
            self._busy.discard(connection)
            if connection.usable:
                self._kept.append(_Kept(connection, self._clock.now(), settled=True))

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for connection in (*self._busy, *(kept.connection for kept in self._kept)):
            connection.end()
        await self._pool.close()

    # ---- one request -----------------------------------------------------------------------------------

    def _head(self, path: str, headers: Mapping[str, str]) -> bytes | None:
        """A request's bytes up to its length, made once for each path and token; None if it cannot be written."""
        if headers is not self._headers:
            self._headers, self._heads = headers, {}
        head = self._heads.get(path)
        if head is None:
            given = {"host": self._url.netloc.decode("ascii"), "accept-encoding": "identity", **headers}
            if not all(_HEADER.fullmatch(value) for value in given.values()):
                return None
            lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
            target = self._url.raw_path.rstrip(b"/") + path.encode("ascii")
            head = b"POST %b HTTP/1.1\r\n%bcontent-length: " % (target, lines.encode("ascii"))
            self._heads[path] = head
        return head

    def _taken(self) -> HttpConnection | None:
        """The kept connection that was silent for the shortest time."""
        while self._kept:
            kept = self._kept.pop()
            if kept.connection.usable:
                return kept.connection
        return None

    # ---- keeping them open -----------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            now = self._clock.now()
            self._let_go(now)
            fresh = sum(now - kept.silent_since < RENEW_NS for kept in self._kept)
            if fresh + len(self._busy) < KEPT_CONNECTIONS and now >= self._not_before:
                await self._open()
            await self._clock.sleep(BEAT_SECONDS)

    def _let_go(self, now: int) -> None:
        """Forget those that are gone, and end those that were silent for long."""
        for kept in self._kept:
            silent_ns = now - kept.silent_since
            kept.settled = kept.settled or silent_ns >= SETTLED_NS
            if kept.settled:
                self._failures = 0
            elif not kept.connection.usable:
                self._failed(now)
            if silent_ns >= LET_GO_NS:
                kept.connection.end()
        self._kept = [kept for kept in self._kept if kept.connection.usable]

    async def _open(self) -> None:
        host, port = self._url.raw_host.decode("ascii"), self._url.port or (80 if self._context is None else 443)
        try:
            async with self._clock.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: HttpConnection(self._base),
                    host,
                    port,
                    ssl=self._context,
                    server_hostname=None if self._context is None else host,
                    happy_eyeballs_delay=_ADDRESS_DELAY_SECONDS,
                )
        except (OSError, UnicodeError):  # TimeoutError and all of TLS among them; the pool says what is wrong.
            self._failed(self._clock.now())
            return
        self._kept.append(_Kept(connection, self._clock.now()))

    def _failed(self, now: int) -> None:
        self._failures += 1
        self._not_before = now + BACK_OFF.spread_ns(self._failures, self._chance)


def _certificates(url: httpx.URL) -> ssl.SSLContext:
    """Whom to believe, as the pool does: what httpx or the environment trusts, and always checked."""
    context = httpx.create_ssl_context(verify=True, trust_env=not is_loopback(url.host))
    context.set_alpn_protocols(["http/1.1"])
    return context
