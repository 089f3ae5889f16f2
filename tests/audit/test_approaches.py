"""How near each limit came on a day: at the extremes between facts, and whatever was recovered later."""

from typing import Any

import pytest

from riskcore.audit.log import AuditLog
from riskcore.audit.report import audit_report
from riskcore.cli.audit_text import audit_text
from riskcore.core import events as e
from riskcore.core.quantities import money, price
from tests.core.groups.desk import OTHER, group
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

MNQ = "CON.F.US.MNQ.Z26"
Row = dict[str, Any]


def closest(day: Ledger) -> list[Row]:
    log = AuditLog()
    log.listen(day.events)
    rows: list[Row] = audit_report(log.finish())["closest"]
    return rows


def position(size: int, **rules: Any) -> Ledger:
    return Ledger(**rules).at("10:00:00").fill("MNQ", size, "21000").push("MNQ", size).mark("MNQ", "21000")


@pytest.mark.parametrize(
    ("low", "now", "left", "used"),
    [("20970.25", "-297.50", "2.50", "0.9916"), ("20970", "-300.00", "0", "1"), ("20969.75", "-302.50", "0", "1.0083")],
)
def test_the_worst_mark_counts_though_it_recovered(low: str, now: str, left: str, used: str) -> None:
    day = position(5, daily_unrealized_loss={"action": "alert"}).mark("MNQ", "20990")
    day.at("10:00:02").mark("MNQ", low).at("10:00:03").mark("MNQ", "21050")
    [row] = closest(day)
    assert (row["rule"], row["contract"], row["now"], row["left"], row["used"]) == ("RULE-004", MNQ, now, left, used)
    assert (row["trade_date"], row["at"]) == ("2026-11-20", "2026-11-20T16:00:02Z")


def test_each_day_and_each_table_has_its_own() -> None:
    rules = {"daily_realized_loss": [{"loss_limit": money("500")}, {"loss_limit": money("1000")}]}
    day = Ledger(**rules).closed("-100").closed("60").at("2026-11-20 17:00:00").closed("-50")
    assert [(row["trade_date"], row["limit"], row["now"], row["used"]) for row in closest(day)] == [
        ("2026-11-20", "500", "-100.00", "0.2"),
        ("2026-11-20", "1000", "-100.00", "0.1"),
        ("2026-11-23", "500", "-50.00", "0.1"),
        ("2026-11-23", "1000", "-50.00", "0.05"),
    ]


def test_with_two_contracts_open_every_price_counts() -> None:
    """Neither price is a new extreme when both together are worst."""
    day = position(1, daily_unrealized_loss={"scope": "total"}).fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000")
    day.mark("MNQ", "20980").mark("MNQ", "21000").mark("ES", "5998").mark("ES", "6000")
    day.mark("ES", "5998.25").mark("MNQ", "20980.25")
    [row] = closest(day)
    assert row["now"] == "-127.00"  # 19.75 points of MNQ, 1.75 of ES.


def test_many_quotes_of_one_event_are_followed_one_by_one() -> None:
    day = position(5, daily_unrealized_loss={})
    at = nanoseconds(day.now)
    quotes = [(at + step, MNQ, price(last), price(last), price(last)) for step, last in ((1, "20980"), (2, "20995"))]
    log = AuditLog()
    log.listen([*day.events, e.Event(at + 2, "market", "quotes", e.QuotesObserved(tuple(quotes)))])
    [row] = log.finish().approaches.rows([ACCOUNT])
    assert row["now"] == "-200.00"


def test_what_a_rule_remembers_counts() -> None:
    rules = {"max_unrealized_profit": {"mode": "give_back", "arm_profit": money("300")}}
    day = position(3, **rules).mark("MNQ", "21050").mark("MNQ", "21030")
    [row] = closest(day)
    assert (row["name"], row["now"], row["limit"], row["used"]) == ("profit given back", "180.00", "150", "0.8")


def of_group(day: Ledger, rule: str) -> list[Row]:
    return [row for row in closest(day) if row["rule"] == rule]


def test_a_limit_of_a_group_is_measured_in_every_account_whoever_moves() -> None:
    """What the first account lost and won back counts for the second, which says nothing meanwhile."""
    day = group(loss_limit=money("500"), max_contracts=5).at("10:00:00").closed("-400").at("10:00:01").closed("300")
    rows = [(row["account"], row["now"], row["used"], row["at"]) for row in of_group(day, "GROUP-LOSS")]
    assert rows == [(account, "-400.00", "0.8", "2026-11-20T16:00:00Z") for account in (ACCOUNT, OTHER)]
    day.fill("MNQ", 7, "21000").fill("MNQ", -7, "21000", profit="0")
    rows = [(row["account"], row["measured"]) for row in of_group(day, "GROUP-SIZE")]
    assert rows == [(account, "micro units of desk 7 of 50") for account in (ACCOUNT, OTHER)]


def test_with_two_contracts_in_two_accounts_of_a_group_every_price_counts() -> None:
    """Neither price is a new extreme when both together are worst."""
    day = group(loss_limit=money("500")).fill("MNQ", 1, "21000").fill("ES", 1, "6000", account=OTHER)
    day.mark("MNQ", "21000").mark("ES", "6000").mark("MNQ", "20980").mark("MNQ", "21000").mark("ES", "5998")
    day.mark("ES", "6000").mark("ES", "5998.25").mark("MNQ", "20980.25")
    assert [row["now"] for row in of_group(day, "GROUP-LOSS")] == ["-127.00", "-127.00"]


def test_rules_in_shadow_without_a_measure_or_blind_are_left_out() -> None:
    rules: Row = {"max_contracts": {"shadow": True}, "auth_loss_guard": {}, "session_block_outside": {}}
    assert closest(position(1, **rules)) == []
    assert closest(Ledger(daily_unrealized_loss={}, lacks=("quotes",)).fill("MNQ", 1, "21000")) == []


def test_the_text_names_the_day_the_figures_and_the_time() -> None:
    log = AuditLog()
    log.listen(Ledger(daily_realized_loss={"loss_limit": money("500")}).at("10:00:00").closed("-450").events)
    text = audit_text(audit_report(log.finish()))
    line = next(line for line in text.splitlines() if "day loss" in line)
    assert (
        line
        == f"  2026-11-20  {ACCOUNT}  RULE-003  day loss -450.00 of 500, 90 % used, 50.00 left  at 2026-11-20 16:00:00Z"
    )


@pytest.mark.parametrize(("loss", "used"), [("-99.99", "0"), ("-100", "1"), ("-194", "1")])
def test_a_loss_that_is_closed_at_once_used_the_limit_up(loss: str, used: str) -> None:
    """Nothing is being closed any more when its loss is known, yet the rule was breached by it."""
    tiers = [{"loss_amount": money("100"), "cooldown_seconds": 300}]
    day = Ledger(cooldown_after_loss={"loss_thresholds": tiers}).closed(loss)
    [row] = closest(day)
    assert (row["rule"], row["used"]) == ("RULE-007", used)
    assert (row["state"] == "breached") == (used == "1")
