"""Journal exports as files: plain or compressed (.gz), streamed, and written whole or not at all.

Read with replay.recording.open_lines and schema.export.read_export.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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

    A .gz carries neither name nor time, so that the same days always give the same bytes.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield packed.write
            else:
                yield file.write
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise CannotWrite(f"{path}: the export cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)
