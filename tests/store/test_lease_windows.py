"""The locks as Windows has them, over a module that stands for msvcrt."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import riskcore.store.lease
from riskcore.errors import ProfileBusy


class Locks(ModuleType):
    """msvcrt.locking as documented: bytes from the place of the file, refused at once while another handle has them.

    A lock outlives its handle a little, as Windows warns, so it has to be given back.
    """

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self._taken: dict[tuple[int, int, int], int] = {}

    def locking(self, handle: int, mode: int, count: int) -> None:
        stat = os.fstat(handle)
        place = (stat.st_dev, stat.st_ino, os.lseek(handle, 0, os.SEEK_CUR))
        assert count == 1
        if mode == self.LK_UNLCK:
            if self._taken.get(place) != handle:
                raise OSError(13, "not locked by this handle")
            del self._taken[place]
            return
        assert mode == self.LK_NBLCK, "nothing may wait for a lock"
        if place in self._taken:
            raise OSError(13, "Permission denied")
        self._taken[place] = handle


def lease_on_windows(monkeypatch: pytest.MonkeyPatch, locks: Locks, process: str) -> ModuleType:
    """The module as a process on Windows has it, with its own memory of what it holds."""
    spec = importlib.util.spec_from_file_location(f"lease_of_{process}", riskcore.store.lease.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "win32")
        patched.setitem(sys.modules, "msvcrt", locks)
        patched.setitem(sys.modules, "fcntl", None)
        spec.loader.exec_module(module)
    return module


def test_one_process_holds_a_profile_and_the_other_is_told_who_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks, path = Locks(), tmp_path / "journal.db.p.lock"
    first = lease_on_windows(monkeypatch, locks, "first")
    second = lease_on_windows(monkeypatch, locks, "second")
    assert not second.is_held(path)
    lock = first.HeldLock(path, "another engine is writing profile p", "process 1 on desk")
    assert first.is_held(path)
    assert second.is_held(path)
    with pytest.raises(ProfileBusy, match="process 1 on desk; stop it first"):
        second.HeldLock(path, "another engine is writing profile p", "process 2 on desk")
    lock.release()
    assert not second.is_held(path)
    lock = second.HeldLock(path, "another engine is writing profile p", "process 2 on desk")
    assert path.read_text(encoding="utf-8") == "process 2 on desk"
    assert first.is_held(path)
    lock.release()


def test_looking_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks, path = Locks(), tmp_path / "journal.db.p.lock"
    first = lease_on_windows(monkeypatch, locks, "first")
    second = lease_on_windows(monkeypatch, locks, "second")
    path.touch()
    assert not second.is_held(path)
    first.HeldLock(path, "busy", "first").release()
    assert not second.is_held(path)


def test_a_file_that_passes_with_its_holder_stays_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows does not remove a file that is open."""
    path = tmp_path / "account.lock"
    module = lease_on_windows(monkeypatch, Locks(), "one")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "win32")
        module.HeldLock(path, "busy", "one", passing=True).release()
        assert module._user() == module.getuser()
    assert path.exists()
