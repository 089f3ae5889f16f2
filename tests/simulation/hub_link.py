"""One connection to a simulated hub, both its ends: the client's Socket and the server behind it.

Faults strike an event in this order: lost, doubled, swapped, late; then its record may be slow, cut up or joined
with another in one frame. Source: topstepx/API.md 4.1 to 4.3; times are SignalR's defaults.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from adapters.simulator import hub_protocol
from adapters.simulator.faults import HANDSHAKE, ON_CONNECTION, Fault
from adapters.simulator.hub_protocol import PING, RECORD_SEPARATOR, Invocation, Records
from adapters.topstepx.transport import SocketClosed

if TYPE_CHECKING:
    from tests.simulation.network import Network, Process

PING_SECONDS, CLIENT_TIMEOUT_SECONDS, SWAP_SECONDS = 15.0, 30.0, 1.0
_LEAST_GAP_SECONDS = 1e-6  # Frames of one connection never overtake each other.
_OVERSIZE_BYTES = 1 << 16  # Larger than any record of the broker; more would only cost time.
_MARKET_EVENTS = ("GatewayQuote", "GatewayTrade", "GatewayDepth")
_FEEDS = {
    "Accounts": "GatewayUserAccount",
    "Orders": "GatewayUserOrder",
    "Positions": "GatewayUserPosition",
    "Trades": "GatewayUserTrade",
    "ContractQuotes": "GatewayQuote",
    "ContractTrades": "GatewayTrade",
}


class HubLink:
    """The client sees receive, follow, send and close (adapters.topstepx.transport.Socket)."""

    def __init__(self, network: "Network", process: "Process", place: str) -> None:
        self.process = process
        self.subscriptions: set[tuple[str, str]] = set()
        self.taken: list[bytes] = []  # What the client has taken out of its socket.
        self._network = network
        self._loop = network.loop
        self._place = place
        self._latency = network.latency()
        self._frames: deque[bytes] = deque()
        self._came: asyncio.Future[None] | None = None
        self._gone: str | None = None
        self._records = Records()
        self._greeted = False
        self._mute = False  # The server's words get lost.
        self._deaf = False  # The client's words get lost.
        self._closing = False  # The server has said that it closes: it says nothing more.
        self._heard_at = self._loop.time()
        self._sent_until = 0.0
        self._said_until = 0.0
        self._late_until = 0.0
        self._overtaken: tuple[str, str] | None = None
        self._late: deque[tuple[str, str]] = deque()
        self._on_the_way: deque[bytes] = deque()
        self._loop.call_later(PING_SECONDS, self._beat)

    # ---- the client's end ------------------------------------------------------------------------------

    async def receive(self) -> bytes:
        while not self._frames:
            if self._gone is not None:
                raise SocketClosed(self._gone)
            self._came = self._loop.create_future()
            await self._came
        self.taken.append(self._frames.popleft())
        return self.taken[-1]

    async def follow(self, take: Callable[[bytes], None]) -> NoReturn:
        while True:
            first = await self.receive()
            self.taken.append(b"".join(self._frames))
            self._frames.clear()
            take(first + self.taken[-1])
            await asyncio.sleep(0)

    async def send(self, text: str) -> None:
        if self._gone is not None:
            raise SocketClosed(self._gone)
        if self.process.alive:
            self._sent_until = max(self._sent_until + _LEAST_GAP_SECONDS, self._loop.time() + self._latency)
            self._loop.call_at(self._sent_until, self._hear, text)

    async def close(self) -> None:
        self.drop("closed")

    # ---- the end of a connection -----------------------------------------------------------------------

    def drop(self, why: str) -> None:
        """TCP ends: the client reads what has come already, then the end."""
        if self._gone is None:
            self._gone = why
            self._network.links[self._place].remove(self)
            self._wake()

    def _wake(self) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    # ---- the server's end ------------------------------------------------------------------------------

    def _hear(self, text: str) -> None:
        if self._gone is not None or self._deaf:
            return
        self._heard_at = self._loop.time()
        for record in self._records.feed(text):
            if self._greeted:
                self._obey(record)
            else:
                self._greet(record)

    def _greet(self, record: str) -> None:
        assert hub_protocol.handshake_error(record) is None, "our own client speaks the protocol"
        if self._strike(HANDSHAKE) is not None:
            self._say(hub_protocol.refuse_handshake("Handshake was canceled."))
            self._loop.call_later(self._latency * 2, self.drop, "the connection was closed")
            return
        self._greeted = True
        self._say(hub_protocol.HANDSHAKE_ACCEPTED)
        for name in ON_CONNECTION:
            fault = self._strike(name)
            if fault is not None:
                self.suffer(fault)

    def _obey(self, record: str) -> None:
        message = hub_protocol.read(record)
        if message == hub_protocol.CLOSE:
            self.drop("closed")
        if not isinstance(message, Invocation):
            return
        verb = "Unsubscribe" if message.target.startswith("Unsubscribe") else "Subscribe"
        target = _FEEDS[message.target.removeprefix(verb)]
        subscription = (target, str(message.arguments[0]) if message.arguments else "")
        (self.subscriptions.discard if verb == "Unsubscribe" else self.subscriptions.add)(subscription)
        if message.id is not None:
            self._say(hub_protocol.completion(message.id))

    def _beat(self) -> None:
        if self._gone is not None:
            return
        if self._loop.time() - self._heard_at > CLIENT_TIMEOUT_SECONDS and not self._deaf:
            self.drop("the server heard nothing")
            return
        if self._greeted:
            self._say(PING)
        self._loop.call_later(PING_SECONDS, self._beat)

    def suffer(self, fault: Fault) -> None:
        """A fault that strikes the connection as a whole."""
        if fault.name in ("half_open", "silent"):
            self._mute, self._deaf = True, fault.name == "half_open"
        elif fault.name in ("oversize_frame", "gateway_logout") and not self._greeted:
            return  # No server says a word before it has greeted.
        elif fault.name == "oversize_frame":
            self._say(hub_protocol.invocation("GatewayOversize", ["x" * min(fault.size_bytes, _OVERSIZE_BYTES)]))
        elif fault.name == "gateway_logout":
            self.subscriptions.clear()
            self._say(hub_protocol.invocation("GatewayLogout", []))
        elif fault.name in ("server_close", "server_close_final"):
            if self._greeted:
                self._say(hub_protocol.close("Closed.", allow_reconnect=fault.name == "server_close"))
                self._closing = True
            self._loop.call_at(self._said_until + _LEAST_GAP_SECONDS, self.drop, "the server closed the connection")
        else:
            self.drop("the connection was reset")

    def heal(self) -> None:
        """What was kept back comes now. A connection that has gone silent is reset by whatever comes back to life."""
        if self._mute:
            self.drop("the connection was reset")
            return
        self._let_overtaken_go()
        while self._late:
            self._write(*self._late.popleft())
        while self._on_the_way:
            self._arrive()
        self._said_until = self._loop.time()

    # ---- events ----------------------------------------------------------------------------------------

    def event(self, target: str, record: str) -> None:
        """An event this client has subscribed to, by way of the faults in force."""
        if target == "GatewayUserTrade" and self._strike("fills_missing", target):
            return
        if target in _MARKET_EVENTS and self._strike("market_frozen", target):
            return
        self._swap(target, record)
        if self._strike("duplicated", target):
            self._swap(target, record)

    def _strike(self, name: str, target: str | None = None) -> Fault | None:
        return self._network.board.strike(self._place, (name,), target)

    def _swap(self, target: str, record: str) -> None:
        if self._overtaken is not None:
            self._delay(target, record)
            self._let_overtaken_go()
        elif self._strike("reordered", target):
            self._overtaken = waiting = (target, record)
            self._loop.call_later(SWAP_SECONDS, lambda: self._overtaken is waiting and self._let_overtaken_go())
        else:
            self._delay(target, record)

    def _let_overtaken_go(self) -> None:
        if self._overtaken is not None:
            waiting, self._overtaken = self._overtaken, None
            self._delay(*waiting)

    def _delay(self, target: str, record: str) -> None:
        fault = self._strike("delayed", target)
        if fault is None and not self._late:
            self._write(target, record)
            return
        # One connection keeps its order: what is in time waits behind what is late.
        self._late_until = max(self._late_until, self._loop.time() + (fault.seconds if fault is not None else 0.0))
        self._late.append((target, record))
        self._loop.call_at(self._late_until, self._late_one_comes)

    def _late_one_comes(self) -> None:
        if self._late:
            self._write(*self._late.popleft())

    def _write(self, target: str, record: str) -> None:
        if self._strike("split", target):
            for character in record + RECORD_SEPARATOR:
                self._frame(character)
        elif self._strike("two_records_in_a_frame", target):
            self._frame(record + RECORD_SEPARATOR + PING + RECORD_SEPARATOR)
        else:
            slow = self._strike("slow", target)
            self._say(record, slow.seconds if slow is not None else 0.0)

    # ---- frames ----------------------------------------------------------------------------------------

    def _say(self, record: str, after_seconds: float = 0.0) -> None:
        self._frame(record + RECORD_SEPARATOR, after_seconds)

    def _frame(self, text: str, after_seconds: float = 0.0) -> None:
        if self._gone is not None or self._mute or self._closing:
            return
        now = self._loop.time()
        self._said_until = max(self._said_until + _LEAST_GAP_SECONDS + after_seconds, now + self._latency)
        self._on_the_way.append(text.encode())
        self._loop.call_at(self._said_until, self._arrive)

    def _arrive(self) -> None:
        """The next frame comes, unless it came earlier because a slow connection has healed."""
        if self._on_the_way and self._gone is None and not self._mute:
            self._frames.append(self._on_the_way.popleft())
            self._wake()
