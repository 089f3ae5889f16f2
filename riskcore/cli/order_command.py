"""`riskcore order`: the trader's own orders, allowed or declined by the rules before they are sent."""

import click

from riskcore.cli.order_commands import cancel, close, modify_stop, modify_target, place


@click.group(epilog="Example: riskcore order place MNQ buy 1 --stop-loss 40 --take-profit 80")
def command() -> None:
    """Place, close, cancel or change orders through the running engine (riskcore live).

    Only orders sent through riskcore can be declined beforehand; what is placed in the platform's own screen is seen
    after it was accepted, and answered then.
    """


for one in (place, close, cancel, modify_stop, modify_target):
    command.add_command(one)
