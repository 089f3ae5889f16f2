"""The rules of a `[group]` table: which of them it switches on."""

from collections.abc import Iterator, Mapping
from typing import Any

from riskcore.core.groups import group_loss, group_opposite, group_size
from riskcore.core.groups.group import Group
from riskcore.core.rules.base import Rule

GROUP_RULES: tuple[Rule, ...] = (group_size.RULE, group_loss.RULE, group_opposite.RULE)


def group_of(plain: Mapping[str, Any]) -> Group:
    """The parameters of a group from its plain table. Raises TypeError for an unknown name."""
    return Group(**{**plain, "accounts": tuple(plain["accounts"])})


def rules_of(group: Group) -> Iterator[Rule]:
    """The rules that a group switches on."""
    if group.max_contracts is not None:
        yield group_size.RULE
    if group.loss_limit is not None:
        yield group_loss.RULE
    if group.opposite != "off":
        yield group_opposite.RULE
