"""One writer a profile: an operating-system lock on a side file, taken before anything is appended.

The lock dies with its process, however it ends; the file stays and means nothing. The fenced lease row beside
it (recorder.py) covers disks on which file locks do not work. Source: DESIGN.md "Two engines, one profile".
"""

import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from riskcore.errors import ProfileBusy, StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _is_locked(handle: int) -> bool:
        # Windows cannot be asked about a lock; it is taken for an instant.
        try:
            _lock(handle)
        except OSError:
            return True
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        return False
else:
    import fcntl

    # struct flock of this system: where its type stands, and its fields in order.
    _TYPE, _FLOCK = (3, "qqihh") if sys.platform == "darwin" else (0, "hhqqi")

    def _lock(handle: int) -> None:
        # A record lock, not flock: a forked child must not keep the lock of a dead engine.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_locked(handle: int) -> bool:
        """Ask who would be in the way, without taking the lock: an engine that starts now must not meet ours."""
        fields = [0, 0, 0, 0, 0]
        fields[_TYPE] = fcntl.F_WRLCK
        answer = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, struct.pack(_FLOCK, *fields)))
        return bool(answer[_TYPE] != fcntl.F_UNLCK)


# Record locks do not exclude a second opening in the same process, so that case is remembered here.
_held: set[Path] = set()


class ProfileLock:
    """Holds the lock of `path` from creation until `release`. Raises ProfileBusy, StoreError."""

    def __init__(self, path: Path, profile: str, does: str = "is writing profile") -> None:
        self._path = path
        busy = ProfileBusy(f"another engine {does} {profile} ({path}); stop it first")
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


class AccountLocks:
    """The accounts an engine enforces on, each locked beside its store: what one closes no other may reduce too.

    Source: RULES.md 8.7. `path` gives the side file of an account. The locks end with the block, or the process.
    """

    def __init__(self, path: Callable[[int], Path]) -> None:
        self._path = path
        self._locks: dict[int, ProfileLock] = {}

    def take(self, account: int) -> None:
        """Lock one account, once. Raises ProfileBusy, StoreError."""
        if account not in self._locks:
            self._locks[account] = ProfileLock(self._path(account), str(account), "enforces on account")

    def __enter__(self) -> "AccountLocks":
        return self

    def __exit__(self, *_: object) -> None:
        for lock in self._locks.values():
            lock.release()


def is_held(path: Path) -> bool:
    """Whether somebody, this process or another, holds the lock of `path`; looking changes nothing.

    Raises StoreError when the file is there and cannot be read.
    """
    if path in _held:
        # Opening and closing the file here would let this very process lose its record lock.
        return True
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{path}: nobody can tell whether an engine is running ({error.strerror})") from error
    try:
        return _is_locked(handle)
    finally:
        os.close(handle)
