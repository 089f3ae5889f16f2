"""Stores on a server: what their URL says, and the password that is never shown.

A password in a URL is taken out where the URL enters, and remembered here for the time of the process: everything
behind that point, messages, logs, lock files and `--json` included, sees a URL without it. Source: INTERFACE.md 1.
"""

import importlib
import os
import re
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlencode

from riskcore.errors import ConfigError

SCHEMES = ("postgresql", "postgres")
KEYRING_SERVICE = "riskcore"
_SECRETS = ("password", "sslpassword")  # Parameters behind the question mark that must not be shown.
# What reads like a URL with a password, of a scheme of at least two letters: one letter is a drive of Windows.
_LIKE_A_URL = re.compile(r"(?!sqlite:)[a-z][a-z+]+:/.*:.*@.*", re.IGNORECASE)
_QUERY = re.compile(r"\?(?=[a-z_%0-9]+=|$)", re.IGNORECASE)
# From the URL without its secrets to the parameters that were taken out.
_taken_out: dict[str, dict[str, str]] = {}


def is_server(where: str) -> bool:
    """Whether a store is on a server; else it is a file."""
    scheme, separator, _ = where.partition("://")
    return bool(separator) and scheme in SCHEMES


def without_password(where: str) -> str:
    """The same store; a password in its URL is remembered for `secrets_of` and taken out.

    Raises ConfigError for a URL that is mistyped at its beginning: as the name of a file it would show its password.
    """
    if not is_server(where):
        if _is_mistyped(where):
            raise ConfigError("--store: write a server's URL as postgresql://USER@HOST:PORT/DATABASE")
        return where
    scheme, _, rest = where.partition("://")
    address, query = _address_and_query(rest)
    # A password may hold any sign, written as it is typed: it ends at the last @, not at the first.
    user, at, host = address.rpartition("@")
    name, colon, password = user.partition(":")
    found = {"password": unquote(password)} if colon else {}
    plain = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in _SECRETS:
            found[key] = value
        else:
            plain.append((key, value))
    if not found:
        return where
    rest = f"{name}{at}{host}"
    stripped = f"{scheme}://{rest}?{urlencode(plain, quote_via=quote)}" if plain else f"{scheme}://{rest}"
    _taken_out[stripped] = found
    return stripped


def _address_and_query(rest: str) -> tuple[str, str]:
    """A URL behind its scheme, parted at the question mark that begins the query: a password may hold others."""
    at, slash = rest.find("@"), rest.find("/")
    # As the client library reads it: what stands before an @ is user and password, unless a slash comes first.
    found = _QUERY.search(rest, at if at >= 0 and (slash < 0 or at < slash) else 0)
    return (rest, "") if found is None else (rest[: found.start()], rest[found.end() :])


def _is_mistyped(where: str) -> bool:
    scheme, colon, _ = where.partition(":")
    if is_server(where) or not colon:
        return False
    return scheme.lower() in SCHEMES or _LIKE_A_URL.fullmatch(where) is not None


def came_with_password(where: str) -> bool:
    """Whether the URL of a store was typed with a password, which this process alone remembers."""
    return where in _taken_out


def words_without_passwords(words: Iterable[str]) -> list[str]:
    """A command line as it may be shown."""
    found = []
    for word in words:
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        shown = "(a mistyped URL)" if _is_mistyped(value) else without_password(value)
        found.append(f"{option}{equals}{shown}")
    return found


def secrets_of(where: str) -> dict[str, str]:
    """The secrets to connect with: those of the URL as it was typed, else a password of the keyring.

    Empty when PGPASSWORD is set, or when there is neither: then the client library finds what it knows itself, such
    as the file of passwords.
    """
    if where in _taken_out:
        return _taken_out[where]
    if os.environ.get("PGPASSWORD"):
        return {}
    password = _of_keyring(where)
    return {"password": password} if password else {}


def is_only_in_environment(where: str) -> bool:
    """Whether PGPASSWORD holds the password and the keyring does not."""
    return bool(os.environ.get("PGPASSWORD")) and _of_keyring(where) is None


def _of_keyring(where: str) -> str | None:
    try:
        password: str | None = importlib.import_module("keyring").get_password(KEYRING_SERVICE, where)
    except Exception:  # It is not installed, locked, or has no backend: as good as none.
        return None
    return password


def known_as(where: str) -> str:
    """What files of this computer are called that belong to a store on a server: the first 12 digits of its hash."""
    return sha256(without_password(where).encode()).hexdigest()[:12]


def transport_security(where: str, host: str | None, asked: str | None) -> str:
    """The sslmode to connect with: at least encryption, except to this computer. Raises ConfigError."""
    if all(_is_here(one) for one in (host or "").split(",")):
        return asked or "prefer"
    if asked in ("disable", "allow", "prefer"):
        raise ConfigError(
            f"{where}: sslmode={asked} would send positions and the password in clear; use require, or better"
            " verify-full with sslrootcert"
        )
    return asked or "require"


def _is_here(host: str) -> bool:
    from ipaddress import ip_address  # Most commands never ask, and all would wait for it.

    if host in ("", "localhost") or host.startswith(("/", "@")):  # None, or a socket of this computer.
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
