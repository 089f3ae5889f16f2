"""Over-enforcement: what riskcore did without need, or more of than was asked. Listed beside missed enforcement.

An attempt without a position or a working order that it is about, or for an obligation that is no longer in force,
was without need. A close whose own fills are more than it asked for, or that opened the other side, closed too much
(RULES.md 8.7).
"""

from dataclasses import dataclass, field

from riskcore.core import events as e
from riskcore.core.exit_orders import is_exit_order
from riskcore.core.in_force import is_met
from riskcore.core.kinds import CLOSING
from riskcore.core.names import read_request_id
from riskcore.core.state import Account, Book, Request
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

WITHOUT_NEED, TOO_MUCH, REVERSED = "without_need", "closed_too_much", "reversed"


@dataclass(slots=True)
class OverEnforcement:
    """`rows` in order."""

    rows: list[Row] = field(default_factory=list)
    _sizes: dict[str, int] = field(default_factory=dict)  # Request -> how many contracts it was to close.
    _rules: dict[str, str] = field(default_factory=dict)  # Command id -> who issued it.
    _closed: dict[str, int] = field(default_factory=dict)  # Request -> how many its order has closed.
    _filled: dict[tuple[int, int], None] = field(default_factory=dict)  # Fills that were counted.

    def listen(self, book: Book, event: e.Event) -> None:
        """An event after it was folded."""
        body = event.body
        if isinstance(body, e.CommandIssued):
            self._rules[body.id] = body.rule
        elif isinstance(body, e.RequestPlanned) and body.kind in CLOSING:
            self._sizes[body.request] = body.size
        elif isinstance(body, e.RequestAttempted):
            account = book.accounts.get(body.account)
            request = account.requests.get(body.request) if account is not None else None
            if account is not None and request is not None:
                self._attempted(account, request, event)
        elif isinstance(body, e.TradeRecorded):
            self._traded(book.accounts[body.account], body, event)

    def _attempted(self, account: Account, request: Request, event: e.Event) -> None:
        obligation = account.obligations.get(request.obligation)
        reason = None
        if request.obligation and obligation is None:
            reason = "its command was no longer in force"
        elif request.kind in CLOSING and not _held(account, request.contract):
            reason = f"nothing of {request.contract} was held"
        elif obligation is not None and obligation.kind != "ConfirmFlat" and is_met(account, obligation):
            reason = "its command was met already"
        if reason is not None and request.kind in (*CLOSING, "cancelOrder"):
            text = f"{request.kind} {request.contract or f'order {request.order_id}'} was sent although {reason}"
            self._add(WITHOUT_NEED, event, account, request.id, request.contract, text)

    def _traded(self, account: Account, body: e.TradeRecorded, event: e.Event) -> None:
        order = account.orders.get(body.order_id) if body.order_id is not None else None
        if (
            order is None
            or not order.exit_of
            or not is_exit_order(order)
            or (account.id, body.trade_id) in self._filled
        ):
            return
        self._filled[account.id, body.trade_id] = None
        request = order.exit_of
        before = self._closed.get(request, 0)
        self._closed[request] = before + body.size
        asked = self._sizes.get(request, 0)
        if body.profit_usd is None:
            text = f"{body.size} of {body.contract} were opened on the other side by a close"
            self._add(REVERSED, event, account, request, body.contract, text)
        elif asked and before + body.size > asked and before <= asked:
            text = f"{before + body.size} of {body.contract} were closed where {asked} were asked for"
            self._add(TOO_MUCH, event, account, request, body.contract, text)

    def _add(self, kind: str, event: e.Event, account: Account, request: str, contract: str | None, text: str) -> None:
        name = read_request_id(request)
        command = name.origin if name is not None else None
        self.rows.append(
            {
                "kind": kind,
                "at": utc_text(event.at),
                "account": account.id,
                "contract": contract,
                "command": command,
                "rule": self._rules.get(command or ""),
                "request": request,
                "cause": event.key,
                "text": text,
            }
        )


def _held(account: Account, contract: str | None) -> bool:
    position = account.positions.get(contract or "")
    return position is not None and (position.size != 0 or position.lot_size != 0)
