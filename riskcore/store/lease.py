"""One writer a profile: an operating-system lock on a side file, taken before anything is appended.

The lock dies with its process, however it ends; the file stays and means nothing. The fenced lease row beside
it (recorder.py) covers disks on which file locks do not work. Source: DESIGN.md "Two engines, one profile".
"""

import os
import sys
from pathlib import Path

from riskcore.errors import ProfileBusy, StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        # A record lock, not flock: a forked child must not keep the lock of a dead engine.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


# Record locks do not exclude a second opening in the same process, so that case is remembered here.
_held: set[Path] = set()


class ProfileLock:
    """Holds the lock of `path` from creation until `release`. Raises ProfileBusy, StoreError."""

    def __init__(self, path: Path, profile: str) -> None:
        self._path = path
        busy = ProfileBusy(f"another engine is writing profile {profile} ({path}); stop it first")
        if self._path in _held:
            raise busy
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: the journal cannot be written here ({error.strerror})") from error
        try:
            _lock(self._handle)
        except OSError as error:
            os.close(self._handle)
            raise busy from error
        _held.add(self._path)

    def release(self) -> None:
        if self._path in _held:
            _held.discard(self._path)
            os.close(self._handle)
