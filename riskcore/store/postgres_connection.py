"""One connection to a server with a journal, made anew when it is lost, and what can go wrong with it.

The package's datastore is used without its pool: a recorder has one reader or writer, and a pool waits in silence for
a server that refuses the password.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock, Thread
from time import monotonic
from typing import Any

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row, tuple_row

from riskcore.errors import ConfigError, Corrupt, DiskFull, OutOfSequence, RiskcoreError, StoreError
from riskcore.store.foreign import refuse_newer
from riskcore.store.postgres_tables import COLUMN_NAMES, COLUMNS_THERE, SCHEMA, TABLES, THERE
from riskcore.store.server_url import secrets_of, transport_security

OLDEST = 14  # The oldest version that its makers still looked after when this was written.
LARGEST_PORT = 65535
CONNECT_SECONDS = 5
# How long an append waits for another one that takes the lease, and for a server that does not answer.
LOCK_WAIT_SECONDS = 1
QUICK_SECONDS = 0.05  # A server that is near answers within that; enforcement must not wait for another one.
ANSWER_SECONDS = 10
SILENT_SECONDS = 12  # Longer: a server that can answer says itself that it took too long.
_ENOUGH = 3  # Tables by which a journal is known; a damaged one may lack some.
# A network that was cut shows within seconds, not after the quarter of an hour that is usual. Milliseconds at the end.
_NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
_LOOK = (
    "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding') = 'UTF8', "
    "current_setting('fsync'), pg_is_in_recovery(), current_user::text, current_database()::text"
)
_READ_ONLY = "SELECT set_config('default_transaction_read_only', 'on', false)"
_WRITES = (
    "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false), "
    "CASE WHEN current_setting('synchronous_commit') IN ('on', 'remote_apply') THEN current_setting("
    "'synchronous_commit') ELSE set_config('synchronous_commit', 'on', false) END"
)
_DURABLE = "on"
_MAY_READ = (
    "SELECT has_schema_privilege(nspname, 'USAGE') AND bool_and(has_table_privilege(pg_class.oid, 'SELECT')) "
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'riskcore' AND relkind IN ('r', 'v') GROUP BY nspname"
)
_MAY_WRITE = (
    "SELECT coalesce(bool_and(has_function_privilege(oid, 'EXECUTE')), false) AND "
    "has_table_privilege('riskcore.leases', 'INSERT') AND has_table_privilege('riskcore.leases', 'UPDATE') AND "
    "has_table_privilege('riskcore.state_cache', 'INSERT') AND has_table_privilege('riskcore.state_cache', 'UPDATE') "
    "AND has_table_privilege('riskcore.state_cache', 'DELETE') "
    "FROM pg_proc WHERE pronamespace = 'riskcore'::regnamespace AND proname = 'append'"
)
_MAY_CREATE = "SELECT has_database_privilege(current_database(), 'CREATE')"
_REFUSED = (
    errors.InvalidPassword,
    errors.InvalidAuthorizationSpecification,
    errors.InvalidCatalogName,
    errors.InsufficientPrivilege,
)
# What the client library says of a setting in the URL, or the server of one that it is handed.
_WRONG_SETTING = ("connection is bad: invalid", "invalid integer value", "bad value for", "invalid value for parameter")


class _Impatient(Connection[Any]):
    """A connection that is given up when the server is silent for too long: a server that hangs keeps it open."""

    def wait(self, gen: Any, *how: Any, **more: Any) -> Any:
        return super().wait(self._within(gen), *how, **more)

    def _within(self, gen: Any) -> Any:
        ends_at = monotonic() + SILENT_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted  # What has happened: nothing, ten times a second.
                if not ready and monotonic() >= ends_at:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer within {SILENT_SECONDS} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


class Server(PostgresDatastore):
    """The database of a store. `write`: for the journal's writer; a reader's connection cannot write at all."""

    def __init__(self, where: str, write: bool) -> None:
        super().__init__("", "", "", "", "", schema=SCHEMA, originator_id_type="text")
        self.where = where
        self._writes = write
        self._parameters = parameters_of(where)
        self._connection: Connection[Any] | None = None
        self._cursor: psycopg.Cursor[Any] | None = None  # Of the writer: making one takes as long as a statement.
        self._lock = RLock()
        self._looking: Thread | None = None
        self.pool: Any = self  # The package takes connections from here.

    # ---- what the package asks of a pool and of a datastore ----------------------------------------------

    def open(self, *_: object) -> None:
        """There is nothing to open before the first question."""

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """The connection, made when there is none that works. Raises psycopg.Error."""
        with self._lock:
            yield self.connect()

    def register_type_adapters(self) -> None:
        """The journal has no types of its own."""

    def close(self) -> None:
        with suppress(AttributeError), self._lock:  # One that was never built whole is closed as well, at its end.
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # ---- asking ------------------------------------------------------------------------------------------

    def connect(self) -> Connection[Any]:
        """Raises psycopg.Error, ConfigError, StoreError."""
        found = self._connection
        if found is None or found.closed or found.broken:
            secrets: dict[str, Any] = dict(secrets_of(self.where))
            found = _Impatient.connect(**(self._parameters | secrets), autocommit=True, row_factory=dict_row)
            try:
                self._must_fit(found)
            except BaseException:
                found.close()
                raise
            self._connection = found
        return found

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Rows as tuples. Raises StoreError, Corrupt."""
        with named_server_errors(self.where, "the journal cannot be read"):
            try:
                with self.connection() as connection:
                    return _rows(connection, statement, parameters)
            except psycopg.OperationalError:
                if self.is_connected:
                    raise
            # The server has started again since the last question, or a network between has forgotten the connection.
            with self.connection() as connection:
                return _rows(connection, statement, parameters)

    def write(self, what: str, statement: str, parameters: Sequence[object]) -> list[Any]:
        """One statement of the writer, durable when it returns: its rows, or one empty row for each that it changed.

        Raises StoreError, DiskFull, OutOfSequence.
        """
        with named_server_errors(self.where, what), self.connection() as connection:
            if self._cursor is None or self._cursor.connection is not connection:
                self._cursor = connection.cursor(binary=True, row_factory=tuple_row)
            self._cursor.execute(statement, parameters, prepare=True)
            return self._cursor.fetchall() if self._cursor.description else [()] * self._cursor.rowcount

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection; it may be dead without anybody knowing yet."""
        found = self._connection
        return found is not None and not (found.closed or found.broken)

    def look_for_it_beside(self) -> None:
        """Connect again without waiting for it: in a thread, as long as there is no connection. Raises StoreError."""
        if self.is_connected:
            return
        if self._looking is None or not self._looking.is_alive():
            self._looking = Thread(target=self._look_for_it, name="riskcore-server", daemon=True)
            self._looking.start()
            self._looking.join(QUICK_SECONDS)
        if not self.is_connected:
            raise StoreError(f"{self.where}: the server cannot be reached")

    def _look_for_it(self) -> None:
        with suppress(psycopg.Error, RiskcoreError), self._lock:
            self.connect()

    @contextmanager
    def transaction_of(self, what: str) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction of the writer, durable when the block ends. Raises StoreError, DiskFull, OutOfSequence."""
        with (
            named_server_errors(self.where, what),
            self.connection() as connection,
            connection.transaction(),
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            yield cursor

    def _must_fit(self, connection: Connection[Any]) -> None:
        version, is_utf8, fsync, standby, *_ = _rows(connection, _LOOK)[0]
        if version < OLDEST * 10_000:
            raise ConfigError(
                f"{self.where}: Postgres {version // 10_000} is too old; riskcore needs {OLDEST} or newer"
            )
        if not self._writes:
            _rows(connection, _READ_ONLY)
            return
        if standby:
            raise ConfigError(f"{self.where}: a read replica, which takes no events; name its primary with --store")
        if not is_utf8:
            raise ConfigError(f"{self.where}: the database is not in UTF8; create one with ENCODING 'UTF8'")
        if fsync != _DURABLE:
            raise StoreError(f"{self.where}: the server runs with fsync={fsync}: not durable; switch it on")
        _rows(connection, _WRITES, (f"{LOCK_WAIT_SECONDS}s", f"{ANSWER_SECONDS}s"))

    # ---- whose database it is ----------------------------------------------------------------------------

    def refuse_foreign(self) -> bool:
        """Whether a journal is there. Raises ConfigError for a database of something else, and for missing rights.

        To a writer a database without tables is an empty place; a reader is told that nothing was recorded.
        """
        with named_server_errors(self.where, "the journal cannot be opened", opening=True), self.connection() as found:
            there = _rows(found, THERE)
            if len([name for ours, name in there if ours and name in TABLES]) < _ENOUGH:
                return self._begins(found, sorted({str(name) for _, name in there}))
            (*_, user, _) = _rows(found, _LOOK)[0]
            if _rows(found, _MAY_READ) != [(True,)]:
                raise ConfigError(
                    f"{self.where}: {user} may not read the journal; its owner grants it with: GRANT USAGE ON SCHEMA"
                    f" {SCHEMA} TO {user}; GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {user}"
                )
            if self._writes and _rows(found, _MAY_WRITE) != [(True,)]:
                raise ConfigError(
                    f"{self.where}: {user} may only read this journal; docs/guides/postgres.md says what its owner"
                    " grants to an engine"
                )
            if self._writes:
                refuse_newer(self.where, [row[:2] for row in _rows(found, COLUMNS_THERE)], COLUMN_NAMES)
            return True

    def _begins(self, connection: Connection[Any], foreign: list[str]) -> bool:
        if foreign:
            shown = ", ".join(foreign[:3])
            raise ConfigError(
                f"{self.where}: a database of another program (it holds {shown}); name another database with --store"
            )
        if not self._writes:
            raise ConfigError(f"{self.where}: the journal is empty; nothing was recorded yet")
        (*_, user, database) = _rows(connection, _LOOK)[0]
        if _rows(connection, _MAY_CREATE) != [(True,)]:
            raise ConfigError(
                f"{self.where}: {user} may not begin a journal here; the owner of the database grants it with:"
                f" GRANT CREATE ON DATABASE {database} TO {user}"
            )
        return False


def parameters_of(where: str) -> dict[str, Any]:
    """What to connect with, without secrets. Raises ConfigError; nothing of a faulty URL is shown but its place."""
    try:
        said: dict[str, Any] = dict(conninfo_to_dict(where))
    except psycopg.Error:
        raise ConfigError(
            "--store: this URL cannot be read; write it as postgresql://USER@HOST:PORT/DATABASE, and escape signs"
            " like / and % in names as %2F and %25"
        ) from None
    _check_ports(where, said.get("port"))
    # What the URL leaves out, the client library takes from the environment. An address goes before a name, and a
    # service is a file of its own, which may name any address.
    address = said.get("hostaddr")
    if not address:
        service = said.get("service") or os.environ.get("PGSERVICE")
        address = service or os.environ.get("PGHOSTADDR") or said.get("host") or os.environ.get("PGHOST")
    said["sslmode"] = transport_security(where, address, said.get("sslmode") or os.environ.get("PGSSLMODE"))
    return {"connect_timeout": CONNECT_SECONDS, "application_name": "riskcore", **_NETWORK, **said}


def _check_ports(where: str, ports: str | None) -> None:
    """The client library reads a port only when it connects, and calls a faulty one a bad connection."""
    for port in (ports or "").split(","):
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= LARGEST_PORT):
            raise ConfigError(f"{where}: {port[:40]!r} is no port; a port is a number from 1 to {LARGEST_PORT}")


