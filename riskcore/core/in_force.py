"""Commands in force: obligations that hold until the broker's events show them met (RULES.md 1.6, 3.3, 3.4)."""

from riskcore.core.events import Command, CommandIssued, RuleBreached
from riskcore.core.exit_orders import is_exit_order, is_shown, looked_at
from riskcore.core.issuers import GUARD_KEY, PLANNER_KEY
from riskcore.core.kinds import CANCELS, CUTS, STOPS, ObligationKind, is_obligation
from riskcore.core.names import episode_name, order_of_target
from riskcore.core.order_roles import entry_orders, is_entry
from riskcore.core.protection import fits
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_PENDING,
    STATUS_REJECTED,
    STOP_TYPES,
    Account,
    Attempts,
    Obligation,
    Order,
    Position,
    Request,
)

# What is followed by a newer one of the same contract: one wanted stop, one wanted target, one look after flat.
REPLACED: tuple[tuple[ObligationKind, ...], ...] = (STOPS, ("ModifyTarget",), ("ConfirmFlat",))
# When the broker is asked again whether a closed position stayed closed (RULES.md 3.4, step 5).
FLAT_CHECKS_NS = (2 * SECOND_NS, 10 * SECOND_NS)
GUARD_CLOSES_WINDOW_NS = 60 * SECOND_NS


def put_in_force(account: Account, body: CommandIssued, at: int) -> None:
    """Remember a command as an obligation. A cancel is bound to the orders that work now."""
    command = body.command
    kind = command.kind
    if not is_obligation(kind):
        return
    attempts: dict[str, Attempts] = {}
    for kinds in REPLACED:
        for known in list(account.obligations.values()) if kind in kinds else ():
            if known.kind in kinds and known.contract == command.contract:
                attempts.update(_handed_on(account, known, body.id))
                end_obligation(account, known.id)
    account.obligations[body.id] = Obligation(
        id=body.id,
        kind=kind,
        rule=body.rule,
        breach=body.breach,
        set_at=at,
        contract=command.contract,
        to=command.to or 0,
        order_ids=_bound_orders(account, command, at),
        side=command.side or 0,
        size=command.size or 0,
        price=command.price,
        attempts=attempts,
    )


def _handed_on(account: Account, known: Obligation, successor: str) -> dict[str, Attempts]:
    """Failures in a row go on counting when a newer wish follows, and the trader is not alerted twice."""
    for target in known.attempts:
        told = account.episodes.get(episode_name(PLANNER_KEY, f"{known.id}/{target}"))
        if told is not None:
            account.episodes[episode_name(PLANNER_KEY, f"{successor}/{target}")] = told
    return {
        target: Attempts(failures=one.failures, failed_at=one.failed_at)
        for target, one in known.attempts.items()
        if one.failures
    }


def end_obligation(account: Account, obligation_id: str) -> None:
    """Take an obligation out of force, with the alerts about it that were open."""
    account.obligations.pop(obligation_id, None)
    about = episode_name(PLANNER_KEY, f"{obligation_id}/")
    for name in [name for name in account.episodes if name.startswith(about)]:
        del account.episodes[name]
        account.counters.pop(name, None)


def _bound_orders(account: Account, command: Command, at: int) -> tuple[int, ...]:
    if command.kind == "CancelOrders" or command.kind == "ConfirmFlat":
        if command.scope == "all":
            orders = [
                order
                for order in account.working_orders()
                if command.contract in (None, order.contract) and not is_exit_order(order)
            ]
        else:
            orders = entry_orders(account, at, command.contract)
        return tuple(order.id for order in orders)
    return (command.order_id,) if command.order_id is not None else ()


def is_met(account: Account, obligation: Obligation) -> bool:
    """Whether recorded facts show that the obligation is fulfilled."""
    if obligation.kind == "CloseAllPositions":
        return not any(_largest(position) for position in account.positions.values())
    if obligation.kind in CUTS:
        position = account.positions.get(obligation.contract or "")
        return position is None or _largest(position) <= obligation.to
    if obligation.kind in CANCELS:
        return not any(_works(account, order_id) for order_id in obligation.order_ids)
    if obligation.kind == "ConfirmFlat":
        cancelled = not any(_works(account, order_id) for order_id in obligation.order_ids)
        return cancelled and obligation.checks_done == len(FLAT_CHECKS_NS)
    if obligation.kind == "ConfirmRights":
        return account.rights_told_at >= obligation.set_at
    if obligation.kind == "FitOrder":
        return fits(account, obligation.order_ids[0])
    if obligation.kind == "ModifyTarget":
        return _target_is_as_wanted(account, obligation)
    return _stop_is_as_wanted(account, obligation)


