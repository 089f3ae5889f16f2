"""Asking a running engine through its local API, for commands: blocking, one question, one answer."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from riskcore.engine.control_file import Control, control_path, read_control
from riskcore.errors import ConfigError, RiskcoreError
from riskcore.store.lease import is_held
from riskcore.store.recorder import lock_path
from riskcore.store.server_url import is_server

CONNECT_SECONDS = 2
ANSWER_SECONDS = 60  # An answer that waits for the broker comes within half of it.
LONGEST_ANSWER = 64 << 20  # Bytes.
_LOOKED_AT = ("health",)  # What is asked with GET; everything else is a POST.


class NoEngine(ConfigError):
    """No engine runs on this store and profile, so nobody can carry out the command."""


class Answered(RiskcoreError):
    """What the engine said no to, with the exit code it gave."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def running_engine(store: str, profile: str) -> Control:
    """Where the engine of a store and profile listens. Raises NoEngine."""
    # A file left behind by a killed engine may name a port that somebody else has by now: only the lock tells.
    running = is_held(lock_path(store, profile))
    control = read_control(control_path(store, profile))
    if not running or control is None or control.read_only:
        here = " by this computer" if is_server(store) else ""
        raise NoEngine(f"no engine is running{here} for profile {profile} on {store}; start one with: riskcore live")
    return control


def ask(store: str, profile: str, request: dict[str, Any], answer_seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
    """The answer of the engine that runs on a store and profile; `request["ask"]` names the route.

    Raises NoEngine, Answered, RiskcoreError.
    """
    control = running_engine(store, profile)
    fields = {name: value for name, value in request.items() if name != "ask"}
    method = "GET" if request["ask"] in _LOOKED_AT else "POST"
    address = urlsplit(control.url).netloc
    connection = http.client.HTTPConnection(address, timeout=CONNECT_SECONDS)
    try:
        connection.connect()
    except OSError as error:
        raise RiskcoreError(
            f"the engine of profile {profile} does not answer ({error.strerror}); is it just starting?"
        ) from None
    headers = {"Authorization": f"Bearer {control.token}", "X-Riskcore": "1", "Content-Type": "application/json"}
    content = json.dumps(fields) if method == "POST" else None
    try:
        connection.sock.settimeout(answer_seconds)
        connection.request(method, f"/api/{request['ask']}", content, headers)
        answer = json.loads(connection.getresponse().read(LONGEST_ANSWER))
    except (OSError, ValueError, http.client.HTTPException):
        answer = None
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise RiskcoreError("the engine ended before it answered; check riskcore status before you repeat the command")
    if "error" in answer and "code" in answer:
        raise Answered(str(answer["error"]), int(answer.get("exit", 1)))
    return answer
