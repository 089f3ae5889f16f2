"""Commands that several rules issue, in one place so that they read the same everywhere (RULES.md 3.4, 4)."""

from riskcore.core.events import Command
from riskcore.core.kinds import AlertLevel
from riskcore.core.names import ACCOUNT
from riskcore.core.quantities import SECOND_NS

CANCEL_ENTRIES = Command("CancelOrders", scope="entry")
CANCEL_ALL = Command("CancelOrders", scope="all")
CLOSE_ALL = Command("CloseAllPositions")
FLATTEN = (CANCEL_ENTRIES, CLOSE_ALL)


def close_position(contract: str) -> Command:
    return Command("ClosePosition", contract=contract)


def reduce_position(contract: str, to: int, excess: int) -> Command:
    """Cut a position to `to` contracts; cutting to nothing is a close."""
    return close_position(contract) if to == 0 else Command("ReducePosition", contract=contract, to=to, size=excess)


def alert(text: str, level: AlertLevel = "warning", contract: str | None = None) -> Command:
    return Command("Alert", level=level, text=text, contract=contract)


def lock_until_reset(reason: str, scope: str = ACCOUNT, key: str = "day") -> Command:
    return Command("SetLockout", scope=scope, lockout_key=key, lockout_kind="until_reset", text=reason)


def lock_for_good(reason: str, key: str) -> Command:
    """A lockout that only `riskcore programme reset` ends (RULES.md 3.1)."""
    return Command("SetLockout", scope=ACCOUNT, lockout_key=key, lockout_kind="terminal", text=reason)


def lock_for(seconds: int, now: int, reason: str, scope: str = ACCOUNT, key: str = "cooldown") -> Command:
    """A cooldown of `seconds` from `now` (RULES.md 3.1)."""
    return Command(
        "SetLockout",
        scope=scope,
        lockout_key=key,
        lockout_kind="cooldown",
        expires_at=now + seconds * SECOND_NS,
        text=reason,
    )


def optional_lockout(lockout: str, seconds: int, now: int, reason: str, scope: str = ACCOUNT) -> tuple[Command, ...]:
    """The lockout of a rule whose `lockout` field says none, cooldown or until_reset."""
    if lockout == "cooldown":
        return (lock_for(seconds, now, reason, scope),)
    if lockout == "until_reset":
        return (lock_until_reset(reason, scope),)
    return ()
