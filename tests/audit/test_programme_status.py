"""Where an account stands in the programme: room, target, what one more dollar costs, payout, time left."""

from typing import Any

import pytest

from riskcore.audit.programme_status import programme_status
from riskcore.cli.programme_text import status_text
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.rulebook import rulebook_of
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger
from tests.core.programme.terms import under


def shipped(text: str) -> Terms:
    return terms_of(read_settings(f"[programme]\n{text}").plain["programme"]["terms"])


def status(day: Ledger, seconds: int = 0) -> dict[str, Any]:
    book = day.book
    return programme_status(book, rulebook_of(book.settings), book.accounts.values(), book.now + seconds * 10**9)


def row(day: Ledger) -> dict[str, Any]:
    (one,) = status(day)["accounts"]
    return dict(one)


def text(day: Ledger) -> str:
    return status_text(status(day))


COMBINE = "created = 2026-09-15\nfloor_override = 48000\ndaily_loss_limit = 'standard'"


def combine_day(balance: str = "50000", terms: str = COMBINE) -> Ledger:
    return under(shipped(terms)).account(balance=balance).at("09:00:00")


def test_the_room_counts_open_positions_at_the_price_they_could_be_closed_at() -> None:
    day = combine_day().fill("ES", 1, "6300").quote("ES", last="6300", bid="6298", ask="6302")
    found = row(day)
    assert (found["equity"], found["room"], found["programme"]["balance"]) == ("49900.00", "1900.00", "50000.00")
    lines = text(day)
    assert (
        "floor      48,000.00 (override), room 1,900.00 of equity 49,900.00; entries stop at a room of 200.00" in lines
    )
    assert "daily loss limit 1,000.00" in lines


def test_without_the_day_of_purchase_the_share_of_one_day_is_said_to_be_assumed() -> None:
    for terms, notices in (("floor_override = 48000", ["created_unknown"]), (COMBINE, [])):
        day = combine_day(terms=terms)
        assert row(day)["notices"] == notices
        assert ("created is not set" in text(day)) == bool(notices)


@pytest.mark.parametrize(("profit", "ended"), [("-1999.99", False), ("-2000", True), ("-2000.01", True)])
def test_an_account_whose_floor_was_reached_has_ended(profit: str, ended: bool) -> None:
    day = combine_day().fill("ES", 1, "6300").at("09:30:00").fill("ES", -1, "6260", profit=profit)
    assert row(day)["floor_reached_at"] == ("2026-11-20T15:30:00Z" if ended else None)
    lines = text(day)
    assert ("  ended      the floor was reached 2026-11-20 15:30:00Z" in lines) == ended
    assert ("entries stop at a room of" in lines) != ended
    day.at("2026-11-23 09:00:00").tick()
    assert ("  ended  " in text(day)) == ended, "for good"


def test_one_more_dollar_costs_nothing_until_the_best_day_is_full() -> None:
    day = combine_day()
    assert row(day)["one_more_dollar"] == "0"
    assert "one day may make 1,650.00; one more dollar today costs nothing of the target" in text(day)
    # 1,649 leaves one dollar; 1,650 none: each further one needs 1 / 0.55 more of profit.
    day.fill("ES", 1, "6300").fill("ES", -1, "6332.75", profit="1637.50")
    day.fill("MES", 1, "6300").fill("MES", -1, "6302.25", profit="11.25")
    assert row(day)["day_net"] == "1648.75"
    assert row(day)["one_more_dollar"] == "0"
    day.fill("MES", 1, "6300").fill("MES", -1, "6300.25", profit="1.25")
    assert (row(day)["day_net"], row(day)["one_more_dollar"]) == ("1650.00", "1.82")
    assert "one more dollar today raises the target by 1.82" in text(day)


def test_the_time_left_today() -> None:
    day = combine_day().at("14:55:30").tick()
    found = row(day)["flat_by"]
    assert [found[name]["seconds_left"] for name in ("last_entry", "flatten", "hard", "deadline")] == [0, 570, 690, 870]
    assert found["next_session"] == "2026-11-22T23:00:00Z"
    assert "time       last entry over, flatten in 9:30, hard in 11:30, flat by in 14:30" in text(day)


def test_the_sizes_now_and_next() -> None:
    day = under(shipped("stage = 'xfa'\nfloor_override = -2000")).account(balance="1480").at("09:00:00")
    day.fill("ES", 1, "6300").fill("ES", -1, "6312", profit="600")
    known = row(day)["programme"]
    assert (known["size_cap_units"], known["next_size_cap_units"]) == (20, 50)
    assert "size       20 micros or 2 minis now, 50 micros or 5 minis in the next session" in text(day)
    assert "GC 1, CL 1, QM 1, HO 1, RB 1, MGC 12, MCL 12, SIL 1, MHG 1" in text(day)


@pytest.mark.parametrize(
    ("start", "path", "day_of_request"),
    [
        # Five winning days from that day on, over a weekend; 11-26 and 11-27 close early and count, but pay nothing.
        ("2026-11-16 09:00:00", "standard", "2026-11-20"),
        ("2026-11-19 09:00:00", "standard", "2026-11-25"),
        ("2026-11-20 09:00:00", "standard", "2026-11-30"),
        ("2026-11-23 09:00:00", "standard", "2026-11-30"),
        # From 16:00 on the day itself counts already: without a fill it is lost.
        ("2026-11-16 16:00:00", "standard", "2026-11-23"),
        ("2026-11-16 09:00:00", "consistency", "2026-11-18"),
        # Closed days are no days at all.
        ("2026-12-23 09:00:00", "consistency", "2026-12-28"),
    ],
)
def test_the_first_day_a_payout_can_be_asked_for(start: str, path: str, day_of_request: str) -> None:
    terms = shipped(f"stage = 'xfa'\npayout_path = '{path}'\nfloor_override = -2000")
    day = under(terms, start=start).account(balance="1000").tick()
    found = row(day)
    assert found["programme"]["payout"]["eligible"] is False
    assert found["next_payout_day"] == day_of_request
    assert f"at the earliest on {day_of_request}, up to 500.00 by now" in text(day)


def test_a_combine_has_no_payout_and_an_xfa_no_target() -> None:
    assert (row(combine_day())["programme"]["payout"], row(combine_day())["next_payout_day"]) == (None, None)
    day = under(shipped("stage = 'xfa'")).account(balance="0").tick()
    assert (row(day)["one_more_dollar"], row(day)["allowed_best_day"]) == (None, None)
    assert "target" not in text(day)


def test_an_account_outside_the_programme_is_not_listed() -> None:
    day = Ledger(start="2026-11-20 08:00:00").account(balance="50000").tick()
    assert status(day)["accounts"] == []
    assert "no account is in the programme" in text(day)


def test_nothing_is_known_before_a_balance() -> None:
    day = under(shipped("")).at("09:00:00").fill("ES", 1, "6300")
    assert "floor      unknown" in text(day)
    assert "balance    unknown" in text(day)
