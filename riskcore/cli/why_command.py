"""`riskcore why ID`: one decision explained to its last number."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import account_option, output_options, print_json, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.source_options import source_of, source_options


@click.command(epilog="Example: riskcore why trade:3420190021/99000001/RULE-003 friday.jsonl")
@click.argument("id")
@click.argument("sessions", nargs=-1, type=SESSION, metavar="[SESSION]...")
@source_options
@account_option
@output_options
def command(
    id: str,
    sessions: tuple[Path, ...],
    accounts: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Explain a breach or command: what came in, the figures at the limit, the settings that decided, what followed.

    ID is the id of a breach or command as replay and audit print it, or a beginning or end that only one has.
    Recorded days come from the journal or from SESSION files; a wire recording is judged under the settings.
    """
    from replay.source import feed
    from riskcore.audit.decisions import Decisions
    from riskcore.audit.why import explain
    from riskcore.cli.why_text import why_text

    decisions = Decisions()
    with Progress(quiet=quiet) as progress:
        feed(
            source_of(sessions, options),
            decisions.listen,
            keep_quotes=True,
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.session,
        )
    explanation = explain(decisions, id, accounts)
    if as_json:
        print_json(explanation)
    else:
        print_text(why_text(explanation), explanation["timezone"])
