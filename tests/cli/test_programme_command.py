"""`riskcore programme show` and `diff`, `riskcore calendar`, and what is said of figures that are old."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli import doctor_checks
from riskcore.cli.main import run
from riskcore.settings.calendar import calendar_ends, calendar_warnings
from riskcore.settings.config import read_settings
from riskcore.settings.programme import start_warnings
from tests.recordings import losing_day


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> None:
    Path("riskcore.toml").write_text(text, encoding="utf-8")


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_show_names_every_figure_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    written("[programme]\nreadings = { pass_at = 'in_session' }\n[accounts.A.programme]\nstage = 'xfa'\nsize = '150K'")
    result = shown(capsys, "programme", "show")
    assert result["version"] == "2026-10-10"
    first, second = result["programmes"]
    assert (first["account"], first["stage"], first["size"]) == (None, "combine", "50K")
    assert first["readings"]["pass_at"] == "in_session"
    assert {
        "key": "combine.50K.mll",
        "value": "2000",
        "unit": "usd",
        "article": 8284204,
        "page": "2026-09-18",
    } in first["figures"]
    assert not [row for row in first["figures"] if row["key"].startswith(("payout.", "scaling."))]
    keys = [row["key"] for row in second["figures"]]
    assert (second["account"], second["size"]) == ("A", "150K")
    assert "payout.cap.150K.standard" in keys
    assert "scaling.150K.4500" in keys
    assert run(["programme", "show"]) == 0
    text = capsys.readouterr().out
    assert "Topstep programme, version 2026-10-10" in text
    assert "pass_at = in_session\n" in text
    assert "correlated = family (default)" in text
    assert "Account A: xfa, product standard, size 150K" in text


def test_show_without_a_programme_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    written("[rules.max_contracts]")
    assert run(["programme", "show"]) == 0
    assert "write [programme] in the settings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("first", "second", "changes"),
    [
        ("2026-09-09", "2026-09-10", [("consistency.share", "0.50", "0.55")]),
        ("2026-09-10", "2026-09-09", [("consistency.share", "0.50", "0.55")]),
        ("2026-09-10", "2026-10-10", []),
        ("2026-09-01", "2026-09-09", []),
    ],
)
def test_diff(capsys: pytest.CaptureFixture[str], first: str, second: str, changes: list[tuple[str, str, str]]) -> None:
    result = shown(capsys, "programme", "diff", first, second)
    assert [(one["key"], one["old"]["value"], one["new"]["value"]) for one in result["changes"]] == changes
    assert run(["programme", "diff", first, second]) == 0
    text = capsys.readouterr().out
    assert ("no figure is known to have changed" in text) is (not changes)


def test_diff_under_another_reading_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    written("[programme]\nreadings = { older_combines = 'all_55' }")
    (change,) = shown(capsys, "programme", "diff", "2026-09-09", "2026-09-10")["changes"]
    assert (change["old"]["value"], change["new"]["value"]) == ("0.55", "0.55")


def test_diff_names_pages_dated_in_between(capsys: pytest.CaptureFixture[str]) -> None:
    pages = shown(capsys, "programme", "diff", "2026-10-01", "2026-10-10")["pages"]
    assert pages == [{"article": 13613539, "page": "2026-10-08"}]


def test_diff_refuses_what_is_no_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["programme", "diff", "yesterday", "2026-10-10"]) == 2
    assert "'yesterday' is not a date" in capsys.readouterr().err


def test_calendar(capsys: pytest.CaptureFixture[str]) -> None:
    written("[programme]")
    result = shown(capsys, "calendar", "--days", "7")
    assert len(result["days"]) == 7
    assert result["calendar_ends"] == calendar_ends()
    assert run(["calendar"]) == 0
    assert capsys.readouterr().out.startswith("Times are in America/Chicago.")
    assert run(["calendar", "--days", "0"]) == 2


@pytest.mark.parametrize(("today", "warns"), [("2027-01-08", False), ("2027-01-09", True)])
def test_figures_older_than_ninety_days_warn(today: str, warns: bool) -> None:
    found = start_warnings(read_settings("[programme]").plain, date.fromisoformat(today))
    assert any("are of 2026-10-10, 91 days old" in one for one in found) is warns
    assert start_warnings(read_settings("").plain, date.fromisoformat(today)) == []
    now = datetime.fromisoformat(f"{today}T12:00:00+00:00")
    assert doctor_checks.programme_check(read_settings("[accounts.A.programme]").plain, now).state == "warn"


@pytest.mark.parametrize(("today", "warns"), [("2026-12-31", False), ("2027-01-01", True), ("2025-12-31", True)])
def test_a_year_without_release_days_is_reported(today: str, warns: bool) -> None:
    found = start_warnings(read_settings("[programme]").plain, date.fromisoformat(today))
    assert any("release days of" in one for one in found) is warns


def test_the_doctor_says_which_figures_judge() -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    check = doctor_checks.programme_check(read_settings("[programme]").plain, now)
    assert (check.state, "version 2026-10-10" in check.text) == ("ok", True)
    assert doctor_checks.programme_check(read_settings("").plain, now).state == "ok"


@pytest.mark.parametrize(("days_before", "warns"), [(31, False), (30, True)])
def test_the_end_of_the_calendar_is_told_a_month_before(days_before: int, warns: bool) -> None:
    ends = date.fromisoformat(calendar_ends())
    found = calendar_warnings(date.fromordinal(ends.toordinal() - days_before))
    assert bool(found) is warns
    assert all(calendar_ends() in one for one in found)


def test_status_reads_the_store(capsys: pytest.CaptureFixture[str]) -> None:
    written("[programme]\nfloor_override = 48000\n[accounts.Other.programme]\nstage = 'xfa'")
    wire = losing_day().write(Path("day.jsonl"))
    assert run(["replay", str(wire), "--store", "day.db", "--quiet"]) == 0
    capsys.readouterr()
    result = shown(capsys, "programme", "status", "--store", "day.db")
    (row,) = result["accounts"]
    assert (result["trade_date"], row["programme"]["floor"], row["programme"]["size_cap_units"]) == (
        "2026-11-20",
        "48000.00",
        50,
    )
    assert run(["programme", "status", "--store", "day.db", "--account", "50KTC-V2-99000001"]) == 0
    text = capsys.readouterr().out
    assert "Account 99000001  50KTC-V2-99000001: combine, product standard, size 50K" in text
    assert run(["programme", "status", "--store", "day.db", "--account", "nobody"]) == 2
    assert "not in this profile" in capsys.readouterr().err
