"""`riskcore whatif`: what it prints, and what it says of input that makes no sense."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from riskcore.cli.main import run
from tests.recordings import losing_day
from tests.replay.whatif.sessions import Trades, export

RULE = "rules.daily_realized_loss.loss_limit=500"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def losing() -> Trades:
    day = Trades().account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").trade(-2, 20875)
    day.at("09:30:00").trade(1, 20900)
    day.at("09:45:00").trade(-1, 20850)
    return day


def called(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["whatif", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_text_begins_with_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = losing().write(tmp_path / "day.jsonl")
    code, out, _ = called(capsys, str(session), "--set", RULE, "--quick")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == ("Over 1 day these rules would have changed 1: 1 better +101.24, 0 worse 0; net +101.24.")
    assert lines[1] == "Exact, given the policy: +101.24. Simulated: 0."
    assert any("1 entry left out" in line for line in lines)


def test_json_has_every_promised_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = losing().write(tmp_path / "day.jsonl")
    code, out, _ = called(capsys, str(session), "--set", RULE, "--json")
    result: dict[str, Any] = json.loads(out)
    assert code == 0
    assert list(result) == [
        "schema",
        "policy",
        "baseline",
        "counterfactual",
        "divergence",
        "effect",
        "range",
        "tilt",
        "closest",
        "assumptions",
        "stamp",
    ]
    assert [row["rule"] for row in result["effect"]["by_rule"]] == ["RULE-003"]
    assert result["effect"]["by_rule"][0]["net_pnl"] == "101.24"
    assert {row["key"] for row in result["stamp"]["settings_diff"]} >= {"rules.daily_realized_loss.loss_limit"}
    tilt = result["tilt"][0]
    assert tilt["after"] == {"entries": 1, "mean_size": "1", "net_pnl": "-101.24", "losing_share": "1"}
    assert tilt["otherwise"]["net_pnl"] == "-502.48"


def test_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = losing().write(tmp_path / "day.jsonl")
    for name, limit in (("a.toml", "900"), ("b.toml", "500")):
        (tmp_path / name).write_text(f'[rules.daily_realized_loss]\nloss_limit = "{limit}"\n', encoding="utf-8")
    code, out, _ = called(capsys, str(session), "--compare", "a.toml", "b.toml", "--json", "--quick")
    result = json.loads(out)
    assert code == 0
    assert [one["effect"]["net_pnl"] for one in result["compare"]] == ["0", "101.24"]
    assert result["difference"]["net_pnl"] == "101.24"
    code, out, _ = called(capsys, str(session), "--compare", "a.toml", "b.toml", "--quick")
    assert out.splitlines()[-3:] == ["b.toml less a.toml: +101.24", "", "Times are in America/Chicago."]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--policy", "hope"], 2, "error: --policy hope: there is follow, freeze, stop"),
        (["--latency-ms", "-1"], 2, "error: --latency-ms -1: must lie between 0 and 60000"),
        (["--slippage-ticks", "-1"], 2, "error: --slippage-ticks -1: must lie between 0 and 1000"),
        (["--baseline", "nowhere.toml"], 2, "error: nowhere.toml: cannot be read: No such file or directory"),
        (["--set", "rules.daily_realized_loss.loss_limit=0"], 2, "error: rules.daily_realized_loss.loss_limit"),
        (["--bars", "nowhere.json"], 3, "nowhere.json"),
    ],
)
def test_options_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, text: str
) -> None:
    session = losing().write(tmp_path / "day.jsonl")
    found, out, err = called(capsys, str(session), "--set", RULE, *words)
    assert (found, out) == (code, "")
    assert text in err
    assert "Traceback" not in err


def test_sessions_that_make_no_sense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = losing().write(tmp_path / "day.jsonl")
    journal = export(losing(), tmp_path, RULE)
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(journal.read_bytes().replace(b"20875", b"20876", 1))
    for words, code, text in (
        ([str(day), str(day)], 3, "begins before the session given ahead of it ends"),
        ([str(day), str(journal)], 2, "not both at once"),
        ([str(broken)], 3, "broken.jsonl, line"),
        ([str(journal), "--baseline", "riskcore.toml"], 2, "carries the settings it was judged by"),
        ([str(journal), "--set", "profile.reset_time=16:00"], 2, "both courses need the same trading day"),
    ):
        found, out, err = called(capsys, *words, "--quick")
        assert (found, out) == (code, ""), words
        assert text in err
        assert "Traceback" not in err


def test_a_contract_without_specification(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day, odd = Trades().account(), "CON.F.US.ODD.Z26"
    day.at("09:00:00").trade(2, 21000)
    day.at("09:10:00").trade(-2, 20500)
    day.at("09:30:00").trade(1, 100, odd)
    day.at("09:31:00").trade(-1, 110, odd)
    session = day.write(tmp_path / "day.jsonl")
    code, _, err = called(capsys, str(session), "--set", RULE, "--quick")
    assert code == 3
    assert "CON.F.US.ODD.Z26" in err
    assert "searchById" in err


def test_the_counterfactual_exported_gives_the_same_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:05:00.000").sparse(lastPrice=20925, bestBid=20924.75, bestAsk=20925.25)
    day.at("09:05:00.300").sparse(bestBid=20924.00)
    day.at("09:20:00").trade(-2, 20950)
    session = day.write(tmp_path / "day.jsonl")
    words = ["--set", "rules.daily_unrealized_loss.loss_limit=300", "--quick", "--export", "other.jsonl"]
    assert called(capsys, str(session), *words)[0] == 0
    assert run(["replay", "other.jsonl", "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["comparison"]["differences"] == []
    assert replayed["accounts"][0]["days"][0]["gross_pnl"] == "-306.00"


def test_help_names_an_example() -> None:
    from riskcore.cli.main import group

    result: Result = CliRunner().invoke(group, ["whatif", "--help"])
    assert "Example: riskcore whatif" in result.output


def test_report_and_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = losing().write(tmp_path / "day.jsonl")
    code, out, _ = called(capsys, str(session), "--set", RULE, "--quick", "--json", "--share", "--report", "page.html")
    assert code == 0
    assert "50KTC-V2-99000001" not in out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!")
    assert "50KTC-V2-99000001" not in page
    assert called(capsys, str(session), "--set", RULE, "--quick", "--report", "no/where.html")[0] == 6


def test_two_files_of_one_name_are_named_by_their_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later, earlier = tmp_path / "b" / "day.jsonl", tmp_path / "a" / "day.jsonl"
    for path, start in ((later, "2026-11-23 08:00:00"), (earlier, "2026-11-20 08:00:00")):
        path.parent.mkdir()
        losing_day(start).write(path)
    assert run(["whatif", str(later), str(earlier), "--quick"]) == 3
    assert f"error: {earlier}: begins before" in capsys.readouterr().err
    assert run(["replay", str(later), str(earlier)]) == 3
    assert f"error: {earlier}: begins before" in capsys.readouterr().err
    assert run(["whatif", str(earlier), str(later), "--quick", "--json"]) == 0
    named = json.loads(capsys.readouterr().out)["stamp"]["sessions"]
    assert [row["path"] for row in named] == [str(earlier), str(later)]


def test_what_is_odd_about_the_days_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for start in ("2026-11-20 08:00:00", "2026-11-25 08:00:00", "2026-11-27 08:00:00"):
        names.append(
            str(Trades(start).account().trade(2, 21000.1).trade(-2, 21000).write(tmp_path / f"{start[:10]}.jsonl"))
        )
    assert run(["whatif", *names, "--quick"]) == 0
    err = capsys.readouterr().err
    # Monday and Tuesday; Thursday is Thanksgiving.
    assert "no session covers 2 trading days between the first and the last, 2026-11-23, 2026-11-24;" in err
    assert err.count("a fill at 21000.1 is off its grid of 0.25") == 1
    assert run(["whatif", names[0], "--quick", "--bars", "nothing"]) == 3
    assert capsys.readouterr().err.endswith("error: --bars nothing: cannot be read: No such file or directory\n")
