"""Personal lockouts and early unlocks at the desk (RULES.md 3.1, 7)."""

from collections.abc import Sequence

from riskcore.core.events import CommandIssued, Event, LockoutEnded, LockRequested, OperatorOverride
from riskcore.core.issuers import OPERATOR_ID
from riskcore.core.names import ACCOUNT, lockout_id
from riskcore.core.operator import PERSONAL_KEY, override_refusal
from riskcore.core.state import Account, Lockout
from riskcore.engine.desk import (
    Asked,
    Desk,
    account_named,
    asked_accounts,
    commands_of,
    stored_events,
    text_of,
)
from riskcore.engine.lock_times import lock_until
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, lockout_row

LOCK_SCHEMA, UNLOCK_SCHEMA = "riskcore.lock/1", "riskcore.unlock/1"
PERSONAL = lockout_id(ACCOUNT, OPERATOR_ID, PERSONAL_KEY)


async def lock(desk: Desk, asked: Asked) -> Row:
    """Lock one account, or all of the profile: answered when it is stored, not when it is done. Raises ConfigError."""
    day = desk.book.day
    accounts = asked_accounts(desk, asked)
    if day is None:
        raise ConfigError("no account of this profile is known yet; start riskcore live first")
    expires_at = lock_until(text_of(asked, "until") or "", desk.clock.now(), day)
    reason = (text_of(asked, "reason") or "").strip() or "personal lockout"
    flatten = asked.get("flatten") is not False
    keys = [desk.submit(LockRequested(account.id, expires_at, reason, flatten)) for account in accounts]
    found = [await stored_events(desk, key) for key in keys]
    rows = [_locked(desk, account.id, events) for account, events in zip(accounts, found, strict=True)]
    return {
        "schema": LOCK_SCHEMA,
        "timezone": day.timezone,
        "flatten": flatten,
        "carried_out": desk.book.enforces,
        "commands": [name for events in found for name in commands_of(events)],
        "accounts": rows,
    }


def _locked(desk: Desk, account_id: int, events: Sequence[Event]) -> Row:
    account = desk.book.accounts[account_id]
    lockout = account.lockouts.get(PERSONAL)
    new = any(isinstance(event.body, CommandIssued) and event.body.command.kind == "SetLockout" for event in events)
    return {
        **_named(account),
        "locked": lockout is not None,
        "lockout": PERSONAL,
        "expires_at": None if lockout is None or lockout.expires_at is None else utc_text(lockout.expires_at),
        "already_longer": lockout is not None and not new,
        "open_positions": len(account.held()),
    }


async def unlock(desk: Desk, asked: Asked) -> Row:
    """End one lockout early if the policy allows it. Raises ConfigError when it is not clear which is meant."""
    account = account_named(desk, text_of(asked, "account"))
    lockout = _lockout_named(account, text_of(asked, "lockout"), desk.clock.now())
    row: Row = {"schema": UNLOCK_SCHEMA, **_named(account), "lockout": lockout.id, **lockout_row(lockout)}
    body = OperatorOverride(account.id, lockout.id, (text_of(asked, "reason") or "").strip())
    refusal = override_refusal(account, body, desk.rulebook.profile)
    if refusal is not None:
        return {**row, "ended": False, "refusal": refusal}
    events = await stored_events(desk, desk.submit(body))
    ended = any(isinstance(event.body, LockoutEnded) for event in events)
    others = [name for name in desk.book.accounts[account.id].lockouts if name != lockout.id]
    return {**row, "ended": ended, "still_locked_by": others}


def _lockout_named(account: Account, name: str | None, now: int) -> Lockout:
    """A lockout in force by its id or its rule, the only one when none is named. Raises ConfigError."""
    active = [one for one in account.lockouts.values() if one.expires_at is None or now < one.expires_at]
    named = [one for one in active if name is None or name == one.id or name.upper() == one.rule]
    if len(named) == 1:
        return named[0]
    where = account.name or account.id
    if not active:
        raise ConfigError(f"{where} is not locked")
    listed = ", ".join(one.id for one in active)
    raise ConfigError(f"say which lockout of {where} is to end with --lockout: {listed}")


def _named(account: Account) -> Row:
    return {"account": account.id, "account_name": account.name}
