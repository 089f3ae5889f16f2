"""A copier that buys one contract each second into a lockout, and what riskcore makes of the broker's quota meanwhile.

python -m tests.simulation.copier [--count 200] [--slow SECONDS]   prints the figures of one run in virtual time.
"""

import argparse
import asyncio
from collections import Counter
from dataclasses import dataclass

from adapters.simulator.execution import Execution
from adapters.simulator.scenario import Action, Habit, PricePath, Scenario
from riskcore.settings.config import read_settings
from tests.simulation.plan import PROFILE, Plan, draw
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

FIRST_SECOND, QUIET_SECONDS = 15, 30
COUNT = 200
_POST = "POST /api/"
_PRICE = PricePath("MNQ", "21000", ((12, "21000"), (13, "20950")), noise_ticks=0, quotes_per_second=2)
_SETTINGS = f'[profile]\nname = "{PROFILE}"\n[rules.daily_realized_loss]\nloss_limit = "100"\nbasis = "combined"\n'


@dataclass(frozen=True, slots=True)
class Figures:
    """`closed`: how many of the copier's buys were flat again, and how long the slowest of them took."""

    bought: int
    closed: int
    slowest_seconds: float
    largest_open: int
    left_open: int
    refused_429: int
    calls: dict[str, int]
    busiest_minute: Counter[str]

    def lines(self) -> list[str]:
        return [
            f"closed {self.closed} of {self.bought}, the slowest after {self.slowest_seconds:.2f} s",
            f"largest open size {self.largest_open}, left open {self.left_open}, {self.refused_429} calls met 429",
            f"calls: {dict(sorted(self.calls.items()))}",
            f"busiest minute: {sum(self.busiest_minute.values())} {dict(sorted(self.busiest_minute.items()))}",
        ]


def run(count: int = COUNT, execution: Execution | None = None, *, log: bool = False) -> tuple[Figures, World]:
    """The copier's `count` buys, and a quiet while behind them; `log` keeps all that happened in World.lines."""
    seconds = FIRST_SECOND + count + QUIET_SECONDS
    scenario = Scenario(
        "copier",
        "",
        "",
        (_PRICE,),
        actions=(Action(1, "market", size=2),),
        habits=(Habit("copy", count, 1, FIRST_SECOND),),
        seconds=seconds,
        execution=execution or Execution(),
    )
    plan = Plan(0, draw(1).start, scenario, read_settings(_SETTINGS).plain, heal_at=seconds, end_at=seconds)
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(loop, plan, log)
        calls = _calls_of(world)
        runner.run(world.live())
    return _figures_of(world, calls), world


def _calls_of(world: World) -> list[tuple[float, str]]:
    """Second and path of every call, filled while the world lives."""
    calls: list[tuple[float, str]] = []

    def note(text: str) -> None:
        if text.startswith(_POST):
            calls.append((world.loop.time(), text.removeprefix(_POST).split()[0]))
        world.note(text)

    world.network.note = note
    return calls


def _figures_of(world: World, calls: list[tuple[float, str]]) -> Figures:
    """What the broker saw."""
    broker = world.broker
    began = world.plan.start + FIRST_SECOND * 10**9
    held = largest = 0
    waiting: list[int] = []  # When each contract that is open was bought.
    took: list[int] = []
    for fill in sorted(broker.fills, key=lambda one: one.at):
        held += fill.side * fill.size
        if fill.at < began:
            continue
        largest = max(largest, abs(held))
        if fill.side > 0:
            waiting += [fill.at] * fill.size
        else:
            took += [fill.at - at for at in waiting[: fill.size]]
            del waiting[: fill.size]
    minutes = [Counter(path for at, path in calls if start <= at < start + 60) for start, _ in calls]
    return Figures(
        bought=sum(fill.size for fill in broker.fills if fill.side > 0 and fill.at >= began),
        closed=len(took),
        slowest_seconds=max(took, default=0) / 1e9,
        largest_open=largest,
        left_open=held,
        refused_429=broker.limits.refused,
        calls=dict(Counter(path for _, path in calls)),
        busiest_minute=max(minutes, key=lambda one: sum(one.values())),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.copier", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--slow", type=float, default=0, help="seconds that every market order rests")
    parser.add_argument("--log", action="store_true", help="everything that happened, first")
    chosen = parser.parse_args()
    slow = Execution(pending_seconds=(chosen.slow, chosen.slow), every_market_order=True)
    figures, world = run(chosen.count, slow, log=chosen.log)
    if chosen.log:
        print("\n".join(world.lines))
    print("\n".join([*figures.lines(), *world.judge.violations]))


if __name__ == "__main__":
    main()
