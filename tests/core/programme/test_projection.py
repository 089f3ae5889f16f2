"""Balances, floor, closed days and the payout window, to the boundary (PROGRAMME.md 4 and 6)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.programme import balances as b
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import money_text
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, usd
from tests.core.programme.terms import combine, pro, static_50k, under, xfa
from tests.core.test_rebuild import assert_refolds

MONDAY = "2026-11-16 08:00:00"
DAYS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-23")


def opening(day: Ledger) -> str | None:
    return _text(b.opening_usd(day.account_state))


def floor(day: Ledger, terms: Terms) -> str | None:
    return _text(b.floor_usd(terms, day.account_state))


def _text(value: int | None) -> str | None:
    return None if value is None else money_text(value)


def drifts(day: Ledger) -> list[tuple[str, str]]:
    return [(money_text(one.computed_usd), money_text(one.broker_usd)) for one in day.bodies(e.BalanceDrifted)]


def closes(terms: Terms, *balances: str) -> list[str | None]:
    """The floor of the day after each of some days that close at these balances, in 1.00 lots of profit."""
    day = under(terms, MONDAY)
    known = terms.start_usd or 0
    day.account(balance=money_text(known))
    floors = []
    for number, text in enumerate(balances):
        day.at(f"{DAYS[number]} 10:00:00").closed(money_text(usd(text) - known))
        known = usd(text)
        day.at(f"{DAYS[number]} 17:00:00").tick()
        assert opening(day) == money_text(known)
        floors.append(floor(day, terms))
    return floors


# ---- the floor ---------------------------------------------------------------------------------------


def test_prog_mll_example_1_the_floor_trails_the_closing_balance_up_to_the_start() -> None:
    assert closes(combine(), "50500", "50000", "52500", "51000") == ["48500.00", "48500.00", "50000.00", "50000.00"]
    assert closes(combine("150K"), "154499", "154500", "154501") == ["149999.00", "150000.00", "150000.00"]
    assert closes(static_50k(), "51500") == ["48000.00"]


def test_prog_mll_example_3_an_xfa_and_its_first_payout() -> None:
    assert closes(xfa(), "700", "400", "1999", "2000", "2001") == ["-1300.00", "-1300.00", "-1.00", "0", "0"]
    day = under(xfa()).account(balance="5000")
    day.at("10:00:00").take(e.PayoutRecorded(ACCOUNT, usd("2000")), "payout:1", "operator")
    assert (opening(day), floor(day, xfa())) == ("3000.00", "0")


@pytest.mark.parametrize(
    ("override", "expected", "source"),
    [
        ("-2000", "-1300.00", "derived"),
        ("-1300.01", "-1300.00", "derived"),
        ("-1300", "-1300.00", "override"),
        ("-1299.99", "-1299.99", "override"),
        ("-1000", "-1000.00", "override"),
        (None, "-1300.00", "derived"),
    ],
)
def test_prog_mll_example_5_the_floor_at_the_start(override: str | None, expected: str, source: str) -> None:
    terms = xfa(floor_override_usd=None if override is None else usd(override))
    day = under(terms).account(balance="700")
    assert floor(day, terms) == expected
    assert b.floor_source(day.account_state) == source


def test_an_xfa_that_was_paid_before_our_records_has_its_floor_at_zero() -> None:
    terms = xfa(first_payout_taken=True)
    assert floor(under(terms).account(balance="150"), terms) == "0"
    other = combine(first_payout_taken=True)
    assert floor(under(other).account(balance="50000"), other) == "48000.00"


def test_a_pro_account_has_only_the_floor_that_is_given() -> None:
    assert floor(under(pro()).account(balance="9000"), pro()) is None
    terms = pro(floor_override_usd=usd("4000"))
    day = under(terms).account(balance="9000").closed("3000").at("17:00:00").tick()
    assert floor(day, terms) == "4000.00"
    assert b.buffer_usd(terms, day.account_state) == usd("200")


def test_an_override_given_later_raises_the_floor_at_once_and_never_lowers_it() -> None:
    day = under(combine()).account(balance="50000")
    assert floor(day, combine(floor_override_usd=usd("49000"))) == "49000.00"
    assert floor(day, combine(floor_override_usd=usd("47000"))) == "48000.00"


def test_the_journal_of_days_before_the_programme_is_history() -> None:
    day = Ledger(start=MONDAY).account(balance="50000").closed("1500").account(balance="51500")
    day.at("2026-11-17 09:00:00").closed("-400").account(balance="51100")
    programme = under(combine()).settings["programme"]
    day.settings = {**day.settings, "programme": programme}
    day.at("2026-11-18 09:00:00").fill("MNQ", 1, "21000")
    assert (opening(day), floor(day, combine())) == ("51100.00", "49500.00")
    assert b.floor_source(day.account_state) == "history"
    assert b.best_day_usd(day.account_state) == usd("1500")


# ---- opening and closing balances --------------------------------------------------------------------


def test_the_first_opening_balance_is_counted_back_from_the_first_balance() -> None:
    day = under(combine()).at("10:00:00").closed("300").at("10:00:10").account(balance="50300")
    assert (opening(day), floor(day, combine())) == ("50000.00", "48000.00")
    day.at("11:00:00").closed("-100")
    assert opening(day) == "50000.00"


def test_fills_listed_behind_the_balance_that_has_them_are_counted_back_too() -> None:
    day = under(combine()).at("10:00:00").account(balance="50300")
    assert (opening(day), floor(day, combine())) == ("50300.00", "48300.00")
    made = datetime(2026, 11, 20, 9, 30, tzinfo=CHICAGO)
    day.fill("MNQ", -1, "21000", profit="300", created=made)
    assert (opening(day), floor(day, combine())) == ("50000.00", "48000.00")
    day.at("10:00:01").fill("MNQ", -1, "21000", profit="50")
    assert opening(day) == "50000.00"


@pytest.mark.parametrize(("after", "expected"), [("10:00:01.999", "50040.00"), ("10:00:02", "50000.00")])
def test_a_balance_is_settled_two_seconds_after_the_last_fill(after: str, expected: str) -> None:
    """Until one is, the first day's B follows the latest that was reported."""
    day = under(combine()).at("10:00:00").closed("100").at("10:00:00.009").account(balance="50100")
    assert opening(day) == "50000.00"
    day.at(after).account(balance="50140")
    assert opening(day) == expected
    day.at("10:00:05").account(balance="50150")
    assert opening(day) == expected


