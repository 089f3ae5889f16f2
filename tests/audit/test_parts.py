"""A combined total at its limit is split into closed and open results; every other figure stands alone."""

from typing import Any

import pytest

from riskcore.audit.log import AuditLog
from tests.core.groups.desk import OTHER, group
from tests.core.ledger import Ledger, usd
from tests.core.programme.terms import combine, under

Row = dict[str, Any]


def breach(day: Ledger, rule: str = "RULE-003") -> Row:
    log = AuditLog()
    log.listen(day.events)
    assert not [note for note in log.notes if note["kind"] == "left_out"]
    return [row for row in log.breaches if row["rule"] == rule][-1]


def losing(basis: str = "combined", **profile: Any) -> Ledger:
    """300 lost and 3 paid; then two MNQ bought at 21000."""
    rule = {"loss_limit": usd("500"), "basis": basis, "warn_at": ()}
    day = Ledger(daily_realized_loss=rule, profile={"name": "test", **profile}).at("09:00:00")
    return day.mark("MNQ", "21000").closed("-300", fees="3").fill("MNQ", 2, "21000")


@pytest.mark.parametrize(
    ("pnl_basis", "realised", "mark"), [("net", "-303.00", "20950"), ("gross", "-300.00", "20950")]
)
def test_a_combined_loss_with_and_without_fees(pnl_basis: str, realised: str, mark: str) -> None:
    row = breach(losing(pnl_basis=pnl_basis).mark("MNQ", mark))
    assert row["parts"] == {"realized": realised, "unrealized": "-200.00"}


def test_a_bar_is_split_at_the_price_that_was_judged() -> None:
    row = breach(losing().bar("MNQ", "09:01", ("20990", "20995", "20950", "20990")))
    assert row["figures"]["day_pnl"] == "-503.00"
    assert row["parts"] == {"realized": "-303.00", "unrealized": "-200.00"}


def test_closed_results_alone_have_no_parts() -> None:
    assert breach(losing("realized").fill("MNQ", -2, "20900", profit="-400"))["parts"] == {}
    assert breach(losing().mark("MNQ", "20960").fill("MNQ", -2, "20900", profit="-400"))["parts"] == {}


def test_a_figure_that_is_no_total_has_no_parts() -> None:
    day = Ledger(daily_unrealized_loss={"loss_limit": usd("300")}, profile={"name": "test"}).at("09:00:00")
    row = breach(day.mark("MNQ", "21000").fill("MNQ", 2, "21000").mark("MNQ", "20800"), "RULE-004")
    assert row["parts"] == {}


def test_the_equity_of_the_programme_is_a_balance_and_open_results_at_the_bid() -> None:
    day = under(combine(floor_override_usd=usd("48000"))).account(balance="50000").at("09:00:00")
    day.fill("ES", 1, "6300").at("09:00:01").mark("ES", "6300")
    row = breach(day.quote("ES", last="6400", bid="6264", ask="6400"), "PROGRAMME-MLL")
    assert row["figures"]["equity"] == "48200.00"
    assert row["parts"] == {"balance": "50000.00", "unrealized": "-1800.00"}


def test_the_loss_of_a_group_adds_up_its_accounts() -> None:
    day = group(loss_limit=usd("500")).closed("-100").fill("MNQ", 1, "21000").fill("ES", 1, "6000", account=OTHER)
    row = breach(day.mark("ES", "5995").mark("MNQ", "20925"), "GROUP-LOSS")
    assert (row["figures"]["day_pnl"], row["parts"]) == ("-500.00", {"realized": "-100.00", "unrealized": "-400.00"})
