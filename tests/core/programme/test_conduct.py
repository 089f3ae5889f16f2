"""PROG-CONDUCT: counters that only advise (PROGRAMME.md 5)."""

from typing import Any

from riskcore.core import events as e
from riskcore.core.programme.conduct import conduct_of
from riskcore.core.programme.terms import Terms
from tests.core.ledger import ACCOUNT, Ledger, usd
from tests.core.programme.terms import combine, under

TERMS = combine(size_cap_units=50)


def conduct(day: Ledger, terms: Terms = TERMS) -> dict[str, Any]:
    return conduct_of(terms, day.book, day.account_state)


def told(day: Ledger, words: str) -> int:
    return sum(words in text for text in day.alerts)


def trip(day: Ledger, profit: str, size: int = 1) -> Ledger:
    return day.fill("ES", size, "6000").fill("ES", -size, "6000", profit=profit)


def test_more_than_half_of_ten_round_trips_at_the_largest_size() -> None:
    day = under(TERMS).account(balance="50000")
    for number in range(10):
        trip(day, "10", 5 if number < 5 else 1)
    assert conduct(day)["max_size_share"] == "0.5"
    assert told(day, "the largest size") == 0
    trip(day, "10", 5)
    assert told(day, "reached the largest size") == 1
    assert conduct(trip(day, "10", 5))["max_size_share"] == "0.583333"


def test_losers_larger_than_winners_from_five_of_each() -> None:
    day = under(TERMS).account(balance="50000")
    for _ in range(5):
        trip(trip(day, "100"), "-100")
    assert conduct(day)["losers_larger"] == 0
    trip(day, "-101")
    assert conduct(day)["losers_larger"] == 1
    assert told(day, "mean losing round trip") == 1


def test_a_push_ahead_of_the_closing_fill_costs_no_result() -> None:
    """The position is shown flat, or turned, before the fill that says what the round trip came to."""
    day = under(TERMS).account(balance="50000")
    for profit in ("100", "-101") * 5:
        day.fill("ES", 1, "6000").push("ES", 1, "6000").push("ES", 0)
        assert told(day, "mean losing") == 0
        day.fill("ES", -1, "6000", profit=profit)
    assert (conduct(day)["losers_larger"], told(day, "mean losing")) == (1, 1)
    day = under(TERMS).account(balance="50000").fill("ES", 1, "6000").push("ES", 1, "6000")
    for number in range(10):
        side, profit = (1, "100") if number % 2 else (-1, "-101")
        day.at(f"09:{number:02}:00").push("ES", side, "6000").fill("ES", side, "6000", profit=profit)
        day.fill("ES", side, "6000")
    assert (conduct(day)["losers_larger"], told(day, "mean losing")) == (1, 1)


def test_a_push_behind_the_closing_fill_is_no_round_trip_of_its_own() -> None:
    day = under(TERMS).account(balance="50000")
    for _ in range(9):
        day.fill("ES", 5, "6000").push("ES", 5, "6000").fill("ES", -5, "6000", profit="1").push("ES", 0)
    assert told(day, "the largest size") == 0
    day.fill("ES", 5, "6000").push("ES", 5, "6000").fill("ES", -5, "6000", profit="1")
    assert told(day.push("ES", 0), "the largest size") == 1


def test_round_trips_without_a_stop() -> None:
    day = under(TERMS).account(balance="50000")
    for number in range(10):
        day.fill("ES", 1, "6000")
        if number < 5:
            day.order(100 + number, "ES", -1, type=4, stop="5990")
            day.order(100 + number, "ES", -1, type=4, stop="5990", status=3)
        day.fill("ES", -1, "6000", profit="1")
    assert conduct(day)["no_stop_share"] == "0.5"
    assert told(day, "never had a stop") == 0
    assert told(trip(day, "1"), "never had a stop") == 1


def test_the_mean_round_trip_loses_no_part_of_a_second() -> None:
    """Ninety-nine trips of 59.9 seconds and one that makes the mean 59.99, then 60, seconds."""
    for last, seconds, alerts in (("01:08.900", 59, 1), ("01:09.900", 60, 0)):
        day = under(TERMS).account(balance="50000")
        for number in range(99):
            hour, minute = 8 + number // 30, 2 * (number % 30)
            day.at(f"{hour:02}:{minute:02}:00").fill("MES", 1, "6000")
            day.at(f"{hour:02}:{minute:02}:59.900").fill("MES", -1, "6000", profit="1")
        day.at("13:00:00").fill("MES", 1, "6000").at(f"13:{last}").fill("MES", -1, "6000", profit="1")
        assert conduct(day)["seconds_trading"] == seconds
        assert told(day, "less than a minute on average") == alerts


def test_what_the_source_cannot_see_is_blind() -> None:
    day = under(TERMS, lacks=("orders",)).account(balance="50000")
    assert conduct(day)["no_stop_share"] is None


def test_the_window_has_twenty_days_with_a_round_trip() -> None:
    day = under(TERMS, start="2026-10-01 08:00:00").account(balance="50000")
    dates = [f"2026-10-{number:02}" for number in (1, 2, *range(5, 10), *range(12, 17), *range(19, 24), *range(26, 31))]
    for date in dates[:21]:
        trip(day.at(f"{date} 10:00"), "10", 5 if date == dates[0] else 1)
    assert conduct(day)["max_size_share"] == "0.047619"
    assert conduct(trip(day.at(f"{dates[21]} 10:00"), "10"))["max_size_share"] == "0"


