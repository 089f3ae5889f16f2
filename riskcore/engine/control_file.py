"""Where a running engine listens for its own trader: a file beside the store, readable by this user only."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from riskcore.errors import ConfigError, StoreError
from riskcore.store.private import open_private
from riskcore.store.recorder import lock_path

LOOPBACK = "127.0.0.1"
LONGEST_LINE = 1_048_576  # Bytes of one request or one answer.


class NoEngine(ConfigError):
    """No engine runs on this store and profile, so nobody can carry out the command."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Port on loopback, and the word without which nothing is answered."""

    port: int
    secret: str


def control_path(store: str, profile: str) -> Path:
    """The control file of a store and profile: `<store>.<profile>.control`. Raises StoreError."""
    return lock_path(store, profile).with_suffix(".control")


def write_control(path: Path, listening: Listening) -> None:
    """Write the file whole, closed to other users from its first byte on. Raises StoreError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        handle = open_private(draft, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"port": listening.port, "secret": listening.secret}, file)
        draft.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: the trader's commands cannot be listened for here ({error.strerror})") from error


def read_control(path: Path) -> Listening | None:
    """What the file says; None when there is none, or one that says nothing."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Listening(int(said["port"]), str(said["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_control(path: Path, listening: Listening) -> None:
    """Take the file away, unless it is another engine's by now."""
    if read_control(path) == listening:
        with suppress(OSError):
            path.unlink()
