"""Results of recorded days as typed objects. The names are those of `replay --json` and `whatif --json`.

Money, prices and P&L are exact `Decimal`s. Instants (RFC 3339, UTC) and trading days stay the texts that the JSON has:
an instant may have nine digits behind the second, more than `datetime` holds, and both sort as they are.
Fields that do not apply are None. Source: INTERFACE.md 5 and 6, PROGRAMME.md 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """One session file as it was read."""

    path: str
    form: str
    sha256: str
    events: int
    first_at: str | None
    last_at: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """One trading day of one account. The last four fields belong to a programme."""

    trade_date: str
    fills: int
    orders_filled: int
    round_trips: int
    gross_pnl: Decimal
    fees: Decimal
    commissions: Decimal
    net_pnl: Decimal
    worst_running_net: Decimal
    best_running_net: Decimal
    opening_balance: Decimal | None = None
    closing_balance: Decimal | None = None
    floor: Decimal | None = None
    size_cap_units: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A position open at the end. `side` is long or short."""

    contract: str
    side: str
    size: int
    average_price: Decimal | None
    unrealized: Decimal | None


@dataclass(frozen=True, slots=True)
class Blind:
    """A rule that could not judge a day, and why."""

    trade_date: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lockout:
    """A lockout in force at the end."""

    scope: str
    rule: str
    kind: str
    set_at: str
    expires_at: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PastLockout:
    """A lockout set in these days; `ended_at` and `ended_by` are None while it is in force."""

    account: int
    scope: str
    rule: str
    kind: str
    set_at: str
    ended_at: str | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """One account that the rules judge. `programme` is its row of PROGRAMME.md 9, amounts as text."""

    id: int
    name: str
    days: list[Day]
    positions: list[Position]
    blind: list[Blind]
    lockouts: list[Lockout]
    programme: Row | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach episode. `figures` are those at the limit, amounts as text (INTERFACE.md 5)."""

    id: str
    at: str
    account: int
    rule: str
    contract: str | None
    figures: Row
    flags: list[str]
    cause: str


@dataclass(frozen=True, slots=True)
class Command:
    """One enforcement command, at the moment it came into force."""

    id: str
    at: str
    account: int
    kind: str
    rule: str
    contract: str | None
    size: int | None
    price: Decimal | None
    breach: str | None
    to: int | None = None
    order: int | None = None
    scope: str | None = None
    lockout_kind: str | None = None
    expires_at: str | None = None
    side: str | None = None
    level: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Decisions recorded in a journal export beside those computed now."""

    recorded: int
    recomputed: int
    differences: list[Row]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found. `warnings` are the sentences that the command prints on stderr."""

    sessions: list[Session]
    accounts: list[Account]
    breaches: list[Breach]
    commands: list[Command]
    lockout_history: list[PastLockout]
    comparison: Comparison | None
    rejected_lines: int
    state_hash: str
    warnings: list[str]
    _json: Row = field(repr=False)

    def to_dict(self) -> Row:
        """The object that `riskcore replay --json` prints."""
        return self._json


@dataclass(frozen=True, slots=True)
class Course:
    """The accounts at the end of one course."""

    accounts: list[Account]


@dataclass(frozen=True, slots=True)
class DayEffect:
    """The effect on one account and trading day."""

    account: int
    trade_date: str
    baseline: Decimal
    counterfactual: Decimal
    net_pnl: Decimal
    exact: Decimal
    simulated: Decimal
    left_out_entries: int
    left_out_contracts: int
    guard_cost: Decimal | None
    flags: list[str]


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """The share of one rule, or of the profile, in the effect (WHATIF.md 5)."""

    rule: str
    table: str
    net_pnl: Decimal
    leave_one_out: Decimal
    alone: Decimal
    days_helped: int
    days_hurt: int
    standard_error: Decimal | None


@dataclass(frozen=True, slots=True)
class Effect:
    """The counterfactual less the baseline: what is exact, what hangs on a simulated price, and whose it is."""

    net_pnl: Decimal
    exact: Decimal
    simulated: Decimal
    open_pnl: dict[str, Decimal]
    by_quality: list[Row]
    days: Row
    by_rule: list[RuleEffect]
    shares: Row | None
    by_day: list[DayEffect]


@dataclass(frozen=True, slots=True)
class WhatifResult:
    """What the same days would have come to. `warnings` are the sentences that the command prints on stderr."""

    policy: str
    baseline: Course
    counterfactual: Course
    divergence: list[Row]
    effect: Effect
    range: Row | None
    tilt: list[Row]
    closest: list[Row]
    assumptions: Row
    stamp: Row
    warnings: list[str]
    _json: Row = field(repr=False)

    def to_dict(self) -> Row:
        """The object that `riskcore whatif --json` prints."""
        return self._json


def replay_result(row: Row, warnings: Sequence[str]) -> ReplayResult:
    """The result of INTERFACE.md 5 as an object."""
    return msgspec.convert({**row, "warnings": warnings, "_json": row}, ReplayResult)


def whatif_result(row: Row, warnings: Sequence[str]) -> WhatifResult:
    """The result of INTERFACE.md 6 as an object."""
    return msgspec.convert({**row, "warnings": warnings, "_json": row}, WhatifResult)
