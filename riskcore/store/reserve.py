"""Blocks kept beside the store for the day on which the disk is full (DESIGN.md "One event, end to end").

An engine that cannot store must not decide, so a full disk would switch the limits off. The blocks of this file are
given back to the disk step by step, each just before a write is tried again: limits go on acting until none is left.
They are taken back as soon as there is room again.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from riskcore.errors import DiskFull
from riskcore.store.private import open_private

RESERVE_BYTES = 1 << 20  # Hours of an account's events, minutes of a busy market's quotes.
# Given back at a time: the program that filled the disk takes what is free, too.
STEP_BYTES = 64 << 10
_CHUNK = bytes(STEP_BYTES)

T = TypeVar("T")


class Reserve:
    """The file at `path`. Nothing here raises but the writes that are handed in."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size
        self.reason: str | None = None  # Why the reserve is not whole; None while it is.

    @property
    def left(self) -> int:
        """Bytes still kept."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def spend(self, write: Callable[[], T]) -> T:
        """Try a write, giving back a step of the reserve before each further try. Raises what `write` raises."""
        while True:
            try:
                return write()
            except DiskFull as error:
                self.reason = str(error)
                if not self._give_back():
                    raise

    def fill(self) -> bool:
        """Take back what was given, if there is clearly room for it; whether the reserve is whole now."""
        try:
            left = self.left
            if left < self._size:
                # As much again stays free: what is taken to the last block would only be given back at once.
                if shutil.disk_usage(self._path.parent).free < 2 * (self._size - left):
                    raise OSError("the disk is full")
                self._allocate(left)
        except OSError as error:
            self.reason = self.reason or str(error.strerror or error)
            return False
        self.reason = None
        return True

    def _give_back(self) -> bool:
        left = self.left
        if not left:
            return False
        try:
            os.truncate(self._path, max(left - STEP_BYTES, 0))
        except OSError:
            return False
        return True

    def _allocate(self, left: int) -> None:
        handle = open_private(self._path, os.O_WRONLY)
        try:
            os.lseek(handle, left, os.SEEK_SET)
            # Written, not only claimed: some file systems keep no blocks for what was never written.
            written = left
            while written < self._size:
                written += os.write(handle, _CHUNK[: self._size - written])
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, left)
            raise
        finally:
            os.close(handle)
