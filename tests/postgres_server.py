"""A real Postgres server for tests: its own folder, a port of loopback, durable, and gone at the end.

Found on the path or where Debian keeps it. It refuses to run as root, so then it runs as a user of its own.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import processes

# A superuser, the owner of the databases, and the password of everybody.
ADMIN, USER, PASSWORD = "admin", "owner", "p:ss/w@rd%"
STARTS_SECONDS = 30
_DEBIAN = Path("/usr/lib/postgresql")
_NAMES = count(1)
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def program(name: str) -> str | None:
    """The path of a program of the server; None when it is not installed."""
    newest_first = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), reverse=True)
    return shutil.which(name) or next(map(str, newest_first), None)


class PostgresServer:
    """`url(database)` is what --store takes; `psql` asks as the owner, past riskcore."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.data = folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._settings = (
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{folder}'\n"
            f"shared_buffers = 32MB\nmax_connections = 60\n{more}\n"
        )

    def create(self) -> None:
        """Make an empty server whose owner has a password."""
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        self.hand_over(self.folder)
        self.run("initdb", "-D", self.data, "-U", ADMIN, f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8")
        self._set()

    def copy_from(self, primary: "PostgresServer") -> None:
        """Make a read replica of another server."""
        address = f"host=127.0.0.1 port={primary.port} user={ADMIN}"
        self.run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-d", address)
        self._set()

    def _set(self) -> None:
        with (self.data / "postgresql.conf").open("a", encoding="ascii") as file:
            file.write(self._settings)

    def hand_over(self, folder: Path) -> None:
        """Give a folder to the user that the server runs as."""
        if IS_ROOT:
            self._do("chown", "-R", *_SERVER_USER, folder)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", str(STARTS_SECONDS), "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it; `immediate` is what a cut of the power does to it."""
        self.run("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    def run(self, name: str, *words: str | Path) -> None:
        """A program of the server, as a user that it accepts."""
        found = program(name)
        assert found is not None, name
        self._do(*_AS_SERVER_USER, found, *words)

    @staticmethod
    def _do(*words: str | Path) -> None:
        # Into a file, not a pipe: the server would keep the other end of a pipe open.
        with tempfile.TemporaryFile() as said:
            failed = processes.start([*map(str, words)], stdout=said, stderr=said, cwd="/").wait()
            said.seek(0)
            assert not failed, f"{words[0]}: {said.read().decode(errors='replace')}"

    def url(self, database: str, user: str = USER, password: str | None = None) -> str:
        """A store of this server; the tests have the password in PGPASSWORD unless it is given here."""
        shown = "" if password is None else f":{password}"
        return f"postgresql://{user}{shown}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres", user: str = USER) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user=user, password=PASSWORD, autocommit=True
        )

    def new_database(self, how: str = "") -> str:
        """An empty database; its name."""
        name = f"test_{next(_NAMES)}"
        with self.connect(user=ADMIN) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {USER} {how}")
        return name

    def psql(self, database: str, *statements: str, user: str = USER) -> list[Any]:
        """Run statements in one transaction; the rows of the last one."""
        with self.connect(database, user) as connection, connection.transaction():
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _server_user() -> tuple[str, ...]:
    """Whom the server runs as when this is root, who may not."""
    import pwd  # Windows has none, and no root.

    for name in ("postgres", "nobody"):
        try:
            return (pwd.getpwnam(name).pw_name,)
        except KeyError:
            continue
    return ()


_SERVER_USER = _server_user() if IS_ROOT else ()
_AS_SERVER_USER = (
    (shutil.which("setpriv") or "setpriv", f"--reuid={_SERVER_USER[0]}", "--clear-groups", "--") if _SERVER_USER else ()
)


@contextmanager
def running_server(more: str = "") -> Iterator[PostgresServer]:
    """A server that runs inside the block; skips the test where none can be had."""
    missing = [name for name in ("initdb", "pg_ctl", "postgres") if program(name) is None]
    if missing:
        pytest.skip(f"no Postgres server here ({', '.join(missing)} not found): install Debian's package postgresql")
    if IS_ROOT and not (_SERVER_USER and shutil.which("setpriv")):
        pytest.skip("the Postgres server does not run as root, and there is no other user for it")
    # Not in pytest's own folder: that one is closed to the user of the server.
    folder = Path(tempfile.mkdtemp(prefix="riskcore-pg-"))
    server = PostgresServer(folder, more)
    try:
        server.create()
        server.start()
        server.psql("postgres", f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'", user=ADMIN)
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
