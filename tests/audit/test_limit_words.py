"""The sentence beside a gauge names what its figure is, and reads as a person would say it."""

import pytest

from riskcore.core.quantities import money
from tests.audit.test_approaches import closest
from tests.audit.test_limits import Row, only, position, rows_of
from tests.core.ledger import Ledger, usd
from tests.core.programme.terms import combine, under


def give_back(mode: str = "give_back") -> Row:
    return {"max_unrealized_profit": {"mode": mode, "arm_profit": money("300")}}


def test_what_is_left_of_a_profit_is_called_profit_and_not_what_was_given_back() -> None:
    day = position(3, "21000", "21050", **give_back()).mark("MNQ", "21030")
    text = "open profit 180.00, 150 should be kept: 30.00 left; from the highest open profit of 300.00"
    assert only(day)["text"] == text
    [row] = closest(day)
    assert (row["name"], row["measured"]) == ("profit given back", "open profit 180.00, 150 should be kept")


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("20999.75", "open loss -0.50, the limit 300: 299.50 left"),
        ("21000", "open loss 0, the limit 300: 300.00 left"),
        ("21000.25", "open loss: 0.50 in profit, the limit 300: 300.50 left"),
    ],
)
def test_a_profit_is_not_called_a_loss(mark: str, text: str) -> None:
    assert only(position(1, "21000", mark, daily_unrealized_loss={}))["text"] == text


def test_breakeven_has_a_floor() -> None:
    day = position(3, "21000", "21050", **give_back("breakeven")).mark("MNQ", "21030")
    assert only(day)["text"].startswith("open profit 180.00, the floor 0: 180.00 left")


def test_the_profit_of_the_day_before_and_after_it_counts() -> None:
    rules = {"daily_realized_profit": {"give_back": {"arm": money("800"), "fraction": 500_000}}}
    day = Ledger(**rules).closed("700")
    given = "day profit given back"
    assert only(day, name=given)["text"] == "day profit: 700.00; the floor counts once the day P&L has been 800"
    day.closed("200").closed("-225")
    assert only(day, name=given)["text"].startswith("day profit 675.00, 450 should be kept: 225.00 left")


def test_the_figure_of_the_maximum_loss_is_the_equity() -> None:
    day = under(combine(floor_override_usd=usd("48000"))).account(balance="50000").at("09:00:00").tick()
    assert only(day, rule="PROGRAMME-MLL")["text"] == "equity 50000.00, the floor 48000: 2000.00 left"


def test_what_only_keeps_the_figures_of_the_programme_limits_nothing_and_has_no_row() -> None:
    day = under(combine(floor_override_usd=usd("48000"))).account(balance="50000").at("09:00:00").tick()
    assert "PROGRAMME" not in {row["rule"] for row in rows_of(day)}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("14:59:59", "allowed hours: 1 s left; ends at 2026-11-20T21:00:00Z"),
        ("15:00:00", "allowed hours: over; begins again at 2026-11-23T14:30:00Z"),
    ],
)
def test_the_hours_say_once_that_they_are_over(at: str, text: str) -> None:
    row = only(Ledger(session_block_outside={}).at("09:00:00").account().at(at).tick())
    assert row["text"] == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (29, "time without a stop 29 s, the limit 30 s: 1 s left; reached at 2026-11-20T16:00:30Z"),
        (30, "time without a stop 30 s, the limit 30 s: reached"),
        (31, "time without a stop 31 s, the limit 30 s: reached"),
    ],
)
def test_a_limit_that_is_reached_is_said_once(seconds: int, text: str) -> None:
    day = position(1, "21000", "21000", no_stop_loss_grace={"grace_period_seconds": 30})
    row = only(day.at(f"10:00:{seconds:02d}").tick())
    assert row["text"].startswith(text)
    assert "reached; reached" not in row["text"]


def test_closest_counts_keep_their_unit() -> None:
    [row] = closest(position(1, "21000", "21000", trade_frequency_limit={"per_hour": None, "per_session": None}))
    assert row["measured"] == "minute trades 1 of 3"
    [row] = closest(position(2, "21000", "21000", max_contracts={"limit": 5}))
    assert row["measured"] == "contracts 2 of 5"
