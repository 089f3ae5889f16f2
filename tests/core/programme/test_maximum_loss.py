"""PROG-MLL, to the boundary (PROGRAMME.md 5)."""

from datetime import datetime

import pytest
from hypothesis import given, settings

from riskcore.core import events as e
from riskcore.core.programme.maximum_loss import admit, gauges
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import money_text
from riskcore.core.rules.base import Proposal
from riskcore.core.state import Order
from riskcore.core.view import Effect, View
from riskcore.core.watch import NEVER, watch
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, usd
from tests.core.programme.terms import combine, kinds_of, pro, static_50k, under, xfa
from tests.core.rules.quiet_walk import is_quiet, moves, walk
from tests.core.test_rebuild import assert_refolds

ENTRIES = ["SetLockout", "CancelOrders"]
FLATTEN = ["CancelOrders", "CloseAllPositions"]


def long_es(terms: Terms | None = None, balance: str = "50000", entry: str = "6300", **options: object) -> Ledger:
    """A day with 1 ES held and its balance known."""
    terms = terms or combine(floor_override_usd=usd("48000"))
    day = under(terms, **options).account(balance=balance).at("09:00:00").fill("ES", 1, entry)
    return day.at("09:00:01").mark("ES", entry)


def bid(day: Ledger, value: str, ask: str = "6400") -> Ledger:
    return day.quote("ES", last=ask, bid=value, ask=ask)


def levels(day: Ledger) -> list[str]:
    return [one.figures["level"] for one in day.breaches if one.rule == "PROGRAMME-MLL"]


def lockouts(day: Ledger) -> list[tuple[str, str]]:
    return [(one.key, one.kind) for one in day.account_state.lockouts.values() if one.rule == "PROGRAMME-MLL"]


def test_prog_mll_example_2_the_levels_of_a_day() -> None:
    day = long_es()
    assert bid(day, "6264.25").breaches == []
    bid(day, "6264")
    assert day.breaches[0].figures == {
        "level": "buffer",
        "equity": "48200.00",
        "floor": "48000.00",
        "room": "200.00",
        "buffer": "200.00",
    }
    assert (kinds_of(day, "PROGRAMME-MLL"), lockouts(day)) == (ENTRIES, [("day", "until_reset")])
    bid(day, "6262.25")
    assert levels(day) == ["buffer"]
    bid(day, "6262")
    assert levels(day) == ["buffer", "half"]
    assert kinds_of(day, "PROGRAMME-MLL") == [*ENTRIES, "CancelOrders", "CloseAllPositions"]
    bid(day, "6260.25")
    assert levels(day) == ["buffer", "half"]
    bid(day, "6260")
    assert levels(day) == ["buffer", "half", "floor"]
    assert lockouts(day) == [("day", "until_reset"), ("floor", "terminal")]
    assert kinds_of(day, "PROGRAMME-MLL").count("CloseAllPositions") == 1, "the flatten of the half is still unmet"
    assert "even if the exit fills above the floor" in day.alerts[-1]
    assert all(one.flags == () for one in day.breaches)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("6264.01", []),
        ("6264", ["buffer"]),
        ("6263.99", ["buffer"]),
        ("6262.01", ["buffer"]),
        ("6262", ["half"]),
        ("6261.99", ["half"]),
        ("6260.01", ["half"]),
        ("6260", ["floor"]),
        ("6259.99", ["floor"]),
    ],
)
def test_one_mark_gives_one_breach_at_the_deepest_level(price: str, expected: list[str]) -> None:
    day = bid(long_es(), price)
    assert levels(day) == expected
    bid(day, "6263")
    assert levels(day) == (expected or ["buffer"]), "the milder levels count as reached"


@pytest.mark.parametrize(
    ("price", "keys"), [("6264", ["day"]), ("6262", ["day"]), ("6260", ["floor"]), ("6250", ["floor"])]
)
def test_a_gap_sets_the_lockout_of_its_level_alone(price: str, keys: list[str]) -> None:
    assert [key for key, _ in lockouts(bid(long_es(), price))] == keys