def _largest(position: Position) -> int:
    """What is held by the broker's word, or by fills that it has pushed nothing behind: a fresh entry is not flat."""
    told = abs(position.lot_size) if position.fill_at > position.push_at else 0
    return max(abs(position.size), told)


def _stop_is_as_wanted(account: Account, obligation: Obligation) -> bool:
    """Whether the stop stands, or nothing is left for it to protect, or it cannot be moved."""
    position = account.positions.get(obligation.contract or "")
    signed = position.size if position is not None else 0
    if signed == 0 or obligation.side * signed > 0:
        return True
    if any(order_id in account.orders and not _works(account, order_id) for order_id in obligation.order_ids):
        return True
    size = min(obligation.size, abs(signed))
    return _stop_stands(account, obligation.contract, obligation.order_ids, obligation.price, size)


def _target_is_as_wanted(account: Account, obligation: Obligation) -> bool:
    """Whether the target is at its price, or nothing is left for it to close, or it cannot be moved."""
    position, order = account.positions.get(obligation.contract or ""), account.orders.get(obligation.order_ids[0])
    if order is None or not order.working or position is None or obligation.side * position.size >= 0:
        return True
    return order.limit_price == obligation.price


def effect_seen(account: Account, request: Request) -> bool:
    """Whether recorded facts show what the request was sent for."""
    obligation = account.obligations.get(request.obligation)
    if request.kind == "takeSnapshot" and obligation is not None and obligation.kind == "ConfirmRights":
        return account.rights_told_at >= request.at
    if request.kind == "takeSnapshot":
        return looked_at(account) >= request.at
    if request.kind == "cancelOrder":
        return not _works(account, request.order_id)
    if request.kind == "closeContract":
        # A push of flat may be older than the close: without its order or its fills the close may be on its way.
        return _size(account, request.contract) == 0 and is_shown(account, request)
    if request.kind == "placeOrder":
        return _is_placed(account, request)
    if request.kind == "placeStop" and _is_pending(account, request):
        return False
    if request.kind == "placeStop" and request.tag is not None and _is_placed(account, request):
        return True
    if request.kind == "modifyOrder":
        return _modified(account, request)
    if request.kind == "partialCloseContract" and not request.obligation:
        return _closed_since(account, request) >= request.size
    if request.kind == "partialCloseContract":
        return obligation is None or is_met(account, obligation)
    order_ids = () if request.order_id is None else (request.order_id,)
    known = account.orders.get(request.order_id or 0)
    left = request.size - known.fill_volume if known is not None and request.size else request.size
    return _stop_stands(account, request.contract, order_ids, request.price, left)


def _is_placed(account: Account, request: Request) -> bool:
    return any(order.tag == request.tag and order.status != STATUS_REJECTED for order in account.orders.values())


def _is_pending(account: Account, request: Request) -> bool:
    """Whether the exchange has not decided yet: an order that is pending protects nothing and may be rejected."""
    return any(order.tag == request.tag and order.status == STATUS_PENDING for order in account.orders.values())


def was_rejected(account: Account, request: Request) -> bool:
    """Whether the order that was to be placed shows up as rejected: its tag is used up, and it protects nothing."""
    rejected = (order.tag for order in account.orders.values() if order.status == STATUS_REJECTED)
    return request.tag is not None and request.tag in rejected


def _modified(account: Account, request: Request) -> bool:
    """Whether the trader's change of an order is seen, or the order is no longer working.

    The broker reads a trail price back as a distance (API.md 2.3): any later word about the order shows that one.
    """
    order, terms = account.orders.get(request.order_id or 0), request.terms
    if order is None or not order.working or terms is None:
        return True
    if terms.trail_price is not None:
        return order.recorded_at >= request.at
    prices = ((terms.limit_price, order.limit_price), (terms.stop_price, order.stop_price))
    return request.size in (0, order.size) and all(asked in (None, known) for asked, known in prices)


