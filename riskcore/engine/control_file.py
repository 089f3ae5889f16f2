"""The control file: where a running engine, or a read-only service, listens, and the token it wants (INTERFACE.md 9).

Readable by its owner alone. After a kill it stays, so only the journal's lock tells whether an engine runs.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from riskcore.errors import StoreError
from riskcore.store.private import open_private
from riskcore.store.recorder import lock_path

SCHEMA = "riskcore.control/1"


@dataclass(frozen=True, slots=True)
class Control:
    """What the file says, in this order, behind its schema."""

    url: str
    token: str
    profile: str
    pid: int
    started_at: str
    read_only: bool


def control_path(store: str, profile: str) -> Path:
    """The control file of an engine: `<store>.<profile>.control`. Raises StoreError."""
    return beside_store(store, profile, "control")


def web_path(store: str, profile: str) -> Path:
    """The file of a read-only service: `<store>.<profile>.web`. Raises StoreError."""
    return beside_store(store, profile, "web")


def beside_store(store: str, profile: str, ending: str) -> Path:
    """A file of a profile beside its store, or for a URL in the user's data folder. Raises StoreError."""
    return lock_path(store, profile).with_suffix(f".{ending}")


def write_control(path: Path, control: Control) -> None:
    """Write the file whole, closed to other users from its first byte on. Raises StoreError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = open_private(draft, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, **asdict(control)}, file)
        draft.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: the trader's commands cannot be listened for here ({error.strerror})") from error


def read_control(path: Path) -> Control | None:
    """What the file says; None when there is none, or one that says nothing."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Control(**{name: said[name] for name in Control.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_control(path: Path, control: Control) -> None:
    """Take the file away, unless it is another one's by now."""
    if read_control(path) == control:
        with suppress(OSError):
            path.unlink()
