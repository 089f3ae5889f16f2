"""The firm's limits as rows: equity against the floor, the flat-by countdown, sizes and the daily limit."""

from dataclasses import replace
from typing import Any

import pytest

from riskcore.audit.limits import gauges
from riskcore.audit.status import view_of
from tests.core.ledger import ACCOUNT, Ledger, usd
from tests.core.programme.terms import combine, under

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
    assert [one.rule.id for one in instances if one.rule.stands is None and one.rule.id not in shown] == []