def _closed_since(account: Account, request: Request) -> int:
    """How many contracts fills have closed since a partial close was sent; all when nothing is left."""
    if _size(account, request.contract) == 0:
        return request.size
    return sum(
        trade.size
        for trade in account.trades.values()
        if trade.contract == request.contract and trade.side == request.side and trade.recorded_at >= request.at
    )


def next_flat_check(obligation: Obligation) -> int | None:
    """When the broker is to be asked next whether a closed position stayed closed; None when it was asked enough."""
    if obligation.kind != "ConfirmFlat" or obligation.checks_done == len(FLAT_CHECKS_NS):
        return None
    return obligation.set_at + FLAT_CHECKS_NS[obligation.checks_done]


def note_flat_checks(account: Account, at: int) -> None:
    """A snapshot was taken: it is the check of every closed position whose check was due."""
    for obligation in account.obligations.values():
        due = next_flat_check(obligation)
        if due is not None and at >= due:
            obligation.checks_done += 1


def _size(account: Account, contract: str | None) -> int:
    position = account.positions.get(contract or "")
    return abs(position.size) if position is not None else 0


def _works(account: Account, order_id: int | None) -> bool:
    order = account.orders.get(order_id) if order_id is not None else None
    return order is not None and order.working


def _stop_stands(
    account: Account, contract: str | None, order_ids: tuple[int, ...], price: int | None, size: int
) -> bool:
    """A working stop as it is wanted: the order itself, or any of the contract when a new one was wanted."""
    return any(
        order.contract == contract
        and order.type in STOP_TYPES
        and order.status != STATUS_PENDING
        and (not order_ids or order.id in order_ids)
        and (price is None or order.stop_price == price)
        and (not size or order.remaining == size)
        for order in account.working_orders()
    )


def covers(account: Account, command: Command, before: int | None = None) -> bool:
    """Whether an obligation in force, or one set before an instant, already demands at least what the command would."""
    return any(
        _demands(account, obligation, command)
        for obligation in account.obligations.values()
        if before is None or obligation.set_at < before
    )


def _demands(account: Account, obligation: Obligation, command: Command) -> bool:
    kind, same = obligation.kind, obligation.contract == command.contract
    if command.kind == "CloseAllPositions":
        return kind == "CloseAllPositions"
    if command.kind == "ClosePosition":
        return kind == "CloseAllPositions" or (kind == "ClosePosition" and same)
    if command.kind == "ReducePosition":
        if kind == "ReducePosition":
            return same and obligation.to <= (command.to or 0)
        return kind == "CloseAllPositions" or (kind == "ClosePosition" and same)
    if command.kind == "CancelOrder":
        return kind in CANCELS and command.order_id in obligation.order_ids
    return False


def covers_order(account: Account, order: Order, now: int) -> bool:
    """Whether a flatten or a cancel in force already takes care of an entry order."""
    for obligation in account.obligations.values():
        if obligation.kind == "CloseAllPositions" or order.id in obligation.order_ids:
            return True
        if obligation.kind == "ClosePosition" and obligation.contract == order.contract:
            return True
    return not is_entry(account, order, now)


def end_lockout(account: Account, lockout_id: str) -> None:
    """Take a lockout out of force; guarded orders stay answered."""
    account.lockouts.pop(lockout_id, None)


def remember_guard_close(account: Account, body: RuleBreached, at: int) -> None:
    """Times of the last two guard closes of a contract (RULES.md 3.2, third close within 60 s)."""
    order_id = order_of_target(body.target)
    if order_id is not None:
        account.guarded[order_id] = at
        return
    last = account.memory.get(f"{GUARD_KEY}.{body.contract}.last")
    if last is not None:
        account.memory[f"{GUARD_KEY}.{body.contract}.before"] = last
    account.memory[f"{GUARD_KEY}.{body.contract}.last"] = at


def third_guard_close(account: Account, contract: str, now: int) -> bool:
    """Whether a guard close now would be the third on the contract within 60 s."""
    before = account.memory.get(f"{GUARD_KEY}.{contract}.before")
    return before is not None and now - before <= GUARD_CLOSES_WINDOW_NS
