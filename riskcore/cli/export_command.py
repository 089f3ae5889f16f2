"""`riskcore export`: days of the journal, or of recordings, as a journal export (INTERFACE.md 4)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import output_options, print_json, progress, say_on_stderr, warn
from riskcore.cli.source_options import source_of, source_options
from riskcore.errors import CannotWrite, ConfigError

if TYPE_CHECKING:
    from riskcore.schema.export import ExportWriter

STDOUT = "-"


@click.command(epilog="Example: riskcore export --day 2026-11-20 --out friday.jsonl.gz")
@click.argument("sessions", nargs=-1, type=click.Path(path_type=Path), metavar="[SESSION]...")
@source_options
@click.option("--all", "all_days", is_flag=True, help="Export every day of the journal. Default: the last one.")
@click.option(
    "--out",
    metavar="FILE",
    help="File to write, compressed when it ends in .gz; - for stdout. Default: stdout if piped, otherwise a file"
    " named after the trading day.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@output_options
def command(
    sessions: tuple[Path, ...],
    all_days: bool,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Write days as a journal export: facts, decisions and their hash chain, which replays alone.

    Days come from the journal, or from SESSION files: a wire recording is run through the core under the
    settings, so that any recording becomes an export; an export can be cut down to some of its days.
    """
    from replay.export import export

    if all_days and options["days"]:
        raise ConfigError("--all means every day; leave out --day")
    source = source_of(sessions, options)
    if out is None and not sys.stdout.isatty():
        out = STDOUT
    if out == STDOUT and as_json:
        raise ConfigError("--json describes the file that was written; name one with --out")
    if out not in (None, STDOUT):
        _refuse_existing(Path(out), force)
    target = _Target(out, force)
    with target.writer() as writer:
        target.days = export(
            source,
            writer,
            all_days=all_days,
            warn=lambda text: warn(text, quiet=quiet),
            progress=lambda name, count: progress(f"{name}: {count} events", quiet=quiet),
        )
    if as_json:
        print_json({"schema": "riskcore.export/1", "written": str(target.path), "days": target.days})
    elif target.path is not None and not quiet:
        say_on_stderr(f"wrote {target.path}: {', '.join(target.days)}")


def _refuse_existing(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise ConfigError(f"{path} already exists; --force overwrites it")


class _Target:
    """Where an export goes. `path` is known when it is written; None for stdout."""

    def __init__(self, out: str | None, force: bool) -> None:
        self._out = out
        self._force = force
        self.path: Path | None = None
        self.days: list[str] = []

    @contextmanager
    def writer(self) -> Iterator["ExportWriter"]:
        """A writer whose file appears whole or not at all."""
        from riskcore.schema.export import ExportWriter
        from riskcore.store.export_file import write_export

        if self._out == STDOUT:
            binary = sys.stdout.buffer
            to_stdout = ExportWriter(binary.write)
            yield to_stdout
            to_stdout.close()
            binary.flush()
            return
        # The name of the day is known only when it was read.
        written = Path(self._out) if self._out is not None else Path(f".riskcore-export-{os.getpid()}.jsonl")
        try:
            with write_export(written) as to_file:
                yield to_file
            self.path = written if self._out is not None else self._named(written)
        finally:
            if self._out is None:
                written.unlink(missing_ok=True)

    def _named(self, written: Path) -> Path:
        first, last = self.days[0], self.days[-1]
        path = Path(f"{first}.jsonl" if first == last else f"{first}_{last}.jsonl")
        _refuse_existing(path, self._force)
        try:
            return written.replace(path)
        except OSError as error:
            raise CannotWrite(f"{path}: cannot be written ({error.strerror})") from error
