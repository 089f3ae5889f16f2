"""Days of a store for commands that read session files: they are exported into a folder that goes with the command."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import Command, store_option
from riskcore.cli.source_options import day_option, typed
from riskcore.errors import ConfigError


def stored_sessions_options(command: Command) -> Command:
    """--store, --profile and --day, for `sessions_or_stored`."""
    profile = click.option("--profile", metavar="NAME", help="Profile of the store; needed if it holds several.")
    return store_option(profile(day_option(command)))


def sessions_or_stored(sessions: tuple[Path, ...], **of: Any) -> tuple[Path, ...]:
    """The SESSION files given, else the days of the store as one journal export. Raises ConfigError, StoreError.

    `of`: store, profile and days, as the options above pass them.
    """
    if sessions:
        if typed("store") or of["profile"] is not None or of["days"]:
            raise ConfigError("--store, --profile and --day choose days of a journal; give them without SESSION")
        return sessions
    from replay.export import export
    from replay.source import Source
    from riskcore.store.export_file import write_export

    folder = Path(tempfile.mkdtemp(prefix="riskcore-"))
    click.get_current_context().call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
    path = folder / "store.jsonl"
    with write_export(path) as writer:
        export(Source((), **of), writer, all_days=True)
    return (path,)