def test_the_firms_price_is_where_a_position_could_be_closed_whatever_the_profile_marks_by() -> None:
    day = long_es(profile={"mark": "last"})
    day.quote("ES", last="6200", bid="6290", ask="6290.25")
    assert levels(day) == []
    day.quote("ES", last="6300", bid="6264", ask="6290.25")
    assert levels(day) == ["buffer"]
    short = under(combine(floor_override_usd=usd("48000"))).account(balance="50000").fill("ES", -1, "6300")
    short.quote("ES", last="6200", bid="6300", ask="6336")
    assert levels(short) == ["buffer"]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("6298.75", []),
        ("6298.51", []),
        ("6298.5", ["buffer"]),
        ("6298.49", ["buffer"]),
        ("6297.76", ["buffer"]),
        ("6297.75", ["half"]),
        ("6297.01", ["half"]),
        ("6297", ["floor"]),
    ],
)
def test_prog_mll_example_4_an_xfa_after_a_payout(price: str, expected: list[str]) -> None:
    """B 150, F 0: b = 75. Long 1 ES: −62.50 nothing, −75 entries, −112.50 flatten, −150 terminal. Flat: never."""
    terms = xfa(first_payout_taken=True, floor_override_usd=0)
    assert levels(bid(long_es(terms, "150"), price)) == expected


def test_a_flat_account_is_never_judged() -> None:
    day = under(xfa(first_payout_taken=True)).account(balance="20").at("10:00:00").mark("ES", "6300").tick("11:00:00")
    day.account(balance="1").order(7, "ES", 1, limit="6300")
    assert day.breaches == []


def test_the_fill_that_makes_flat_is_judged() -> None:
    day = long_es()
    day.fill("ES", -1, "6263", profit="-1850")
    assert levels(day) == ["buffer"]
    assert day.breaches[0].figures["room"] == "150.00"


def test_the_fees_of_an_entry_count_whatever_the_pnl_basis_is() -> None:
    terms = xfa(first_payout_taken=True)
    for fees, expected in (("74.99", []), ("75", ["buffer"]), ("75.01", ["buffer"])):
        day = under(terms, profile={"pnl_basis": "gross"}).account(balance="150").at("08:00:01")
        assert levels(day.fill("ES", 1, "6300", fees=fees)) == expected


@pytest.mark.parametrize(("size", "loss"), [("50K", "1800"), ("100K", "2800"), ("150K", "4300")])
@pytest.mark.parametrize(("less", "expected"), [("0.01", []), ("0", ["buffer"]), ("-0.01", ["buffer"])])
def test_the_buffer_of_every_size(size: str, loss: str, less: str, expected: list[str]) -> None:
    start = {"50K": "50000", "100K": "100000", "150K": "150000"}[size]
    day = under(combine(size)).account(balance=start).at("09:00:00").fill("MNQ", 1, "21000")
    day.fill("MNQ", -1, "21000", profit=money_text(usd(less) - usd(loss)))
    assert levels(day) == expected


def test_only_a_derived_floor_flags_the_breach() -> None:
    assert bid(long_es(combine()), "6264").breaches[0].flags == ("derived",)
    assert bid(long_es(combine(floor_override_usd=usd("48000"))), "6264").breaches[0].flags == ()


def test_a_live_engine_does_not_enforce_a_derived_floor_and_names_the_key_to_set() -> None:
    day = under(combine())
    day.take(e.EngineStarted("0", True), "start", "operator").account(balance="50000")
    day.take(e.PositionsListed(ACCOUNT, ())).take(e.TradesListed(ACCOUNT, 0))
    day.at("09:00:00").fill("ES", 1, "6300").at("09:00:01").mark("ES", "6300")
    bid(day, "6260")
    assert levels(day) == []
    assert [text for text in day.alerts if "floor_override" in text] == [day.alerts[0]]
    assert is_quiet(day, "ES", "6200")


def test_after_a_start_the_open_position_is_judged_once_when_all_is_listed() -> None:
    day = long_es().at("10:00:00")
    day.take(e.EngineStarted("0", False), "start", "operator")
    day.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, day.contract("ES"), 1),)))
    day.account(balance="50000").take(e.TradesListed(ACCOUNT, 0))
    assert levels(day) == []
    low = bid(long_es().at("09:30:00"), "6265").at("10:00:00")
    low.take(e.PayoutRecorded(ACCOUNT, usd("50")), "payout:1", "operator")
    assert levels(low) == [], "nothing is judged between two marks"
    low.take(e.EngineStarted("0", False), "start", "operator")
    low.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, low.contract("ES"), 1),)))
    assert levels(low) == [], "fills may be missing"
    low.take(e.TradesListed(ACCOUNT, 0)).take(e.TradesListed(ACCOUNT, 0))
    assert levels(low) == ["buffer"]
    assert_refolds(low)


