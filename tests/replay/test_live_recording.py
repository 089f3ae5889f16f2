"""What `live --record` writes: whole, private, never over another recording, and no trouble for the engine."""

import gzip
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from adapters.simulator.scenarios import scenario_of
from replay.live_recording import LiveRecording, free_path
from replay.recording import read_wire
from riskcore.cli.main import run
from riskcore.errors import CannotWrite
from tests.cli.live_run import Live, play

LINE = b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"X","arguments":[]}\n'


def recording(path: Path, said: list[str] | None = None) -> LiveRecording:
    return LiveRecording(path, {"profile": "p"}, (said if said is not None else []).append, lambda: 10**18)


def test_a_recording_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    assert free_path(path) == path
    path.touch()
    assert free_path(path).name == "day.2.jsonl.gz"
    (tmp_path / "day.2.jsonl.gz").touch()
    assert free_path(path).name == "day.3.jsonl.gz"


@pytest.mark.parametrize("name", ["day.jsonl", "day.jsonl.gz"])
def test_a_closed_recording_has_its_end_line_and_is_private(tmp_path: Path, name: str) -> None:
    one = recording(tmp_path / name)
    one.add(LINE)
    one.close()
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    reader = read_wire(tmp_path / name, strict=True)
    assert sum(len(items) for items in reader) == 1
    assert reader.ended
    assert reader.profile == "p"


@pytest.mark.parametrize("name", ["day.jsonl", "day.jsonl.gz"])
def test_what_was_flushed_is_there_after_a_kill(tmp_path: Path, name: str) -> None:
    one = recording(tmp_path / name)
    one.add(LINE)
    one.flush()
    said: list[str] = []
    reader = read_wire(tmp_path / name, warn=said.append)
    assert sum(len(items) for items in reader) == 1
    assert reader.cut
    assert "read up to there" in said[0]
    one.close()


def test_a_disk_that_takes_no_more_ends_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    one = recording(tmp_path / "day.jsonl", said)

    def full(line: bytes) -> None:
        raise OSError(28, "No space left on device")

    assert one._writer is not None
    monkeypatch.setattr(one._writer, "write_line", full)
    for _ in range(2):
        one.add(LINE)
        one.flush()
    one.close()
    assert len(said) == 1
    assert "the recording ends here" in said[0]


def test_a_folder_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite):
        recording(tmp_path / "none" / "day.jsonl")


# ---- a live engine -----------------------------------------------------------------------------------


def replayed(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["replay", str(path), "--json", *more]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    del result["sessions"], result["comparison"]
    return result


@pytest.mark.slow
def test_a_recorded_day_replays_to_the_decisions_of_the_journal_and_holds_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = scenario_of("daily-loss")
    (tmp_path / "riskcore.toml").write_text(scenario.settings, encoding="utf-8")
    settings = ("--config", str(tmp_path / "riskcore.toml"))
    wire, journal, kept = (tmp_path / name for name in ("wire.jsonl.gz", "journal.jsonl", "kept.jsonl"))

    async def plot(live: Live) -> None:
        await live.clock.sleep(scenario.seconds + 12)

    live = play(tmp_path, scenario, plot, record=wire)
    store = ["--store", live.store]
    assert run(["export", *store, "--out", str(journal), "--quiet"]) == 0
    assert run(["export", "--wire", *store, "--out", str(kept), "--quiet"]) == 0
    assert run(["verify", *store]) == 0
    decided = replayed(journal, capsys)
    assert decided["breaches"]
    assert decided["commands"]
    assert replayed(wire, capsys, *settings) == decided
    assert replayed(kept, capsys, *settings) == decided
    text = gzip.decompress(wire.read_bytes()) + kept.read_bytes()
    tokens = [live.gateway.api_key.encode(), b"eyJ", b"Bearer"]
    assert [token for token in tokens if token in text] == []
    # Word for word, and as many of the account's messages: what was kept is what was recorded.
    of_user = [line for line in gzip.decompress(wire.read_bytes()).splitlines() if b'"hub":"user"' in line]
    assert of_user
    assert of_user == [line for line in kept.read_bytes().splitlines() if b'"hub":"user"' in line]
