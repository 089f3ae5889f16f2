"""Journal exports as files: plain or compressed (.gz), streamed, and written whole or not at all."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from riskcore.errors import Corrupt, InputError, StoreError
from riskcore.schema.export import ExportWriter, Stored, ignore, read_export

LONGEST_LINE = 16 * 1024 * 1024


@contextmanager
def write_export(path: Path) -> Iterator[ExportWriter]:
    """A writer into a file that appears under its name only when everything is written. Raises StoreError.

    A .gz carries neither name nor time, so that the same days always give the same bytes.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield from _written(packed.write)
            else:
                yield from _written(file.write)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: the export cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def _written(write: Callable[[bytes], object]) -> Iterator[ExportWriter]:
    writer = ExportWriter(write)
    yield writer
    writer.close()


def read_export_file(path: Path, warn: Callable[[str], None] = ignore, strict: bool = False) -> Iterator[Stored]:
    """Every event of an export file, checked as `read_export` says. Raises InputError, Corrupt."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from read_export(_lines(file, path), path.name, warn, strict)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Corrupt(f"{path.name}: the compressed file is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _lines(file: BufferedIOBase, path: Path) -> Iterator[bytes]:
    number = 0
    try:
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise InputError(f"{path.name}, line {number}: longer than {LONGEST_LINE} bytes, no journal export")
            yield line
    except EOFError:
        # A compressed file that was cut off: an empty line tells the reader that more was meant to come.
        yield b""
