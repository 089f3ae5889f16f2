"""Commands in force: obligations that hold until the broker's events show them met (RULES.md 1.6, 3.3, 3.4)."""

from riskcore.core.events import Command, CommandIssued, RuleBreached
from riskcore.core.order_roles import entry_orders, is_entry
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import STOP_TYPES, Account, Obligation, Order

# Commands that put an obligation in force; the others (alerts, lockouts) act by being recorded.
OBLIGING = (
    "CloseAllPositions",
    "ClosePosition",
    "ReducePosition",
    "CancelOrders",
    "CancelOrder",
    "PlaceStop",
    "ModifyStop",
)
GUARD_CLOSES_WINDOW_NS = 60 * SECOND_NS


def put_in_force(account: Account, body: CommandIssued, at: int) -> None:
    """Remember a command as an obligation. A cancel is bound to the orders that work now."""
    command = body.command
    if command.kind not in OBLIGING:
        return
    if command.kind in ("PlaceStop", "ModifyStop"):
        # One wanted stop per contract: the newer one replaces the older.
        for name, known in list(account.obligations.items()):
            if known.kind in ("PlaceStop", "ModifyStop") and known.contract == command.contract:
                del account.obligations[name]
    account.obligations[body.id] = Obligation(
        id=body.id,
        kind=command.kind,
        rule=body.rule,
        breach=body.breach,
        set_at=at,
        contract=command.contract,
        to=command.to or 0,
        order_ids=_bound_orders(account, command, at),
        side=command.side or 0,
        size=command.size or 0,
        price=command.price,
    )


def _bound_orders(account: Account, command: Command, at: int) -> tuple[int, ...]:
    if command.kind == "CancelOrders":
        if command.scope == "all":
            orders = account.working_orders()
        else:
            orders = entry_orders(account, at, command.contract)
        return tuple(order.id for order in orders)
    return (command.order_id,) if command.order_id is not None else ()


def is_met(account: Account, obligation: Obligation) -> bool:
    """Whether recorded facts show that the obligation is fulfilled."""
    if obligation.kind == "CloseAllPositions":
        return not account.held()
    if obligation.kind in ("ClosePosition", "ReducePosition"):
        return _size(account, obligation.contract) <= obligation.to
    if obligation.kind in ("CancelOrders", "CancelOrder"):
        return not any(_works(account, order_id) for order_id in obligation.order_ids)
    return _size(account, obligation.contract) == 0 or _stop_stands(account, obligation)


def _size(account: Account, contract: str | None) -> int:
    position = account.positions.get(contract or "")
    return abs(position.size) if position is not None else 0


def _works(account: Account, order_id: int) -> bool:
    order = account.orders.get(order_id)
    return order is not None and order.working


def _stop_stands(account: Account, obligation: Obligation) -> bool:
    """A working stop where the obligation wants it: the order itself, or any when a new one was wanted."""
    return any(_is_wanted_stop(order, obligation) for order in account.working_orders())


def _is_wanted_stop(order: Order, obligation: Obligation) -> bool:
    if order.contract != obligation.contract or order.type not in STOP_TYPES:
        return False
    if obligation.order_ids and order.id not in obligation.order_ids:
        return False
    right_price = obligation.price is None or order.stop_price == obligation.price
    right_size = not obligation.size or order.remaining == obligation.size
    return right_price and right_size


def covers(account: Account, command: Command) -> bool:
    """Whether an obligation in force already demands at least what the command would."""
    return any(_demands(account, obligation, command) for obligation in account.obligations.values())


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
        return kind in ("CancelOrder", "CancelOrders") and command.order_id in obligation.order_ids
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
    if body.target.startswith("order:"):
        account.guarded[int(body.target.removeprefix("order:"))] = at
        return
    last = account.memory.get(f"guard.0.{body.contract}.last")
    if last is not None:
        account.memory[f"guard.0.{body.contract}.before"] = last
    account.memory[f"guard.0.{body.contract}.last"] = at


def third_guard_close(account: Account, contract: str, now: int) -> bool:
    """Whether a guard close now would be the third on the contract within 60 s."""
    before = account.memory.get(f"guard.0.{contract}.before")
    return before is not None and now - before <= GUARD_CLOSES_WINDOW_NS
