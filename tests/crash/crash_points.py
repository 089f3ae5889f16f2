"""Every crash point of a script: run once to count the boundaries, then once for each with the process dying there.

What has to be the same with and without the death is an Ending; what must never be is a finding.
"""

import asyncio
import gc
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

from replay.verify import Check, verify_journal
from riskcore.core.events import CommandIssued, Event, RequestAttempted
from riskcore.core.names import memory_name
from riskcore.core.programme.balances import FLOOR, FLOOR_SOURCE, OPENING, recall
from riskcore.core.programme.daily_loss import DAILY_LOSS
from riskcore.core.programme.maximum_loss import MAXIMUM_LOSS
from riskcore.core.programme.scaling import LOTS, SIZE_KEY
from riskcore.core.state import Account
from riskcore.engine import engine as engine_module
from tests.crash.crash_world import Boundary, CrashWorld
from tests.crash.script import Script
from tests.crash.scripts import BY_NAME
from tests.simulation.plan import PROFILE
from tests.simulation.virtual_time import VirtualTimeLoop

REMEMBERED_EVERY = 40  # A copy of the book is kept so often that scripts of a few seconds come to it.
# Commands about what is there at the moment: no sight, an order to be tidied up. A start finds other things.
_OF_THE_MOMENT = ("BLIND", "GUARD", "PLANNER")


@dataclass(frozen=True)
class Ending:
    """Where a run ends: at the broker and in the book."""

    held: dict[tuple[int, str], int]
    working: Counter[tuple[int, str, int, int, int]]  # Account, contract, type, side, size.
    lockouts: dict[tuple[int, str], int | None]
    closed: Counter[tuple[int, str]]  # Contracts that orders of riskcore's own have bought or sold.
    commands: Counter[tuple[int, str, str]]  # Account, rule and kind of what the rules and the operator decided.
    programme: dict[tuple[int, str], int | None]  # Opening balance, floor, cap and the levels reached, per account.


@dataclass(frozen=True)
class Run:
    """What is left of one run."""

    boundaries: tuple[Boundary, ...]
    ending: Ending
    findings: tuple[str, ...]
    paths: frozenset[str]
    stored: frozenset[str]
    log: tuple[str, ...]

    def deaths(self) -> list[int]:
        """The numbers of the boundaries to die at: one of those that leave the same world, behind a commit if any."""
        chosen: dict[tuple[float, int, int], int] = {}
        for number, boundary in enumerate(self.boundaries, 1):
            if boundary.left not in chosen or boundary.name.endswith("committed"):
                chosen[boundary.left] = number
        return sorted(chosen.values())


def run_script(script: Script, crash_at: int | None = None, *, log: bool = False) -> Run:
    """Run a script to its end; `crash_at` is the number of the boundary at which the first process dies."""
    loop = VirtualTimeLoop()
    with _remembering_often(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = CrashWorld(loop, script, crash_at, log)
        runner.run(world.live())
        findings = [*world.judge.violations, *(f"loop: {failure}" for failure in loop.failures)]
        journal = world.disk.journal(PROFILE)
        days = journal.streams()
        events = [event for day in days for _, event, _ in journal.read(day)]
        for day in days:
            list(journal.messages(day))  # Their chain holds, whenever the process died.
        findings += _stored_findings(world, events)
        check = Check()
        verify_journal(journal, days, check)
        findings += [f"verify: {row['differences'][0]}" for row in check.days if row["differences"]]
        findings += [f"verify: {row}" for row in check.damage]
        if crash_at is not None and not world.crashed:
            findings.append(f"there is no boundary {crash_at}")
        return Run(
            tuple(world.reached),
            _ending(world, events),
            tuple(findings),
            frozenset(call.path for call in world.broker.received),
            frozenset(type(event.body).__name__ for event in events),
            tuple(world.lines),
        )


def judge_crash(script: Script, crash_at: int, undisturbed: Run) -> list[str]:
    """What is wrong with a run that dies at a boundary."""
    run = run_script(script, crash_at)
    findings = list(run.findings)
    boundary = undisturbed.boundaries[crash_at - 1]
    if run.boundaries[-1] != boundary:
        findings.append(f"boundary {crash_at} is {run.boundaries[-1]}: the run is not repeatable")
    for part in fields(Ending):
        after, without = getattr(run.ending, part.name), getattr(undisturbed.ending, part.name)
        if after != without:
            findings.append(f"{part.name}: {after} instead of {without}")
    where = f"{script.name}, boundary {crash_at} ({boundary.name} at {boundary.left[0]:.3f} s)"
    return [f"{where}: {finding}" for finding in findings]


def judge_crashes(name: str, numbers: Sequence[int], undisturbed: Run) -> list[str]:
    """What is wrong with several deaths of a script, in a process of their own."""
    findings = []
    gc.freeze()
    for number in numbers:
        try:
            findings += judge_crash(BY_NAME[name], number, undisturbed)
        except Exception:
            findings.append(f"{name}, boundary {number}: the judge went wrong: {traceback.format_exc()}")
    return findings


@contextmanager
def _remembering_often() -> Iterator[None]:
    before, engine_module.REMEMBERED_EVERY = engine_module.REMEMBERED_EVERY, REMEMBERED_EVERY
    try:
        yield
    finally:
        engine_module.REMEMBERED_EVERY = before


def _stored_findings(world: CrashWorld, events: list[Event]) -> Iterator[str]:
    lost = world.told - {event.key for event in events}
    if lost:
        yield f"told and not stored: {min(lost)}"
    commands = Counter(event.body.id for event in events if isinstance(event.body, CommandIssued))
    attempts = Counter(event.body.request for event in events if isinstance(event.body, RequestAttempted))
    for name, number in (*commands.items(), *attempts.items()):
        if number > 1:
            yield f"{name} is stored {number} times"


def _ending(world: CrashWorld, events: list[Event]) -> Ending:
    broker, engine = world.broker, world.engine
    assert engine is not None, "the engine ran"
    closed: Counter[tuple[int, str]] = Counter()
    for fill in broker.fills:
        if world.judge._is_ours(fill):
            closed[fill.account.id, fill.instrument.id] += fill.size
    return Ending(
        {
            (account.id, contract): holding.size
            for account in broker.accounts
            for contract, holding in account.holdings.items()
            if holding.size
        },
        Counter(
            (order.account.id, order.instrument.id, order.type, order.side, order.left)
            for order in broker.orders
            if order.working
        ),
        {
            (account.id, name): lockout.expires_at
            for account in engine.book.accounts.values()
            for name, lockout in account.lockouts.items()
        },
        closed,
        Counter(
            (event.body.account, event.body.rule, event.body.command.kind)
            for event in events
            if isinstance(event.body, CommandIssued) and event.body.rule not in _OF_THE_MOMENT
        ),
        {
            (account.id, name): value
            for account in engine.book.accounts.values()
            for name, value in _programme_of(account)
        },
    )


def _programme_of(account: Account) -> Iterator[tuple[str, int | None]]:
    """What the firm's programme has come to; when a level was reached differs with the death."""
    yield "opening balance", recall(account, OPENING)
    yield "floor", recall(account, FLOOR)
    yield "floor source", recall(account, FLOOR_SOURCE)
    yield "lots", account.memory.get(memory_name(SIZE_KEY, LOTS))
    for episode in account.episodes:
        if episode.startswith((MAXIMUM_LOSS.name, DAILY_LOSS.name)):
            yield episode, None
