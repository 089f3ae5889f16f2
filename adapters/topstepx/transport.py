"""What the adapter needs of a network: one HTTP call, one WebSocket. Everything above it runs without sockets.

The real ones are http.py (httpx) and signalr/socket.py (websockets); the deterministic simulation has its own.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from riskcore.errors import GatewayError

LARGEST_ANSWER_BYTES = 64 * 1024 * 1024  # Of one HTTP call.


class NotSent(GatewayError):
    """The call never left: no connection. The broker did nothing."""


class Unanswered(GatewayError):
    """The call may have reached the broker, and no answer came: what it did is unknown."""


class SocketClosed(GatewayError):
    """The WebSocket is gone, whoever ended it."""


class TokenRefused(SocketClosed):
    """The server did not take the token (HTTP 401 or 403): another one is needed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the body as it is."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """HTTP to one base URL. Time limits are the caller's (Clock.timeout); a cancelled call drops its connection."""

    def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Coroutine[Any, Any, Answer]:
        """One request, which may leave before its answer is awaited. Raises NotSent, Unanswered, when it is."""

    async def close(self) -> None: ...


class Socket(Protocol):
    """One WebSocket connection of text."""

    async def receive(self) -> bytes:
        """The next frame's content, in UTF-8. Raises SocketClosed."""

    async def follow(self, take: Callable[[bytes], None]) -> NoReturn:
        """Give whole frames to `take` as they come, several joined when they come together.

        Always raises: SocketClosed, or what `take` raised.
        """

    async def send(self, text: str) -> None:
        """Raises SocketClosed."""

    async def close(self) -> None:
        """Never raises."""


class Connect(Protocol):
    """Opens sockets. The URL holds the token: it must not appear in an error, a log or a recording."""

    async def __call__(self, url: str) -> Socket:
        """Raises SocketClosed with a reason that a person understands."""
