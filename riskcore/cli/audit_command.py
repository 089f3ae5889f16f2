"""`riskcore audit`: what rules found, what they demanded, the outcome, and the settings in force."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import account_option, output_options, print_json, progress, say_on_stderr, warn
from riskcore.cli.source_options import source_of, source_options


@click.command(epilog="Example: riskcore audit --day 2026-11-20 --database audit.db")
@click.argument("sessions", nargs=-1, type=click.Path(path_type=Path), metavar="[SESSION]...")
@source_options
@account_option
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.db",
    help="Also write everything to a plain SQLite database for other tools; replaces one that riskcore wrote.",
)
@output_options
def command(
    sessions: tuple[Path, ...],
    accounts: tuple[str, ...],
    database: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """List breaches, commands, lockouts, overrides, missed enforcement and settings in force.

    Recorded days come from the journal or from SESSION files; a wire recording is judged under the settings.
    """
    from replay.source import feed
    from riskcore.audit.log import AuditLog
    from riskcore.audit.report import audit_report, chosen_accounts
    from riskcore.cli.audit_text import audit_text

    log = AuditLog()
    feed(
        source_of(sessions, options),
        log.listen,
        keep_quotes=True,
        warn=lambda text: warn(text, quiet=quiet),
        progress=lambda name, count: progress(f"{name}: {count} events", quiet=quiet),
    )
    report = audit_report(log.finish(), accounts)
    if database is not None:
        from riskcore.audit.database import write_database

        write_database(database, log, chosen_accounts(log, accounts))
        if not quiet:
            say_on_stderr(f"wrote {database}")
    if as_json:
        print_json(report)
    else:
        click.echo(audit_text(report))
