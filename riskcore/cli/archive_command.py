"""`riskcore archive`: closed days out of the journal into verified files (docs/guides/archive.md)."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import output_options, print_json, profile_file_option, say_on_stderr, store_option, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.screen.words import counted
from riskcore.errors import ProfileBusy

SCHEMA = "riskcore.archive/1"


@click.command(epilog="Example: riskcore archive --before 2026-10-01 --out archive")
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Move the trading days before this one.",
)
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the files; one with earlier days of the same journal may be used again.",
)
@click.option(
    "--thin-quotes",
    is_flag=True,
    help="Leave out quotes that no decision depends on; the marks between those that stay are lost for good.",
)
@click.option("--profile", metavar="NAME", help="Profile to archive; needed if the journal holds several.")
@store_option
@profile_file_option
@output_options
def command(
    before: Any,
    folder: Path,
    thin_quotes: bool,
    profile: str | None,
    store: str | None,
    config_path: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Move closed days of the journal into files, one a day, and give their room back.

    Every command reads the files where they are: riskcore audit DIR/*.jsonl.gz. A day leaves the journal only when
    its file was read back and holds the same chain of hashes. The last day always stays, and with it all that the
    engine needs to go on. Stop the engine first. An interrupted run goes on when you repeat the command.

    With --thin-quotes each day is decided twice, with all of its quotes and with those that stay; one that would be
    decided otherwise is moved whole.
    """
    from replay.archive import archive
    from riskcore.audit.following import chosen_journal
    from riskcore.store.journal import Journal
    from riskcore.store.lease import is_held
    from riskcore.store.location import stored_profiles
    from riskcore.store.recorder import lock_path
    from riskcore.store.server_url import is_server

    where, chosen = chosen_journal(store, profile, config_path)
    for other in [] if is_server(where) else stored_profiles(where):
        if other != chosen and is_held(lock_path(where, other)):
            raise ProfileBusy(f"{where}: an engine of profile {other} writes the same store; stop it first")
    size = _size(where)
    with Journal.open(where, chosen, write=True) as journal, Progress(quiet=quiet) as progress:
        left = archive(journal, before.strftime("%Y-%m-%d"), folder, progress.session, thin_quotes=thin_quotes)
        stays = journal.streams()
    freed = None if size is None else size - (_size(where) or 0)
    for one in left:
        if one.kept_whole is not None:
            warn(f"day {one.day.trade_date} was moved with all of its quotes: {one.kept_whole}", quiet=quiet)
    if as_json:
        days = [
            {
                **one.day.row(),
                "events": one.day.events,
                "sha256": one.day.sha256,
                "quotes_left_out": one.thinned,
                "kept_whole": one.kept_whole,
            }
            for one in left
        ]
        print_json({"schema": SCHEMA, "profile": chosen, "days": days, "stays_from": stays[0], "freed_bytes": freed})
        return
    if not left and not quiet:
        say_on_stderr(f"no closed day before {before:%Y-%m-%d} in the journal of profile {chosen}; nothing was moved")
    if left:
        room = "" if freed is None else f"; the journal is {freed / 1e6:,.1f} MB smaller"
        first, last = left[0].day, left[-1].day
        thinned = sum(one.thinned for one in left)
        without = f" without {counted(thinned, 'quote')} that no decision needs" if thinned else ""
        print_text(
            f"{counted(len(left), 'day')} moved to {folder}{without}, {first.trade_date} to {last.trade_date},"
            f" last hash {last.last_hash.hex()}; the journal goes on from {stays[0]}{room}"
        )


def _size(where: str) -> int | None:
    """Bytes of a journal in a file, its log included; None for a server."""
    from riskcore.store.server_url import is_server

    if is_server(where):
        return None
    path = where.removeprefix("sqlite://")
    return sum(Path(f"{path}{ending}").stat().st_size for ending in ("", "-wal") if Path(f"{path}{ending}").exists())
