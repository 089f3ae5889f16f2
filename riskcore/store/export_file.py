"""Journal exports, and other results, as files: plain or compressed (.gz), streamed, and written whole or not at all.

Read with replay.recording.open_lines and schema.export.read_export.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from riskcore.errors import CannotWrite
from riskcore.schema.export import ExportWriter


@contextmanager
def write_export(path: Path) -> Iterator[ExportWriter]:
    """A writer of a journal export; see `written_whole`. Raises CannotWrite."""
    with written_whole(path) as write:
        writer = ExportWriter(write)
        yield writer
        writer.close()


@contextmanager
def written_whole(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Writes into a file that appears under its name only when everything is written. Raises CannotWrite.

    A .gz carries neither name nor time, so that the same days always give the same bytes. Of a link the file it points
    to is written; into a device or pipe the bytes go as they come.
    """
    try:
        if is_special(path):
            with open_special(path) as file, _packed(path, file) as write:
                yield write
            return
        place = path.resolve()
        partial = place.with_name(f".{place.name}.partial")
        try:
            with partial.open("wb") as file:
                with _packed(path, file) as write:
                    yield write
                file.flush()
                os.fsync(file.fileno())
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written ({error.strerror or error})") from error


def write_file(path: Path, content: bytes) -> None:
    """A file, whole or not at all; see `written_whole`. Raises CannotWrite."""
    with written_whole(path) as write:
        write(content)


def is_special(path: Path) -> bool:
    """Whether something is there that is no file and no folder, such as a device or a pipe. It is never replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode))


def open_special(path: Path) -> BinaryIO:
    """Open a device or pipe for writing; a pipe without a reader is an error at once. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        os.set_blocking(handle, True)
    except (OSError, AttributeError):
        os.close(handle)
        raise OSError(f"{path}: not a place to write to") from None
    return os.fdopen(handle, "wb")


@contextmanager
def _packed(path: Path, file: BinaryIO) -> Iterator[Callable[[bytes], object]]:
    if path.suffix != ".gz":
        yield file.write
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        yield packed.write
