"""The heartbeat of a running engine: a small file beside the store, for whoever watches whether it lives.

It is written in place and always equally long, so that it also works on a full disk. A kill leaves it as it was: the
journal's lock tells whether a process is there, this file whether its loop still turns and whether it sees.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from riskcore.engine.control_file import beside_store
from riskcore.store.private import open_private

SCHEMA = "riskcore.heartbeat/1"
BEAT_SECONDS = 5
BYTES = 2048
LONGEST_REASON = 200
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat. `state`: starting, armed, dry_run, halted, stopping; stopped or failed when no engine runs any more.

    `open_positions` of the accounts that are judged; `unguarded_seconds`: for how long limits could not judge although
    something is open, `unguarded_since` when that began, and `unguarded_because` why.
    """

    profile: str
    pid: int
    number: int
    at: str
    state: str
    open_positions: int = 0
    unguarded_seconds: int = 0
    unguarded_since: str = ""
    unguarded_because: str = ""


def heartbeat_path(store: str, profile: str) -> Path:
    """Where the engine of a profile leaves its heartbeat. Raises StoreError."""
    return beside_store(store, profile, "heartbeat")


def write_beat(path: Path, beat: Beat) -> None:
    """Leave a beat. Raises OSError."""
    text = json.dumps({"schema": SCHEMA, **asdict(beat)}, ensure_ascii=False).encode()
    handle = open_private(path, os.O_WRONLY)
    try:
        os.write(handle, text[:BYTES].ljust(BYTES))
    finally:
        os.close(handle)


def read_beat(path: Path) -> Beat | None:
    """The last beat; None when there never was one, or it cannot be read at this instant."""
    try:
        said = json.loads(path.read_bytes())
        return Beat(**{name: said[name] for name in Beat.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
