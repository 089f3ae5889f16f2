"""`riskcore regress`: days found, compared, accepted, told; exit codes of INTERFACE.md 1."""

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fixtures.make_days import FOLDER
from replay.regress import Outcome, check_day, differences, find_days, printable
from riskcore.cli.main import run
from riskcore.errors import InputError

LOSS, QUIET = "daily-loss", "voided-trade"


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Two recorded days of our own in a folder that tests may change."""
    for name in (LOSS, QUIET):
        shutil.copytree(FOLDER / name, tmp_path / "days" / name)
    return tmp_path / "days"


def edit(path: Path, change: Any) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def result_of(days: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run(["regress", str(days), "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_days_that_are_the_same_pass(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = result_of(days, capsys)
    assert code == 0
    assert [(day["name"], day["result"], day["differences"]) for day in found["days"]] == [
        (LOSS, "same", []),
        (QUIET, "same", []),
    ]
    assert (found["passed"], found["failed"]) == (2, 0)


def test_a_changed_figure_is_one_difference_with_its_place(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(value: Any) -> None:
        value["accounts"][0]["days"][0]["net_pnl"] = "-529.85"

    edit(days / LOSS / "expected.json", change)
    assert run(["regress", str(days)]) == 1
    out = capsys.readouterr().out
    assert '  accounts[99000001].days[2026-11-19].net_pnl: expected "-529.85", got "-529.86"\n' in out
    assert "2 days: 1 different, 1 same" in out


def test_a_missing_and_an_unexpected_breach_are_one_difference_each(
    days: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(days / LOSS / "expected.json", lambda value: value["breaches"].pop(0))
    edit(days / QUIET / "expected.json", lambda value: value["breaches"].append({"id": "made/up", "rule": "RULE-001"}))
    code, found = result_of(days, capsys)
    assert code == 1
    first, second = (day["differences"] for day in found["days"])
    assert [one["expected"] for one in first] == ["(absent)"]
    assert "RULE-007" in first[0]["got"]
    assert [(one["path"], one["got"]) for one in second] == [("breaches[made/up]", "(absent)")]


def test_other_settings_are_seen_as_differences(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = days / QUIET / "riskcore.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"300"', '"3000"'), encoding="utf-8")
    assert run(["regress", str(days / QUIET)]) == 1
    assert "lockout_history[0]" in capsys.readouterr().out


def test_a_day_without_expectation_fails_until_accepted(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = days / LOSS / "expected.json"
    before = path.read_bytes()
    path.unlink()
    assert run(["regress", str(days)]) == 1
    assert "--accept" in capsys.readouterr().out
    assert not path.exists()
    code, found = result_of(days, capsys, "--accept")
    assert (code, found["days"][0]["result"]) == (0, "accepted")
    assert path.read_bytes() == before


def test_accept_says_what_changed_and_writes_it(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = days / LOSS / "expected.json"
    before = path.read_bytes()
    edit(path, lambda value: value.update(rejected_lines=7))
    untouched = (days / QUIET / "expected.json").stat().st_mtime_ns
    assert run(["regress", str(days), "--accept"]) == 0
    assert "rejected_lines: expected 7, got 0" in capsys.readouterr().out
    assert path.read_bytes() == before
    assert (days / QUIET / "expected.json").stat().st_mtime_ns == untouched


def test_an_unreadable_day_exits_3_and_the_others_are_still_checked(
    days: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = days / LOSS / "session.jsonl"
    session.write_text(session.read_text(encoding="utf-8").replace("{", "[", 5), encoding="utf-8")
    edit(days / QUIET / "expected.json", lambda value: value.update(rejected_lines=7))
    assert run(["regress", str(days)]) == 3
    caught = capsys.readouterr()
    assert caught.err.startswith(f"error: {LOSS}: ")
    assert "rejected_lines: expected 7, got 0" in caught.out


@pytest.mark.parametrize("content", ["", "{", "[]", "\ufeff{}", "[" * 200_000])
def test_an_unreadable_expectation_exits_3(days: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (days / LOSS / "expected.json").write_text(content, encoding="utf-8")
    assert run(["regress", str(days / LOSS)]) == 3
    assert "expected.json" in capsys.readouterr().err


def test_wrong_or_missing_settings_exit_2(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = days / LOSS / "riskcore.toml"
    settings.write_text("[rules.max_contracts]\nlimit = 0\n", encoding="utf-8")
    assert run(["regress", str(days)]) == 2
    assert "limit" in capsys.readouterr().err
    settings.unlink()
    assert run(["regress", str(days)]) == 2
    assert "riskcore.toml" in capsys.readouterr().err


def test_settings_of_the_folder_above_are_used_but_none_from_outside(days: Path) -> None:
    for name in (LOSS, QUIET):
        (days / name / "riskcore.toml").unlink()
    (days.parent / "riskcore.toml").write_text('[profile]\nname = "outside"\n', encoding="utf-8")
    assert [day.config_path for day in find_days(days)] == [None, None]
    (days / "riskcore.toml").write_text('[profile]\nname = "shared"\n', encoding="utf-8")
    assert [day.config_path for day in find_days(days)] == [days / "riskcore.toml"] * 2


def test_a_folder_without_days_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["regress", str(tmp_path)]) == 3
    assert run(["regress", str(tmp_path / "absent")]) == 3
    assert "no such folder" in capsys.readouterr().err
    with pytest.raises(InputError):
        find_days(tmp_path)


def test_one_day_may_be_the_folder_itself(days: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(days / LOSS)
    (day,) = find_days(Path())
    assert (day.name, check_day(day).result) == (LOSS, "same")


def test_several_sessions_of_a_folder_are_one_run(days: Path) -> None:
    folder = days / "week"
    folder.mkdir()
    shutil.copy(days / QUIET / "session.jsonl", folder / "1-tuesday.jsonl")
    shutil.copy(days / LOSS / "session.jsonl", folder / "2-thursday.jsonl")
    shutil.copy(days / QUIET / "riskcore.toml", folder / "riskcore.toml")
    outcome = check_day(next(day for day in find_days(days) if day.name == "week"), accept=True)
    assert outcome.result == "accepted"
    accepted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert [session["path"] for session in accepted["sessions"]] == ["1-tuesday.jsonl", "2-thursday.jsonl"]
    assert [day["trade_date"] for day in accepted["accounts"][0]["days"]] == ["2026-11-17", "2026-11-19"]


def test_an_export_is_judged_by_the_settings_it_carries(
    days: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, wire = days / "exported", days / QUIET
    folder.mkdir()
    export = folder / "day.jsonl.gz"
    words = ["export", str(wire / "session.jsonl"), "--config", str(wire / "riskcore.toml"), "--out", str(export)]
    assert run([*words, "--quiet"]) == 0
    monkeypatch.chdir(days)
    outcome = check_day(next(day for day in find_days(days) if day.name == "exported"), accept=True)
    assert outcome.result == "accepted"
    first, second = (json.loads((each / "expected.json").read_text(encoding="utf-8")) for each in (wire, folder))
    assert second["sessions"][0]["form"] == "journal"
    assert second["comparison"]["differences"] == []
    for part in ("sessions", "comparison"):
        del first[part], second[part]
    assert first == second


def test_workers_give_the_same_answer_in_the_same_order(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(days / QUIET / "expected.json", lambda value: value.update(rejected_lines=7))
    assert result_of(days, capsys, "--workers", "2") == result_of(days, capsys)


def test_junit_tells_failures_from_errors(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(days / QUIET, days / "broken <&>")
    (days / "broken <&>" / "expected.json").write_text("{", encoding="utf-8")
    edit(days / QUIET / "expected.json", lambda value: value["breaches"].append({"id": '<"&\u0001', "rule": "x"}))
    path = days.parent / "out.xml"
    assert run(["regress", str(days), "--junit", str(path)]) == 3
    suite = ElementTree.parse(path).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {LOSS: [], QUIET: ["failure"], "broken <&>": ["error"]}
    failure = suite.find(f"testcase[@name='{QUIET}']/failure")
    assert failure is not None
    assert '<"&\\x01' in (failure.text or "")


def test_junit_that_cannot_be_written_exits_6(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["regress", str(days / LOSS), "--junit", str(days / "absent" / "out.xml")]) == 6
    assert "--junit" in capsys.readouterr().err


def test_an_expectation_that_cannot_be_written_exits_6(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = days / LOSS / "expected.json"
    expected.unlink()
    expected.symlink_to(days / "absent" / "expected.json")
    assert run(["regress", str(days), "--accept"]) == 6
    assert "expected.json: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\n\u00e9\U0001f600", "a\tb\n\u00e9\U0001f600"), ("\x00\x1f\ud800\ufffe", "\\x00\\x1f\\ud800\\ufffe")],
)
def test_text_no_xml_may_hold_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("expected", "got", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a: expected 1, got true"]),
        ({"a": 1}, {}, ["a: expected 1, got (absent)"]),
        ({}, {"a": None}, ["a: expected (absent), got null"]),
        ([1, 2], [1, 3, 4], ["[1]: expected 2, got 3", "[2]: expected (absent), got 4"]),
        ([{"id": 1, "x": 1}, {"id": 2}], [{"id": 1, "x": 2}], ["[1].x: expected 1, got 2"]),
        ([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}], [" (order): expected [1, 2], got [2, 1]"]),
        ([{"id": 1}, {"id": 1}], [{"id": 1}], ['[1]: expected {"id": 1}, got (absent)']),
    ],
)
def test_differences_name_their_place(expected: Any, got: Any, found: list[str]) -> None:
    shown = [str(one) for one in differences(expected, got)]
    if expected == [{"id": 1, "x": 1}, {"id": 2}]:
        assert shown.pop() == '[2]: expected {"id": 2}, got (absent)'
    assert shown == found


def test_a_long_list_of_differences_is_cut_for_the_reader() -> None:
    many = tuple(differences(list(range(50)), list(range(1, 51))))
    lines = Outcome("day", "different", many, exit_code=1).text.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 30 more"
