"""Plots that no drawn plan reaches: each a small day in virtual time, with the whole live engine in it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.scenario import AccountPlan, Action, PricePath, Scenario
from riskcore.core.events import LockRequested
from riskcore.core.quantities import MINUTE_NS
from riskcore.settings.config import read_settings
from tests.simulation.plan import FIRST_ACCOUNT, PROFILE, Death, Plan, draw
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

OLD_ACCOUNT = FIRST_ACCOUNT + 1
START = draw(1).start
MNQ = PricePath("MNQ", "21000", noise_ticks=0)
MES = PricePath("MES", "6000", ((20, "6000"), (21, "5900")), noise_ticks=0)


def play(
    rules: str,
    *actions: Action,
    accounts: tuple[AccountPlan, ...] = (AccountPlan(),),
    prices: tuple[PricePath, ...] = (MNQ,),
    happen: Callable[[World], None] = lambda world: None,
    seconds: float = 40,
    **troubles: Any,
) -> World:
    """A day of so many seconds; `happen` may set timers on the world's loop."""
    scenario = Scenario("plot", "", "", prices, accounts, actions, seconds=seconds)
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
    assert ready == [f"{{'accounts': {names}, 'enforces': True, 'rules': 1, 'unseeded': []}}" for names in (both, one)]
    assert not [line for line in world.lines if "[2] POST" in line and f"{OLD_ACCOUNT}}}" in line]


def test_a_look_that_a_flatten_waits_for_is_not_held_back_by_a_429() -> None:
    """Cancels go out on an account that was seen in full, and polling is all that sees it while the hub is lost."""
    faults = (
        (1.5, Fault("http_429", "rest", only="/api/Contract/searchById", times=1, retry_after_seconds=300)),
        (15.0, Fault("refused", "user", lasts_seconds=40)),
    )
    lock = (20.0, LockRequested(FIRST_ACCOUNT, START + 60 * MINUTE_NS, "enough"))
    entry = Action(2, "limit", ticks=100)
    world = play("[rules.max_contracts]", entry, seconds=40, faults=faults, words=(lock,))
    cancelled = [float(line.split()[0]) for line in world.lines if "POST /api/Order/cancel" in line]
    assert [at for at in cancelled if at < 30]
    assert not any(order.working for order in world.broker.orders)


def test_a_contract_whose_quotes_freeze_beside_others_is_marked_by_bars() -> None:
    """The hub lives and quotes another contract, so nothing but the mark itself tells (RULES.md 1.5)."""

    def freeze(world: World) -> None:
        said = world.broker.messages

        def without_mes(now: int) -> list[Any]:
            return [one for one in said(now) if world.loop.time() < 10 or ".MES." not in str(one[3]["arguments"][0])]

        world.broker.messages = without_mes

    opening = [Action(2, "market", root=root) for root in ("MNQ", "MES")]
    world = play("[rules.daily_unrealized_loss]", *opening, prices=(MNQ, MES), happen=freeze)
    closed = [float(line.split()[0]) for line in world.lines if "POST /api/Position/closeContract" in line]
    assert [at for at in closed if 20 < at < 35]
    assert [line for line in world.lines if "retrieveBars" in line and ".MES." in line]
    assert not [line for line in world.lines if "retrieveBars" in line and ".MNQ." in line]


@pytest.mark.parametrize("rules", ["[rules.max_contracts]", "[rules.auth_loss_guard]"])
@pytest.mark.parametrize("interval", [0, 30, 300])
def test_rights_are_asked_for_as_often_as_rule_010_wants(rules: str, interval: int) -> None:
    """Beside the regular look each minute (RULES.md RULE-010, verify_interval_seconds)."""
    wanted = rules.endswith("guard]")
    world = play(f"{rules}\nverify_interval_seconds = {interval}" if wanted else rules, seconds=95)
    asked = [line for line in world.lines if "POST /api/Account/search" in line]
    # Once to log in, once at the first connection, then at intervals.
    assert len(asked) - 2 == (3 if wanted and interval == 30 else 1)
