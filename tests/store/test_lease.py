"""One writer a profile, with real processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from riskcore.errors import ProfileBusy
from riskcore.store.journal import Journal
from riskcore.store.lease import is_held
from riskcore.store.recorder import side_path, writer_lock
from tests import processes
from tests.store.days import DAY, day, quotes, verify_chain

HOLDER = """
import sys, time
from riskcore.store.journal import Journal
journal = Journal.open(sys.argv[1], sys.argv[2], write=True)
print("held", flush=True)
time.sleep(600)
"""
NEWCOMER = """
import sys
from riskcore.errors import RiskcoreError
from riskcore.store.journal import Journal
try:
    Journal.open(sys.argv[1], sys.argv[2], write=True)
except RiskcoreError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def start_holder(where: str, profile: str = "p") -> subprocess.Popen[str]:
    process = processes.start([sys.executable, "-c", HOLDER, where, profile], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def newcomer(where: str, profile: str = "p") -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", NEWCOMER, where, profile]
    return processes.run(program, text=True)


def test_a_second_process_is_refused_until_the_first_is_dead(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(2))
        refused = newcomer(where)
        assert refused.returncode == 4
        assert "another engine is writing profile p" in refused.stdout
        assert newcomer(where, "other").returncode == 0
        writer.append(quotes(1, 2))
    holder = start_holder(where)
    try:
        with pytest.raises(ProfileBusy) as raised:
            Journal.open(where, "p", write=True)
        assert raised.value.exit_code == 4
        with Journal.open(where, "p") as reader:
            assert verify_chain(reader, DAY) == 4
    finally:
        holder.kill()
        holder.communicate()
    with Journal.open(where, "p", write=True) as writer:
        writer.append(quotes(1, 3))
        assert verify_chain(writer, DAY) == 5


def test_a_refused_newcomer_has_changed_nothing(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(2))
        fence = writer._fence
        assert newcomer(where).returncode == 4
        # A newcomer that had taken the lease would have fenced this writer.
        writer.append(quotes(1, 2))
    with Journal.open(where, "p", write=True) as again:
        assert again._fence == fence + 1


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal.open(path, "p", write=True):
        with pytest.raises(ProfileBusy):
            Journal.open(path, "p", write=True)
        with pytest.raises(ProfileBusy):
            Journal.open(tmp_path / "x" / ".." / "j.db", "p", write=True)
        # A refused opening must not have let the lock go.
        assert newcomer(str(path)).returncode == 4
    Journal.open(path, "p", write=True).close()


def test_a_store_that_does_not_open_lets_the_profile_go(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(Exception, match="not a database"):
            Journal.open(path, "p", write=True)
    path.unlink()
    Journal.open(path, "p", write=True).close()


def test_whether_somebody_holds_a_profile_is_asked_without_disturbing_anybody(where: str) -> None:
    Journal.open(where, "other", write=True).close()
    lock = writer_lock(where, "p")
    assert not is_held(lock)
    assert not side_path(where, "p.lock").exists()
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(1))
        assert is_held(lock)
        # Looking has not let the lock go: another process is still refused.
        assert newcomer(where).returncode == 4
    assert not is_held(lock)
    holder = start_holder(where)
    try:
        assert is_held(lock)
        assert newcomer(where).returncode == 4
    finally:
        holder.kill()
        holder.wait()
    assert not is_held(lock)
