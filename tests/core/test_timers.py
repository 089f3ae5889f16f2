"""Deadlines derived from state (RULES.md 1.1): what is due, when, and in which order."""

from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.state import Lockout
from riskcore.core.timers import DRIFT_NS, Timer, due_timers
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

GRACE = {"no_stop_loss_grace": {}}


def due(day: Ledger) -> list[tuple[float, str, str]]:
    now = nanoseconds(day.now)
    return [((one.due - now) / SECOND_NS, one.rule, one.kind) for one in due_timers(day.book, day.rulebook)]


def test_nothing_is_due_on_an_empty_book() -> None:
    assert due(Ledger(**GRACE).tick()) == []


def test_lockouts_drifts_and_rules_the_earliest_first() -> None:
    day = Ledger(**GRACE).at("10:00:00").fill("ES", 2, "6000").push("ES", 1)
    day.account_state.lockouts["a"] = Lockout("account", "R", "k", "cooldown", 0, nanoseconds(day.now) + SECOND_NS, "")
    day.account_state.lockouts["b"] = Lockout("account", "R", "l", "condition", 0, None, "")
    assert due(day)[:2] == [(1, "R", "lockout"), (2, "DRIFT", "drift")]
    assert DRIFT_NS == 2 * SECOND_NS
    assert [rule for _, rule, kind in due(day) if kind == "rule"][-1] == "RULE-008"


def test_timers_due_together_run_by_rule_account_and_target() -> None:
    timers = [Timer(5, "B", 1, "x", "rule"), Timer(5, "A", 2, "x", "rule"), Timer(5, "A", 1, "y", "rule")]
    assert sorted([Timer(4, "Z", 9, "z", "rule"), *timers]) == [Timer(4, "Z", 9, "z", "rule"), *reversed(timers)]


def test_a_rule_without_its_inputs_sets_no_timer() -> None:
    day = Ledger(**GRACE, lacks=("orders",)).at("10:00:00").fill("ES", 1, "6000")
    assert "RULE-008" not in [rule for _, rule, _ in due(day)]


def test_the_planner_is_asked_for_its_deadlines_only_where_it_plans() -> None:
    desk = Desk(daily_realized_loss={"loss_limit": money("100")}).snapshot().fill("ES", 1, "6000").closed("-100")
    desk.attempt("close")
    now = nanoseconds(desk.now)
    timers = [timer for timer in due_timers(desk.book, desk.rulebook) if timer.kind == "planner"]
    assert timers == [Timer(now + seconds * SECOND_NS, "PLANNER", ACCOUNT, "requests", "planner") for seconds in (3, 8)]
    desk.book.enforces = False
    assert "PLANNER" not in [rule for _, rule, _ in due(desk)]
