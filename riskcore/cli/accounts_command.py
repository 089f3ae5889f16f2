"""`riskcore accounts`: the accounts of the login, as the broker lists them."""

import asyncio
import os

import click

from riskcore.cli.options import output_options, print_json, rest_option
from riskcore.cli.print_text import print_text

SCHEMA = "riskcore.accounts/1"


@click.command(epilog="Example: riskcore accounts --json")
@rest_option
@output_options
def command(api_url: str, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Log in, list the active accounts, log out. Name them in `accounts` of [profile], by name or by id."""
    from adapters.topstepx.credentials import find_credentials
    from adapters.topstepx.login_trial import listed_accounts, name_of
    from riskcore.cli.live_options import ask_person
    from riskcore.core.quantities import money_text
    from riskcore.engine.clock import SystemClock
    from riskcore.live.run import interactive

    credentials = find_credentials(os.environ, ask_person if interactive() else None)
    found = asyncio.run(listed_accounts(credentials, api_url, SystemClock()))
    balances = [None if one.balance_usd is None else money_text(one.balance_usd) for one in found]
    if as_json:
        rows = [
            {
                "id": one.account,
                "name": one.name,
                "balance": balance,
                "can_trade": one.can_trade,
                "simulated": one.simulated,
            }
            for one, balance in zip(found, balances, strict=True)
        ]
        print_json({"schema": SCHEMA, "accounts": rows})
        return
    if not found:
        print_text("the broker lists no active account")
    wide = max((len(name_of(one)) for one in found), default=0)
    for one, balance in zip(found, balances, strict=True):
        trades = "may not trade" if one.can_trade is False else "may trade"
        kind = "live funded, never judged or touched" if one.simulated is False else "simulated"
        print_text(f"{name_of(one):<{wide}}  {one.account}  {balance or 'unknown':>12}  {trades}, {kind}")
