"""Warnings before limits: once per crossing and episode, below, at and above each share, for every rule that counts."""

from typing import Any

import pytest
from hypothesis import given, settings

from riskcore.core import events as e
from riskcore.core.rules import RULES
from riskcore.core.rules.approach import approach_text, is_warning
from riskcore.core.rules.base import COUNT, LOSS, Reading, default_of, parameters_of
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger, clock, usd
from tests.core.rules.quiet_walk import moves, walk
from tests.core.test_restart import begun

WARN_AT = (700_000, 900_000)
Row = dict[str, Any]


def warned(day: Ledger) -> list[str]:
    """The share of each warning, in order."""
    targets = [one.target for one in day.commands if one.command.kind == "Alert" and is_warning(one.target)]
    return [target.rpartition(".")[2] for target in targets]


def times(day: Ledger) -> list[str]:
    return [
        clock(event.at)
        for event in day.events
        if isinstance(event.body, e.CommandIssued) and is_warning(event.body.target)
    ]


def position(size: int, at: str = "21000", **rules: Any) -> Ledger:
    return Ledger(**rules).at("10:00:00").fill("MNQ", size, at).push("MNQ", size).mark("MNQ", at)


# ---- counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "shares"),
    [(6, []), (7, ["700000"]), (8, ["700000"]), (9, ["700000", "900000"]), (10, ["700000", "900000"]), (11, [])],
)
@pytest.mark.parametrize(
    "rules",
    [
        {"max_contracts": {"limit": 10, "warn_at": WARN_AT}},
        {"max_contracts_per_instrument": {"limits": {"MNQ": 10}, "warn_at": WARN_AT}},
    ],
    ids=["account", "product"],
)
def test_a_count_below_at_and_above_a_share(rules: Row, size: int, shares: list[str]) -> None:
    day = position(size, **rules)
    assert warned(day) == shares
    assert bool(day.breaches) == (size > 10)


def test_a_count_that_falls_and_rises_again_crosses_again() -> None:
    day = position(7, max_contracts={"limit": 10, "warn_at": WARN_AT})
    day.push("MNQ", 8).push("MNQ", 7)
    assert warned(day) == ["700000"]
    day.push("MNQ", 6).push("MNQ", 7)
    assert warned(day) == ["700000", "700000"]


def test_an_alert_says_the_figure_the_limit_and_what_is_left() -> None:
    day = position(7, max_contracts_per_instrument={"limits": {"MNQ": 10}, "warn_at": WARN_AT})
    assert day.alerts == ["MNQ contracts 7: 70 % of the limit of 10 is reached, 3 left"]


def test_nothing_is_warned_of_without_the_field() -> None:
    rules: Row = {rule.name: {} for rule in RULES if rule.name != "daily_realized_loss"}
    day = position(5, **rules).mark("MNQ", "20985")
    assert warned(day) == []


# ---- money -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["per_position", "total"])
@pytest.mark.parametrize(
    ("mark", "shares"),
    [
        ("20979.25", []),  # -207.50
        ("20979", ["700000"]),  # -210
        ("20973.25", ["700000"]),  # -267.50
        ("20973", ["700000", "900000"]),  # -270
        ("20970.25", ["700000", "900000"]),  # -297.50
        ("20970", []),  # -300: the breach itself.
    ],
)
def test_an_open_loss_below_at_and_above_a_share(scope: str, mark: str, shares: list[str]) -> None:
    day = position(5, daily_unrealized_loss={"scope": scope, "warn_at": WARN_AT}).mark("MNQ", mark)
    assert warned(day) == shares


def test_an_open_loss_is_warned_of_once_in_the_life_of_a_position() -> None:
    day = position(5, daily_unrealized_loss={"warn_at": WARN_AT})
    for mark in ("20979", "20990", "20978", "21000", "20973", "20971"):
        day.mark("MNQ", mark)
    assert warned(day) == ["700000", "900000"]
    day.fill("MNQ", -5, "20990", profit="-50").push("MNQ", 0).fill("MNQ", 5, "21000").push("MNQ", 5)
    assert warned(day.mark("MNQ", "20979")) == ["700000", "900000", "700000"]


def test_a_loss_that_recovers_from_its_breach_is_not_warned_of() -> None:
    day = position(5, daily_unrealized_loss={"warn_at": WARN_AT}).mark("MNQ", "20960").mark("MNQ", "20975")
    assert (len(day.breaches), warned(day)) == (1, [])


def test_a_stale_mark_warns_of_nothing() -> None:
    day = position(5, daily_unrealized_loss={"warn_at": (100_000,)}).mark("MNQ", "20999.50")
    day.at("10:00:20").fill("ES", 1, "6000")
    assert warned(day) == []


