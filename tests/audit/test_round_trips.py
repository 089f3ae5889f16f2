"""Round trips of a recorded day: what they booked, how far they went, and what was risked."""

from pathlib import Path
from typing import Any

import pytest

from replay.review.day import read_day
from replay.source import Source
from tests.recordings import ACCOUNT, MNQ, Recording

NO_RULES = '[profile]\nname = "combine"\n'
OPEN_LOSS = NO_RULES + '[rules.daily_unrealized_loss]\nloss_limit = "300"\n'
PLACED_STOP = NO_RULES + "[rules.no_stop_loss_grace]\nplace_stop_ticks = 40\n"
CONSERVATIVE = NO_RULES + 'mark = "conservative"\n'


def trips(day: Recording, folder: Path, settings: str = NO_RULES) -> list[dict[str, Any]]:
    config = folder / "riskcore.toml"
    config.write_text(settings, encoding="utf-8")
    path = day.write(folder / "day.jsonl")
    reviewed, _, _ = read_day(Source((path,), config_path=config), folder)
    rows = reviewed.trips.rows([ACCOUNT])
    figures = reviewed.log.figures[ACCOUNT, reviewed.trade_date]
    assert sum(row["exited_at"] is not None for row in rows) == figures.round_trips
    return rows


def far(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in ("mae", "mae_ticks", "mfe", "mfe_ticks")]


def stop(day: Recording, price: float, size: int = 2, number: int = 91) -> Recording:
    order = {"id": number, "accountId": ACCOUNT, "contractId": MNQ, "status": 1, "type": 4, "side": 1}
    return day.user("GatewayUserOrder", {**order, "size": size, "stopPrice": price})


def long_two(start: str = "08:30:00") -> Recording:
    """Two bought at 21000, down to 20990 and up to 21020, sold at 21010."""
    day = Recording().account()
    day.at("08:29:59").quote(20900)
    day.at(start).fill(2, 21000)
    day.at("08:30:05").quote(20990)
    day.at("08:30:10").quote(21020)
    day.at("08:30:15").quote(21005)
    day.at("08:30:16").fill(-2, 21010, profit=40)
    return day.at("08:30:20").quote(20500)


def test_excursions_are_those_of_the_marks_between_entry_and_exit(tmp_path: Path) -> None:
    (row,) = trips(long_two(), tmp_path)
    assert far(row) == ["-40.00", "-40", "80.00", "80"]
    assert (row["gross_pnl"], row["net_pnl"], row["fees"]) == ("40.00", "39.26", "0.74")
    assert (row["side"], row["size"], row["entry_price"], row["exit_price"]) == ("long", 2, "21000", "21010")
    assert (row["marks"], row["flags"], row["unknown"]) == (3, [], None)
    assert (row["r"], row["risk"], row["risk_from"], row["stop"]) == (None, None, "no stop", None)


def test_fills_count_as_marks_and_what_is_booked_stays(tmp_path: Path) -> None:
    day = Recording().account().at("08:30:00").fill(2, 21000)
    day.at("08:30:05").quote(21001)
    day.at("08:30:06").fill(-1, 20950, profit=-100)  # Worse than any quote.
    day.at("08:30:08").quote(21100)  # -100 booked, +200 open.
    day.at("08:30:09").fill(-1, 20999, profit=-2)
    (row,) = trips(day, tmp_path)
    assert far(row) == ["-200.00", "-200", "100.00", "400"]


def test_a_scaled_trip_is_measured_from_its_average(tmp_path: Path) -> None:
    day = Recording().account().at("08:30:00").fill(-1, 21000)
    day.at("08:30:02").quote(21002)
    day.at("08:30:03").fill(-1, 21010)
    day.at("08:30:04").quote(21012.25)
    day.at("08:30:05").fill(2, 21005, profit=0)
    (row,) = trips(day, tmp_path)
    # From 21005 on average: 7.25 points of two; before, 10 points of one when the second was sold.
    assert far(row) == ["-29.00", "-40", "0", "0"]
    assert (row["side"], row["size"], row["fills"], row["entry_price"]) == ("short", 2, 3, "21005")


def test_longs_are_marked_at_the_bid_where_the_profile_says_so(tmp_path: Path) -> None:
    (row,) = trips(long_two(), tmp_path, CONSERVATIVE)
    assert far(row) == ["-41.00", "-41", "79.00", "79"]


