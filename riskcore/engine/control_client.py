"""The asking side of the control channel, for commands: blocking, one question, one answer."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskcore.errors import ConfigError, RiskcoreError, StoreError
from riskcore.store.lease import is_held
from riskcore.store.private import open_private
from riskcore.store.recorder import lock_path

CONNECT_SECONDS = 2
ANSWER_SECONDS = 60  # An answer that waits for the broker comes within half of it.


class Answered(RiskcoreError):
    """What the engine said no to, with the exit code it gave."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def ask(store: str, profile: str, request: dict[str, Any], answer_seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
    """The answer of the engine that runs on a store and profile. Raises NoEngine, Answered, RiskcoreError."""
    # A file left behind by a killed engine may name a port that somebody else has by now: only the lock tells.
    running = is_held(lock_path(store, profile))
    listening = read_control(control_path(store, profile))
    if not running or listening is None:
        raise NoEngine(f"no engine is running for profile {profile} on {store}; start one with: riskcore live")
    try:
        connection = socket.create_connection((LOOPBACK, listening.port), CONNECT_SECONDS)
    except OSError as error:
        raise RiskcoreError(
            f"the engine of profile {profile} does not answer ({error.strerror}); is it just starting?"
        ) from None
    with connection:
        connection.settimeout(answer_seconds)
        answer = _asked(connection, {**request, "secret": listening.secret})
    if answer is None:
        raise RiskcoreError("the engine ended before it answered; check riskcore status before you repeat the command")
    if "error" in answer:
        raise Answered(str(answer["error"]), int(answer.get("exit", 1)))
    return answer


def _asked(connection: socket.socket, request: dict[str, Any]) -> dict[str, Any] | None:
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as file:
            line = file.readline(LONGEST_LINE)
        answer = json.loads(line)
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


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
