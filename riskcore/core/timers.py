"""Deadlines: when time alone must be looked at. Derived from state, so nothing can be forgotten or left over."""

from dataclasses import dataclass

from riskcore.core.enforce import deadlines
from riskcore.core.events import ClockTicked, Event
from riskcore.core.freshness import connected, connection_since
from riskcore.core.issuers import PLANNER_ID
from riskcore.core.kinds import TimerKind
from riskcore.core.quantities import SECOND_NS
from riskcore.core.restart import awaited
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, Position
from riskcore.core.view import Effect, View

# Fills and the broker's size may disagree this long before a snapshot is asked for (DESIGN.md).
DRIFT_NS = 2 * SECOND_NS
_MOMENT = Event(0, "core", "deadline", ClockTicked())


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """One deadline; timers due together run by (due, rule, account, target) (RULES.md 1.1)."""

    due: int
    rule: str
    account: int
    target: str
    kind: TimerKind


def due_timers(book: Book, rulebook: Rulebook, absent: bool = False) -> list[Timer]:
    """All deadlines of the book, the earliest first. While no engine runs (`absent`) rules that wait have none."""
    timers: list[Timer] = []
    for account in book.accounts.values():
        for lockout in account.lockouts.values():
            if lockout.expires_at is not None:
                timers.append(Timer(lockout.expires_at, lockout.rule, account.id, lockout.id, "lockout"))
        for position in account.positions.values():
            due = _drifted_at(book, position)
            if due is not None:
                timers.append(Timer(due, "DRIFT", account.id, position.contract, "drift"))
        for due in deadlines(book, account, rulebook.profile.command_timeout_ns):
            timers.append(Timer(due, PLANNER_ID, account.id, "requests", "planner"))
        timers.extend(_rule_timers(book, rulebook, account, absent))
    return sorted(timers)


def _drifted_at(book: Book, position: Position) -> int | None:
    """When a disagreement has lasted too long; what could not be seen while the connection was lost is none."""
    since = connection_since(book)
    if position.disagrees_since is None:
        return None
    if connected(book):
        return max(position.disagrees_since, since) + DRIFT_NS
    return max(position.disagrees_since, position.push_at) + DRIFT_NS if position.push_at > since else None


def _rule_timers(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> list[Timer]:
    timers = []
    profile = rulebook.profile
    view = View(book, account, _MOMENT, Effect(), profile.pnl_basis, profile.mark)
    unknown = awaited(book, account, absent)
    for instance in rulebook.instances(account):
        if instance.rule.deadline is None or instance.lacking(book.lacks) or instance.waits(unknown):
            continue
        view.rule_key = instance.key
        due = instance.rule.deadline(instance.params, view)
        if due is not None:
            timers.append(Timer(due, instance.rule.id, account.id, instance.key, "rule"))
    return timers