def test_levels_rearm_at_the_reset_and_the_terminal_lockout_stays() -> None:
    day = bid(long_es(), "6260").at("10:00:00")
    day.fill("ES", -1, "6260", profit="-2000")
    day.at("2026-11-23 09:00:00").tick()
    assert lockouts(day) == [("floor", "terminal")]
    day.fill("ES", 1, "6300").mark("ES", "6303")
    assert levels(day)[-1] == "floor", "once until a reset by the operator"
    day.mark("ES", "6301.25")
    assert "ClosePosition" in day.kinds, "the guard answers exposure under the terminal lockout"


def test_the_day_is_locked_anew_on_the_next_day() -> None:
    day = bid(long_es(), "6264").at("10:00:00").mark("ES", "6300").at("2026-11-23 09:00:00").mark("ES", "6300")
    assert lockouts(day) == []
    bid(day, "6264")
    assert levels(day) == ["buffer", "buffer"]
    assert lockouts(day) == [("day", "until_reset")]


def test_only_a_reset_by_the_operator_ends_the_terminal_lockout() -> None:
    day = bid(long_es(profile={"operator_unlock": "with_reason"}), "6260").at("10:00:00")
    day.fill("ES", -1, "6260", profit="-2000")
    day.take(e.OperatorOverride(ACCOUNT, "account/PROGRAMME-MLL/floor", "please"), "op:1", "operator")
    assert lockouts(day) == [("floor", "terminal")]
    day.at("10:05:00").take(e.ProgrammeReset(ACCOUNT, "bought a reset"), "reset:1", "operator")
    assert lockouts(day) == []
    assert [one.ended_by for one in day.bodies(e.LockoutEnded)] == ["operator"]
    bid(day.at("10:06:00").fill("ES", 1, "6300").at("10:06:01"), "6260")
    assert levels(day) == ["floor", "floor"]
    assert_refolds(day)


def test_a_reset_ends_the_days_lockout_of_the_rule_too_and_no_other() -> None:
    loss = {"loss_limit": usd("100"), "basis": "combined", "warn_at": ()}
    day = long_es(daily_realized_loss=loss).mark("ES", "6264")
    day.take(e.ProgrammeReset(ACCOUNT, "bought a reset"), "reset:1", "operator")
    assert [lockout.rule for lockout in day.account_state.lockouts.values()] == ["RULE-003"]


def test_a_payout_moves_floor_and_buffer_at_once_and_the_next_mark_is_judged_by_them() -> None:
    day = long_es(xfa(), "5000")
    day.take(e.PayoutRecorded(ACCOUNT, usd("4900")), "payout:1", "operator")
    assert levels(bid(day, "6299.25")) == []
    bid(day, "6299")
    assert day.breaches[0].figures["buffer"] == "50.00"


def test_a_late_fill_is_recorded_as_late_and_locks_nothing_today() -> None:
    day = under(combine(), "2026-11-19 09:00:00").account(balance="50000").closed("10").at("2026-11-20 09:00:00")
    made = datetime(2026, 11, 19, 10, tzinfo=CHICAGO)
    day.closed("1").fill("MNQ", -1, "21000", profit="-2001", created=made)
    assert [(one.figures["level"], one.flags) for one in day.breaches] == [("floor", ("derived", "late"))]
    assert kinds_of(day, "PROGRAMME-MLL") == []
    day.fill("MNQ", 1, "21000")
    assert [one.flags for one in day.breaches] == [("derived", "late"), ("derived",)]
    assert lockouts(day) == [("floor", "terminal")]


# ---- marks that cannot be trusted --------------------------------------------------------------------


def test_a_stale_mark_is_recorded_and_acts_when_the_fresh_part_is_there() -> None:
    day = long_es().at("09:00:02").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    bid(day, "6265").at("09:00:20").mark("MNQ", "20925")
    assert [(one.target, one.flags) for one in day.breaches] == [("day.stale.half", ("stale_mark",))]
    assert kinds_of(day, "PROGRAMME-MLL") == []
    bid(day, "6264")
    assert levels(day) == ["half"]
    assert kinds_of(day, "PROGRAMME-MLL") == ["SetLockout", *FLATTEN]


