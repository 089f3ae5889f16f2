"""One writer a profile, one enforcing engine an account: operating-system locks on side files.

The lock dies with its process, however it ends; the file stays and means nothing. The fenced lease row beside
it (recorder.py) covers disks on which file locks do not work. Source: DESIGN.md "Two engines, one profile".
"""

import os
import platform
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from getpass import getuser
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit

from riskcore.errors import ProfileBusy, StoreError
from riskcore.folders import user_folder
from riskcore.store.private import open_private

if sys.platform == "win32":
    import msvcrt

    # A locked byte cannot be read by others: one far behind what the file says of its holder.
    _LOCKED_BYTE = 1 << 30

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _is_locked(handle: int) -> bool:
        # Windows cannot be asked about a lock; it is taken for an instant.
        try:
            _lock(handle)
        except OSError:
            return True
        _unlock(handle)
        return False

    def _unlock(handle: int) -> None:
        # Windows lets go of the locks of a closed file, but says that this may take a while.
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
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

    def _unlock(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_UN)


# Record locks do not exclude a second opening in the same process, so that case is remembered here.
_held: set[Path] = set()


class HeldLock:
    """The lock of a side file, held from creation until `release`. Raises ProfileBusy, StoreError.

    `busy` says what somebody else must be doing when the lock is not to be had; who that is stands in the file, where
    `holder` is written for the next one who asks. `passing`: the file goes with its holder.
    """

    def __init__(self, path: Path, busy: str, holder: str, *, passing: bool = False) -> None:
        self.path = path
        self._passing = passing and sys.platform != "win32"
        if path in _held:
            raise self._busy(busy)
        while True:
            try:
                self._handle = open_private(path, os.O_RDWR)
            except OSError as error:
                raise StoreError(f"{path}: this file cannot be written ({error.strerror})") from error
            try:
                _lock(self._handle)
            except OSError as error:
                os.close(self._handle)
                raise self._busy(busy) from error
            if self._is_still_there():
                break
            os.close(self._handle)
        _held.add(path)
        self._say(holder)

    def _is_still_there(self) -> bool:
        """Whether others meet the very file that is locked: its last holder may just have taken it away."""
        try:
            return os.path.samestat(os.fstat(self._handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _say(self, holder: str) -> None:
        # On a full disk the holder is not named; the lock still holds.
        with suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, holder.encode())

    def _busy(self, busy: str) -> ProfileBusy:
        holder = ""
        # Opening the file of a lock of our own would let that lock go.
        if self.path not in _held:
            with suppress(OSError, ValueError):
                holder = self.path.read_text(encoding="utf-8").strip()
        by = f": {holder}" if holder else ""
        return ProfileBusy(f"{busy} ({self.path}){by}; stop it first")

    def release(self) -> None:
        """Let go, once."""
        if self.path in _held:
            if self._passing:
                with suppress(OSError):
                    self.path.unlink()
            _held.discard(self.path)
            with suppress(OSError):
                _unlock(self._handle)
            os.close(self._handle)


class ProfileLock(HeldLock):
    """The one writer of a profile in a store."""

    def __init__(self, path: Path, profile: str) -> None:
        super().__init__(path, f"another engine is writing profile {profile}", this_process())


class AccountLocks:
    """The accounts an engine enforces on: what one closes no other of this user may reduce too, whatever its store.

    Source: RULES.md 8.7. Two engines would cut a position twice, and two closes reverse it. `broker` is the REST base
    that knows the accounts, `holder` says who we are. The locks end with the block, or the process.
    """

    def __init__(self, broker: str, holder: str) -> None:
        self._broker = broker
        self._holder = holder
        self._locks: dict[int, HeldLock] = {}

    def take(self, account: int) -> None:
        """Lock one account, once. Raises ProfileBusy, StoreError."""
        if account not in self._locks:
            path = account_lock_path(self._broker, account)
            busy = f"another engine enforces on account {account}"
            self._locks[account] = HeldLock(path, busy, self._holder, passing=True)

    def __enter__(self) -> "AccountLocks":
        return self

    def __exit__(self, *_: object) -> None:
        for lock in self._locks.values():
            lock.release()


def account_lock_path(broker: str, account: int) -> Path:
    """The side file whose lock admits one enforcing engine of an account; its folder is made. Raises StoreError."""
    url = urlsplit(broker if "://" in broker else f"https://{broker}")
    port = url.port or (80 if url.scheme.lower() in ("http", "ws") else 443)
    known_as = sha256(f"{(url.hostname or '').lower()}:{port}".encode()).hexdigest()[:12]
    failure: OSError | None = None
    # A home that cannot be written to, like a container's, must not stand in the way of guarding.
    for folder in (user_folder("data") / "accounts", Path(gettempdir()) / f"riskcore-{_user()}" / "accounts"):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(folder, os.W_OK):
                return folder / f"{known_as}.{account}.lock"
        except OSError as error:
            failure = error
    raise StoreError(f"{user_folder('data')}: the lock of account {account} cannot be kept here") from failure


def _user() -> object:
    return os.getuid() if sys.platform != "win32" else getuser()


def this_process() -> str:
    """Who holds a lock, for the process that finds it taken."""
    return f"process {os.getpid()} on {platform.node()}"


class ServerLease:
    """The lease of a profile in a store on a server, for whoever asks whether it is held; see recorder.writer_lock."""

    def __init__(self, is_held: Callable[[], bool]) -> None:
        self.is_held = is_held


def is_held(path: Path | ServerLease) -> bool:
    """Whether somebody, this process or another, holds the lock of `path`; looking changes nothing.

    Raises StoreError when the file is there and cannot be read, or the server does not answer.
    """
    if isinstance(path, ServerLease):
        return path.is_held()
    if path in _held:
        # Opening and closing the file here would let this very process lose its record lock.
        return True
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{path}: it is unknown whether an engine is running ({error.strerror})") from error
    try:
        return _is_locked(handle)
    finally:
        os.close(handle)