@pytest.mark.parametrize(
    ("mark", "shares"), [("21069.75", []), ("21070", ["700000"]), ("21090", ["700000", "900000"]), ("21100", [])]
)
def test_an_open_profit_near_its_target_is_news_and_no_warning(mark: str, shares: list[str]) -> None:
    rules = {"max_unrealized_profit": {"profit_target": usd("1000"), "warn_at": WARN_AT}}
    day = position(5, **rules).mark("MNQ", mark)
    assert warned(day) == shares
    assert {one.command.level for one in day.commands if is_warning(one.target)} <= {"info"}


@pytest.mark.parametrize(("mark", "shares"), [("21013.25", []), ("21013", ["700000"]), ("21010", [])])
def test_a_profit_that_is_being_given_back_is_warned_of(mark: str, shares: list[str]) -> None:
    """Armed at its peak of 200, closed at 100: 0.7 of the way down is at 130, which is 13 points of 5 contracts."""
    rules = {"max_unrealized_profit": {"mode": "give_back", "arm_profit": usd("200"), "warn_at": WARN_AT}}
    day = position(5, **rules).mark("MNQ", "21020")
    assert warned(day.mark("MNQ", mark)) == shares


@pytest.mark.parametrize(("profit", "shares"), [("699.99", []), ("700", ["700000"]), ("900", WARN_AT), ("1000", [])])
def test_a_day_profit_below_at_and_above_a_share(profit: str, shares: Any) -> None:
    day = Ledger(daily_realized_profit={"warn_at": WARN_AT}).closed(profit)
    assert warned(day) == [str(share) for share in shares]


def test_a_day_that_gives_back_is_warned_of_apart_from_its_target() -> None:
    rules = {"give_back": {"arm": usd("500"), "fraction": 500_000}, "warn_at": (500_000,)}
    day = Ledger(daily_realized_profit=rules).closed("600").closed("-149.99")
    assert warned(day) == ["500000"]  # 0.6 of the target.
    day.closed("-0.01")
    assert warned(day) == ["500000", "500000"]


def test_a_day_loss_warns_as_it_always_did_and_can_be_silenced() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": usd("500")}).closed("-450")
    assert day.alerts == [
        "day P&L -450.00 has reached 70 % of the loss limit",
        "day P&L -450.00 has reached 90 % of the loss limit",
    ]
    assert Ledger(daily_realized_loss={"loss_limit": usd("500"), "warn_at": None}).closed("-450").alerts == []


# ---- trades, losses, time ----------------------------------------------------------------------------


def test_trades_near_the_limit_of_a_window() -> None:
    rules = {"per_minute": None, "per_hour": 4, "per_session": None, "warn_at": (750_000,)}
    day = Ledger(trade_frequency_limit=rules)
    for minute in (0, 10, 20):
        day.at(f"10:{minute:02d}:00").fill("MNQ", 1, "21000")
    assert times(day) == ["10:20:00"]
    day.at("11:05:00").fill("MNQ", 1, "21000")  # 10:10, 10:20 and this one: still three.
    assert times(day) == ["10:20:00"]
    day.at("11:30:00").fill("MNQ", 1, "21000").at("11:40:00").fill("MNQ", 1, "21000")  # Two, then three.
    assert times(day) == ["10:20:00", "11:40:00"]


@pytest.mark.parametrize(("profit", "shares"), [("-69.99", []), ("-70", ["700000"]), ("-100", [])])
def test_an_order_that_is_still_filling_near_the_lowest_tier(profit: str, shares: list[str]) -> None:
    day = position(3, cooldown_after_loss={"warn_at": WARN_AT})
    day.order(9, "MNQ", -3, type=2).fill("MNQ", -1, "20990", profit=profit, order=9)
    assert warned(day) == shares


def test_a_run_of_losses_near_its_length() -> None:
    wanted = {"count": 4, "cooldown_seconds": 60}
    day = Ledger(cooldown_after_loss={"consecutive_losses": wanted, "warn_at": WARN_AT})
    day.closed("-1").closed("-1")
    assert warned(day) == []
    assert warned(day.closed("-1")) == ["700000"]
    assert warned(day.closed("1").closed("-1").closed("-1")) == ["700000"]
    assert warned(day.closed("-1")) == ["700000", "700000"]


def test_the_grace_without_a_stop_is_warned_of_on_time() -> None:
    day = position(1, no_stop_loss_grace={"grace_period_seconds": 30, "warn_at": (500_000, 900_000)})
    day.tick("10:00:40")
    assert times(day) == ["10:00:15", "10:00:27"]
    assert day.breach_times == ["10:00:30"]


def test_the_grace_that_is_used_up_in_parts_is_warned_of_when_its_share_is_reached() -> None:
    day = position(1, no_stop_loss_grace={"grace_period_seconds": 30, "warn_at": (500_000,)})
    day.at("10:00:10").order(7, "MNQ", -1, type=4, stop="20990")
    day.at("10:05:00").order(7, "MNQ", -1, type=4, status=3, stop="20990").tick("10:05:04.999")
    assert times(day) == []
    assert times(day.tick("10:05:10")) == ["10:05:05"]


