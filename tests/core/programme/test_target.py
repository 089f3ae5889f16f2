"""PROG-TARGET and PROG-CONSISTENCY (PROGRAMME.md 3.6 and 5)."""

from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.programme.target import allowed_best_day_usd, effective_target_usd, passed_on, passes
from riskcore.core.programme.terms import Terms
from tests.core.ledger import Ledger, usd
from tests.core.programme.terms import combine, under

SHARE_55, SHARE_50 = 550_000, 500_000


def combine_of(size: str = "50K", target: str = "3000", consistency: int | None = SHARE_55, **changed: Any) -> Terms:
    return combine(size, target_usd=usd(target), consistency=consistency, **changed)


def days_of(*nets: str, terms: Terms | None = None, start: str = "50000") -> Ledger:
    """A week of days that close with these results, and the morning after them."""
    day = under(terms or combine_of(), start="2026-11-16 08:00:00").account(balance=start)
    for number, net in enumerate(nets):
        day.at(f"2026-11-{16 + number} 10:00").closed(net)
    return day.at(f"2026-11-{16 + len(nets)} 08:00").tick()


def passed(day: Ledger) -> list[str]:
    return [one.trade_date for one in day.bodies(e.TargetReached)]


def test_programme_target_example_two_days_pass_at_the_second_reset() -> None:
    day = days_of("1600", "1400")
    assert passed(day) == ["2026-11-17"]
    assert passed_on(day.account_state) == "2026-11-17"


def test_programme_target_example_half_a_dollar_short_does_not_pass() -> None:
    assert passed(days_of("1600", "1399.50")) == []


def test_a_pass_is_for_good_and_comes_once() -> None:
    day = days_of("1600", "1400", "-500", "600")
    assert passed(day) == ["2026-11-17"]
    assert passed_on(day.account_state) == "2026-11-17"


def test_programme_consistency_example_exactly_the_share_passes() -> None:
    assert passed(days_of("1650", "1350")) == ["2026-11-17"]
    assert passed(days_of("1650.50", "1349.50")) == []
    exclusive = combine_of(readings={"consistency_boundary": "exclusive"})
    assert passed(days_of("1650", "1350", terms=exclusive)) == []


@pytest.mark.parametrize(
    ("size", "target", "best", "share", "shown"),
    [
        ("50K", "3000", "1800", SHARE_55, "3272.73"),
        ("50K", "3000", "2200", SHARE_55, "4000"),
        ("50K", "3000", "2200", SHARE_50, "4400"),
        ("100K", "6000", "4000", SHARE_55, "7272.73"),
        ("50K", "3000", "1650.50", SHARE_55, "3000.91"),
        ("50K", "3000", "1650", SHARE_55, "3000"),
    ],
)
def test_programme_consistency_example_effective_target(
    size: str, target: str, best: str, share: int, shown: str
) -> None:
    start = {"50K": "50000", "100K": "100000"}[size]
    day = days_of(best, terms=combine_of(size, target, share), start=start)
    assert effective_target_usd(combine_of(size, target, share), day.account_state) == usd(shown)


@pytest.mark.parametrize(
    ("size", "target", "share", "allowed"),
    [
        ("50K", "3000", SHARE_55, "1650"),
        ("50K", "3000", SHARE_50, "1500"),
        ("100K", "6000", SHARE_55, "3300"),
        ("100K", "6000", SHARE_50, "3000"),
        ("150K", "9000", SHARE_55, "4950"),
        ("150K", "9000", SHARE_50, "4500"),
    ],
)
def test_the_best_day_that_is_allowed(size: str, target: str, share: int, allowed: str) -> None:
    assert allowed_best_day_usd(combine_of(size, target, share)) == usd(allowed)


def test_losses_do_not_reset_the_best_day_and_today_counts_once_closed() -> None:
    terms = combine_of()
    day = days_of("2200", "-700", terms=terms)
    assert effective_target_usd(terms, day.account_state) == usd("4000")
    day.closed("2500")
    assert effective_target_usd(terms, day.account_state) == usd("4000")


def test_nothing_limits_a_day_without_a_share() -> None:
    terms = combine_of(consistency=None)
    assert passes(terms, usd("3000"), usd("3000"))
    assert allowed_best_day_usd(terms) is None


def test_one_notice_when_the_target_is_first_reached_in_the_day() -> None:
    day = days_of("1600").at("2026-11-17 10:00").closed("1399.99")
    assert not [text for text in day.alerts if "target is reached" in text]
    day.closed("0.01").closed("5")
    assert len([text for text in day.alerts if "target is reached" in text]) == 1


def test_notices_at_80_and_95_percent_and_beyond_the_allowed_day() -> None:
    day = under(combine_of(), start="2026-11-16 08:00:00").account(balance="50000")
    seen = []
    for amount in ("1319.99", "0.01", "247.49", "0.01", "82.50", "0.01", "100"):
        day.closed(amount)
        seen.append(len(day.alerts))
    assert seen == [0, 1, 1, 2, 2, 3, 3]


def test_a_floor_that_was_reached_never_passes() -> None:
    day = under(combine_of(consistency=None), start="2026-11-16 08:00:00").account(balance="50000")
    day.closed("-2000").at("2026-11-17 10:00").closed("9000").at("2026-11-18 10:00").tick()
    assert passed(day) == []


def test_by_the_reading_in_session_a_pass_comes_when_it_is_realised_and_stays() -> None:
    """R3: the day reaches 3,000 and ends at 2,900."""
    for readings, dates in (({}, []), ({"pass_at": "in_session"}, ["2026-11-17"])):
        day = days_of("1500", terms=combine_of(readings=readings))
        day.at("2026-11-17 10:00").closed("1500").at("2026-11-17 11:00").closed("-100")
        assert passed(day.at("2026-11-18 08:00").tick()) == dates
