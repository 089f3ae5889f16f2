"""SQLite as a journal: the recorder of eventsourcing, durable at every commit and append-only by triggers.

Every connection runs in WAL mode with synchronous=FULL, set and then asked back: a journal that is not durable
must not open. The triggers refuse update, delete and every insert that is not the next seq of its stream; the
last one also stops INSERT OR REPLACE, which walks past a delete trigger. Source: DESIGN.md.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import InterfaceError
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteFactory,
)
from eventsourcing.utils import Environment, EnvType

from riskcore.errors import Corrupt, OutOfSequence
from riskcore.schema.chain import Link
from riskcore.store.recorder import CachedState, JournalRecorder, named_errors

_FULL = 2
_TABLES = (
    "CREATE TABLE IF NOT EXISTS leases "
    "(profile TEXT PRIMARY KEY, fence INTEGER NOT NULL, holder TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS state_cache (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, "
    "fingerprint TEXT NOT NULL, seal BLOB NOT NULL, state BLOB NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS stored_events_no_update BEFORE UPDATE ON stored_events "
    "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END",
    "CREATE TRIGGER IF NOT EXISTS stored_events_no_delete BEFORE DELETE ON stored_events "
    "BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END",
    "CREATE TRIGGER IF NOT EXISTS stored_events_in_order BEFORE INSERT ON stored_events "
    "WHEN NEW.originator_version IS NOT (SELECT coalesce(max(originator_version), 0) + 1 FROM stored_events "
    "WHERE originator_id = NEW.originator_id) "
    "BEGIN SELECT RAISE(ABORT, 'not the next event of its stream'); END",
)
_STREAM_IDS = (
    "WITH RECURSIVE ids(id) AS (SELECT min(originator_id) FROM stored_events UNION ALL "
    "SELECT (SELECT min(originator_id) FROM stored_events WHERE originator_id > ids.id) FROM ids "
    "WHERE ids.id IS NOT NULL) SELECT id FROM ids WHERE id IS NOT NULL"
)


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = super()._create_connection()
            cursor = connection.cursor()
            # fullfsync: on macOS a plain fsync leaves data in the drive's cache; elsewhere it does nothing.
            for pragma, wanted in (("journal_mode", "wal"), ("synchronous", _FULL), ("fullfsync", 1)):
                cursor.execute(f"PRAGMA {pragma}={wanted}")
                cursor.execute(f"PRAGMA {pragma}")
                found = cursor.fetchone()[0]
                if found != wanted:
                    raise InterfaceError(f"SQLite keeps {pragma}={found}, not {wanted}: not durable on this disk")
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        return connection


class SQLiteJournalRecorder(SQLiteAggregateRecorder, JournalRecorder):
    """Events of all profiles in one file."""

    def construct_create_table_statements(self) -> list[str]:
        return [*super().construct_create_table_statements(), *_TABLES]

    def append(self, rows: Sequence[Link], profile: str, fence: int) -> None:
        # The rows are the parameters of the recorder's own insert: StoredEvent objects would only be unpacked.
        with named_errors("the journal cannot be written"), self.datastore.transaction(commit=True) as c:
            c.executemany(self.insert_events_statement, rows)
            # After the insert this transaction owns the write lock, so no newer lease can slip in between.
            c.execute("SELECT fence, holder FROM leases WHERE profile = ?", (profile,))
            lease = c.fetchone()
            if lease is None or lease["fence"] != fence:
                holder = lease["holder"] if lease else "nobody"
                raise OutOfSequence(f"profile {profile} was taken over by {holder}: this engine must stop")

    def _select(self, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
        with named_errors("the journal cannot be read"), self.datastore.transaction(commit=False) as c:
            c.sqlite_cursor.row_factory = None
            c.execute(statement, parameters)
            rows: list[Any] = c.fetchall()
            return rows

    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        return self._select(
            "SELECT * FROM stored_events WHERE originator_id = ? "
            "AND originator_version > ? ORDER BY originator_version LIMIT ?",
            (stream, after, limit),
        )

    def last_row(self, stream: str) -> Link | None:
        rows = self._select(
            "SELECT * FROM stored_events WHERE originator_id = ? ORDER BY originator_version DESC LIMIT 1",
            (stream,),
        )
        return rows[0] if rows else None

    def stream_ids(self) -> list[str]:
        return [row[0] for row in self._select(_STREAM_IDS)]

    def take_lease(self, profile: str, holder: str) -> int:
        with named_errors("the lease cannot be taken"), self.datastore.transaction(commit=True) as c:
            c.execute(
                "INSERT INTO leases VALUES (?, 1, ?) ON CONFLICT (profile) DO UPDATE "
                "SET fence = fence + 1, holder = excluded.holder RETURNING fence",
                (profile, holder),
            )
            fence: int = c.fetchone()[0]
            return fence

    def check_storage(self) -> None:
        wanted = {statement.replace("IF NOT EXISTS ", "") for statement in self.create_table_statements}
        found = {row[0] for row in self._select("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
        if found != wanted:
            raise Corrupt("the journal's tables or triggers were changed: events may have been edited")
        report = [str(row[0]) for row in self._select("PRAGMA integrity_check(1)")]
        if report != ["ok"]:
            raise Corrupt(f"the journal file is damaged: {report[0]}")

    def put_state(self, stream: str, cached: CachedState) -> None:
        with named_errors("the state cache cannot be written"), self.datastore.transaction(commit=True) as c:
            c.execute(
                "INSERT OR REPLACE INTO state_cache VALUES (?, ?, ?, ?, ?)",
                (stream, cached.seq, cached.fingerprint, cached.seal, cached.state),
            )

    def get_state(self, stream: str) -> CachedState | None:
        rows = self._select("SELECT seq, fingerprint, seal, state FROM state_cache WHERE stream = ?", (stream,))
        return CachedState(*rows[0]) if rows else None

    def close(self) -> None:
        self.datastore.close()


class HardenedFactory(SQLiteFactory):
    """What PERSISTENCE_MODULE names: SQLite with the checked connections and the journal's recorder."""

    aggregate_recorder_class = SQLiteJournalRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        plain = self.datastore.pool
        self.datastore.pool = _Pool(db_name=plain.db_name, lock_timeout=plain.lock_timeout)
