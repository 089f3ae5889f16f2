"""A simulated hub: negotiation, its clients, what they can subscribe to. Source: topstepx/API.md 4.1 and 4.2."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import ClientConnectionResetError, web

from adapters.simulator import hub_protocol
from adapters.simulator.faults import HANDSHAKE, ON_ATTEMPT, ON_CONNECTION, Fault, FaultBoard
from adapters.simulator.hub_connection import CLOSED_WITH_ERROR, HubConnection, Subscription
from adapters.simulator.hub_protocol import Invocation
from adapters.simulator.transport_faults import meet
from adapters.topstepx.fields import Object, encode
from riskcore.engine.ports import Clock

LARGEST_MESSAGE_BYTES = 1 << 20
GOODBYE_SECONDS = 5.0
CLOSE_SECONDS = 1.0  # How long a client may take to answer a close.
_TOKEN_LOOK_SECONDS = 0.25
_KEPT_ATTEMPTS = 10_000
_KEPT_NEGOTIATIONS = 1_000
# What can be subscribed to on each hub: name, target of its events, type of the one argument (None: no argument).
_FEEDS: dict[str, dict[str, tuple[str, type | None]]] = {
    "user": {
        "Accounts": ("GatewayUserAccount", None),
        "Orders": ("GatewayUserOrder", int),
        "Positions": ("GatewayUserPosition", int),
        "Trades": ("GatewayUserTrade", int),
    },
    "market": {
        "ContractQuotes": ("GatewayQuote", str),
        "ContractTrades": ("GatewayTrade", str),
        "ContractMarketDepth": ("GatewayDepth", str),
    },
}
_ON, _OFF = "Subscribe", "Unsubscribe"
_FOR_ALL = "GatewayUserAccount"  # The one event that is subscribed to without naming an account.


class Hub:
    """`authorised` says whether a token opens it, `subscribed` hears of every subscription."""

    def __init__(
        self,
        place: str,
        board: FaultBoard,
        clock: Clock,
        chance: random.Random,
        authorised: Callable[[str | None], bool],
        subscribed: Callable[[str, str], None],
        ends_with_token: bool = False,
    ) -> None:
        self.attempts: deque[int] = deque(maxlen=_KEPT_ATTEMPTS)  # When somebody tried to open a socket.
        self.connections: list[HubConnection] = []
        self.outlived = 0  # Connections that were ended because their token had.
        self._place = place
        self._board = board
        self._clock = clock
        self._chance = chance
        self._authorised = authorised
        self._subscribed = subscribed
        self._ends_with_token = ends_with_token
        self._negotiated: dict[str, None] = {}

    def routes(self) -> list[web.RouteDef]:
        path = f"/hubs/{self._place}"
        return [web.post(f"{path}/negotiate", self._negotiate), web.get(path, self._connect)]

    def publish(self, audience: str, line: Object) -> None:
        """Hand an event to the clients that have subscribed to it; `audience` is an account or a contract."""
        target: str = line["target"]
        wanted = (target, "" if target == _FOR_ALL else audience)
        record = ""
        for connection in self.connections:
            if wanted in connection.subscriptions:
                record = record or hub_protocol.invocation(target, line["arguments"])
                connection.event(target, record)

    def suffer(self, fault: Fault) -> None:
        """A new fault strikes the connections that are open."""
        if fault.name in ON_CONNECTION and self.connections:
            struck = self._board.strike(self._place, (fault.name,))
            for connection in list(self.connections):
                connection.suffer(struck or fault)
        elif fault.name in ON_ATTEMPT or fault.name == HANDSHAKE:
            for connection in list(self.connections):
                connection.drop()

    def heal(self) -> None:
        for connection in self.connections:
            connection.heal()

    async def end(self) -> None:
        """Say goodbye to every client, and drop those that do not take it."""
        connections = list(self.connections)
        for connection in connections:
            connection.end()
        try:
            async with self._clock.timeout(GOODBYE_SECONDS):
                await asyncio.gather(*(connection.ended.wait() for connection in connections))
        except TimeoutError:
            for connection in connections:
                connection.drop()

    # ---- opening -------------------------------------------------------------------------------------

    async def _negotiate(self, request: web.Request) -> web.StreamResponse:
        fault = self._board.strike(self._place, ON_ATTEMPT)
        if fault is not None:
            return await meet(request, fault, self._clock)
        if not self._authorised(token_of(request)):
            return unauthorised()
        connection_id, token = self._new_id(), self._new_id()
        versioned = request.query.get("negotiateVersion", "0") != "0"
        self._negotiated[token if versioned else connection_id] = None
        if len(self._negotiated) > _KEPT_NEGOTIATIONS:
            self._negotiated.pop(next(iter(self._negotiated)))
        answer: Object = {"negotiateVersion": int(versioned), "connectionId": connection_id}
        if versioned:
            answer["connectionToken"] = token
        answer["availableTransports"] = [{"transport": "WebSockets", "transferFormats": ["Text"]}]
        return web.Response(text=encode(answer), content_type="application/json")

    def _new_id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        self.attempts.append(self._clock.now())
        fault = self._board.strike(self._place, ON_ATTEMPT)
        if fault is not None:
            return await meet(request, fault, self._clock)
        if not self._authorised(token_of(request)):
            return unauthorised()
        connection_id = request.query.get("id")
        if connection_id is not None and connection_id not in self._negotiated:
            return web.Response(status=404, text="No Connection with that ID")
        # No compression: the gateway's server offers none.
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS, max_msg_size=LARGEST_MESSAGE_BYTES, compress=False)
        if not socket.can_prepare(request):
            return web.Response(status=400, text="Connection ID required")
        if connection_id is not None:
            self._negotiated.pop(connection_id)
        await socket.prepare(request)
        connection = HubConnection(self._place, socket, request.transport, self._board, self._clock, self._invoke)
        self.connections.append(connection)
        watch = asyncio.create_task(self._end_with(connection, token_of(request))) if self._ends_with_token else None
        try:
            await connection.run()
        except ClientConnectionResetError:
            pass  # Clients may go at any time.
        finally:
            if watch is not None:
                watch.cancel()
            self.connections.remove(connection)
            connection.ended.set()
        return socket

    async def _end_with(self, connection: HubConnection, token: str | None) -> None:
        """Close a socket once its token has ended."""
        while self._authorised(token):
            await self._clock.sleep(_TOKEN_LOOK_SECONDS)
        self.outlived += 1
        connection.end(error=CLOSED_WITH_ERROR)

    # ---- methods -------------------------------------------------------------------------------------

    def _invoke(self, connection: HubConnection, called: Invocation) -> str | None:
        """Carry out a method of the hub; the error of its completion, None when it succeeded."""
        verb = next((verb for verb in (_ON, _OFF) if called.target.startswith(verb)), "")
        feed = _FEEDS[self._place].get(called.target.removeprefix(verb))
        if feed is None or not verb:
            return f"Unknown hub method '{called.target}'"
        target, kind = feed
        if not _fits(called.arguments, kind):
            return f"Failed to invoke '{called.target}' due to an error on the server."
        subscription: Subscription = (target, str(called.arguments[0]) if kind is not None else "")
        if verb == _OFF:
            connection.subscriptions.discard(subscription)
        else:
            connection.subscriptions.add(subscription)
            self._subscribed(*subscription)
        return None


def _fits(arguments: Sequence[Any], kind: type | None) -> bool:
    """Whether the arguments bind to the method's parameters: none, or one of the exact type (API.md 4.2)."""
    return not arguments if kind is None else len(arguments) == 1 and type(arguments[0]) is kind


def token_of(request: web.Request) -> str | None:
    """The token of a request: in the query, as hubs want it, or as bearer."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return request.query.get("access_token") or (token.strip() if scheme.lower() == "bearer" else None)


def unauthorised() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
