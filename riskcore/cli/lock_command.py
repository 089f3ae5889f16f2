"""`riskcore lock`: a personal lockout (RULES.md 7); with or without a running engine."""

from typing import Any

import click

from riskcore.cli.desk_options import REFUSED, desk_options, show
from riskcore.cli.desk_text import lock_text
from riskcore.cli.locking import ask_or_write


@click.command(epilog="Example: riskcore lock 30m --reason 'two losers in a row'")
@click.argument("until")
@click.option("--reason", metavar="TEXT", help="Why; it stands in the journal and in every report.")
@click.option("--no-flatten", is_flag=True, help="Keep open positions under their stops; only forbid new ones.")
@desk_options
def command(until: str, reason: str | None, no_flatten: bool, **options: Any) -> int:
    """Lock the accounts of the profile until a time, flatten them and cancel their orders. It cannot be undone.

    UNTIL is 15m, 30m, 60m or any duration (1h30m), day (until the reset), a session (new-york, london, tokyo, sydney:
    until it ends), a time of the profile's clock (15:30), or an instant (2026-11-20T21:30:00Z).
    """
    request = {"ask": "lock", "until": until, "reason": reason, "flatten": not no_flatten}
    answer = ask_or_write(options, request)
    show(options, answer, lock_text)
    return 0 if all(row["locked"] for row in answer["accounts"]) else REFUSED
