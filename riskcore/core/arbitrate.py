"""Arbitration: the commands of all rules at one event become one set (RULES.md 3.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from riskcore.core.events import Command, CommandIssued, LockoutEnded
from riskcore.core.in_force import covers
from riskcore.core.kinds import COMMAND_KINDS
from riskcore.core.names import command_id, lockout_id
from riskcore.core.state import Account


@dataclass(frozen=True, slots=True)
class Candidate:
    """A command one rule wants. `origin` is the id stem of its breach or action."""

    strength: int
    rule: str
    rule_key: str
    origin: str
    breach: str | None
    target: str
    command: Command


def arbitrate(account: Account, candidates: Iterable[Candidate]) -> list[Candidate]:
    """What is issued: absorbed and already demanded commands left out, the strongest rule named first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (-one.strength, COMMAND_KINDS.index(one.command.kind))):
        if _changes_something(account, candidate):
            kept = _merged(kept, candidate)
    return sorted(kept, key=lambda one: COMMAND_KINDS.index(one.command.kind))


def issued(account: Account, resets_at: int, candidates: Iterable[Candidate]) -> Iterator[CommandIssued | LockoutEnded]:
    """The events that arbitration leads to. A lockout until the reset without a time gets the next one."""
    for candidate in arbitrate(account, [_dated(one, resets_at) for one in candidates]):
        command = candidate.command
        yield CommandIssued(
            id=_command_id(candidate),
            account=account.id,
            rule=candidate.rule,
            rule_key=candidate.rule_key,
            breach=candidate.breach,
            command=command,
            target=candidate.target if candidate.breach is None else "",
        )
        if command.kind == "ClearLockout":
            yield LockoutEnded(account.id, _lockout_of(candidate), "restored")


def _dated(candidate: Candidate, resets_at: int) -> Candidate:
    command = candidate.command
    if command.lockout_kind == "until_reset" and command.expires_at is None:
        return replace(candidate, command=replace(command, expires_at=resets_at))
    return candidate


def _command_id(candidate: Candidate) -> str:
    command = candidate.command
    about = command.lockout_key or command.order_id or command.contract
    return command_id(candidate.origin, command.kind, about)


def _changes_something(account: Account, candidate: Candidate) -> bool:
    command = candidate.command
    if command.kind == "SetLockout":
        known = account.lockouts.get(_lockout_of(candidate))
        if known is None:
            return True
        if known.expires_at is None:
            return False
        return command.expires_at is None or command.expires_at > known.expires_at
    if command.kind == "ClearLockout":
        return _lockout_of(candidate) in account.lockouts
    return not covers(account, command)


def _lockout_of(candidate: Candidate) -> str:
    command = candidate.command
    return lockout_id(command.scope, candidate.rule, command.lockout_key)


def _merged(kept: list[Candidate], new: Candidate) -> list[Candidate]:
    """`kept` with one more command; the stronger rule came first and keeps the attribution."""
    if any(_absorbs(old, new) for old in kept):
        return kept
    return [old for old in kept if not _absorbs(new, old)] + [new]


def _absorbs(wide: Candidate, narrow: Candidate) -> bool:
    """Whether `wide` makes `narrow` needless when both come at one event."""
    one, other = wide.command, narrow.command
    if other.kind == "SetLockout":
        if one.kind != "SetLockout" or _lockout_of(wide) != _lockout_of(narrow):
            return False
        return one.expires_at is None or (other.expires_at is not None and one.expires_at >= other.expires_at)
    if other.kind == "CloseAllPositions":
        return one.kind == "CloseAllPositions"
    if other.kind == "ClosePosition":
        return one.kind == "CloseAllPositions" or (one.kind == "ClosePosition" and one.contract == other.contract)
    if other.kind == "ReducePosition":
        if one.kind == "ReducePosition" and one.contract == other.contract:
            return (one.to or 0) <= (other.to or 0)
        return one.kind == "CloseAllPositions" or (one.kind == "ClosePosition" and one.contract == other.contract)
    if other.kind == "CancelOrders":
        return one.kind == "CancelOrders" and _scope_covers(one, other)
    if other.kind == "CancelOrder":
        return one == other or (one.kind == "CancelOrders" and one.contract in (None, other.contract))
    return one == other


def _scope_covers(one: Command, other: Command) -> bool:
    if one.scope == "all":
        return True
    return one.scope == other.scope == "entry" or (other.scope == "symbol" and one.contract in (None, other.contract))