def test_more_than_two_hundred_contracts_in_a_day() -> None:
    day = under(combine()).account(balance="50000")
    trip(day, "0", 100)
    assert (conduct(day)["contracts_per_day"], told(day, "200 contracts")) == (200, 0)
    assert told(day.fill("ES", 1, "6000"), "200 contracts") == 1


def test_more_than_thirty_orders_within_a_minute() -> None:
    day = under(TERMS).account(balance="50000").at("10:00:00")
    for number in range(30):
        day.order(1 + number, "ES", 1, limit="5000")
    assert (conduct(day)["orders_per_minute"], told(day, "30 orders")) == (30, 0)
    day.at("10:01:00").order(40, "ES", 1, limit="5000")
    assert told(day, "30 orders") == 0
    day.order(41, "ES", 1, limit="5000", status=3)
    for number in range(31):
        day.order(50 + number, "ES", 1, limit="5000")
    assert told(day, "30 orders") == 1


def test_orders_are_counted_once_in_whatever_order_their_ids_come() -> None:
    day = under(TERMS).account(balance="50000").at("10:00:00")
    for number in range(31):
        day.order(100 - number, "ES", 1, limit="5000").order(100 - number, "ES", 1, limit="5001")
        assert told(day, "30 orders") == number // 30
    assert conduct(day)["orders_per_minute"] == 31


def test_orders_of_the_day_before_are_not_placed_again_when_they_change() -> None:
    day = under(TERMS).account(balance="50000").at("10:00:00")
    for number in range(31):
        day.order(100 - number, "ES", 1, limit="5000")
        day.at(f"10:{number + 1:02}:00")
    day.at("2026-11-23 08:00:00")
    for number in range(31):
        day.order(100 - number, "ES", 1, limit="5000", status=3)
    assert (conduct(day)["orders_per_minute"], told(day, "30 orders")) == (0, 0)


def test_resets_of_thirty_days_are_shown() -> None:
    day = under(TERMS, start="2026-10-01 08:00:00").account(balance="50000")
    day.take(e.ProgrammeReset(ACCOUNT, "bought a reset"), "reset", "operator")
    assert conduct(day)["resets"] == 1
    assert conduct(day.at("2026-10-30 10:00").tick())["resets"] == 1
    assert conduct(day.at("2026-11-02 10:00").tick())["resets"] == 0


def test_the_largest_size_held_into_the_release() -> None:
    terms = combine(size_cap_units=50, news_days=("2026-10-14",), enforce=())
    day = under(terms, start="2026-10-14 07:00:00").account(balance="50000").fill("ES", 5, "6000").tick("07:30:00")
    assert conduct(day, terms)["size_into_news"] == 50
    assert told(day, "held into the release") == 1


def test_an_account_first_heard_of_after_the_release_held_nothing_into_it() -> None:
    terms = combine(size_cap_units=50, news_days=("2026-10-14",), enforce=())
    day = under(terms, start="2026-10-14 09:00:00").fill("ES", 5, "6000").account(balance="50000")
    assert (conduct(day, terms)["size_into_news"], told(day, "held into the release")) == (0, 0)


def test_nothing_is_ever_a_breach_or_a_lockout() -> None:
    day = under(combine(loss_limit_usd=usd("100000"))).account(balance="50000")
    trip(day, "0", 100).fill("ES", 1, "6000")
    assert not [one for one in day.commands if one.rule == "PROGRAMME-CONDUCT" and one.command.kind != "Alert"]


def orders_of(day: Ledger, cancelled: int, working: int) -> Ledger:
    for number in range(cancelled + working):
        day.order(1_000 + number, "ES", 1, limit="5000", status=3 if number < cancelled else 1)
    return day


def test_more_than_nine_of_ten_orders_of_fifty_cancelled() -> None:
    assert told(orders_of(under(TERMS).account(balance="50000"), 49, 0), "were cancelled") == 0
    day = orders_of(under(TERMS).account(balance="50000"), 45, 5)
    assert (conduct(day)["cancel_share"], told(day, "were cancelled")) == ("0.9", 0)
    day.order(1_045, "ES", 1, limit="5000", status=3)
    assert (conduct(day)["cancel_share"], told(day, "were cancelled")) == ("0.92", 1)


def test_orders_of_the_day_before_have_no_part_in_the_share_cancelled_today() -> None:
    """Neither those that still work, nor those cancelled now: the first thing of the day is one of them."""
    day = under(TERMS).account(balance="50000")
    for number in range(60):
        day.order(1 + number, "ES", 1, limit="5000")
    day.at("2026-11-22 16:59:59").tick()
    day.at("2026-11-22 18:00:00").order(1, "ES", 1, limit="5000", status=3)
    assert conduct(day)["cancel_share"] == "0"
    for number in range(1, 60):
        day.order(1 + number, "ES", 1, limit="5000", status=3)
    assert (conduct(day)["cancel_share"], told(day, "were cancelled")) == ("0", 0)
    orders_of(day, 40, 10)
    assert (conduct(day)["cancel_share"], told(day, "were cancelled")) == ("0.8", 0)
    assert conduct(day)["orders_per_minute"] == 31