def test_without_a_mark_the_rest_decides() -> None:
    day = (
        under(combine(floor_override_usd=usd("48000")))
        .account(balance="50000")
        .fill("ES", 1, "6300")
        .mark("ES", "6300")
    )
    day.push("MNQ", 1)
    bid(day, "6264")
    assert (levels(day), day.breaches[0].flags) == (["buffer"], ("incomplete_marks",))


def test_an_unknown_balance_or_floor_is_said_once() -> None:
    day = under(combine()).at("09:00:00").fill("ES", 1, "6300").mark("ES", "6300").mark("ES", "6200")
    assert levels(day) == []
    assert [text for text in day.alerts if "has not reported a balance" in text] == [day.alerts[0]]
    other = under(pro()).account(balance="9000").fill("ES", 1, "6300").mark("ES", "6300").mark("ES", "6200")
    assert "floor_override" in other.alerts[0]


def test_without_accounts_the_rule_is_blind() -> None:
    day = long_es(lacks=("accounts",))
    assert bid(day, "6200").breaches == []
    [instance] = [one for one in day.rulebook.instances(day.account_state) if one.rule.id == "PROGRAMME-MLL"]
    assert instance.lacking(("accounts",)) == ("accounts",)


# ---- quiet marks -------------------------------------------------------------------------------------


def test_quotes_are_quiet_up_to_the_next_level() -> None:
    day = long_es()
    assert is_quiet(day, "ES", "6265")
    assert not is_quiet(day, "ES", "6264")
    bid(day, "6264")
    assert is_quiet(day, "ES", "6400")
    assert not is_quiet(day, "ES", "6262")
    bid(day, "6260")
    assert is_quiet(day, "ES", "6000"), "every level is reached"


def test_a_last_price_is_quiet_where_bid_and_ask_decide() -> None:
    day = long_es()
    low_last, high_last = watch(day.book, day.rulebook).bounds[day.contract("ES")][:2]
    assert low_last < 0 < high_last
    assert watch(day.book, day.rulebook).bounds[day.contract("ES")] != NEVER


@settings(max_examples=40, deadline=None)
@given(moves("ES", "MNQ"))
def test_quiet_quotes_change_nothing(steps: list[tuple[str, str, int]]) -> None:
    day = long_es(static_50k(floor_override_usd=usd("48000")))
    day.fill("MNQ", -2, "21000").mark("MNQ", "21000")
    walk(day, steps)


# ---- what is refused, and what the screens show ------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "reason"), [("74.99", None), ("75", "level buffer"), ("112.5", "level half"), ("150", "level floor")]
)
def test_an_order_is_declined_where_its_fill_would_breach_at_once(paid: str, reason: str | None) -> None:
    """A payout entered while the account is flat is judged by nothing until something is open again."""
    day = under(xfa(first_payout_taken=True)).account(balance="150")
    assert objection(day) is None
    day.at("09:00:00").fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="0", trade=77)
    assert objection(day) is None
    day.fill("MNQ", -1, "21000", profit=f"-{paid}", trade=77)
    assert levels(day) == [], "a correction is no fill"
    text = objection(day)
    assert text is None if reason is None else reason in (text or "")


def objection(day: Ledger) -> str | None:
    event = e.Event(day.book.now, "clock", "now", e.ClockTicked())
    view = View(day.book, day.account_state, event, Effect(), "net", "last", "programme_mll.0")
    order = Order(1, day.contract("ES"), 6, 2, 1, 1, 0, None, None, None, None, None, None, 0)
    return admit(xfa(first_payout_taken=True), view, Proposal(order))


def test_the_gauge_shows_how_much_of_the_room_is_used() -> None:
    terms = combine()
    day = bid(long_es(terms), "6270")
    view = View(day.book, day.account_state, day.events[-1], Effect(), "net", "last", "programme_mll.0")
    assert [(one.used, one.room, one.limit) for one in gauges(terms, view)] == [
        (usd("1500"), usd("2000"), usd("48000"))
    ]
