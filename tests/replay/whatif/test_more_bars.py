"""`--bars`: what the history says beside a recording, up to its last line and behind it (WHATIF.md 4)."""

import json
from pathlib import Path
from typing import Any

from tests.recordings import MNQ
from tests.replay.whatif.sessions import Trades, study

OPEN_LOSS = "rules.daily_unrealized_loss.loss_limit=300"


def bars(folder: Path, *rows: tuple[str, float, float, float, float]) -> tuple[Path, ...]:
    """Minute bars by their opening in UTC: open, high, low, close."""
    path = folder / f"{MNQ}.json"
    found = [{"t": f"{at}+00:00", "o": o, "h": h, "l": low, "c": close, "v": 1} for at, o, h, low, close in rows]
    path.write_text(json.dumps({"bars": found, "success": True}), encoding="utf-8")
    return (path,)


def row_of(result: dict[str, Any], number: int = 0) -> tuple[str, list[str]]:
    row = result["effect"]["by_day"][number]
    return row["net_pnl"], row["flags"]


def test_the_bar_behind_the_last_line_prices_a_close(tmp_path: Path) -> None:
    """Decided at 09:01, when the first bar is known; the recording ends a second later, within the second bar."""
    day = Trades().account().at("09:00:00")
    day.trade(1, 21010).at("09:00:30").trade(-1, 21010).trade(2, 21000)
    day.at("09:01:01").account()
    history = bars(
        tmp_path,
        ("2026-11-20T15:00:00", 21000, 21000, 20840, 20850),
        ("2026-11-20T15:01:00", 20855, 20860, 20800, 20810),
        ("2026-11-20T15:02:00", 20810, 20820, 20700, 20710),
    )
    result = study(day, tmp_path, OPEN_LOSS, bars=history)
    # Two at the open of 20855 less two ticks: −582.00 and the fees of two.
    assert row_of(result) == ("-583.24", ["from_bars"])


def test_nobody_hears_of_a_bar_behind_the_last_line(tmp_path: Path) -> None:
    day = Trades().account().at("09:00:00").trade(2, 21000).at("09:00:59").account()
    history = bars(tmp_path, ("2026-11-20T15:00:00", 21000, 21000, 20840, 20850))
    assert study(day, tmp_path, OPEN_LOSS, bars=history)["divergence"] == []


def test_bars_of_the_night_between_two_recorded_days_are_facts(tmp_path: Path) -> None:
    """Held from Thursday's last line to Friday's first: the loss of the evening is closed in the evening."""
    day = Trades("2026-11-19 08:00:00").account().at("15:00:00").trade(2, 21000)
    day.at("2026-11-20 09:00:00").trade(-2, 21000)
    history = bars(
        tmp_path,
        ("2026-11-19T21:00:00", 21000, 21001, 20999, 21000),
        ("2026-11-20T01:00:00", 20990, 20990, 20900, 20910),
        ("2026-11-20T01:01:00", 20910, 20930, 20890, 20920),
    )
    result = study(day, tmp_path, OPEN_LOSS, bars=history)
    assert [one["at"] for one in result["divergence"]] == ["2026-11-20T01:01:00Z"]
    assert row_of(result, 1) == ("-362.00", ["from_bars"])