def test_a_flip_is_two_trips(tmp_path: Path) -> None:
    for name, closing_first in (("closing first", True), ("opening first", False)):
        day = Recording().account().at("08:30:00").fill(1, 21000)
        day.at("08:30:01").quote(21010)
        day.at("08:30:02")
        if closing_first:
            day.fill(-1, 21008, profit=16).fill(-2, 21008)
        else:
            day.fill(-2, 21008).fill(-1, 21008, profit=16)
        day.at("08:30:03").quote(21011)
        day.at("08:30:04").fill(2, 21007, profit=4)
        first, second = trips(day, tmp_path)
        assert [first["side"], first["size"], first["gross_pnl"]] == ["long", 1, "16.00"], name
        assert [second["side"], second["size"], *far(second)] == ["short", 2, "-12.00", "-12", "4.00", "4"], name


def test_r_comes_from_the_first_stop_then_a_loss_limit_then_a_rules_stop(tmp_path: Path) -> None:
    day = long_two()
    # The stop that protected it first, 20 points away; it is pulled behind the entry later.
    stop(day.at("08:30:01"), 20980)
    stop(day.at("08:30:12"), 21001, number=92)
    day.lines.sort(key=lambda line: line[0])
    (row,) = trips(day, tmp_path, OPEN_LOSS)
    assert row["stop"] == {"price": "20980", "at": "2026-11-20T14:30:01Z"}
    assert (row["risk"], row["risk_from"], row["r"]) == ("80.00", "stop", "0.4907")
    (row,) = trips(long_two(), tmp_path, OPEN_LOSS)
    assert (row["risk"], row["risk_from"], row["r"]) == ("300.00", "loss limit", "0.1308")
    (row,) = trips(long_two(), tmp_path, PLACED_STOP)
    assert (row["risk"], row["risk_from"], row["r"]) == ("40.00", "stop distance of a rule", "0.9815")


def test_a_first_stop_in_profit_risks_nothing(tmp_path: Path) -> None:
    for price, risk in ((20999.75, "1.00"), (21000.0, None), (21000.25, None)):
        day = long_two()
        stop(day.at("08:30:01"), price)
        day.lines.sort(key=lambda line: line[0])
        (row,) = trips(day, tmp_path)
        assert row["risk"] == risk, price


def test_without_a_mark_the_excursions_are_unknown(tmp_path: Path) -> None:
    day = Recording().account().at("08:29:59").quote(20900)
    day.at("08:30:00").fill(1, 21000).at("08:30:09").fill(-1, 20990, profit=-20)
    (row,) = trips(day, tmp_path)
    assert far(row) == [None] * 4
    assert row["unknown"] == "no marks were recorded while it was open"


@pytest.mark.parametrize(("second", "flags"), [("10", []), ("11", ["stale_marks"])])
def test_a_gap_in_the_marks_is_said(second: str, flags: list[str], tmp_path: Path) -> None:
    day = Recording().account().at("08:30:00").fill(1, 21000)
    day.at(f"08:30:{second}").quote(21001)
    day.at("08:30:12").fill(-1, 21001, profit=2)
    assert trips(day, tmp_path)[0]["flags"] == flags


def test_a_trip_still_open_has_no_exit_and_no_r(tmp_path: Path) -> None:
    day = Recording().account().at("08:30:00").fill(1, 21000)
    stop(day.at("08:30:01"), 20990, 1)
    day.at("08:30:02").quote(20995)
    (row,) = trips(day, tmp_path)
    assert (row["exited_at"], row["exit_price"], row["r"], row["risk"]) == (None, None, None, "20.00")
    assert far(row) == ["-10.00", "-20", "0", "0"]


def test_a_trip_from_before_the_day_is_told_without_its_entry(tmp_path: Path) -> None:
    day = Recording("2026-11-20 15:00:00").account().at("2026-11-20 15:30:00").fill(1, 21000)
    day.at("2026-11-20 18:00:00").quote(21001)
    day.at("2026-11-20 18:00:05").fill(-1, 21005, profit=10)
    (row,) = trips(day, tmp_path)
    assert (row["entered_at"], row["entry_price"], row["net_pnl"]) == (None, None, "9.63")
    assert row["unknown"] == "it was open before the day began"


def test_a_voided_fill_is_no_part_of_a_trip(tmp_path: Path) -> None:
    day = long_two()
    day.at("08:30:21").fill(1, 20500)
    voided = dict(day.lines[-1][1]["arguments"][0]["data"], voided=True)
    day.at("08:30:22").user("GatewayUserTrade", voided)
    (row,) = trips(day, tmp_path)
    assert row["fills"] == 2
