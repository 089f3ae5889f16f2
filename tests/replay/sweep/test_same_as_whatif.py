"""Every setting of a sweep comes to what `whatif --independent-days --quick` gives for it, to the cent."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from replay.sweep.pieces import pieces_of
from replay.sweep.sweep import Setting, Sweep, Table, sweep
from replay.whatif.settings import Asked
from replay.whatif.study import Study, runs_of, whatif
from riskcore.core.quantities import money_text
from tests.replay.whatif.random_days import random_case
from tests.replay.whatif.random_enforced import enforced_case
from tests.replay.whatif.sessions import Trades, export
from tests.replay.whatif.test_unchanged_days import month, rules

Rows = list[tuple[Any, ...]]
GRIDS = (
    "rules.daily_realized_loss.loss_limit=60:140:40",
    "rules.max_contracts.limit=1,2,3",
    "rules.trade_frequency_limit.per_hour=off,3,5",
    "rules.period_loss.loss_limit=100,200",
    "rules.cooldown_after_loss.loss_thresholds=[{loss_amount=30,cooldown_seconds=600}],[{loss_amount=60,cooldown_seconds=60}]",
    "rules.daily_unrealized_loss.loss_limit=20,50.5",
    "programme.size=50K,100K",
    "programme.daily_loss_limit=none,standard",
    "profile.pnl_basis=net,gross",
    "profile.mark=last,conservative",
)


def swept(study: Study, grid: tuple[str, ...], cache: Path, workers: int = 1) -> Table:
    return sweep(Sweep(study, grid, cache, workers))


def rows_of(setting: Setting) -> Rows:
    return [
        (
            row.account,
            row.trade_date,
            *map(money_text, (row.baseline_usd, row.counterfactual_usd, row.effect_usd, row.simulated_usd)),
            row.left_out_contracts,
            row.flags,
        )
        for row in setting.rows()
    ]


def whatif_rows(study: Study, setting: Setting) -> Rows:
    result = whatif(replace(study, asked=setting.asked, independent_days=True, quick=True))
    names = ("account", "trade_date", "baseline", "counterfactual", "net_pnl", "simulated", "left_out_contracts")
    return [(*(day[name] for name in names), ",".join(day["flags"])) for day in result["effect"]["by_day"]]


def assert_same(study: Study, grid: tuple[str, ...], cache: Path) -> list[Rows]:
    table = swept(study, grid, cache)
    found = [rows_of(setting) for setting in table.settings]
    for setting, rows in zip(table.settings, found, strict=True):
        assert rows == whatif_rows(study, setting), setting.values
    return found


def grid(random: Random) -> tuple[str, ...]:
    return tuple(random.sample(GRIDS, random.choice((1, 1, 2))))


def check_month(seed: int, folder: Path) -> list[Rows]:
    random = Random(f"sweep {seed}")
    paths, config = month(random, folder, 6), folder / "riskcore.toml"
    config.write_text(rules(random), encoding="utf-8")
    return assert_same(Study(paths, Asked(config)), grid(random), folder / "cache")


def check_case(seed: int, folder: Path) -> list[Rows]:
    random = Random(f"sweep {seed}")
    case = (random_case, enforced_case)[seed % 2](seed)
    recording, config = case.write(folder)
    baseline = None if case.baseline is None else case.baseline_file(folder)
    asked = Asked(config, baseline=baseline)
    study = Study((recording,), asked, case.policy, case.latency_ms, case.slippage_ticks)
    return assert_same(study, tuple(random.sample(GRIDS[:6], 1)), folder / "cache")


@pytest.mark.parametrize("seed", range(4))
def test_random_months(seed: int, tmp_path: Path) -> None:
    check_month(seed, tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_random_days_of_two_accounts(seed: int, tmp_path: Path) -> None:
    check_case(seed, tmp_path)


@pytest.mark.nightly
def test_many_random_months_and_days(tmp_path: Path) -> None:
    different = 0
    for seed in range(100, 160):
        for check in (check_month, check_case):
            folder = tmp_path / f"{seed}-{check.__name__}"
            folder.mkdir()
            different += len({str(rows) for rows in check(seed, folder)}) > 1
    assert different > 40


def two_days(folder: Path) -> tuple[Path, ...]:
    """A losing day, and one on which the loss of the day before is voided."""
    monday = Trades("2026-11-16 09:00:00").account()
    monday.at("09:00:00").trade(2, 21000)
    monday.at("09:10:00").trade(-2, 20900)
    late = monday.last_trade
    monday.at("09:20:00").trade(1, 20900)
    monday.at("09:30:00").trade(-1, 20890)
    tuesday = Trades("2026-11-17 09:00:00")
    tuesday._ids = 1000
    tuesday.at("09:00:00").void(late)
    tuesday.at("09:10:00").trade(1, 20900)
    tuesday.at("09:20:00").trade(-1, 20880)
    return monday.write(folder / "monday.jsonl"), tuesday.write(folder / "tuesday.jsonl")


def test_a_day_that_changes_the_one_before_goes_with_it(tmp_path: Path) -> None:
    paths, config = two_days(tmp_path), tmp_path / "riskcore.toml"
    config.write_text('[rules.daily_realized_loss]\nloss_limit = "100"\n', encoding="utf-8")
    study = Study(paths, Asked(config))
    runs = runs_of(replace(study, independent_days=True))
    assert [piece.trade_dates for piece in pieces_of(runs)] == [("2026-11-16",), ("2026-11-16", "2026-11-17")]
    assert_same(study, ("rules.daily_realized_loss.loss_limit=30,100,500",), tmp_path / "cache")


def test_weekly_loss_of_independent_days_is_that_of_the_record(tmp_path: Path) -> None:
    """Monday loses 210 in the record and 110 when the second trade is left out; a limit of 220 falls on Tuesday."""
    monday = Trades("2026-11-16 09:00:00").account()
    monday.at("09:00:00").trade(1, 21000)
    monday.at("09:10:00").trade(-1, 20945)
    monday.at("09:20:00").trade(1, 20900)
    monday.at("09:30:00").trade(-1, 20850)
    tuesday = Trades("2026-11-17 09:00:00")
    tuesday._ids = 1000
    tuesday.at("09:00:00").trade(1, 20900)
    tuesday.at("09:10:00").trade(-1, 20890)
    tuesday.at("09:20:00").trade(1, 20900)
    tuesday.at("09:30:00").trade(-1, 20800)
    paths = monday.write(tmp_path / "monday.jsonl"), tuesday.write(tmp_path / "tuesday.jsonl")
    config = tmp_path / "riskcore.toml"
    config.write_text(
        '[rules.daily_realized_loss]\nloss_limit = "100"\n[rules.period_loss]\nperiod = "weekly"\nloss_limit = "220"\n',
        encoding="utf-8",
    )
    [rows] = assert_same(Study(paths, Asked(config)), ("rules.daily_realized_loss.loss_limit=100",), tmp_path / "cache")
    (_, _, recorded, left, *_), (_, _, _, tuesday_net, *_) = rows
    assert (float(recorded) < -200, -120 < float(left) < -100) == (True, True)
    assert -30 < float(tuesday_net) < 0  # The week stands at 230 after the first trade, so the second is left out.


def test_journal_exports(tmp_path: Path) -> None:
    day = Trades().account()
    for minute in range(0, 50, 10):
        day.at(f"09:{minute:02}:00").trade(1, 21000)
        day.at(f"09:{minute + 5:02}:00").trade(-1, 20980)
    exported = export(day, tmp_path, "rules.daily_realized_loss.loss_limit=100")
    found = assert_same(
        Study((exported,), Asked()), ("rules.daily_realized_loss.loss_limit=50,100,150",), tmp_path / "cache"
    )
    assert len({str(rows) for rows in found}) > 1
