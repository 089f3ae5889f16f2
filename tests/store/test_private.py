"""What a trader holds and earns is readable for its owner alone, whatever the umask and whatever was there before."""

import os
import sys
from pathlib import Path
from stat import S_IMODE

import pytest

from riskcore.engine.control_file import Control, control_path, write_control
from riskcore.store.journal import Journal
from riskcore.store.private import create_private, make_private, open_private
from tests.store.days import day, quotes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def modes(folder: Path) -> dict[str, int]:
    return {path.name: S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_journal_and_everything_beside_it_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(0o700)
    store = folder / "j.db"
    with Journal.open(store, "p", write=True) as journal:
        journal.append(day(2))
        write_control(
            control_path(str(store), "p"), Control("http://127.0.0.1:1", "token", "p", 1, "", read_only=False)
        )
        found = modes(folder)
    assert {"j.db", "j.db-wal", "j.db-shm", "j.db.p.lock", "j.db.p.control"} <= set(found)
    assert set(found.values()) == {0o600}


def test_an_older_journal_is_closed_to_others_when_it_is_written_again(tmp_path: Path) -> None:
    store = tmp_path / "j.db"
    with Journal.open(store, "p", write=True) as journal:
        journal.append(day(2))
    reader = Journal.open(store, "p")
    with Journal.open(store, "p", write=True) as journal:
        journal.append(quotes(1, 2))
        for path in tmp_path.iterdir():
            path.chmod(0o644)
    assert "j.db-wal" in modes(tmp_path), "somebody still reads"
    with Journal.open(store, "p", write=True) as journal:
        assert set(modes(tmp_path).values()) == {0o600}
        journal.append(quotes(1, 3))
    reader.close()


def test_what_is_there_keeps_its_content_and_what_is_no_file_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("kept")
    path.chmod(0o644)
    create_private(path)
    os.close(open_private(path, os.O_RDWR))
    assert path.read_text() == "kept"
    assert modes(tmp_path) == {"one": 0o600}
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    make_private(tmp_path / "nothing")
    assert S_IMODE(tmp_path.stat().st_mode) == 0o755
