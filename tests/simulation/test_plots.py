"""Plots that no drawn plan reaches: each a small day in virtual time, with the whole live engine in it."""

import asyncio
from collections.abc import Callable
from typing import Any

from adapters.simulator.scenario import AccountPlan, Action, PricePath, Scenario
from riskcore.config import read_settings
from tests.simulation.plan import FIRST_ACCOUNT, PROFILE, Death, Plan, draw
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

OLD_ACCOUNT = FIRST_ACCOUNT + 1
START = draw(1).start
MNQ = PricePath("MNQ", "21000", noise_ticks=0)


def play(
    rules: str,
    *actions: Action,
    accounts: tuple[AccountPlan, ...] = (AccountPlan(),),
    happen: Callable[[World], None] = lambda world: None,
    seconds: float = 40,
    **troubles: Any,
) -> World:
    """A day of so many seconds; `happen` may set timers on the world's loop."""
    scenario = Scenario("plot", "", "", (MNQ,), accounts, actions, seconds=seconds)
    settings = read_settings(f'[profile]\nname = "{PROFILE}"\n{rules}').plain
    plan = Plan(0, START, scenario, settings, heal_at=seconds, end_at=seconds, **troubles)
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(loop, plan, True)
        happen(world)
        runner.run(world.live())
    return world


def test_an_account_of_yesterday_that_the_broker_has_no_more_keeps_nobody_waiting() -> None:
    """Combines are failed and replaced: the journal knows accounts that no answer will ever come about again."""

    def forget(world: World) -> None:
        world.loop.call_at(9, world.broker._venue.accounts.pop, OLD_ACCOUNT)

    accounts = (AccountPlan(), AccountPlan(OLD_ACCOUNT, "50KTC-V2-OLD"))
    death = Death("commit", 30, down_seconds=3)
    world = play("[rules.max_contracts]", Action(2, "market"), accounts=accounts, happen=forget, deaths=(death,))
    ready = [line.partition("ready ")[2] for line in world.lines if "] ready " in line]
    both, one = [FIRST_ACCOUNT, OLD_ACCOUNT], [FIRST_ACCOUNT]
    assert ready == [f"{{'accounts': {names}, 'enforces': True}}" for names in (both, one)]
    assert not [line for line in world.lines if "[2] POST" in line and f"{OLD_ACCOUNT}}}" in line]
