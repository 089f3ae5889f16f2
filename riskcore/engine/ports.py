"""What the engine needs of the outside: a clock, hubs that tell, a gateway that carries out, someone to tell.

Real ones are in `adapters`; tests bring a clock that is moved by hand and a broker in memory. The engine decides
with none of them: everything they say becomes a fact first (DESIGN.md "The line between pure and impure").
"""

from asyncio import Timeout
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from riskcore.core.events import Event, RequestAccepted, RequestRefused, RequestUnresolved
from riskcore.core.quotes import Quotes
from riskcore.core.state import Book, Request
from riskcore.schema.rows import Row

Line = dict[str, Any]
Texts = Callable[[], Sequence[bytes]]


class Clock(Protocol):
    """The only source of time. A test may run it fifty times as fast, or stop it."""

    def now(self) -> int:
        """Nanoseconds UTC, never decreasing, whatever the system's clock does."""

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds of this clock pass."""

    def timeout(self, seconds: float) -> Timeout:
        """`async with clock.timeout(3):` raises TimeoutError after three seconds of this clock."""


class Sink(Protocol):
    """Where everything goes that the broker says, in order of receipt.

    A line is a line of a wire recording without its `at` (INTERFACE.md 4), decoded by adapters.topstepx.fields. `text`
    is the same as it came, an object in one line of JSON without secrets; empty when it is not to be kept.
    """

    def line(self, line: Line, text: bytes = b"") -> None:
        """A user-hub event, a REST exchange or a change of a connection; never waits behind market data.

        A REST exchange may carry `asked_at` (RFC 3339): when the request left. What was pushed since is newer.
        """

    def market(self, line: Line, text: bytes = b"") -> None:
        """A market-hub event that is no plain quote."""

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        """Plain quotes, stamped when they were received; `texts` gives those of all of them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt. `reason` is a sentence a trader understands.

    accepted: the broker said yes (the effect is shown by its events only). refused: it proved that it did nothing.
    unresolved: unknown; a snapshot decides.
    """

    kind: Literal["accepted", "refused", "unresolved"]
    reason: str = ""
    order_id: int | None = None

    def fact(self, account: int, request: str) -> RequestAccepted | RequestRefused | RequestUnresolved:
        """The outcome of a request of this id, for the journal."""
        if self.kind == "accepted":
            return RequestAccepted(account, request, self.order_id)
        kind = RequestRefused if self.kind == "refused" else RequestUnresolved
        return kind(account, request, self.reason)


class Gateway(Protocol):
    """Calls to the broker. Each hands the exchange to the sink as a line before it returns; none but `open` raises."""

    async def open(self, sink: Sink) -> None:
        """Log in and list the accounts. Raises LoginRefused, BrokerUnreachable."""

    def carry_out(self, account: int, request: Request) -> Coroutine[Any, Any, Outcome]:
        """One attempt of a planned request of any kind but `takeSnapshot`.

        It may be sent before what is returned is awaited, which has to happen in any case.
        """

    async def snapshot(self, account: int, since: int, urgent: bool = False) -> bool:
        """Account, positions, working orders (suspended ones too) and fills since `since`; whether all of it came.

        An urgent one decides about enforcement and is never held back by quota or breaker.
        """

    async def describe(self, contract: str) -> None:
        """The contract's own record."""

    async def refresh_mark(self, contract: str) -> None:
        """The last seconds of a contract as one-second bars, while its quotes are stale."""

    async def close(self) -> None:
        """Log out and let all connections go."""


class Feed(Protocol):
    """Both hubs, supervised for ever: every loss is followed by another attempt."""

    async def run(self, sink: Sink) -> None:
        """Connect, subscribe and hand on until cancelled. Says connected, stale and lost as connection lines."""

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        """What to be subscribed to from now on, also after every reconnect."""

    def reconnect(self, reason: str) -> None:
        """Open both hubs anew, although they may look well. Each is lost as of then, behind what still waits of it."""


class Announcer(Protocol):
    """Tells a person, by a path that does not need the journal."""

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """What has just been stored, facts and derived events, and the book behind it."""

    def say(self, kind: str, /, **figures: Any) -> None:
        """One happening of the engine itself: ready, halt, connection (INTERFACE.md 7)."""


@runtime_checkable
class HasChannels(Protocol):
    """An announcer that tells by channels which may fail."""

    def channels(self) -> list[Row]:
        """How each is doing: `channel`, whether it is `dead`, alerts `waiting`, and how many were `sent` or `lost`."""
