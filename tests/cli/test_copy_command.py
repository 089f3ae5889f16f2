"""riskcore copy: a real journal there and back, and what is refused."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources


def verified(store: str | Path, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The last hash of each day; the store is whole and was decided the same."""
    capfd.readouterr()
    assert run(["verify", "--store", str(store), "--json"]) == 0
    return [row["last_hash"] for row in json.loads(capfd.readouterr().out)["days"]]


def test_there_and_back_with_equal_hashes(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    before = verified(sources.store, capfd)
    assert run(["copy", str(sources.store), "there.db"]) == 0
    said = capfd.readouterr()
    assert f"the copy is whole and ends with event 32 of 2026-11-23, hash {before[-1]}" in said.out
    assert said.err == ""
    assert run(["copy", "there.db", "back.db", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [row["last_hash"] for row in told["days"]] == before
    assert verified("there.db", capfd) == verified("back.db", capfd) == before
    assert run(["copy", "there.db", "back.db"]) == 0
    assert capfd.readouterr().out.startswith("profile combine: 0 events copied")


def test_what_is_refused(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    store = str(sources.store)
    with closing(sqlite3.connect("foreign.db")) as database:
        database.execute("CREATE TABLE mine (x)")
    foreign = Path("foreign.db").read_bytes()
    for words, code, said in (
        ([store, f"../{Path.cwd().name}/{sources.store.name}"], 2, "is the same store as"),
        (["absent.db", "copy.db"], 2, "absent.db: there is no journal here"),
        ([store, "foreign.db"], 2, "a database of another program"),
        ([str(sources.wire), "copy.db"], 3, "not a database"),
        ([store, "no://such"], 2, "no://"),
    ):
        assert run(["copy", *words]) == code, words
        error = capfd.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1
    assert Path("foreign.db").read_bytes() == foreign
    assert not Path("copy.db").exists()
    shutil.copy(store, "broken.db")
    with closing(sqlite3.connect("broken.db")) as database, database:
        database.execute("DROP TRIGGER events_no_delete")
    assert run(["copy", "broken.db", "copy.db"]) == 3
    assert "the journal's tables or triggers were changed" in capfd.readouterr().err
