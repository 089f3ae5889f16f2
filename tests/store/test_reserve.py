"""Room kept for the day on which the disk is full: given back step by step, and taken back."""

import os
from pathlib import Path

import pytest

from riskcore.errors import DiskFull, StoreError
from riskcore.store.journal import Journal
from riskcore.store.recorder import reserve_path
from riskcore.store.reserve import RESERVE_BYTES, STEP_BYTES, Reserve
from tests.store.days import DAY, day, quotes, verify_chain
from tests.store.full_disks import fill, small_disk


class Write:
    """Fails so many times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self) -> str:
        if self.failures:
            self.failures -= 1
            raise DiskFull("full")
        return "written"


def test_it_takes_real_blocks_and_is_whole(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "r")
    assert reserve.left == 0
    assert reserve.fill()
    assert reserve.left == RESERVE_BYTES
    assert (tmp_path / "r").stat().st_blocks * 512 >= RESERVE_BYTES
    assert reserve.reason is None


def test_a_step_is_given_back_before_each_further_try(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "r")
    reserve.fill()
    assert reserve.spend(Write(0)) == "written"
    assert reserve.left == RESERVE_BYTES
    assert reserve.spend(Write(3)) == "written"
    assert reserve.left == RESERVE_BYTES - 3 * STEP_BYTES
    assert reserve.reason == "full"
    assert reserve.fill()
    assert reserve.left == RESERVE_BYTES
    assert reserve.reason is None
    steps = RESERVE_BYTES // STEP_BYTES
    assert reserve.spend(Write(steps)) == "written"
    assert reserve.left == 0
    with pytest.raises(DiskFull):
        reserve.spend(Write(1))


def test_it_is_filled_only_when_there_is_clearly_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = Reserve(tmp_path / "r")
    free = 2 * RESERVE_BYTES - 1
    monkeypatch.setattr("riskcore.store.reserve.shutil.disk_usage", lambda path: Usage(free))
    assert not reserve.fill()
    assert reserve.reason == "the disk is full"
    assert reserve.left == 0
    free = 2 * RESERVE_BYTES
    assert reserve.fill()


class Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def fill_up(journal: Journal, disk: Path, first: int) -> None:
    """Append until the journal raises."""
    while True:
        journal.append(quotes(50, first))
        first += 50
        fill(disk)


def test_a_journal_on_a_full_disk_goes_on_until_its_reserve_is_used_up(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = disk / "j.db"
        with Journal.open(store, "p", write=True, reserve=True) as journal:
            journal.append(day(2))
            assert journal.pinched is None
            filler = fill(disk)
            reserve = reserve_path(str(store), "p")
            stored = 0
            while reserve.stat().st_size > RESERVE_BYTES // 2:
                journal.append(quotes(50, 2 + stored))
                stored += 50
                fill(disk)
            assert "full" in str(journal.pinched)
            assert not journal.is_well()
            os.truncate(reserve, 0)
            fill(disk)
            count = journal.last_seq(DAY)
            with pytest.raises(DiskFull) as refused:
                fill_up(journal, disk, 2 + stored)
            assert refused.value.exit_code == 6
            assert not journal.is_well()
            filler.unlink()
            assert journal.is_well()
            assert journal.pinched is None
            journal.append(quotes(50, journal.last_seq(DAY) - 1))
            assert reserve.stat().st_size == RESERVE_BYTES
            assert journal.last_seq(DAY) > count
            verify_chain(journal, DAY)


def test_a_full_disk_can_be_opened_for_writing_again(tmp_path: Path) -> None:
    """Killed on a full disk: what was begun has to be finished by the next start."""
    with small_disk(tmp_path / "disk") as disk:
        store = disk / "j.db"
        with Journal.open(store, "p", write=True, reserve=True) as journal:
            journal.append(day(2))
        fill(disk)
        with Journal.open(store, "p", write=True, reserve=True) as journal:
            assert journal.pinched is not None
            journal.append(quotes(3, 2))
            assert verify_chain(journal, DAY) == 6
        os.truncate(reserve_path(str(store), "p"), 0)
        fill(disk)
        with pytest.raises(StoreError) as refused:
            Journal.open(store, "p", write=True, reserve=True)
        assert refused.value.exit_code == 6


def test_without_a_reserve_a_journal_keeps_none(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db", "p", write=True) as journal:
        journal.append(day(2))
        assert journal.pinched is None
    assert not reserve_path(str(tmp_path / "j.db"), "p").exists()
