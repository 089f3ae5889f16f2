"""What a report knows of recorded days: the stored events folded, and everything worth telling kept as rows.

A read model: built from the events alone, rebuilt at will, and never asked by the core. Source: DESIGN.md "Read side".
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from riskcore.audit.approaches import Approaches
from riskcore.audit.attribution import Attribution, Maker
from riskcore.audit.enforcement import Enforcement
from riskcore.audit.fold_stored import fold_stored
from riskcore.audit.missed import MissedEnforcement
from riskcore.audit.over_enforcement import OverEnforcement
from riskcore.audit.parts import parts_of
from riskcore.audit.words import balance_drift_text, target_text
from riskcore.audit.written import Written, changes, written_settings
from riskcore.core import events as e
from riskcore.core.quarantine import error_text, left_out_text, quarantined_fact, told_text
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Account, Book, DayFigures, Order, Trade
from riskcore.errors import RiskcoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import LockoutHistory, Row, breach_row, command_row, is_shown
from riskcore.version import VERSION

MARKET = (e.QuoteObserved, e.QuotesObserved, e.MarketTraded, e.BarObserved, e.DepthObserved)


@dataclass(slots=True)
class RecordedDay:
    """One trading day of one profile."""

    profile: str
    trade_date: str
    version: str
    lacks: tuple[str, ...]
    events: int = 0
    decided: int = 0  # Of the events: what riskcore derived, and did not receive.
    rejected: int = 0


@dataclass(slots=True)
class AuditLog:
    """Listens to the stored events of days, oldest first; call `finish` after the last."""

    book: Book = field(default_factory=Book)
    days: list[RecordedDay] = field(default_factory=list)
    settings: list[Row] = field(default_factory=list)
    timezone: str = ""  # The profile's, of the last day.
    breaches: list[Row] = field(default_factory=list)
    commands: list[Row] = field(default_factory=list)  # As they were issued; `command_rows` adds what was sent.
    lockouts: LockoutHistory = field(default_factory=LockoutHistory)
    overrides: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)  # Faults, gaps, drifts.
    missed: MissedEnforcement = field(default_factory=MissedEnforcement)
    over: OverEnforcement = field(default_factory=OverEnforcement)
    enforcement: Enforcement = field(default_factory=Enforcement)
    attribution: Attribution = field(default_factory=Attribution)
    names: dict[int, str | None] = field(default_factory=dict)
    figures: dict[tuple[int, str], DayFigures] = field(default_factory=dict)
    fills: dict[tuple[int, int], Trade] = field(default_factory=dict)
    orders: dict[tuple[int, int], Order] = field(default_factory=dict)
    approaches: Approaches = field(default_factory=Approaches)
    _rulebook: Rulebook | None = None
    _overridden: Row | None = None
    _by_account: dict[int, dict[int, Order]] = field(default_factory=dict)  # Orders, built when all are known.
    _in_force: Written = field(default_factory=dict)

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            if isinstance(event.body, e.TradingDayOpened):
                self._open(event, event.body)
            self.days[-1].events += 1
            self.days[-1].decided += event.derived
            self._take_or_leave_out(event)
            self._approach(event)

    def command_rows(self) -> list[Row]:
        """Every command with its outcome, and the requests that were sent for it. May be asked at any time."""
        return [
            {
                **row,
                **self.enforcement.outcome_row(row["id"]),
                "requests": self.enforcement.request_rows(row["id"]),
            }
            for row in self.commands
        ]

    def finish(self) -> "AuditLog":
        """The day is over: what is unmet now was not met. More events of an open day may follow, and `finish` again."""
        self._keep_records()
        self._by_account.clear()
        self.missed.finish(self.book)
        return self

    # ---- days ----------------------------------------------------------------------------------------

    def _open(self, event: e.Event, opened: e.TradingDayOpened) -> None:
        if self.days and self.days[-1].profile != opened.profile:
            # Days of another profile: nothing is carried from one to the other.
            self.missed.finish(self.book)
        self._rulebook = rulebook_of(opened.settings)
        self.days.append(RecordedDay(opened.profile, opened.day.trade_date, opened.version, opened.lacks))
        for account in opened.accounts:
            for lockout in account.lockouts.values():
                self.lockouts.carried(account.id, lockout)
        self.timezone = opened.day.timezone
        self._note_settings(event, opened.settings)

    def _note_settings(self, event: e.Event, plain: dict[str, Any]) -> None:
        """Settings in force, once for as long as they stay the same."""
        written, day = written_settings(plain), self.days[-1]
        known = self.settings[-1] if self.settings else None
        same = written == self._in_force and known is not None and known["profile"] == day.profile
        if known is not None and same and known["version"] == day.version:
            return
        row: Row = {
            "profile": day.profile,
            "from": day.trade_date,
            "at": utc_text(event.at),
            "version": day.version,
            "changes": changes(self._in_force, written) if known is not None else [],
            "settings": written,
        }
        self._in_force = written
        self.settings.append(row)

    def _keep_records(self) -> None:
        """Fills, orders and figures as they are now; at the reset the book lets older ones go."""
        if self._rulebook is None:
            return
        for account in self.book.accounts.values():
            self.names[account.id] = account.name
            self.fills.update({(account.id, trade.id): trade for trade in account.trades.values()})
            self.orders.update({(account.id, order.id): order for order in account.orders.values()})
            if self._rulebook.judges(account):
                self._keep_figures(account)

    def _keep_figures(self, account: Account) -> None:
        recorded = [day.trade_date for day in self.days]
        for figures in account.days.values():
            if figures.trade_date in recorded and is_shown(figures):
                self.figures[account.id, figures.trade_date] = figures

    # ---- who did it ----------------------------------------------------------------------------------

    def maker_of_order(self, account: int, order: Order) -> Maker:
        """Who made an order that was kept."""
        return self.attribution.of_order(account, self._orders_of(account), order)

    def maker_of_fill(self, account: int, trade: Trade) -> Maker:
        """Who made a fill that was kept."""
        return self.attribution.of_fill(account, self._orders_of(account), trade)

    def _orders_of(self, account: int) -> dict[int, Order]:
        if account not in self._by_account:
            self._by_account[account] = {number: order for (of, number), order in self.orders.items() if of == account}
        return self._by_account[account]

    # ---- events --------------------------------------------------------------------------------------

    def _approach(self, event: e.Event) -> None:
        """Follow how near the limits come; what cannot be followed is named where the report itself leaves it out."""
        with suppress(Exception):
            self.approaches.listen(event)

    def _take_or_leave_out(self, event: e.Event) -> None:
        """What this riskcore fails on is left out of the report and named, as an engine leaves it out at a start."""
        try:
            self._take(event)
        except RiskcoreError:
            raise
        except Exception as error:
            left_out = quarantined_fact(event, error_text(error), VERSION)
            account = left_out.body.account if isinstance(left_out.body, e.FactQuarantined) else None
            self._add_note("left_out", utc_text(event.at), account, None, left_out_text(left_out))

    def _take(self, event: e.Event) -> None:
        body = event.body
        if isinstance(body, e.DayRolled):
            self._keep_records()
        effect = fold_stored(self.book, event)
        if isinstance(body, MARKET):
            return
        self.enforcement.listen(self.book, event)
        self.missed.listen(self.book, event, effect)
        self.over.listen(self.book, event)
        self.attribution.listen(self.book, event)
        self.lockouts.listen(event)
        if isinstance(body, e.RuleBreached):
            row = {**breach_row(event, body), "parts": parts_of(self.book, body)}
            self.breaches.append({**row, "trade_date": self.days[-1].trade_date})
        elif isinstance(body, e.CommandIssued):
            self.commands.append({**command_row(event, body), "trade_date": self.days[-1].trade_date})
        else:
            self._note(event, body)

    def _note(self, event: e.Event, body: e.Body) -> None:
        at, day = utc_text(event.at), self.days[-1]
        if isinstance(body, e.WireRejected):
            day.rejected += 1
        elif isinstance(body, e.OperatorOverride):
            self._overridden = {
                "at": at,
                "account": body.account,
                "lockout": body.lockout,
                "reason": body.reason,
                "ended_the_lockout": False,
            }
            self.overrides.append(self._overridden)
        elif isinstance(body, e.LockoutEnded):
            if body.ended_by == "override" and self._overridden is not None:
                self._overridden["ended_the_lockout"] = True
        elif isinstance(body, e.RuleFaulted):
            self._add_note("fault", at, body.account, None, f"{body.rule} ({body.rule_key}) failed: {body.text}")
        elif isinstance(body, e.FactQuarantined | e.TimerQuarantined):
            if told_text(event) is not None:
                self._add_note("left_out", at, body.account, None, left_out_text(event))
        elif isinstance(body, e.GapRecorded):
            self._add_note("gap", at, body.account, body.contract, body.text)
        elif isinstance(body, e.DriftDetected):
            text = f"fills gave {body.fills_size}, the broker reported {body.broker_size}; the broker's figure counts"
            self._add_note("drift", at, body.account, body.contract, text)
        elif isinstance(body, e.BalanceDrifted):
            self._add_note("drift", at, body.account, None, balance_drift_text(body))
        elif isinstance(body, e.TargetReached):
            self._add_note("note", at, body.account, None, target_text(body))
        elif isinstance(body, e.NoteRecorded):
            self._add_note("note", at, body.account, None, body.text)

    def _add_note(self, kind: str, at: str, account: int | None, contract: str | None, text: str) -> None:
        self.notes.append({"kind": kind, "at": at, "account": account, "contract": contract, "text": text})
