"""`riskcore health`: how well the running engine sees and acts, as a number that explains itself."""

from typing import Any

import click

from riskcore.cli.desk_options import ask_engine, desk_options, show
from riskcore.cli.desk_text import health_text


@click.command(epilog="Example: riskcore health --json")
@desk_options
def command(**options: Any) -> int:
    """Show the health score of the running engine, 0 to 100, and every reason for lost points."""
    show(options, ask_engine(options, {"ask": "health"}), health_text)
    return 0
