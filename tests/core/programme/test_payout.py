"""PROG-PAYOUT (PROGRAMME.md 3.7 and 5)."""

from typing import Any

from riskcore.core import events as e
from riskcore.core.programme.balances import balance_usd
from riskcore.core.programme.payout import Payout, payout_of
from riskcore.core.programme.terms import Terms
from tests.core.ledger import ACCOUNT, Ledger, usd
from tests.core.programme.terms import under, xfa


def standard(**changed: Any) -> Terms:
    return xfa(payout_cap_usd=usd("2000"), first_payout_taken=True, **changed)


def consistency(**changed: Any) -> Terms:
    return xfa(payout_path="consistency", payout_cap_usd=usd("3000"), payout_days=3, first_payout_taken=True, **changed)


def days_of(*nets: str, terms: Terms, start: str = "0") -> Ledger:
    """Days from Monday on that close with these results, and the moment after the last one locks."""
    day = under(terms, start="2026-11-09 08:00:00").account(balance=start)
    dates = ["09", "10", "11", "12", "13", "16", "17", "18"]
    for number, net in enumerate(nets):
        day.at(f"2026-11-{dates[number]} 10:00").closed(net)
    return day.at("16:00:00").tick()


def payout(day: Ledger, terms: Terms) -> Payout:
    found = payout_of(terms, day.book, day.account_state)
    assert found is not None
    return found


def test_programme_payout_example_five_days_of_exactly_150() -> None:
    terms = standard()
    day = days_of(*["150"] * 5, terms=terms)
    assert (payout(day, terms).eligible, payout(day, terms).max_usd) == (True, usd("375"))
    terms_short = standard()
    short = days_of(*["150"] * 4, "149.50", terms=terms_short)
    assert payout(short, terms_short).blockers == ("winning_days",)


def test_a_day_counts_once_it_is_sixteen_hours() -> None:
    terms = standard()
    day = under(terms, start="2026-11-09 08:00:00").account(balance="0")
    for number in range(9, 14):
        day.at(f"2026-11-{number:02} 10:00").closed("150")
    assert payout(day.tick("15:59:59"), terms).blockers == ("winning_days",)
    assert payout(day.tick("16:00:00"), terms).eligible


def test_programme_payout_example_consistency_at_40_percent() -> None:
    terms = consistency()
    assert payout(days_of("400", "300", "300", terms=terms), terms).eligible
    assert payout(days_of("450", "300", "250", terms=terms), terms).blockers == ("consistency",)
    assert payout(days_of("500", "500", terms=terms), terms).blockers == ("traded_days", "consistency")


def test_programme_payout_example_half_of_the_balance_up_to_the_cap() -> None:
    terms = standard()
    assert payout(days_of("200", terms=terms, start="5800"), terms).max_usd == usd("2000")
    assert payout(days_of("200", terms=standard(), start="3799.98"), terms).max_usd == usd("1999.99")


def test_below_the_minimum() -> None:
    terms = standard()
    assert "below_minimum" in payout(days_of("249.98", terms=terms), terms).blockers
    assert "below_minimum" not in payout(days_of("250", terms=terms), terms).blockers


def test_after_a_payout_the_window_begins_anew_and_profit_is_needed() -> None:
    terms = standard()
    day = days_of(*["200"] * 5, terms=terms)
    day.take(e.PayoutRecorded(ACCOUNT, usd("500")), "payout", "operator")
    found = payout(day, terms)
    assert found.blockers == ("winning_days", "not_profitable")
    assert (found.window.from_date, found.window.known) == ("2026-11-16", True)


def test_one_notice_a_window() -> None:
    terms = standard()
    day = days_of(*["150"] * 6, terms=terms)
    assert [text for text in day.alerts if "payout" in text] == ["a payout of up to 375.00 may be asked for"]


def test_a_payout_above_what_the_firm_pays_warns_and_counts() -> None:
    """Half of 750 is 375.00; the balance left after it is what the account goes on with."""
    for amount, warned in (("374.99", 0), ("375.00", 0), ("375.01", 1)):
        day = days_of(*["150"] * 5, terms=standard())
        day.take(e.PayoutRecorded(ACCOUNT, usd(amount)), "payout", "operator")
        assert sum("375.00 that the firm pays at most" in text for text in day.alerts) == warned
        assert balance_usd(day.book, day.account_state) == usd("750") - usd(amount)
    day.take(e.PayoutRecorded(ACCOUNT, usd("375.01")), "payout again", "operator")
    assert "375.01 is entered, more than the 187.49 " in day.alerts[-1]


def test_a_payout_entered_before_a_balance_is_known_is_compared_with_nothing() -> None:
    day = under(standard()).take(e.PayoutRecorded(ACCOUNT, usd("9999")), "payout", "operator")
    assert not any("at most" in text for text in day.alerts)
