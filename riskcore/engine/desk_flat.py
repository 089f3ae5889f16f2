"""Flat everywhere, or every order gone, without being locked out (INTERFACE.md 1, 9)."""

from riskcore.core.events import FlattenRequested
from riskcore.engine.desk import Asked, Desk, asked_accounts, commands_of, stored_events
from riskcore.schema.rows import Row

FLATTEN_SCHEMA, CANCEL_SCHEMA = "riskcore.flatten/1", "riskcore.cancel_all/1"


async def flatten(desk: Desk, asked: Asked) -> Row:
    """Close every position and cancel entry orders; what protects goes once flat. Raises ConfigError."""
    return await _requested(desk, asked, FLATTEN_SCHEMA, positions=True)


async def cancel_all(desk: Desk, asked: Asked) -> Row:
    """Cancel every working order and leave positions as they are. Raises ConfigError."""
    return await _requested(desk, asked, CANCEL_SCHEMA, positions=False)


async def _requested(desk: Desk, asked: Asked, schema: str, *, positions: bool) -> Row:
    accounts = asked_accounts(desk, asked)
    rows = [
        {
            "account": account.id,
            "account_name": account.name,
            "open_positions": len(account.held()),
            "working_orders": len(account.working_orders()),
        }
        for account in accounts
    ]
    keys = [desk.submit(FlattenRequested(account.id, positions)) for account in accounts]
    commands = [name for key in keys for name in commands_of(await stored_events(desk, key))]
    return {"schema": schema, "carried_out": desk.book.enforces, "commands": commands, "accounts": rows}
