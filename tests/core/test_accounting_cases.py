"""Days in which what was booked and what was open once did not add up to equity; each keeps the name of its case."""

from datetime import datetime, timedelta

import pytest

from riskcore.core import events as e
from riskcore.core.marks import valuation
from riskcore.core.quantities import money, price
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, nanoseconds

ES = "CON.F.US.EP.Z26"
COMBINED = {"loss_limit": money("1000"), "basis": "combined"}


def open_usd(day: Ledger) -> int | None:
    return valuation(day.book, day.account_state.positions[ES], "last", day.book.now).value


def equity_usd(day: Ledger) -> int:
    value = open_usd(day)
    assert value is not None
    return value + sum(one.gross_usd for one in day.account_state.days.values())


def later(day: Ledger, milliseconds: int) -> Ledger:
    day.now += timedelta(milliseconds=milliseconds)
    return day


@pytest.mark.parametrize("side", [-1, 1], ids=["core-01", "core-02"])
def test_flip_with_its_opening_half_first(side: int) -> None:
    limit = {"loss_limit": money("500"), "basis": "combined"}
    day = Ledger(
        daily_realized_loss=limit,
        daily_unrealized_loss={},
        max_unrealized_profit={"profit_target": money("500")},
        daily_realized_profit={"profit_target": money("500"), "basis": "combined"},
    )
    day.mark("ES", "6000").fill("ES", 2 * side, "6000").mark("ES", "6000")
    day.fill("ES", -3 * side, "6000")
    assert equity_usd(day) == 0
    later(day, 1).fill("ES", -2 * side, "6000", profit="0").mark("ES", "6000")
    assert (day.breaches, equity_usd(day)) == ([], 0)
    assert day.account_state.positions[ES].size == -3 * side


@pytest.mark.parametrize("apart_ms", [0, 1, 1999])
def test_core_03_exit_in_two_fills_pushes_behind(apart_ms: int) -> None:
    day = Ledger(daily_realized_loss=COMBINED).mark("ES", "6000").fill("ES", 2, "6000")
    later(day, 10).push("ES", 2, "6000").at("09:00:00").mark("ES", "5992")
    for half in (1, 2):
        day.fill("ES", -1, "5992", profit="-400")
        assert equity_usd(day) == money("-800"), half
    for size in (1, 0):
        later(day, apart_ms // 2).push("ES", size, "6000").mark("ES", "5992")
        assert equity_usd(day) == money("-800"), size
    assert (day.breaches, day.bodies(e.DriftDetected)) == ([], [])


def test_a_push_that_is_two_seconds_behind_its_fills_is_not_taken_for_one_of_them() -> None:
    day = Ledger().at("09:00:00").fill("ES", 2, "6000").push("ES", 2, "6000").fill("ES", -2, "5992", profit="-800")
    later(day, 2000).push("ES", 2, "6000").mark("ES", "5992")
    assert open_usd(day) == money("-800")


@pytest.mark.parametrize("fills_told_first", [True, False])
def test_core_04_carried_in_position_closed(fills_told_first: bool) -> None:
    day = Ledger(daily_realized_loss=COMBINED).at("09:00:00")
    shown = e.PositionObserved(ACCOUNT, ES, 2, price("6000"))
    day.take(e.PositionsListed(ACCOUNT, (shown,), nanoseconds(day.now)), "positions").mark("ES", "5992")
    assert open_usd(day) == money("-800")
    later(day, 4500).mark("ES", "5992")
    assert len(day.bodies(e.DriftDetected)) == 1
    for told_fill in (fills_told_first, not fills_told_first):
        if told_fill:
            day.fill("ES", -2, "5992", profit="-800")
        else:
            day.push("ES", 0, "6000")
        assert equity_usd(later(day, 10).mark("ES", "5992")) == money("-800")
    assert day.breaches == []


def test_a_carried_in_position_is_left_in_parts_at_what_the_broker_booked_for_each() -> None:
    """Two at 5998 and 6002 are shown as two at 6000: the first exit says which of them is left."""
    day = Ledger().at("09:00:00").push("ES", 2, "6000").mark("ES", "5992")
    later(day, 3000).fill("ES", -1, "5992", profit="-300").mark("ES", "5992")
    assert open_usd(day) == money("-500")
    later(day, 5).push("ES", 1, "6000").mark("ES", "5990")
    assert open_usd(day) == money("-600")


def test_where_fills_are_never_told_open_results_follow_the_pushes_at_once() -> None:
    day = Ledger(lacks=("trades",)).at("09:00:00").push("ES", 2, "6000").mark("ES", "5992")
    later(day, 3000).push("ES", 1, "6000").mark("ES", "5992")
    assert open_usd(day) == money("-400")


def test_core_05_week_told_again() -> None:
    day = Ledger(
        start="2026-11-16 09:00:00", max_contracts={"limit": 2}, daily_realized_loss={**COMBINED, "warn_at": ()}
    )
    rows = []
    for number in range(4):
        day.at(f"2026-11-{16 + number} 09:00:00")
        rows += [(10 * number + 1, 1, "6000", None, day.now), (10 * number + 2, -1, "6002", "100", day.now)]
        for trade, size, at_price, profit, created in rows[-2:]:
            day.fill("ES", size, at_price, profit=profit, trade=trade, created=created)
    day.at("2026-11-20 09:00:00").fill("ES", 2, "6050", trade=91).mark("ES", "6050")
    before = [(key, one.fills, one.gross_usd) for key, one in day.account_state.days.items()]
    for trade, size, at_price, profit, created in rows:
        day.fill("ES", size, at_price, profit=profit, trade=trade, created=created)
    day.take(e.TradesListed(ACCOUNT, nanoseconds(datetime(2026, 11, 13, tzinfo=CHICAGO))), "trades")
    assert before == [(key, one.fills, one.gross_usd) for key, one in day.account_state.days.items()]
    assert (day.account_state.positions[ES].size, day.breaches) == (2, [])


def test_core_06_void_after_three_resets() -> None:
    day = Ledger(start="2026-11-16 09:00:00", daily_unrealized_loss={"loss_limit": money("600")})
    day.fill("ES", 3, "6000", trade=1).fill("ES", -2, "6010", profit="1000", trade=2)
    for date in (17, 18, 19):
        day.at(f"2026-11-{date} 09:00:00").mark("ES", "6000")
    day.fill("ES", 1, "6000", trade=31).mark("ES", "6000").void(31).mark("ES", "5995")
    assert (day.account_state.positions[ES].size, open_usd(day)) == (1, money("-250"))
    assert day.breaches == []
