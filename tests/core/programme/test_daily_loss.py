"""PROG-DLL, to the boundary (PROGRAMME.md 5)."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings

from riskcore.core import events as e
from riskcore.core.programme.daily_loss import admit, gauges
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import fraction
from riskcore.core.rules.base import Proposal
from riskcore.core.state import Order
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, usd
from tests.core.programme.terms import combine, kinds_of, under
from tests.core.rules.quiet_walk import is_quiet, moves, walk
from tests.core.test_rebuild import assert_refolds

ENTRIES = ["SetLockout", "CancelOrders"]
FLATTEN = ["CancelOrders", "CloseAllPositions"]


def limited(limit: str = "1000", **changed: Any) -> Terms:
    enforce = ("mll", "dll", "size", "hours")
    return combine(**{"loss_limit_usd": usd(limit), "enforce": enforce, "mll_buffer_usd": usd("1"), **changed})


def day_of(terms: Terms | None = None, start: str = "2026-11-20 08:00:00", **options: Any) -> Ledger:
    return under(terms or limited(), start, **options).account(balance="50000").at(f"{start[:11]}09:00:00")


def found(day: Ledger) -> list[tuple[str, str]]:
    return [(one.figures["level"], one.figures["day_pnl"]) for one in day.breaches if one.rule == "PROGRAMME-DLL"]


@pytest.mark.parametrize(
    ("loss", "level"),
    [
        ("-899.99", None),
        ("-900", "entries"),
        ("-900.01", "entries"),
        ("-949.99", "entries"),
        ("-950", "flatten"),
        ("-950.01", "flatten"),
        ("-999.99", "flatten"),
        ("-1000", "limit"),
        ("-1000.01", "limit"),
    ],
)
def test_prog_dll_example_the_levels(loss: str, level: str | None) -> None:
    day = day_of().closed(loss)
    assert [one for one, _ in found(day)] == ([] if level is None else [level])
    if level is not None:
        assert day.breaches[0].figures["loss_limit"] == "1000"
        assert kinds_of(day, "PROGRAMME-DLL") == (ENTRIES if level == "entries" else ["SetLockout", *FLATTEN])
        [lockout] = day.account_state.lockouts.values()
        assert (lockout.key, lockout.kind) == ("day", "until_reset")


@pytest.mark.parametrize(
    ("loss", "relation"), [("-900", "is close to"), ("-999.99", "is close to"), ("-1000", "reached")]
)
def test_the_lockout_says_whether_the_limit_itself_was_reached(loss: str, relation: str) -> None:
    [lockout] = day_of().closed(loss).account_state.lockouts.values()
    assert relation in lockout.reason


def test_prog_dll_example_realised_and_open_in_one_mark() -> None:
    day = day_of().closed("-640").fill("ES", 1, "6300").at("09:00:01").mark("ES", "6299")
    assert found(day) == []
    day.mark("ES", "6292.8")
    assert found(day) == [("limit", "-1000.00")]
    day.mark("ES", "6293.5").mark("ES", "6290")
    assert len(found(day)) == 1, "the milder levels count as reached"


def test_prog_dll_example_none_is_nothing_ever() -> None:
    day = day_of(combine()).closed("-1999")
    assert found(day) == []
    assert not any(one.rule.id == "PROGRAMME-DLL" for one in day.rulebook.instances(day.account_state))


def test_one_lockout_a_day_at_the_first_level() -> None:
    day = day_of().closed("-900").at("09:01:00").closed("-50").at("09:02:00").closed("-50")
    assert found(day) == [("entries", "-900.00"), ("flatten", "-950.00"), ("limit", "-1000.00")]
    assert kinds_of(day, "PROGRAMME-DLL").count("SetLockout") == 1


def test_after_the_entries_are_locked_an_open_winner_may_run_on() -> None:
    day = day_of().fill("ES", 1, "6300").at("09:00:01").mark("ES", "6282")
    assert (found(day), kinds_of(day, "PROGRAMME-DLL")) == ([("entries", "-900.00")], ENTRIES)
    day.mark("ES", "6310").at("16:59:59").tick()
    assert kinds_of(day, "PROGRAMME-DLL") == ENTRIES


def test_the_reset_rearms_the_levels_and_ends_the_lockout() -> None:
    day = day_of().closed("-950").at("2026-11-23 09:00:00").closed("-899.99")
    assert (len(found(day)), day.account_state.lockouts) == (1, {})
    assert found(day.closed("-0.01"))[-1] == ("entries", "-900.00")


def test_shares_of_the_traders_choosing_are_not_rounded() -> None:
    terms = limited("333.33", guard_entries_at=fraction("0.333333"), flatten_at=fraction("0.5"))
    # 0.333333 of 333.33 is 111.109888..., half of it 166.665.
    for loss, levels in (("-111.10", []), ("-111.11", ["entries"]), ("-166.66", ["entries"]), ("-166.67", ["flatten"])):
        assert [one for one, _ in found(day_of(terms).closed(loss))] == levels


def test_fees_count_whatever_the_pnl_basis_is() -> None:
    day = day_of(profile={"pnl_basis": "gross"}).closed("-899", fees="1")
    assert found(day) == [("entries", "-900.00")]


def test_a_stale_mark_is_recorded_and_alerts() -> None:
    day = day_of().fill("ES", 1, "6300").mark("ES", "6283").at("09:00:20").closed("-100")
    assert [(one.target, one.flags, one.figures["level"]) for one in day.breaches] == [
        ("day.stale.flatten", ("stale_mark",), "flatten")
    ]
    assert kinds_of(day, "PROGRAMME-DLL") == []
    day.mark("ES", "6283")
    assert kinds_of(day, "PROGRAMME-DLL") == ["SetLockout", *FLATTEN]
    assert len(day.breaches) == 1


def test_a_late_fill_breaches_its_own_day_once_and_locks_nothing() -> None:
    day = day_of(start="2026-11-19 08:00:00").closed("-899").at("2026-11-20 09:00:00").closed("10")
    made = datetime(2026, 11, 19, 15, tzinfo=CHICAGO)
    for _ in range(2):
        day.fill("MNQ", -1, "21000", profit="-60", created=made)
    assert [(one.rule, one.flags) for one in day.breaches] == [("PROGRAMME-DLL", ("late",))]
    assert found(day) == [("flatten", "-959.00")]
    assert kinds_of(day, "PROGRAMME-DLL") == []


def test_a_late_fill_of_a_day_that_breached_is_no_second_breach() -> None:
    day = day_of(start="2026-11-19 08:00:00").closed("-910").at("2026-11-20 09:00:00").closed("10")
    day.fill("MNQ", -1, "21000", profit="-100", created=datetime(2026, 11, 19, 15, tzinfo=CHICAGO))
    assert found(day) == [("entries", "-910.00")]


def test_on_one_mark_with_the_maximum_loss_both_are_recorded_and_it_has_the_flatten() -> None:
    """PROGRAMME.md 8.2."""
    day = day_of(limited("2000", floor_override_usd=usd("48000"))).fill("ES", 1, "6300").at("09:00:01")
    day.mark("ES", "6260")
    assert [(one.rule, one.figures["level"]) for one in day.breaches] == [
        ("PROGRAMME-MLL", "floor"),
        ("PROGRAMME-DLL", "limit"),
    ]
    issued = [(one.command.kind, one.rule) for one in day.commands if one.command.kind != "Alert"]
    assert issued == [
        ("SetLockout", "PROGRAMME-MLL"),
        ("SetLockout", "PROGRAMME-DLL"),
        ("CancelOrders", "PROGRAMME-MLL"),
        ("CloseAllPositions", "PROGRAMME-MLL"),
    ]


def test_what_is_not_enforced_is_recorded_and_alerts_once() -> None:
    day = day_of(limited(enforce=("mll",))).closed("-950")
    assert [(one.shadow, one.figures["level"]) for one in day.breaches] == [(True, "flatten")]
    assert (kinds_of(day, "PROGRAMME-DLL"), len(day.alerts)) == ([], 1)


def test_after_a_start_the_open_position_is_judged_once_when_all_is_listed() -> None:
    day = day_of().fill("ES", 1, "6300").at("09:00:01").mark("ES", "6283").at("09:00:02")
    day.take(e.EngineStarted("0", False), "start", "operator")
    day.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, day.contract("ES"), 1),)))
    day.fill("MNQ", -1, "21000", profit="-100")
    assert found(day) == [], "history is no fill to judge"
    day.take(e.TradesListed(ACCOUNT, 0))
    assert found(day) == [("flatten", "-950.00")]
    assert_refolds(day)


def test_an_order_is_declined_where_its_fill_would_breach_at_once() -> None:
    for loss, level in (("-899.99", None), ("-900", "entries"), ("-1000", "limit")):
        day = day_of().fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="0", trade=77)
        day.fill("MNQ", -1, "21000", profit=loss, trade=77)
        assert found(day) == [], "a correction is no fill"
        text = admit(
            limited(), _view(day), Proposal(Order(1, "", 6, 2, 1, 1, 0, None, None, None, None, None, None, 0))
        )
        assert text is None if level is None else level in (text or "")


def test_the_gauge_shows_the_days_loss() -> None:
    day = day_of().closed("-250").fill("ES", 1, "6300").mark("ES", "6299")
    assert [(one.used, one.limit) for one in gauges(limited(), _view(day))] == [(usd("300"), usd("1000"))]


def _view(day: Ledger) -> View:
    return View(day.book, day.account_state, day.events[-1], Effect(), "net", "last", "programme_dll.0")


def test_quotes_are_quiet_up_to_the_next_level() -> None:
    day = day_of().fill("ES", 1, "6300").at("09:00:01").mark("ES", "6300")
    assert is_quiet(day, "ES", "6283")
    assert not is_quiet(day, "ES", "6282")
    day.mark("ES", "6282")
    assert is_quiet(day, "ES", "6400")
    assert not is_quiet(day, "ES", "6281")


@settings(max_examples=40, deadline=None)
@given(moves("ES", "MNQ"))
def test_quiet_quotes_change_nothing(steps: list[tuple[str, str, int]]) -> None:
    day = day_of().fill("ES", 2, "6300").mark("ES", "6300").fill("MNQ", -2, "21000").mark("MNQ", "21000")
    walk(day, steps)
