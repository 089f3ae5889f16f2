"""A day of the journal as a wire recording: word for word where it was kept, and with the same decisions."""

import json
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources, make_sources
from tests.recordings import RULES, Recording, losing_day


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.chdir(tmp_path)
    return make_sources(tmp_path)


def replayed(path: Path | str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["replay", str(path), "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    del result["sessions"], result["comparison"]
    return result


def messages(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines() if b'"hub":"user"' in line or b'"rest"' in line]


def stored(recording: Recording, *sets: str) -> None:
    recording.write(Path("day.jsonl"))
    assert run(["replay", "day.jsonl", "--store", "day.db", "--quiet", *sets]) == 0


def test_what_was_kept_is_written_word_for_word_and_decides_the_same(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--wire", "--all", "--store", str(sources.store), "--out", "again.jsonl"]) == 0
    assert messages(Path("again.jsonl")) == messages(sources.wire)
    assert replayed("again.jsonl", capsys) == replayed(sources.wire, capsys) == replayed(sources.export, capsys)
    assert run(["verify", "again.jsonl"]) == 0


def test_a_later_day_alone_opens_with_what_was_carried_into_it(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--wire", "--store", str(sources.store), "--out", "last.jsonl"]) == 0
    assert run(["export", "--store", str(sources.store), "--out", "journal.jsonl"]) == 0
    assert b'"fact":"TradingDayOpened"' in Path("last.jsonl").read_bytes()
    assert replayed("last.jsonl", capsys) == replayed("journal.jsonl", capsys)


def test_market_data_is_rebuilt_and_the_header_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riskcore.toml").write_text(RULES, encoding="utf-8")
    quote = {"hub": "market", "target": "GatewayQuote", "arguments": ["CON.F.US.MNQ.Z26", {"lastPrice": 20990.25}]}
    day = losing_day()
    at = day.lines[0][0]
    day.lines.insert(1, (at, quote))
    stored(day)
    assert run(["export", "--wire", "--store", "day.db", "--out", "user.jsonl"]) == 0
    lines = Path("user.jsonl").read_text().splitlines()
    assert "rebuilt" in json.loads(lines[0])["note"]
    rebuilt = [json.loads(line)["arguments"] for line in lines if "GatewayQuote" in line]
    assert quote["arguments"] in rebuilt
    assert len(rebuilt) == Path("day.jsonl").read_text().count("GatewayQuote")

    assert run(["replay", "day.jsonl", "--store", "all.db", "--quiet", "--set", "profile.keep_payloads=all"]) == 0
    assert run(["export", "--wire", "--store", "all.db", "--out", "all.jsonl"]) == 0
    whole = Path("all.jsonl").read_bytes().splitlines()
    assert "note" not in json.loads(whole[0])
    assert whole[1:-1] == Path("day.jsonl").read_bytes().splitlines()[1:-1]


def test_a_day_without_messages_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riskcore.toml").write_text(RULES, encoding="utf-8")
    stored(losing_day(), "--set", "profile.keep_payloads=off")
    capsys.readouterr()
    assert run(["export", "--wire", "--store", "day.db", "--out", "day-wire.jsonl"]) == 2
    said = capsys.readouterr().err
    assert "messages about the account were not kept (keep_payloads was off" in said
    assert not Path("day-wire.jsonl").exists()


def test_session_files_hold_no_messages(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--wire", str(sources.export), "--out", "x.jsonl"]) == 2
    assert "--wire reads the journal" in capsys.readouterr().err


def test_a_decision_is_never_read_from_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    day = losing_day()
    line = {"fact": "DayRolled", "v": 1, "source": "core", "key": "x", "data": {"trade_date": "a", "next_date": "b"}}
    day.lines.append((day.lines[-1][0], line))
    day.write(Path("day.jsonl"))
    capsys.readouterr()
    assert run(["replay", "day.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rejected_lines"] == 1


# ---- evidence ----------------------------------------------------------------------------------------


def test_an_evidence_pack_verifies_and_an_edit_in_it_is_noticed(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["audit", "--store", str(sources.store), "--evidence", "2026-11-01", "2026-11-30", "--out", "pack"]
    assert run(command) == 0
    assert {path.name for path in Path("pack").iterdir()} == {
        "SHA256SUMS",
        "audit.json",
        "evidence.html",
        "journal.jsonl.gz",
        "messages.jsonl.gz",
        "wire.jsonl.gz",
    }
    assert run(["verify", "pack"]) == 0
    page = Path("pack/evidence.html").read_text()
    assert "RULE-003" in page
    assert "GatewayUserTrade" in page
    assert run(command) == 2  # It never writes over evidence.
    capsys.readouterr()
    with Path("pack/audit.json").open("a") as file:
        file.write(" ")
    assert run(["verify", "pack"]) == 3
    assert "does not have the hash" in capsys.readouterr().err


def test_a_forged_message_with_a_fitting_hash_is_noticed(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    import gzip
    from hashlib import sha256

    assert run(["audit", "--store", str(sources.store), "--evidence", "2026-11-20", "2026-11-20", "--out", "pack"]) == 0
    path = Path("pack/messages.jsonl.gz")
    before = path.read_bytes()
    path.write_bytes(gzip.compress(gzip.decompress(before).replace(b"50000", b"60000")))
    sums = Path("pack/SHA256SUMS")
    sums.write_text(sums.read_text().replace(sha256(before).hexdigest(), sha256(path.read_bytes()).hexdigest()))
    capsys.readouterr()
    assert run(["verify", "pack"]) == 3
    assert "are not those that were stored" in capsys.readouterr().err


def test_evidence_needs_days_that_are_there(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["audit", "--store", str(sources.store)]
    assert run([*store, "--evidence", "2025-01-01", "2025-01-02", "--out", "pack"]) == 2
    assert run([*store, "--evidence", "yesterday", "2025-01-02", "--out", "pack"]) == 2
    assert run([*store, "--evidence", "2026-11-20", "2026-11-20"]) == 2
    assert not Path("pack").exists()
