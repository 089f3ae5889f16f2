"""RULE-012, partial exits at multiples of R (RULES.md 5)."""

from collections.abc import Sequence

from riskcore.core.quantities import FRACTION_SCALE
from riskcore.core.rules.base import UNBOUNDED, Action
from riskcore.core.rules.commands import reduce_position
from riskcore.core.rules.risk import profit_at
from riskcore.core.rules.stop_management import Held
from riskcore.core.rules.trade_settings import Params
from riskcore.core.view import View

# What is remembered for a position's life; sizes in contracts.
ORIGINAL = "original_size"
SEEN = "seen_size"
LEFT = "left_size"  # What the exits asked for so far leave of the position.
LEVEL = "levels_done"
EXIT = "exit_size"
EXIT_AT = "exit_at"


def remember_exits(params: Params, view: View, held: Held) -> None:
    """Fold the position's size and the levels a mark has reached."""
    if not params.partial_exits:
        return
    _follow_size(view, held)
    if held.fresh and held.price is not None:
        _take_levels(params, view, held, held.price)


def _follow_size(view: View, held: Held) -> None:
    """The original size is the largest one before the first exit; later entries add to what is left."""
    position, size = held.position, abs(held.position.size)
    added = max(size - (view.recall(position, SEEN) or 0), 0)
    view.keep(position, SEEN, size)
    view.keep(position, LEFT, min((view.recall(position, LEFT) or 0) + added, size))
    if not view.recall(position, LEVEL):
        view.keep(position, ORIGINAL, max(view.recall(position, ORIGINAL) or 0, size))


def _take_levels(params: Params, view: View, held: Held, price: int) -> None:
    position = held.position
    level = first = view.recall(position, LEVEL) or 0
    left = before = view.recall(position, LEFT) or 0
    original = view.recall(position, ORIGINAL) or 0
    while level < len(params.partial_exits) and _reached(params, view, held, level, price):
        left -= _exit_size(params, level, original, left)
        level += 1
    if level == first:
        return
    view.keep(position, LEVEL, level)
    view.keep(position, LEFT, left)
    if left < before:
        view.keep(position, EXIT, before - left)
        view.keep(position, EXIT_AT, view.now)


def _needed(params: Params, view: View, held: Held, level: int) -> int | None:
    return profit_at(view, held, params.partial_exits[level].at_r)


def _reached(params: Params, view: View, held: Held, level: int, price: int) -> bool:
    needed = _needed(params, view, held, level)
    return needed is not None and held.entry.profit(price) >= needed


def _exit_size(params: Params, level: int, original: int, left: int) -> int:
    """Contracts to exit at a level: at least one, and the last one only at the final level.

    The final level takes the remainder when the fractions are meant to use up the whole position.
    """
    final = level == len(params.partial_exits) - 1
    if final and sum(one.fraction for one in params.partial_exits) == FRACTION_SCALE:
        return left
    share: int = max(original * params.partial_exits[level].fraction // FRACTION_SCALE, 1)
    return max(min(share, left if final else left - 1), 0)


def exit_actions(view: View, held: Held) -> Sequence[Action]:
    """The exit decided at this instant."""
    position = held.position
    left, size = view.recall(position, LEFT), view.recall(position, EXIT)
    if view.recall(position, EXIT_AT) != view.now or left is None or size is None or abs(position.size) <= left:
        return ()
    return (Action("", (reduce_position(position.contract, left, size),)),)


def exits_quiet_below(params: Params, view: View, held: Held) -> int:
    """The highest price, times side, at which the next level is not reached."""
    level = view.recall(held.position, LEVEL) or 0
    needed = _needed(params, view, held, level) if level < len(params.partial_exits) else None
    return UNBOUNDED if needed is None else held.entry.reached_at(needed) - 1
