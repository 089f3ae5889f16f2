"""`riskcore redact`: what the command writes, for whom, and what it refuses."""

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources

NAME = "50KTC-V2-99000001"


def test_the_map_is_for_its_owner_and_leads_back(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["redact", str(sources.wire), "--out", "shared.jsonl", "--map", "map.json", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["schema"], result["form"], result["accounts"]) == ("riskcore.redact/1", "wire", 1)
    assert result["decisions"] > 10
    shared = Path("shared.jsonl").read_text(encoding="utf-8")
    assert (NAME in shared, "99000001" in shared) == (False, False)
    found = json.loads(Path("map.json").read_text(encoding="utf-8"))
    assert found["accounts"] == {NAME: "Account 1"}
    assert f'"accountId":{found["ids"]["99000001"]}' in shared
    if os.name == "posix":
        assert Path("map.json").stat().st_mode & 0o777 == 0o600


def test_a_copy_verifies_and_is_the_same_each_time(
    sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["redact", str(sources.export), "--out", "one.jsonl"]) == 0
    assert run(["verify", "one.jsonl"]) == 0
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(sources.export.read_bytes())))
    capfd.readouterr()
    assert run(["redact", "-", "--out", "-"]) == 0
    assert capfd.readouterr().out == Path("one.jsonl").read_text(encoding="utf-8")


def test_what_it_refuses(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    Path("there.jsonl").write_text("mine", encoding="utf-8")
    Path("edited.jsonl").write_text(
        sources.export.read_text(encoding="utf-8").replace('"size":2', '"size":3', 1), encoding="utf-8"
    )
    same = str(sources.wire)
    for words, code, said in (
        ([same, "--out", "there.jsonl"], 2, "already exists"),
        ([same, "--out", same, "--force"], 2, "is the session itself"),
        ([same, "--out", "new.jsonl", "--map", "new.jsonl"], 2, "the same file"),
        ([str(sources.export), "--out", "new.jsonl", "--set", "profile.mark=last"], 2, "leave out --set"),
        (["edited.jsonl", "--out", "new.jsonl"], 3, "the hash does not match"),
        ([same, "--out", "nowhere/new.jsonl"], 6, "nowhere/new.jsonl: cannot be written"),
        (["missing.jsonl", "--out", "there.jsonl", "--force"], 3, "missing.jsonl: cannot be read"),
        ([same, "--out", "."], 2, ". is a folder"),
    ):
        assert run(["redact", *words]) == code, words
        assert said in capfd.readouterr().err
    assert Path("there.jsonl").read_text(encoding="utf-8") == "mine"
    assert not Path("new.jsonl").exists()
    assert run(["redact", same, "--out", "there.jsonl", "--force", "--quiet"]) == 0
