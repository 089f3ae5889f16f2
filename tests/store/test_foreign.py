"""Databases of others stay as they are to the last byte, whatever is asked of them."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.errors import ConfigError, Corrupt, StoreError
from riskcore.store.journal import Journal
from riskcore.store.location import stored_profiles
from tests.cli.sources import two_days
from tests.store.days import day


def foreign(path: Path, journal_mode: str = "delete") -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode={journal_mode}")
        # One of the names of ours: a common word does not make a journal.
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, what TEXT)")
        database.execute("INSERT INTO events (what) VALUES ('mine')")
        database.commit()
    return path


def looks(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


COMMANDS = [
    ["status"],
    ["verify"],
    ["audit"],
    ["why", "x"],
    ["export", "--out", "x.jsonl"],
    ["portfolio"],
    ["programme", "status"],
    ["lock", "30m"],
    ["replay", "two.jsonl"],
    ["live"],
    ["live", "--simulated"],
]


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_no_command_touches_a_database_of_another_program(
    journal_mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    two_days().write(tmp_path / "two.jsonl")
    foreign(tmp_path / "mine.db", journal_mode)
    before = looks(tmp_path)
    for words in COMMANDS:
        assert run([*words, "--store", "mine.db", "--quiet"]) == 2, words
        assert "a database of another program (it holds events)" in capsys.readouterr().err
        assert looks(tmp_path) == before, words


def test_a_database_that_another_program_has_open_stays_as_it_is(tmp_path: Path) -> None:
    path = foreign(tmp_path / "mine.db", "wal")
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO events (what) VALUES ('more')")
        database.commit()
        before = {name: look for name, look in looks(tmp_path).items() if not name.endswith("-shm")}
        for write in (True, False):
            with pytest.raises(ConfigError, match="another program"):
                Journal.open(path, "p", write=write)
        assert {name: look for name, look in looks(tmp_path).items() if not name.endswith("-shm")} == before


def test_a_journal_is_known_whether_or_not_a_writer_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "p", write=True) as writer:
        writer.append(day(1))
        assert stored_profiles(str(path)) == ["p"]
        writer.append([])
    assert stored_profiles(str(path)) == ["p"]
    with Journal.open(path, "q", write=True) as writer:
        assert writer.streams() == []


def test_an_empty_file_may_become_a_journal_and_holds_none_before(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(ConfigError, match="nothing was recorded yet"):
        stored_profiles(str(path))
    assert path.read_bytes() == b""
    Journal.open(path, "p", write=True).close()


def test_a_short_file_is_not_written_over(tmp_path: Path) -> None:
    """SQLite takes up to 511 bytes for an empty database."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"buy milk")
    for write in (True, False):
        with pytest.raises(StoreError, match="not a database"):
            Journal.open(path, "p", write=write)
    assert looks(tmp_path) == {"notes.txt": (b"buy milk", path.stat().st_mtime_ns)}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: "-".join(words))
def test_a_pipe_or_device_is_no_store(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    two_days().write(tmp_path / "two.jsonl")
    os.mkfifo(tmp_path / "pipe")
    for store in ("pipe", "/dev/null"):
        assert run([*words, "--store", store, "--quiet"]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "two.jsonl"]


@pytest.mark.parametrize("table", ["events", "leases"])
def test_a_journal_of_a_newer_riskcore_is_read_and_not_written(tmp_path: Path, table: str) -> None:
    """Without this an engine began, and every commit failed."""
    path = tmp_path / "journal.db"
    Journal.open(path, "p", write=True).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE notes (text)")
    Journal.open(path, "p", write=True).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"ALTER TABLE {table} ADD COLUMN later BLOB")
    before = path.read_bytes()
    with pytest.raises(Corrupt, match=rf"does not know \({table}.later\): a newer riskcore wrote it"):
        Journal.open(path, "p", write=True)
    with Journal.open(path, "p") as journal, pytest.raises(Corrupt, match="a newer riskcore wrote it"):
        journal.verify_storage()
    assert path.read_bytes() == before
