"""`riskcore live --log FILE`: the lines of a run in a file that is rotated, whatever else is shown."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from riskcore.cli.live_text import Outlet
from riskcore.errors import CannotWrite, RiskcoreError
from riskcore.store.private import open_private

BYTES = 5_000_000
KEPT_FILES = 5


class RotatedFile(io.TextIOBase):
    """A text stream for whole lines into files of BYTES each; only their owner may read them. Raises CannotWrite."""

    def __init__(self, path: Path, most_bytes: int = BYTES) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _Handler(path, maxBytes=most_bytes, backupCount=KEPT_FILES, encoding="utf-8")
        except OSError as error:
            raise CannotWrite(f"{path}: the log cannot be written here: {error.strerror or error}") from None

    def write(self, text: str) -> int:
        """Append what ends with a newline; on a full disk it is left out."""
        self._handler.emit(logging.makeLogRecord({"msg": text.removesuffix("\n")}))
        return len(text)

    def close(self) -> None:
        self._handler.close()
        super().close()


class _Handler(RotatingFileHandler):
    def _open(self) -> Any:
        handle = open_private(Path(self.baseFilename), os.O_WRONLY | os.O_APPEND)
        return os.fdopen(handle, self.mode, encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is that of logging.
        """A full disk must not fill the terminal with tracebacks."""


@contextmanager
def logged(path: Path | None) -> Iterator[Outlet | None]:
    """The log of a run, None when none is asked for; why the run ends with an error is its last line."""
    if path is None:
        yield None
        return
    file = RotatedFile(path)
    outlet = Outlet(file)
    try:
        yield outlet
    except RiskcoreError as error:
        outlet.write(noted("error", str(error)))
        raise
    finally:
        outlet.close()
        with suppress(OSError):
            file.close()


def noted(kind: str, text: str) -> str:
    """A line of the command itself, as the lines of what happened begin."""
    return f"{strftime('%Y-%m-%d %H:%M:%S', gmtime())}.000Z  {kind:<10}  {' '.join(text.splitlines())}"
