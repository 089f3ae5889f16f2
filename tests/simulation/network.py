"""The network between a simulated process and the simulated broker: one event loop, no sockets, every fault.

Bytes that have left arrive whatever becomes of the process that sent them; bytes for a dead process are lost. Faults
have the names of adapters.simulator.faults, whose board says which are in force.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qs, urlsplit

from adapters.simulator import hub_protocol
from adapters.simulator.broker import Broker
from adapters.simulator.faults import HANDSHAKE, ON_ATTEMPT, ON_CONNECTION, Fault, FaultBoard, ScriptFaults
from adapters.topstepx.transport import SocketClosed, TokenRefused
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from tests.simulation.hub_link import HubLink
from tests.simulation.virtual_time import VirtualTimeLoop, Wall

SHORTEST_LATENCY_SECONDS, LONGEST_LATENCY_SECONDS = 0.002, 0.06
_UNAUTHORISED = ("http_401", "http_403")


@dataclass(eq=False)
class Process:
    """One run of the program: what it sends leaves only while it lives."""

    number: int
    alive: bool = True
    # Called with path and body of every call, before it leaves; may raise Killed.
    sending: Callable[[str, bytes], None] = lambda path, body: None
    # Called with path and body of a call that the broker answers with 401.
    unauthorised: Callable[[str, bytes], None] = lambda path, body: None
    # Called when an answer has come and nobody has looked at it yet.
    answered: Callable[[], None] = lambda: None
    links: list[HubLink] = field(default_factory=list)
    attempts: dict[str, list[float]] = field(default_factory=lambda: {hub: [] for hub in HUBS})


class Network:
    """Lets the broker's time pass and carries what both sides say. `note` writes a line of the log."""

    def __init__(
        self, loop: VirtualTimeLoop, wall: Wall, broker: Broker, chance: Random, note: Callable[[str], None]
    ) -> None:
        self.loop = loop
        self.wall = wall
        self.broker = broker
        self.chance = chance
        self.note = note
        self.board = FaultBoard(wall.true_time)
        self.links: dict[str, list[HubLink]] = {hub: [] for hub in HUBS}
        self.script = ScriptFaults(broker.scenario.faults, self.inject)
        self.script.begin(wall.true_time())
        self._timer: asyncio.TimerHandle | None = None
        self.pump()

    def latency(self) -> float:
        return self.chance.uniform(SHORTEST_LATENCY_SECONDS, LONGEST_LATENCY_SECONDS)

    # ---- the broker's time -----------------------------------------------------------------------------

    def pump(self) -> None:
        """Bring the broker up to now, hand on what its hubs say, and come again when more is due."""
        now = self.wall.true_time()
        self.script.advance(now)
        self.broker.advance(now)
        for _, hub, audience, line in self.broker.messages(now):
            target = line["target"]
            wanted = (target, "" if target == "GatewayUserAccount" else audience)
            record = ""
            for link in self.links[hub]:
                if wanted in link.subscriptions:
                    record = record or hub_protocol.invocation(target, line["arguments"])
                    link.event(target, record)
        self._come_again()

    def _come_again(self) -> None:
        instants = [instant for instant in (self.broker.due(), self.script.due()) if instant is not None]
        if self._timer is not None:
            self._timer.cancel()
        if instants:
            wait = max(min(instants) - self.wall.true_time(), 1) / SECOND_NS
            self._timer = self.loop.call_at(self.loop.time() + wait, self.pump)

    # ---- faults ----------------------------------------------------------------------------------------

    def inject(self, fault: Fault) -> None:
        """A fault begins, and strikes the connections that are open."""
        self.note(f"fault {fault}")
        self.board.add(fault)
        if fault.place not in HUBS:
            return
        links = list(self.links[fault.place])
        if fault.name in ON_CONNECTION and links:
            struck = self.board.strike(fault.place, (fault.name,))
            for link in links:
                link.suffer(struck or fault)
        elif fault.name in ON_ATTEMPT or fault.name == HANDSHAKE:
            for link in links:
                link.drop("the connection was reset")

    def heal(self) -> None:
        """No fault any more."""
        self.note("healed")
        self.board.clear()
        for links in self.links.values():
            for link in list(links):
                link.heal()

    # ---- connections -----------------------------------------------------------------------------------

    def connector(self, process: Process) -> "Connector":
        return Connector(self, process)

    def die(self, process: Process) -> None:
        """The system closes the sockets of a dead process."""
        for links in self.links.values():
            for link in [one for one in links if one.process is process]:
                link.drop("the process is gone")


class Connector:
    """adapters.topstepx.transport.Connect for one process."""

    def __init__(self, network: Network, process: Process) -> None:
        self._network = network
        self._process = process

    async def __call__(self, url: str) -> HubLink:
        network, process = self._network, self._process
        parts = urlsplit(url)
        hub = parts.path.rpartition("/")[2]
        token = parse_qs(parts.query)["access_token"][0]
        process.attempts[hub].append(network.loop.time())
        await asyncio.sleep(network.latency())
        if not process.alive:
            raise SocketClosed("the process is gone")
        fault = network.board.strike(hub, ON_ATTEMPT)
        if fault is not None:
            network.note(f"{hub} hub meets {fault.name}")
            await self._meet(fault)
        if not network.broker.authorised(token, network.wall.true_time()):
            raise TokenRefused("the hub did not take the token (HTTP 401)")
        link = HubLink(network, process, hub)
        network.links[hub].append(link)
        process.links.append(link)
        return link

    async def _meet(self, fault: Fault) -> None:
        if fault.name in ("timeout_before", "half_open"):
            await asyncio.Event().wait()
        if fault.name in _UNAUTHORISED:
            raise TokenRefused(f"the hub did not take the token ({fault.name})")
        raise SocketClosed(f"no connection: {fault.name}")
