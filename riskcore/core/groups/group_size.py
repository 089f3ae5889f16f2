"""GROUP-SIZE: cap the contracts of several accounts together (PROGRAMME.md 7)."""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Command
from riskcore.core.groups.group import Group, members, view_of
from riskcore.core.names import episode_name
from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.rules import wording
from riskcore.core.rules.base import COUNT, Action, Breach, Finding, Proposal, Reading, Rearm, Rule
from riskcore.core.rules.exposure import Exposure, count_with, newest_cuts, still_to_cut
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


def _cuts(group: Group, view: View, excess: int) -> list[tuple[Account, Command]]:
    """What brings the group down by `excess`, and the account whose position it cuts."""
    held = [(account, position) for account in members(group, view.book) for position in account.held()]
    cuts = newest_cuts([position for _, position in held], excess, lambda contract: micro_units(view.root(contract)))
    return [(account, command) for cut, command in cuts for account, position in held if position is cut]


def evaluate(group: Group, view: View) -> Sequence[Finding]:
    count, limit = _count(group, view), _limit(group)
    name = episode_name(view.rule_key, COUNT)
    going_on = any(name in account.episodes for account in members(group, view.book))
    if count <= limit:
        return (Rearm(COUNT),) if view.episode_open(COUNT) else ()
    cuts = _cuts(group, view, count - limit)
    commands: tuple[Command, ...] = tuple(command for account, command in cuts if account is view.account)
    if going_on or cuts[0][0] is not view.account:
        commands = still_to_cut(view, Exposure(view.held(), (), lambda contract: 1), commands)
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
