"""Whoever edits the file past its triggers, and every bit that falls over in it, is noticed."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from riskcore.core.state import Book
from riskcore.errors import Corrupt, LostEvents, StoreError
from riskcore.schema.chain import Head, link
from riskcore.schema.export import Stored
from riskcore.store.archived import ArchivedDay
from riskcore.store.journal import Journal
from tests.schema.examples import opening
from tests.store.days import DAY, NEXT_DAY, day, quotes, verify_chain

EVENTS = day(3) + day(3, NEXT_DAY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "j.db", "p", write=True) as writer:
        writer.append(EVENTS)
    return tmp_path / "j.db"


def edit(path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the file as an attacker with a shell would: triggers away, edit, triggers back."""
    database = sqlite3.connect(path)
    triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f"DROP TRIGGER {name}")
    change(database)
    for _, sql in triggers:
        database.execute(sql)
    database.commit()
    database.close()


def verify_all(path: Path) -> list[int]:
    with Journal.open(path, "p") as reader:
        reader.verify_storage()
        return [verify_chain(reader, date) for date in reader.streams()]


def test_taking_the_triggers_off_and_on_is_no_difference(path: Path) -> None:
    edit(path, lambda database: None)
    assert verify_all(path) == [4, 4]


EVENT = "WHERE position = (1 << 32) +"


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE events SET topic = 'MarketTraded.1' {EVENT} 2",
        f"UPDATE events SET topic = 'QuoteObserved.2' {EVENT} 2",
        f"UPDATE events SET topic = x'ff' {EVENT} 2",
        f"UPDATE events SET topic = 5 {EVENT} 2",
        f"UPDATE events SET state = 'text' {EVENT} 3",
        f"UPDATE events SET state = x'' {EVENT} 3",
        f"UPDATE events SET state = state || x'20' {EVENT} 3",
        f"UPDATE events SET state = 7 {EVENT} 1",
        f"UPDATE events SET topic = 7 {EVENT} 1",
        f"UPDATE events SET position = position + 5 {EVENT} 4",
        f"UPDATE events SET position = position - 1 {EVENT} 1",
        f"UPDATE events SET position = (7 << 32) + 1 {EVENT} 4",
        "UPDATE events SET position = position + (5 << 32) WHERE position < 2 << 32",
        f"UPDATE streams SET originator_id = 'q/{DAY}' WHERE number = 1",
        "UPDATE streams SET originator_id = 'p/2026-08-18' WHERE number = 1",
        "UPDATE streams SET number = 3 - number + 10",
        "DELETE FROM streams WHERE number = 1",
        f"DELETE FROM events {EVENT} 1",
        f"DELETE FROM events {EVENT} 2",
        f"DELETE FROM events {EVENT} 4",  # The day after hangs on it.
        "DELETE FROM events WHERE position < 2 << 32",
        "DELETE FROM events WHERE position > 2 << 32",
        f"INSERT INTO events (position, topic, state) SELECT position + 1, topic, state FROM events {EVENT} 4",
        "INSERT INTO events (position, topic, state) VALUES ((1 << 32) + 5, 'ClockTicked.1', x'00')",
        "INSERT INTO events (position, topic, state) VALUES ((3 << 32) + 1, 'ClockTicked.1', x'00')",
        "INSERT INTO streams VALUES (3, 'other')",
    ],
)
def test_edited_rows(path: Path, statement: str) -> None:
    edit(path, lambda database: database.execute(statement))
    with pytest.raises(Corrupt):
        verify_all(path)


@pytest.mark.parametrize("change", ["seq = 'text'", "fingerprint = x'00'", "seal = 'text'", "state = 5"])
def test_a_remembered_state_that_is_damaged_is_none(path: Path, change: str) -> None:
    """It only speeds up a start, so no command may fail on it."""
    with Journal.open(path, "p", write=True) as writer:
        writer.cache_state(Book())
        assert writer.remembered()
    edit(path, lambda database: database.execute(f"UPDATE state_cache SET {change}"))
    with Journal.open(path, "p") as reader:
        assert reader.remembered() == {}
        assert reader.recorder.get_state(f"p/{NEXT_DAY}") is None
    assert verify_all(path) == [4, 4]


@pytest.mark.parametrize("change", ["events = 'text'", "last_hash = 'text'", "last_link = 5", "file = x'00'"])
def test_a_damaged_list_of_archived_days_is_corrupt(path: Path, change: str) -> None:
    with Journal.open(path, "p", write=True) as writer:
        writer.take_out([ArchivedDay(f"p/{DAY}", 4, b"h" * 32, b"l" * 32, "file", "sha")])
    edit(path, lambda database: database.execute(f"UPDATE archived SET {change}"))
    with Journal.open(path, "p") as reader, pytest.raises(Corrupt, match="list of archived days is damaged"):
        reader.archived()


def test_an_opening_that_cannot_be_read_is_named(path: Path) -> None:
    def damage(database: sqlite3.Connection) -> None:
        (state,) = database.execute("SELECT state FROM events WHERE position = (1 << 32) + 1").fetchone()
        database.execute("UPDATE events SET state = ? WHERE position = (1 << 32) + 1", (state[:200],))

    edit(path, damage)
    with Journal.open(path, "p") as reader, pytest.raises(Corrupt, match=f"opening of p/{DAY} is damaged: not a Trad"):
        reader.opening(DAY)


