"""Simulated live days with rules on, written down line by line as the engine took them.

The engine is the whole live one in virtual time (tests/simulation). Nothing goes wrong on these days but what the
trader does, so that a what-if may judge them from what was heard alone, without the journal.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.simulator import rows
from adapters.simulator.records import Fill
from adapters.topstepx.fields import Object
from replay.wire_writer import WireWriter
from riskcore.core.events import Event
from riskcore.core.quotes import Quotes
from riskcore.core.state import SELL
from riskcore.engine.engine import Engine
from tests.simulation.network import Process
from tests.simulation.plan import PROFILE, Plan, draw
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

Lines = list[tuple[int, Object]]
READY_SECONDS = 2.0
WAY_SECONDS = 0.02  # Every message takes so long, in either direction.


def peaceful(seed: int) -> Plan:
    """The day of a seed with its trader and its rules, but without faults, deaths and the operator's words.

    Orders fill whole, and the trader begins when the engine has seen the account: until then no rule is armed live.
    """
    plan = draw(seed)
    scenario = replace(
        plan.scenario,
        largest_fill=0,
        actions=tuple(replace(one, second=one.second + READY_SECONDS) for one in plan.scenario.actions),
        habits=tuple(replace(one, from_second=one.from_second + READY_SECONDS) for one in plan.scenario.habits),
    )
    return replace(plan, scenario=scenario, faults=(), disk_faults=(), deaths=(), clock_jumps=(), words=())


class RecordedWorld(World):
    """A world that keeps every line that its engine takes, with the time the engine stamped it with."""

    def __init__(self, loop: VirtualTimeLoop, plan: Plan) -> None:
        super().__init__(loop, plan, log=False)
        self.heard: Lines = []
        self.network.latency = lambda: WAY_SECONDS  # type: ignore[method-assign]

    def _build(self, process: Process) -> Engine:
        engine = super()._build(process)
        inbox = engine.inbox
        read, take = inbox._normalise, inbox.take

        def noted(line: Object, at: int) -> list[Event]:
            self.heard.append((at, line))
            return read(line, at)

        def taken() -> list[Event] | Quotes | None:
            item = take()
            if isinstance(item, Quotes):
                self.heard += [_quote(*item.row(index)) for index in range(len(item.ats))]
            return item

        inbox._normalise = noted
        inbox.take = taken  # type: ignore[method-assign]
        return engine


def _quote(at: int, contract: str, last: int | None, bid: int | None, ask: int | None) -> tuple[int, Object]:
    said = {"lastPrice": rows.price(last), "bestBid": rows.price(bid), "bestAsk": rows.price(ask)}
    row = {name: price for name, price in said.items() if price is not None}
    return at, {"hub": "market", "target": "GatewayQuote", "arguments": [contract, row]}


@dataclass(frozen=True, slots=True)
class LiveDay:
    """What was heard, what was decided, and what the engine's own orders came to."""

    plan: Plan
    lines: Lines
    events: list[Event]  # The journal.
    answered_at: int | None  # When the first call that changes anything reached the broker.
    closes: list[tuple[int, Fill]]  # When each close of the engine reached the broker, and what it executed.
    violations: list[str]

    def write(self, path: Path, *, with_prices: bool = False) -> Path:
        """The wire recording; `with_prices` says what the market was whenever the broker executed a close."""
        lines = sorted([*self.lines, *(self._prices() if with_prices else ())], key=lambda line: line[0])
        with WireWriter(path) as writer:
            for at, line in lines:
                writer.write(at, line)
        return path

    def _prices(self) -> Lines:
        return [
            _quote(
                at,
                fill.instrument.id,
                None,
                fill.price if fill.side == SELL else None,
                None if fill.side == SELL else fill.price,
            )
            for at, fill in self.closes
        ]


def live_day(plan: Plan) -> LiveDay:
    """Live through a plan."""
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = RecordedWorld(loop, plan)
        runner.run(world.live())
    calls = [call for call in world.broker.received if call.performed]
    sent_at: dict[Any, int] = {order: call.at for call in calls for order in call.order_ids if "lose" in call.path}
    closes = [(sent_at[fill.order.id], fill) for fill in world.broker.fills if fill.order.id in sent_at]
    journal = world.disk.journal(PROFILE)
    events = [event for date in journal.streams() for _, event, _ in journal.read(date)]
    answered_at = min((call.at for call in calls), default=None)
    return LiveDay(plan, world.heard, events, answered_at, closes, world.judge.violations + loop.failures)
