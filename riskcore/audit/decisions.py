"""Every decision of recorded days with what led to it: input event, figures, state of the account, settings.

A read model like log.py, but with marks: a breach of an open loss is explained by the price that made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from riskcore.audit.attribution import Attribution
from riskcore.audit.enforcement import Enforcement
from riskcore.audit.fold_stored import fold_stored
from riskcore.audit.parts import parts_of
from riskcore.core import events as e
from riskcore.core.marks import valuation
from riskcore.core.order_words import side_word
from riskcore.core.quantities import money_text, price_text
from riskcore.core.quarantine import LEFT_OUT, error_text, left_out_text, quarantined_fact, told_text
from riskcore.core.quotes import quote_key
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Account, Book, Position, Trade
from riskcore.errors import RiskcoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, day_row, lockout_row, position_row
from riskcore.version import VERSION


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored event and its place in the stream of its day."""

    seq: int
    event: e.Event


@dataclass(slots=True)
class Decision:
    """A breach, or a command, with what was known at that moment."""

    stored: Stored
    body: e.RuleBreached | e.CommandIssued
    input: Stored
    opened: e.TradingDayOpened
    account_name: str | None
    state: Row
    lockout: Row | None = None  # What a breach of the guard went against.
    parts: Row = field(default_factory=dict)  # Of a total at its limit.
    left_out: tuple[str, ...] = ()  # What was left out of the day before, in words.
    in_force: tuple[str, ...] = ()  # Commands already in force that the account owed.
    met_by: Stored | None = None


@dataclass(slots=True)
class Decisions:
    """Listens to the stored events of days, oldest first, and keeps every decision by its id."""

    by_id: dict[str, Decision] = field(default_factory=dict)
    enforcement: Enforcement = field(default_factory=Enforcement)
    _book: Book = field(default_factory=Book)
    _seq: int = 0
    _opened: e.TradingDayOpened | None = None
    _rulebook: Rulebook | None = None
    _input: Stored | None = None
    _left_out: tuple[str, ...] = ()  # Of the day, in words.
    _attribution: Attribution = field(default_factory=Attribution)
    _lockout_set_by: dict[tuple[int, str], str] = field(default_factory=dict)

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            try:
                self._take(event)
            except RiskcoreError:
                raise
            except Exception as error:
                if isinstance(event.body, e.TradingDayOpened):
                    raise
                self._left_out += (LEFT_OUT.format(left_out_text(quarantined_fact(event, error_text(error), VERSION))),)

    def _take(self, event: e.Event) -> None:
        body = event.body
        if isinstance(body, e.TradingDayOpened):
            self._seq, self._opened, self._rulebook = 0, body, rulebook_of(body.settings)
            self._left_out = ()
        elif (text := told_text(event)) is not None:
            self._left_out += (text,)
        self._seq += 1
        stored = Stored(self._seq, event)
        if not event.derived or event.key == event.cause:  # A timer is its own cause.
            self._input = stored
        if isinstance(body, e.ObligationMet):
            self._met(stored, body)
        elif isinstance(body, (e.RuleBreached, e.CommandIssued)):
            self.by_id[body.id] = self._decision(stored, body)
        fold_stored(self._book, event)
        self.enforcement.listen(self._book, event)
        self._attribution.listen(self._book, event)

    def _met(self, stored: Stored, body: e.ObligationMet) -> None:
        decision = self.by_id.get(body.obligation)
        if decision is not None:
            decision.met_by = self._input_of(stored.event.cause)

    def _input_of(self, cause: str) -> Stored:
        """The fact or timer that led to a derived event; a quote is found among those journaled with it."""
        assert self._input is not None, "a derived event follows a fact"
        body = self._input.event.body
        if isinstance(body, e.QuotesObserved):
            for at, contract, last, bid, ask in body.quotes:
                if quote_key(contract, at) == cause:
                    quote = e.QuoteObserved(contract, last, bid, ask)
                    return Stored(self._input.seq, e.Event(at, "market", cause, quote))
        return self._input

    def _decision(self, stored: Stored, body: e.RuleBreached | e.CommandIssued) -> Decision:
        assert self._opened is not None, "a stream begins with its opening"
        account = self._book.accounts[body.account]
        cause = self._input_of(stored.event.cause)
        decision = Decision(
            stored,
            body,
            cause,
            self._opened,
            account.name,
            self._state(account, cause),
            left_out=self._left_out,
            in_force=tuple(account.obligations),
        )
        if isinstance(body, e.RuleBreached):
            decision.parts = parts_of(self._book, body)
            decision.lockout = self._lockout(account, body.figures.get("lockout"))
        elif body.command.kind == "SetLockout":
            name = f"{body.command.scope}/{body.rule}/{body.command.lockout_key}"
            self._lockout_set_by[account.id, name] = body.id
        return decision

    def _lockout(self, account: Account, name: str | None) -> Row | None:
        """The lockout a guard breach names, and the command that set it when these days show it."""
        known = account.lockouts.get(name or "")
        if known is None or name is None:
            return None
        return {"id": name, **lockout_row(known), "command": self._lockout_set_by.get((account.id, name))}

    # ---- the account at that moment ------------------------------------------------------------------

    def _state(self, account: Account, cause: Stored) -> Row:
        """Figures of the day, open positions with their marks, and the day's fills, as they were judged."""
        day = self._book.trade_date
        # A bar is judged price by price; afterwards only its close is left, so no mark is claimed.
        marked = not isinstance(cause.event.body, e.BarObserved)
        figures = account.days.get(day)
        return {
            "day": None if figures is None else day_row(figures),
            "positions": [self._position(position, marked) for position in account.held()],
            "fills": self._fills(account, [trade for trade in account.trades.values() if trade.trade_date == day]),
        }

    def _fills(self, account: Account, trades: list[Trade]) -> list[Row]:
        makers = [self._attribution.of_fill(account.id, account.orders, trade) for trade in trades]
        return [{**row, **maker.row()} for row, maker in zip(_fills(trades), makers, strict=True)]

    def _position(self, position: Position, marked: bool) -> Row:
        assert self._rulebook is not None, "a stream begins with its opening"
        mode = self._rulebook.profile.mark
        row = position_row(self._book, position, mode)
        price = valuation(self._book, position, mode, self._book.now).price
        row["mark"] = None if price is None else price_text(price)
        if not marked:
            row.update(mark=None, unrealized=None)
        lots = [{"fill": lot.trade_id, "size": lot.size, "price": price_text(lot.price)} for lot in position.lots]
        return {**row, "lots": lots}


def _fills(trades: list[Trade]) -> list[Row]:
    """Fills in the order they were recorded, with the day's running net P&L after each."""
    rows: list[Row] = []
    net_usd = 0
    for trade in trades:
        if trade.voided:
            trade = replace(trade, profit_usd=None, fees_usd=None, commissions_usd=None)
        net_usd += (trade.profit_usd or 0) - trade.costs_usd()
        rows.append(
            {
                "fill": trade.id,
                "at": utc_text(trade.recorded_at),
                "contract": trade.contract,
                "side": side_word(trade.side),
                "size": trade.size,
                "price": price_text(trade.price),
                "pnl": None if trade.profit_usd is None else money_text(trade.profit_usd),
                "costs": money_text(trade.costs_usd()),
                "voided": trade.voided,
                "running_net": money_text(net_usd),
            }
        )
    return rows
