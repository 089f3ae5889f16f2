"""riskcore audit: text, JSON and the database, from every source."""

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources
from tests.recordings import ACCOUNT, Recording


def audited(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(["audit", *words, "--json", "--quiet"]) == 0
    report: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert report["schema"] == "riskcore.audit/1"
    return report


def test_every_source_of_the_same_days_gives_the_same_report(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    wire = audited(capfd, str(sources.wire))
    assert wire == audited(capfd, str(sources.export))
    assert wire == audited(capfd, "--store", str(sources.store))
    assert [row["rule"] for row in wire["breaches"]] == ["RULE-004", "RULE-003", "GUARD"] * 2
    assert [day["trade_date"] for day in wire["accounts"][0]["days"]] == ["2026-11-20", "2026-11-23"]
    assert wire["accounts"][0]["days"][0]["net_pnl"] == "-603.48"
    assert [row["ended_by"] for row in wire["lockouts"]] == ["reset", None]


def test_obligations_say_when_they_were_met(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    report = audited(capfd, str(sources.wire), "--day", "2026-11-20")
    closes = [row for row in report["commands"] if row["kind"] == "ClosePosition"]
    assert [(row["rule"], row["met_after_seconds"]) for row in closes] == [("RULE-004", "5"), ("GUARD", "30")]
    assert all("met_at" not in row for row in report["commands"] if row["kind"] in ("Alert", "SetLockout"))


def test_one_day_of_a_store(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    report = audited(capfd, "--store", str(sources.store), "--day", "2026-11-23")
    assert [day["trade_date"] for day in report["days"]] == ["2026-11-23"]
    assert {row["trade_date"] for row in report["breaches"]} == {"2026-11-23"}
    # The lockout of the day before is carried in and ends with the new day.
    assert [row["ended_by"] for row in report["lockouts"]] == ["reset", None]


def test_settings_in_force_are_told_when_they_change(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    from tests.recordings import losing_day

    loose = ["--set", "rules.daily_realized_loss.loss_limit=900"]
    losing_day("2026-11-23 08:00:00").write(Path("second.jsonl"))
    assert run(["export", "second.jsonl", *loose, "--out", "second-export.jsonl", "--quiet"]) == 0
    assert run(["export", str(sources.export), "--day", "2026-11-20", "--out", "first-export.jsonl", "--quiet"]) == 0
    report = audited(capfd, "first-export.jsonl", "second-export.jsonl")
    assert [row["from"] for row in report["settings"]] == ["2026-11-20", "2026-11-23"]
    assert report["settings"][0]["settings"]["rules"]["daily_realized_loss"]["loss_limit"] == "500"
    assert report["settings"][1]["changes"] == [
        {"setting": "rules.daily_realized_loss.loss_limit", "old": "500", "new": "900"}
    ]
    assert run(["audit", "first-export.jsonl", "second-export.jsonl"]) == 0
    assert "rules.daily_realized_loss.loss_limit: 500 -> 900" in capfd.readouterr().out
    assert run(["audit", "second-export.jsonl", "first-export.jsonl"]) == 3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "no rules"),
        ("[programme]", "programme"),
        ("[accounts.50KTC-V2-99000001.programme]", "programme"),
        (
            "[rules.max_contracts]\n[[group]]\nmax_contracts = 5\n[[group]]\nname = 'b'",
            "max_contracts, group group, group b",
        ),
    ],
)
def test_what_judges_is_in_force(settings: str, told: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Recording().account().write(tmp_path / "day.jsonl")
    (tmp_path / "riskcore.toml").write_text(settings, encoding="utf-8")
    assert run(["audit", str(tmp_path / "day.jsonl"), "--config", str(tmp_path / "riskcore.toml")]) == 0
    assert f"Settings in force from 2026-11-20: {told}\n" in capfd.readouterr().out


def test_missed_enforcement(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    """The trader adds while he was to be flat, and is not flat when the recording ends."""
    day = Recording().account()
    day.at("08:30:00").quote(21000).fill(1, 21000)
    day.at("08:31:00").quote(20840)
    day.at("08:31:10").fill(2, 20840)
    day.at("08:32:00").clock().write(Path("missed.jsonl"))
    report = audited(capfd, "missed.jsonl")
    assert [(row["kind"], row["rule"], row["text"]) for row in report["missed_enforcement"]] == [
        ("exposure_added", "RULE-004", "3 long of CON.F.US.MNQ.Z26 while it was to be flat"),
        ("not_met", "RULE-004", "still open at the end: 3 CON.F.US.MNQ.Z26; it was to be flat"),
    ]
    assert run(["audit", "missed.jsonl"]) == 0
    text = capfd.readouterr().out
    assert "Missed enforcement (2)" in text
    assert "not met" in text


def test_accounts_are_filtered_by_name_and_id(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    day = Recording().account().account(account=99000002, name="second")
    day.at("08:30:00").fill(1, 21000).fill(1, 21000, account=99000002)
    day.at("08:31:00").fill(-1, 20700, profit=-600).fill(-1, 20700, profit=-600, account=99000002)
    day.write(Path("accounts.jsonl"))
    everybody = audited(capfd, "accounts.jsonl")
    assert [row["account"] for row in everybody["breaches"]] == [ACCOUNT, 99000002]
    for name in ("second", "99000002"):
        one = audited(capfd, "accounts.jsonl", "--account", name)
        assert [row["account"] for row in one["breaches"]] == [99000002]
        assert [account["id"] for account in one["accounts"]] == [99000002]
    assert run(["audit", "accounts.jsonl", "--account", "third"]) == 2
    assert "third" in capfd.readouterr().err


def test_the_database_is_plain_and_rebuilt_at_will(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        report = audited(capfd, "--store", str(sources.store), "--database", "audit.db")
    connection = sqlite3.connect("audit.db")

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    assert rows("SELECT id FROM breaches ORDER BY rowid") == [(row["id"],) for row in report["breaches"]]
    assert rows("SELECT count(*) FROM commands") == [(len(report["commands"]),)]
    assert rows("SELECT net_pnl, net_pnl_micros FROM days") == [("-603.48", -603_480_000)] * 2
    assert rows("SELECT sum(pnl_micros - fees_micros) FROM fills WHERE NOT voided AND pnl IS NOT NULL") == [
        (2 * (-602_000_000 - 2 * 370_000),)
    ]
    assert rows("SELECT account, net_pnl, breaches FROM days_by_account") == [("50KTC-V2-99000001", "-603.48", 3)] * 2
    assert rows("SELECT count(*) FROM enforcement WHERE rule = 'RULE-003' AND command = 'CloseAllPositions'") == [(2,)]
    assert rows("SELECT value FROM settings WHERE setting = 'rules.daily_realized_loss.loss_limit'") == [("500",)]
    assert rows("SELECT rule, breaches FROM breaches_by_rule WHERE trade_date = '2026-11-23'") == [
        ("GUARD", 1),
        ("RULE-003", 1),
        ("RULE-004", 1),
    ]
    assert rows("PRAGMA integrity_check") == [("ok",)]
    connection.close()


@pytest.mark.parametrize("name", ["journal.db", "notes.txt", "foreign.db"])
def test_a_file_that_is_no_audit_database_is_never_replaced(
    sources: Sources, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if name == "notes.txt":
        Path(name).write_text("mine", encoding="utf-8")
    elif name == "foreign.db":
        with sqlite3.connect(name) as connection:
            connection.execute("CREATE TABLE mine (x)")
        connection.close()
    before = Path(name).read_bytes()
    assert run(["audit", str(sources.wire), "--database", name]) == 2
    assert "not an audit database" in capfd.readouterr().err
    assert Path(name).read_bytes() == before


def test_the_text_reads_well(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", str(sources.export), "--day", "2026-11-20"]) == 0
    text = capfd.readouterr().out
    assert "combine  2026-11-20  32 events stored, 19 of them decided  (judged by riskcore" in text
    assert "2026-11-20 08:31:05  50KTC-V2-99000001  RULE-003  day_pnl -604.74  loss_limit 500" in text
    assert text.endswith("\n\nTimes are in America/Chicago.\n")
    assert "CloseAllPositions by RULE-003  met after 0 s" in text
    assert "account by RULE-003 (until_reset), still in force" in text
    assert "None" not in text


def test_a_database_that_cannot_be_written_exits_6(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--store", str(sources.store), "--database", "absent/audit.db"]) == 6
    assert "cannot be written" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes with names")
def test_a_pipe_is_no_place_for_the_database(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(sources.folder / "pipe")
    assert run(["audit", str(sources.export), "--database", "pipe"]) == 2
    assert "not a file" in capfd.readouterr().err
    assert (sources.folder / "pipe").is_fifo()
