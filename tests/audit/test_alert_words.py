"""What alerts and breaches say beside their facts: title, what is allowed, until when, what to do."""

from typing import Any

import pytest

from riskcore.audit.alert_words import advice_of
from riskcore.audit.happening_words import words_of
from riskcore.audit.happenings import happenings
from riskcore.core.issuers import GUARD_ID
from riskcore.core.quantities import money
from riskcore.core.rules import RULES, STANDING
from riskcore.core.rules.wording import ANY_LIMIT, DAY_LOSS, OF_ISSUERS
from tests.core.broker import Desk
from tests.core.ledger import Ledger

Row = dict[str, Any]
LOSS: Row = {"daily_realized_loss": {"loss_limit": money("500")}}
ALWAYS = "Closing and reducing stay possible, your stops keep working."


def rows(day: Ledger, kind: str) -> list[Row]:
    return [row for row in happenings(day.events, day.book) if row["type"] == kind]


def alerts(day: Ledger) -> list[Row]:
    return [row for row in rows(day, "command") if row["kind"] == "Alert"]


def test_a_warning_says_what_is_allowed_until_when_and_what_to_do() -> None:
    [row] = alerts(Ledger(**LOSS).closed("-350"))
    assert row["text"] == "day P&L -350.00 has reached 70 % of the loss limit"
    assert row["level"] == "warning"
    assert row["title"] == "Stop for the day at a realised loss: the limit is near"
    assert row["allowed"] == f"New trades are allowed within your limits. {ALWAYS}"
    assert row["until"] == "2026-11-20T23:00:00Z"
    assert row["advice"] == DAY_LOSS.near


def test_a_breach_that_locks_says_until_when() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("500"), "action": "lock_only"}).closed("-500")
    [row] = rows(day, "breach")
    assert (row["level"], row["until"]) == ("warning", "2026-11-20T23:00:00Z")
    assert row["allowed"] == f"Nothing may be opened or added. {ALWAYS}"
    assert row["advice"] == DAY_LOSS.reached


def test_a_breach_that_closes_is_critical_while_it_does() -> None:
    desk = Desk(**LOSS).at("09:59:00").snapshot().fill("ES", 1, "6000").push("ES", 1).closed("-500")
    [row] = rows(desk, "breach")
    assert row["level"] == "critical"
    assert "riskcore is closing" in row["allowed"]


def test_a_lockout_of_one_product_names_it() -> None:
    rules: Row = {"max_contracts_per_instrument": {"limits": {"MNQ": 1}, "lockout": "cooldown"}}
    day = Ledger(**rules).at("10:00:00").fill("MNQ", 2, "21000").push("MNQ", 2).push("MNQ", 1)
    [row] = rows(day, "breach")
    assert row["allowed"] == f"Nothing may be opened or added in MNQ. {ALWAYS}"
    assert row["until"] == "2026-11-20T16:01:00Z"


def test_a_lockout_without_an_end_has_none() -> None:
    day = Ledger(auth_loss_guard={}).at("10:00:00").account(can_trade=False)
    [row] = rows(day, "breach")
    assert "until" not in row or row["until"] is None
    assert row["allowed"].startswith("Nothing may be opened or added.")


def test_a_rule_in_shadow_forbids_nothing() -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("500"), "shadow": True}).closed("-500")
    [row] = rows(day, "breach")
    assert (row["level"], row["allowed"]) == ("info", "Everything: the rule runs in shadow and only records.")


def test_the_lines_people_read_have_it_too() -> None:
    day = Ledger(**LOSS).closed("-350")
    [warning] = alerts(day)
    assert words_of(warning).endswith(f"{ALWAYS} Until 2026-11-20 23:00:00Z. {DAY_LOSS.near}")
    [breach] = rows(day.closed("-150"), "breach")
    assert DAY_LOSS.reached in words_of(breach)
    assert "Until 2026-11-20 23:00:00Z." in words_of(breach)


@pytest.mark.parametrize("rule", [*RULES, *STANDING], ids=lambda rule: rule.id)
def test_every_rule_is_found_by_its_id(rule: Any) -> None:
    assert advice_of(rule.id) is rule.advice


def test_other_issuers_and_unknown_ones_have_advice() -> None:
    assert advice_of(GUARD_ID) is OF_ISSUERS[GUARD_ID]
    assert advice_of("RULE-999") is ANY_LIMIT
