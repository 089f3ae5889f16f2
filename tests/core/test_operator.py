"""What the operator may ask for (RULES.md 3.1, 7). What the guard makes of it is in test_guard."""

import pytest

from riskcore.core import events as e
from riskcore.core.operator import operator_candidates, override_ends, override_refusal
from riskcore.core.rulebook import Profile
from riskcore.core.state import Lockout
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, Ledger

LOCK = e.LockRequested(ACCOUNT, 900, "lunch")


def view_of(body: e.Fact, kind: str = "cooldown") -> View:
    day = Ledger().fill("ES", 1, "6000")
    lockout = Lockout("account", "R", "k", kind, 0, 5, "")
    day.account_state.lockouts[lockout.id] = lockout
    event = e.Event(day.book.now, "operator", "op:1", body)
    return View(day.book, day.account_state, event, Effect((ACCOUNT,)), "net", "last")


@pytest.mark.parametrize(
    ("flatten", "kinds"), [(True, ["SetLockout", "CancelOrders", "CloseAllPositions"]), (False, ["SetLockout"])]
)
def test_a_personal_lockout(flatten: bool, kinds: list[str]) -> None:
    candidates = operator_candidates(view_of(e.LockRequested(ACCOUNT, 900, "lunch", flatten)))
    assert [one.command.kind for one in candidates] == kinds
    lock = candidates[0].command
    assert (lock.scope, lock.lockout_kind, lock.expires_at, lock.text) == ("account", "until_time", 900, "lunch")
    assert candidates[0].origin == f"op:1/{ACCOUNT}/OPERATOR"


@pytest.mark.parametrize(
    ("positions", "commands"),
    [(True, [("CancelOrders", "entry"), ("CloseAllPositions", None)]), (False, [("CancelOrders", "all")])],
)
def test_flat_without_a_lockout(positions: bool, commands: list[tuple[str, str | None]]) -> None:
    candidates = operator_candidates(view_of(e.FlattenRequested(ACCOUNT, positions)))
    assert [(one.command.kind, one.command.scope) for one in candidates] == commands
    assert {one.origin for one in candidates} == {f"op:1/{ACCOUNT}/OPERATOR"}


@pytest.mark.parametrize(
    ("policy", "kind", "lockout", "ends"),
    [
        ("with_reason", "cooldown", "account/R/k", True),
        ("with_reason", "until_reset", "account/R/k", True),
        ("with_reason", "condition", "account/R/k", False),
        ("with_reason", "terminal", "account/R/k", False),
        ("with_reason", "cooldown", "account/R/other", False),
        ("never", "cooldown", "account/R/k", False),
    ],
)
def test_an_early_unlock(policy: str, kind: str, lockout: str, ends: bool) -> None:
    view = view_of(e.OperatorOverride(ACCOUNT, lockout, "why"), kind)
    assert override_ends(view, Profile(operator_unlock=policy)) == ([lockout] if ends else [])


@pytest.mark.parametrize(
    ("policy", "kind", "lockout", "reason", "why"),
    [
        ("with_reason", "until_time", "account/R/k", "mistyped", None),
        ("with_reason", "until_time", "account/R/k", " ", "an early unlock needs a reason"),
        ("with_reason", "terminal", "account/R/k", "why", "cannot be ended by the operator"),
        ("with_reason", "cooldown", "account/R/other", "why", "there is no lockout account/R/other"),
        ("never", "cooldown", "account/R/k", "why", "never"),
    ],
)
def test_a_refused_unlock_says_why(policy: str, kind: str, lockout: str, reason: str, why: str | None) -> None:
    body = e.OperatorOverride(ACCOUNT, lockout, reason)
    view = view_of(body, kind)
    refusal = override_refusal(view.account, body, Profile(operator_unlock=policy))
    assert why in refusal if why and refusal else refusal is why
    assert bool(override_ends(view, Profile(operator_unlock=policy))) is (refusal is None)


def test_other_events_ask_for_nothing() -> None:
    view = view_of(e.ClockTicked())
    assert operator_candidates(view) == []
    assert override_ends(view, Profile(operator_unlock="with_reason")) == []
    assert override_ends(view_of(LOCK), Profile(operator_unlock="with_reason")) == []
