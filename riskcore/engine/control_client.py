"""The asking side of the control channel, for commands: blocking, one question, one answer."""

import json
import socket
from typing import Any

from riskcore.engine.control_file import LONGEST_LINE, LOOPBACK, NoEngine, control_path, read_control
from riskcore.errors import RiskcoreError
from riskcore.store.lease import is_held
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
        raise RiskcoreError(
            "the engine ended before it answered; look at riskcore status before you repeat the command"
        )
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
