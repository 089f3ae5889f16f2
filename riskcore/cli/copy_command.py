"""`riskcore copy`: all that one store holds, into another."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from riskcore.cli.options import output_options, print_json
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.screen.words import counted
from riskcore.errors import ConfigError

if TYPE_CHECKING:
    from riskcore.store.copying import CopySource

SCHEMA = "riskcore.copy/1"


@click.command(epilog="Example: riskcore copy journal.db postgresql://desk@db.example/riskcore")
@click.argument("source", metavar="STORE")
@click.argument("target", metavar="STORE")
@output_options
def command(source: str, target: str, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Copy the first STORE into the second: events, messages and remembered states of every profile.

    Both are files or URLs of any kind; the first may also be a folder that `riskcore archive` wrote. The hash chain
    is checked on both sides, and both end with the same hash. The first is only read, so an engine may go on using
    it: what it stores meanwhile is left to the next copy. The second must be empty or hold a part of the same
    journal. An interrupted copy goes on where it stopped when you repeat the command.
    """
    from riskcore.store.copying import StoreSource
    from riskcore.store.location import existing_store
    from riskcore.store.server_url import without_password

    source, target = without_password(source), without_password(target)
    if _place(source) == _place(target):
        raise ConfigError(f"{source}: is the same store as {target}; name another one to copy to")
    if Path(source).is_dir():
        from replay.archive_source import ArchiveSource

        _run(ArchiveSource(Path(source)), target, quiet=quiet, as_json=as_json)
        return
    with StoreSource(existing_store(source)) as store:
        _run(store, target, quiet=quiet, as_json=as_json)


def _run(source: "CopySource", target: str, *, quiet: bool, as_json: bool) -> None:
    from riskcore.store.copying import copy

    with Progress(quiet=quiet) as progress:
        added = copy(source, target, progress.session)
    days = [
        {"stream": name, "events": end.seq, "added": added.get(name, 0), "last_hash": end.digest.hex()}
        for name, end in source.ends.items()
    ]
    if as_json:
        print_json({"schema": SCHEMA, "source": source.where, "target": target, "days": days})
        return
    ends = {str(row["stream"]).rpartition("/")[0]: row for row in days}
    for profile, last in ends.items():
        number = sum(added[name] for name in added if name.rpartition("/")[0] == profile)
        print_text(
            f"profile {profile}: {counted(number, 'event')} copied; the copy is whole and ends with event"
            f" {last['events']} of {str(last['stream']).rpartition('/')[2]}, hash {last['last_hash']}"
        )


def _place(where: str) -> str:
    from riskcore.store.server_url import is_server

    if is_server(where):
        return where
    return str(Path(where.removeprefix("sqlite://")).resolve())
