"""A day on which a live engine carried out what was decided: its requests are decisions too, and are compared."""

import json
from pathlib import Path

import pytest

from replay.comparison import Comparison
from replay.result import Collector
from riskcore.cli.main import run
from riskcore.core import events as e
from riskcore.core.quantities import money
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.core.step import Turn
from riskcore.store.journal import Journal
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}


def live_day() -> list[e.Event]:
    """Started, seen, a loss at the limit, a refused close that is tried again until it is flat."""
    desk = Desk(**LOSS).at("09:59:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().fill("ES", 1, "6000").order(8, "ES", -1, type=4, stop="5990").push("ES", 1)
    desk.at("10:00:00").closed("-100", contract="YM")
    for _ in range(4):
        desk.attempt("close").refuse("close").later(40)
    desk.attempt("close").accept("close").push("ES", 0).attempt("cancel").order(8, "ES", -1, type=4, status=3)
    return desk.later(60).snapshot().events


def compared(recorded: list[e.Event]) -> Comparison:
    comparison, turn = Comparison(), Turn(Book(), rulebook_of({}))
    comparison.begin(True)
    for event in recorded:
        if event.derived:
            comparison.record(event)
            continue
        if isinstance(event.body, e.TradingDayOpened):
            turn.rulebook = rulebook_of(event.body.settings)
        turn.take(event)
        comparison.recompute(turn.events)
        turn.events.clear()
    return comparison


def test_requests_are_recomputed_and_compared() -> None:
    day = live_day()
    outcome = compared(day).outcome()
    assert outcome is not None
    assert outcome["differences"] == []
    assert outcome["recorded"] == outcome["recomputed"] == sum(event.derived for event in day)
    assert sum(isinstance(event.body, e.RequestPlanned) for event in day) > 5


@pytest.mark.parametrize("kind", [e.RequestPlanned, e.RequestConfirmed, e.ObligationMet, e.CommandIssued])
def test_a_decision_that_is_missing_is_found(kind: type) -> None:
    day = live_day()
    last = max(index for index, event in enumerate(day) if isinstance(event.body, kind))
    outcome = compared([*day[:last], *day[last + 1 :]]).outcome()
    assert outcome is not None
    assert [(one["only"], one["type"]) for one in outcome["differences"]] == [("recomputed", kind.__name__)]


def test_the_journal_of_a_live_day_verifies_and_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "journal.db"
    with Journal.open(store, "test", write=True) as journal:
        journal.append(live_day())
    assert run(["verify", "--store", str(store), "--json"]) == 0
    assert run(["export", "--store", str(store), "--out", str(tmp_path / "day.jsonl")]) == 0
    capsys.readouterr()
    assert run(["replay", str(tmp_path / "day.jsonl"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["comparison"]["differences"] == []
    assert [row["kind"] for row in result["commands"]] == ["SetLockout", "CancelOrders", "CloseAllPositions"]


def test_what_the_planner_issues_is_no_command_of_a_rule() -> None:
    collector = Collector()
    collector.listen(live_day())
    assert [(row["kind"], row["rule"], row["account"]) for row in collector.commands] == [
        ("SetLockout", "RULE-003", ACCOUNT),
        ("CancelOrders", "RULE-003", ACCOUNT),
        ("CloseAllPositions", "RULE-003", ACCOUNT),
    ]
