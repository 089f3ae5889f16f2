"""The firm's limits as rows: equity against the floor, the flat-by countdown, sizes and the daily limit."""

from dataclasses import replace
from typing import Any

import pytest

from riskcore.audit.limits import gauges
from riskcore.audit.safe_size import safe_size_rows
from riskcore.audit.status import view_of
from riskcore.settings.config import read_settings
from tests.core.groups.desk import OTHER
from tests.core.ledger import ACCOUNT, Ledger, usd
from tests.core.programme.terms import combine, under
from tests.core.programme.test_hedge import hedged
from tests.core.programme.test_news import release_day
from tests.core.programme.test_payout import days_of, standard

Row = dict[str, Any]


def rows_of(day: Ledger) -> dict[tuple[str, str | None], Row]:
    account = day.book.accounts[ACCOUNT]
    view = view_of(day.book, day.rulebook, account)
    rows = [gauge.row() for gauge in gauges(day.book, day.rulebook, account, view)]
    return {(row["rule"], row["contract"]): row for row in rows}


def opened(balance: str = "50000", **changed: Any) -> Ledger:
    return under(replace(combine(), **changed)).account(ACCOUNT, name="A", balance=balance)


@pytest.mark.parametrize(
    ("lost", "now", "left", "used", "state"),
    [
        ("1399.99", "48600.01", "600.01", "0.6999", "ok"),
        ("1400", "48600.00", "600.00", "0.7", "warn"),
        ("1799.99", "48200.01", "200.01", "0.8999", "warn"),
    ],
)
def test_equity_against_the_floor(lost: str, now: str, left: str, used: str, state: str) -> None:
    day = opened(enforce=("mll",)).at("10:00:00").closed(f"-{lost}")
    row = rows_of(day)["PROGRAMME-MLL", None]
    assert (row["now"], row["limit"], row["left"], row["used"]) == (now, "48000", left, used)
    assert row["state"] in (state, "breached")  # A level of the guard may have locked it already.


@pytest.mark.parametrize(
    ("at", "now", "state"),
    [
        ("14:54:59", "601", "ok"),
        ("14:55:00", "600", "breached"),  # The last entry is over: the rule's lockout is in force.
        ("15:04:59", "1", "breached"),
        ("15:05:00", "0", "breached"),
    ],
)
def test_the_countdown_to_flat(at: str, now: str, state: str) -> None:
    row = rows_of(opened(enforce=("hours",)).at(at).tick())["PROGRAMME-HOURS", None]
    assert (row["now"], row["left"], row["unit"], row["state"]) == (now, now, "s", state)


def test_without_a_balance_the_floor_is_not_known_and_no_size_is_safe() -> None:
    day = under(replace(combine(), enforce=("mll",))).at("10:00:00").fill("ES", 1, "6000").push("ES", 1)
    day.mark("ES", "6000")
    row = rows_of(day)["PROGRAMME-MLL", None]
    assert (row["state"], row["left"], row["used"]) == ("blind", None, None)
    assert "the broker has not reported a balance yet" in row["text"]
    account = day.book.accounts[ACCOUNT]
    [size] = safe_size_rows(day.book, day.rulebook, account, view_of(day.book, day.rulebook, account), 10)
    assert (size["size"], size["rule"]) == (0, "PROGRAMME-MLL")
    day.account(ACCOUNT, balance="50000")
    assert rows_of(day)["PROGRAMME-MLL", None]["state"] == "ok"


def test_the_firms_size_and_daily_limit() -> None:
    day = opened(enforce=("size", "dll"), size_cap_units=50, loss_limit_usd=usd("1000"))
    day.at("10:00:00").fill("ES", 2, "6000").push("ES", 2).closed("-100")
    found = rows_of(day)
    size = found["PROGRAMME-SIZE", None]
    assert (size["now"], size["limit"], size["left"], size["used"]) == ("20", "50", "30", "0.4")
    loss = found["PROGRAMME-DLL", None]
    assert (loss["limit"], loss["unit"]) == ("1000", "$")


