"""`riskcore unlock`: end a lockout early, where `operator_unlock = "with_reason"` allows it (RULES.md 3.1)."""

from typing import Any

import click

from riskcore.cli.desk_options import REFUSED, desk_options, show
from riskcore.cli.desk_text import unlock_text
from riskcore.cli.locking import ask_or_write


@click.command(epilog="Example: riskcore unlock --lockout RULE-007 --reason 'the loss was a data error'")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the journal and in every report.")
@click.option("--lockout", metavar="ID-or-RULE", help="Which lockout; needed when several are in force.")
@desk_options
def command(reason: str, lockout: str | None, **options: Any) -> int:
    """End one lockout before its time. Refused (exit 1) by operator_unlock = "never", which is the default, and for
    lockouts that the broker or the programme has set."""
    answer = ask_or_write(options, {"ask": "unlock", "reason": reason, "lockout": lockout})
    show(options, answer, unlock_text)
    return 0 if answer["ended"] else REFUSED
