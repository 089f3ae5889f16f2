"""What the core failed on and goes on without: a fact kept whole but not judged, a deadline left out until the reset.

Both are facts of the journal, so that a restart, with or without the state cache, and a replay go on without them
too, and say so. Source: DESIGN.md "One event, end to end".
"""

from dataclasses import fields, is_dataclass
from typing import Any

from riskcore.core import events as e
from riskcore.core.state import Book, account_of
from riskcore.core.timers import QUARANTINES, TimerFailed, quarantine_name
from riskcore.core.view import Effect

QUARANTINE = "quarantine:"  # How the keys of what is left out begin.
LEFT_OUT = "riskcore went wrong on this and goes on without it; it is kept in the journal: {}"


def plain(value: Any) -> Any:
    """A body as what JSON can say: the same before it is stored and after it has been read again.

    What cannot be stored, like half a surrogate pair, is written out, so that a fact that fails for it can be kept.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, int) else repr(value)


def error_text(error: BaseException) -> str:
    """The kind of an error and what it says."""
    return f"{type(error).__name__}: {error}"


def quarantined_fact(fact: e.Event, error: str, version: str, *, again: bool = False) -> e.Event:
    """The event that is stored in the place of a fact, at its time, with its source, under a key that names it."""
    body = e.FactQuarantined(
        fact=type(fact.body).__name__,
        data=plain(fact.body),
        error=plain(error),
        version=version,
        account=getattr(fact.body, "account", None),
        again=again,
    )
    return e.Event(fact.at, fact.source, QUARANTINE + plain(fact.key), body)


def quarantined_timer(book: Book, failed: TimerFailed) -> e.Event:
    """The event that leaves a deadline out, at the time of what was taken last: what is due comes behind it."""
    timer, day = failed.timer, book.day
    assert day is not None, "a deadline before the trading day was opened"
    # Without a rule the deadline itself could not be worked out, so nothing says until when it would count.
    until = timer.due if timer.rule else day.closes_at
    body = e.TimerQuarantined(timer.account, timer.kind, timer.rule, timer.target, until, error_text(failed.error))
    return e.Event(book.now, "clock", f"{QUARANTINE}{timer.kind}:{timer.account}:{timer.target}@{until}", body)


def left_out_text(event: e.Event) -> str:
    """What is left out, and why."""
    body = event.body
    if isinstance(body, e.FactQuarantined):
        return f"{body.fact} {event.key.removeprefix(QUARANTINE)} ({body.error})"
    assert isinstance(body, e.TimerQuarantined), "nothing else is left out"
    about = f"of {body.rule} for {body.target}" if body.rule else f"of the {body.kind} kind"
    return f"a deadline {about} on account {body.account} ({body.error})"


def told_text(event: e.Event) -> str | None:
    """The report of an event that leaves something out; None for any other, and for what was reported before."""
    body = event.body
    if not isinstance(body, e.FactQuarantined | e.TimerQuarantined) or (
        isinstance(body, e.FactQuarantined) and body.again
    ):
        return None
    return LEFT_OUT.format(left_out_text(event))


def leave_timer_out(book: Book, at: int, body: e.TimerQuarantined) -> Effect:
    """Remember a deadline that is left out. The reset forgets it like everything of the day (View.keep_account)."""
    memory = account_of(book, body.account).memory
    name = quarantine_name(body.kind, body.rule, body.target)
    memory[QUARANTINES] = 1
    memory[name] = max(body.until, memory.get(name, 0))
    return Effect()
