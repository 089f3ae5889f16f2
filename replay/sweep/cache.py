"""Finished pieces of sweeps, kept so that nothing is worked out twice.

One file a piece, named after everything that decides its rows but the setting; one line a setting, with the hash of
its text. A line is only ever added, so whoever is killed in the middle leaves at most a line cut off. A line that
does not match its hash counts for nothing, and is made again.
"""

import json
from collections.abc import Sequence
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from replay.sessions import Warn, ignore
from replay.sweep.outcome import Outcome

Rows = list[Outcome]


def hash_of(value: Any) -> str:
    """The hash of plain data, the same wherever it is worked out."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Cache:
    """The finished pieces in a folder, which is made when it is needed."""

    def __init__(self, folder: Path, warn: Warn = ignore) -> None:
        self.folder, self._warn = folder, warn
        self._damaged = self._unwritable = False

    def read(self, piece: str) -> dict[str, Rows]:
        """The rows of a piece, by the hash of the setting."""
        found: dict[str, Rows] = {}
        try:
            content = (self.folder / f"{piece}.jsonl").read_bytes()
        except OSError:
            return found
        for line in content.split(b"\n"):
            known = _read(piece, line) if line else None
            if known is not None:
                found[known[0]] = known[1]
            elif line and not self._damaged:
                self._damaged = True
                self._warn(f"{self.folder}: results there were cut off or edited; they are made again")
        return found

    def add(self, piece: str, setting: str, rows: Rows) -> None:
        """Keep the rows of a piece under a setting; a full disk only means that they are not kept."""
        body = [setting, [row.plain() for row in rows]]
        line = json.dumps([hash_of([piece, body]), body], separators=(",", ":")).encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / f"{piece}.jsonl").open("ab", buffering=0) as file:
                # A line begins a new one, for the one before it may have been cut off.
                file.write(b"\n" + line + b"\n")
        except OSError as error:
            if not self._unwritable:
                self._unwritable = True
                self._warn(f"{self.folder}: cannot be written, so nothing is kept: {error.strerror or error}")


def _read(piece: str, line: bytes) -> tuple[str, Rows] | None:
    """The setting and its rows in a line; None for one that is not as it was written."""
    try:
        digest, body = json.loads(line)
        if digest != hash_of([piece, body]):
            return None
        setting, rows = body
        return str(setting), [Outcome.of_plain(row) for row in rows]
    except (ValueError, TypeError, RecursionError):
        return None


def file_hashes(paths: Sequence[Path]) -> list[str]:
    """The hash of each file; of a folder, those of the files in it. Raises OSError."""
    found = []
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                with file.open("rb") as opened:
                    found.append(file_digest(opened, "sha256").hexdigest())
    return found


@cache
def code_hash() -> str:
    """The hash of the code that decides: within one version it may change where riskcore is being worked on."""
    digest = sha256()
    for package in ("adapters", "replay", "riskcore"):
        for file in sorted((Path(__file__).parents[2] / package).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
