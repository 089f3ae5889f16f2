"""`riskcore price`: the market in one contract, as the running engine sees it."""

from typing import Any

import click

from riskcore.cli.desk_options import ask_engine, desk_options, show
from riskcore.cli.desk_text import price_text


@click.command(epilog="Example: riskcore price MNQ")
@click.argument("contract")
@desk_options
def command(contract: str, **options: Any) -> int:
    """Show last, bid and ask of a contract, and how old they are. A contract nobody watches is subscribed to first."""
    show(options, ask_engine(options, {"ask": "price", "contract": contract}), price_text)
    return 0