def _rows(connection: Connection[Any], statement: str, parameters: Sequence[object] = ()) -> list[Any]:
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        return cursor.execute(statement, parameters or None, prepare=True).fetchall()


@contextmanager
def named_server_errors(where: str, what: str, *, opening: bool = False) -> Iterator[None]:
    """Turn what the server or its client library says into errors of riskcore, in one line.

    `opening`: what was typed may be wrong, and that is a ConfigError; later on it is a store that does not work.
    """
    try:
        yield
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, errors.IntegrityError):
            raise OutOfSequence(f"{where}: {what}: somebody else appended to this stream ({said})") from None
        if isinstance(error, errors.DiskFull):
            raise DiskFull(f"{where}: {what}: {said}") from None
        if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted):
            raise Corrupt(f"{where}: {what}: {said}") from None
        if opening:
            raise _not_opened(where, error, said) from None
        raise StoreError(f"{where}: {what}: {said}") from None


def _not_opened(where: str, error: psycopg.Error, said: str) -> ConfigError | StoreError:
    # The first connection fails without a code: only the words tell.
    refused = isinstance(error, _REFUSED) or any(
        words in said for words in ("authentication failed", "no password supplied", "does not exist", "pg_hba.conf")
    )
    if refused:
        return ConfigError(
            f"{where}: the server refuses this ({said}); check user, database and rights, and the password in"
            " PGPASSWORD or the keyring"
        )
    if any(words in said for words in _WRONG_SETTING):
        return ConfigError(f"{where}: a setting of this URL cannot be used ({said}); correct it or leave it out")
    if "SSL" in said or "certificate" in said:
        return ConfigError(f"{where}: no encrypted connection ({said}); see docs/guides/postgres.md")
    return StoreError(f"{where}: the server cannot be used ({said}); start it, or check host and port in --store")
