"""Wire recordings, written: header, lines in order of receipt, end line. Source: INTERFACE.md 4."""

import gzip
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from adapters.topstepx.fields import encode
from replay.recording import WIRE_FORM, WRITER
from riskcore.errors import CannotWrite, InputError
from riskcore.schema.ending import Ending
from riskcore.schema.instants import instant_text
from riskcore.store.export_file import is_special, open_special


class WireWriter:
    """Writes one recording, packed when its name ends in .gz; the same lines give the same bytes.

    The end line is written on leaving without an error, so that a recording that broke off shows it; then all of it
    is safely on the disk. Raises CannotWrite when the file cannot be opened.
    """

    def __init__(self, path: Path, header: dict[str, Any] | None = None) -> None:
        self.path = path
        self._ending = Ending()
        self._last_at = 0
        try:
            self._file = open_special(path) if is_special(path) else path.open("wb")
        except OSError as error:
            raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from error
        self._packed = gzip.GzipFile("", "wb", fileobj=self._file, mtime=0) if path.suffix == ".gz" else None
        self._put(encode({"riskcore": WIRE_FORM, "writer": WRITER, **(header or {})}))

    def __enter__(self) -> "WireWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write(self._ending.line())
        if self._packed is not None:
            self._packed.close()
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())

    def write(self, at: int, line: dict[str, Any]) -> None:
        """One line as received at `at` in nanoseconds, `line` without its `at`; numbers may be fields.Number.

        Raises InputError when time would go backwards.
        """
        if at < self._last_at:
            raise InputError(f"{self.path}: {instant_text(at)} is earlier than the line before")
        self._last_at = at
        self._put(encode({"at": instant_text(at), **line}))

    def write_line(self, line: bytes) -> None:
        """A whole line that has its `at` already, and is not earlier than the one before."""
        self._ending.add(line)
        self._write(line)

    def flush(self) -> None:
        """Hand everything to the system, so that a reader finds it; a packed file grows a little by it."""
        if self._packed is not None:
            self._packed.flush()
        self._file.flush()

    def _put(self, text: str) -> None:
        self.write_line(text.encode("utf-8") + b"\n")

    def _write(self, data: bytes) -> None:
        (self._packed or self._file).write(data)
