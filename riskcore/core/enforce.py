"""The planner: obligations minus reality minus requests in flight (DESIGN.md, RULES.md 1.6, 3.4).

The planner is pure: it only says which derived events are missing now. The live engine stores them and sends the
requests. It plans nothing in a book that no engine enforces (`Book.enforces`): recorded facts of a wire recording
continue as they happened (INTERFACE.md 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from riskcore.core.events import Command, CommandIssued, Derived, RequestPlanned
from riskcore.core.exit_orders import OVER, UNSURE, look_due
from riskcore.core.freshness import reconciled
from riskcore.core.in_flight import (
    carried_out,
    holds_back,
    is_held_back,
    looked_at_again,
    seen_at,
    target_of,
    unresolved_since,
)
from riskcore.core.in_force import next_flat_check
from riskcore.core.kinds import CLOSES, CLOSING, MOVES, STOPS, RequestKind
from riskcore.core.names import order_target, request_id, request_target
from riskcore.core.order_roles import STOP_TAG, can_be_cancelled, cancel_due, entry_orders, leg_grace_ends
from riskcore.core.planner_commands import confirm_flat, failure_alerts, issued, open_close_alerts
from riskcore.core.protection import misfits, own_stop, sure_of_size
from riskcore.core.requests import custom_tag
from riskcore.core.rules.commands import close_position
from riskcore.core.state import (
    BUY,
    SELL,
    STATUS_PENDING,
    Account,
    Attempts,
    Book,
    Obligation,
    Order,
    OrderTerms,
    Position,
    Request,
)


def missing(book: Book, account: Account, command_timeout_ns: int) -> Sequence[Derived]:
    """Requests that are missing, and alerts about those that fail."""
    found: list[Derived] = []
    if not carried_out(book, account):
        return found
    for obligation in account.obligations.values():
        found.extend(failure_alerts(account, obligation))
        found.extend(open_close_alerts(book, account, obligation, command_timeout_ns))
    in_flight: list[Request | RequestPlanned] = [*account.requests.values()]
    for obligation in account.obligations.values():
        for wanted in _wanted(book, account, obligation, command_timeout_ns):
            attempts = obligation.attempts.get(target_of(wanted), Attempts())
            busy = any(holds_back(request, wanted) for request in in_flight) or is_held_back(account, wanted)
            allowed = _may_go_unseen(obligation, wanted) or reconciled(book, account)
            if not busy and allowed and book.now >= attempts.retry_at:
                in_flight.append(wanted)
                found.append(wanted)
    return found


def follow_up(book: Book, account: Account, obligation: Obligation) -> Sequence[CommandIssued]:
    """Flat is shown: cancel what is left working, then look twice whether it stays flat (RULES.md 3.4)."""
    if not carried_out(book, account) or obligation.kind not in CLOSES:
        return ()
    return (confirm_flat(account, obligation.id, obligation.contract, obligation.breach),)


def fitting(book: Book, account: Account, command_timeout_ns: int) -> Sequence[CommandIssued]:
    """Legs and stops that are too large for the position are cut to it, or cancelled once it is flat (RULES.md 8.8)."""
    if not carried_out(book, account) or not reconciled(book, account):
        return ()
    return [
        issued(
            book,
            account,
            order_target(misfit.order.id),
            Command("FitOrder", contract=misfit.order.contract, order_id=misfit.order.id),
        )
        for misfit in misfits(account)
        if book.now >= misfit.settled_at and not _in_hand(account, misfit.order)
    ]


def reopened(book: Book, account: Account, command_timeout_ns: int) -> Sequence[CommandIssued]:
    """What an exit order opened, or one that was being swept behind a close, is closed: nobody wanted it (3.4, 8.7).

    A new order of the trader may open again where no lockout forbids it; where one does, the guard has answered.
    """
    if not carried_out(book, account):
        return ()
    return [
        issued(book, account, position.contract, close_position(position.contract))
        for position in account.held()
        if _was_opened_by_closing(account, position) and not _is_being_closed(account, position.contract)
    ]


def _may_go_unseen(obligation: Obligation, wanted: RequestPlanned) -> bool:
    """A close of what exists needs no complete picture, and asking for the outcome of one makes the picture."""
    return wanted.kind == "closeContract" or (wanted.kind == "takeSnapshot" and obligation.kind in CLOSES)


def _was_opened_by_closing(account: Account, position: Position) -> bool:
    """Whether an exit order, or an order that worked on behind flat, has opened some of what is held."""
    sweeps = [
        one
        for one in account.obligations.values()
        if one.kind == "ConfirmFlat" and one.contract in (None, position.contract)
    ]
    for fill in (account.trades[lot.trade_id] for lot in position.lots if lot.trade_id in account.trades):
        order = account.orders.get(fill.order_id or 0)
        swept = any(fill.order_id in one.order_ids and fill.recorded_at >= one.set_at for one in sweeps)
        if swept or (order is not None and order.exit_of not in (None, OVER, UNSURE)):
            return True
    return False


def _in_hand(account: Account, order: Order) -> bool:
    """Whether an obligation in force sees to an order already; the stops of what is being closed go last."""
    return _is_being_closed(account, order.contract) or any(
        order.id in obligation.order_ids and obligation.kind not in MOVES for obligation in account.obligations.values()
    )


def _is_being_closed(account: Account, contract: str | None) -> bool:
    """Whether a close is in force, or the trader's own one is on its way."""
    return any(
        obligation.kind in CLOSES and obligation.contract in (None, contract)
        for obligation in account.obligations.values()
    ) or any(request.kind == "closeContract" and request.contract == contract for request in account.requests.values())


