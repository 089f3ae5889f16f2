"""What was sent for each command and how it came out: requests, answers, exit orders, their fills and what they cost.

A read model of the stored events alone. Times are those of the journal: when a request left, when its answer and the
fills of its exit order arrived. Slippage is a result, like P&L: below zero the fill was worse than the mark at which
the position was valued when the command was decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from riskcore.core import events as e
from riskcore.core.exit_orders import OVER, UNSURE
from riskcore.core.kinds import CLOSING, CUTS
from riskcore.core.marks import valuation
from riskcore.core.order_words import side_word
from riskcore.core.quantities import SECOND_NS, decimal_text, money_text, move_value, price_text
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Account, Book, Contract, Order, Trade
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

SECOND_PLACES = len(str(SECOND_NS)) - 1  # Nanoseconds as decimal seconds.
TICK_PLACES = 2  # An average of several fills is rounded to these; whole ticks stay exact.
MET, SUPERSEDED, NOT_MET = "met", "superseded", "not_met"
_Fill = tuple[int, int]  # Account, fill.


@dataclass(slots=True)
class _Command:
    """A command in force: an obligation."""

    issued_at: int
    met_at: int | None = None
    superseded_at: int | None = None
    superseded_by: str | None = None
    marks: dict[str, int] = field(default_factory=dict)  # What the held contracts were valued at.


@dataclass(slots=True)
class _Sent:
    """A request from its planning to its end."""

    planned: e.RequestPlanned
    planned_at: int
    contract: Contract | None
    mark: int | None
    outcome: str = "planned"
    sent_at: int | None = None
    answered_at: int | None = None
    answer: str | None = None
    confirmed_at: int | None = None
    reason: str | None = None
    broker_order: int | None = None
    exit_orders: dict[int, None] = field(default_factory=dict)
    fills: dict[_Fill, None] = field(default_factory=dict)


_ANSWERS = {e.RequestAccepted: "accepted", e.RequestRefused: "refused", e.RequestUnresolved: "unresolved"}


@dataclass(slots=True)
class Enforcement:
    """Listens to the stored events of days, oldest first, each after it was folded into a book that has marks."""

    _commands: dict[str, _Command] = field(default_factory=dict)
    _open: dict[int, dict[str, None]] = field(default_factory=dict)  # Account -> its commands in force.
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _by_command: dict[str, list[_Sent]] = field(default_factory=dict)
    _closes: dict[tuple[int, str | None], list[_Sent]] = field(default_factory=dict)  # Account, contract -> closes.
    _makers: dict[_Fill, str] = field(default_factory=dict)  # Account, order -> the request that made it.
    _trades: dict[_Fill, Trade] = field(default_factory=dict)

    def listen(self, book: Book, event: e.Event) -> None:
        """An event after it was folded."""
        body = event.body
        if isinstance(body, e.CommandIssued):
            self._issued(book, event.at, body)
        elif isinstance(body, e.ObligationMet):
            self._open.get(body.account, {}).pop(body.obligation, None)
            command = self._commands.get(body.obligation)
            if command is not None:
                command.met_at = event.at
        elif isinstance(body, e.RequestPlanned):
            self._planned(book, event.at, body)
        elif isinstance(body, e.OrderObserved):
            self._ordered(body.account, book.accounts[body.account].orders.get(body.order_id))
        elif isinstance(body, e.TradeRecorded | e.TradeVoided):
            self._traded(book.accounts[body.account], body.trade_id)
        else:
            self._about_request(event.at, body)

    # ---- rows ----------------------------------------------------------------------------------------

    def outcome_row(self, command: str) -> Row:
        """How a command came out; empty for one that acts by being recorded."""
        known = self._commands.get(command)
        if known is None:
            return {}
        superseded = known.superseded_at is not None
        return {
            "outcome": MET if known.met_at is not None else SUPERSEDED if superseded else NOT_MET,
            "met_at": _instant(known.met_at),
            "met_after_seconds": _seconds(known.issued_at, known.met_at),
            "superseded_at": _instant(known.superseded_at),
            "superseded_by": known.superseded_by,
        }

    def request_rows(self, command: str) -> list[Row]:
        """The requests of a command in the order in which they were planned."""
        return [self._row(sent) for sent in self._by_command.get(command, ())]

    def request_of_order(self, account: int, order: int | None) -> str | None:
        """The request that made an order: a close its exit order, or a wanted stop."""
        return None if order is None else self._makers.get((account, order))

    def fill_rows(self) -> dict[_Fill, Row]:
        """By account and id, of each fill of such an order: its request and the slippage."""
        rows: dict[_Fill, Row] = {}
        for sent in self._sent.values():
            for name in sent.fills:
                if name in self._trades:
                    rows[name] = {"request": sent.planned.request, **_slippage(sent, [self._trades[name]])}
        return rows

    def _row(self, sent: _Sent) -> Row:
        planned = sent.planned
        command = self._commands.get(planned.obligation)
        decided_at = sent.planned_at if command is None else command.issued_at
        fills = [self._trades[name] for name in sent.fills if not self._trades[name].voided]
        filled_at = max((fill.recorded_at for fill in fills), default=None)
        return {
            "id": planned.request,
            "command": planned.obligation,
            "account": planned.account,
            "kind": planned.kind,
            "attempt": planned.attempt,
            "contract": planned.contract,
            "order": planned.order_id,
            "side": side_word(planned.side),
            "size": planned.size or None,
            "price": None if planned.price is None else price_text(planned.price),
            "outcome": sent.outcome,
            "reason": sent.reason,
            "planned_at": utc_text(sent.planned_at),
            "sent_at": _instant(sent.sent_at),
            "answered_at": _instant(sent.answered_at),
            "answer": sent.answer,
            "confirmed_at": _instant(sent.confirmed_at),
            "broker_order": sent.broker_order,
            "exit_orders": list(sent.exit_orders),
            "fills": [_fill(sent, fill) for fill in fills],
            "filled_at": _instant(filled_at),
            "mark": None if sent.mark is None else price_text(sent.mark),
            **_slippage(sent, fills),
            "sent_after_seconds": _seconds(decided_at, sent.sent_at),
            "answered_after_seconds": _seconds(sent.sent_at, sent.answered_at),
            "filled_after_seconds": _seconds(sent.sent_at, filled_at),
        }

    # ---- following -----------------------------------------------------------------------------------

    def _issued(self, book: Book, at: int, body: e.CommandIssued) -> None:
        account = book.accounts[body.account]
        in_force = self._open.setdefault(body.account, {})
        for name in [name for name in in_force if name not in account.obligations]:
            del in_force[name]
            self._commands[name].superseded_at, self._commands[name].superseded_by = at, body.id
        if body.id in account.obligations:
            in_force[body.id] = None
            self._commands[body.id] = command = _Command(at)
            if body.command.kind in CUTS:
                command.marks = _marks(book, account)

    def _planned(self, book: Book, at: int, body: e.RequestPlanned) -> None:
        mark = None
        if body.kind in CLOSING and body.contract is not None:
            command = self._commands.get(body.obligation)
            marks = _marks(book, book.accounts[body.account])
            mark = (marks if command is None else {**marks, **command.marks}).get(body.contract)
        sent = _Sent(body, at, book.contracts.get(body.contract or ""), mark)
        self._sent[body.request] = sent
        self._by_command.setdefault(body.obligation, []).append(sent)
        if body.kind in CLOSING:
            self._closes.setdefault((body.account, body.contract), []).append(sent)

    def _about_request(self, at: int, body: e.Body) -> None:
        sent = self._sent.get(getattr(body, "request", ""))
        if sent is None:
            return
        over = sent.outcome in ("confirmed", "superseded")
        if isinstance(body, e.RequestAttempted):
            sent.sent_at, sent.outcome = at, "attempted"
        elif isinstance(body, e.RequestAccepted | e.RequestRefused | e.RequestUnresolved):
            sent.answered_at, sent.answer = at, _ANSWERS[type(body)]
            sent.broker_order = getattr(body, "order_id", None)
            if sent.broker_order is not None:
                self._makers.setdefault((body.account, sent.broker_order), body.request)
            sent.reason = getattr(body, "reason", None) or sent.reason
            # A list may have shown the effect before the answer came.
            sent.outcome = sent.outcome if over else sent.answer
        elif isinstance(body, e.RequestConfirmed):
            sent.confirmed_at, sent.outcome = at, "confirmed"
        elif isinstance(body, e.RequestSuperseded):
            sent.outcome, sent.reason = "superseded", body.reason or sent.reason

    def _ordered(self, account: int, order: Order | None) -> None:
        """Note which close made an order, from its first version on."""
        if order is None or order.exit_of in (None, UNSURE) or (account, order.id) in self._makers:
            return
        sent = self._sent.get(order.exit_of or "")
        if order.exit_of == OVER:
            # The close was over before its order was shown: it was the last one sent on that side.
            sent = self._last_close(account, order.contract, order.side)
        if sent is not None:
            self._makers[account, order.id] = sent.planned.request
            sent.exit_orders[order.id] = None
            made = [one for one, trade in self._trades.items() if one[0] == account and trade.order_id == order.id]
            self._give(made, sent)

    def _traded(self, account: Account, trade_id: int) -> None:
        trade = account.trade(trade_id)
        if trade is None:
            return
        name = (account.id, trade.id)
        request = self.request_of_order(account.id, trade.order_id)
        sent = self._sent[request] if request is not None else None
        if sent is None and trade.enforced and (trade.order_id or 0) not in account.orders:
            sent = self._last_close(account.id, trade.contract, trade.side)
        if sent is not None or name in self._trades:
            self._trades[name] = trade
        elif self._closes.get((account.id, trade.contract)):
            self._trades[name] = trade  # Its order may be shown later.
        if sent is not None:
            self._give([name], sent)

    def _give(self, names: Iterable[_Fill], sent: _Sent) -> None:
        """Fills are those of one request: of the one whose order they name, once it is known."""
        for name in names:
            for other in self._closes.get((name[0], sent.planned.contract), ()):
                other.fills.pop(name, None)
            sent.fills[name] = None

    def _last_close(self, account: int, contract: str, side: int) -> _Sent | None:
        closes = [
            sent
            for sent in self._closes.get((account, contract), ())
            if sent.sent_at is not None and sent.planned.side in (0, side)
        ]
        return closes[-1] if closes else None


def _marks(book: Book, account: Account) -> dict[str, int]:
    """What each open position is valued at."""
    mode = rulebook_of(book.settings).profile.mark
    prices = {one.contract: valuation(book, one, mode, book.now).price for one in account.held()}
    return {contract: price for contract, price in prices.items() if price is not None}


def _fill(sent: _Sent, fill: Trade) -> Row:
    return {
        "id": fill.id,
        "order": fill.order_id,
        "at": utc_text(fill.recorded_at),
        "size": fill.size,
        "price": price_text(fill.price),
        **_slippage(sent, [fill]),
    }


def _slippage(sent: _Sent, fills: list[Trade]) -> Row:
    """In ticks for each contract on average, and in dollars in all; None where nothing says it."""
    size, contract = sum(fill.size for fill in fills), sent.contract
    if sent.mark is None or contract is None or not size:
        return {"slippage_ticks": None, "slippage_usd": None}
    points = sum((sent.mark - fill.price) * fill.side * fill.size for fill in fills)
    ticks = Fraction(points, contract.tick_size * size)
    return {
        "slippage_ticks": decimal_text(round(ticks * 10**TICK_PLACES), TICK_PLACES),
        "slippage_usd": money_text(move_value(points, contract.tick_size, contract.tick_value)),
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else utc_text(at)


def _seconds(since: int | None, at: int | None) -> str | None:
    return None if since is None or at is None else decimal_text(at - since, SECOND_PLACES)
