"""`riskcore.replay` and `riskcore.whatif`: the objects say what the commands print, and nothing is left out."""

import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import riskcore
from riskcore.api.results import replay_result
from riskcore.cli.main import run
from riskcore.errors import ConfigError, InputError
from tests.docs.pages import ROOT

DAYS = ROOT / "fixtures" / "days"
DAY, RULES = DAYS / "daily-loss" / "session.jsonl", DAYS / "daily-loss" / "riskcore.toml"
SHORT = DAYS / "bracket-orders"
EXPECTED = sorted(DAYS.glob("*/expected.json"))
LOWER = "rules.daily_realized_loss.loss_limit=100"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def assert_same(value: Any, row: Any, where: str = "") -> None:
    """Every field of the JSON is a field of the object, with the same value."""
    if is_dataclass(value):
        named = {one.name: getattr(value, one.name) for one in fields(value)}
        for name, item in row.items():
            if name != "schema":
                assert_same(named[name], item, f"{where}.{name}")
    elif isinstance(value, list) and value and is_dataclass(value[0]):
        for index, (one, item) in enumerate(zip(value, row, strict=True)):
            assert_same(one, item, f"{where}[{index}]")
    elif isinstance(value, Decimal):
        assert format(value, "f") == row, where
    elif isinstance(value, dict) and any(isinstance(one, Decimal) for one in value.values()):
        assert {name: format(one, "f") for name, one in value.items()} == row, where
    else:
        assert value == row, where


@pytest.mark.parametrize("expected", EXPECTED, ids=[path.parent.name for path in EXPECTED])
def test_the_result_of_every_recorded_day_is_whole_as_an_object(expected: Path) -> None:
    row = json.loads(expected.read_text(encoding="utf-8"))
    for session in row["sessions"]:
        session["sha256"] = "left out of the expectations"
    row["state_hash"] = "left out as well"
    assert_same(replay_result(row, []), row)


def test_a_replay_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    result = riskcore.replay(DAY, RULES, accounts=["99000001"])
    assert result.to_dict() == printed(capsys, "replay", str(DAY), "--config", str(RULES), "--account", "99000001")
    assert result.accounts[0].days[0].net_pnl == Decimal("-529.86")
    assert result.warnings == []


def test_settings_may_be_loaded_or_a_path_with_overrides() -> None:
    loaded = riskcore.load_settings(str(RULES), sets=[LOWER])
    first = riskcore.replay(str(DAY), loaded).to_dict()
    assert first == riskcore.replay([DAY], RULES, sets=[LOWER]).to_dict()
    assert first != riskcore.replay([DAY], RULES).to_dict()
    assert riskcore.load_settings(str(RULES), sets=LOWER).plain == loaded.plain
    assert first == riskcore.replay(DAY, riskcore.load_settings(RULES), sets=LOWER).to_dict()
    further = riskcore.replay(DAY, loaded, sets=["rules.max_contracts.limit=2"])
    assert further.to_dict() == riskcore.replay(DAY, RULES, sets=[LOWER, "rules.max_contracts.limit=2"]).to_dict()
    with pytest.raises(ConfigError, match="take no overrides"):
        riskcore.replay(DAY, riskcore.Settings(loaded.plain), sets=[LOWER])


def test_warnings_come_with_the_result(tmp_path: Path) -> None:
    elsewhere = tmp_path / "riskcore.toml"
    elsewhere.write_text('[profile]\nname = "t"\naccounts = ["missing"]\n', encoding="utf-8")
    assert any("missing" in text for text in riskcore.replay(DAY, elsewhere).warnings)


def test_an_account_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no account of that name"):
        riskcore.replay(DAY, RULES, accounts=["nobody"])


def test_a_journal_export_brings_its_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, export = tmp_path / "journal.db", tmp_path / "day.jsonl"
    riskcore.replay(DAY, RULES, store=str(store))
    assert run(["export", "--store", str(store), "--out", str(export)]) == 0
    comparison = riskcore.replay(export).comparison
    assert comparison is not None
    assert comparison.recorded == comparison.recomputed > 0
    with pytest.raises(ConfigError, match="journal export"):
        riskcore.replay(export, riskcore.load_settings(RULES))
    other = riskcore.whatif(export, sets=[LOWER], quick=True)
    row = printed(capsys, "whatif", str(export), "--set", LOWER, "--quick")
    assert {**other.to_dict(), "stamp": None} == {**row, "stamp": None}
    assert riskcore.whatif(export, riskcore.load_settings(RULES, sets=[LOWER]), quick=True).effect == other.effect


def test_a_what_if_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    day, rules = SHORT / "session.jsonl", SHORT / "riskcore.toml"
    result = riskcore.whatif([day], rules, policy="freeze", slippage_ticks=3)
    words = ("--config", str(rules), "--policy", "freeze", "--slippage-ticks", "3")
    row = printed(capsys, "whatif", str(day), *words)
    row["stamp"]["command"] = "riskcore.whatif"
    assert result.to_dict() == row
    assert_same(result, row)
    assert result.effect.by_rule, "shares by rule are part of it"


def test_a_what_if_takes_a_baseline() -> None:
    baseline = riskcore.load_settings(RULES)
    assert riskcore.whatif(DAY, RULES, baseline=baseline, quick=True).effect.net_pnl == 0
    assert riskcore.whatif(DAY, RULES, baseline=RULES, quick=True).effect.net_pnl == 0
    assert riskcore.whatif(DAY, RULES, quick=True).effect.net_pnl != 0


def test_errors_are_those_of_the_tree(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one session file or more"):
        riskcore.replay([])
    with pytest.raises(InputError, match=r"none\.jsonl"):
        riskcore.replay(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="policy"):
        riskcore.whatif(DAY, RULES, policy="hope")
    with pytest.raises(ConfigError, match="no file has this name"):
        riskcore.replay("a\0b", RULES)
    for asked in ({"latency_ms": 1.5}, {"latency_ms": "250"}, {"slippage_ticks": 0.5}):
        with pytest.raises(ConfigError, match=r"--[a-z-]+ .*: must be a whole number"):
            riskcore.whatif(DAY, RULES, quick=True, **asked)  # type: ignore[arg-type]


def test_one_name_needs_no_list_and_an_id_may_be_a_number(tmp_path: Path) -> None:
    whole = riskcore.replay(DAY, RULES).to_dict()
    named: list[Any] = [99000001, "99000001", "50KTC-V2-99000001", [99000001]]
    for index, account in enumerate(named):
        store = tmp_path / f"{index}.db"
        assert riskcore.replay(DAY, RULES, accounts=account, store=store).to_dict() == whole
        assert store.is_file()
