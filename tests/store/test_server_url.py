"""What a store's URL says, and what nobody may read out of it."""

import sys
from types import SimpleNamespace

import pytest

from riskcore.errors import ConfigError
from riskcore.store.server_url import (
    known_as,
    secrets_of,
    transport_security,
    without_password,
    words_without_passwords,
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.mark.parametrize(
    ("typed", "shown", "secrets"),
    [
        ("postgresql://u:secret@h:5432/d", "postgresql://u@h:5432/d", {"password": "secret"}),
        ("postgres://u:secret@h/d", "postgres://u@h/d", {"password": "secret"}),
        ("postgresql://u:p%40ss%2Fw@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require", {"password": "p@ss/w"}),
        ("postgresql://u:p@s/s:w@h/d", "postgresql://u@h/d", {"password": "p@s/s:w"}),
        ("postgresql://u:@h/d", "postgresql://u@h/d", {"password": ""}),
        ("postgresql://h/d?user=u&password=secret", "postgresql://h/d?user=u", {"password": "secret"}),
        ("postgresql://h/d?password=s", "postgresql://h/d", {"password": "s"}),
        ("postgresql://u@h/d?sslpassword=k&sslkey=f", "postgresql://u@h/d?sslkey=f", {"sslpassword": "k"}),
        ("postgresql://u@h1:1,h2:2/d", "postgresql://u@h1:1,h2:2/d", {}),
        ("postgresql://u@h/d?application_name=a@b", "postgresql://u@h/d?application_name=a@b", {}),
        ("postgresql://h/d?application_name=a@b", "postgresql://h/d?application_name=a@b", {}),
        ("postgresql://u:se?cret@h/d", "postgresql://u@h/d", {"password": "se?cret"}),
        ("postgresql://u:se?c=ret@h/d?sslkey=f", "postgresql://u@h/d?sslkey=f", {"password": "se?c=ret"}),
        ("postgresql://u:p@s?s@h/d?sslkey=f", "postgresql://u@h/d?sslkey=f", {"password": "p@s?s"}),
    ],
)
def test_a_password_is_taken_out_and_remembered(typed: str, shown: str, secrets: dict[str, str]) -> None:
    assert without_password(typed) == shown
    assert without_password(shown) == shown
    assert secrets_of(shown) == secrets
    assert known_as(typed) == known_as(shown)
    assert words_without_passwords(["x", "--store", typed, f"--store={typed}"]) == [
        "x",
        "--store",
        shown,
        f"--store={shown}",
    ]


@pytest.mark.parametrize("where", ["journal.db", "/a:b@c/j.db", "sqlite:///a:b@c", "C:\\x@y.db", "C:/x:y@z.db"])
def test_a_path_stays_as_it_is(where: str) -> None:
    assert without_password(where) == where


def test_the_password_comes_from_the_url_else_the_environment_else_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def get_password(service: str, user: str) -> str:
        asked.append((service, user))
        return "kept"

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=get_password))
    assert secrets_of("postgresql://u@keyring/d") == {"password": "kept"}
    assert asked == [("riskcore", "postgresql://u@keyring/d")]
    monkeypatch.setenv("PGPASSWORD", "x")
    assert secrets_of("postgresql://u@keyring/d") == {}  # The client library takes it from there.
    assert secrets_of(without_password("postgresql://u:typed@keyring/d")) == {"password": "typed"}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("host", "asked", "used"),
    [
        (None, None, "prefer"),
        ("localhost", None, "prefer"),
        ("127.0.0.1", "disable", "disable"),
        ("127.9.9.9,::1", None, "prefer"),
        ("/run/postgresql", None, "prefer"),
        ("db.example", None, "require"),
        ("10.0.0.7", "require", "require"),
        ("127.0.0.1,10.0.0.7", None, "require"),
        ("db.example", "verify-full", "verify-full"),
    ],
)
def test_what_leaves_this_computer_is_encrypted(host: str | None, asked: str | None, used: str) -> None:
    assert transport_security("postgresql://x", host, asked) == used


@pytest.mark.parametrize("asked", ["disable", "allow", "prefer"])
@pytest.mark.parametrize("host", ["db.example", "localhost.example", "10.0.0.7", "127.0.0.1,db.example"])
def test_nothing_goes_to_another_computer_in_clear(host: str, asked: str) -> None:
    with pytest.raises(ConfigError, match=f"sslmode={asked} would send positions and the password in clear"):
        transport_security("postgresql://x", host, asked)


@pytest.mark.parametrize(
    "typed",
    [
        "postgresql:me:tr0ub4dor@db/risk",
        "POSTGRESQL://me:tr0ub4dor@db/risk",
        "postgres:/me:tr0ub4dor@db",
        "postgresq:/me:tr0ub4dor@db/risk",
        "postgresql+psycopg://me:tr0ub4dor@db/risk",
    ],
)
def test_a_mistyped_url_is_no_file_and_is_not_shown(typed: str) -> None:
    with pytest.raises(ConfigError, match="write a server's URL as postgresql://") as raised:
        without_password(typed)
    assert "tr0ub4dor" not in str(raised.value)
    assert "tr0ub4dor" not in " ".join(words_without_passwords(["live", typed, f"--store={typed}"]))
