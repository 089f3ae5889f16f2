"""What must be true half a minute after everything has healed, and when the engine has stopped in good order."""

from itertools import pairwise
from typing import TYPE_CHECKING

from replay.verify import Check, verify_journal
from riskcore.core.exposure_change import root_of
from riskcore.core.freshness import reconciled
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.requests import RETRY_SECONDS
from riskcore.core.state import Account, Attempts, Book, Obligation
from riskcore.engine.resume import resume
from riskcore.schema.codec import state_bytes
from tests.simulation.invariants import unmet
from tests.simulation.plan import AFTER_HEALING_SECONDS, PROFILE

if TYPE_CHECKING:
    from tests.simulation.world import World

# What the broker did so shortly ago may be on its way still.
ON_ITS_WAY_NS = SECOND_NS
# Between two connection attempts of one hub.
LEAST_GAP_SECONDS = 1.0
# In every so manieth seed what was recorded is decided once more.
VERIFIES_EVERY_SEEDS = 5


def judge_peace(world: "World") -> None:
    """The engine runs and nothing has troubled it for half a minute."""
    engine, judge = world.engine, world.judge
    assert engine is not None
    judge.broker_side()
    plans = {plan.id: plan for plan in world.plan.scenario.accounts}
    for name in plans:
        account = engine.book.accounts.get(name)
        if account is None:
            judge.find("liveness", f"account {name} was never seen")
        elif not reconciled(engine.book, account):
            judge.find("liveness", f"account {name} is not reconciled {AFTER_HEALING_SECONDS:g} s after healing")
        else:
            _judge_account(world, engine.book, account)


def _judge_account(world: "World", book: Book, account: Account) -> None:
    judge, broker = world.judge, world.broker
    now = world.wall.true_time()
    for obligation in account.obligations.values():
        since = (now - obligation.set_at) / SECOND_NS
        missing = [one for one in unmet(book, account, obligation) if not _waits_its_turn(obligation, one, book.now)]
        if since > AFTER_HEALING_SECONDS - 1 and missing:
            judge.find("liveness", f"{obligation.id} is unmet after {since:.0f} s: {missing}")
    known = next(one for one in broker.accounts if one.id == account.id)
    for contract in {**known.holdings, **account.positions}:
        _judge_position(world, book, account, contract)
    settled = not any(order.updated_at > now - ON_ITS_WAY_NS for order in broker.orders)
    if settled:
        working = {order.id for order in broker.orders if order.working and order.account.id == account.id}
        believed = {order.id for order in account.working_orders()}
        if working != believed:
            judge.find("I9", f"orders {sorted(working ^ believed)} work only for one of broker and book")
        _judge_money(world, account, known.balance_usd)


def _waits_its_turn(obligation: Obligation, target: str, now: int) -> bool:
    """Whether a try since healing failed, too, after many before it: the next comes half a minute later (RULES.md 1.6).

    A close may be overtaken by what the trader had working, and leave a position on the other side.
    """
    attempts = obligation.attempts.get(target, Attempts())
    tried = now - attempts.failed_at < AFTER_HEALING_SECONDS * SECOND_NS
    return attempts.failures >= len(RETRY_SECONDS) and tried and attempts.retry_at > now


def _judge_position(world: "World", book: Book, account: Account, contract: str) -> None:
    judge, broker = world.judge, world.broker
    now = world.wall.true_time()
    if any(fill.at > now - ON_ITS_WAY_NS for fill in broker.fills):
        return
    truth = broker.position(account.id, contract)
    position = account.positions.get(contract)
    believed = position.size if position is not None else 0
    if truth != believed:
        judge.find("I9", f"{contract}: the broker has {truth}, the book {believed}")
    told = (account.id, contract) in judge.drifts
    if position is not None and position.lot_size != position.size and not told:
        judge.find(
            "I9", f"{contract}: fills say {position.lot_size}, the size is {position.size}, no drift is recorded"
        )
    root = root_of(book, contract)
    for lockout in account.lockouts.values():
        allowed = abs(lockout.held.get(contract, 0))
        waits = any(
            _waits_its_turn(obligation, f"closeContract/{contract}", book.now)
            for obligation in account.obligations.values()
        )
        if lockout.covers(root) and abs(truth) > allowed and not waits:
            judge.find("liveness", f"{contract}: {truth} is held under {lockout.id}, which allows {allowed}")


def _judge_money(world: "World", account: Account, truth_usd: int) -> None:
    """Opening balance plus what the days made is the balance (I10)."""
    opening = next(money(plan.balance) for plan in world.plan.scenario.accounts if plan.id == account.id)
    made = sum(figures.net_usd for figures in account.days.values())
    if not opening + made == truth_usd == account.balance_usd:
        world.judge.find(
            "I10",
            f"account {account.id}: {opening} + {made} = {opening + made} by fills, {account.balance_usd} by the"
            f" book, {truth_usd} by the broker",
        )


def judge_end(world: "World") -> None:
    """Everything has ended in good order."""
    judge, engine = world.judge, world.engine
    for hub, attempts in world.process.attempts.items():
        _judge_attempts(world, hub, attempts)
    if engine is None or not world.stopped:
        judge.find("liveness", "the engine does not run half a minute after healing")
        return
    world.witness.ended(world.process)
    again = resume(world.disk.journal(PROFILE))
    if state_bytes(again.book) != state_bytes(engine.book):
        judge.find("I4", "the journal does not tell the state that the engine stopped with")
    if world.plan.seed % VERIFIES_EVERY_SEEDS == 0:
        _judge_again(world)


def _judge_again(world: "World") -> None:
    """The same facts lead to the same decisions, every day alone from its own opening (`riskcore verify`)."""
    journal, check = world.disk.journal(PROFILE), Check()
    verify_journal(journal, journal.streams(), check)
    for found in check.damage:
        world.judge.find("I3", f"the journal is damaged: {found['text']}")
    for row in check.days:
        for difference in row["differences"]:
            world.judge.find("replay", f"{row['trade_date']} is decided otherwise: {difference}")


def _judge_attempts(world: "World", hub: str, attempts: list[float]) -> None:
    for first, second in pairwise(attempts):
        if second - first < LEAST_GAP_SECONDS - 1e-6:
            world.judge.find("pace", f"two attempts to connect to the {hub} hub within {second - first:.3f} s")
