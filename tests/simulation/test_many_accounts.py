"""Several accounts in one engine: what goes wrong in one of them leaves the others as they are.

Each account buys two contracts where one is allowed, a tenth of a second after the one before, and must be flat.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.simulator.scenario import Action
from adapters.topstepx.fields import decode, encode
from riskcore.core import events as e
from riskcore.core import project
from riskcore.core.rulebook import Rulebook
from riskcore.engine.recovery import MOST_FAILURES
from riskcore.schema.chain import HASH_LENGTH
from riskcore.schema.codec import decode_event
from tests.crash.script import Script
from tests.crash.scripts import CALM
from tests.simulation.plan import FIRST_ACCOUNT
from tests.simulation.virtual_time import VirtualTimeLoop
from tests.simulation.world import World

BROKEN = FIRST_ACCOUNT + 2
LOOKS = 3  # Of one account at most: at the start and behind a flatten. Each new start would bring another.
ACCOUNTS = pytest.mark.parametrize("accounts", [4, pytest.param(20, marks=pytest.mark.nightly)])


def script(accounts: int) -> Script:
    return Script(
        "many accounts",
        '[rules.max_contracts]\nlimit = 1\naction = "close_all"\n',
        CALM,
        tuple(Action(8 + place / 10, "market", size=2, account=place) for place in range(accounts)),
        accounts=accounts,
        seconds=9 + accounts / 10,
    )


Sabotage = Callable[[World], None]


def play(accounts: int, sabotage: Sabotage) -> tuple[World, list[e.Event]]:
    """The script to its end; the world, and all that was stored."""
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(loop, script(accounts).plan(), False)
        sabotage(world)
        runner.run(world.live())
    return world, events_of(world)


def events_of(world: World) -> list[e.Event]:
    """All that was stored, in order."""
    rows = [row for stream in sorted(world.disk.streams) for row in world.disk.streams[stream]]
    return [decode_event(topic, state[HASH_LENGTH:])[1] for _, _, topic, state in rows]


def held_seconds(world: World, account: int) -> float:
    """How long an account held what it bought; it is flat in the end."""
    fills = sorted((fill for fill in world.broker.fills if fill.account.id == account), key=lambda fill: fill.at)
    assert sum(fill.side * fill.size for fill in fills) == 0, f"account {account} is not flat"
    return (fills[-1].at - fills[0].at) / 1e9


def of(events: list[e.Event], kind: type, account: int) -> list[Any]:
    return [event.body for event in events if isinstance(event.body, kind) and event.body.account == account]


def undisturbed(world: World) -> None:
    """Nothing goes wrong."""


def calls_meet_429(world: World) -> None:
    """The broker takes no close of this account, three times."""
    real, met = world.broker.rest, []

    def rest(path: str, asked: dict[str, Any], *more: Any) -> tuple[int, Any]:
        if path.endswith("Position/closeContract") and asked["accountId"] == BROKEN and len(met) < 3:
            met.append(path)
            return 429, None
        return real(path, asked, *more)

    world.broker.rest = rest  # type: ignore[method-assign,assignment]


def messages_are_garbled(world: World) -> None:
    """What the user hub says of this account makes no sense."""
    real = world.broker.messages

    def garbled(line: Any) -> Any:
        return decode(re.sub(r'"size":\s*[0-9]+', '"size":"many"', encode(line)).encode()).value

    def messages(until: int) -> list[Any]:
        return [
            (due, hub, audience, garbled(line) if hub == "user" and audience == str(BROKEN) else line)
            for due, hub, audience, line in real(until)
        ]

    world.broker.messages = messages  # type: ignore[method-assign]


def a_rule_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Rulebook.instances

    def broken(params: Any, view: Any) -> Any:
        raise ZeroDivisionError("made to break")

    def instances(self: Rulebook, account: Any) -> Any:
        found = real(self, account)
        if account.id != BROKEN:
            return found
        return tuple(replace(one, rule=replace(one.rule, evaluate=broken)) for one in found)

    monkeypatch.setattr(Rulebook, "instances", instances)


def the_core_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core fails on the first three fills and orders that it is told of this account."""
    failed: list[str] = []

    def failing(kind: type[e.TradeRecorded | e.OrderObserved]) -> None:
        real = project._HANDLERS[kind]

        def broken(book: Any, at: int, body: Any) -> Any:
            told = repr(body)  # The same once more, on a copy, is no further failure.
            if body.account == BROKEN and (told in failed or len(failed) < MOST_FAILURES):
                failed.append(told)
                raise AssertionError("made to break")
            return real(book, at, body)

        monkeypatch.setitem(project._HANDLERS, kind, broken)

    failing(e.TradeRecorded)
    failing(e.OrderObserved)


def check_the_others(world: World, events: list[e.Event], within_seconds: float) -> None:
    others = [plan.id for plan in world.plan.scenario.accounts if plan.id != BROKEN]
    assert len(others) >= 3
    for account in others:
        assert held_seconds(world, account) < within_seconds
        assert len(of(events, e.RuleBreached, account)) == 1
        assert of(events, e.RuleFaulted, account) == []
        assert "CloseAllPositions" in [body.command.kind for body in of(events, e.CommandIssued, account)]


@ACCOUNTS
@pytest.mark.parametrize("sabotage", [undisturbed, calls_meet_429, messages_are_garbled])
def test_what_the_broker_does_to_one_account_leaves_the_others(accounts: int, sabotage: Sabotage) -> None:
    world, events = play(accounts, sabotage)
    check_the_others(world, events, 0.5)
    if sabotage is messages_are_garbled:  # Its lists stand in for them, at once.
        assert held_seconds(world, BROKEN) < 3
    else:
        assert (held_seconds(world, BROKEN) < 0.5) == (sabotage is undisturbed)
    rejected = [event for event in events if isinstance(event.body, e.WireRejected)]
    assert bool(rejected) == (sabotage is messages_are_garbled)
    refused = of(events, e.RequestRefused, BROKEN)
    assert len(refused) == (3 if sabotage is calls_meet_429 else 0)
    assert world.starts == 1


@ACCOUNTS
def test_a_rule_that_raises_in_one_account_leaves_the_others(accounts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a_rule_raises(monkeypatch)
    world, events = play(accounts, undisturbed)
    check_the_others(world, events, 0.5)
    assert of(events, e.RuleFaulted, BROKEN)
    assert world.starts == 1


@ACCOUNTS
def test_a_core_that_fails_on_one_account_leaves_the_others(accounts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on without what it failed on, three times within a second, and asks nobody about the others."""
    the_core_raises(monkeypatch)
    world, events = play(accounts, undisturbed)
    check_the_others(world, events, 0.5)
    assert len(of(events, e.FactQuarantined, BROKEN)) >= MOST_FAILURES
    assert held_seconds(world, BROKEN) < 0.5
    assert world.starts == 1
    for account in world.plan.scenario.accounts:
        looks = len(of(events, e.PositionsListed, account.id))
        assert account.id == BROKEN or looks <= LOOKS, "only the account at fault is looked at again"
