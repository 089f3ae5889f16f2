"""`riskcore portfolio`: what every account holds; of the running engine, else of its journal."""

import time
from typing import Any

import click

from riskcore.cli.desk_options import ask_engine, desk_options, engine_of, show
from riskcore.cli.desk_text import portfolio_text
from riskcore.errors import ConfigError

Row = dict[str, Any]
SCHEMA = "riskcore.portfolio/1"


@click.command(epilog="Example: riskcore portfolio --account 50KTC-V2-99000001")
@desk_options
def command(**options: Any) -> int:
    """Show balance, day P&L, open positions, working orders, limits and lockouts of every account.

    Asks the running engine; without one the journal's last word is shown, and said to be old.
    """
    from riskcore.engine.control_file import NoEngine

    try:
        picture = ask_engine(options, {"ask": "portfolio"})
        answer = {"schema": SCHEMA, "running": True, **picture}
    except NoEngine:
        answer = {"schema": SCHEMA, "running": False, **_recorded(options)}
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
