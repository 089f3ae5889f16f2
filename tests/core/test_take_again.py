"""What the core fails on is left out, whatever part of it fails; the rest is decided as if it had never come."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core import project, step, timers
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.quotes import Quotes
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Account, Book
from riskcore.schema.codec import state_hash
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, nanoseconds

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}, "daily_unrealized_loss": {"loss_limit": money("300")}}
MNQ = "CON.F.US.MNQ.Z26"
Break = Callable[[pytest.MonkeyPatch], None]


def desk() -> Desk:
    return Desk(**LOSS).at("10:00:00").snapshot().fill("MNQ", 1, "21000").push("MNQ", 1)  # type: ignore[return-value]


def push(day: Desk, size: int, seconds: int) -> e.Event:
    at = nanoseconds(day.now) + seconds * SECOND_NS
    return e.Event(at, "broker", f"position:{size}@{at}", e.PositionObserved(ACCOUNT, MNQ, size, price("21000")))


def failing(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, bad: Callable[..., bool], error: Exception
) -> None:
    """The function raises where `bad` says so of its arguments."""
    real = getattr(module, name)

    def broken(*args: Any) -> Any:
        if bad(*args):
            raise error
        return real(*args)

    monkeypatch.setattr(module, name, broken)


def take_all(day: Desk, *facts: e.Event) -> None:
    for fact in facts:
        day.runner.event(fact)
    day.runner.look_ahead()


def in_the_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, step, "apply", lambda book, event: getattr(event.body, "size", 0) == 7, KeyError("lost"))


def halfway_through_the_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    real = project._HANDLERS[e.PositionObserved]

    def broken(book: Book, at: int, body: Any) -> Any:
        effect = real(book, at, body)
        assert body.size != 7, "half-edited"
        return effect

    monkeypatch.setitem(project._HANDLERS, e.PositionObserved, broken)


def in_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    def seven(book: Book, account: Account, timeout: int) -> bool:
        return account.positions[MNQ].size == 7

    failing(monkeypatch, step, "missing", seven, ZeroDivisionError("by zero"))


def in_what_comes_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found when the fact is in already: when the next deadline is worked out."""

    def seven(book: Book, *_: object) -> bool:
        return any(one.positions[MNQ].size == 7 for one in book.accounts.values())

    failing(monkeypatch, step, "due_timers", seven, RuntimeError("never due"))


