"""`riskcore.sweep` and `riskcore.odds`: the objects say what the commands print."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import riskcore
from riskcore.errors import ConfigError
from tests.api.test_days import printed
from tests.docs.pages import ROOT

MONTH = sorted((ROOT / "fixtures" / "month").glob("*.jsonl.gz"))
KEY = "rules.daily_realized_loss.loss_limit"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("riskcore.api.chances.user_folder", lambda _: tmp_path / "cache")
    monkeypatch.setattr("riskcore.cli.sweep_command.user_folder", lambda _: tmp_path / "cache")
    path = tmp_path / "riskcore.toml"
    path.write_text('[profile]\nname = "t"\n[programme]\nsize = "50K"\nstage = "combine"\n', encoding="utf-8")
    return path


def without_command(row: Any) -> Any:
    return {**row, "stamp": {**row["stamp"], "command": ""}}


def test_a_sweep_is_that_of_the_command(rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days, out = MONTH[:3], tmp_path / "results.parquet"
    result = riskcore.sweep(days, rules, grid={KEY: "300:500:200", "rules.max_contracts.limit": [2, 9]})
    words = ["sweep", *map(str, days), "--config", str(rules), "--grid", f"{KEY}=300:500:200"]
    row = printed(capsys, *words, "--grid", "rules.max_contracts.limit=2,9", "--out", str(out), "--workers", "1")
    assert without_command(result.to_dict()) == without_command(row)
    assert result.frame.equals(pl.read_parquet(out))
    assert len(result.settings) == 4
    assert len(result.frame) == 4 * 3
    best = max(result.settings, key=lambda one: Decimal(one.effect["net_pnl"]))
    assert best.setting.keys() == {KEY, "rules.max_contracts.limit"}
    assert result.days == 3
    assert result.luck == row["luck"]
    assert any("3 days of history are few" in text for text in result.warnings)


def test_a_sweep_without_a_grid_and_a_key_that_is_none(rules: Path) -> None:
    with pytest.raises(ConfigError, match="needs one key"):
        riskcore.sweep(MONTH[:1], rules, grid={})
    with pytest.raises(ConfigError, match="no_such"):
        riskcore.sweep(MONTH[:1], rules, grid={"rules.no_such.limit": [1]})
    with pytest.raises(ConfigError, match="give the values by setting"):
        riskcore.sweep(MONTH[:1], rules, grid=[f"{KEY}=300"])  # type: ignore[arg-type]
    for workers in (0, -1, "2"):
        with pytest.raises(ConfigError, match="--workers"):
            riskcore.sweep(MONTH[:1], rules, grid={KEY: [300]}, workers=workers)  # type: ignore[arg-type]
    for asked in ({"draws": 200.5}, {"seed": "1"}):
        with pytest.raises(ConfigError, match="must be a whole number"):
            riskcore.odds(MONTH[:2], rules, **asked)  # type: ignore[arg-type]


def test_a_grid_takes_loaded_settings_and_values_of_any_kind(rules: Path) -> None:
    loaded = riskcore.load_settings(rules, sets=["rules.max_contracts.limit=3"])
    grid = {
        KEY: [Decimal("4E+2"), "off"],
        "profile.strict_mode": [True, False],
        "rules.max_contracts.action": "close_all",
    }
    with pytest.raises(ConfigError, match="loss_limit"):
        riskcore.sweep(MONTH[:1], loaded, grid=grid)
    swept = riskcore.sweep(MONTH[:1], loaded, grid={**grid, KEY: Decimal("4E+2")})
    assert [one.setting["profile.strict_mode"] for one in swept.settings] == ["true", "false"]
    assert {one.setting[KEY] for one in swept.settings} == {"400"}
    same = riskcore.sweep(MONTH[:1], rules, sets=loaded.sets, grid={**grid, KEY: 400})
    assert same.frame.equals(swept.frame)


def test_odds_are_those_of_the_command(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = MONTH[:21]
    result = riskcore.odds(days, rules, draws=200, seed=3, combine_fee="49")
    words = ["odds", *map(str, days), "--config", str(rules), "--paths", "200", "--seed", "3", "--combine-fee", "49"]
    row = printed(capsys, *words)
    assert without_command(result.to_dict()) == without_command(row)
    (account,) = result.accounts
    assert (account.passing, account.losing, account.days_used) == (row["pass"], row["lose"], 21)
    assert account.data_95 == tuple(row["data_95"])
    assert account.figures["days_to_pass"] == row["days_to_pass"]


def test_too_few_days_have_no_single_figure(rules: Path) -> None:
    (account,) = riskcore.odds(MONTH[:5], rules, draws=100).accounts
    assert account.passing is None
    assert account.data_95[0] <= account.data_95[1]


def test_a_fee_is_an_amount(rules: Path) -> None:
    with pytest.raises(ConfigError, match="activation_fee much: not an amount"):
        riskcore.odds(MONTH, rules, activation_fee="much")
