import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import InterfaceError

from riskcore.errors import Corrupt, OutOfSequence, StoreError
from riskcore.store import sqlite
from riskcore.store.journal import Journal
from riskcore.store.sqlite import HardenedFactory
from tests.store.days import DAY, day, quotes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "j.db", "p", write=True) as writer:
        writer.append(day(3))
    return tmp_path / "j.db"


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def pragmas(write: bool, path: Path) -> list[object]:
    with Journal.open(path, "p", write=write) as journal, journal._recorder.datastore.transaction(commit=write) as c:
        found = []
        for pragma in ("journal_mode", "synchronous", "fullfsync"):
            c.execute(f"PRAGMA {pragma}")
            found.append(c.fetchone()[0])
        return found


def test_every_connection_is_durable(path: Path) -> None:
    assert pragmas(True, path) == ["wal", 2, 1]
    assert pragmas(False, path) == ["wal", 2, 1]


def test_a_store_that_cannot_be_durable_does_not_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A database in memory has no write-ahead log, whatever it is asked for.
    with pytest.raises(InterfaceError, match="journal_mode=memory, not wal"):
        HardenedFactory({"SQLITE_DBNAME": "file:x?mode=memory"}).aggregate_recorder()
    # synchronous=9 is taken as 1 (NORMAL): what SQLite answers counts, not what it was told.
    monkeypatch.setattr(sqlite, "_FULL", 9)
    with pytest.raises(StoreError, match="synchronous=1, not 9"):
        Journal.open(path, "p", write=True)
    monkeypatch.undo()
    Journal.open(path, "p", write=True).close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET state = x'00' WHERE originator_version = 2",
        "UPDATE stored_events SET originator_version = 9 WHERE originator_version = 4",
        "UPDATE OR IGNORE stored_events SET topic = 'x'",
        "DELETE FROM stored_events",
        "DELETE FROM stored_events WHERE originator_version = 4",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 6, 'ClockTicked.1', x'00')",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 4, 'ClockTicked.1', x'00')",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 0, 'ClockTicked.1', x'00')",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', NULL, 'ClockTicked.1', x'00')",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 'five', 'ClockTicked.1', x'00')",
        "INSERT INTO stored_events VALUES ('p/2026-08-20', 2, 'ClockTicked.1', x'00')",
        f"INSERT OR REPLACE INTO stored_events VALUES ('p/{DAY}', 2, 'ClockTicked.1', x'00')",
        f"INSERT OR REPLACE INTO stored_events VALUES ('p/{DAY}', 4, 'ClockTicked.1', x'00')",
        f"REPLACE INTO stored_events VALUES ('p/{DAY}', 1, 'ClockTicked.1', x'00')",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 4, 'x', x'00') ON CONFLICT DO UPDATE SET state = x'00'",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 5, 'x', x'00'), ('p/{DAY}', 7, 'x', x'00')",
    ],
)
def test_the_database_itself_refuses(database: sqlite3.Connection, path: Path, statement: str) -> None:
    before = database.execute("SELECT * FROM stored_events").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match=r"never|not the next event"):
        database.execute(statement)
    database.rollback()
    assert database.execute("SELECT * FROM stored_events").fetchall() == before
    with Journal.open(path, "p") as reader:
        assert reader.verify_chain(DAY) == 4


def test_the_next_event_is_admitted_by_the_triggers(database: sqlite3.Connection) -> None:
    database.execute(f"INSERT INTO stored_events VALUES ('p/{DAY}', 5, 'ClockTicked.1', x'00')")
    database.execute("INSERT INTO stored_events VALUES ('p/2026-08-20', 1, 'ClockTicked.1', x'00')")


def test_somebody_elses_append_stops_this_writer(path: Path) -> None:
    with Journal.open(path, "p", write=True) as writer:
        intruder = sqlite3.connect(path)
        intruder.execute(f"INSERT INTO stored_events VALUES ('p/{DAY}', 5, 'ClockTicked.1', x'00')")
        intruder.commit()
        intruder.close()
        for _ in range(2):
            with pytest.raises(OutOfSequence, match="somebody else appended") as raised:
                writer.append(quotes(1, 3))
            assert raised.value.exit_code == 4


def test_a_newer_lease_fences_an_old_writer(path: Path) -> None:
    with Journal.open(path, "p", write=True) as writer:
        writer.append(quotes(1, 3))
        # What another machine would do on a disk where the lock of this one is not seen.
        assert writer._recorder.take_lease("p", "process 1 on elsewhere") > writer._fence
        with pytest.raises(OutOfSequence, match="taken over by process 1 on elsewhere"):
            writer.append(quotes(1, 4))
        assert writer.last_seq(DAY) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER stored_events_no_update",
        "DROP TRIGGER stored_events_no_delete",
        "DROP TRIGGER stored_events_in_order",
        "CREATE TRIGGER more BEFORE INSERT ON stored_events BEGIN SELECT 1; END",
        "ALTER TABLE stored_events ADD COLUMN more",
    ],
)
def test_changed_tables_and_triggers_are_noticed(database: sqlite3.Connection, path: Path, statement: str) -> None:
    database.execute(statement)
    database.commit()
    with Journal.open(path, "p") as reader, pytest.raises(Corrupt, match="tables or triggers were changed"):
        reader.verify_chain(DAY)


def test_a_database_that_stays_locked_is_an_error_not_a_hang(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventsourcing.sqlite.SQLITE3_DEFAULT_LOCK_TIMEOUT", 0.05)
    with Journal.open(path, "p", write=True) as writer:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            writer.append(quotes(1, 3))
        other.execute("ROLLBACK")
        other.close()
        writer.append(quotes(1, 3))
        assert writer.verify_chain(DAY) == 5
