"""LockoutGuard: what answers a new exposure or entry order during a lockout (RULES.md 3.2)."""

from riskcore.core.events import Command
from riskcore.core.in_force import covers, covers_order, third_guard_close
from riskcore.core.names import order_target
from riskcore.core.order_roles import is_entry
from riskcore.core.restart import ORDERS, POSITIONS, awaited
from riskcore.core.rules.base import Breach
from riskcore.core.rules.commands import alert, reduce_position
from riskcore.core.state import Lockout, Order
from riskcore.core.view import View


def active_lockouts(view: View, root: str) -> list[Lockout]:
    """Lockouts in force that forbid opening in a root; over at the very instant they expire."""
    return [
        lockout
        for lockout in view.account.lockouts.values()
        if lockout.covers(root) and (lockout.expires_at is None or view.now < lockout.expires_at)
    ]


def shown_lockout(lockouts: list[Lockout]) -> Lockout:
    """Of several lockouts the latest-ending is displayed (RULES.md 3.1)."""
    return max(lockouts, key=lambda lockout: (lockout.expires_at is None, lockout.expires_at or 0))


def evaluate(view: View) -> list[Breach]:
    """Breaches of lockouts by this event; judged after all rules, so wider commands come first.

    What a lockout that survived a restart finds is judged once the broker has listed it: everything, not only what
    is new, and nothing before, for it may be gone (RULES.md 1.6).
    """
    if not view.account.lockouts or POSITIONS in awaited(view.book, view.account):
        return []
    grown, orders = view.effect.increased, [] if view.order is None else [view.order]
    if POSITIONS in view.effect.shown:
        grown = tuple(position.contract for position in view.held())
    if ORDERS in view.effect.shown:
        orders = view.account.working_orders()
    found = [*(_exposure(view, contract) for contract in grown), *(_entry_order(view, order) for order in orders)]
    return [breach for breach in found if breach is not None]


def _exposure(view: View, contract: str) -> Breach | None:
    lockouts = active_lockouts(view, view.root(contract))
    if not lockouts:
        return None
    size = view.account.positions[contract].size
    held = min((_held(lockout, contract, size) for lockout in lockouts), default=0)
    if abs(size) <= held:
        return None
    command = reduce_position(contract, held, abs(size) - held)
    if covers(view.account, command):
        return None
    shown = shown_lockout(lockouts)
    figures = {"lockout": shown.id, "size": str(abs(size)), "allowed": str(held)}
    commands: tuple[Command, ...] = (command,)
    if third_guard_close(view.account, contract, view.now):
        commands += (
            alert(f"{contract} was reopened three times within 60 s: is a bot or copier running?", "critical"),
        )
    return Breach(contract, figures, commands, contract=contract, once=False)


def _held(lockout: Lockout, contract: str, size: int) -> int:
    """The smallest size held on this side since the lockout began."""
    held = lockout.held.get(contract, 0)
    return abs(held) if held * size > 0 else 0


def _entry_order(view: View, order: Order) -> Breach | None:
    if order.id in view.account.guarded or not is_entry(view.account, order, view.now):
        return None
    lockouts = active_lockouts(view, view.root(order.contract))
    if not lockouts or covers_order(view.account, order, view.now):
        return None
    figures = {"lockout": shown_lockout(lockouts).id, "size": str(order.remaining)}
    command = Command("CancelOrder", contract=order.contract, order_id=order.id)
    return Breach(order_target(order.id), figures, (command,), contract=order.contract, once=False)
