"""`riskcore verify`: sequence, hash chain, and that recomputed decisions equal recorded ones (INTERFACE.md 4)."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import output_options, print_json, progress, say_on_stderr, warn
from riskcore.cli.source_options import source_of, source_options

Row = dict[str, Any]


@click.command(epilog="Example: riskcore verify friday.jsonl.gz")
@click.argument("sessions", nargs=-1, type=click.Path(path_type=Path), metavar="[SESSION]...")
@source_options
@output_options
def command(
    sessions: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Check days of the journal, or SESSION files: nothing missing, nothing edited, and decided the same again.

    Every day is run alone from its own opening, under the settings it carries. Exit code 3: damaged, edited, or
    a day that this riskcore cannot judge; 1: decisions differ; 0: fine. A wire recording has no decisions: its
    lines and end line are checked. Of an evidence pack, give the folder.
    """
    from replay.verify import verify

    check = verify(
        source_of(sessions, options),
        warn=lambda text: warn(text, quiet=quiet),
        progress=lambda name, count: progress(f"{name}: {count} events", quiet=quiet),
    )
    result = check.result()
    for damage in result["damage"]:
        say_on_stderr(f"error: {damage['text']}")
    if as_json:
        print_json(result)
    elif text := verified_text(result):
        click.echo(text)
    return check.exit_code()


def verified_text(result: Row) -> str:
    """One line a day or recording, and the first differences."""
    lines = [
        f"{row['source']}  {row['lines']} lines, {row['events']} events, {row['rejected']} rejected; "
        f"{'the end line matches' if row['end_line'] else 'no end line'}; a wire recording has no decisions to compare"
        for row in result["recordings"]
    ]
    for row in result["days"]:
        lines += _day(row, result["version"])
    return "\n".join(lines)


def _day(row: Row, version: str) -> list[str]:
    start = f"{row['source']}  {row['trade_date']}  {row['events']} events, chain whole, last hash {row['last_hash']}"
    left_out = [f"  {text}" for text in row["left_out"]]
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