def test_a_settled_balance_of_the_broker_opens_the_next_day() -> None:
    day = under(combine()).account(balance="50000").at("10:00:00").closed("100")
    day.at("10:00:05").account(balance="50100").at("2026-11-23 08:00:00").tick()
    assert (opening(day), drifts(day), day.alerts) == ("50100.00", [], [])


@pytest.mark.parametrize(
    ("balance", "alerts"),
    [("50100.99", 0), ("50101", 1), ("50101.01", 1), ("50099.01", 0), ("50099", 1), ("50098.99", 1)],
)
def test_a_settled_balance_that_differs_is_drift_and_alerts_from_one_dollar_on(balance: str, alerts: int) -> None:
    day = under(combine()).account(balance="50000").at("10:00:00").closed("100").at("10:00:05").account(balance=balance)
    broker = money_text(usd(balance))
    assert (opening(day), drifts(day)) == ("50000.00", [("50100.00", broker)])
    assert len(day.alerts) == alerts
    day.at("10:00:06").account(balance=balance).at("10:00:07").closed("5")
    day.at("2026-11-23 08:00:00").tick()
    assert len(drifts(day)) == 1, "a difference is reported once"
    assert opening(day) == money_text(usd("50105")), "a balance from before the last fill is not settled"


def test_a_balance_right_behind_its_fill_is_compared_when_it_settles() -> None:
    day = under(combine()).account(balance="50000").at("10:00:00").closed("100").at("10:00:00.009")
    day.account(balance="49400").at("10:00:01.999").tick()
    assert drifts(day) == []
    day.at("10:00:02").tick()
    assert drifts(day) == [("50100.00", "49400.00")]
    assert "a payout not entered?" in day.alerts[0]
    day.at("17:00:00").tick()
    assert (opening(day), len(drifts(day))) == ("49400.00", 1)


@pytest.mark.parametrize(("filled", "expected"), [("16:59:58", "50098.00"), ("16:59:58.001", "50100.00")])
def test_a_fill_in_the_last_two_seconds_leaves_our_own_figure(filled: str, expected: str) -> None:
    day = under(combine()).account(balance="50000").at(filled).closed("100").at("16:59:59").account(balance="50098")
    day.at("17:00:00").tick()
    assert opening(day) == expected
    assert drifts(day) == ([("50100.00", "50098.00")] if expected == "50098.00" else [])


def test_an_open_position_counts_only_what_it_has_realised() -> None:
    day = under(combine()).account(balance="50000").at("10:00:00").fill("ES", 1, "6300", fees="1.89")
    day.mark("ES", "6310").at("17:00:00").tick()
    assert opening(day) == "49998.11"


