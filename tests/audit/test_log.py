"""What the audit keeps beside breaches and commands: overrides, faults, gaps, drifts, carried lockouts."""

import pytest

from riskcore.audit.log import AuditLog
from riskcore.audit.report import audit_report
from riskcore.core import events as e
from riskcore.errors import ConfigError
from tests.core.ledger import ACCOUNT, Ledger, usd

LOCKOUT = "account/RULE-003/day"


def logged(day: Ledger) -> AuditLog:
    log = AuditLog()
    log.listen(day.events)
    return log.finish()


def losing(**profile: str) -> Ledger:
    return Ledger(daily_realized_loss={"loss_limit": usd("500")}, profile={"name": "test", **profile}).closed("-600")


@pytest.mark.parametrize(("policy", "ended"), [("never", False), ("with_reason", True)])
def test_an_override_says_whether_it_ended_the_lockout(policy: str, ended: bool) -> None:
    day = losing(operator_unlock=policy)
    day.at("09:00:00").take(e.OperatorOverride(ACCOUNT, LOCKOUT, "a mistake"), "override", "operator")
    report = audit_report(logged(day))
    assert [(row["lockout"], row["reason"], row["ended_the_lockout"]) for row in report["overrides"]] == [
        (LOCKOUT, "a mistake", ended)
    ]
    assert [row["ended_by"] for row in report["lockouts"]] == ["override" if ended else None]


def test_a_gap_and_a_drift_are_listed() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": usd("500")}, profile={"name": "test"})
    day.at("09:00:00").fill("MNQ", -2, "21000", profit="10")
    day.at("09:01:00").fill("MES", 1, "6000").push("MES", 3)
    day.tick("09:01:10")
    report = audit_report(logged(day))
    assert [row["contract"] for row in report["gaps"]] == ["CON.F.US.MNQ.Z26"]
    assert [row["text"] for row in report["drifts"]] == [
        "fills gave 1, the broker reported 3; the broker's figure counts"
    ]


def test_a_rule_that_failed_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    from riskcore.core.rules import daily_realized_loss

    def broken(view: object, basis: object) -> None:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr(daily_realized_loss, "realised_total", broken)
    report = audit_report(logged(losing()))
    assert [row["text"] for row in report["faults"]] == [
        "RULE-003 (daily_realized_loss.0) failed: ZeroDivisionError: broken on purpose"
    ]


def test_a_lockout_is_followed_over_the_reset() -> None:
    day = losing()
    day.at("2026-11-23 09:00:00").closed("-10")
    report = audit_report(logged(day))
    assert [(row["rule"], row["ended_by"]) for row in report["lockouts"]] == [("RULE-003", "reset")]
    assert [row["trade_date"] for row in report["days"]] == ["2026-11-20", "2026-11-23"]
    assert [row["net_pnl"] for row in report["accounts"][0]["days"]] == ["-600.00", "-10.00"]


def test_fills_and_orders_outlive_what_the_book_keeps() -> None:
    day = losing()
    day.order(5, "MNQ", 1, type=1, status=2)
    for date in (23, 24, 25):
        day.at(f"2026-11-{date} 09:00:00").closed("-10")
    log = logged(day)
    assert len(log.fills) == 8
    assert (ACCOUNT, 1) in log.fills
    assert 1 not in day.account_state.trades
    assert [order.id for order in log.orders.values()] == [5]


def test_a_voided_fill_is_marked() -> None:
    day = losing()
    day.void(2)
    assert [trade.voided for trade in logged(day).fills.values()] == [False, True]


def test_an_unmet_cancel_names_the_order_and_an_unmet_stop_its_contract() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": usd("500")}, profile={"name": "test"})
    day.order(9, "MNQ", 1, type=1, limit="20900").closed("-600")
    rows = audit_report(logged(day))["missed_enforcement"]
    assert [row["text"] for row in rows] == ["still working at the end: order 9"]


def test_an_account_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--account 5: not in these days; accounts: 99000001"):
        audit_report(logged(losing()), ["5"])
