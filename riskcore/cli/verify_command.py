"""`riskcore verify`: sequence, hash chain, and that recomputed decisions equal recorded ones (INTERFACE.md 4)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import output_options, print_json, say_on_stderr, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.screen.words import counted
from riskcore.cli.session_file import SESSION
from riskcore.cli.source_options import source_of, source_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskcore.store.archived import ArchivedDay

Row = dict[str, Any]


@click.command(epilog="Example: riskcore verify friday.jsonl.gz")
@click.argument("sessions", nargs=-1, type=SESSION, metavar="[SESSION]...")
@source_options
@click.option(
    "--last-hash",
    metavar="HASH",
    help="A hash that verify printed once and you kept: everything up to that event must still be there.",
)
@output_options
def command(
    sessions: tuple[Path, ...],
    last_hash: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Check days of the journal, or SESSION files: nothing missing, nothing edited, and decided the same again.

    Every day is run alone from its own opening, under the settings it carries. Exit code 3: damaged, edited, or
    a day that this riskcore cannot judge; 1: decisions differ, --last-hash is not found, or with --strict an end
    or the file of an archived day is missing; 0: fine. A wire recording has no decisions: its lines and end line
    are checked. Of an evidence pack or an archive, give the folder.
    """
    from replay.verify import verify

    with Progress(quiet=quiet) as progress:
        check = verify(
            source_of(sessions, options),
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.session,
            last_hash=last_hash,
        )
    result = check.result()
    for row in result["incomplete"]:
        if check.strict:
            say_on_stderr(f"error: incomplete: {row['text']}")
        else:
            warn(f"incomplete: {row['text']}", quiet=quiet)
    for damage in result["damage"]:
        say_on_stderr(f"error: {damage['text']}")
    if check.archived:
        say_archived(check.archived, quiet)
    if as_json:
        print_json(result)
    elif text := verified_text(result):
        print_text(text, result["days"][-1]["timezone"] if result["days"] else "")
    return check.exit_code()


def say_archived(days: "Sequence[ArchivedDay]", quiet: bool) -> None:
    """Where the days are that this store no longer holds, and how to check that they belong to it."""
    from riskcore.store.archived import archive_folders, archive_sentence

    folder, last = archive_folders(days)[-1], days[-1].last_hash.hex()
    warn(f"{archive_sentence(days)}; check them with riskcore verify {folder} --last-hash {last}", quiet=quiet)


def verified_text(result: Row) -> str:
    """One line a day or recording, the first differences, and what a kept hash says."""
    lines = [_recording(row) for row in result["recordings"]]
    for row in result["days"]:
        lines += _day(row, result["version"])
    return "\n".join([*lines, *_kept(result["last_hash"])])


def _recording(row: Row) -> str:
    end = "the end line matches" if row["end_line"] else "no end line, so nothing shows whether its end is there"
    if row["incomplete"]:
        end = "INCOMPLETE, its end is missing"
    return (
        f"{row['source']}  {row['lines']} lines, {row['events']} events received, {row['rejected']} rejected; {end}; "
        "a wire recording has no decisions to compare"
    )


def _day(row: Row, version: str) -> list[str]:
    day = f"{row['source']}  {row['trade_date']}"
    start = f"{day}  {counted(row['events'], 'event')} stored, {_end(row)}, last hash {row['last_hash']}"
    left_out = [f"  {text}" for text in (*row["left_out"], *row["changed_rules"], *_thinned(row))]
    if not row["differences"]:
        same = f"  {row['recorded']} decisions by riskcore {row['version']}, decided the same by {version}"
        return [start, *left_out, same]
    return [
        start,
        *left_out,
        f"  DIFFERENT: {row['recorded']} decisions recorded by riskcore {row['version']},"
        f" {row['recomputed']} recomputed by {version}:",
        *(
            f"  {one['at'] or '':<30}  only {one['only']}: {one['type']} {one['key']} (cause {one['cause']})"
            for one in row["differences"]
        ),
    ]


def _thinned(row: Row) -> list[str]:
    if not row["quotes_left_out"]:
        return []
    count = counted(row["quotes_left_out"], "quote")
    return [f"thinned: {count} left out; the chain proves all but the quotes that stayed, and the journal their file"]


def _end(row: Row) -> str:
    """How far the chain is known to go: only a day that has ended is whole."""
    if row["incomplete"]:
        return "chain unbroken up to there, INCOMPLETE"
    if row["closed"]:
        return "chain whole"
    return "chain unbroken, the day has not ended"


def _kept(kept: Row | None) -> list[str]:
    if kept is None:
        return []
    if kept["found"] is None:
        return ["LAST HASH NOT FOUND: events up to it are missing or were rewritten"]
    found, behind = kept["found"], kept["events_behind"]
    where = f"event {found['seq']} of {found['trade_date']} in {found['source']}"
    since = f", {counted(behind, 'event')} behind it" if behind else ", the last one"
    return [f"last hash found: {where}{since}"]
