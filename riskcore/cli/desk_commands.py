"""The trader's words to a running engine, and what it sees: lock, unlock, price, health, portfolio.

A lockout (RULES.md 3.1, 7) needs no running engine: without one the same core writes it into the journal.
"""

import time
from typing import Any

import click

from riskcore.cli.ask_or_write import ask_or_write
from riskcore.cli.desk_options import REFUSED, Row, ask_engine, desk_options, engine_of, show
from riskcore.cli.desk_text import flatten_text, health_text, lock_text, portfolio_text, price_text, unlock_text
from riskcore.errors import ConfigError

PORTFOLIO_SCHEMA = "riskcore.portfolio/1"


@click.command("lock", epilog="Example: riskcore lock 30m --reason 'two losers in a row'")
@click.argument("until")
@click.option("--reason", metavar="TEXT", help="Your reason; it is kept in the journal and shown in every report.")
@click.option("--no-flatten", is_flag=True, help="Leave open positions under their stops; only forbid new ones.")
@desk_options
def lock(until: str, reason: str | None, no_flatten: bool, **options: Any) -> int:
    """Lock the accounts of the profile until a time, flatten them and cancel their orders. You cannot undo this.

    UNTIL is 15m, 30m, 60m or any duration (1h30m), day (until the reset), a session (new-york, london, tokyo, sydney:
    until it ends), a time of the profile's clock (15:30), or an instant (2026-11-20T21:30:00Z).
    """
    request = {"ask": "lock", "until": until, "reason": reason, "flatten": not no_flatten}
    answer = ask_or_write(options, request)
    show(options, answer, lock_text)
    return 0 if all(row["locked"] for row in answer["accounts"]) else REFUSED


@click.command("flatten", epilog="Example: riskcore flatten --account 50KTC-V2-99000001")
@desk_options
def flatten(**options: Any) -> int:
    """Close every position and cancel entry orders, on every account or on one. You are not locked out.

    Protective orders are cancelled once the account is flat. Asking again does no harm. Exit code 0 when it is stored.
    """
    show(options, ask_engine(options, {"ask": "flatten"}), flatten_text)
    return 0


@click.command("unlock", epilog="Example: riskcore unlock --lockout RULE-007 --reason 'the loss was a data error'")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Your reason; it is kept in the journal and shown in every report."
)
@click.option("--lockout", metavar="ID-or-RULE", help="Lockout to end; needed if several are in force.")
@desk_options
def unlock(reason: str, lockout: str | None, **options: Any) -> int:
    """End one lockout before its time. Refused (exit 1) by operator_unlock = "never", which is the default, and for
    lockouts that the broker or the programme has set."""
    answer = ask_or_write(options, {"ask": "unlock", "reason": reason, "lockout": lockout})
    show(options, answer, unlock_text)
    return 0 if answer["ended"] else REFUSED


@click.command("price", epilog="Example: riskcore price MNQ")
@click.argument("contract")
@desk_options
def price(contract: str, **options: Any) -> int:
    """Show last, bid and ask of a contract, and how old they are. Subscribes to the contract first if necessary."""
    show(options, ask_engine(options, {"ask": "price", "contract": contract}), price_text)
    return 0


@click.command("health", epilog="Example: riskcore health --json")
@desk_options
def health(**options: Any) -> int:
    """Show the health score of the running engine, 0 to 100, and every reason for lost points."""
    show(options, ask_engine(options, {"ask": "health"}), health_text)
    return 0


@click.command("portfolio", epilog="Example: riskcore portfolio --account 50KTC-V2-99000001")
@desk_options
def portfolio(**options: Any) -> int:
    """Show balance, day P&L, open positions, working orders, limits and lockouts of every account.

    Asks the running engine. If none is running, shows what the journal knew last, and says so.
    """
    from riskcore.engine.control_client import NoEngine

    try:
        picture = ask_engine(options, {"ask": "portfolio"})
        answer = {"schema": PORTFOLIO_SCHEMA, "running": True, **picture}
    except NoEngine:
        answer = {"schema": PORTFOLIO_SCHEMA, "running": False, **_recorded(options)}
    answer["accounts"] = _chosen(answer["accounts"], options["account"])
    if not answer["running"] and not options["as_json"]:
        click.echo("no engine is running: this is what the journal knew last\n")
    show(options, answer, portfolio_text)
    return 0


def _recorded(options: dict[str, Any]) -> Row:
    from riskcore.audit.following import Follower
    from riskcore.audit.status import book_row
    from riskcore.store.journal import Journal

    store, profile = engine_of(options)
    with Journal.open(store, profile) as journal:
        follower = Follower(journal)
        follower.catch_up()
        return book_row(follower.book, follower.rulebook, follower.book.accounts.values(), time.time_ns())


def _chosen(accounts: list[Row], name: str | None) -> list[Row]:
    if name is None:
        return accounts
    found = [account for account in accounts if name in (str(account["id"]), account["name"])]
    if not found:
        names = ", ".join(str(account["name"] or account["id"]) for account in accounts) or "none"
        raise ConfigError(f"--account {name}: not in this profile; accounts: {names}")
    return found
