"""What stands beside the effect of a day: breaches, time locked, worst equity, programme (WHATIF.md 8)."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from replay.sweep.sweep import Sweep, Table, sweep
from replay.sweep.table_file import MONEY, frame_of, write_table
from replay.whatif.settings import Asked
from replay.whatif.study import Study
from riskcore.errors import CannotWrite
from tests.replay.whatif.sessions import Trades

LIMIT = "rules.daily_realized_loss.loss_limit"


def left_out() -> Trades:
    """Worked example 1 of WHATIF.md 6, with an open loss of 600 on the way."""
    day = Trades("2026-11-16 08:59:00").account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:05:00").quote(20850)
    day.at("09:06:00").quote(20900)
    day.at("09:10:00").trade(-2, 20875)
    day.at("09:30:00").trade(1, 20900)
    day.at("09:45:00").trade(-1, 20950)
    day.at("10:00:00").trade(-1, 20940)
    day.at("10:30:00").trade(1, 21000)
    return day


def frame(folder: Path, *grid: str, sets: tuple[str, ...] = ()) -> pl.DataFrame:
    path, config = left_out().write(folder / "day.jsonl"), folder / "riskcore.toml"
    config.write_text("", encoding="utf-8")
    return frame_of(sweep(Sweep(Study((path,), Asked(config, sets)), grid, folder / "cache")))


def test_columns_of_a_worked_day(tmp_path: Path) -> None:
    found = frame(tmp_path, f"{LIMIT}=500,1000")
    first, second = found.to_dicts()
    assert first == {
        "setting": '{"rules.daily_realized_loss.loss_limit": "500"}',
        LIMIT: Decimal(500),
        "account": 99000001,
        "trade_date": "2026-11-16",
        "baseline_net": Decimal("-524.96"),
        "counterfactual_net": Decimal("-502.48"),
        "effect_net": Decimal("22.48"),
        "exact": Decimal("22.48"),
        "simulated": Decimal(0),
        "breaches": 1,
        "left_out_contracts": 2,
        "locked_minutes": 470.0,  # From 09:10 to the reset at 17:00.
        "worst_equity": Decimal("-601.24"),  # 2 MNQ 150 points under, and the fees of their entry.
        "outcome": None,
        "flags": "",
    }
    assert (second["breaches"], second["effect_net"], second["locked_minutes"]) == (0, 0, 0.0)
    assert all(found.schema[name] == MONEY for name in (LIMIT, "effect_net", "exact", "simulated", "worst_equity"))


def test_the_lowest_quote_inside_a_run_counts_and_a_profit_is_no_worst(tmp_path: Path) -> None:
    day = Trades("2026-11-16 08:59:00").account()
    day.at("09:00:00").trade(1, 21000)
    for second, price in enumerate((21010, 20990, 21020, 20995, 21030)):
        day.at(f"09:01:0{second}").quote(price)
    day.at("09:10:00").trade(-1, 21030)
    path, config = day.write(tmp_path / "day.jsonl"), tmp_path / "riskcore.toml"
    config.write_text("", encoding="utf-8")
    table = sweep(Sweep(Study((path,), Asked(config)), (f"{LIMIT}=500",), tmp_path / "cache"))
    assert table.settings[0].rows()[0].worst_equity_usd == -20_620_000


def test_a_pause_that_ends_is_counted_to_its_end(tmp_path: Path) -> None:
    pauses = "[{loss_amount=100,cooldown_seconds=300}]"
    [row] = frame(tmp_path, f"rules.cooldown_after_loss.loss_thresholds={pauses}").to_dicts()
    assert row["locked_minutes"] % 5 == 0
    assert row["locked_minutes"] > 0
    assert row["rules.cooldown_after_loss.loss_thresholds"] == pauses


@pytest.mark.parametrize(("size", "outcome"), [("50K", "open")])
def test_the_programme_has_an_outcome(size: str, outcome: str, tmp_path: Path) -> None:
    [row] = frame(tmp_path, f"programme.size={size}", sets=("programme.stage=combine",)).to_dicts()
    assert row["outcome"] == outcome


def test_a_column_of_words_is_one_of_texts(tmp_path: Path) -> None:
    found = frame(tmp_path, "rules.trade_frequency_limit.per_hour=off,3")
    assert found["rules.trade_frequency_limit.per_hour"].to_list() == ["off", "3"]


def table_of(folder: Path) -> Table:
    path, config = left_out().write(folder / "day.jsonl"), folder / "riskcore.toml"
    config.write_text("", encoding="utf-8")
    return sweep(Sweep(Study((path,), Asked(config)), (f"{LIMIT}=500,1000",), folder / "cache"))


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    table, out = table_of(tmp_path), tmp_path / "out.parquet"
    out.write_bytes(b"old")
    write_table(table, out)
    content = out.read_bytes()
    assert pl.read_parquet(out).equals(frame_of(table))
    write_table(table, out)
    assert out.read_bytes() == content
    assert not list(tmp_path.glob(".out*"))
    for place in (tmp_path, tmp_path / "none" / "out.parquet", Path("/dev/null")):
        with pytest.raises(CannotWrite):
            write_table(table, place)


def test_a_table_that_has_no_room_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    table, out = table_of(tmp_path), tmp_path / "out.parquet"
    out.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(CannotWrite, match=r"out\.parquet: cannot be written: File too large"):
            write_table(table, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert out.read_bytes() == b"old"
    assert not list(tmp_path.glob(".out*"))
