import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import InterfaceError

from riskcore.errors import Corrupt, OutOfSequence, StoreError
from riskcore.store import sqlite
from riskcore.store.journal import Journal
from riskcore.store.sqlite import HardenedFactory
from tests.store.days import DAY, day, quotes, verify_chain


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
    with Journal.open(path, "p", write=write) as journal:
        recorder = journal._recorder
        with recorder._writing() if write else recorder.datastore.transaction(commit=False) as c:
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


def position(seq: int, stream: int = 1) -> int:
    return (stream << 32) + seq


INTO = "INTO events (position, topic, state) VALUES"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET state = x'00' WHERE position & 4294967295 = 2",
        "UPDATE events SET position = position + 1 WHERE position & 4294967295 = 4",
        "UPDATE OR IGNORE events SET topic = 'x'",
        "UPDATE streams SET originator_id = 'p/2026-08-18'",
        "DELETE FROM events",
        "DELETE FROM events WHERE position & 4294967295 = 4",
        "DELETE FROM streams",
        f"INSERT {INTO} ({position(6)}, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ({position(4)}, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ({position(0)}, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} (NULL, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} (-1, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ('five', 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ({position(2, 2)}, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ({position(0, 2)}, 'ClockTicked.1', x'00')",
        f"INSERT OR REPLACE {INTO} ({position(2)}, 'ClockTicked.1', x'00')",
        f"INSERT OR REPLACE {INTO} ({position(4)}, 'ClockTicked.1', x'00')",
        f"INSERT OR IGNORE {INTO} ({position(4)}, 'ClockTicked.1', x'00')",
        f"REPLACE {INTO} ({position(1)}, 'ClockTicked.1', x'00')",
        f"INSERT {INTO} ({position(4)}, 'x', x'00') ON CONFLICT DO UPDATE SET state = x'00'",
        f"INSERT {INTO} ({position(5)}, 'x', x'00'), ({position(7)}, 'x', x'00')",
        "INSERT OR REPLACE INTO streams VALUES (1, 'p/2026-08-18')",
        f"INSERT OR REPLACE INTO streams VALUES (2, 'p/{DAY}')",
    ],
)
def test_the_database_itself_refuses(database: sqlite3.Connection, path: Path, statement: str) -> None:
    before = database.execute("SELECT * FROM stored_events").fetchall()
    assert [row[:2] for row in before] == [(f"p/{DAY}", seq) for seq in range(1, 5)]
    with pytest.raises(sqlite3.IntegrityError, match=r"are never changed|not the next event|datatype mismatch"):
        database.execute(statement)
    database.rollback()
    assert database.execute("SELECT * FROM stored_events").fetchall() == before
    with Journal.open(path, "p") as reader:
        assert verify_chain(reader, DAY) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM stored_events",
        "UPDATE stored_events SET state = x'00'",
        f"INSERT INTO stored_events VALUES ('p/{DAY}', 5, 'ClockTicked.1', x'00')",
    ],
)
def test_the_view_is_for_reading(database: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="because it is a view"):
        database.execute(statement)


def test_the_package_reads_what_the_journal_wrote(path: Path) -> None:
    with Journal.open(path, "p") as reader:
        stored = reader._recorder.select_events(f"p/{DAY}", gt=1, lte=3)
        assert [(event.originator_id, event.originator_version) for event in stored] == [
            (f"p/{DAY}", 2),
            (f"p/{DAY}", 3),
        ]
        assert [event.state for event in stored] == [row[3] for row in reader._recorder.rows(f"p/{DAY}", 1, 2)]


def test_the_next_event_is_admitted_by_the_triggers(database: sqlite3.Connection) -> None:
    for admitted in (position(5), position(1, 3), position(2, 3), position(6), position(1, 2), position(2, 2)):
        database.execute(f"INSERT {INTO} ({admitted}, 'ClockTicked.1', x'00')")


def test_somebody_elses_append_stops_this_writer(path: Path) -> None:
    with Journal.open(path, "p", write=True) as writer:
        intruder = sqlite3.connect(path)
        intruder.execute(f"INSERT {INTO} ({position(5)}, 'ClockTicked.1', x'00')")
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
        "DROP TRIGGER events_no_update",
        "DROP TRIGGER events_no_delete",
        "DROP TRIGGER events_in_order",
        "DROP TRIGGER streams_no_update",
        "DROP TRIGGER streams_no_delete",
        "DROP TRIGGER streams_once",
        "CREATE TRIGGER more BEFORE INSERT ON events BEGIN SELECT 1; END",
        "ALTER TABLE events ADD COLUMN more",
        "DROP VIEW stored_events",
    ],
)
def test_changed_tables_and_triggers_are_noticed(database: sqlite3.Connection, path: Path, statement: str) -> None:
    database.execute(statement)
    database.commit()
    with Journal.open(path, "p") as reader, pytest.raises(Corrupt, match=r"were changed|somebody changed it"):
        verify_chain(reader, DAY)


def test_a_database_that_stays_locked_is_an_error_not_a_hang(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskcore.store.sqlite.SQLITE3_DEFAULT_LOCK_TIMEOUT", 0.05)
    with Journal.open(path, "p", write=True) as writer:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            writer.append(quotes(1, 3))
        other.execute("ROLLBACK")
        other.close()
        writer.append(quotes(1, 3))
        assert verify_chain(writer, DAY) == 5


def test_the_log_goes_into_the_file_in_a_quiet_moment(path: Path) -> None:
    with Journal.open(path, "p", write=True) as writer:
        before = path.stat().st_size
        for number in range(60):
            writer.append(quotes(20, first=100 + 20 * number))
        assert path.stat().st_size == before
        writer.tidy()
        tidied = path.stat().st_size
        assert tidied > before
        writer.append(quotes(200, first=5000))
        writer.tidy()
        assert path.stat().st_size == tidied
        with Journal.open(path, "p") as reader:
            assert verify_chain(reader, DAY) == 1 + 3 + 1200 + 200
