"""The planner: obligations minus reality minus requests in flight (DESIGN.md, RULES.md 1.6, 3.4).

`plan` is pure and only says which requests are missing; the live engine stores and sends them. A replay
carries nothing out and never calls it (INTERFACE.md 5).
"""

from collections.abc import Iterator

from riskcore.core.events import Command, RequestPlanned, RequestSuperseded
from riskcore.core.order_roles import entry_orders
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book, Obligation, Order, Request

# Delays before the next try after a refusal or timeout; the last one repeats (RULES.md 1.6).
RETRY_SECONDS = (0, 1, 2, 5, 10, 30)
ALERT_AT_FAILURE = 3
UNRESOLVED_CLOSE_NS = 5 * SECOND_NS


def retry_delay_ns(failures: int) -> int:
    """How long to wait after the nth failure (1 is the first)."""
    return RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1] * SECOND_NS


def plan(book: Book, account: Account, command_timeout_ns: int) -> list[RequestPlanned | RequestSuperseded]:
    """Requests that are missing now for one account, and requests whose time has passed."""
    ended = [
        RequestSuperseded(account.id, request.id, reason)
        for request in account.requests.values()
        if (reason := _over(book, account, request, command_timeout_ns)) is not None
    ]
    gone = [superseded.request for superseded in ended]
    open_requests = [request for request in account.requests.values() if request.id not in gone]
    planned: list[RequestPlanned] = []
    for obligation in account.obligations.values():
        for wanted in _wanted(account, obligation, book.now):
            busy = any(_same_target(request, wanted) for request in open_requests)
            busy = busy or any(_same_target(request, wanted) for request in planned)
            if not busy and book.now >= obligation.retry_at:
                planned.append(wanted)
    return [*ended, *planned]


def _over(book: Book, account: Account, request: Request, command_timeout_ns: int) -> str | None:
    """Why a request is no longer in flight, None while it is."""
    if request.obligation not in account.obligations:
        return "the obligation is met"
    age_ns = book.now - request.at
    if request.state == "unresolved":
        if account.reconciled_at > request.at:
            return "a snapshot showed what happened"
        if request.kind == "closeContract" and age_ns >= UNRESOLVED_CLOSE_NS:
            return "a close is repeated without a snapshot"
        return None
    if request.state == "accepted" and age_ns >= command_timeout_ns:
        return "no effect was seen in time"
    return None


def _same_target(request: Request | RequestPlanned, wanted: RequestPlanned) -> bool:
    if wanted.order_id is not None:
        return request.order_id == wanted.order_id and request.kind == wanted.kind
    closes = ("closeContract", "partialCloseContract")
    if wanted.kind in closes:
        return request.kind in closes and request.contract == wanted.contract
    return request.kind == wanted.kind and request.contract == wanted.contract


def _wanted(account: Account, obligation: Obligation, now: int) -> Iterator[RequestPlanned]:
    """The broker calls an obligation still needs, in the order of RULES.md 3.4: cancel entries, then close."""
    kind = obligation.kind
    if kind in ("CancelOrders", "CancelOrder"):
        for cancelled in obligation.order_ids:
            order = account.orders.get(cancelled)
            if order is not None and order.working:
                yield _cancel(account, obligation, order)
    elif kind in ("CloseAllPositions", "ClosePosition"):
        for order in entry_orders(account, now, obligation.contract):
            yield _cancel(account, obligation, order)
        for position in account.held():
            if obligation.contract in (None, position.contract):
                yield _request(account, obligation, "closeContract", contract=position.contract)
    elif kind == "ReducePosition":
        yield from _reduction(account, obligation)
    else:
        order_id = obligation.order_ids[0] if obligation.order_ids else None
        yield _request(
            account, obligation, "placeStop" if order_id is None else "modifyStop", obligation.contract, order_id
        )


def _reduction(account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    """Size is relative to what exists, so a reduce goes out only straight after a fresh snapshot."""
    position = account.positions.get(obligation.contract or "")
    excess = abs(position.size) - obligation.to if position is not None else 0
    if position is not None and excess > 0 and account.reconciled_at >= max(position.changed_at, obligation.retry_at):
        yield _request(account, obligation, "partialCloseContract", contract=position.contract, size=excess)


def _cancel(account: Account, obligation: Obligation, order: Order) -> RequestPlanned:
    return _request(account, obligation, "cancelOrder", order.contract, order.id)


def _request(
    account: Account,
    obligation: Obligation,
    kind: str,
    contract: str | None = None,
    order_id: int | None = None,
    size: int = 0,
) -> RequestPlanned:
    """A request with an id derived from its obligation, target and attempt: the same plan has the same ids."""
    attempt = obligation.failures + 1
    target = order_id if order_id is not None else contract
    return RequestPlanned(
        account=account.id,
        request=f"{obligation.id}/{kind}/{target}/{attempt}",
        obligation=obligation.id,
        kind=kind,
        contract=contract,
        order_id=order_id,
        size=size or obligation.size,
        side=obligation.side,
        price=obligation.price,
        attempt=attempt,
    )


def alert_due(obligation: Obligation) -> bool:
    """Whether the failure just noted is the one that must be told to a person."""
    return obligation.failures == ALERT_AT_FAILURE


def failure_alert(obligation: Obligation) -> Command:
    text = f"{obligation.kind} was not carried out after {obligation.failures} attempts; still trying"
    return Command("Alert", contract=obligation.contract, level="critical", text=text)
