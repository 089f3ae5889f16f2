"""The two events that say what the core goes on without (quarantine.py); part of the catalogue in events.py."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FactQuarantined:
    """A fact the core failed on, kept whole. Changes nothing (DESIGN.md, "One event")."""

    fact: str  # The type of the event it would have been.
    data: dict[str, Any]  # Its fields as plain data (quarantine.plain).
    error: str
    version: str  # Of the riskcore that failed on it: another one may manage.
    account: int | None = None
    again: bool = False  # Reported again, and set aside without another try.


@dataclass(frozen=True, slots=True)
class TimerQuarantined:
    """A deadline the core failed on, left out up to an instant. Without `rule` all deadlines of its kind are."""

    account: int
    kind: str  # Timer.kind
    rule: str
    target: str
    until: int
    error: str
