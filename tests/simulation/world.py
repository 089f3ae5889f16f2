"""One seed run to its end: real engine, gateway, feed and journal between a simulated broker, network, disk and clock.

outcome = run_seed(17)
assert not outcome.violations, outcome.violations
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from adapters.simulator.broker import Broker
from adapters.simulator.execution import AS_CAPTURED
from adapters.simulator.scenario import API_KEY, USER_NAME
from adapters.topstepx.credentials import Credentials
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options
from riskcore.engine.resume import resume
from riskcore.errors import GatewayError, OutOfSequence, StoreError
from riskcore.schema.chain import Link
from riskcore.schema.codec import state_bytes
from riskcore.schema.instants import instant_text
from riskcore.schema.payloads import Message
from riskcore.store.journal import Journal
from tests.live_stack import Access, Watched, build
from tests.simulation.disk import Disk, Killed
from tests.simulation.invariants import Judge
from tests.simulation.network import Network, Process
from tests.simulation.peace import judge_end, judge_peace
from tests.simulation.plan import PROFILE, Death, DiskFault, Plan, draw
from tests.simulation.rest_link import RestLink
from tests.simulation.virtual_time import SimulatedClock, VirtualTimeLoop, Wall
from tests.simulation.witness import Witness

# Commits that the reserve of a full disk has room for: none, so that it is felt at once, some, or enough.
RESERVES = (0, 5, 1000)
START_AGAIN_SECONDS = 1.0  # After the program has given up by itself; a service manager does that.


@dataclass(slots=True)
class Outcome:
    """What became of one seed. `digest` covers everything that was stored, sent and received."""

    plan: Plan
    violations: list[str]
    digest: str
    callbacks: int
    events: int
    starts: int
    seconds: float
    log: list[str] = field(default_factory=list)
    disk: Disk = field(default_factory=Disk)


def run_seed(seed: int, *, log: bool = False) -> Outcome:
    """Draw the plan of a seed and run it."""
    return run_plan(draw(seed), log=log)


def run_plan(plan: Plan, *, log: bool = False) -> Outcome:
    """Run a plan to its end."""
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(loop, plan, log)
        runner.run(world.live())
        world.judge.violations += [f"loop: {failure}" for failure in loop.failures]
        return world.outcome()


class World:
    """Everything one seed needs. `live` is its whole life."""

    def __init__(self, loop: VirtualTimeLoop, plan: Plan, log: bool) -> None:
        self.loop = loop
        self.plan = plan
        self.wall = Wall(loop, plan.start)
        self.broker = Broker(plan.scenario, seed=plan.seed, at=plan.start)
        self.lines: list[str] = []
        self._logs = log
        self._digest = hashlib.sha256()
        self.network = Network(loop, self.wall, self.broker, Random(f"network {plan.seed}"), self.note)
        self.judge = Judge(self.broker)
        reserve = RESERVES[plan.seed % len(RESERVES)]
        self.disk = Disk(block=loop.block, committing=self._committing, committed=self._committed, reserve=reserve)
        self.process = Process(0, alive=False)
        self.engine: Engine | None = None
        self.witness = Witness(self.judge)
        self.starts = 0
        self.stopped = False  # In good order, at the very end.
        self._over: asyncio.Future[None] = loop.create_future()
        self._task: asyncio.Task[None] | None = None
        self._death: Death | None = None
        self._commits = self._calls = self._first_callback = 0
        self._last_belief: bytes | None = None

    # ---- log -------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A line of the log, which is also part of the digest."""
        line = f"{self.loop.time():10.4f} [{self.starts}] {text}"
        self._digest.update(line.encode())
        if self._logs:
            self.lines.append(line)

    def outcome(self) -> Outcome:
        for stream in sorted(self.disk.streams):
            self._digest.update(self.disk.streams[stream][-1][3])
        for call in self.broker.received:
            self._digest.update(repr(call).encode())
        return Outcome(
            self.plan,
            self.judge.violations,
            self._digest.hexdigest(),
            self.loop.callbacks,
            sum(map(len, self.disk.streams.values())),
            self.starts,
            self.loop.time(),
            self.lines,
            self.disk,
        )

    # ---- life ------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Trouble until healing, half a minute of peace, the end."""
        plan = self.plan
        for at, fault in plan.faults:
            self.loop.call_at(at, self.network.inject, fault)
        for disk_fault in plan.disk_faults:
            self.loop.call_at(disk_fault.at, self._disk_fault, disk_fault)
        for at, ahead_ns in plan.clock_jumps:
            self.loop.call_at(at, self._jump, ahead_ns)
        for at, word in plan.words:
            self.loop.call_at(at, self._say, word)
        self.loop.call_at(plan.heal_at, self._heal)
        self.loop.call_at(plan.end_at, self._end)
        deaths = list(plan.deaths)
        while self.loop.time() < plan.end_at:
            self._death = deaths.pop(0) if deaths and self.loop.time() < plan.heal_at else None
            down_seconds = await self._one_process()
            if self.loop.time() < plan.end_at:
                await asyncio.sleep(down_seconds)
        judge_end(self)

    def _heal(self) -> None:
        self.network.heal()
        self.broker.execute(AS_CAPTURED)
        self.disk.broken, self.disk.slow_seconds = None, 0.0
        self._death = None

    def _end(self) -> None:
        """The engine is stopped in good order, if there is one."""
        if self.engine is not None and self.process.alive:
            judge_peace(self)
            self.stopped = True
            self.engine.stop()

    async def _one_process(self) -> float:
        """From start to death, stop or giving up; how long until the next start."""
        self.starts += 1
        self.process = process = Process(self.starts, sending=self._sending, unauthorised=self.judge.unauthorised)
        self._commits = self._calls = 0
        self._first_callback = self.loop.callbacks
        self.loop.before_each = self._callback if self._death and self._death.where == "callback" else None
        self._over = self.loop.create_future()
        self.note("start")
        try:
            engine = self._build(process)
        except StoreError as error:
            self.note(f"no journal: {error}")
            process.alive = False
            return START_AGAIN_SECONDS
        self.engine = engine
        self._task = self.loop.create_task(engine.run())
        self._task.add_done_callback(self._ended)
        death = self._death
        await self._over
        if not process.alive:
            return death.down_seconds if death is not None else START_AGAIN_SECONDS
        self._looks_at_why_it_ended(self._task)
        self.network.die(process)
        process.alive = False
        return START_AGAIN_SECONDS

    def _build(self, process: Process) -> Engine:
        """As riskcore.live.run does it, over simulated ports. Raises StoreError."""
        if self.disk.broken is not None:
            raise StoreError(self.disk.broken)
        journal = self.disk.journal(PROFILE)
        clock = SimulatedClock(self.wall)
        resumed = resume(journal)
        clock.go_on_from(resumed.last_at)
        self.witness.resumed(resumed.book, self._last_belief)
        self._last_belief = None
        access = Access(
            RestLink(self.network, process),
            self.network.connector(process),
            "https://rtc.simulated",
            Credentials(USER_NAME, API_KEY),
            Random(f"process {self.plan.seed} {process.number}"),
        )
        announcer = _Announcer(self, process)
        watched = Watched(self.witness, process, announcer, _Journal(journal, self.witness), self.plan.seed)
        options = Options(self.plan.settings, "simulation", enforces=True)
        return build(options, access, clock, journal, resumed, watched)[0]

    def _looks_at_why_it_ended(self, task: asyncio.Task[None]) -> None:
        error = task.exception() if not task.cancelled() else None
        self.note(f"engine ended: {error!r}")
        allowed = isinstance(error, GatewayError | StoreError) and not isinstance(error, OutOfSequence)
        if error is not None and not allowed:
            self.judge.find("engine", f"ended with {error!r}")

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # Looked at, so that nobody calls it forgotten.
        if task is self._task and not self._over.done():
            self._over.set_result(None)

    # ---- death -----------------------------------------------------------------------------------------

    def kill(self) -> None:
        """kill -9: nothing leaves any more and nothing is stored any more; what was sent arrives."""
        if not self.process.alive:
            return
        self.note("killed")
        self.process.alive = False
        self.disk.fence += 1
        self.network.die(self.process)
        self.loop.before_each = None
        assert self._task is not None
        self._task.cancel()
        if not self._over.done():
            self._over.set_result(None)

    def _dies(self, where: str, n: int) -> bool:
        return self.process.alive and self._death is not None and (self._death.where, self._death.n) == (where, n)

    def _callback(self, callbacks: int) -> None:
        if self._dies("callback", callbacks - self._first_callback):
            self.kill()

    def _committing(self, rows: Sequence[Link]) -> None:
        if not self.process.alive:
            raise Killed
        self._commits += 1
        self.judge.disk_broken = self.disk.broken is not None
        if self._dies("commit", self._commits):
            self.kill()
            raise Killed

    def _committed(self, rows: Sequence[Link]) -> None:
        self.judge.committed(rows)
        if self._dies("committed", self._commits):
            if self.engine is not None:
                self._last_belief = state_bytes(self.engine.book)
            self.kill()
            raise Killed

    def _sending(self, path: str, body: bytes) -> None:
        self._calls += 1
        if self._dies("send", self._calls):
            self.kill()
            raise Killed
        self.judge.sending(path, body)
        if self._dies("sent", self._calls):
            self.loop.call_soon(self.kill)

    # ---- trouble ---------------------------------------------------------------------------------------

    def _disk_fault(self, fault: DiskFault) -> None:
        self.note(f"disk {fault}")
        self.disk.broken, self.disk.slow_seconds = fault.why, fault.slow_seconds
        self.loop.call_later(fault.seconds, self._disk_heals)

    def _disk_heals(self) -> None:
        self.note("disk healed")
        self.disk.broken, self.disk.slow_seconds = None, 0.0

    def _jump(self, ahead_ns: int) -> None:
        self.note(f"the system's clock is {ahead_ns / 1e9:g} s ahead")
        self.wall.ahead_ns = ahead_ns

    def _say(self, word: Any) -> None:
        if self.engine is not None and self.process.alive:
            self.note(f"operator: {word}")
            try:
                self.engine.submit(word)
            except StoreError as error:
                self.note(f"refused: {error}")


class _Journal:
    """The journal as the engine writes it, with a witness beside it."""

    def __init__(self, journal: Journal, witness: Witness) -> None:
        self._journal = journal
        self._witness = witness

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        self._journal.append(events, messages)
        self._witness.appended(events)

    def tidy(self) -> None:
        self._journal.tidy()

    def cache_state(self, book: Book) -> None:
        self._journal.cache_state(book)

    @property
    def pinched(self) -> str | None:
        return self._journal.pinched

    @property
    def holds_lease(self) -> bool:
        return self._journal.holds_lease

    def is_well(self) -> bool:
        return self._journal.is_well()


class _Announcer:
    """riskcore.engine.ports.Announcer: hands the book behind each commit to the judge."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def stored(self, events: Sequence[Event], book: Book) -> None:
        if self._process.alive:
            world = self._world
            if world._logs:
                for event in events:
                    world.note(f"  {instant_text(event.at)[11:23]} {event.body!r:.300}")
            world.judge.believes(book)
            world.witness.stored(events, book)

    def say(self, kind: str, /, **figures: Any) -> None:
        if self._process.alive:
            self._world.note(f"{kind} {figures}")
            if kind == "halt":
                self._world.witness.missed(figures.get("not_stored", 0))
