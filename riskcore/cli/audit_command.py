"""`riskcore audit`: what rules found, what they demanded, the outcome, and the settings in force."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import account_option, output_options, print_json, say_on_stderr, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.source_options import source_of, source_options
from riskcore.cli.written_file import WRITTEN, keep_apart
from riskcore.errors import ConfigError

if TYPE_CHECKING:
    from replay.source import Source


@click.command(epilog="Example: riskcore audit --day 2026-11-20 --database audit.db")
@click.argument("sessions", nargs=-1, type=SESSION, metavar="[SESSION]...")
@source_options
@account_option
@click.option(
    "--database",
    type=WRITTEN,
    metavar="FILE.db",
    help="Also write everything to a plain SQLite database for other tools; replaces one that riskcore wrote.",
)
@click.option(
    "--evidence",
    nargs=2,
    metavar="FROM TO",
    help="Write an evidence pack of these trading days: messages, decisions, settings, hashes and a page.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Where it goes.")
@output_options
def command(
    sessions: tuple[Path, ...],
    accounts: tuple[str, ...],
    database: Path | None,
    evidence: tuple[str, str] | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """List breaches, commands, lockouts, overrides, missed enforcement and settings in force.

    Recorded days come from the journal or from SESSION files; a wire recording is judged under the settings.
    """
    keep_apart()
    if (evidence is None) != (out is None):
        raise ConfigError("an evidence pack takes both: --evidence FROM TO --out FOLDER")
    if evidence is not None and out is not None:
        _evidence(source_of(sessions, options), evidence, out, accounts, as_json, quiet)
        return
    from replay.source import feed
    from riskcore.audit.log import AuditLog
    from riskcore.audit.report import audit_report, chosen_accounts
    from riskcore.cli.audit_text import audit_text

    log = AuditLog()
    with Progress(quiet=quiet) as progress:
        feed(
            source_of(sessions, options),
            log.listen,
            keep_quotes=True,
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.session,
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
        print_text(audit_text(report), log.timezone)


def _evidence(
    source: "Source", days: tuple[str, str], folder: Path, accounts: tuple[str, ...], as_json: bool, quiet: bool
) -> None:
    """Write the pack and say what is in it. Raises ConfigError."""
    from replay.evidence import write_evidence

    first, last = (_trade_date(day) for day in days)
    written = write_evidence(source, first, last, folder, accounts)
    if as_json:
        print_json({"schema": "riskcore.evidence/1", **written})
        return
    if written["wire_missing"] and not quiet:
        say_on_stderr(f"warning: no wire recording in it: {written['wire_missing']}")
    print_text(
        f"{folder}: {', '.join(written['days'])}, {written['messages']} messages; check it: riskcore verify {folder}"
    )


def _trade_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConfigError(f"--evidence {text}: not a trading day like 2026-11-20") from None
