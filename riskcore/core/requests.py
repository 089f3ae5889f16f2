"""Requests as recorded: planned, attempted, answered, over (RULES.md 1.6 and 4). Part of the fold; decides nothing."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from riskcore.core import events as e
from riskcore.core.exit_orders import LATE_FILL_NS, closed_name, is_exit_order
from riskcore.core.in_force import was_rejected
from riskcore.core.kinds import CLOSING, RequestState
from riskcore.core.names import request_target
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Attempts, Book, Request, Trade, account_of
from riskcore.core.view import Effect

# A contract of which nothing was heard for this long was halted: the next quote or print says that it trades again.
HALTED_NS = 2 * SECOND_NS
# Delays before the next try after a refusal or a failure; the last one repeats (RULES.md 1.6).
RETRY_SECONDS = (0, 1, 2, 5)


def custom_tag(origin: str, prefix: str = "rc-") -> str:
    """A custom tag that no other order ever had, as `origin` is unique; a replay finds the same (API.md 0.7)."""
    return prefix + sha256(origin.encode()).hexdigest()[:24]


def retry_delay_ns(failures: int) -> int:
    """How long to wait after the nth failure in a row (1 is the first)."""
    return RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1] * SECOND_NS


def request_planned(book: Book, at: int, body: e.RequestPlanned) -> Effect:
    account = account_of(book, body.account)
    request = Request(
        id=body.request,
        obligation=body.obligation,
        kind=body.kind,
        contract=body.contract,
        order_id=body.order_id,
        size=body.size,
        side=body.side,
        price=body.price,
        attempt=body.attempt,
        state="planned",
        at=at,
        tag=body.tag,
        terms=body.terms,
    )
    account.requests[request.id] = request
    _note(account, request, planned=body.attempt)
    return Effect()


def request_attempted(book: Book, at: int, body: e.RequestAttempted) -> Effect:
    """The request leaves with the next commit. No rule judges that: the answer is what changes something."""
    account = account_of(book, body.account)
    request = account.requests.get(body.request)
    if request is not None:
        account.requests[request.id] = replace(request, state="attempted", at=at, attempted_at=at)
    return Effect()


def request_state(state: RequestState) -> Callable[[Book, int, Any], Effect]:
    """The handler of an answer after which the request is still open."""

    def handle(book: Book, at: int, body: Any) -> Effect:
        account = account_of(book, body.account)
        request = account.requests.get(body.request)
        if request is not None:
            account.requests[request.id] = replace(request, state=state, at=at)
        return Effect((body.account,))

    return handle


def request_refused(book: Book, at: int, body: e.RequestRefused) -> Effect:
    _fail(account_of(book, body.account), body.request, at, at, refused=True)
    return Effect((body.account,))


def request_superseded(book: Book, at: int, body: e.RequestSuperseded) -> Effect:
    """A request that ended without effect counts as a failed attempt while its obligation is unmet.

    When a list showed that, the failure is as old as the question, and the same list may decide what is next.
    """
    account = account_of(book, body.account)
    request = account.requests.get(body.request)
    seen = request is not None and request.state != "accepted" and account.reconciled_at > request.at
    failed_at = account.reconciled_at if seen else at
    refused = request is not None and was_rejected(account, request)
    _fail(account, body.request, at, failed_at, refused=refused)
    return Effect()


def request_confirmed(book: Book, at: int, body: e.RequestConfirmed) -> Effect:
    account = account_of(book, body.account)
    request = account.requests.pop(body.request, None)
    if request is not None:
        _note(account, request, failures=0, failed_at=0, retry_at=0)
        if request.kind in CLOSING and request.obligation:
            account.memory[closed_name(request.contract)] = at
    return Effect()


def awaits_trading(account: Account, contract: str, now: int) -> bool:
    """Whether a close of the contract failed and waits for its next try."""
    return any(
        attempts.failures > 0 and attempts.retry_at > now
        for obligation in account.obligations.values()
        for target, attempts in obligation.attempts.items()
        if target in _close_targets(contract)
    )


def resume_closes(account: Account, contract: str, at: int) -> None:
    """A halted contract trades again: closes of it that failed are tried at once (RULES.md 1.6, Pace)."""
    for obligation in account.obligations.values():
        for target in _close_targets(contract):
            attempts = obligation.attempts.get(target)
            if attempts is not None and attempts.failures and attempts.retry_at > at:
                obligation.attempts[target] = replace(attempts, retry_at=at)


def _close_targets(contract: str) -> tuple[str, ...]:
    return tuple(request_target(kind, contract, None) for kind in CLOSING)


def closes_by_itself(account: Account, trade: Trade) -> bool:
    """Whether a closing fill is of riskcore's own close: one is on its way, or was a moment ago (RULES.md 2).

    What closes has no tag and no known order id. An order that was shown, and is no exit order, is somebody else's.
    """
    order = account.orders.get(trade.order_id or 0)
    if trade.profit_usd is None or (order is not None and not is_exit_order(order)):
        return False
    on_its_way = any(
        request.kind in CLOSING and request.obligation and request.contract == trade.contract
        for request in account.requests.values()
        if request.state != "planned"
    )
    closed_at = account.memory.get(closed_name(trade.contract))
    return on_its_way or (closed_at is not None and trade.recorded_at - closed_at <= LATE_FILL_NS)


def _fail(account: Account, request_id: str, at: int, failed_at: int, *, refused: bool) -> None:
    request = account.requests.pop(request_id, None)
    obligation = account.obligations.get(request.obligation) if request is not None else None
    if request is not None and obligation is not None:
        known = obligation.attempts.get(request.target, Attempts())
        failures = known.failures + 1
        _note(
            account,
            request,
            failures=failures,
            failed_at=failed_at,
            retry_at=at + retry_delay_ns(failures),
            refused=known.refused + refused,
        )


def _note(account: Account, request: Request, **changed: int) -> None:
    obligation = account.obligations.get(request.obligation)
    if obligation is not None:
        known = obligation.attempts.get(request.target, Attempts())
        obligation.attempts[request.target] = replace(known, **changed)
