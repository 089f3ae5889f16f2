"""Lockouts without an end of their own, when the rule that would end them is gone (RULES.md 3.1)."""

from collections.abc import Sequence

from riskcore.core.rulebook import RuleInstance
from riskcore.core.state import Account, Lockout

ENDED_BY_THEIR_RULE = ("symbol_permanent", "condition")


def orphaned(account: Account, instances: Sequence[RuleInstance]) -> list[str]:
    """Ids of the lockouts that none of these rules will ever end."""
    return [
        lockout.id
        for lockout in account.lockouts.values()
        if lockout.kind in ENDED_BY_THEIR_RULE and not any(_ends(instance, lockout) for instance in instances)
    ]


def _ends(instance: RuleInstance, lockout: Lockout) -> bool:
    """Whether the lockout is of this rule; of a rule that is given several times, of this very table."""
    table = lockout.key.rpartition(".")[2] if lockout.kind == "symbol_permanent" else ""
    return instance.rule.id == lockout.rule and not instance.shadow and instance.key.endswith(table)
