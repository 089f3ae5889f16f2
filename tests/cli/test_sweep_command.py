"""`riskcore sweep`: what it prints, and what it says of input that makes no sense."""

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from replay.sweep import sweep as sweeping
from riskcore.cli.main import run
from riskcore.cli.sweep_text import sweep_text
from tests.replay.whatif.sessions import Trades

LIMIT = "rules.daily_realized_loss.loss_limit"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))


def day(date: str = "2026-11-16", account: int = 99000001) -> Trades:
    found = Trades(f"{date} 08:59:00").account(account)
    found._ids = int(date[-2:]) * 1000
    for clock, size, price in (("09:00", 2, 21000), ("09:10", -2, 20875), ("09:30", 1, 20900), ("09:45", -1, 20850)):
        found.at(f"{clock}:00").trade(size, price, account=account)
    return found


def called(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["sweep", *words, "--workers", "1"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_line_for_each_setting_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = day().write(tmp_path / "day.jsonl")
    code, out, err = called(capsys, str(session), "--grid", f"{LIMIT}=500:1000:500", "--out", "out.parquet")
    assert code == 0, err
    assert out.splitlines()[0] == "2 settings over 1 day, each day from the record."
    assert [line.split()[:2] for line in out.splitlines()[3:5]] == [["500", "+101.24"], ["1000", "0"]]
    assert "one day of history" in err
    assert "no rule is switched on" not in err, "the grid switches one on"
    assert pl.read_parquet("out.parquet").height == 2


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = day().write(tmp_path / "day.jsonl")
    code, out, _ = called(capsys, str(session), "--grid", f"{LIMIT}=500", "--json")
    result = json.loads(out)
    assert (code, result["schema"], result["days"], result["accounts"]) == (0, "riskcore.sweep/1", 1, [99000001])
    assert result["settings"] == [
        {
            "setting": {LIMIT: "500"},
            "effect": {"net_pnl": "101.24", "exact": "101.24", "simulated": "0", "standard_error": None},
            "days": {"helped": 1, "hurt": 0, "unchanged": 0},
            "drawdown": "502.48",
            "breaches": 1,
            "worst_day": {"account": 99000001, "trade_date": "2026-11-16", "net_pnl": "-502.48"},
        }
    ]


def test_one_day_of_history_recommends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = str(day().write(tmp_path / "day.jsonl"))
    grid = ["--grid", f"{LIMIT}=400:600:100"]
    assert "Recommended: nothing; one day of history" in called(capsys, session, *grid)[1]
    result = json.loads(called(capsys, session, *grid, "--json")[1])
    assert (result["luck"], result["plateau"], result["walk_forward"]) == (None, None, None)
    assert result["no_recommendation"].startswith("one day of history")
    assert result["suggestions"] == []


def test_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = str(day().write(tmp_path / "day.jsonl"))
    grid = ["--grid", f"{LIMIT}=400,600"]
    assert called(capsys, session, *grid, "--report", "sweep.html")[0] == 0
    page = (tmp_path / "sweep.html").read_text()
    assert "No recommendation" in page
    assert 'class="band"' in page
    code, _, err = called(capsys, session, *grid, "--report", "missing/sweep.html")
    assert code == 6
    assert "missing/sweep.html: cannot be written" in err


def test_the_middle_of_the_plateau_beside_the_best_and_luck(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(day(f"2026-11-{date}").write(tmp_path / f"{date}.jsonl")) for date in (16, 17, 18, 19)]
    grid = ["--grid", f"{LIMIT}=300,400,500,800,1000"]
    result = json.loads(called(capsys, *paths, *grid, "--json")[1])
    assert result["luck"]["trials"] == 2
    assert result["luck"]["best"]["net_pnl"] == "404.96"
    assert result["plateau"] == {
        "settings": 3,
        "values": {LIMIT: ["300", "500"]},
        "lowest": "404.96",
        "middle": {"setting": {LIMIT: "400"}, "net_pnl": "404.96", "standard_error": "0"},
    }
    assert result["no_recommendation"] is None
    assert result["walk_forward"] == {
        "first_day": "2026-11-19",
        "days": 1,
        "days_without_recommendation": 0,
        "embargo_days": 1,
        "net_pnl": "101.24",
        "standard_error": None,
    }
    out = called(capsys, *paths, *grid)[1]
    assert "Recommended: loss_limit 400 at +404.96" in out
    assert "it came to +101.24 on 1 later day." in out
    out = called(capsys, *paths, "--grid", f"{LIMIT}=800,900,1000")[1]
    assert "Recommended: nothing; no settings side by side all gain" in out
    assert "would have recommended nothing for any of 1 later day." in out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--grid", "rules.nothing.limit=1,2"], 2, "rules.nothing"),
        (["--grid", f"{LIMIT}=1,x"], 2, "loss_limit"),
        ([], 2, "needs one key"),
        (["--grid", f"{LIMIT}=1", "--cluster", "tcp://x:1"], 2, "leave it out with --cluster"),
        (["--grid", f"{LIMIT}=1", "--out", "."], 6, "is a folder"),
        (["--grid", f"{LIMIT}=1", "--out", "/dev/null"], 6, "is not a file"),
        (["--grid", f"{LIMIT}=1", "--policy", "dream"], 2, "--policy dream"),
        (["--grid", f"{LIMIT}=1:5000:1"], 2, "add --yes"),
        (["--grid", f"{LIMIT}=1", "--account", "nope"], 2, "--account nope: no account of that name or id"),
        (["--grid", f"{LIMIT}=1", "--account", "nope", "--every-setting"], 2, "--account nope: no account"),
    ],
)
def test_what_makes_no_sense(
    words: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = day().write(tmp_path / "day.jsonl")
    found, out, err = called(capsys, str(session), *words)
    assert (found, out) == (code, "")
    [error] = [line for line in err.splitlines() if line.startswith("error: ")]
    assert sentence in error


@pytest.mark.parametrize(("count", "asks"), [(2, False), (3, True)])
def test_a_large_grid_says_its_cost_and_asks(
    count: int, asks: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST_UNASKED", 2)
    session = day().write(tmp_path / "day.jsonl")
    grid = f"{LIMIT}=1:{count}:1"
    assert (called(capsys, str(session), "--grid", grid)[0] == 2) == asks
    code, _, err = called(capsys, str(session), "--grid", grid, "--yes")
    assert code == 0
    assert (f"{count} settings over 1 session file: about {count} runs of a day, at most about" in err) == asks


def test_nothing_to_sweep_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = Trades("2026-11-16 09:00:00").clock().write(tmp_path / "empty.jsonl")
    code, out, err = called(capsys, str(session), "--grid", f"{LIMIT}=1,2", "--out", "out.parquet")
    assert (code, pl.read_parquet("out.parquet").height) == (0, 0)
    assert "the sessions tell of no account's trading" in err
    assert "2 settings over 0 days" in out


def test_histories_of_two_accounts_one_after_the_other_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        str(day("2026-11-16").write(tmp_path / "one.jsonl")),
        str(day("2026-11-17", 99000002).write(tmp_path / "two.jsonl")),
    ]
    _, _, err = called(capsys, *paths, "--grid", f"{LIMIT}=500")
    assert "mix histories of accounts that did not trade on the same days: 99000001 (1 day), 99000002 (1 day)" in err
    _, _, err = called(capsys, *paths, "--grid", f"{LIMIT}=500", "--account", "99000002")
    assert "mix histories" not in err


def test_an_edited_cache_is_said_and_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = day().write(tmp_path / "day.jsonl")
    first = called(capsys, str(session), "--grid", f"{LIMIT}=400,600")
    [file] = tmp_path.rglob("sweep/*.jsonl")
    file.write_bytes(file.read_bytes().replace(b"-502480000", b"-402480000"))
    again = called(capsys, str(session), "--grid", f"{LIMIT}=400,600")
    assert again[:2] == first[:2]
    assert "made again" in again[2]


def test_days_are_kept_by_what_decides_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = day("2026-11-16").write(tmp_path / "one.jsonl"), day("2026-11-17").write(tmp_path / "two.jsonl")

    def pieces() -> int:
        return len(list(tmp_path.rglob("sweep/*.jsonl")))

    grid = ["--grid", f"{LIMIT}=500"]
    called(capsys, str(first), str(second), *grid)
    assert pieces() == 2
    called(capsys, str(first), str(second), *grid)
    assert pieces() == 2
    called(capsys, str(first), str(second), *grid, "--latency-ms", "0")
    assert pieces() == 4
    day("2026-11-17").quote(20000).write(second)
    called(capsys, str(first), str(second), *grid)
    assert pieces() == 6  # The last day, and the day before that could be changed by it.


def test_a_decision_is_kept_and_judged_by_later_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dates = [f"2026-11-{number}" for number in (16, 17, 18, 19, 20, 23)]
    sessions = [str(day(date).write(tmp_path / f"{date}.jsonl")) for date in dates]
    assert run(["replay", sessions[0], "--store", "journal.db"]) == 0
    grid = ("--grid", f"{LIMIT}=300:500:100", "--store", "journal.db")

    code, out, err = called(capsys, *sessions[:2], *grid, "--decide")
    assert code == 0, err
    assert "Decided: loss_limit 400" in out
    _, out, _ = called(capsys, *sessions, *grid, "--json")
    result = json.loads(out)
    assert result["decided"] is None
    (before,) = result["decided_before"]
    assert before["setting"] == {LIMIT: "400"}
    assert (before["days"], before["last_day"]) == (2, "2026-11-17")
    # The first day behind the decision is left out, and no day lies behind the instant at which this test decides.
    assert {**before["judged"], "standard_error": ""} == {
        "first_day": "2026-11-19",
        "days": 3,
        "days_unseen": sum(date > before["at"][:10] for date in dates[3:]),
        "net_pnl": "303.72",
        "standard_error": "",
    }

    with_more = ("--set", "rules.max_contracts.limit=9")
    _, out, _ = called(capsys, *sessions, *grid, *with_more)
    assert "nothing here judges it" in out, "other settings are no judge"
    assert run(["verify", "--store", "journal.db"]) == 0


def test_nothing_recommended_is_nothing_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = str(day().write(tmp_path / "day.jsonl"))
    assert run(["replay", session, "--store", "journal.db"]) == 0
    before = (tmp_path / "journal.db").read_bytes()
    code, out, _ = called(capsys, session, "--grid", f"{LIMIT}=500", "--store", "journal.db", "--decide")
    assert code == 1
    assert "Decided" not in out
    assert (tmp_path / "journal.db").read_bytes() == before
    code, _, err = called(capsys, session, "--grid", f"{LIMIT}=500", "--store", "none.db", "--decide")
    assert code == 2
    assert "there is no journal here" in err


def test_the_chance_of_each_setting_is_that_of_odds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    firm, limit = ("--set", "programme.size=50K", "--seed", "4", "--paths", "500"), f"{LIMIT}=300"
    dates = [date(2026, 10, 5) + timedelta(days=number) for number in range(28)]
    paths = []
    for number, one in enumerate(found for found in dates if found.weekday() < 5):
        session = Trades(f"{one} 08:59:00").account()
        session._ids = number * 1_000
        # Ups and downs of unlike sizes; the recorded balance falls below the floor on the way.
        moves = (-110 - number * 8, -40 + number * 3) if number % 2 else (90 + number * 7, 20)
        for clock, points in zip(("09:00", "10:00"), moves, strict=True):
            session.at(f"{clock}:00").quote(21000).trade(2, 21000).quote(21000 + points)
            session.at(f"{clock}:40").trade(-2, 21000 + points)
        paths.append(str(session.write(tmp_path / f"{one}.jsonl")))
    code, out, err = called(capsys, *paths, *firm, "--grid", limit, "--odds", "--json", "--report", "sweep.html")
    assert code == 0, err
    result = json.loads(out)
    assert run(["odds", *paths, *firm, "--set", limit, "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    (chance,), (account,) = result["settings"][0]["odds"], result["odds"]["accounts"]
    assert alone["difference"]["days_changed"] > 3
    assert {chance["pass"], account["recorded"]["pass"]}.isdisjoint({0, 1})
    for name in ("pass", "lose", "neither", "monte_carlo_95", "days_to_pass", "days_to_lose"):
        assert (chance[name], account["recorded"][name]) == (alone[name], alone["recorded"][name])
    assert chance["difference"]["pass"] == alone["difference"]["pass"]
    assert chance["data_95"][0] < chance["data_95"][1]

    page = (tmp_path / "sweep.html").read_text()
    assert f"is {account['recorded']['pass'] * 100:.1f} % as recorded; 20 days leave" in page
    assert "It is the best of 1, so part of it is luck." in page
    assert [row["key"] for row in result["suggestions"]] == [LIMIT]
    result = json.loads(called(capsys, *paths[:3], *firm, "--grid", limit, "--odds", "--json")[1])
    assert result["suggestions"] == []
    assert (result["settings"][0]["odds"][0]["pass"], result["odds"]["accounts"][0]["recorded"]["pass"]) == (None, None)
    assert "that is too few for a figure" in sweep_text(result)
    code, _, err = called(capsys, paths[0], "--grid", limit, "--odds")
    assert (code, "there is no [programme] to pass" in err) == (2, True)
    code, _, err = called(capsys, paths[0], *firm[:2], "--grid", limit, "--odds", "--paths", "9")
    assert (code, "--paths 9: must lie between" in err) == (2, True)
