"""A store copied into another: the same journal on both sides, killed or not, or nothing."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from riskcore.core.state import Book
from riskcore.errors import ConfigError, Corrupt, OutOfSequence, ProfileBusy, StoreError
from riskcore.schema.payloads import Message
from riskcore.store import copying
from riskcore.store.archived import ArchivedDay
from riskcore.store.copying import StoreSource, copy
from riskcore.store.journal import Journal
from tests.processes import start
from tests.schema.examples import AT, opening
from tests.store.days import DAY, NEXT_DAY, day, quotes


def lines(first: int, count: int) -> list[Message]:
    return [(AT + number * 100_000_000, b'{"message":%d}\n' % number) for number in range(first, first + count)]


def fill(path: str | Path, events: int = 700) -> None:
    """Two days of one profile with messages and a remembered state, and a day of another profile."""
    with Journal.open(path, "p", write=True) as journal:
        journal.append([opening()])
        for first in range(0, events, 50):
            journal.append(quotes(50, first), lines(first, 50))
        journal.append(day(5, NEXT_DAY))
        journal.append(quotes(5, 5), lines(5, 2))
        journal.cache_state(Book())
    with Journal.open(path, "another", write=True) as journal:
        journal.append([opening(profile="another"), *quotes(3)])


def content(where: str | Path, profile: str = "p") -> list[object]:
    """All that a journal holds, its chains checked."""
    with Journal.open(where, profile) as journal:
        journal.verify_storage()
        return [
            journal.archived(),
            journal.remembered(),
            *((day, list(journal.stored_bytes(day)), list(journal.packed_messages(day))) for day in journal.streams()),
        ]


def run_copy(source: Path, target: str | Path) -> dict[str, int]:
    with StoreSource(str(source)) as store:
        return copy(store, str(target), lambda *_: None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.db"
    fill(path)
    return path


def test_a_copy_holds_all_there_and_back(tmp_path: Path, source: Path, where: str) -> None:
    there = where
    assert run_copy(source, there) == {f"another/{DAY}": 4, f"p/{DAY}": 701, f"p/{NEXT_DAY}": 11}
    with StoreSource(there) as copied:
        copy(copied, str(tmp_path / "back.db"), lambda *_: None)
    for profile in ("p", "another"):
        assert content(there, profile) == content(source, profile) == content(tmp_path / "back.db", profile)
    assert run_copy(source, there) == {f"another/{DAY}": 0, f"p/{DAY}": 0, f"p/{NEXT_DAY}": 0}


def test_a_later_copy_adds_what_was_stored_since_while_the_engine_goes_on(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "copy.db"
    run_copy(source, target)
    with Journal.open(source, "p", write=True) as engine:
        engine.append(quotes(7, 10), lines(10, 7))
        with StoreSource(str(source)) as store:
            engine.append(quotes(2, 17))  # Behind the moment at which the copy began.
            assert copy(store, str(target), lambda *_: None)[f"p/{NEXT_DAY}"] == 7
        run_copy(source, target)
    assert content(target) == content(source)


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_the_same_copy_goes_on(tmp_path: Path, source: Path, seed: int) -> None:
    target, chance, done = tmp_path / "copy.db", random.Random(seed), False
    with Journal.open(source, "p", write=True) as journal:
        for first in range(10, 6010, 500):
            journal.append(quotes(500, first), lines(first, 3))
    for _ in range(5):
        process = start([sys.executable, "-m", "riskcore", "copy", str(source), str(target)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not target.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.15)
        process.kill()
        done = process.wait() == 0
        if done:
            break
    run_copy(source, target)
    assert content(target) == content(source)
    assert content(target, "another") == content(source, "another")


def test_interrupted_between_pages_nothing_is_lost(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"

    def interrupted(name: str, events: int, share: float) -> None:
        if name == f"p/{DAY}" and events >= 500:
            raise KeyboardInterrupt

    with StoreSource(str(source)) as store, pytest.raises(KeyboardInterrupt):
        copy(store, str(target), interrupted)
    with Journal.open(target, "p") as journal:
        assert journal.last_seq(DAY) == 500
    assert run_copy(source, target)[f"p/{DAY}"] == 201
    assert content(target) == content(source)


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER events_no_update")
        database.execute(statement)
        database.execute(
            "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
            "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET state = CAST(state || x'20' AS BLOB) WHERE position & 4294967295 = 650",
        "UPDATE events SET payload = (SELECT payload FROM events WHERE payload IS NOT NULL LIMIT 1) "
        "WHERE payload IS NOT NULL AND position & 4294967295 = 201",
    ],
)
def test_a_broken_source_or_target_is_exit_3(tmp_path: Path, source: Path, statement: str) -> None:
    target = tmp_path / "copy.db"
    run_copy(source, target)
    edit(target, statement)
    with pytest.raises(Corrupt, match=r"copying .*source.db to .*copy.db: journal of p, day 2026-08-19, event"):
        run_copy(source, target)
    edit(source, statement)
    with pytest.raises(Corrupt, match=r"event (650|201): the"):
        run_copy(source, tmp_path / "other.db")


@pytest.mark.parametrize("topic", ["QuoteObserved.9", "Nope", "", "DayRolled.1"])
def test_an_event_stored_under_another_type_is_not_copied(tmp_path: Path, source: Path, topic: str) -> None:
    """The chain is unbroken, and yet nobody could read the event in the copy that was said to be whole."""
    edit(source, f"UPDATE events SET topic = '{topic}' WHERE position & 4294967295 = 650")
    with pytest.raises(Corrupt, match=f"event 650: stored as '{topic}', and says something else"):
        run_copy(source, tmp_path / "copy.db")


def test_a_target_that_holds_something_else_is_refused_and_stays(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "other.db"
    with Journal.open(target, "mine", write=True) as journal:
        journal.append([opening(profile="mine")])
    before = target.read_bytes()
    with pytest.raises(ConfigError, match=f"other.db holds day {DAY} of profile mine, which .*source.db does not have"):
        run_copy(source, target)
    assert target.read_bytes() == before


@pytest.mark.parametrize("events", [2, 700, 701])
def test_a_target_with_other_events_of_the_same_day_is_refused(tmp_path: Path, source: Path, events: int) -> None:
    target = tmp_path / "other.db"
    with Journal.open(target, "p", write=True) as journal:
        journal.append([opening(), *quotes(events, 1)])
    with pytest.raises(ConfigError, match=rf"another day {DAY} \({events + 1} events\)"):
        run_copy(source, target)


def test_a_target_in_use_is_exit_4(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "copy.db"
    run_copy(source, target)
    with Journal.open(target, "p", write=True), pytest.raises(ProfileBusy):
        run_copy(source, target)


def archive_first_day(path: str | Path) -> ArchivedDay:
    with Journal.open(path, "p", write=True) as journal:
        *_, (seq, _, digest) = journal.stored_bytes(DAY)
        *_, (_, _, link) = journal.linked_messages(DAY)
        day = ArchivedDay(f"p/{DAY}", seq, digest, link, "/archive/day.jsonl.gz", "00" * 32)
        journal.take_out([day])
        return day


def test_what_left_the_source_is_noted_in_an_empty_target(where: str, source: Path) -> None:
    gone = archive_first_day(source)
    assert set(run_copy(source, where)) == {f"another/{DAY}", f"p/{NEXT_DAY}"}
    assert content(where) == content(source)
    assert content(source)[0] == [gone]


def test_a_copy_keeps_a_day_that_has_left_its_source_since(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "copy.db"
    run_copy(source, target)
    whole = content(target)
    archive_first_day(source)
    run_copy(source, target)
    assert content(target) == whole
    with Journal.open(tmp_path / "part.db", "p", write=True) as journal:
        journal.append([opening(), *quotes(3)])
    with pytest.raises(ConfigError, match=f"another day {DAY}"):
        run_copy(source, tmp_path / "part.db")


def test_a_day_that_left_the_target_is_not_copied_again(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "copy.db"
    run_copy(source, target)
    archive_first_day(target)
    before = content(target)
    assert f"p/{DAY}" not in run_copy(source, target)
    assert content(target) == before


def test_a_day_leaves_in_one_transaction_and_the_guards_are_there_again(where: str) -> None:
    fill(where)
    before = content(where)
    gone = archive_first_day(where)
    assert content(where) == [[gone], {NEXT_DAY: 11}, before[3]]
    with Journal.open(where, "p", write=True) as journal:
        journal.verify_storage()
        journal.append(quotes(3, 10), lines(10, 1))
        with pytest.raises(StoreError):
            journal.take_out([gone])  # Once.
        newer = Journal.open(where, "another")
        assert (newer.streams(), newer.archived()) == ([DAY], [])
        newer.close()
        with pytest.raises(StoreError, match=f"day {DAY} has left this store for the archive in /archive"):
            list(journal.read(DAY))
    with Journal.open(where, "p") as journal:
        journal.verify_storage()
        assert journal.last_seq(NEXT_DAY) == 14


def test_a_writer_whose_lease_was_taken_takes_nothing_out(where: str) -> None:
    fill(where)
    before = content(where)
    with Journal.open(where, "p", write=True) as journal:
        stale = Journal(journal.recorder, "p", None, 0)
        with pytest.raises(OutOfSequence, match="was taken over"):
            stale.take_out([ArchivedDay(f"p/{DAY}", 701, b"", b"", "", "")])
    assert content(where) == before


def test_what_is_not_read_back_is_not_said_to_be_copied(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = copying.End(4, b"?" * 32)
    with StoreSource(str(source)) as store:
        store.ends[f"another/{DAY}"] = end
        with pytest.raises(Corrupt, match="does not read back"):
            copy(store, str(tmp_path / "copy.db"), lambda *_: None)
