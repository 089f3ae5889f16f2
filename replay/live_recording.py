"""A wire recording written as it happens: that of `riskcore live --record`, or of a bot. Source: INTERFACE.md 4.

It never stands in the way of the engine: a file that can no longer be written is given up, with one warning.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from replay.wire_writer import WireWriter
from riskcore.errors import CannotWrite
from riskcore.store.private import create_private

# A packed file is let go of once a second at most: each time costs some of its packing.
_PACKED_APART_NS = 1_000_000_000
_MOST_NAMES = 10_000


def free_path(path: Path) -> Path:
    """The path itself, or the first of day.2.jsonl, day.3.jsonl ... that is not there: none is ever replaced."""
    stem, dot, ending = path.name.partition(".")
    names = [path, *(path.with_name(f"{stem}.{number}{dot}{ending}") for number in range(2, _MOST_NAMES))]
    return next((name for name in names if not name.exists()), path)


class LiveRecording:
    """The engine's Recording; `header` is what its first line says, `now` tells the time in nanoseconds.

    Raises CannotWrite when the file cannot be begun, and nothing after that.
    """

    def __init__(self, path: Path, header: dict[str, Any], warn: Callable[[str], None], now: Callable[[], int]) -> None:
        if path.exists() and not path.is_file():
            what = "a folder; name a file in it" if path.is_dir() else "a pipe or a device; name a file"
            raise CannotWrite(f"{path}: cannot be written: it is {what}, such as monday.jsonl")
        self.path = free_path(path)
        try:
            create_private(self.path)  # What a trader holds and earns is nobody else's business.
        except OSError as error:
            raise CannotWrite(f"{self.path}: cannot be written: {error.strerror or error}") from error
        self._writer: WireWriter | None = WireWriter(self.path, header)
        self._writer.flush()  # A kill at any time leaves a recording.
        self._warn = warn
        self._now = now
        self._packed = self.path.suffix == ".gz"
        self._flushed_at = 0
        self.last_at = 0
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        """See riskcore.engine.wire.Recording."""
        if self._writer is not None:
            self._lines.append(line)

    def flush(self) -> None:
        """See riskcore.engine.wire.Recording."""
        writer = self._writer
        if writer is None or not self._lines:
            return
        try:
            for line in self._lines:
                writer.write_line(line)
            self._lines.clear()
            now = self._now()
            if not self._packed or now - self._flushed_at >= _PACKED_APART_NS:
                writer.flush()
                self._flushed_at = now
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write the end line: the recording is whole."""
        self.flush()
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.__exit__(None, None, None)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        writer, self._writer = self._writer, None
        self._lines.clear()
        if writer is not None:
            with suppress(OSError):
                writer.__exit__(type(error), error, None)
        reason = error.strerror or error
        self._warn(f"{self.path}: the recording ends here, it cannot be written ({reason})")