def deadlines(book: Book, account: Account, command_timeout_ns: int) -> Sequence[int]:
    """The instants to come at which time alone makes a difference to what is planned."""
    instants: list[int] = []
    if not carried_out(book, account):
        return instants
    for request in account.requests.values():
        instants.extend(looked_at_again(account, request, command_timeout_ns))
    instants.extend(look_due(account, position.contract, command_timeout_ns) or 0 for position in account.held())
    instants.extend(cancel_due(order) for order in account.working_orders() if order.status == STATUS_PENDING)
    for obligation in account.obligations.values():
        instants.append(next_flat_check(obligation) or 0)
        instants.extend(attempts.retry_at for attempts in obligation.attempts.values())
        instants.extend(leg_grace_ends(account, obligation.contract) if obligation.kind in CLOSES else ())
    instants.extend(misfit.settled_at for misfit in misfits(account))
    return list(dict.fromkeys(instant for instant in instants if instant > book.now))


# ---- what is wanted ----------------------------------------------------------------------------------


def _wanted(book: Book, account: Account, obligation: Obligation, timeout_ns: int) -> Iterator[RequestPlanned]:
    """The broker calls an obligation still needs, in the order of RULES.md 3.4, and a snapshot where one decides."""
    calls = list(_calls(book, account, obligation))
    yield from calls
    if any(_needs_snapshot(book, account, obligation, call, timeout_ns) for call in calls):
        yield _request(account, obligation, "takeSnapshot")


def _needs_snapshot(
    book: Book, account: Account, obligation: Obligation, call: RequestPlanned, timeout_ns: int
) -> bool:
    """After a failure, or while the outcome of a request in its way is unknown, the broker is asked what there is."""
    attempts = obligation.attempts.get(target_of(call), Attempts())
    if attempts.failures and seen_at(account, call.kind) <= attempts.failed_at:
        return True
    if call.kind in CLOSING:
        due = look_due(account, call.contract, timeout_ns)
        return due is not None and book.now >= due
    return any(
        holds_back(request, call) and unresolved_since(request, book.now, timeout_ns) is not None
        for request in account.requests.values()
    )


