"""RULE-014 PeriodLoss, to the boundary of RULES.md 5."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.quantities import money
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rules import by_name
from riskcore.core.state import Book
from riskcore.core.view import Effect, View
from riskcore.schema.codec import book_from_bytes, state_bytes, state_hash
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, clock, nanoseconds, usd
from tests.core.test_restart import Restarted

FLATTEN_AND_LOCK = ["SetLockout", "CancelOrders", "CloseAllPositions"]
OTHER = 99000002


def weekly(start: str = "2026-11-16 08:00:00", **rule: Any) -> Ledger:
    return Ledger(start=start, period_loss={"warn_at": (), **rule})


def monthly(start: str, **rule: Any) -> Ledger:
    return weekly(start, period="monthly", **rule)


def totals(day: Ledger) -> list[str]:
    return [breach.figures["period_pnl"] for breach in day.breaches if breach.rule == "RULE-014"]


def flags(day: Ledger) -> list[tuple[str, ...]]:
    return [breach.flags for breach in day.breaches if breach.rule == "RULE-014"]


def ends(day: Ledger) -> list[str]:
    """When the lockouts end, in Chicago."""
    found = (lockout.expires_at for lockout in day.account_state.lockouts.values())
    return [f"{datetime.fromtimestamp(at // 10**9, CHICAGO):%Y-%m-%d %H:%M}" for at in found if at is not None]


def gauge_usd(day: Ledger, account: int = ACCOUNT) -> int:
    """The loss of the period as the screen shows it."""
    [instance] = [one for one in day.rulebook.instances(day.account_state) if one.rule.name == "period_loss"]
    view = View(day.book, day.book.accounts[account], day.events[-1], Effect(), "net", "last", instance.key)
    show = by_name("period_loss").gauges
    assert show is not None
    [reading] = show(instance.params, view)
    return reading.used


# ---- worked examples ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "expected"), [("-249.99", []), ("-250", ["-1000.00"]), ("-250.01", ["-1000.01"])])
def test_rule_014_example_1_touching_the_limit_of_the_week_is_a_breach(last: str, expected: list[str]) -> None:
    day = weekly().closed("-400").at("2026-11-17 10:00").closed("-350").at("2026-11-18 10:00").closed(last)
    assert totals(day) == expected
    assert day.kinds == (FLATTEN_AND_LOCK if expected else [])
    assert ends(day) == (["2026-11-20 17:00"] if expected else [])


def test_rule_014_example_1_thursday_is_locked_all_day() -> None:
    day = weekly().closed("-400").at("2026-11-17 10:00").closed("-350").at("2026-11-18 10:00").closed("-250")
    assert day.breaches[0].figures == {"period_pnl": "-1000.00", "loss_limit": "1000", "period": "weekly"}
    assert day.breaches[0].contract is None
    day.at("2026-11-18 17:00").fill("MNQ", 1, "21000").at("2026-11-19 16:59:59").fill("ES", 1, "6000")
    assert [breach.rule for breach in day.breaches] == ["RULE-014", "GUARD", "GUARD"]
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.scope, lockout.kind, lockout.key) == ("account", "until_period", "weekly")
    day.at("2026-11-20 16:59:59").tick()
    assert ends(day) == ["2026-11-20 17:00"]
    day.at("2026-11-20 17:00").fill("NQ", 1, "21000")
    assert day.account_state.lockouts == {}
    assert [breach.rule for breach in day.breaches].count("GUARD") == 2, "the new week is open"


def test_rule_014_example_2_two_weeks() -> None:
    day = weekly("2026-11-13 09:00:00").closed("-900").at("2026-11-16 09:00").closed("-200")
    assert day.breaches == []


@pytest.mark.parametrize(
    ("last", "when", "expected"),
    [
        ("-1000", "2026-09-29 10:00", ["-1000.00"]),
        ("-999.99", "2026-09-29 10:00", []),
        ("-1000", "2026-09-30 16:59:59", ["-1000.00"]),
    ],
)
def test_rule_014_example_2_the_month_ends_with_its_last_trade_date(last: str, when: str, expected: list[str]) -> None:
    day = monthly("2026-09-01 09:00:00").account().at(when).closed(last)
    assert totals(day) == expected
    assert ends(day) == ["2026-09-30 17:00"] * len(expected)


def test_rule_014_example_2_a_loss_at_18_00_belongs_to_october() -> None:
    day = monthly("2026-09-01 09:00:00").account().at("2026-09-29 10:00").closed("-999")
    day.at("2026-09-30 18:00").closed("-999")
    assert day.breaches == []
    day.closed("-1")
    assert totals(day) == ["-1000.00"]
    assert ends(day) == ["2026-10-30 17:00"]


def test_rule_014_example_3_breach_at_the_last_trade() -> None:
    day = weekly().closed("-600").at("2026-11-18 10:00").closed("100").closed("-499.99")
    assert day.breaches == []
    assert totals(day.closed("-0.01")) == ["-1000.00"]


# ---- which period a fill belongs to ------------------------------------------------------------------


def test_sunday_evening_opens_the_week_and_friday_evening_the_next_one() -> None:
    day = weekly("2026-11-15 17:00:00").closed("-600").at("2026-11-20 16:59:59").closed("-399.99")
    assert day.breaches == []
    assert totals(weekly("2026-11-15 17:00:00").closed("-600").at("2026-11-20 16:59:59").closed("-400")) == ["-1000.00"]
    assert day.at("2026-11-20 17:00").closed("-999.99").breaches == []
    assert totals(day.at("2026-11-27 16:59:59").closed("-0.01")) == ["-1000.00"]


def test_the_first_sunday_of_a_month_that_begins_at_a_weekend_is_in_it() -> None:
    day = monthly("2026-07-31 09:00:00").closed("-900").at("2026-08-02 17:00").closed("-999.99")
    assert day.breaches == []
    assert totals(day.closed("-0.01")) == ["-1000.00"]
    assert flags(day) == [()], "Monday the 3rd is the first trade date of August"
    assert ends(day) == ["2026-08-31 17:00"]


def test_the_month_whose_last_day_is_a_saturday_ends_on_friday() -> None:
    assert ends(monthly("2026-10-01 09:00:00").closed("-1000")) == ["2026-10-30 17:00"]
    assert ends(monthly("2026-12-01 09:00:00").closed("-1000")) == ["2026-12-31 17:00"]


@pytest.mark.parametrize(("start", "utc"), [("2026-10-30 09:00:00", "22:00"), ("2026-11-02 09:00:00", "23:00")])
def test_the_end_follows_daylight_saving(start: str, utc: str) -> None:
    day = weekly(start).closed("-1000")
    [lockout] = day.account_state.lockouts.values()
    friday = "2026-10-30" if utc == "22:00" else "2026-11-06"
    assert lockout.expires_at == nanoseconds(datetime.fromisoformat(f"{friday}T{utc}:00+00:00"))


def test_a_breach_on_friday_locks_for_the_rest_of_friday() -> None:
    day = weekly("2026-11-20 09:00:00").closed("-1000")
    assert ends(day) == ["2026-11-20 17:00"]
    assert day.at("2026-11-20 17:00").tick().account_state.lockouts == {}
    assert [event.body.ended_by for event in day.events if isinstance(event.body, e.LockoutEnded)] == ["expiry"]


# ---- once a period -----------------------------------------------------------------------------------


def test_one_breach_a_period_and_the_next_one_starts_at_nothing() -> None:
    day = weekly().closed("-1000").closed("-300").at("2026-11-18 10:00").closed("500").closed("-900")
    assert totals(day) == ["-1000.00"]
    day.at("2026-11-23 10:00").closed("-999.99")
    assert totals(day) == ["-1000.00"]
    assert totals(day.closed("-0.01")) == ["-1000.00", "-1000.00"]
    assert day.breaches[-1].id != day.breaches[0].id
    assert ends(day) == ["2026-11-27 17:00"]


def test_a_profit_of_last_week_never_carries_over() -> None:
    day = weekly().closed("5000").at("2026-11-23 10:00").closed("-1000")
    assert totals(day) == ["-1000.00"]


def test_open_losses_do_not_count() -> None:
    day = weekly().closed("-900").fill("ES", 2, "6000").mark("ES", "5900")
    assert day.breaches == []


@pytest.mark.parametrize(
    ("action", "kinds"),
    [
        ("flatten_and_lock", FLATTEN_AND_LOCK),
        ("flatten", ["CancelOrders", "CloseAllPositions"]),
        ("lock_only", ["SetLockout"]),
        ("alert", []),
    ],
)
def test_actions(action: str, kinds: list[str]) -> None:
    day = weekly(action=action).fill("ES", 1, "6000").closed("-1000")
    assert day.kinds == kinds
    assert (day.alerts == ["week P&L -1000.00 reached the loss limit of 1000"]) is (action == "alert")


@pytest.mark.parametrize(("basis", "expected"), [("net", ["-1000.00"]), ("gross", [])])
def test_fees_count_on_net(basis: str, expected: list[str]) -> None:
    day = weekly(pnl_basis=basis).closed("-990", fees="5").at("2026-11-17 10:00").closed("-4", fees="1")
    assert totals(day) == expected
    by_profile = Ledger(start="2026-11-16 08:00:00", profile={"pnl_basis": basis}, period_loss={"warn_at": ()})
    assert totals(by_profile.closed("-990", fees="10")) == expected


def test_warnings_once_each_and_again_in_the_next_week() -> None:
    day = Ledger(start="2026-11-16 08:00:00", period_loss={})
    day.closed("-699.99")
    assert day.alerts == []
    day.closed("-0.01").closed("-100").at("2026-11-18 10:00").closed("-100")
    said = [
        f"week P&L {pnl} has reached {share} of the loss limit"
        for pnl, share in (("-700.00", "70 %"), ("-900.00", "90 %"))
    ]
    assert day.alerts == said
    assert day.at("2026-11-23 10:00").closed("-700").alerts == [*said, said[0]]


def test_several_tables_each_breach_and_end_by_themselves() -> None:
    tables = [
        {"loss_limit": usd("500"), "action": "lock_only", "warn_at": ()},
        {"loss_limit": usd("1000"), "warn_at": ()},
        {"loss_limit": usd("1000"), "period": "monthly", "warn_at": ()},
    ]
    day = Ledger(start="2026-11-02 08:00:00", period_loss=tables).closed("-500").closed("-500")
    assert totals(day) == ["-500.00", "-1000.00", "-1000.00"]
    assert sorted(ends(day)) == ["2026-11-06 17:00", "2026-11-30 17:00"]
    assert list(day.at("2026-11-06 17:00").tick().account_state.lockouts) == ["account/RULE-014/monthly"]


def test_accounts_have_their_own_total_and_their_own_limit() -> None:
    day = Ledger(
        start="2026-11-16 08:00:00",
        period_loss={"warn_at": ()},
        overrides={str(OTHER): {"period_loss": [{"loss_limit": usd("300"), "warn_at": ()}]}},
    )
    day.closed("-999.99").closed("-299.99", account=OTHER)
    assert day.breaches == []
    day.closed("-0.01", account=OTHER)
    assert [(breach.account, breach.figures["period_pnl"]) for breach in day.breaches] == [(OTHER, "-300.00")]


def test_shadow_records_and_does_nothing() -> None:
    day = weekly(shadow=True).fill("ES", 1, "6000").closed("-1000").at("2026-11-17 10:00").closed("-100")
    assert totals(day) == ["-1000.00"]
    assert day.breaches[0].shadow
    assert day.commands == []


def test_strict_mode_locks_until_the_reset_as_well() -> None:
    day = Ledger(start="2026-11-16 08:00:00", profile={"strict_mode": True}, period_loss={"action": "alert"})
    day.fill("ES", 1, "6000").closed("-1000")
    assert day.kinds == FLATTEN_AND_LOCK
    assert list(day.account_state.lockouts) == ["account/RULE-014/strict"]


def test_of_two_breaches_at_one_fill_the_day_is_named() -> None:
    day = Ledger(start="2026-11-16 08:00:00", period_loss={}, daily_realized_loss={"loss_limit": usd("1000")})
    day.fill("ES", 1, "6000").closed("-1000")
    assert [breach.rule for breach in day.breaches] == ["RULE-003", "RULE-014"]
    closes = [issued.rule for issued in day.commands if issued.command.kind == "CloseAllPositions"]
    assert closes == ["RULE-003"]


# ---- voids, corrections, fills of earlier days -------------------------------------------------------


def told(day: Ledger, profit: str, made: str, trade: int = 500) -> Ledger:
    """A closing fill that was made earlier, told now."""
    created = datetime.fromisoformat(made).replace(tzinfo=CHICAGO)
    return day.fill("MNQ", -1, "21000", profit=profit, created=created, trade=trade)


def test_a_late_fill_counts_in_its_period_and_triggers_nothing() -> None:
    day = weekly().closed("-600").at("2026-11-18 10:00").closed("-100").fill("ES", 1, "6000")
    told(day, "-300", "2026-11-17 10:00")
    assert flags(day) == [("late",)]
    assert totals(day) == ["-1000.00"]
    day.mark("ES", "5990").tick("10:05:00").order(9, "ES", -1, type=4, stop="5980")
    assert day.commands == []
    day.closed("-0.01")
    assert totals(day) == ["-1000.00", "-1000.01"]
    assert flags(day) == [("late",), ()]
    assert day.kinds == FLATTEN_AND_LOCK


def test_a_late_fill_triggers_nothing_on_the_day_after_either() -> None:
    day = told(weekly().closed("-600").at("2026-11-17 10:00"), "-401", "2026-11-16 11:00")
    day.at("2026-11-18 10:00").fill("ES", 1, "6000", fees="0")
    assert day.commands == []
    day.fill("ES", -1, "6000", profit="1")
    assert totals(day) == ["-1001.00", "-1000.00"], "still at the limit"
    assert day.kinds == FLATTEN_AND_LOCK


def test_a_late_fill_is_recorded_once_a_period_whatever_its_day() -> None:
    day = weekly().closed("-600").at("2026-11-19 10:00")
    told(day, "-400", "2026-11-17 10:00", 501)
    told(day, "-10", "2026-11-18 10:00", 502)
    assert totals(day) == ["-1000.00"]


def test_a_late_fill_of_last_week_is_about_last_week() -> None:
    day = weekly().closed("-600").at("2026-11-23 10:00").closed("-900")
    told(day, "-400", "2026-11-20 10:00")
    assert totals(day) == ["-1000.00"]
    assert flags(day) == [("late",)]
    assert day.closed("-99.99").commands == []
    assert totals(day.closed("-0.01")) == ["-1000.00", "-1000.00"]


def test_a_week_that_has_breached_is_not_recorded_again_by_a_late_fill() -> None:
    day = weekly().closed("-1000").at("2026-11-18 10:00")
    told(day, "-400", "2026-11-17 10:00", 501)
    day.at("2026-11-23 10:00").tick()
    told(day, "-400", "2026-11-19 10:00", 502)
    assert totals(day) == ["-1000.00"]


def test_a_void_takes_the_loss_back_out_and_the_lockout_stays() -> None:
    day = weekly().fill("MNQ", 1, "21000").fill("MNQ", -1, "20500", profit="-1000", trade=70)
    assert totals(day) == ["-1000.00"]
    day.void(70)
    assert gauge_usd(day) == 0
    assert ends(day) == ["2026-11-20 17:00"]


def test_a_void_of_an_earlier_day_makes_room() -> None:
    day = weekly().fill("MNQ", 1, "21000").fill("MNQ", -1, "20500", profit="-700", trade=70)
    day.at("2026-11-18 10:00").void(70).closed("-999.99")
    assert day.breaches == []
    assert totals(day.closed("-0.01")) == ["-1000.00"]


def test_commissions_told_later_count() -> None:
    day = weekly(loss_limit=usd("100")).fill("MNQ", 1, "21000")
    day.fill("MNQ", -1, "20950", profit="-98", trade=70)
    assert day.breaches == []
    day.fill("MNQ", -1, "20950", profit="-98", commissions="2", trade=70)
    assert totals(day) == ["-100.00"]


# ---- what is known of the period ---------------------------------------------------------------------


def test_a_recording_that_begins_inside_the_period_says_so() -> None:
    assert flags(weekly("2026-11-16 16:59:59").closed("-1000")) == [()]
    assert flags(weekly("2026-11-16 17:00:00").closed("-1000")) == [("partial_period",)]
    assert flags(monthly("2026-11-02 09:00:00").closed("-1000")) == [()]
    assert flags(monthly("2026-11-03 09:00:00").closed("-1000")) == [("partial_period",)]


def test_the_period_after_is_known_in_full() -> None:
    day = weekly("2026-11-18 09:00:00").closed("-10").at("2026-11-24 09:00").closed("-1000")
    assert flags(day) == [()]


def test_an_account_first_heard_of_later_is_not_partial_where_another_was_there() -> None:
    day = weekly().account(OTHER).at("2026-11-18 10:00").closed("-1000")
    assert flags(day) == [()]


def test_a_rule_that_is_switched_on_later_knows_the_days_before() -> None:
    day = Ledger(start="2026-11-16 08:00:00", max_contracts={"limit": 50}).closed("-600")
    day.at("2026-11-17 10:00").closed("-300")
    wanted = {**day.settings, "rules": {**day.settings["rules"], "period_loss": [{"warn_at": ()}]}}
    day.book.settings = wanted
    day.runner.turn._change_rules(day.events[-1])
    day.at("10:05:00").closed("-99.99")
    assert day.breaches == []
    assert totals(day.closed("-0.01")) == ["-1000.00"]
    assert flags(day) == [()]


def test_a_month_is_remembered_beyond_the_figures_that_are_kept() -> None:
    day = monthly("2026-10-01 09:00:00")
    for number in [*range(1, 3), *range(5, 10), *range(12, 17), *range(19, 24), *range(26, 30)]:
        day.at(f"2026-10-{number:02} 10:00").closed("-45")
    assert len(day.account_state.days) < 10
    day.at("2026-10-30 10:00").closed("-54.99")
    assert day.breaches == []
    assert totals(day.closed("-0.01")) == ["-1000.00"]
    assert flags(day) == [()]


def test_what_is_remembered_of_older_periods_goes() -> None:
    day = weekly("2026-10-05 09:00:00")
    for week in range(20):
        day.at(str(datetime(2026, 10, 5, 10) + timedelta(weeks=week))).closed("-1000")
    assert len([name for name in day.account_state.memory if name.startswith("period_loss.0.")]) <= 8


# ---- a live engine -----------------------------------------------------------------------------------


def started(**rule: Any) -> Restarted:
    desk = Restarted(start="2026-11-18 08:00:00", period_loss={"warn_at": (), **rule}).at("09:00:00").start()
    desk.connect().account()
    return desk


def listed(desk: Restarted, since: str) -> Restarted:
    from_at = nanoseconds(datetime.fromisoformat(since).replace(tzinfo=CHICAGO))
    desk.take(e.PositionsListed(ACCOUNT, ()), "positions")
    desk.take(e.OrdersListed(ACCOUNT, (1, 6, 7, 8), ()), "orders")
    desk.take(e.TradesListed(ACCOUNT, from_at, nanoseconds(desk.now)), "trades")
    return desk


@pytest.mark.parametrize(("since", "expected"), [("2026-11-13 17:00:00", ["-1000.00"]), ("2026-11-13 17:00:01", [])])
def test_live_judges_once_the_fills_since_the_period_began_are_listed(since: str, expected: list[str]) -> None:
    desk = started()
    told(desk, "-900", "2026-11-16 10:00")
    told(listed(desk, since).at("10:00:00"), "-100", "2026-11-18 10:00:00", 501)
    assert totals(desk) == expected
    assert flags(desk) == [()] * len(expected)


def test_what_was_lost_before_the_start_is_history_and_breaches_with_the_next_loss() -> None:
    desk = started()
    told(desk, "-1200", "2026-11-16 10:00")
    listed(desk, "2026-11-13 17:00:00").tick("09:30:00")
    assert desk.breaches == []
    told(desk.at("10:00:00"), "-1", "2026-11-18 10:00:00", 501)
    assert totals(desk) == ["-1201.00"]


def test_a_lockout_survives_a_restart_and_the_total_goes_on() -> None:
    desk = started()
    listed(desk, "2026-11-13 17:00:00").closed("-1000")
    desk.start("2026-11-19 09:00:00").connect()
    listed(desk, "2026-11-18 10:00:00").closed("-5")
    assert totals(desk) == ["-1000.00"]
    assert ends(desk) == ["2026-11-20 17:00"]
    assert gauge_usd(desk) == money("1005")


def test_where_the_fills_are_asked_from() -> None:
    for settings_, since in (({}, "2026-11-13"), ({"period": "monthly"}, "2026-10-30")):
        desk = started(**settings_)
        opens_at = nanoseconds(datetime.fromisoformat(f"{since} 17:00:00").replace(tzinfo=CHICAGO))
        assert desk.book.day is not None
        assert desk.rulebook.fills_since(desk.account_state, desk.book.day) == opens_at
    plain = Ledger(daily_realized_loss={}).account()
    assert plain.book.day is not None
    assert plain.rulebook.fills_since(plain.account_state, plain.book.day) == plain.book.day.opens_at


# ---- any course of fills -----------------------------------------------------------------------------


@dataclass
class Model:
    """What a trader would write down: one line a fill, nothing else."""

    lines: dict[int, tuple[date, int, int]] = field(default_factory=dict)

    def loss(self, today: date, period: str) -> int:
        def same(one: date) -> bool:
            if period == "monthly":
                return (one.year, one.month) == (today.year, today.month)
            return one.isocalendar()[:2] == today.isocalendar()[:2]

        return -sum(profit - costs for one, profit, costs in self.lines.values() if same(one))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fill", "fill", "late", "void", "costs", "next"]),
        st.integers(-400, 300),
        st.integers(0, 25),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=40,
)


def made_on(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHICAGO)


def play(steps: list[tuple[str, int, int, int]], period: str) -> tuple[Ledger, Model]:
    """Fills of today and of earlier days, their voids and their costs, over some weeks."""
    day = weekly("2026-10-01 11:00:00", period=period, loss_limit=usd("1000")).account()
    model, today, number = Model(), date(2026, 10, 1), 1000
    for kind, amount, back, some in steps:
        if kind == "next":
            today += timedelta(days=1 + some % 3)
            today += timedelta(days=max(0, 7 - today.weekday()) if today.weekday() > 4 else 0)
            day.at(f"{today} 11:00:00").tick()
            continue
        known = list(model.lines)
        if kind in ("fill", "late"):
            on = today if kind == "fill" else max(today - timedelta(days=back), date(2026, 10, 1))
            on -= timedelta(days=max(0, on.weekday() - 4))
            number += 1
            day.fill("MNQ", -1, "21000", profit=str(amount), fees="1", trade=number, created=made_on(on))
            model.lines[number] = (on, money(str(amount)), money("1"))
        elif known and kind == "void":
            trade = known[amount % len(known)]
            on, profit, costs = model.lines.pop(trade)
            row = e.TradeVoided(
                ACCOUNT, trade, day.contract("MNQ"), 0, -1, 1, nanoseconds(made_on(on)), profit, costs, None, None
            )
            day.take(row, f"trade:{trade}")
        elif known and kind == "costs":
            trade = known[amount % len(known)]
            on, profit, costs = model.lines[trade]
            if day.account_state.trade(trade) is not None:
                day.fill(
                    "MNQ", -1, "21000", profit=None, fees=None, commissions=str(some), trade=trade, created=made_on(on)
                )
                model.lines[trade] = (on, profit, money("1") + money(str(some)))
    return day, model


@pytest.mark.parametrize("period", ["weekly", "monthly"])
@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_the_total_is_the_sum_of_the_fills_of_the_period(period: str, steps: list[tuple[str, int, int, int]]) -> None:
    day, model = play(steps, period)
    today = date.fromisoformat(day.book.trade_date)
    assert gauge_usd(day.tick()) == model.loss(today, period)


@given(steps=STEPS, period=st.sampled_from(["weekly", "monthly"]))
@settings(max_examples=30, deadline=None)
def test_what_is_stored_folds_to_the_same_state_and_survives_writing(
    steps: list[tuple[str, int, int, int]], period: str
) -> None:
    day, _ = play(steps, period)
    folded, rebuilt = Book(), Book()
    for event in day.events:
        fold(folded, day.rulebook, event)
    rebuild(rebuilt, day.rulebook, day.events)
    assert state_hash(folded) == state_hash(rebuilt) == state_hash(day.book)
    assert state_hash(book_from_bytes(state_bytes(day.book))) == state_hash(day.book)


@given(steps=STEPS, period=st.sampled_from(["weekly", "monthly"]))
@settings(max_examples=30, deadline=None)
def test_no_period_breaches_twice(steps: list[tuple[str, int, int, int]], period: str) -> None:
    day, _ = play(steps, period)
    acted = [
        (event.at, event.body)
        for event in day.events
        if isinstance(event.body, e.RuleBreached) and "late" not in event.body.flags and event.body.rule == "RULE-014"
    ]
    dates = [datetime.fromtimestamp(at // 10**9, CHICAGO).date() for at, _ in acted]
    names = [one.strftime("%Y-%m") if period == "monthly" else one.strftime("%G-%V") for one in dates]
    assert len(names) == len(dict.fromkeys(names))
    assert all(clock(at) == "11:00:00" for at, _ in acted)
