"""`riskcore odds`: what it prints, and what it says of input that makes no sense."""

import json
import random
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.recordings import ACCOUNT, losing_day
from tests.replay.whatif.sessions import Trades, export

COMBINE = ("--set", "programme.stage=combine")
OTHER = 99000002


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def called(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["odds", "--paths", "1000", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def result_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, err = called(capsys, *words, *COMBINE, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def trading_days(count: int) -> list[date]:
    days = (date(2026, 10, 5) + timedelta(days=one) for one in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def one_day(day: date, moves: tuple[int, ...], *, quotes: bool = True, account: int = ACCOUNT) -> Trades:
    """A day with a long trade of ten MNQ for each move in points: 20 dollars a point."""
    session = Trades(f"{day} 08:00:00")
    session._ids = day.toordinal() * 100 + account % 10 * 50
    session.account(account, f"50KTC-V2-{account}")
    for place, move in enumerate(moves):
        session.at(f"09:{place:02d}:00").trade(10, 21000, account=account)
        if quotes:
            session.at(f"09:{place:02d}:20").quote(21000 + min(move, 0) - 5)
        session.at(f"09:{place:02d}:40").trade(-10, 21000 + move, account=account)
    return session


def month(folder: Path, count: int = 24, *, quotes: bool = True, account: int = ACCOUNT) -> list[str]:
    """So many days of an account, each a session of its own; every third one loses."""
    chance, paths = random.Random(5), []
    for place, day in enumerate(trading_days(count)):
        moves = (chance.randint(5, 30), -35, -30) if place % 3 == 0 else (chance.randint(5, 30), 10)
        session = one_day(day, moves, quotes=quotes, account=account)
        paths.append(str(session.write(folder / f"{account}-{day}.jsonl")))
    return paths


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return month(tmp_path_factory.mktemp("month"))


def test_json_has_every_promised_field(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(capsys, *days)
    assert result["schema"] == "riskcore.odds/1"
    assert (result["account"], result["goal"], result["judged"]) == (ACCOUNT, "target", "inside")
    assert (result["days_used"], result["method"]) == (24, "bootstrap")
    assert result["pass"] + result["lose"] + result["neither"] == pytest.approx(1, abs=2e-6)
    for interval in ("monte_carlo_95", "data_95", "lose_data_95"):
        low, high = result[interval]
        assert 0 <= low <= high <= 1
    assert result["monte_carlo_95"][0] <= result["pass"] <= result["monte_carlo_95"][1]
    assert set(result["days_to_pass"]) == {"mean", "median", "quartiles"}
    assert {"first", "first_data_95", "expected_usd", "expected_data_95"} <= set(result["payouts"])
    assert [(one["name"], one["reading"]) for one in result["readings"]] == [
        ("consistency_boundary", "exclusive"),
        ("pass_at", "in_session"),
    ]
    assert result["base_rates"]["random_walk"] == 0.245253
    assert result["base_rates"]["published"]["combines_passed"] == 0.168
    assert 0 < result["base_rates"]["zero_edge"] < result["pass"]


def test_the_same_words_give_the_same_bytes(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = (*days[:20], *COMBINE, "--json", "--block", "week")
    first, again = called(capsys, *words), called(capsys, *words)
    assert first == again
    assert json.loads(first[1])["pass"] != json.loads(called(capsys, *words, "--seed", "2")[1])["pass"]


def test_text_says_what_the_days_leave_open(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, *days, *COMBINE)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].endswith("24 days with a fill, 2026-10-05 to 2026-11-05, sent through a new 50K Combine")
    assert "24 days leave" in lines[2]
    assert "drawing alone" in lines[2]
    assert "  16.80 %   of Combines were passed in 2025, as the firm discloses" in lines


def test_of_few_days_no_figure_is_printed(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths = days[:20]
    assert result_of(capsys, *paths)["pass"] is not None
    result = result_of(capsys, *paths[:19])
    single = ("pass", "lose", "neither", "days_to_pass", "days_to_lose")
    assert [result[name] for name in single] == [None] * 5
    assert result["payouts"]["first"] is None
    assert result["base_rates"]["zero_edge"] is None
    assert result["data_95"][0] < result["data_95"][1]
    _, out, _ = called(capsys, *paths[:19], *COMBINE)
    assert "is what 19 days leave open" in out
    assert "19 days of history are too few for a figure" in out


def test_no_interval_of_few_days_is_a_single_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [one_day(day, (10,)).write(tmp_path / f"{day}.jsonl") for day in trading_days(3)]
    result = result_of(capsys, *map(str, days))
    low, high = result["monte_carlo_95"]
    assert (result["method"], result["pass"], low < high) == ("exact", None, True)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("programme.created=2026-09-09",), ["consistency_boundary", "older_combines", "pass_at"]),
        (("programme.created=2026-09-10",), ["consistency_boundary", "pass_at"]),
        (("programme.stage=xfa",), ["scaling_boundary"]),
        (("programme.stage=xfa", "programme.product=static_50k"), ["scaling_boundary", "labs_xfa"]),
    ],
)
def test_only_readings_that_could_change_it_are_tried(
    words: tuple[str, ...], names: list[str], days: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = called(
        capsys, *days[:20], *COMBINE, *(part for word in words for part in ("--set", word)), "--json"
    )
    assert code == 0, err
    assert [one["name"] for one in json.loads(out)["readings"]] == names


def test_a_funded_account_begins_with_fewer_lots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, large = ([], [])
    for day in trading_days(20):
        for paths, size in ((small, 20), (large, 25)):
            session = Trades(f"{day} 08:00:00").account()
            session._ids = day.toordinal() * 100
            session.at("09:00:00").trade(size, 21000).at("09:30:00").trade(-size, 21005)
            paths.append(str(session.write(tmp_path / f"{size}-{day}.jsonl")))
    assert not any("in proportion" in text for text in result_of(capsys, *small)["notes"])
    result = result_of(capsys, *large)
    said = "You held up to 25 micros, but a funded account begins with 2 minis: there, 20 of 20 days count only in"
    assert any(text.startswith(said) for text in result["notes"])


def test_rules_are_tried_on_every_day(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(capsys, *days, "--set", "rules.daily_realized_loss.loss_limit=300")
    assert result["difference"]["days_changed"] > 0
    assert result["pass"] > result["recorded"]["pass"]
    assert result["difference"]["pass"] == pytest.approx(result["pass"] - result["recorded"]["pass"], abs=2e-6)
    assert result["pass"] != result_of(capsys, *days)["pass"]


def test_a_journal_export_without_changes_is_as_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = one_day(date(2026, 10, 5), (20, -10))
    session.lines += one_day(date(2026, 10, 6), (10, -10)).lines
    code, out, err = called(capsys, str(export(session, tmp_path, COMBINE[1])), "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["days_used"], result["recorded"]) == (2, None)


def test_without_marks_it_is_judged_at_the_close(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(capsys, *month(tmp_path, quotes=False))
    assert result["judged"] == "close"
    assert any("overstates the chance to pass by 15 to 28 %" in text for text in result["notes"])


def test_accounts_are_never_mixed(tmp_path: Path, days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for day in trading_days(24):
        session = one_day(day, (10, 20, -5), account=OTHER)
        session.lines = sorted([*one_day(day, (5,)).lines, *session.lines], key=lambda line: line[0])
        paths.append(str(session.write(tmp_path / f"both-{day}.jsonl")))
    result = result_of(capsys, *paths)
    assert [one["account"] for one in result["accounts"]] == [ACCOUNT, OTHER]
    assert all(one["days_used"] == 24 for one in result["accounts"])
    assert any("never mixed" in text for one in result["accounts"] for text in one["notes"])
    alone = result_of(capsys, *paths, "--account", str(OTHER))
    both = {name: value for name, value in result["accounts"][1].items() if name != "notes"}
    assert {name: alone[name] for name in both} == both
    assert "accounts" not in result_of(capsys, *days)


def test_an_xfa_is_judged_by_its_first_payout(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, *days, "--set", "programme.stage=xfa", "--json")
    result = json.loads(out)
    assert (code, result["goal"]) == (0, "first_payout")
    assert result["pass"] == result["payouts"]["first"]
    assert "first payout" in called(capsys, *days, "--set", "programme.stage=xfa")[1]


def test_fees_lower_what_is_expected(days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    free = result_of(capsys, *days)["payouts"]
    paid = result_of(capsys, *days, "--combine-fee", "49", "--activation-fee", "149")["payouts"]
    assert float(paid["expected_usd"]) < float(free["expected_usd"]) - 49
    assert paid["first"] == free["first"]


def test_the_report_is_one_page(tmp_path: Path, days: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = (*days, *COMBINE, "--set", "rules.daily_realized_loss.loss_limit=300")
    assert called(capsys, *words, "--report", "one.html")[0] == 0
    assert called(capsys, *words, "--report", "two.html")[0] == 0
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert page.replace("one.html", "two.html") == (tmp_path / "two.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for part in ('id="funnel"', 'id="rules"', 'id="base-rates"', 'id="readings"', 'id="stamp"'):
        assert part in page
    assert re.search(r">[+−]\d+\.\d to [+−]\d+\.\d<", page), "points have the sign that amounts have"
    code, _, err = called(capsys, *words, "--report", "no/such/folder.html")
    assert (code != 0, "cannot be written" in err) == (True, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no [programme] to pass"),
        ((*COMBINE, "--paths", "0"), "--paths 0: must lie between 100 and 1,000,000"),
        ((*COMBINE, "--paths", "99"), "--paths 99: must lie between 100 and 1,000,000"),
        ((*COMBINE, "--seed", "-1"), "--seed -1: must lie between 0"),
        ((*COMBINE, "--block", "month"), "--block month: there is day, week"),
        ((*COMBINE, "--combine-fee", "much"), "--combine-fee much: not an amount of dollars"),
        ((*COMBINE, "--combine-fee", "-1"), "--combine-fee -1: a fee is not negative"),
        (COMBINE, "one day with a fill says nothing about a chance; give at least 2 days"),
        (("--set", "programme.stage=practice"), "one day with a fill"),
    ],
)
def test_bad_input(words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = called(capsys, str(losing_day().write(tmp_path / "day.jsonl")), *words)
    assert (code, said in err) == (2, True), err


def test_bad_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Trades().account()
    quiet.at("09:00:00").quote(21000)
    code, _, err = called(capsys, str(quiet.write(tmp_path / "quiet.jsonl")), *COMBINE)
    assert (code, "hold no day with a fill" in err) == (2, True), err
    code, _, err = called(capsys, *month(tmp_path, 2), "--set", "programme.stage=practice")
    assert (code, "there is nothing to pass" in err) == (2, True), err
    code, _, err = called(capsys, str(tmp_path / "missing.jsonl"), *COMBINE)
    assert code != 0
    assert "missing.jsonl" in err
    code, _, err = called(capsys, *month(tmp_path, 2), *COMBINE, "--account", "nobody")
    assert (code, "--account nobody: no account of that name or id" in err) == (2, True), err
