"""What the screens say of rules that cannot judge is what the rules themselves go by."""

from riskcore.audit.status import account_row
from riskcore.cli.status_text import account_lines
from riskcore.core import events as e
from riskcore.core.quantities import money
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, nanoseconds

RULES = {"daily_realized_loss": {"loss_limit": money("500")}, "daily_unrealized_loss": {"loss_limit": money("300")}}


def desk() -> Desk:
    made = Desk(**RULES).at("09:59:00").account(name="PRAC")
    for hub in ("user", "market"):
        made.take(e.ConnectionChanged(hub, "connected"), f"connection.{hub}", "gateway")
    return made.snapshot().fill("MNQ", 1, "21000").push("MNQ", 1, "21000").mark("MNQ", "21000")


def row(desk: Desk) -> dict[str, object]:
    return account_row(desk.book, desk.rulebook, desk.account_state, nanoseconds(desk.now))


def blind(desk: Desk) -> list[tuple[str, str]]:
    return [(one["rule"], one["reason"]) for one in row(desk)["blind"]]  # type: ignore[attr-defined]


def test_no_rule_is_called_blind_while_polling_stands_in_for_the_user_hub() -> None:
    made = desk().later(1).take(e.ConnectionChanged("user", "lost"), "lost", "gateway")
    assert ("RULE-003", "the user hub is lost") in blind(made)
    made.later(1).snapshot().mark("MNQ", "21000")
    assert blind(made) == [], "the lists are a moment old"
    made.later(9).mark("MNQ", "21000")
    assert blind(made) == [], "and still hold"
    made.later(1).mark("MNQ", "21000")
    assert blind(made) == [("RULE-003", "the user hub is lost")]


def test_bars_stand_in_for_the_market_hub_and_a_mark_from_before_its_loss_does_not() -> None:
    made = desk().later(1).take(e.ConnectionChanged("market", "lost"), "lost", "gateway")
    assert blind(made) == [("RULE-004", "the market hub is lost")]
    made.later(1).mark("MNQ", "21000")
    assert blind(made) == []


def test_rules_that_need_more_than_quotes_are_blind_for_an_account_that_nothing_is_seen_of() -> None:
    made = desk().later(1).take(e.SightChanged(ACCOUNT, True), "sight", "gateway")
    reason = "messages about the account cannot be read, and its lists do not come"
    assert blind(made) == [("RULE-003", reason)]
    made.take(e.ConnectionChanged("market", "lost"), "lost", "gateway")
    assert blind(made) == [("RULE-003", reason), ("RULE-004", "the market hub is lost")]
    made.take(e.ConnectionChanged("market", "connected"), "back", "gateway").mark("MNQ", "21000")
    made.take(e.ConnectionChanged("user", "lost"), "lost", "gateway").snapshot()
    assert blind(made) == [("RULE-003", "the user hub is lost")]
    made.later(1).take(e.ConnectionChanged("user", "connected"), "back", "gateway").snapshot()
    made.later(1).take(e.SightChanged(ACCOUNT, False), "sight", "gateway")
    assert blind(made) == []


def test_rules_that_wait_for_the_fills_of_the_day_are_called_unseeded() -> None:
    made = desk()
    assert row(made)["unseeded"] == []
    made.later(1).take(e.EngineStarted("1", True), "started", "operator")
    assert row(made)["unseeded"] == ["RULE-003"]
    assert any(line.startswith("  unseeded  RULE-003") for line in account_lines(row(made)))
