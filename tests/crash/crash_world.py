"""The simulated world with one process that dies at a boundary counted from the beginning, and its successor.

What is dropped with the process: everything in memory and every commit that did not come to its end. What goes on: the
broker, and the calls that have left.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from riskcore.core.events import Event, Fact, OrderDeclined
from riskcore.core.state import Book
from riskcore.engine.engine import Engine
from tests.crash.script import SETTLE_SECONDS, Script, settings_of
from tests.simulation.disk import Killed
from tests.simulation.network import Process
from tests.simulation.peace import judge_end
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

ANSWER_SECONDS = 20
ASKS_EVERY_SECONDS, LOOKS_AGAIN_SECONDS = 0.1, 2.0


class Boundary(NamedTuple):
    """A point at which the process may die. Two with the same `left` leave the same world behind: no time has passed
    between them, nothing was stored and nothing has left.
    """

    name: str
    left: tuple[float, int, int]


class CrashWorld(World):
    """`reached` names the boundaries in their order; at number `crash_at` (from 1) the process dies."""

    def __init__(self, loop: VirtualTimeLoop, script: Script, crash_at: int | None, log: bool = False) -> None:
        super().__init__(loop, script.plan(), log)
        self.script = script
        self.crash_at = crash_at
        self.crashed = False
        self.reached: list[Boundary] = []
        self._stored = self._sent = 0
        self.told: set[str] = set()  # Natural keys of what a person or a command was told.
        self.disk.caching, self.disk.cached = self._caching, self._cached
        self._ending: asyncio.TimerHandle | None = None

    # ---- life ------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """The script, in peace to its end; and as often as the process dies or stops it is started again."""
        self._operator = self.loop.create_task(self._operate())
        for at, rules in self.script.edits:
            self.loop.call_at(at, self._edit, settings_of(rules))
        for at in self.script.stops:
            self.loop.call_at(at, self._stop)
        self._ending = self.loop.call_at(self.plan.end_at, self._end)
        while not self.stopped:
            down_seconds = await self._one_process()
            if not self.stopped:
                await asyncio.sleep(down_seconds)
        judge_end(self)

    def _edit(self, settings: Mapping[str, Any]) -> None:
        self.note("settings are edited")
        self.plan = replace(self.plan, settings=dict(settings))
        if self.engine is not None and self.process.alive:
            self.engine.change_settings(settings)

    def _end(self) -> None:
        """Not before the operator has had his say."""
        if self._operator.done():
            super()._end()
        else:
            self._ending = self.loop.call_later(SETTLE_SECONDS, self._end)

    def _stop(self) -> None:
        if self.engine is not None and self.process.alive:
            self.note("stop")
            self.engine.stop()

    def _build(self, process: Process) -> Engine:
        process.answered = self._answered
        engine = super()._build(process)
        engine.announcer = Listener(self, engine.announcer, process)
        return engine

    # ---- the operator ----------------------------------------------------------------------------------

    async def _operate(self) -> None:
        """Say one word after the other, each until there is an answer to it or it is seen to be done."""
        for word in self.script.words:
            await asyncio.sleep(max(word.at - self.loop.time(), 0))
            while not await self._answered_to(word.fact):
                await asyncio.sleep(LOOKS_AGAIN_SECONDS)
                if word.done(self):
                    break

    async def _answered_to(self, fact: Fact) -> bool:
        """Whether an answer to it came before the process died."""
        engine, process = self.engine, self.process
        if engine is None or not process.alive or not engine.ready:
            return False
        contract = getattr(fact, "contract", None)
        if contract is not None and contract not in engine.book.contracts:
            engine.follow(contract)
            return False
        self.note(f"operator: {fact}")
        answer = self.loop.create_task(engine.settled(engine.submit(fact), ANSWER_SECONDS))
        while process.alive and not answer.done():
            await asyncio.sleep(ASKS_EVERY_SECONDS)
        if not process.alive:
            answer.cancel()
            return False
        told = answer.result()
        self.told.update(event.key for event in told)
        # Behind a death it may be declined because of what the dead process sent, or did not send after all.
        return not (self.crashed and any(isinstance(event.body, OrderDeclined) for event in told))

    # ---- boundaries ------------------------------------------------------------------------------------

    def _boundary(self, name: str) -> bool:
        """Whether the process dies here."""
        if self.crashed or not self.process.alive:
            return False
        winds_up = "wind-up: " if self.engine is not None and self.engine._stopping.is_set() else ""
        self._stored += name in ("committed", "cached")
        self._sent += name == "sent"
        self.reached.append(Boundary(f"{winds_up}{name}", (self.loop.time(), self._stored, self._sent)))
        self.crashed = len(self.reached) == self.crash_at
        return self.crashed

    def _dies(self, where: str, n: int) -> bool:
        """The world asks at commits and calls: before and after each."""
        return self._boundary(where)

    def _answered(self) -> None:
        if self._boundary("answered"):
            self.kill()

    def _caching(self) -> None:
        if not self.process.alive:
            raise Killed
        self._may_die("cache")

    def _cached(self) -> None:
        self._may_die("cached")

    def _may_die(self, name: str) -> None:
        if self._boundary(name):
            self.kill()
            raise Killed

    def kill(self) -> None:
        """The process is gone; its successor gets the same time in peace."""
        super().kill()
        self.stopped = False
        assert self._ending is not None, "the world lives"
        self._ending.cancel()
        end_at = max(self.plan.end_at, self.loop.time() + SETTLE_SECONDS)
        self._ending = self.loop.call_at(end_at, self._end)


class Listener:
    """An announcer that remembers what it was told to tell: it must be stored (acknowledged ⊆ stored)."""

    def __init__(self, world: CrashWorld, announcer: Any, process: Process) -> None:
        self._world = world
        self._announcer = announcer
        self._process = process

    def stored(self, events: Sequence[Event], book: Book) -> None:
        if self._process.alive:
            self._world.told.update(event.key for event in events)
        self._announcer.stored(events, book)

    def say(self, kind: str, /, **figures: Any) -> None:
        self._announcer.say(kind, **figures)