def test_every_rule_of_the_programme_has_a_row() -> None:
    day = opened(enforce=("mll", "size", "hours")).at("10:00:00").tick()
    instances = day.rulebook.instances(day.account_state)
    shown = [rule for rule, _ in rows_of(day)]
    assert [
        one.rule.id for one in instances if one.rule.stands is None and one.rule.limits and one.rule.id not in shown
    ] == []


ADVISING = ("PROGRAMME-TARGET", "PROGRAMME-CONSISTENCY", "PROGRAMME-NEWS", "PROGRAMME-HEDGE", "PROGRAMME-CONDUCT")


def test_what_only_advises_has_figures_and_never_binds() -> None:
    day = opened(enforce=("mll",), target_usd=usd("3000"), consistency=500_000).at("10:00:00").closed("1800")
    found = rows_of(day)
    target, best = found["PROGRAMME-TARGET", None], found["PROGRAMME-CONSISTENCY", None]
    assert (target["now"], target["limit"], target["left"], target["used"]) == ("1800.00", "3000", "1200.00", None)
    assert (best["now"], best["limit"], best["left"]) == ("1800.00", "1500", "0")
    assert [found[rule, None]["used"] for rule in ADVISING] == [None] * len(ADVISING)
    assert found["PROGRAMME-CONDUCT", None]["text"] == "conduct: nothing the firm looks at"


def test_a_best_day_moves_the_target_that_is_shown() -> None:
    day = (
        opened(enforce=("mll",), target_usd=usd("3000"), consistency=500_000)
        .at("10:00:00")
        .closed("1800")
        .at("2026-11-23 10:00")
        .tick()
    )
    target = rows_of(day)["PROGRAMME-TARGET", None]
    assert (target["now"], target["limit"], target["left"]) == ("1800.00", "3600", "1800.00")


@pytest.mark.parametrize(
    ("at", "now"),
    [
        ("07:24:59", "nothing may be opened from 07:25 Chicago"),
        ("07:25:00", "nothing may be opened in index, metal and Nikkei products"),
        ("07:34:59", "nothing may be opened in index, metal and Nikkei products"),
        ("07:35:00", "no release ahead today"),
    ],
)
def test_the_release_of_consumer_prices(at: str, now: str) -> None:
    assert rows_of(release_day().account(ACCOUNT).at(at).tick())["PROGRAMME-NEWS", None]["now"] == now


def test_opposite_positions_are_named() -> None:
    day = hedged().at("09:30:00").fill("ES", 1, "6000")
    assert rows_of(day)["PROGRAMME-HEDGE", None]["now"] == "none"
    day.fill("MES", -3, "6000", account=OTHER)
    assert rows_of(day)["PROGRAMME-HEDGE", None]["now"] == "ES"


def test_what_is_in_the_way_of_a_payout() -> None:
    terms = standard()

    def words(days: int) -> str:
        text = rows_of(days_of(*["150"] * days, terms=terms))["PROGRAMME-PAYOUT", None]["now"]
        assert isinstance(text, str)
        return text

    assert words(4) == "not yet, too few winning days"
    assert words(5) == "up to 375.00 may be asked for"


@pytest.mark.parametrize(
    ("at", "size", "rule"), [("13:04:59", 5, "PROGRAMME-SIZE"), ("13:05:00", 0, "PROGRAMME-HOURS")]
)
def test_behind_its_own_last_entry_nothing_of_a_product_is_safe(at: str, size: int, rule: str) -> None:
    settings = read_settings("[programme]\nfloor_override = 48000\n").plain
    day = Ledger(settings=settings).account(ACCOUNT, balance="50000").at(at).mark("ZC", "450")
    account = day.book.accounts[ACCOUNT]
    [row] = safe_size_rows(day.book, day.rulebook, account, view_of(day.book, day.rulebook, account), 10)
    assert (row["size"], row["rule"]) == (size, rule)


@pytest.mark.parametrize(
    ("balance", "left", "state"), [("48000.01", "0.01", "ok"), ("48000", "0", "breached"), ("47000", "0", "breached")]
)
def test_an_account_that_opens_at_its_floor_has_nothing_left(balance: str, left: str, state: str) -> None:
    row = rows_of(opened(balance))["PROGRAMME-MLL", None]
    assert (row["now"], row["limit"], row["left"], row["state"]) == (f"{float(balance):.2f}", "48000", left, state)
