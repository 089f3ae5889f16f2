"""The events of the programme, part of the catalogue in events.py: what the operator enters, and what is reported.

Source: PROGRAMME.md 4 and 6.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PayoutRecorded:
    """The operator enters a payout; `trade_date` is that of the request, None means the day it is entered."""

    account: int
    amount_usd: int
    trade_date: str | None = None


@dataclass(frozen=True, slots=True)
class ProgrammeReset:
    """The account starts over: None means the start balance of its terms, and the floor of that (PROGRAMME.md 6)."""

    account: int
    reason: str
    balance_usd: int | None = None
    floor_usd: int | None = None


@dataclass(frozen=True, slots=True)
class NoteRecorded:
    """A remark of the operator's, for the audit."""

    account: int
    text: str


@dataclass(frozen=True, slots=True)
class BalanceDrifted:
    """A settled balance is not what the opening balance and the day's fills make (PROGRAMME.md 4)."""

    account: int
    computed_usd: int
    broker_usd: int


@dataclass(frozen=True, slots=True)
class TargetReached:
    """A trading day reached the profit that passes, at its close or, by a reading, before it (PROG-TARGET, R3)."""

    account: int
    trade_date: str
    profit_usd: int
