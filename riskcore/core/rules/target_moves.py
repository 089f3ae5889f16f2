"""RULE-012, the target: moved further away at multiples of R (RULES.md 5).

A level is used up when a mark reaches it, whether there is a target or not: what the trader does about the target
afterwards stands until the next level.
"""

from collections.abc import Sequence

from riskcore.core.events import Command
from riskcore.core.order_roles import is_leg
from riskcore.core.rules.base import UNBOUNDED, Action
from riskcore.core.rules.commands import alert
from riskcore.core.rules.risk import profit_at
from riskcore.core.rules.stop_management import Held
from riskcore.core.rules.trade_settings import Params
from riskcore.core.state import STATUS_OPEN, TYPE_LIMIT, Order
from riskcore.core.view import View

LEVEL = "target_levels_done"  # What is remembered for a position's life.


def target_of(view: View, held: Held) -> Order | None:
    """The order that takes the profit: a bracket leg, else the limit nearest to the market that only reduces."""
    reducing = [
        order
        for order in view.account.working_orders()
        if order.contract == held.position.contract
        and (order.type, order.status, order.side) == (TYPE_LIMIT, STATUS_OPEN, -held.side)
        and order.limit_price is not None
        and 0 < order.remaining <= abs(held.position.size)
    ]
    return min(reducing, key=lambda order: (not is_leg(order), held.side * (order.limit_price or 0)), default=None)


def remember_target(params: Params, view: View, held: Held) -> None:
    """Fold the levels that a mark has reached; of several at once the last one says where the target goes."""
    if not held.fresh or held.price is None:
        return
    profit = held.entry.profit(held.price)
    level = first = view.recall(held.position, LEVEL) or 0
    while level < len(params.move_target):
        needed = profit_at(view, held, params.move_target[level].at_r)
        if needed is None or profit < needed:
            break
        level += 1
    if level == first:
        return
    wanted = profit_at(view, held, params.move_target[level - 1].target_r)
    assert wanted is not None, "a level that is reached has an R"
    view.keep(held.position, LEVEL, level)
    view.notes[_note(view, held)] = held.entry.target_price(wanted, held.tick_size)


def _note(view: View, held: Held) -> str:
    return f"{view.rule_key}.target.{held.position.contract}"


def target_actions(view: View, held: Held) -> Sequence[Action]:
    """The move that this very event has decided; to a price that the market has reached there is none."""
    price, order, contract = view.notes.get(_note(view, held)), target_of(view, held), held.position.contract
    if price is None or order is None or order.limit_price == price:
        return ()
    if held.price is not None and held.side * (held.price - price) >= 0:
        text = f"{contract}: the market is at or beyond the wanted target; the old one stays"
        return (Action(f"{contract}.target.{price}", (alert(text, contract=contract),)),)
    return (Action("", (Command("ModifyTarget", contract=contract, side=order.side, order_id=order.id, price=price),)),)


def target_quiet_below(params: Params, view: View, held: Held) -> int:
    """The highest price, times side, at which the next level is not reached."""
    level = view.recall(held.position, LEVEL) or 0
    needed = profit_at(view, held, params.move_target[level].at_r) if level < len(params.move_target) else None
    return UNBOUNDED if needed is None else held.entry.reached_at(needed) - 1
