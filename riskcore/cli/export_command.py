"""`riskcore export`: days of the journal, or of recordings, as a journal export (INTERFACE.md 4)."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import output_options, print_json, say_on_stderr, warn
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.source_options import source_of, source_options
from riskcore.errors import CannotWrite, ConfigError

if TYPE_CHECKING:
    from replay.source import Source

STDOUT = "-"


@click.command(epilog="Example: riskcore export --day 2026-11-20 --out friday.jsonl.gz")
@click.argument("sessions", nargs=-1, type=SESSION, metavar="[SESSION]...")
@source_options
@click.option("--all", "all_days", is_flag=True, help="Export every day of the journal. Default: the last one.")
@click.option(
    "--out",
    metavar="FILE",
    help="File to write, compressed when it ends in .gz; - for stdout. Default: stdout if piped, otherwise a file"
    " named after the trading day.",
)
@click.option(
    "--wire",
    is_flag=True,
    help="Write the broker's messages as they were kept, as a wire recording, instead of events and decisions.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@output_options
def command(
    sessions: tuple[Path, ...],
    all_days: bool,
    out: str | None,
    wire: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Write days as a journal export: facts, decisions and their hash chain, which replays alone.

    Days come from the journal, or from SESSION files: a wire recording is run through the core under the
    settings, so that any recording becomes an export; an export can be cut down to some of its days.
    With --wire you get what the broker said, word for word, where the journal has kept it (keep_payloads).
    """

    if all_days and options["days"]:
        raise ConfigError("--all means every day; leave out --day")
    source = source_of(sessions, options)
    if out is None and not sys.stdout.isatty():
        out = STDOUT
    if out == STDOUT and as_json:
        raise ConfigError("--json describes the file that was written; name one with --out")
    if out not in (None, STDOUT):
        _refuse_existing(Path(out), force)
    target = _Target(out, force, ".wire.jsonl" if wire else ".jsonl")
    with target.writing() as write:
        target.days = (_write_wire if wire else _write_journal)(source, write, all_days, quiet)
    if as_json:
        print_json({"schema": "riskcore.export/1", "written": str(target.path), "days": target.days})
    elif target.path is not None and not quiet:
        say_on_stderr(f"wrote {target.path}: {', '.join(target.days)}")


def _write_journal(source: "Source", write: Callable[[bytes], object], all_days: bool, quiet: bool) -> list[str]:
    from replay.export import export
    from riskcore.schema.export import ExportWriter

    writer = ExportWriter(write)
    with Progress(quiet=quiet) as progress:
        days = export(
            source,
            writer,
            all_days=all_days,
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.session,
        )
    writer.close()
    return days


def _write_wire(source: "Source", write: Callable[[bytes], object], all_days: bool, quiet: bool) -> list[str]:
    from replay.wire_export import WireExport, export_wire

    writer = WireExport(write)
    days = export_wire(source, writer, all_days=all_days)
    writer.close()
    return days


def _refuse_existing(path: Path, force: bool) -> None:
    from riskcore.store.export_file import is_special

    if path.exists() and not is_special(path) and not force:
        raise ConfigError(f"{path} already exists; --force overwrites it")


class _Target:
    """Where an export goes. `path` is known when it is written; None for stdout."""

    def __init__(self, out: str | None, force: bool, ending: str) -> None:
        self._out = out
        self._force = force
        self._ending = ending
        self.path: Path | None = None
        self.days: list[str] = []

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], object]]:
        """Where to write; a file appears whole or not at all."""
        from riskcore.store.export_file import written_whole

        if self._out == STDOUT:
            binary = sys.stdout.buffer
            yield binary.write
            binary.flush()
            return
        # The name of the day is known only when it was read.
        written = Path(self._out) if self._out is not None else Path(f".riskcore-export-{os.getpid()}.jsonl")
        try:
            with written_whole(written) as write:
                yield write
            self.path = written if self._out is not None else self._named(written)
        finally:
            if self._out is None:
                written.unlink(missing_ok=True)

    def _named(self, written: Path) -> Path:
        first, last = self.days[0], self.days[-1]
        path = Path(f"{first}{self._ending}" if first == last else f"{first}_{last}{self._ending}")
        _refuse_existing(path, self._force)
        try:
            return written.replace(path)
        except OSError as error:
            raise CannotWrite(f"{path}: cannot be written ({error.strerror})") from error
