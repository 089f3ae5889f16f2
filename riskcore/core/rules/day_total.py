"""The day's P&L as RULE-003 and RULE-013 count it, and the bounds within which marks cannot matter."""

from dataclasses import dataclass

from riskcore.core.marks import price_moves
from riskcore.core.rules.base import UNBOUNDED, Quiet
from riskcore.core.state import Position
from riskcore.core.view import View

DAY = "day"
PEAK = "day.peak"


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A day's P&L in 1e-6 USD: all of it, and the part that rests on booked results and fresh marks."""

    value: int
    fresh: int
    flags: tuple[str, ...] = ()
    incomplete: bool = False


def realised_usd(view: View, pnl_basis: str | None) -> DayTotal:
    """Closed results of the day, fees counted for net (RULES.md 1.5)."""
    value = view.day.realised_usd(pnl_basis or view.pnl_basis)
    return DayTotal(value, value)


def day_total(view: View, pnl_basis: str | None) -> DayTotal:
    """Closed results plus open ones."""
    realised = view.day.realised_usd(pnl_basis or view.pnl_basis)
    total = view.total()
    return DayTotal(realised + total.value, realised + total.fresh, total.flags, total.incomplete)


def peak_usd(view: View) -> int:
    """Highest day P&L remembered; the day starts at 0."""
    return view.recall_account(PEAK) or 0


def remember_peak(view: View, value: int) -> None:
    if value > peak_usd(view):
        view.keep_account(PEAK, value)


def open_positions(view: View) -> list[Position]:
    return [position for position in view.account.positions.values() if position.size or position.lots]


def narrow_by_total(view: View, bounds: Quiet, down_usd: int, up_usd: int | None) -> None:
    """Let every open position move so far that together they cannot use up the slack of a total.

    `down_usd` is how far the total may fall, `up_usd` how far it may rise (None: any rise is quiet).
    """
    positions = open_positions(view)
    if not positions:
        return
    if view.total().stale or view.total().incomplete:
        bounds.never = True
        return
    shares = len(positions)
    for position in positions:
        narrow_by_value(view, bounds, position, down_usd // shares, None if up_usd is None else up_usd // shares)


def narrow_by_value(view: View, bounds: Quiet, position: Position, down_usd: int, up_usd: int | None) -> None:
    """Quiet while the position's value falls less than `down_usd` and rises less than `up_usd`."""
    now = view.value(position)
    fall = price_moves(view.book, position, down_usd)
    if now.price is None or fall is None:
        bounds.never = True
        return
    rise = UNBOUNDED if up_usd is None else price_moves(view.book, position, up_usd)
    assert rise is not None, "a position with a price has tick economics"
    long = (position.lot_size or position.size) > 0
    low, high = (fall, rise) if long else (rise, fall)
    bounds.narrow(position.contract, now.price - low, now.price + high)
