"""Deadlines: when time alone must be looked at. Derived from state, so nothing can be forgotten or left over."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

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
FAULT = "day.fault"  # The episode of a rule that has raised: until the reset it is reported once.
_MOMENT = Event(0, "core", "deadline", ClockTicked())


# What Account.memory calls the deadlines that are left out: whether there are any, and each one (quarantine.py).
QUARANTINES = "timer.0.day"


class Timer(NamedTuple):
    """One deadline; timers due together run by (due, rule, account, target) (RULES.md 1.1)."""

    due: int
    rule: str
    account: int
    target: str
    kind: TimerKind  # fault: a rule could not say when its own is due.
    text: str = ""  # Of a fault: what went wrong.


class TimerFailed(Exception):
    """The core failed on what time alone leads to. Without a rule, deadlines of that kind cannot even be worked out."""

    def __init__(self, timer: Timer, error: Exception) -> None:
        super().__init__(f"{timer.kind} deadline of account {timer.account}: {type(error).__name__}: {error}")
        self.timer = timer
        self.error = error


def quarantine_name(kind: str, rule: str, target: str) -> str:
    """The name in Account.memory under which it stands until when a deadline is left out."""
    return f"{QUARANTINES}.{kind}.{rule}.{target}"


def due_timers(book: Book, rulebook: Rulebook, absent: bool = False) -> list[Timer]:
    """Every deadline of the book, the earliest first. While no engine runs (`absent`) rules that wait have none.

    Raises TimerFailed.
    """
    timers: list[Timer] = []
    for account in book.accounts.values():
        timers.extend(_timers_of(book, rulebook, account, absent))
    return sorted(timers)


def _timers_of(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> list[Timer]:
    timers: list[Timer] = []
    quarantined = QUARANTINES in account.memory
    for kind, source in _SOURCES.items():
        if quarantined and account.memory.get(quarantine_name(kind, "", ""), 0) > book.now:
            continue
        try:
            timers.extend(source(book, rulebook, account, absent))
        except Exception as error:
            raise TimerFailed(Timer(book.now, "", account.id, "", kind), error) from error
    return [timer for timer in timers if not _left_out(account, timer)] if quarantined else timers


def _left_out(account: Account, timer: Timer) -> bool:
    return timer.due <= account.memory.get(quarantine_name(timer.kind, timer.rule, timer.target), 0)


def _lockout_timers(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> Iterator[Timer]:
    for lockout in account.lockouts.values():
        if lockout.expires_at is not None:
            yield Timer(lockout.expires_at, lockout.rule, account.id, lockout.id, "lockout")


def _drift_timers(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> Iterator[Timer]:
    for position in account.positions.values():
        due = _drifted_at(book, position)
        if due is not None:
            yield Timer(due, "DRIFT", account.id, position.contract, "drift")


def _planner_timers(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> Iterator[Timer]:
    for due in deadlines(book, account, rulebook.profile.command_timeout_ns):
        yield Timer(due, PLANNER_ID, account.id, "requests", "planner")


def _drifted_at(book: Book, position: Position) -> int | None:
    """When a disagreement has lasted too long; what could not be seen while the connection was lost is none."""
    since = connection_since(book)
    if position.disagrees_since is None:
        return None
    if connected(book):
        return max(position.disagrees_since, since) + DRIFT_NS
    return max(position.disagrees_since, position.push_at) + DRIFT_NS if position.push_at > since else None


def _rule_timers(book: Book, rulebook: Rulebook, account: Account, absent: bool) -> Iterator[Timer]:
    profile = rulebook.profile
    view = View(book, account, _MOMENT, Effect(), profile.pnl_basis, profile.mark)
    unknown = awaited(book, account, absent)
    for instance in rulebook.timed(account):
        assert instance.rule.deadline is not None, "a rule that time alone may make act"
        if (book.lacks and instance.lacking(book.lacks)) or (unknown and instance.waits(unknown)):
            continue
        view.rule_key = instance.key
        try:
            due = instance.rule.deadline(instance.params, view)
        except Exception as error:
            if not view.episode_open(FAULT) and not instance.shadow:
                yield Timer(
                    book.now, instance.rule.id, account.id, instance.key, "fault", f"{type(error).__name__}: {error}"
                )
            continue
        if due is not None:
            yield Timer(due, instance.rule.id, account.id, instance.key, "rule")


_Source = Callable[[Book, Rulebook, Account, bool], Iterator[Timer]]
_SOURCES: dict[TimerKind, _Source] = {
    "lockout": _lockout_timers,
    "drift": _drift_timers,
    "planner": _planner_timers,
    "rule": _rule_timers,
}
