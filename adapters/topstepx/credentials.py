"""Where the broker's login comes from: the environment, the system's keyring, a question. Source: INTERFACE.md 2.

Neither half is ever shown: not in a repr, an error, a log, a recording; and none is written to a file.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from riskcore.errors import ConfigError, LoginRefused

USER_NAME, API_KEY = "PROJECT_X_USERNAME", "PROJECT_X_API_KEY"
SERVICE = "riskcore"
# What the library falls back to on a system without a keyring, and what switches it off.
_NO_BACKENDS = ("keyring.backends.fail", "keyring.backends.null")
_ELSEWHERE = f"set {USER_NAME} and {API_KEY} in the environment of riskcore"
# Asks for one value: the question, and whether what is typed must not be seen.
Prompt = Callable[[str, bool], str]


class Credentials:
    """A user name and an API key that print as nothing."""

    __slots__ = ("_api_key", "_user_name")

    def __init__(self, user_name: str, api_key: str) -> None:
        self._user_name = user_name
        self._api_key = api_key

    @property
    def user_name(self) -> str:
        return self._user_name

    @property
    def api_key(self) -> str:
        return self._api_key

    def __repr__(self) -> str:
        return "Credentials(hidden)"

    def __reduce__(self) -> Any:
        raise TypeError("credentials are not written anywhere")


def find_credentials(environment: Mapping[str, str], prompt: Prompt | None) -> Credentials:
    """The login: of the environment, else of the keyring, else asked for; `prompt` is None when nobody can answer.

    A key of the keyring belongs to the user name stored with it: for another one it is not used.
    Raises LoginRefused when there is none.
    """
    user_name, api_key = environment.get(USER_NAME, "").strip(), environment.get(API_KEY, "").strip()
    if not (user_name and api_key):
        stored = _stored()
        if stored is not None and user_name.lower() in ("", stored.user_name.lower()):
            user_name, api_key = user_name or stored.user_name, api_key or stored.api_key
    if prompt is not None and not user_name:
        user_name = prompt("TopstepX user name", False).strip()
    if prompt is not None and user_name and not api_key:
        api_key = prompt("TopstepX API key", True).strip()
    missing = [name for name, value in ((USER_NAME, user_name), (API_KEY, api_key)) if not value]
    if missing:
        raise LoginRefused(
            f"no login: set {' and '.join(missing)}, or keep the login in the system's keyring with riskcore login. "
            "Without a login, `riskcore live --simulated` shows everything"
        )
    return Credentials(user_name, api_key)


def store(credentials: Credentials) -> None:
    """Keep a login in the system's keyring. Raises ConfigError when there is none, or when it keeps nothing."""
    keyring = usable_keyring()
    try:
        keyring.set_password(SERVICE, USER_NAME, credentials.user_name)
        keyring.set_password(SERVICE, API_KEY, credentials.api_key)
        kept = keyring.get_password(SERVICE, API_KEY) == credentials.api_key
    except Exception as error:  # Every backend has errors of its own; what they hold is not shown.
        raise _keeps_nothing(type(error).__name__) from None
    if not kept:
        raise _keeps_nothing("what was stored does not come back")


def forget() -> bool:
    """Take the login out of the system's keyring; whether there was one. Raises ConfigError."""
    keyring = usable_keyring()
    found = False
    try:
        for name in (USER_NAME, API_KEY):
            if keyring.get_password(SERVICE, name) is not None:
                keyring.delete_password(SERVICE, name)
                found = True
    except Exception as error:
        raise _keeps_nothing(type(error).__name__) from None
    return found


def usable_keyring() -> Any:
    """The keyring of this system. Raises ConfigError, which says what to do, when there is none to keep a login in."""
    keyring = _keyring()
    if keyring is None:
        raise ConfigError(f'no keyring: install "riskcore[keyring]", or {_ELSEWHERE}')
    backend = getattr(keyring, "get_keyring", lambda: None)()
    if type(backend).__module__ in _NO_BACKENDS:
        raise ConfigError(f"this system has no keyring that could keep a login: {_ELSEWHERE}")
    return keyring


def _keeps_nothing(why: str) -> ConfigError:
    return ConfigError(f"the system's keyring keeps nothing ({why}): is it locked? Otherwise {_ELSEWHERE}")


def _stored() -> Credentials | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        user_name = keyring.get_password(SERVICE, USER_NAME)
        api_key = keyring.get_password(SERVICE, API_KEY)
    except Exception:  # A keyring that is locked or has no backend is as good as none.
        return None
    return Credentials(user_name, api_key) if user_name and api_key else None


def _keyring() -> Any:
    """The optional library, None when it is not installed."""
    try:
        return importlib.import_module("keyring")
    except ImportError:
        return None
