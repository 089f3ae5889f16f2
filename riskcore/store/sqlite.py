"""SQLite as a journal: a recorder of eventsourcing, durable at every commit and append-only by triggers.

Every connection runs in WAL mode with synchronous=FULL, set and then asked back: a journal that is not durable
must not open. Triggers refuse update, delete and every insert that is not the next event of its stream; the
last one also stops INSERT OR REPLACE, which walks past a delete trigger. Source: DESIGN.md.

The package keeps events in a b-tree ordered by text keys. Appending to that rewrites 1.7 pages a commit where a
table in the order of an integer rewrites 1.1 (measured), so events lie in such a table, at position
(number of the stream) * 2**32 + seq, and `stored_events`, the package's table, is a view that reads the same.

The messages that became an event are kept in its own row: a table of their own would rewrite one page more a commit.
Journals from before that lack the column; it is added when one of them is opened for writing.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from eventsourcing.persistence import InterfaceError
from eventsourcing.sqlite import (
    SQLITE3_DEFAULT_LOCK_TIMEOUT,
    SQLiteAggregateRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteTransaction,
)
from eventsourcing.utils import Environment, EnvType

from riskcore.errors import Corrupt, OutOfSequence, StoreError
from riskcore.schema.chain import Link
from riskcore.store.archived import ArchivedDay
from riskcore.store.foreign import COLUMNS, COLUMNS_THERE, refuse_newer
from riskcore.store.recorder import CachedState, JournalRecorder, Kept, named_errors

# How long an append waits for another writer of the file, such as the engine of another profile: the engine stands
# still meanwhile, but behind a failed commit it would have to begin again from the journal.
LOCK_WAIT_SECONDS = 1.0
TRIAL_WAIT_SECONDS = 0.05  # A trial is repeated, and enforcement must not wait for it.
TRIAL_BYTES = 64 << 10
_FULL = 2
# The log is copied into the file in quiet moments (`tidy`). Only when none comes does a commit have to do it.
_PAGES_AT_MOST = 4000
_COMMITS_AT_LEAST = 50
_NEVER_CHANGES = "immutable=1"  # A file that is read as one that nobody writes has no log (foreign.py).
_SEQ_BITS = 32
# What keeps events as they are; only `take_out` sets it aside, for the length of its transaction.
_NEVER_CHANGED = {
    f"{table}_no_{what.lower()}": f"CREATE TRIGGER IF NOT EXISTS {table}_no_{what.lower()} BEFORE {what} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
    for table in ("events", "streams")
    for what in ("UPDATE", "DELETE")
}
# Made by the first archiving: a store that was never archived stays readable for a riskcore that knows no archives.
_ARCHIVE_TABLES = (
    "CREATE TABLE IF NOT EXISTS archived (stream TEXT PRIMARY KEY, events INTEGER NOT NULL, last_hash BLOB NOT NULL, "
    "last_link BLOB NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL)",
    *(
        f"CREATE TRIGGER IF NOT EXISTS archived_no_{what.lower()} BEFORE {what} ON archived "
        "BEGIN SELECT RAISE(ABORT, 'archived days are never changed'); END"
        for what in ("UPDATE", "DELETE")
    ),
)
_HAS_ARCHIVE = "SELECT 1 FROM sqlite_master WHERE name = 'archived'"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS streams (number INTEGER PRIMARY KEY, originator_id TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, topic TEXT NOT NULL, state BLOB NOT NULL, "
    "payload BLOB)",
    "CREATE VIEW IF NOT EXISTS stored_events AS SELECT originator_id, position & 4294967295 AS originator_version, "
    "topic, state FROM streams JOIN events ON position BETWEEN (number << 32) AND (number << 32) + 4294967295",
    "CREATE TABLE IF NOT EXISTS leases "
    "(profile TEXT PRIMARY KEY, fence INTEGER NOT NULL, holder TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS state_cache (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, "
    "fingerprint TEXT NOT NULL, seal BLOB NOT NULL, state BLOB NOT NULL)",
    *_NEVER_CHANGED.values(),
    # The first comparison is the common case and spares the second, dearer one.
    "CREATE TRIGGER IF NOT EXISTS events_in_order BEFORE INSERT ON events "
    "WHEN NEW.position IS NOT (SELECT max(position) + 1 FROM events) AND NEW.position IS NOT 1 + coalesce("
    "(SELECT max(position) FROM events WHERE position BETWEEN (NEW.position >> 32 << 32) "
    "AND (NEW.position >> 32 << 32) + 4294967295), NEW.position >> 32 << 32) "
    "BEGIN SELECT RAISE(ABORT, 'not the next event of its stream'); END",
    "CREATE TRIGGER IF NOT EXISTS streams_once BEFORE INSERT ON streams "
    "WHEN EXISTS (SELECT 1 FROM streams WHERE number = NEW.number OR originator_id = NEW.originator_id) "
    "BEGIN SELECT RAISE(ABORT, 'streams are never changed'); END",
)
# What the statement of the table is without the column, and how it is added: SQLite then keeps the statement above.
_PAYLOAD_COLUMN = ", payload BLOB"
_HAS_PAYLOADS = "SELECT 1 FROM pragma_table_info('events') WHERE name = 'payload'"
_ADD_PAYLOADS = "ALTER TABLE events ADD COLUMN payload BLOB"
_NEW_STREAM = (
    "INSERT INTO streams (originator_id) SELECT :stream "
    "WHERE NOT EXISTS (SELECT 1 FROM streams WHERE originator_id = :stream)"
)
_ROWS = (
    "SELECT :stream, position - :base, topic, state FROM events "
    "WHERE position > :base + :after AND position <= :base + 4294967295 ORDER BY position "
)
_KEPT_ROWS = (
    "SELECT position - :base, state, payload FROM events WHERE position > :base + :after "
    "AND position <= :base + 4294967295 AND payload IS NOT NULL ORDER BY position {order} LIMIT :limit"
)
# A damaged column may hold anything. A remembered state only speeds up a start, so a damaged one is none.
_IS_STATE = (
    "typeof(stream) = 'text' AND typeof(seq) = 'integer' AND typeof(fingerprint) = 'text' "
    "AND typeof(seal) = 'blob' AND typeof(state) = 'blob'"
)
_TAKE_OUT = (
    "DELETE FROM events WHERE position > (SELECT number << 32 FROM streams WHERE originator_id = ?) "
    "AND position <= (SELECT (number << 32) + 4294967295 FROM streams WHERE originator_id = ?)"
)
_NUMBERS_IN_USE = (
    "WITH RECURSIVE used(number) AS (SELECT min(position) >> 32 FROM events UNION ALL "
    "SELECT (SELECT min(position) >> 32 FROM events WHERE position > (used.number << 32) + 4294967295) FROM used "
    "WHERE used.number IS NOT NULL) SELECT number FROM used WHERE number IS NOT NULL"
)


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        # Not the inherited method: its cached_statements=True means a cache of one statement, so that every
        # statement is compiled again at every use (a fifth of a single append, measured).
        try:
            timeout = self.lock_timeout or SQLITE3_DEFAULT_LOCK_TIMEOUT
            connection = sqlite3.connect(
                self.db_name, uri=True, check_same_thread=False, isolation_level=None, timeout=timeout
            )
            connection.row_factory = sqlite3.Row
            # fullfsync: on macOS a plain fsync leaves data in the drive's cache; elsewhere it does nothing.
            durable: tuple[tuple[str, str | int], ...] = (
                ("journal_mode", "wal"),
                ("synchronous", _FULL),
                ("fullfsync", 1),
                ("wal_autocheckpoint", _PAGES_AT_MOST),
            )
            for pragma, wanted in () if _NEVER_CHANGES in self.db_name else durable:
                connection.execute(f"PRAGMA {pragma}={wanted}")
                (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
                if found != wanted:
                    raise InterfaceError(f"SQLite keeps {pragma}={found}, not {wanted}: not durable on this disk")
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)


class SQLiteJournalRecorder(SQLiteAggregateRecorder, JournalRecorder):
    """Events of all profiles in one file. `append` is the only way in: the inherited insert meets the view."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self._writer: SQLiteConnection | None = None
        self._untidied = 0  # Commits since the log was last copied into the file.
        self._bases: dict[str, int] = {}  # Position before the first event of each stream that is stored.
        self._keeps = False  # Whether the table is known to have the column of payloads.

    def construct_create_table_statements(self) -> list[str]:
        return list(_TABLES)

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute(_HAS_PAYLOADS)
        if c.fetchone() is None:
            c.execute(_ADD_PAYLOADS)

    def append(self, rows: Sequence[Link], profile: str, fence: int, payloads: Mapping[int, bytes]) -> None:
        bases: dict[str, int] = {}
        with named_errors("the journal cannot be written", writing=True), self._writing() as c:
            for stream in {row[0]: None for row in rows}:
                bases[stream] = self._bases.get(stream) or self._new_base(c, stream)
            if payloads:
                c.executemany(
                    "INSERT INTO events VALUES (?, ?, ?, ?)",
                    [
                        (bases[stream] + seq, topic, state, payloads.get(index))
                        for index, (stream, seq, topic, state) in enumerate(rows)
                    ],
                )
            else:
                positioned = [(bases[stream] + seq, topic, state) for stream, seq, topic, state in rows]
                c.executemany("INSERT INTO events (position, topic, state) VALUES (?, ?, ?)", positioned)
            self._must_hold(c, profile, fence)
        self._bases.update(bases)  # Only now are new streams really there.
        self._untidied += 1

    def tidy(self, *, at_once: bool = False) -> None:
        # A reader may keep some of the log in use; that part is copied the next time.
        if self._writer is not None and self._untidied >= (1 if at_once else _COMMITS_AT_LEAST):
            self._untidied = 0
            try:
                cursor = self._writer.cursor()
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                cursor.fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"the journal's log cannot be copied into its file: {error}") from error

    def try_out(self, profile: str, fence: int) -> None:
        # So much that the pages which happen to be free in the file do not do.
        put = "INSERT OR REPLACE INTO state_cache VALUES ('', 0, '', zeroblob(?), x'')"
        self._wait_for_others(TRIAL_WAIT_SECONDS)
        try:
            with named_errors("the journal cannot be written", writing=True):
                with self._writing() as c:
                    c.execute(put, (TRIAL_BYTES,))
                    self._must_hold(c, profile, fence)
                with self._writing() as c:
                    c.execute("DELETE FROM state_cache WHERE stream = ''")
        finally:
            self._wait_for_others(LOCK_WAIT_SECONDS)

    def _wait_for_others(self, seconds: float) -> None:
        assert self._writer is not None, "a lease was taken with it"
        self._writer.cursor().execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    @staticmethod
    def _must_hold(c: SQLiteCursor, profile: str, fence: int) -> None:
        """Within a transaction that has written, so that no newer lease can slip in between."""
        c.execute("SELECT fence, holder FROM leases WHERE profile = ?", (profile,))
        lease = c.fetchone()
        if lease is None or lease["fence"] != fence:
            holder = lease["holder"] if lease else "nobody"
            raise OutOfSequence(f"profile {profile} was taken over by {holder}: this engine must stop")

    def _new_base(self, c: SQLiteCursor, stream: str) -> int:
        c.execute(_NEW_STREAM, {"stream": stream})
        c.execute("SELECT number FROM streams WHERE originator_id = ?", (stream,))
        number: int = c.fetchone()[0]
        return number << _SEQ_BITS

    def _base(self, stream: str) -> int | None:
        base = self._bases.get(stream)
        if base is None:
            found = self._select("SELECT number FROM streams WHERE originator_id = ?", (stream,))
            if not found:
                return None
            number = found[0][0]
            if number.__class__ is not int or not 0 < number < 2**31:
                raise Corrupt(f"the journal's number of stream {stream} is damaged")
            base = self._bases[stream] = number << _SEQ_BITS
        return base

    def _writing(self) -> SQLiteTransaction:
        # One connection is kept for writing: fetching it from the pool would be a third of a single append.
        if self._writer is None:
            self._writer = self.datastore.pool.get_connection(is_writer=True)
        return SQLiteTransaction(self._writer, commit=True)

    def _select(self, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[Any]:
        with named_errors("the journal cannot be read"), self.datastore.transaction(commit=False) as c:
            c.sqlite_cursor.row_factory = None
            c.execute(statement, parameters)
            rows: list[Any] = c.fetchall()
            return rows

    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        base = self._base(stream)
        if base is None:
            return []
        return self._select(f"{_ROWS} LIMIT :limit", {"stream": stream, "base": base, "after": after, "limit": limit})

    def kept_rows(self, stream: str, after: int, limit: int) -> list[Kept]:
        return self._kept(stream, after, limit, "")

    def last_kept(self, stream: str) -> bytes | None:
        rows = self._kept(stream, 0, 1, "DESC")
        return rows[0][2] if rows else None

    def _kept(self, stream: str, after: int, limit: int, order: str) -> list[Kept]:
        base = self._base(stream)
        if base is None or not self._has_payloads():
            return []
        return self._select(_KEPT_ROWS.format(order=order), {"base": base, "after": after, "limit": limit})

    def _has_payloads(self) -> bool:
        # Asked again until it is there: a writer may add it while this reader has the journal open.
        self._keeps = self._keeps or bool(self._select(_HAS_PAYLOADS))
        return self._keeps

    def last_row(self, stream: str) -> Link | None:
        base = self._base(stream)
        if base is None:
            return None
        rows: list[Link] = self._select(f"{_ROWS} DESC LIMIT 1", {"stream": stream, "base": base, "after": 0})
        return rows[0] if rows else None

    def stream_ids(self) -> list[str]:
        names = [row[0] for row in self._select("SELECT originator_id FROM streams ORDER BY originator_id")]
        if any(name.__class__ is not str for name in names):
            raise Corrupt("the journal's list of streams is damaged")
        return names

    def take_lease(self, profile: str, holder: str) -> int:
        with named_errors("the lease cannot be taken", writing=True), self._writing() as c:
            c.execute(
                "INSERT INTO leases VALUES (?, 1, ?) ON CONFLICT (profile) DO UPDATE "
                "SET fence = fence + 1, holder = excluded.holder RETURNING fence",
                (profile, holder),
            )
            fence: int = c.fetchone()[0]
        self._wait_for_others(LOCK_WAIT_SECONDS)
        return fence

    def check_storage(self) -> None:
        wanted = {statement.replace("IF NOT EXISTS ", "") for statement in self.create_table_statements}
        if not self._has_payloads():
            wanted = {statement.replace(_PAYLOAD_COLUMN, "") for statement in wanted}
        if self._select(_HAS_ARCHIVE):
            wanted |= {statement.replace("IF NOT EXISTS ", "") for statement in _ARCHIVE_TABLES}
        found = {row[0] for row in self._select("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
        if found != wanted:
            refuse_newer("store", set(self._select(COLUMNS_THERE)), COLUMNS)
            raise Corrupt("the journal's tables or triggers were changed: events may have been edited")
        report = [str(row[0]) for row in self._select("PRAGMA integrity_check(1)")]
        if report != ["ok"]:
            raise Corrupt(f"the journal file is damaged: {report[0]}")

        numbers = self._select("SELECT number FROM streams ORDER BY number")
        if numbers != self._select(_NUMBERS_IN_USE):
            raise Corrupt(
                "the journal has events without a stream or a stream without events: it was damaged or edited"
            )

    def put_state(self, stream: str, cached: CachedState) -> None:
        with named_errors("the state cache cannot be written", writing=True), self._writing() as c:
            c.execute(
                "INSERT OR REPLACE INTO state_cache VALUES (?, ?, ?, ?, ?)",
                (stream, cached.seq, cached.fingerprint, cached.seal, cached.state),
            )

    def get_state(self, stream: str) -> CachedState | None:
        rows = self._select(
            f"SELECT seq, fingerprint, seal, state FROM state_cache WHERE stream = ? AND {_IS_STATE}", (stream,)
        )
        return CachedState(*rows[0]) if rows else None

    def remembered_seqs(self) -> dict[str, int]:
        return dict(self._select(f"SELECT stream, seq FROM state_cache WHERE stream != '' AND {_IS_STATE}"))

    def archived(self) -> list[ArchivedDay]:
        if not self._select(_HAS_ARCHIVE):
            return []
        rows = self._select("SELECT * FROM archived ORDER BY stream")
        if any([value.__class__ for value in row] != [str, int, bytes, bytes, str, str] for row in rows):
            raise Corrupt("the journal's list of archived days is damaged")
        return [ArchivedDay(*row) for row in rows]

    def take_out(self, days: Sequence[ArchivedDay], profile: str, fence: int) -> None:
        with named_errors("days cannot be taken out of the journal", writing=True), self._writing() as c:
            for statement in _ARCHIVE_TABLES:
                c.execute(statement)
            for trigger in _NEVER_CHANGED:
                c.execute(f"DROP TRIGGER {trigger}")
            for day in days:
                c.execute("INSERT INTO archived VALUES (?, ?, ?, ?, ?, ?)", astuple(day))
                c.execute(_TAKE_OUT, (day.stream, day.stream))
                c.execute("DELETE FROM streams WHERE originator_id = ?", (day.stream,))
                c.execute("DELETE FROM state_cache WHERE stream = ?", (day.stream,))
            for statement in _NEVER_CHANGED.values():
                c.execute(statement)
            self._must_hold(c, profile, fence)
        self._bases.clear()

    def give_space_back(self) -> None:
        with named_errors("the journal's file cannot be made smaller", writing=True):
            assert self._writer is not None, "a lease was taken with it"
            cursor = self._writer.cursor()
            try:
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    cursor.execute(statement)
                    cursor.fetchall()
            except sqlite3.Error as error:
                raise InterfaceError(error) from error

    def close(self) -> None:
        if self._writer is not None:
            self.datastore.pool.put_connection(self._writer)
            self._writer = None
        self.datastore.close()


class HardenedFactory(SQLiteFactory):
    """What PERSISTENCE_MODULE names: SQLite with the checked connections and the journal's recorder."""

    aggregate_recorder_class = SQLiteJournalRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        plain = self.datastore.pool
        self.datastore.pool = _Pool(db_name=plain.db_name, lock_timeout=plain.lock_timeout)
