"""The day's P&L as RULE-003 and RULE-013 count it, and the bounds within which marks cannot matter."""

from riskcore.core.events import Command
from riskcore.core.marks import TotalValuation, open_cost, price_moves
from riskcore.core.quantities import FRACTION_SCALE
from riskcore.core.rules.base import UNBOUNDED, Action, Breach, Finding, Quiet
from riskcore.core.rules.commands import FLATTEN, alert, lock_until_reset
from riskcore.core.state import Position
from riskcore.core.view import View

DAY = "day"
TOTAL = "total"  # The scope of all positions together.
PEAK = "day.peak"
ACTIONS = ("flatten_and_lock", "flatten", "lock_only", "alert")


def realised_total(view: View, pnl_basis: str | None) -> TotalValuation:
    """Closed results of the day, fees counted for net (RULES.md 1.5)."""
    value = view.day.realised_usd(pnl_basis or view.pnl_basis)
    return TotalValuation(value, value, False, False, False)


def combined_total(view: View, pnl_basis: str | None) -> TotalValuation:
    """Closed results of the day plus open ones."""
    realised_usd = view.day.realised_usd(pnl_basis or view.pnl_basis)
    total = view.total()
    return TotalValuation(
        realised_usd + total.value, realised_usd + total.fresh, total.stale, total.incomplete, total.from_bars
    )


def certain(total: TotalValuation) -> bool:
    """Whether every open position has a fresh mark: a profit and a peak are believed only then (RULES.md 1.5)."""
    return not (total.stale or total.incomplete)


def peak_usd(view: View) -> int:
    """Highest day P&L remembered; the day starts at 0."""
    return view.recall_account(PEAK) or 0


def remember_peak(view: View, value: int) -> None:
    if value > peak_usd(view):
        view.keep_account(PEAK, value)


def kept_usd(peak: int, fraction: int) -> int:
    """What is left of a peak after giving back `fraction` of it, in whole 1e-6 dollars.

    Cut downwards, so that a day P&L, which is whole too, is at or below it exactly when it is at or below the ratio.
    """
    scale: int = FRACTION_SCALE
    return peak * (scale - fraction) // scale


def day_commands(action: str, reason: str, lockout: Command | None = None) -> tuple[Command, ...]:
    """The commands of a rule that ends the day, by its `action`; `lockout` where it ends more than the day."""
    lock = (lockout or lock_until_reset(reason),) if action in ("flatten_and_lock", "lock_only") else ()
    close = FLATTEN if action in ("flatten_and_lock", "flatten") else ()
    return lock + close or (alert(reason),)


def loss_finding(
    view: View,
    target: str,
    total: TotalValuation,
    floor_usd: int,
    figures: dict[str, str],
    commands: tuple[Command, ...],
) -> Finding | None:
    """The breach of a total that is at its floor, once per episode of `target`.

    A loss that rests on a stale mark is recorded and alerts; its commands follow without a second breach as
    soon as the fresh part alone is at the floor (RULES.md 1.5).
    """
    if view.episode_open(target) or total.value > floor_usd:
        return None
    stale_target = f"{target}.stale"
    recorded = view.episode_open(stale_target)
    if total.fresh <= floor_usd:
        return Action(target, commands) if recorded else Breach(target, figures, commands, flags=total.flags)
    if recorded:
        return None
    return Breach(stale_target, figures, (alert("a loss at the limit rests on a stale mark"),), flags=total.flags)


def open_positions(view: View) -> list[Position]:
    return [position for position in view.account.positions.values() if position.valued]


def narrow_by_total(
    view: View, bounds: Quiet, down_usd: int | None, up_usd: int | None, mode: str | None = None
) -> None:
    """Let every open position move so far that together they cannot use up the slack of a total.

    `down_usd` is how far the total may fall, `up_usd` how far it may rise; None: any move is quiet. `mode` is the mark
    that the total is taken at, the profile's by default.
    """
    positions = open_positions(view)
    if positions and not certain(view.total(mode)):
        bounds.never = True
        return
    down_usd, up_usd = _share(down_usd, len(positions)), _share(up_usd, len(positions))
    for position in positions:
        narrow_by_value(view, bounds, position, down_usd, up_usd, mode)


def _share(slack_usd: int | None, positions: int) -> int | None:
    return None if slack_usd is None or not positions else slack_usd // positions


def narrow_by_value(
    view: View, bounds: Quiet, position: Position, down_usd: int | None, up_usd: int | None, mode: str | None = None
) -> None:
    """Quiet while the position's value falls less than `down_usd` and rises less than `up_usd` (None: any)."""
    now, cost = view.value(position, mode), open_cost(position)
    if now.price is None or cost is None or cost[0] == 0:
        bounds.never = True
        return
    fall, rise = (_points(view, position, slack_usd) for slack_usd in (down_usd, up_usd))
    low, high = (fall, rise) if cost[0] > 0 else (rise, fall)
    bounds.narrow(position.contract, now.price - low, now.price + high, mode)


def _points(view: View, position: Position, slack_usd: int | None) -> int:
    if slack_usd is None:
        return UNBOUNDED
    points = price_moves(view.book, position, slack_usd)
    assert points is not None, "a position with a price has tick economics"
    return points
