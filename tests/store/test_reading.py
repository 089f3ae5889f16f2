"""A journal that is only read: from places that cannot be written, and without a changed byte."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.errors import StoreError
from riskcore.store.foreign import reading_mode
from riskcore.store.journal import Journal
from tests import processes
from tests.postgres_server import IS_ROOT
from tests.recordings import RULES, losing_day
from tests.store.full_disks import fill, small_disk

PROFILE, DAY, EVENTS = "combine", "2026-11-20", 31


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal that its writer closed."""
    losing_day().write(tmp_path / "day.jsonl")
    (tmp_path / "riskcore.toml").write_text(RULES, encoding="utf-8")
    config, path = str(tmp_path / "riskcore.toml"), tmp_path / "closed" / "journal.db"
    assert run(["replay", str(tmp_path / "day.jsonl"), "--config", config, "--store", str(path), "--quiet"]) == 0
    return path


@pytest.fixture
def killed(journal: Path, tmp_path: Path) -> Path:
    """A journal whose writer never closed it: its last words are in the log."""
    folder = tmp_path / "killed"
    folder.mkdir()
    with Journal.open(journal, PROFILE, write=True):
        for ending in ("", "-wal"):
            shutil.copy(f"{journal}{ending}", folder / f"journal.db{ending}")
    assert (folder / "journal.db-wal").stat().st_size
    return folder / "journal.db"


def events(path: Path) -> int:
    with Journal.open(path, PROFILE) as reader:
        return sum(1 for _ in reader.read(DAY))


def contents(folder: Path) -> dict[str, bytes]:
    """But for the index of the log, which every reader keeps."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


@pytest.mark.parametrize("words", [["verify"], ["status"], ["audit"], ["export", "--all", "--out", "all.jsonl"]])
def test_the_log_of_a_killed_engine_stays_beside_its_journal(
    words: list[str], killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(killed.parent)
    assert run([*words, "--store", str(killed), "--quiet"]) == 0, capsys.readouterr().err
    assert contents(killed.parent) == before
    assert events(killed) == EVENTS


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_journal_is_read_in_a_folder_that_may_only_be_read(journal: Path) -> None:
    journal.chmod(0o400)
    journal.parent.chmod(0o500)
    try:
        before = contents(journal.parent)
        assert events(journal) == EVENTS
        assert contents(journal.parent) == before
    finally:
        journal.parent.chmod(0o700)


def test_a_journal_is_read_on_a_disk_that_may_only_be_read(journal: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(journal, disk / "journal.db")
        processes.run(["mount", "-o", "remount,ro", str(disk)])
        assert not os.access(disk, os.W_OK)
        assert run(["verify", "--store", str(disk / "journal.db"), "--quiet"]) == 0
        assert events(disk / "journal.db") == EVENTS


def test_a_journal_is_read_on_a_full_disk(journal: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(journal, disk / "journal.db")
        fill(disk)
        # The second time SQLite's empty log of the first lies there.
        assert [events(disk / "journal.db") for _ in range(2)] == [EVENTS, EVENTS]


def test_a_log_that_cannot_be_read_is_named(killed: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        for path in killed.parent.iterdir():
            shutil.copy(path, disk / path.name)
        processes.run(["mount", "-o", "remount,ro", str(disk)])
        with pytest.raises(StoreError, match=r"newest events are in journal\.db-wal.*copy both files into a folder"):
            Journal.open(disk / "journal.db", PROFILE)


def test_who_reads_a_closed_journal_sees_the_engine_that_starts(journal: Path) -> None:
    assert reading_mode(journal) == "rw"
    with closing(sqlite3.connect(journal)) as writer:
        writer.execute("PRAGMA journal_mode=wal")
        writer.execute("INSERT INTO leases VALUES ('another', 1, 'x')")
        writer.commit()
        assert reading_mode(journal) == "ro"