@pytest.mark.parametrize(
    "place", [in_the_projection, halfway_through_the_projection, in_the_planner, in_what_comes_due]
)
def test_a_poisoned_fact_is_kept_whole_and_changes_nothing(place: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    day, same = desk(), desk()
    place(monkeypatch)
    first, poison = push(day, 2, 1), push(day, 7, 2)
    day.runner.begin()
    before = len(day._events)
    with pytest.raises((KeyError, AssertionError, ZeroDivisionError, RuntimeError)) as caught:
        take_all(day, first, poison)
    assert len(day._events) == before, "nothing is handed on before the turn is complete"
    assert isinstance(caught.value, Exception)
    [left_out] = day.runner.leave_out(caught.value)
    body = left_out.body
    assert isinstance(body, e.FactQuarantined)
    assert (left_out.at, left_out.source, left_out.key) == (poison.at, "broker", f"quarantine:{poison.key}")
    assert (body.fact, body.account, body.data["size"], body.again) == ("PositionObserved", ACCOUNT, 7, False)
    assert body.error.startswith(type(caught.value).__name__)
    monkeypatch.undo()
    same._step(first)
    assert day.account_state == same.account_state
    assert [event.key for event in day.events[before:]] == [
        *(event.key for event in same.events[before:]),
        left_out.key,
    ]
    again = Book()
    rebuild(again, rulebook_of(day.settings), day.events)
    assert state_hash(again) == state_hash(day.book)
    assert day.push("MNQ", 0).account_state.positions[MNQ].size == 0, "the runner goes on"


@pytest.mark.parametrize("index", [0, 1, 3])
def test_of_several_quotes_only_the_one_at_fault_is_left_out(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    day, same = desk(), desk()
    at = nanoseconds(day.now)
    lasts = [price(text) for text in ("20990", "20980", "20800", "20985")]
    ats = [at + number + 1 for number in range(4)]

    def quotes(numbers: list[int]) -> Quotes:
        return Quotes(
            [ats[one] for one in numbers],
            [MNQ] * len(numbers),
            [lasts[one] for one in numbers],
            [None] * len(numbers),
            [None] * len(numbers),
        )

    for one in (day, same):
        one.runner.every_event = True
    failing(
        monkeypatch, step, "apply", lambda book, event: getattr(event.body, "last", 0) == lasts[index], KeyError("q")
    )
    day.runner.begin()
    with pytest.raises(KeyError) as caught:
        day.runner.quotes(quotes([0, 1, 2, 3]))
    [left_out] = day.runner.leave_out(caught.value)
    assert left_out.key == f"quarantine:quote:{MNQ}@{ats[index]}"
    same.runner.quotes(quotes([number for number in range(4) if number != index]))
    assert day.account_state == same.account_state
    assert [breach.rule for breach in day.breaches] == [breach.rule for breach in same.breaches]


def test_a_poisoned_deadline_is_left_out_and_the_fact_behind_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Desk(cooldown_after_loss={}).at("10:00:00").snapshot().closed("-100")
    lockout = next(iter(day.account_state.lockouts))
    failing(monkeypatch, step, "apply", lambda book, event: isinstance(event.body, e.LockoutEnded), KeyError("lockout"))
    day.at("10:06:00")
    day.runner.begin()
    fact = push(day, 2, 0)
    with pytest.raises(timers.TimerFailed, match="lockout") as caught:
        day.runner.event(fact)
    [left_out] = day.runner.leave_out(caught.value)
    assert isinstance(left_out.body, e.TimerQuarantined)
    assert (left_out.body.kind, left_out.body.target) == ("lockout", lockout)
    assert day.account_state.positions[MNQ].size == 2
    assert list(day.account_state.lockouts) == [lockout], "what is locked stays locked"
    again = Book()
    rebuild(again, rulebook_of(day.settings), day.events)
    assert state_hash(again) == state_hash(day.book)
    day.later(60).later(60)
    monkeypatch.undo()
    day.at("2026-11-23 09:00:00").tick()
    assert lockout not in day.account_state.lockouts, "the next day tries again"


def test_deadlines_that_cannot_be_worked_out_are_left_out_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Desk(cooldown_after_loss={}).at("10:00:00").snapshot().closed("-100")

    def broken(*_: Any) -> Any:
        raise KeyError("planner")

    monkeypatch.setattr(timers, "deadlines", broken)
    day.runner.begin()
    with pytest.raises(timers.TimerFailed) as caught:
        take_all(day, push(day, 2, 1))
    [left_out] = day.runner.leave_out(caught.value)
    assert isinstance(left_out.body, e.TimerQuarantined)
    assert (left_out.body.kind, left_out.body.rule) == ("planner", "")
    assert day.at("10:06:00").tick().account_state.lockouts == {}, "other deadlines come in their time"


def test_when_leaving_it_out_fails_too_the_fact_is_still_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    day = desk()
    before, kept = len(day.events), state_hash(day.book)
    failing(monkeypatch, step, "apply", lambda book, event: True, KeyError("all of it"))
    day.runner.begin()
    with pytest.raises(KeyError) as caught:
        day.runner.event(push(day, 2, 1))
    [left_out] = day.runner.leave_out(caught.value)
    assert day.events[before:] == [left_out]
    assert isinstance(left_out.body, e.FactQuarantined)
    assert state_hash(day.book) == kept


def test_a_rule_whose_deadline_raises_fails_closed_and_the_others_go_on() -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("no deadline")

    day = desk()
    [one, *rest] = day.rulebook.instances(day.account_state)
    day.replace_rules(replace(one, rule=replace(one.rule, deadline=broken)), *rest)
    day.later(1).later(1)
    assert [fault.text for fault in day.bodies(e.RuleFaulted)] == ["KeyError: 'no deadline'"]
    assert [key.rpartition("/")[2] for key in day.account_state.lockouts] == ["fault"]
    day.closed("-100")
    assert "RULE-003" in [breach.rule for breach in day.breaches]


def test_a_rule_whose_quiet_bounds_raise_is_judged_at_every_quote() -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("nowhere quiet")

    day = desk()
    instances = day.rulebook.instances(day.account_state)
    day.replace_rules(
        *(replace(one, rule=replace(one.rule, quiet=broken)) if one.rule.quiet else one for one in instances)
    )
    day.mark("MNQ", "21000").mark("MNQ", "20850")
    assert [breach.rule for breach in day.breaches] == ["RULE-004"]
