"""Both forms of a session file, as the first release wrote them, are read for ever."""

import gzip
import json
from pathlib import Path

import pytest

from riskcore.cli.main import run

FOLDER = Path(__file__).parents[2] / "fixtures" / "sessions"
WIRE, EXPORT = FOLDER / "wire.v1.jsonl", FOLDER / "journal.v1.jsonl"


def days_of(session: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int, str]]:
    assert run(["replay", str(session), "--json", "--quiet"]) == 0
    [account] = json.loads(capsys.readouterr().out)["accounts"]
    return [(day["trade_date"], day["fills"], day["net_pnl"]) for day in account["days"]]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)


def test_a_wire_recording_gives_the_same_fills_and_money(capsys: pytest.CaptureFixture[str]) -> None:
    assert days_of(WIRE, capsys) == [("2026-11-18", 2, "-1382.60"), ("2026-11-19", 2, "-28.80")]


def test_a_journal_export_gives_the_same_fills_and_money(capsys: pytest.CaptureFixture[str]) -> None:
    assert days_of(EXPORT, capsys) == [("2026-11-18", 2, "-1382.60"), ("2026-11-19", 2, "-28.80")]


def test_an_export_written_again_has_the_same_bytes(tmp_path: Path) -> None:
    assert run(["export", str(EXPORT), "--out", str(tmp_path / "again.jsonl"), "--quiet"]) == 0
    assert (tmp_path / "again.jsonl").read_bytes() == EXPORT.read_bytes()


def test_both_may_be_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for session in (WIRE, EXPORT):
        packed = tmp_path / f"{session.name}.gz"
        packed.write_bytes(gzip.compress(session.read_bytes()))
        assert days_of(packed, capsys) == days_of(session, capsys)