def test_two_events_that_changed_places(path: Path) -> None:
    def swap(database: sqlite3.Connection) -> None:
        rows = database.execute(
            "SELECT topic, state FROM stored_events WHERE originator_version IN (2, 3) LIMIT 2"
        ).fetchall()
        for seq, row in zip((3, 2), rows, strict=True):
            database.execute(f"UPDATE events SET topic = ?, state = ? {EVENT} {seq}", row)

    edit(path, swap)
    with pytest.raises(Corrupt, match=f"journal of p, day {DAY}, event 2"):
        verify_all(path)


def test_a_day_that_was_rewritten_with_right_hashes_no_longer_carries_the_next(path: Path) -> None:
    forged = link("p", Head(), [opening(), *quotes(2, 50), *quotes(1, 2)])

    def rewrite(database: sqlite3.Connection) -> None:
        for _, seq, topic, state in forged:
            database.execute(f"UPDATE events SET topic = ?, state = ? {EVENT} {seq}", (topic, state))

    edit(path, rewrite)
    with Journal.open(path, "p") as reader:
        assert len(list(reader.read(DAY))) == 4  # By itself the day is whole ...
        with pytest.raises(Corrupt, match=f"p/{NEXT_DAY} does not hang on the day before"):
            verify_chain(reader, DAY)  # ... but what came after tells.


def test_every_bit_of_a_stored_event_counts(path: Path) -> None:
    with Journal.open(path, "p") as reader:
        original = [*reader.read(DAY), *reader.read(NEXT_DAY)]
    data = path.read_bytes()
    database = sqlite3.connect(path)
    states = [row[0] for row in database.execute("SELECT state FROM events")]
    database.close()
    flips = [
        (data.index(state) + offset, random.Random(offset).randrange(8))
        for state in states
        for offset in range(-40, len(state), 3)
    ]
    copy = path.with_name("copy.db")
    for position, bit in flips:
        edited = bytearray(data)
        edited[position] ^= 1 << bit
        copy.write_bytes(edited)
        try:
            verify_all(copy)
        except (Corrupt, StoreError):
            continue
        with Journal.open(copy, "p") as reader:
            # Only bytes that hold no event may change unnoticed: a free block, a cached state.
            assert [*reader.read(DAY), *reader.read(NEXT_DAY)] == original, (position, bit)
            assert not any(data.index(state) <= position < data.index(state) + len(state) for state in states)


def assert_noticed_or_harmless(path: Path, original: list[Stored]) -> None:
    try:
        counted = verify_all(path)
    except StoreError:  # Exit code 3, and no other exception may come through.
        return
    assert counted == [4, 4]
    with Journal.open(path, "p") as reader:
        assert [*reader.read(DAY), *reader.read(NEXT_DAY)] == original


def test_any_flipped_bit_of_the_file_is_noticed_or_harmless(path: Path) -> None:
    """All bits of every page's header, which say what the page holds, and some anywhere."""
    with Journal.open(path, "p") as reader:
        original = [*reader.read(DAY), *reader.read(NEXT_DAY)]
    data = path.read_bytes()
    chance = random.Random(20260819)
    filled = [position for position, byte in enumerate(data) if byte]
    flips = [(page + offset, bit) for page in range(0, len(data), 4096) for offset in range(12) for bit in range(8)]
    flips += [(chance.choice(filled), chance.randrange(8)) for _ in range(1500)]
    flips += [(chance.randrange(len(data)), chance.randrange(8)) for _ in range(200)]
    copy = path.with_name("copy.db")
    for position, bit in flips:
        edited = bytearray(data)
        edited[position] ^= 1 << bit
        copy.write_bytes(edited)
        for rest in path.parent.glob("copy.db-*"):
            rest.unlink()
        assert_noticed_or_harmless(copy, original)


def test_a_file_cut_short_is_noticed(path: Path) -> None:
    with Journal.open(path, "p") as reader:
        original = [*reader.read(DAY), *reader.read(NEXT_DAY)]
    data = path.read_bytes()
    copy = path.with_name("cut.db")
    for length in (1, 15, 100, 4095, 4096, 8192, len(data) - 4096):
        copy.write_bytes(data[:length])
        with pytest.raises(StoreError):
            verify_all(copy)
    copy.write_bytes(data[:-1])
    assert_noticed_or_harmless(copy, original)


@pytest.mark.parametrize("ask", ["append", "is_well"])
def test_a_writer_that_knows_of_more_than_is_stored_stops_and_so_does_the_next_start(path: Path, ask: str) -> None:
    """As behind a server that was replaced by a standby without the last commits."""
    rows: list[tuple[object, ...]] = []

    def lose(database: sqlite3.Connection) -> None:
        rows.extend(database.execute("SELECT * FROM events ORDER BY position").fetchall()[-1:])
        database.execute("DELETE FROM events WHERE position = ?", rows[0][:1])

    with Journal.open(path, "p", write=True) as writer:
        last = writer.last_hash()
        edit(path, lose)
        with pytest.raises(LostEvents, match=f"with hash {last} is not there"):
            writer.is_well() if ask == "is_well" else writer.append(quotes(1, 9))
    with pytest.raises(LostEvents, match="check your positions and lockouts and delete") as raised:
        Journal.open(path, "p", write=True)
    assert raised.value.exit_code == 3
    edit(
        path, lambda database: database.execute(f"INSERT INTO events VALUES ({','.join('?' * len(rows[0]))})", rows[0])
    )
    for _ in range(2):
        Journal.open(path, "p", write=True).close()
    assert not [found.name for found in path.parent.iterdir() if found.suffix == ".lost"]
