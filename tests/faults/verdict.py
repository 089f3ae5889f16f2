"""What must be true of a cell: DESIGN.md's invariants, and what issue 3 asks for beyond them."""

from itertools import pairwise
from types import SimpleNamespace
from typing import cast

from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.quota import CALLS, CALLS_SECONDS
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.schema.codec import state_bytes
from riskcore.store.journal import Journal
from tests.faults.cells import DISK, ENFORCING, IDLE, OPEN
from tests.faults.plot import POSITION, Result
from tests.faults.stack import MARKET, PROFILE
from tests.simulation.peace import judge_peace
from tests.simulation.plan import AFTER_HEALING_SECONDS
from tests.simulation.world import World
from tests.store.days import verify_chain

REDUCING = {"Position/closeContract", "Position/partialCloseContract", "Order/cancel"}
# The shortest pause between attempts is a second; this is what two looks at a clock may differ by.
TOLERANCE_SECONDS = 0.05
# The next tick stores what waited, and the close goes out with it.
AFTER_DISK_SECONDS = 3


def judge_quiet(result: Result) -> None:
    """While the engine runs and nothing troubles it any more: I7, I9, I10, I11."""
    stack = result.stack
    world = SimpleNamespace(
        engine=stack.engine,
        judge=stack.judge,
        broker=stack.gateway.broker,
        plan=SimpleNamespace(scenario=MARKET),
        wall=SimpleNamespace(true_time=stack.clock.now),
    )
    judge_peace(cast(World, world))
    if not stack.gateway.broker.flat():
        result.findings.append("the account is not flat any more")


def judge_cell(result: Result) -> list[str]:
    """Everything that is wrong with a cell, when its engine has stopped."""
    findings = [*result.findings, *result.stack.judge.violations]
    for name, holds in {
        "the fault has struck": result.struck,
        "the loss was seen": result.breached,
        "flat half a minute after healing": result.flat_seconds <= AFTER_HEALING_SECONDS,
        "everything is back half a minute after healing": result.recovered_seconds <= AFTER_HEALING_SECONDS,
    }.items():
        if not holds:
            findings.append(f"not so: {name}")
    gateway = result.stack.gateway
    return findings + _orders(gateway) + _pace(gateway) + _disk(result) + _journal(result) + _secrets(result)


def _orders(gateway: SimulatedGateway) -> list[str]:
    """Only reductions, one of them performed, and never more than there was to close."""
    broker = gateway.broker
    findings = [f"{call.path} was called" for call in broker.received if call.path not in REDUCING]
    held = 0
    for fill in broker.fills:
        held += fill.side * fill.size
        if not 0 <= held <= POSITION:
            findings.append(f"I11: {held} held after fill {fill.id}")
    closed = sum(order.filled for order in broker.orders if order.closes)
    closes = [call for call in broker.received if call.path == "Position/closeContract" and call.performed]
    if closed != POSITION or len(closes) != 1:
        findings.append(f"{closed} contracts were closed by {len(closes)} closes")
    return findings


def _pace(gateway: SimulatedGateway) -> list[str]:
    findings = []
    for place, hub in gateway.hubs.items():
        for first, second in pairwise(hub.attempts):
            if (second - first) / SECOND_NS < 1 - TOLERANCE_SECONDS:
                findings.append(f"two attempts at the {place} hub within {(second - first) / SECOND_NS:.3f} s")
    calls = [call.at for call in gateway.rest.calls]
    for later, first in zip(calls[CALLS:], calls, strict=False):
        if later - first < CALLS_SECONDS * SECOND_NS:
            findings.append(f"more than {CALLS} calls within {CALLS_SECONDS} s")
    return findings


def _disk(result: Result) -> list[str]:
    """What was journaled is carried out while the disk is broken, and nothing else is."""
    cell = result.cell
    if cell.place != DISK:
        return []
    findings = []
    if cell.moment == ENFORCING and not result.flat_when_healed:
        findings.append("what was journaled was not carried out while the disk was broken")
    broken = cell.name != "slow"
    if broken and cell.moment == OPEN and result.flat_seconds > AFTER_DISK_SECONDS:
        findings.append(f"flat {result.flat_seconds:.1f} s after the disk had healed")
    if broken and cell.moment in (IDLE, OPEN) and result.sent_by_then:
        findings.append("something left that was not stored")
    return findings


def _journal(result: Result) -> list[str]:
    """The chain holds (I3) and tells the state that the engine stopped with (I4)."""
    findings = []
    with Journal.open(result.store, PROFILE) as journal:
        days = journal.streams()
        count = sum(verify_chain(journal, day) for day in days)
        if count != sum(result.stack.judge.seqs.values()):
            findings.append(f"I3: {count} events are stored, {result.stack.judge.seqs} were seen")
        if state_bytes(_folded(journal, days[-1])) != state_bytes(result.stack.engine.book):
            findings.append("I4: the journal does not tell the state that the engine stopped with")
    return findings


def _secrets(result: Result) -> list[str]:
    """Neither key nor token is stored or told."""
    secrets = result.stack.secrets
    assert len(secrets) > 1, "somebody has logged in"
    told = repr(result.stack.listener.said)
    findings = [f"a secret was told: {told:.200}" for secret in secrets if secret in told]
    for path in result.store.parent.glob(f"{result.store.name}*"):
        content = path.read_bytes()
        findings += [f"a secret is in {path.name}" for secret in secrets if secret.encode() in content]
    return findings


def _folded(journal: Journal, day: str) -> Book:
    """The book out of the facts and decisions alone."""
    book = Book()
    events = (event for _, event, _ in journal.read(day))
    first = next(events)
    fold(book, rulebook_of(first.body.settings), first)
    rebuild(book, rulebook_of(book.settings), events)
    return book
