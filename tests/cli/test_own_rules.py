"""A rule of the user's own in every command: listed, replayed, exported, verified, asked what if, and live."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.simulator.scenario import Action, PricePath
from adapters.simulator.scenarios import SCENARIOS
from riskcore.cli.main import run
from riskcore.core.events import RuleBreached
from riskcore.core.state import BUY
from tests.cli.live_run import Live, play
from tests.settings.own_rules import MODULE, NAME, TABLE, module_in

DAY = Path(__file__).parents[2] / "fixtures" / "days" / "daily-loss" / "session.jsonl"
SETTINGS = f'[profile]\nname = "combine-50k"\n{TABLE}seconds = 30000\n'
CHANGED = MODULE.replace("left >= params.seconds", "left + 1000 >= params.seconds")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    (tmp_path / "riskcore.toml").write_text(SETTINGS)
    with module_in(tmp_path) as path:
        yield path


def test_it_is_listed_and_explained(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    assert f"RULE-900  {NAME}" in capsys.readouterr().out
    assert run(["rules", NAME]) == 0
    page = capsys.readouterr().out
    assert f'[rules."{NAME}"]' in page
    assert "a whole number from 1 to 90000 (s); default 600" in page


def test_a_rule_that_cannot_be_read_is_told_of_and_the_others_are_listed(
    module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module.write_text("import time\n")
    assert run(["rules"]) == 0
    captured = capsys.readouterr()
    assert "RULE-014" in captured.out
    assert f'warning: riskcore.toml: rules."{NAME}": my_rules.py:1: an import of time' in captured.err
    assert run(["config", "check"]) == 2


def test_config_show_has_the_hash_and_is_read_again(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert 'source = "' in shown
    (module.parent / "shown.toml").write_text(shown)
    assert run(["config", "check", "shown.toml"]) == 0


def test_replay_export_and_verify_decide_the_same(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(DAY), "--store", "journal.db", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["rule"] for row in result["breaches"]] == ["RULE-900"]
    assert run(["export", "--store", "journal.db", "--out", "day.jsonl"]) == 0
    assert run(["replay", "day.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"]["differences"] == []
    assert run(["verify", "--store", "journal.db"]) == 0


def test_a_changed_rule_is_noticed_at_replay(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(DAY), "--store", "journal.db"]) == 0
    assert run(["export", "--store", "journal.db", "--out", "day.jsonl"]) == 0
    with module_in(module.parent, CHANGED):
        from riskcore.core import rules  # As in a process that has never seen the old one.

        rules._BY_SOURCE.clear()
        capsys.readouterr()
        assert run(["replay", "day.jsonl", "--json"]) == 1
        captured = capsys.readouterr()
        assert f'rules."{NAME}": the module has changed since this was judged' in captured.err
        assert json.loads(captured.out)["comparison"]["differences"]
        assert run(["verify", "--store", "journal.db"]) == 1
        assert "the module has changed since this was judged" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "effect"), [(30000, True), (1, False)])
def test_what_if_it_had_been_on(module: Path, seconds: int, effect: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["whatif", str(DAY), "--set", f'rules."{NAME}".seconds={seconds}', "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert bool(result["divergence"]) is effect
    changed = {row["key"]: row["counterfactual"] for row in result["stamp"]["settings_diff"]}
    assert changed[f"rules.{NAME}.seconds"] == seconds


def breaches(live: Live) -> list[str]:
    return [event.body.rule for event in live.listener.events if isinstance(event.body, RuleBreached)]


def test_live_closes_by_it(tmp_path: Path) -> None:
    buys = replace(
        SCENARIOS["quiet"],
        prices=(PricePath("MNQ", "21000", quotes_per_second=1),),
        actions=(Action(3, "market", side=BUY, size=1),),
    )
    with module_in(tmp_path):

        async def plot(live: Live) -> None:
            await live.until(lambda: bool(breaches(live)), "a breach")
            await live.until(lambda: not any(one.held() for one in live.engine.book.accounts.values()), "flat")

        live = play(tmp_path, buys, plot, settings=f"{TABLE}seconds = 90000\n")
    assert breaches(live) == ["RULE-900"]
