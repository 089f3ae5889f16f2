"""One hub, connected again and again for ever. Source: topstepx/API.md 4.4, DESIGN.md "Connection and truth".

What it says of the connection: `connected` once every subscription has been confirmed, `lost` once a loss however
many attempts follow it, `stale` when nothing comes although the connection stands, `connected` again when it talks.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Literal, NoReturn, Protocol
from urllib.parse import quote

from adapters.topstepx.signalr.codec import Codec, Message, Recogniser
from adapters.topstepx.signalr.connection import STALE_AFTER_SECONDS, Call, HubConnection, HubLost
from adapters.topstepx.transport import Connect, Socket, TokenRefused
from riskcore.core.kinds import ConnectionState, Hub
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.back_off import BackOff
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError

State = Literal["connecting", "handshaking", "subscribing", "connected", "stale", "waiting", "closed"]

TOKEN_LIMIT_SECONDS = 60  # A token may need a log-in, whose own time limits are shorter.
CONNECT_LIMIT_SECONDS = 10
# Between attempts: never less than a second, even when the server accepts and closes at once. With the spread and a
# last attempt that hangs, the hub is back within half a minute after the network is.
BACK_OFF = BackOff(SECOND_NS, 10 * SECOND_NS)
SETTLED_AFTER_SECONDS = 10  # A connection that has lived so long was a good one: waits start over.
# Quotes are missing while they should come: the feed freezes while "connected" (API.md 4.4).
MARKET_STALE_AFTER_SECONDS = 15
MARKET_REBUILD_AFTER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class HubHealth:
    """How a hub is doing. `since`: of the state. `reason`: of the last loss or failed attempt, empty for none."""

    hub: Hub
    state: State
    since: int
    attempts: int
    reconnects: int
    reason: str


class Tokens(Protocol):
    """Where tokens come from; both raise GatewayError (adapters.topstepx.session)."""

    async def token(self) -> str:
        """One that is good for a while."""

    async def replaced(self, rejected: str, enforcement: bool) -> str:
        """Another one, because the server did not take `rejected`."""

    def superseded(self, text: str, busy: bool) -> bool:
        """Whether a socket opened with this token is to be opened anew, with another one, before the token ends."""


class Supervisor:
    """Keeps one hub connected and subscribed to what is wanted. `run` ends by cancellation only."""

    def __init__(
        self,
        hub: Hub,
        url: str,
        connect: Connect,
        tokens: Tokens,
        clock: Clock,
        chance: Random,
        *,
        hear: Callable[[Message, int], None],
        announce: Callable[[ConnectionState], None],
        plain: Recogniser | None = None,
        data_expected: Callable[[], bool] = lambda: False,
        each_by_itself: bool = False,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`each_by_itself`: what the server will not subscribe us to leaves the other subscriptions as they are.

        `busy`: a gap would be most unwelcome now, so that a socket is opened anew for its token only if it must.
        """
        self._hub, self._url, self._connect, self._tokens = hub, url, connect, tokens
        self._clock, self._chance = clock, chance
        self._hear, self._announce, self._plain, self._data_expected = hear, announce, plain, data_expected
        self._each_by_itself, self._busy = each_by_itself, busy
        self._wanted: tuple[Call, ...] = ()
        self._changed = asyncio.Event()
        self._connection: HubConnection | None = None
        self._announced: ConnectionState | None = None
        self._state: State = "closed"
        self._since = clock.now()
        self._attempts = self._connections = self._failures = 0
        self._reason = ""
        self._rejected: str | None = None  # A token the server did not take.
        self._token = ""  # What the present socket was opened with.
        self._renews = False  # Whether we have ended the connection for a fresh token.
        self._dry_seconds = 0  # Without data that is expected.

    # ---- from outside ----------------------------------------------------------------------------------

    def health(self) -> HubHealth:
        return HubHealth(
            self._hub,
            self._state,
            self._since,
            self._attempts,
            max(0, self._connections - 1),
            self._reason,
        )

    def follow(self, calls: Sequence[Call]) -> None:
        """The subscriptions wanted from now on, in order, on this connection and on every later one."""
        if tuple(calls) != self._wanted:
            self._wanted = tuple(calls)
            self._changed.set()

    def data_came(self) -> None:
        """What `data_expected` waits for is here."""
        self._dry_seconds = 0

    def logged_out(self) -> None:
        """The gateway has ended the session, and has said so itself."""
        self._announced = "lost"
        self._end("the gateway logged us out (GatewayLogout)")

    def reopen(self, reason: str) -> None:
        """End the connection, however well it looks, and open another one.

        Its loss is said at once, behind whatever of it still waits to be handled, such as that it has just connected.
        """
        if self._announced is not None:
            self._say("lost")
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.end(reason)

    async def run(self) -> None:
        """Connect, subscribe, listen, and again after every loss."""
        try:
            while True:
                lived_ns, welcome = await self._attempt()
                settled = welcome and lived_ns >= SETTLED_AFTER_SECONDS * SECOND_NS
                self._failures = 0 if settled else self._failures + 1
                renews, self._renews = self._renews, False
                if renews and settled:
                    continue
                self._enter("waiting")
                await self._clock.sleep(BACK_OFF.spread_ns(self._failures, self._chance) / SECOND_NS)
        finally:
            self._enter("closed")

    # ---- one attempt -----------------------------------------------------------------------------------

    async def _attempt(self) -> tuple[int, bool]:
        """One connection to its end: how many nanoseconds it lived, and whether the server would have us back."""
        self._attempts += 1
        token = ""
        opened_at = None
        welcome = True
        try:
            self._enter("connecting")
            async with self._clock.timeout(TOKEN_LIMIT_SECONDS):
                token = await self._fresh_token()
            async with self._clock.timeout(CONNECT_LIMIT_SECONDS):
                socket = await self._connect(f"{self._url}?access_token={quote(token, safe='')}")
            opened_at, self._token = self._clock.now(), token
            await self._live(socket)
        except TimeoutError:
            reason = (
                f"no connection for {CONNECT_LIMIT_SECONDS} s" if token else f"no token for {TOKEN_LIMIT_SECONDS} s"
            )
        except TokenRefused as error:
            reason, self._rejected = str(error), token
        except HubLost as error:
            reason, welcome = str(error), error.welcome
        except GatewayError as error:
            reason = str(error)
        except Exception as error:  # Whatever it is, the next attempt may succeed; its text may hold the URL.
            reason = f"unexpected {type(error).__name__}"
        self._reason = reason.replace(token, "(token)") if token else reason
        self._say("lost")
        return (0 if opened_at is None else self._clock.now() - opened_at), welcome

    async def _fresh_token(self) -> str:
        rejected, self._rejected = self._rejected, None
        return await (self._tokens.token() if rejected is None else self._tokens.replaced(rejected, False))

    async def _live(self, socket: Socket) -> NoReturn:
        """A connection from its handshake to its end. Always raises."""
        connection = HubConnection(socket, Codec(self._plain), self._clock, self)
        subscribing: asyncio.Task[None] | None = None
        try:
            self._enter("handshaking")
            await connection.handshake()
            self._connection = connection
            self._dry_seconds = 0
            self._enter("subscribing")
            subscribing = asyncio.create_task(self._keep_subscribed(connection))
            await connection.run()
        finally:
            self._connection = None
            if subscribing is not None:
                subscribing.cancel()
                await asyncio.gather(subscribing, return_exceptions=True)
            await connection.close()

    async def _keep_subscribed(self, connection: HubConnection) -> None:
        """Bring the subscriptions to what is wanted, now and whenever that changes."""
        subscribed: tuple[Call, ...] = ()
        try:
            while True:
                self._changed.clear()
                wanted = self._wanted
                new = [call for call in wanted if call not in subscribed]
                for reason in await connection.invoke(new, each_by_itself=self._each_by_itself):
                    self._reason = reason
                # What a subscription that cannot be ended still brings does no harm.
                with suppress(HubLost):
                    await connection.invoke([_ending(call) for call in subscribed if call not in wanted])
                subscribed = wanted
                if self._state == "subscribing":
                    self._connections += 1
                    self._enter("connected")
                    self._say("connected")
                await self._changed.wait()
        except HubLost as error:
            connection.end(str(error))

    # ---- what a connection says (Listener) -------------------------------------------------------------

    def hear(self, message: Message, at: int) -> None:
        self._hear(message, at)

    def heard(self, at: int) -> None:
        if self._state == "stale":
            self._judge(0)

    def beat(self, silent_seconds: int) -> None:
        self._dry_seconds = self._dry_seconds + 1 if self._data_expected() else 0
        if self._dry_seconds >= MARKET_REBUILD_AFTER_SECONDS and self._connection is not None:
            self._connection.end(f"no quote for {MARKET_REBUILD_AFTER_SECONDS} s while the market is open")
        elif self._connection is not None and self._tokens.superseded(self._token, self._busy()):
            self._renews = True
            self._connection.end("the login was renewed, so the hub is reopened with the fresh token")
        elif self._state in ("connected", "stale"):
            self._judge(silent_seconds)

    def _judge(self, silent_seconds: int) -> None:
        stale = silent_seconds >= STALE_AFTER_SECONDS or self._dry_seconds >= MARKET_STALE_AFTER_SECONDS
        found: Literal["connected", "stale"] = "stale" if stale else "connected"
        if found != self._state:
            self._enter(found)
            self._say(found)

    # ---- states ----------------------------------------------------------------------------------------

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = self._clock.now()

    def _say(self, state: ConnectionState) -> None:
        if state != self._announced:
            self._announced = state
            self._announce(state)


def _ending(call: Call) -> Call:
    target, arguments = call
    return f"Unsubscribe{target.removeprefix('Subscribe')}", arguments