def _calls(book: Book, account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    kind = obligation.kind
    if kind in CLOSES:
        for order in entry_orders(account, book.now, obligation.contract):
            if can_be_cancelled(account, order, book.now):
                yield _cancel(account, obligation, order)
        for position in account.held():
            if obligation.contract in (None, position.contract):
                yield _closing(account, obligation, "closeContract", position, abs(position.size))
    elif kind == "ReducePosition":
        yield from _reduction(book, account, obligation)
    elif kind in STOPS:
        yield from _stop(book, account, obligation)
    elif kind == "ModifyTarget":
        yield from _target(account, obligation)
    elif kind == "FitOrder":
        yield from _fit(account, obligation)
    elif kind == "ConfirmRights":
        yield _request(account, obligation, "takeSnapshot")
    else:
        for cancelled in obligation.order_ids:
            known = account.orders.get(cancelled)
            if known is not None and can_be_cancelled(account, known, book.now):
                yield _cancel(account, obligation, known)
        check_at = next_flat_check(obligation)
        if check_at is not None and book.now >= check_at:
            yield _request(account, obligation, "takeSnapshot")


def _reduction(book: Book, account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    """Size is relative to what exists, so a reduce goes out only in the very turn of a snapshot; else one is asked for.

    While a reduce is in flight the snapshot waits for its outcome. What is being closed is not cut.
    """
    if _is_being_closed(account, obligation.contract):
        return
    position = account.positions[obligation.contract or ""]
    excess = abs(position.size) - obligation.to
    call = _closing(account, obligation, "partialCloseContract", position, excess)
    in_flight = is_held_back(account, call) or any(holds_back(one, call) for one in account.requests.values())
    attempts = obligation.attempts.get(target_of(call), Attempts())
    fresh = account.listed_at == book.now and account.reconciled_at >= attempts.failed_at
    if in_flight or fresh:
        yield call
    elif book.now >= attempts.retry_at:
        yield _request(account, obligation, "takeSnapshot")


def _stop(book: Book, account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    """The wanted stop: a change of the one that stands, or a new one, of which there is never a second."""
    contract = obligation.contract
    if _is_being_closed(account, contract):
        return
    size = min(obligation.size, abs(account.positions[contract or ""].size))
    own = own_stop(account, contract, obligation.side)
    standing = obligation.order_ids[0] if obligation.order_ids else own.id if own is not None else None
    call = _request(account, obligation, "placeStop", contract, None, size)
    on_its_way = any(holds_back(request, call) for request in account.requests.values())
    if standing is not None and not on_its_way:
        filled = account.orders[standing].fill_volume if size and standing in account.orders else 0
        yield _request(account, obligation, "modifyStop", contract, standing, size + filled)
        return
    if not on_its_way and not sure_of_size(book, account, account.positions[contract or ""]):
        yield _request(account, obligation, "takeSnapshot")
        return
    attempts = obligation.attempts.get(target_of(call), Attempts())
    # After a failure a list says first whether the order is there.
    if not attempts.failures or seen_at(account, call.kind) >= attempts.failed_at:
        yield replace(call, tag=_stop_tag(account, obligation, attempts.refused))
    else:
        yield _request(account, obligation, "takeSnapshot")


def _target(account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    """The change of the order that takes the profit; not while the position is being closed."""
    if not _is_being_closed(account, obligation.contract):
        call = _request(account, obligation, "modifyOrder", obligation.contract, obligation.order_ids[0])
        yield replace(call, terms=OrderTerms(limit_price=obligation.price))


def _stop_tag(account: Account, obligation: Obligation, refused: int) -> str:
    """The same tag until it is used up, so that a repeat after an unknown outcome can never make two orders."""
    used = [order.tag for order in account.orders.values() if order.tag is not None]
    while True:
        tag = custom_tag(f"{account.id}/{obligation.id}/placeStop/{obligation.contract}/{refused}", STOP_TAG)
        if tag not in used:
            return tag
        refused += 1


def _fit(account: Account, obligation: Obligation) -> Iterator[RequestPlanned]:
    """What brings a leg or stop down to what is open: a smaller size, or its cancellation."""
    for misfit in misfits(account):
        order = misfit.order
        if order.id == obligation.order_ids[0] and not misfit.size:
            yield _cancel(account, obligation, order)
        elif order.id == obligation.order_ids[0]:
            size = order.fill_volume + misfit.size
            call = _request(account, obligation, "modifyOrder", order.contract, order.id, size)
            yield replace(call, side=order.side, terms=OrderTerms())


def _closing(
    account: Account, obligation: Obligation, kind: RequestKind, position: Position, size: int
) -> RequestPlanned:
    """A close or a cut, with side and size of the exit order that is to be expected."""
    call = _request(account, obligation, kind, position.contract, size=size)
    return replace(call, side=SELL if position.size > 0 else BUY)


def _cancel(account: Account, obligation: Obligation, order: Order) -> RequestPlanned:
    return _request(account, obligation, "cancelOrder", order.contract, order.id)


def _request(
    account: Account,
    obligation: Obligation,
    kind: RequestKind,
    contract: str | None = None,
    order_id: int | None = None,
    size: int = 0,
) -> RequestPlanned:
    """A request whose id derives from its obligation, target and number: the same plan has the same ids."""
    target = request_target(kind, contract, order_id)
    attempt = obligation.attempts.get(target, Attempts()).planned + 1
    return RequestPlanned(
        account=account.id,
        request=request_id(obligation.id, target, attempt),
        obligation=obligation.id,
        kind=kind,
        contract=contract,
        order_id=order_id,
        size=size,
        side=obligation.side,
        price=obligation.price,
        attempt=attempt,
    )
