"""`riskcore review`: the same evening from every source, files with the hash, and what cannot be reviewed."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources
from tests.recordings import RULES, Recording

FRIDAY, MONDAY = "2026-11-20", "2026-11-23"


def reviewed(capfd: pytest.CaptureFixture[str], *words: str, quick: bool = True) -> dict[str, Any]:
    assert run(["review", *words, "--json", *(["--quick"] if quick else [])]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def refused(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["review", *words])
    return code, capfd.readouterr().err


def test_every_source_of_a_day_gives_the_same_review(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    wire = reviewed(capfd, str(sources.wire), FRIDAY, quick=False)
    export = reviewed(capfd, FRIDAY, str(sources.export), quick=False)
    store = reviewed(capfd, "--day", FRIDAY, "--store", str(sources.store), quick=False)
    assert wire["schema"] == "riskcore.review/1"
    for other in (export, store):
        for name in ("round_trips", "breaches", "closest", "prevented", "missed_enforcement", "over_enforcement"):
            assert other[name] == wire[name], name
        assert other["whatif"]["tilt"] == wire["whatif"]["tilt"]
    first, second = wire["round_trips"]
    assert (first["mae"], first["mae_ticks"], first["r"], first["risk_from"]) == (
        *("-604.00", "-604", "-2.0158", "loss limit"),
    )
    assert second["net_pnl"] == "1.26"
    assert [row["rule"] for row in wire["breaches"]] == ["RULE-004", "RULE-003", "GUARD"]
    # Locked at the first loss, so that the entry after it is left out: worth 1.26 to this trader.
    assert (wire["question"], wire["prevented"]["net_pnl"], wire["prevented"]["range"]) == (
        *("with_rules", "-1.26", ["-3.26", "0.74"]),
    )
    assert [row["after"]["net_pnl"] for row in wire["whatif"]["tilt"]] == ["1.26"]


def test_the_hash_is_that_of_the_day(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    last: dict[str, str] = {}
    day = ""
    for line in sources.export.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event.get("type") == "TradingDayOpened":
            day = event["data"]["day"]["trade_date"]
        if "hash" in event:
            last[day] = event["hash"]
    assert reviewed(capfd, FRIDAY, str(sources.export))["hash"] == {"of": "journal", "sha256": last[FRIDAY]}
    assert reviewed(capfd, "--store", str(sources.store))["hash"]["sha256"] == last[MONDAY]
    for word in (last[MONDAY], "hash of the last event so far"):
        assert run(["review", str(sources.export), "--quick"]) == 0
        assert word in capfd.readouterr().out


def test_files_carry_the_hash_and_fit_a_message(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    files = ["--html", "day.html", "--csv", "day.csv"]
    assert run(["review", FRIDAY, "--store", str(sources.store), *files]) == 0
    digest = capfd.readouterr().out.splitlines()[-3].rpartition(" ")[2]
    page = Path("day.html").read_text(encoding="utf-8")
    assert digest in page
    assert len(page.encode()) < 100_000
    rows = list(csv.DictReader(Path("day.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["net_pnl"], row["day_sha256"]) for row in rows] == [("-604.74", digest), ("1.26", digest)]


def test_a_day_that_has_just_begun_is_not_the_one_to_look_back_on(
    capfd: pytest.CaptureFixture[str], sources: Sources
) -> None:
    evening = Recording("2026-11-23 10:00:00").account().at("2026-11-23 18:00:00").clock()
    evening.write(Path("evening.jsonl"))
    assert run(["replay", str(sources.wire), "evening.jsonl", "--store", "evening.db", "--quiet"]) == 0
    capfd.readouterr()
    assert reviewed(capfd, "--store", "evening.db")["day"]["trade_date"] == MONDAY
    empty = reviewed(capfd, "2026-11-24", "--store", "evening.db")
    assert (empty["round_trips"], empty["whatif"], empty["day"]["closed"]) == ([], None, False)


def test_other_settings_are_a_what_if_of_the_day(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    tighter = ["--set", "rules.trade_frequency_limit.enabled=false"]
    found = reviewed(capfd, FRIDAY, "--store", str(sources.store), *tighter)
    assert found["whatif"]["stamp"]["settings_diff"]
    assert [row["rule"] for row in found["breaches"]] == ["RULE-004", "RULE-003", "GUARD"]


def test_what_cannot_be_reviewed(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    code, said = refused(capfd, "2026-11-21", "--store", str(sources.store))
    assert (code, "no day 2026-11-21; it holds 2026-11-20, 2026-11-23" in said) == (2, True)
    assert refused(capfd, FRIDAY, MONDAY, str(sources.wire))[0] == 2
    assert refused(capfd, "2026-11-31", str(sources.wire))[0] == 2
    code, said = refused(capfd, str(sources.wire), "--account", "nobody")
    assert (code, "--account nobody" in said) == (2, True)
    whole = sources.export.read_text(encoding="utf-8")
    Path("edited.jsonl").write_text(whole.replace('"size":2', '"size":3', 1), encoding="utf-8")
    code, said = refused(capfd, "edited.jsonl")
    assert (code, "the hash does not match" in said) == (3, True)
    Recording().write(Path("empty.jsonl"))
    assert refused(capfd, "empty.jsonl")[0] == 3


def test_a_day_without_trades_is_said(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("riskcore.toml").write_text(RULES, encoding="utf-8")
    Recording().account().at("09:00:00").clock().write(Path("quiet.jsonl"))
    assert run(["review", "quiet.jsonl", "--csv", "quiet.csv", "--html", "quiet.html"]) == 0
    shown = capfd.readouterr().out
    assert "No round trip." in shown
    assert "There is nothing to compare" in shown
    assert shown.splitlines()[-3].rpartition(" ")[2] in Path("quiet.csv").read_text(encoding="utf-8")
