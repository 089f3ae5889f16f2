"""Requests in flight: when one is over, when it is looked at again, and what it holds back (RULES.md 1.6)."""

from collections.abc import Sequence

from riskcore.core.events import Derived, RequestConfirmed, RequestPlanned, RequestSuperseded
from riskcore.core.exit_orders import alert_due, is_on_its_way, outcome
from riskcore.core.in_force import effect_seen, was_rejected
from riskcore.core.kinds import CLOSING, RequestKind
from riskcore.core.names import request_target
from riskcore.core.planner_commands import confirm_flat
from riskcore.core.state import Account, Book, Request


def carried_out(book: Book, account: Account) -> bool:
    """Whether anything may be sent: never for an account that is not simulated (RULES.md 6.8)."""
    return book.enforces and account.simulated is not False


def ended(book: Book, account: Account, command_timeout_ns: int) -> Sequence[Derived]:
    """Requests that are no longer in flight."""
    found: list[Derived] = []
    for request in account.requests.values() if carried_out(book, account) else ():
        sent = request.state != "planned"
        seen = sent and effect_seen(account, request)
        filled, reason = False, _over(book, account, request, command_timeout_ns)
        if sent and request.kind in CLOSING:
            filled, reason = outcome(account, request, command_timeout_ns) or (False, None)
            seen = seen or (reason is not None and _is_flat(account, request))
        if seen or filled:
            found.append(RequestConfirmed(account.id, request.id))
            if seen and request.kind == "closeContract" and not request.obligation:
                found.append(confirm_flat(account, request.id, request.contract, None))
        elif reason is not None:
            found.append(RequestSuperseded(account.id, request.id, reason))
    return found


def _is_flat(account: Account, request: Request) -> bool:
    """Whether a picture that ends the wait for a close shows what it was sent for."""
    position = account.positions.get(request.contract or "")
    return request.kind == "closeContract" and (position is None or not position.size)


def unresolved_since(request: Request, now: int, command_timeout_ns: int) -> int | None:
    """Since when it is unknown what the broker did; None while an answer may still come or has come."""
    if request.state == "unresolved":
        return request.at
    # An order that was taken and is not seen may be there all the same: a second one would be one too many.
    silent = request.state == "attempted" or (request.state == "accepted" and request.kind == "placeStop")
    if silent and now - request.at >= command_timeout_ns:
        return request.at + command_timeout_ns
    return None


def looked_at_again(account: Account, request: Request, command_timeout_ns: int) -> tuple[int, ...]:
    """When a request is looked at again if nothing is heard of it: no answer, no effect, no snapshot."""
    if request.state == "planned":
        return () if request.obligation else (request.at + command_timeout_ns,)
    answer_due = request.at if request.state == "unresolved" else request.at + command_timeout_ns
    alert_at = alert_due(account, request, command_timeout_ns) if request.kind in CLOSING else None
    return (answer_due, alert_at or 0)


def _over(book: Book, account: Account, request: Request, command_timeout_ns: int) -> str | None:
    """Why a request is no longer in flight, None while it is."""
    if request.state == "planned" and request.obligation:
        return None if request.obligation in account.obligations else "the obligation is met"
    if request.state == "planned":
        return "it was not sent in time" if book.now - request.at >= command_timeout_ns else None
    if request.state == "accepted" and request.kind == "placeOrder":
        # It counts as exposure to come until it is seen, or seen not to be there.
        return "a snapshot showed what happened" if seen_at(account, request.kind) > request.at else None
    if request.kind == "placeStop" and was_rejected(account, request):
        return "the broker rejected the order"
    if request.state == "accepted" and request.kind != "placeStop":
        return "no effect was seen in time" if book.now - request.at >= command_timeout_ns else None
    since = unresolved_since(request, book.now, command_timeout_ns)
    if since is None:
        return None
    if request.kind == "takeSnapshot":
        return "asking changes nothing"
    return "a snapshot showed what happened" if seen_at(account, request.kind) > since else None


def seen_at(account: Account, kind: RequestKind) -> int:
    """When the broker last listed what a request of this kind acts on."""
    return account.reconciled_at if kind in CLOSING else min(account.reconciled_at, account.orders_listed_at)


def target_of(wanted: RequestPlanned) -> str:
    return request_target(wanted.kind, wanted.contract, wanted.order_id)


def holds_back(request: Request | RequestPlanned, wanted: RequestPlanned) -> bool:
    """Whether a request in flight stands in the way of another. Nothing but a close stands in the way of a close."""
    if wanted.kind in CLOSING and request.kind in CLOSING:
        return request.contract == wanted.contract
    known = request.target if isinstance(request, Request) else target_of(request)
    return known == target_of(wanted)


def is_held_back(account: Account, wanted: RequestPlanned) -> bool:
    """Whether the order of an earlier close may still fill: a second close could reverse the position."""
    return wanted.kind in CLOSING and is_on_its_way(account, wanted.contract)
