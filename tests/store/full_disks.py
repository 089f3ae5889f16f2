"""A small file system of its own that can be filled to the last block; tests skip where none may be mounted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import processes

_BLOCK = bytes(4096)


@contextmanager
def small_disk(folder: Path, megabytes: int = 8) -> Iterator[Path]:
    """The mounted folder."""
    if sys.platform != "linux":
        pytest.skip("only Linux mounts a file system in memory")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    try:
        mounted = processes.run(mount).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        processes.run(["umount", "-l", str(folder)])


def fill(folder: Path) -> Path:
    """Take every block that is left; the file that has them."""
    path = folder / "filler"
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(_BLOCK)
        except OSError:
            return path