# ---- over a restart, a reset and in shadow -----------------------------------------------------------


def test_a_restart_repeats_no_warning() -> None:
    desk = begun(max_contracts={"limit": 10, "warn_at": WARN_AT}).fill("MNQ", 7, "21000").push("MNQ", 7)
    assert warned(desk) == ["700000"]
    desk.start("10:00:00").connect().snapshot()  # type: ignore[attr-defined]
    assert warned(desk) == ["700000"]


def test_a_day_total_is_warned_of_again_on_the_next_day() -> None:
    day = Ledger(daily_realized_profit={"warn_at": (700_000,)}).closed("700")
    day.at("2026-11-20 17:00:00").closed("700")
    assert warned(day) == ["700000", "700000"]


def test_a_rule_in_shadow_warns_nobody() -> None:
    assert warned(position(9, max_contracts={"limit": 10, "warn_at": WARN_AT, "shadow": True})) == []


# ---- the field ---------------------------------------------------------------------------------------


def test_every_rule_with_an_amount_or_a_count_takes_warn_at() -> None:
    takes = {rule.id: default_of(one) for rule in RULES for one in parameters_of(rule) if one.name == "warn_at"}
    assert takes.pop("RULE-003") == takes.pop("RULE-014") == WARN_AT  # Where RULES.md names it.
    assert list(takes) == [f"RULE-{number:03d}" for number in (1, 2, 4, 5, 6, 7, 8, 13)]
    assert set(takes.values()) == {None}


@pytest.mark.parametrize("written", ['"off"', "[0.7, 0.9]", "[0.5]", "[]"])
@pytest.mark.parametrize("name", ["max_contracts", "daily_realized_loss", "no_stop_loss_grace"])
def test_it_is_a_list_of_fractions_or_off(name: str, written: str) -> None:
    [table] = read_settings(f"[rules.{name}]\nwarn_at = {written}").plain["rules"][name]
    expected = {'"off"': None, "[0.7, 0.9]": list(WARN_AT), "[0.5]": [500_000], "[]": []}[written]
    assert (table["warn_at"] if table["warn_at"] is None else list(table["warn_at"])) == expected


@pytest.mark.parametrize("written", ["[0.9, 0.7]", "[1.1]", "[-0.1]", "0.7"])
def test_what_is_no_ascending_list_of_fractions_is_refused(written: str) -> None:
    with pytest.raises(Exception, match="warn_at"):
        read_settings(f"[rules.max_contracts]\nwarn_at = {written}")


def test_the_text_names_what_it_is_about() -> None:
    text = approach_text(Reading("open loss", LOSS, 210_000_000, 300_000_000, contract="CON.F.US.MNQ.Z26"), 700_000)
    assert text == "CON.F.US.MNQ.Z26: open loss -210.00: 70 % of the limit of 300 is reached, 90.00 left"
    assert approach_text(Reading("losses in a row", COUNT, 3, 4), 700_000).startswith("losses in a row 3: 70 % of")


# ---- quotes that are skipped -------------------------------------------------------------------------

QUIET: list[Row] = [
    {"daily_unrealized_loss": {"warn_at": WARN_AT}},
    {"daily_unrealized_loss": {"warn_at": WARN_AT, "scope": "total"}},
    {"max_unrealized_profit": {"profit_target": usd("300"), "warn_at": WARN_AT}},
    {"max_unrealized_profit": {"profit_target": usd("300"), "warn_at": WARN_AT, "scope": "total"}},
    {"max_unrealized_profit": {"mode": "breakeven", "arm_profit": usd("100"), "warn_at": (300_000, 900_000)}},
    {"max_unrealized_profit": {"mode": "give_back", "arm_profit": usd("100"), "warn_at": (300_000, 900_000)}},
    {"daily_realized_loss": {"basis": "combined", "warn_at": (333_333, 900_000)}},
    {"daily_realized_profit": {"basis": "combined", "profit_target": usd("400"), "warn_at": WARN_AT}},
    {
        "daily_realized_profit": {
            "profit_target": usd("900"),
            "give_back": {"arm": usd("100"), "fraction": 700_000},
            "warn_at": (300_000, 900_000),
        }
    },
]


@pytest.mark.parametrize("rules", QUIET, ids=[str(number) for number in range(len(QUIET))])
@settings(max_examples=25, deadline=None)
@given(steps=moves("MNQ", "ES"))
def test_no_quote_at_which_a_rule_would_warn_is_skipped(rules: Row, steps: list[tuple[str, str, int]]) -> None:
    day = Ledger(**rules).fill("MNQ", 3, "21000").fill("ES", -1, "6000")
    walk(day.mark("MNQ", "21000").mark("ES", "6000"), steps)
