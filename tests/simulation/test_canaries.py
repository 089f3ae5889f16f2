"""One canary per invariant: with its guard taken out of the product the simulator must say so (DESIGN.md).

A canary that does not die means that a judge is blind. Each is tried on one seed after the other until it dies.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import broker_view, carried, enforce, exit_orders, in_flight, project, step
from riskcore.core import events as e
from riskcore.core.fold import set_lots
from riskcore.core.lots import NO_LOTS
from riskcore.core.rulebook import RuleInstance
from riskcore.core.rules.base import Breach, Finding
from riskcore.core.state import TYPE_MARKET, Account, Book, Position, Request
from riskcore.core.view import Effect, View
from riskcore.engine.engine import Engine
from riskcore.schema import chain
from riskcore.store import journal
from tests.simulation import plan
from tests.simulation.invariants import Judge
from tests.simulation.programme_plan import PROGRAMME_FROM
from tests.simulation.world import World, run_seed

# A position that goes while a stop for it is on its way is rare: seeds that have one, looked up once.
LATE_STOPS = (42024, 42392)
SEEDS = (*LATE_STOPS, *range(200))
PROGRAMME_SEEDS = range(PROGRAMME_FROM, PROGRAMME_FROM + 200)
Patch = pytest.MonkeyPatch
pytestmark = pytest.mark.timeout(900)


def sends_what_is_not_stored(patch: Patch) -> None:
    """Requests leave although no attempt of them is in the journal."""

    def attempt(engine: Engine) -> list[tuple[int, Request]]:
        return [
            (account.id, request)
            for account in engine.book.accounts.values()
            for request in account.requests.values()
            if request.state == "planned"
        ]

    patch.setattr(Engine, "_attempt", attempt)


def forgets_what_waits_at_the_end(patch: Patch) -> None:
    """What has come in and was not handled yet is lost when the engine stops."""
    patch.setattr(Engine, "store_in_hand", lambda engine: None)


def hangs_events_on_nothing(patch: Patch) -> None:
    """Every commit begins a chain of its own."""

    def link(profile: str, head: chain.Head | None, events: Sequence[e.Event]) -> list[chain.Link]:
        return chain.link(profile, head and replace(head, digest=b""), events)

    patch.setattr(journal, "link", link)


def decides_without_a_record(patch: Patch) -> None:
    """The end of an obligation changes the state and is not stored."""
    real = step.Turn.derive

    def derive(turn: step.Turn, at: int, cause: str, body: e.Derived, key: str | None = None) -> None:
        real(turn, at, cause, body, key)
        if isinstance(body, e.ObligationMet):
            turn.events.pop()

    patch.setattr(step.Turn, "derive", derive)


def repeats_what_is_open(patch: Patch) -> None:
    """A request in flight holds back no second one."""
    patch.setattr(enforce, "holds_back", lambda request, wanted: False)
    patch.setattr(enforce, "is_held_back", lambda account, wanted: False)


def repeats_blindly(patch: Patch) -> None:
    """Every request whose outcome is unknown counts as looked at."""
    patch.setattr(exit_orders, "looked_at", lambda account: 1 << 62)
    for planner in (enforce, in_flight):
        patch.setattr(planner, "seen_at", lambda account, kind: 1 << 62)


def gives_up(patch: Patch) -> None:
    """What failed once is not tried again."""
    real = enforce._wanted

    def wanted(book: Book, account: Account, obligation: Any, timeout_ns: int) -> Iterator[e.RequestPlanned]:
        return real(book, account, obligation, timeout_ns) if not obligation.failures else iter(())

    patch.setattr(enforce, "_wanted", wanted)


def acts_without_a_look(patch: Patch) -> None:
    """Every account counts as reconciled."""
    patch.setattr(enforce, "reconciled", lambda book, account: True)


def goes_on_for_ever(patch: Patch) -> None:
    """Requests go on for an obligation that has ended."""
    real = enforce.missing

    def missing(book: Book, account: Account, timeout_ns: int) -> Sequence[e.Derived]:
        return [
            replace(body, obligation=f"{body.obligation}/again") if isinstance(body, e.RequestPlanned) else body
            for body in real(book, account, timeout_ns)
        ]

    patch.setattr(step, "missing", missing)


def believes_pushes_alone(patch: Patch) -> None:
    """What the broker lists never corrects what was pushed."""
    patch.setattr(broker_view, "_newer", lambda account, contract, asked_at: True)


def books_every_word(patch: Patch) -> None:
    """A fill that is told twice is booked twice."""
    real = project.record_trade

    def record(book: Book, account: Account, body: e.TradeRecorded, at: int) -> Effect:
        account.trades.pop(body.trade_id, None)
        return real(book, account, body, at)

    patch.setattr(project, "record_trade", record)


def leaves_stops_behind(patch: Patch) -> None:
    """A stop of ours whose position is gone goes on working."""
    patch.setattr(step, "fitting", lambda book, account, timeout_ns: ())


def every_reset_unlocks(patch: Patch) -> None:
    """The published reset, which clears every lockout (RULES.md 3.5)."""
    real: Callable[..., Effect] = project._HANDLERS[e.DayRolled]

    def rolled(book: Book, at: int, body: e.DayRolled) -> Effect:
        for account in book.accounts.values():
            account.lockouts.clear()
        return real(book, at, body)

    patch.setitem(project._HANDLERS, e.DayRolled, rolled)


def knows_no_exit_orders(patch: Patch) -> None:
    """Nobody looks at the order that the broker makes of a close, at a venue where closes fill late (RULES.md 1.6)."""
    patch.setattr(plan, "SLOW_VENUE_FROM", 0)
    real: Callable[..., Effect] = project._HANDLERS[e.OrderObserved]

    def order(book: Book, at: int, body: e.OrderObserved) -> Effect:
        return Effect() if body.type == TYPE_MARKET and not body.tag else real(book, at, body)

    patch.setitem(project._HANDLERS, e.OrderObserved, order)


def values_what_is_pushed(patch: Patch) -> None:
    """Open P&L follows the size that the broker pushed, though the fills of it have not all been told, or have."""
    real = carried.show

    def show(book: Book, account: Account, position: Position, *when: Any) -> None:
        real(book, account, position, *when)
        if position.pushed == 0:
            set_lots(position, NO_LOTS)

    patch.setattr(broker_view, "show", show)


def acts_in_shadow(patch: Patch) -> None:
    """A breach of a rule that only records has its commands carried out."""
    real = step.Turn._found

    def found(turn: step.Turn, instance: RuleInstance, view: View, finding: Finding) -> list[Any]:
        if isinstance(finding, Breach):
            instance = replace(instance, shadow_commands=finding.commands)
        return real(turn, instance, view, finding)

    patch.setattr(step.Turn, "_found", found)


CANARIES: list[tuple[str, Callable[[Patch], None]]] = [
    ("I1", sends_what_is_not_stored),
    ("I2", forgets_what_waits_at_the_end),
    ("I3", hangs_events_on_nothing),
    ("I4", decides_without_a_record),
    ("I5", repeats_what_is_open),
    ("I6", repeats_blindly),
    ("I6", knows_no_exit_orders),
    ("I7", gives_up),
    ("I8", acts_without_a_look),
    ("I8", goes_on_for_ever),
    ("I9", believes_pushes_alone),
    ("I10", books_every_word),
    ("I11", leaves_stops_behind),
    ("I11", knows_no_exit_orders),
    ("I12", every_reset_unlocks),
    ("I13", values_what_is_pushed),
    ("I14", acts_in_shadow),
]


def dies_of(invariant: str, seed: int, patch: Patch) -> bool:
    """Whether the simulator reports this invariant for a seed; what is broken need not run to its end."""
    found: list[str] = []
    lives: list[asyncio.Task[None]] = []
    real = World.live

    async def live(world: World) -> None:
        task = asyncio.current_task()
        assert task is not None
        lives.append(task)
        await real(world)

    def find(judge: Judge, name: str, text: str) -> None:
        if name == invariant:
            found.append(text)
            lives[-1].cancel()

    with patch.context() as inner:
        inner.setattr(World, "live", live)
        inner.setattr(Judge, "find", find)
        with suppress(asyncio.CancelledError):
            run_seed(seed)
    return bool(found)


@pytest.mark.parametrize(("invariant", "canary"), CANARIES, ids=[f"{name}-{one.__name__}" for name, one in CANARIES])
def test_the_simulator_sees_a_guard_that_is_missing(
    invariant: str, canary: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    canary(monkeypatch)
    seeds = PROGRAMME_SEEDS if invariant == "I14" else SEEDS
    if not any(dies_of(invariant, seed, monkeypatch) for seed in seeds):
        pytest.fail(f"{len(seeds)} seeds without {invariant}, and nobody guards it")
