"""Files that only their owner reads and writes: what a trader holds and earns is private (0600).

INTERFACE.md 9. Windows has no such modes: there the files are as private as the folder they lie in.
"""

import os
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG

MODE = 0o600


def open_private(path: Path, flags: int) -> int:
    """Open or create a file that nobody else may read, whatever the umask and whatever mode it had. Raises OSError."""
    handle = os.open(path, flags | os.O_CREAT, MODE)
    make_private(path)
    return handle


def create_private(path: Path) -> None:
    """Create an empty file, closed to others from its first byte on; one that is there already is only closed to them.

    A file that is there is not opened: closing it again would let go of every lock that this process holds on it.
    Raises OSError.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    make_private(path)


def make_private(path: Path) -> None:
    """Take a file's rights from everybody else; one that is not there, or not ours, stays as it is."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if S_ISREG(mode) and S_IMODE(mode) != MODE:
            path.chmod(MODE)
