"""The live stack as riskcore.live.run puts it together, over a transport and sockets of the tests, with its witness."""

from dataclasses import dataclass
from random import Random

from adapters.topstepx.credentials import Credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.hub import accounts_named
from adapters.topstepx.normalise import normalise
from adapters.topstepx.transport import Connect, Transport
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options, Ports
from riskcore.engine.ports import Announcer, Clock
from riskcore.engine.resume import Resumed, resume
from riskcore.engine.writer import Appender
from riskcore.store.journal import Journal
from tests.simulation.network import Process
from tests.simulation.witness import Witness


@dataclass(frozen=True, slots=True)
class Access:
    """How the stack reaches the broker."""

    transport: Transport
    sockets: Connect
    hub_url: str
    credentials: Credentials
    chance: Random


@dataclass(frozen=True, slots=True)
class Watched:
    """Who looks on. The engine writes with `appender`, and the witness folds again in some seeds only (witness.py)."""

    witness: Witness
    process: Process
    announcer: Announcer
    appender: Appender
    seed: int


def build(
    options: Options, access: Access, clock: Clock, journal: Journal, resumed: Resumed, watched: Watched
) -> tuple[Engine, TopstepFeed]:
    """An engine that is ready to run, and its feed."""
    gateway = TopstepGateway(access.transport, access.credentials, clock, access.chance)
    engine: Engine
    feed = TopstepFeed(
        access.hub_url, access.sockets, gateway.session, clock, access.chance, lambda: engine.market_expected()
    )
    normalised = watched.witness.normalise(normalise, watched.process)
    ports = Ports(watched.appender, clock, gateway, feed, watched.announcer, normalised, accounts_named)
    engine = Engine(options, ports, resumed, lambda: resume(journal))
    watched.witness.watch(engine, watched.process, watched.seed)
    return engine, feed
