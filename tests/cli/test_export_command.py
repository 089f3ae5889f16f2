"""riskcore export: from a store, from recordings, from exports."""

import gzip
import json
from pathlib import Path

import pytest

from riskcore.cli import export_command
from riskcore.cli.main import run
from tests.cli.sources import Sources


def dates(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line["data"]["day"]["trade_date"] for line in lines if line.get("type") == "TradingDayOpened"]


def test_a_store_and_the_recording_it_was_made_from_give_the_same_export(sources: Sources) -> None:
    assert run(["export", "--store", str(sources.store), "--all", "--out", "all.jsonl"]) == 0
    assert Path("all.jsonl").read_bytes() == sources.export.read_bytes()


def test_a_store_gives_its_last_day_unless_one_is_named(sources: Sources) -> None:
    assert run(["export", "--store", str(sources.store), "--out", "last.jsonl"]) == 0
    assert dates(Path("last.jsonl")) == ["2026-11-23"]
    assert run(["export", "--store", str(sources.store), "--day", "2026-11-20", "--out", "first.jsonl"]) == 0
    assert dates(Path("first.jsonl")) == ["2026-11-20"]
    # A day that is over, alone: it replays to its own end.
    assert run(["verify", "first.jsonl"]) == 0
    assert run(["replay", "first.jsonl", "--quiet"]) == 0


def test_one_day_of_an_export_keeps_its_bytes_and_hashes(sources: Sources) -> None:
    assert run(["export", str(sources.export), "--day", "2026-11-23", "--out", "one.jsonl"]) == 0
    assert run(["export", "--store", str(sources.store), "--out", "same.jsonl"]) == 0
    assert Path("one.jsonl").read_bytes() == Path("same.jsonl").read_bytes()


def test_days_that_do_not_follow_one_another_verify(sources: Sources) -> None:
    from tests.recordings import losing_day

    three = losing_day()
    for start in ("2026-11-23 08:00:00", "2026-11-24 08:00:00"):
        three.lines += losing_day(start).lines
    three.write(Path("three.jsonl"))
    assert run(["replay", "three.jsonl", "--store", "three.db", "--quiet"]) == 0
    chosen = ["--day", "2026-11-20", "--day", "2026-11-24"]
    assert run(["export", "--store", "three.db", *chosen, "--out", "two-of-three.jsonl"]) == 0
    assert dates(Path("two-of-three.jsonl")) == ["2026-11-20", "2026-11-24"]
    assert run(["verify", "two-of-three.jsonl"]) == 0


def test_a_file_ending_in_gz_is_compressed_and_always_the_same(sources: Sources) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        assert run(["export", str(sources.wire), "--out", name, "--quiet"]) == 0
    assert gzip.decompress(Path("a.jsonl.gz").read_bytes()) == sources.export.read_bytes()
    assert Path("a.jsonl.gz").read_bytes() == Path("b.jsonl.gz").read_bytes()


def test_piped_it_goes_to_stdout(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(sources.wire), "--quiet"]) == 0
    assert capfd.readouterr().out == sources.export.read_text(encoding="utf-8")


def test_on_a_terminal_the_file_is_named_after_the_day(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_command.sys.stdout, "isatty", lambda: True, raising=False)
    assert run(["export", "--store", str(sources.store)]) == 0
    assert dates(Path("2026-11-23.jsonl")) == ["2026-11-23"]
    assert run(["export", "--store", str(sources.store)]) == 2
    assert run(["export", "--store", str(sources.store), "--force"]) == 0
    assert run(["export", "--store", str(sources.store), "--all"]) == 0
    assert dates(Path("2026-11-20_2026-11-23.jsonl")) == ["2026-11-20", "2026-11-23"]
    assert not list(Path().glob(".riskcore*"))


def test_a_file_that_is_there_is_kept(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    Path("kept.jsonl").write_text("mine", encoding="utf-8")
    assert run(["export", str(sources.wire), "--out", "kept.jsonl"]) == 2
    assert "--force" in capfd.readouterr().err
    assert Path("kept.jsonl").read_text(encoding="utf-8") == "mine"


def test_nothing_is_written_when_the_source_is_damaged(sources: Sources) -> None:
    sources.export.write_bytes(sources.export.read_bytes().replace(b"trade:72002", b"trade:72009", 1))
    assert run(["export", str(sources.export), "--out", "copy.jsonl"]) == 3
    assert not list(sources.folder.glob("*copy.jsonl*"))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--store", "{store}", "--day", "2026-01-05"], "2026-01-05"),
        (["{wire}", "--day", "2026-01-05"], "2026-01-05"),
        (["--store", "nowhere.db"], "nowhere.db"),
        (["--store", "{store}", "--profile", "other"], "combine"),
        (["{wire}", "--store", "{store}"], "not both"),
        (["{wire}", "--profile", "combine"], "--profile"),
        (["{wire}", "{export}"], "not both"),
        (["{export}", "--set", "rules.max_contracts.limit=1"], "--set"),
        (["--store", "{store}", "--day", "20-11-2026"], "YYYY-MM-DD"),
        (["--store", "{store}", "--all", "--day", "2026-11-20"], "--all"),
    ],
)
def test_a_wrong_command_line_is_exit_2(
    sources: Sources, words: list[str], named: str, capfd: pytest.CaptureFixture[str]
) -> None:
    filled = [word.format(store=sources.store, wire=sources.wire, export=sources.export) for word in words]
    assert run(["export", *filled, "--out", "out.jsonl"]) == 2
    error = capfd.readouterr().err
    assert named in error
    assert len(error.splitlines()) <= 2
    assert not Path("out.jsonl").exists()


def test_json_tells_what_was_written(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(sources.wire), "--out", "out.jsonl", "--json", "--quiet"]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "schema": "riskcore.export/1",
        "written": "out.jsonl",
        "days": ["2026-11-20", "2026-11-23"],
    }


def test_a_file_that_cannot_be_written_exits_6(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--store", str(sources.store), "--out", "absent/day.jsonl"]) == 6
    assert "cannot be written" in capfd.readouterr().err
    monkeypatch.setattr(export_command.sys.stdout, "isatty", lambda: True, raising=False)
    Path("2026-11-23.jsonl").mkdir()
    assert run(["export", "--store", str(sources.store), "--force"]) == 6
    assert "2026-11-23.jsonl: cannot be written" in capfd.readouterr().err
    assert not list(Path().glob(".riskcore*"))
