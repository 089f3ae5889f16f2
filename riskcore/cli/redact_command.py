"""`riskcore redact`: a session file to share, without names and ids."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from riskcore.cli.options import (
    config_given,
    config_options,
    output_options,
    print_json,
    reading_options,
    say_on_stderr,
    warn,
)
from riskcore.cli.session_file import SESSION
from riskcore.errors import CannotWrite, ConfigError

STDOUT = "-"


@click.command(epilog="Example: riskcore redact friday.jsonl --out friday-shared.jsonl.gz")
@click.argument("session", type=SESSION)
@click.option("--out", required=True, metavar="FILE", help="The copy, compressed when it ends in .gz; - for stdout.")
@click.option(
    "--map",
    "map_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write what stands for what, for you alone (mode 0600). Nothing else leads back.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@config_options
@reading_options
@output_options
def command(
    session: Path,
    out: str,
    map_path: Path | None,
    force: bool,
    config_path: Path | None,
    sets: tuple[str, ...],
    skip_bad_lines: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Write a copy of SESSION in which stand-ins replace accounts, ids, custom tags and everything anybody wrote.

    SESSION is a wire recording or a journal export, .gz too. Contracts, prices, sizes, amounts and times stay. The
    copy is left behind only if the core decides the same on it, which is tried out; a wire recording is judged under
    the settings. The header says that it is a redacted copy, and names the hash of the original.
    """
    from replay.redact.redact import Asked, redact
    from replay.whatif.report_words import counted
    from riskcore.store.export_file import is_special

    if out == STDOUT and as_json:
        raise ConfigError("--json describes the file that was written; name one with --out")
    for path in (Path(out) if out != STDOUT else None, map_path):
        if path is not None and path.is_dir():
            raise ConfigError(f"{path} is a folder; name a file in it")
        if path is not None and path.exists() and session.exists() and path.samefile(session):
            raise ConfigError(f"{path} is the session itself; name another file")
        if path is not None and path.exists() and not (force or is_special(path)):
            raise ConfigError(f"{path} already exists; --force overwrites it")
    if map_path is not None and map_path.resolve() == Path(out).resolve():
        raise ConfigError("--map and --out name the same file")
    asked = Asked(
        session, config_path, sets, config_given(), skip_bad_lines, strict, lambda text: warn(text, quiet=quiet)
    )
    with tempfile.TemporaryDirectory(prefix="riskcore-") as folder:
        streamed = out == STDOUT or is_special(Path(out))
        target = Path(folder, "copy.jsonl") if streamed else Path(out)
        result, stand_ins = redact(asked, target)
        if map_path is not None:
            _write_map(map_path, {"schema": "riskcore.redaction_map/1", **stand_ins.row()})
        if streamed:
            _stream(target, out)
    if as_json:
        print_json(result)
    elif out != STDOUT and not quiet:
        say_on_stderr(
            f"wrote {out}: {counted(result['decisions'], 'decision')}, the same as on the original; "
            f"{counted(result['ids'], 'id')} and {counted(result['accounts'], 'account name')} replaced"
        )


def _stream(copy: Path, out: str) -> None:
    """Hand a finished copy to whoever reads it."""
    from riskcore.store.export_file import open_special

    with copy.open("rb") as file:
        if out == STDOUT:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            with open_special(Path(out)) as target:
                shutil.copyfileobj(file, target)


def _write_map(path: Path, content: dict[str, object]) -> None:
    """The map, for its owner alone from its first byte on. Raises CannotWrite."""
    from riskcore.store.private import open_private

    try:
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8", newline="\n") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
            file.write("\n")
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written ({error.strerror or error})") from error
