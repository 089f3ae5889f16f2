"""Totals of an account at their limits, and the room they leave to every open position (RULES.md 1.5)."""

import pytest

from riskcore.core import events as e
from riskcore.core.events import Command
from riskcore.core.marks import TotalValuation
from riskcore.core.quantities import money, price
from riskcore.core.rules.base import Action, Breach, Quiet
from riskcore.core.rules.day_total import loss_finding, narrow_by_total
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, Ledger

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"
CLOSE = (Command("CloseAllPositions"),)
FLOOR = money("-100")


def view_of(day: Ledger) -> View:
    event = e.Event(day.book.now, "clock", "k", e.ClockTicked())
    return View(day.book, day.account_state, event, Effect((ACCOUNT,)), "net", "last", "r.0")


def finding(value: str, fresh: str, *episodes: str) -> object:
    day = Ledger().fill("ES", 1, "6000")
    day.account_state.episodes.update({f"r.0|{name}": 1 for name in episodes})
    total = TotalValuation(money(value), money(fresh), value != fresh, False, False)
    return loss_finding(view_of(day), "total", total, FLOOR, {"f": "1"}, CLOSE)


@pytest.mark.parametrize(("value", "breaches"), [("-99.99", False), ("-100", True), ("-100.01", True)])
def test_a_fresh_total_breaches_at_its_floor(value: str, breaches: bool) -> None:
    found = finding(value, value)
    assert (found == Breach("total", {"f": "1"}, CLOSE)) is breaches
    assert (found is None) is not breaches


def test_a_total_that_needs_a_stale_mark_is_recorded_and_alerts() -> None:
    found = finding("-150", "-99.99")
    assert isinstance(found, Breach)
    assert (found.target, found.flags) == ("total.stale", ("stale_mark",))
    assert [command.kind for command in found.commands] == ["Alert"]


def test_the_commands_follow_without_a_second_breach() -> None:
    assert finding("-150", "-99.99", "total.stale") is None
    assert finding("-150", "-100", "total.stale") == Action("total", CLOSE)
    assert finding("-150", "-150", "total") is None


def held(*sizes: tuple[str, int, str]) -> Ledger:
    day = Ledger().at("10:00:00")
    for name, size, at_price in sizes:
        day.fill(name, size, at_price).mark(name, at_price)
    return day


def bounds_of(day: Ledger, down: str | None, up: str | None) -> Quiet:
    bounds = Quiet()
    slack = [None if value is None else money(value) for value in (down, up)]
    narrow_by_total(view_of(day), bounds, *slack)
    return bounds


def test_every_position_gets_its_share_of_the_room() -> None:
    bounds = bounds_of(held(("ES", 1, "6000"), ("MNQ", -1, "21000")), "200", None)
    assert not bounds.never
    # 100 dollars are 2 points of one ES and 50 points of one MNQ; a tenth of a cent is left for cuts.
    assert bounds.intervals[ES][0] == price("5998.00002")
    assert bounds.intervals[MNQ][1] == price("21049.9995")


def test_without_a_limit_any_move_is_quiet() -> None:
    low, high = bounds_of(held(("ES", 1, "6000")), None, None).intervals[ES]
    assert low < -(10**25)
    assert high > 10**25


def test_without_positions_there_is_nothing_to_narrow() -> None:
    bounds = bounds_of(Ledger().order(7, "ES", 1), "100", "100")
    assert (bounds.never, bounds.intervals) == (False, {})


def test_an_uncertain_total_is_never_quiet() -> None:
    assert bounds_of(held(("ES", 1, "6000")).push("YM", 1), "100", None).never


def test_a_position_closed_by_fills_only_is_never_quiet() -> None:
    day = held(("ES", 1, "6000")).push("ES", 1).fill("ES", -1, "6000", profit="0")
    assert bounds_of(day, "100", None).never
