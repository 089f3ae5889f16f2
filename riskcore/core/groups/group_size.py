"""GROUP-SIZE: cap the contracts of several accounts together (PROGRAMME.md 7)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from riskcore.core.events import Command
from riskcore.core.groups.group import Group, members, view_of
from riskcore.core.kinds import CUTS
from riskcore.core.names import episode_name
from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.rules import wording
from riskcore.core.rules.base import COUNT, Action, Breach, Finding, Proposal, Reading, Rearm, Rule
from riskcore.core.rules.commands import reduce_position
from riskcore.core.rules.exposure import Exposure, count_with, newest_cuts
from riskcore.core.state import Account, Position
from riskcore.core.view import View


def _limit(group: Group) -> int:
    """The limit in micro-units."""
    assert group.max_contracts is not None, "the rule is on only where there is a limit"
    return group.max_contracts * MICRO_UNITS_OF_A_MINI


def _units(view: View, position: Position) -> int:
    return abs(position.size) * micro_units(view.root(position.contract))


def _count(group: Group, view: View) -> int:
    """Micro-units open in all accounts of the group."""
    return sum(_units(view, position) for account in members(group, view.book) for position in account.held())


def _newest(group: Group, view: View) -> Account:
    """The account whose exposure was increased last: it is cut first, and has the breach."""
    held = [(position.increase_order, account) for account in members(group, view.book) for position in account.held()]
    return max(held, key=lambda one: one[0])[1]


def _left(account: Account, position: Position) -> Position:
    """The position as the cuts in force will leave it: what they take off is cut already."""
    levels = (
        obligation.to if obligation.contract is not None else 0
        for obligation in account.obligations.values()
        if obligation.kind in CUTS and obligation.contract in (None, position.contract)
    )
    size = min((abs(position.size), *levels))
    return replace(position, pushed=size if position.size > 0 else -size, memory={})


def _cuts(group: Group, view: View) -> list[tuple[Account, Command]]:
    """What still has to be cut to bring the group within its limit, and the account whose position it cuts."""
    held = [(account, position) for account in members(group, view.book) for position in account.held()]
    left = [_left(account, position) for account, position in held]
    excess = sum(_units(view, one) for one in left) - _limit(group)
    found = []
    for cut, command in newest_cuts(left, excess, lambda contract: micro_units(view.root(contract))):
        account, position = next(pair for pair, one in zip(held, left, strict=True) if one is cut)
        to = command.to or 0
        found.append((account, reduce_position(position.contract, to, abs(position.size) - to)))
    return found


def evaluate(group: Group, view: View) -> Sequence[Finding]:
    count, limit = _count(group, view), _limit(group)
    if count <= limit:
        return (Rearm(COUNT),) if view.episode_open(COUNT) else ()
    commands = tuple(command for account, command in _cuts(group, view) if account is view.account)
    name = episode_name(view.rule_key, COUNT)
    going_on = any(name in account.episodes for account in members(group, view.book))
    if going_on or _newest(group, view) is not view.account:
        return (Action("", commands),) if commands else ()
    return (Breach(COUNT, {"count": str(count), "limit": str(limit)}, commands),)


def admit(group: Group, view: View, proposal: Proposal) -> str | None:
    others = [account for account in members(group, view.book) if account is not view.account]
    beside = sum(_units(view_of(view, account), position) for account in others for position in account.held())
    own = Exposure(view.held(), (), lambda contract: micro_units(view.root(contract)))
    count = beside + count_with(own, proposal, view, all_orders=False)
    if count <= _limit(group):
        return None
    return f"it would make {count} micro-units in the accounts of {group.name}, the limit is {_limit(group)}"


def gauges(group: Group, view: View) -> Iterator[Reading]:
    count, limit = _count(group, view), _limit(group)
    yield Reading(f"micro units of {group.name}", COUNT, count, limit, unit="micro units", allows_equal=True)


RULE = Rule(
    "GROUP-SIZE",
    "group_size",
    "Cap the contracts of several accounts together",
    40,
    Group,
    evaluate,
    needs=lambda group: ("positions",),
    admit=admit,
    gauges=gauges,
    cuts=True,
    joint=True,
    advice=wording.SIZE,
)