# ---- corrections -------------------------------------------------------------------------------------


def test_a_late_fill_moves_the_opening_balance_and_raises_the_floor_at_once() -> None:
    day = under(combine(), MONDAY).account(balance="50000").at("10:00:00").closed("1000").at("2026-11-17 09:00:00")
    day.closed("50")
    assert (opening(day), floor(day, combine())) == ("51000.00", "49000.00")
    made = datetime(2026, 11, 16, 15, 0, tzinfo=CHICAGO)
    day.fill("MNQ", -1, "21000", profit="200", trade=900, created=made)
    assert (opening(day), floor(day, combine())) == ("51200.00", "49200.00")
    assert b.best_day_usd(day.account_state) == usd("1200")
    day.void(900)
    assert (opening(day), floor(day, combine())) == ("51000.00", "49200.00"), "a correction never lowers the floor"
    assert b.best_day_usd(day.account_state) == usd("1000")


def test_a_late_fill_raises_the_floor_by_the_best_balance_since_its_day() -> None:
    day = under(combine(), MONDAY).account(balance="50000").at("10:00:00").closed("1900")
    day.at("2026-11-17 09:00:00").closed("-1000").at("2026-11-18 09:00:00").closed("10")
    assert (opening(day), floor(day, combine())) == ("50900.00", "49900.00")
    made = datetime(2026, 11, 16, 15, 0, tzinfo=CHICAGO)
    day.fill("MNQ", -1, "21000", profit="200", created=made)
    assert (opening(day), floor(day, combine())) == ("51100.00", "50000.00")


def test_a_fill_of_a_day_before_our_records_is_in_the_first_balance() -> None:
    day = under(combine()).account(balance="50000")
    made = datetime(2026, 11, 18, 15, 0, tzinfo=CHICAGO)
    day.fill("MNQ", -1, "21000", profit="200", created=made)
    assert opening(day) == "50000.00"


def test_a_void_of_an_earlier_day_takes_its_amount_out() -> None:
    day = under(combine(), MONDAY).account(balance="50000").at("10:00:00")
    day.fill("MNQ", 1, "21000", trade=901).fill("MNQ", -1, "21000", profit="300", fees="2", trade=902)
    day.at("2026-11-17 09:00:00").closed("10").void(902)
    assert opening(day) == "50000.00"
    day.void(901).at("17:00:00").tick()
    assert (opening(day), b.best_day_usd(day.account_state)) == ("50010.00", usd("10"))


# ---- what only the operator knows --------------------------------------------------------------------


def test_a_payout_lowers_the_opening_balance_at_once_and_the_old_balance_is_no_drift() -> None:
    day = under(xfa()).account(balance="2100").at("10:00:00").closed("50").at("10:00:05").account(balance="2150")
    day.at("10:01:00").take(e.PayoutRecorded(ACCOUNT, usd("700")), "payout:1", "operator")
    assert (opening(day), floor(day, xfa()), drifts(day)) == ("1400.00", "0", [])
    assert b.payout_balance_usd(day.account_state) == usd("1450")
    day.at("10:02:00").account(balance="1450").at("17:00:00").tick()
    assert (opening(day), floor(day, xfa()), drifts(day)) == ("1450.00", "0", [])


def test_a_reset_by_the_operator_starts_everything_anew() -> None:
    day = under(combine(), MONDAY).account(balance="50000").at("10:00:00").closed("1500")
    day.at("2026-11-17 09:00:00").closed("-2500").take(e.ProgrammeReset(ACCOUNT, "paid"), "reset:1", "operator")
    assert b.balance_usd(day.book, day.account_state) == usd("50000")
    assert (floor(day, combine()), b.best_day_usd(day.account_state)) == ("48000.00", None)
    day.closed("100").at("17:00:00").tick()
    assert (opening(day), floor(day, combine())) == ("50100.00", "48100.00")
    assert b.best_day_usd(day.account_state) == usd("100")


def test_a_reset_takes_the_balance_and_the_floor_that_it_names() -> None:
    day = under(combine(floor_override_usd=usd("49500"))).account(balance="50000").at("10:00:00").closed("-100")
    named = e.ProgrammeReset(ACCOUNT, "paid", usd("50200"), usd("48300"))
    day.take(named, "reset:1", "operator")
    assert b.balance_usd(day.book, day.account_state) == usd("50200")
    day.closed("1")
    assert floor(day, combine(floor_override_usd=usd("49500"))) == "48300.00", "an override from before is over"


# ---- the payout window -------------------------------------------------------------------------------


