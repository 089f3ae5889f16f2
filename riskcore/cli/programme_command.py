"""`riskcore programme`: the firm's programme."""

import click

from riskcore.cli.programme_operator import add_to


@click.group(epilog="Example: riskcore programme note 50KTC-V2-99000001 'support confirmed the floor'")
def command() -> None:
    """The firm's programme: what only you know of an account."""


add_to(command)