def window(day: Ledger) -> tuple[str, bool, list[str]]:
    found = b.payout_window(day.book, day.account_state)
    assert found is not None
    return found.from_date, found.known, [money_text(net) for net in found.nets_usd]


@pytest.mark.parametrize(("now", "counted"), [("15:59:59.999", 0), ("16:00:00", 1), ("16:00:01", 1), ("17:00:00", 1)])
def test_a_day_counts_in_the_payout_window_from_sixteen_o_clock(now: str, counted: int) -> None:
    day = under(xfa()).account(balance="700").at("10:00:00").closed("150").at(now).tick()
    found = b.payout_window(day.book, day.account_state)
    assert found is not None
    assert (found.traded_days, found.winning_days(usd("150")), found.known) == (counted, counted, False)


def test_prog_payout_example_a_request_after_the_reset_is_of_the_next_day() -> None:
    """Request Mon 17:59 → Tuesday's; the new window begins Wednesday."""
    day = under(xfa(), MONDAY).account(balance="5000").closed("160").at("17:59:00")
    day.take(e.PayoutRecorded(ACCOUNT, usd("2000")), "payout:1", "operator")
    assert window(day) == ("2026-11-18", True, [])
    day.at("2026-11-17 10:00:00").closed("170").at("2026-11-18 10:00:00").closed("180").at("16:00:00").tick()
    assert window(day) == ("2026-11-18", True, ["180.00"])


def test_a_payout_entered_later_counts_the_days_since_its_request() -> None:
    day = under(xfa(), MONDAY).account(balance="5000").closed("160").at("2026-11-17 10:00:00").closed("170")
    day.at("2026-11-18 10:00:00").take(e.PayoutRecorded(ACCOUNT, usd("1"), "2026-11-16"), "payout:1", "operator")
    assert window(day) == ("2026-11-17", True, ["170.00"])


def test_the_window_after_a_friday_begins_on_monday_or_on_the_next_day_with_a_session() -> None:
    for closed, expected in (((), "2026-11-23"), (("2026-11-23",), "2026-11-24")):
        day = under(xfa(closed_days=closed)).account(balance="5000")
        day.take(e.PayoutRecorded(ACCOUNT, usd("1")), "payout:1", "operator")
        assert window(day)[0] == expected


# ---- live = rebuild ----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("close", "late", "void", "balance", "off balance", "payout", "reset", "tick", "correct")),
        st.sampled_from((0, 1, 1999, 2000, 2001, 3_600_000, 12 * 3_600_000)),  # Milliseconds later.
        st.integers(-30, 30),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from(("combine", "xfa")))
def test_days_in_live_order_and_rebuilt_are_the_same(steps: list[tuple[str, int, int]], stage: str) -> None:
    terms = combine() if stage == "combine" else xfa()
    day = under(terms, MONDAY).account()
    known: list[int] = []
    for kind, milliseconds, hundreds in steps:
        day.now += timedelta(milliseconds=milliseconds)
        _step(day, kind, hundreds, known)
    assert_refolds(day)
    account = day.account_state
    opening, floor = b.opening_usd(account), b.floor_usd(terms, account)
    if opening is not None and floor is not None and not any(kind == "reset" for kind, *_ in steps):
        implied = b.implied_floor_usd(terms, opening)
        assert implied is not None
        assert floor >= implied or any(kind == "payout" for kind, *_ in steps)


def _step(day: Ledger, kind: str, hundreds: int, known: list[int]) -> None:
    amount = money_text(usd("100") * hundreds)
    if kind in ("close", "late"):
        known.append(1000 + len(known))
        made = day.now - timedelta(hours=20) if kind == "late" else day.now
        day.fill("MNQ", -1, "21000", profit=amount, trade=known[-1], created=made)
    elif kind == "void" and known:
        day.void(known[hundreds % len(known)])
    elif kind == "correct" and known:
        day.fill("MNQ", -1, "21000", profit=amount, fees="1.5", trade=known[hundreds % len(known)])
    elif kind in ("balance", "off balance"):
        computed = b.balance_usd(day.book, day.account_state)
        day.account(balance=money_text((computed or usd("50000")) + (usd("12.5") if kind == "off balance" else 0)))
    elif kind == "payout":
        day.take(e.PayoutRecorded(ACCOUNT, usd("250")), f"payout:{len(day.events)}", "operator")
    elif kind == "reset":
        day.take(e.ProgrammeReset(ACCOUNT, "again"), f"reset:{len(day.events)}", "operator")
    else:
        day.tick()
