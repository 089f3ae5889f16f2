"""RULE-003 DailyRealizedLoss: stop for the day at a realised loss (RULES.md 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, fraction_text, limit_text, money_text
from riskcore.core.rules.base import Action, Breach, Finding, Quiet, Rule, spec
from riskcore.core.rules.commands import FLATTEN, alert, lock_until_reset
from riskcore.core.rules.day_total import (
    DAY,
    DayTotal,
    day_total,
    narrow_by_total,
    peak_usd,
    realised_usd,
    remember_peak,
)
from riskcore.core.view import View


@dataclass(frozen=True, slots=True)
class Params:
    loss_limit: int = spec(500 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="loss that ends the day")
    basis: str = spec(
        "realized",
        "choice",
        choices=("realized", "combined", "trailing_realized", "trailing_unrealized"),
        doc="closed trades only, with open P&L, or measured from the day's highest point",
    )
    pnl_basis: str | None = spec(
        None, "choice", choices=("net", "gross"), optional=True, doc="fees counted or not; the profile's by default"
    )
    action: str = spec(
        "flatten_and_lock",
        "choice",
        choices=("flatten_and_lock", "flatten", "lock_only", "alert"),
        doc="what to do at the limit",
    )
    warn_at: tuple[int, ...] = spec(
        (FRACTION_SCALE * 7 // 10, FRACTION_SCALE * 9 // 10),
        "fractions",
        low=1,
        high=FRACTION_SCALE,
        doc="shares of the limit at which to alert",
    )


def _total(params: Params, view: View) -> DayTotal:
    """The day's P&L as the basis counts it; trailing bases are measured from the highest point."""
    if params.basis == "realized" or view.effect.late:
        return realised_usd(view, params.pnl_basis)
    return day_total(view, params.pnl_basis)


def _floor_usd(params: Params, view: View) -> int:
    peak = peak_usd(view) if params.basis.startswith("trailing") and not view.effect.late else 0
    return peak - params.loss_limit


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    if view.episode_open(DAY) and not view.effect.late:
        return ()
    total = _total(params, view)
    floor_usd = _floor_usd(params, view)
    if total.value <= floor_usd:
        return (_breach(params, view, total, floor_usd),)
    return _warnings(params, view, total, floor_usd)


def _breach(params: Params, view: View, total: DayTotal, floor_usd: int) -> Breach:
    figures = {"day_pnl": money_text(total.value), "loss_limit": limit_text(params.loss_limit)}
    if floor_usd != -params.loss_limit:
        figures["floor"] = money_text(floor_usd)
    reason = f"day P&L {money_text(total.value)} reached the loss limit of {limit_text(params.loss_limit)}"
    if params.action == "alert" or total.fresh > floor_usd:
        # A stale mark alone never closes anything (RULES.md 1.5).
        return Breach(DAY, figures, (alert(reason),), flags=total.flags)
    lock = (lock_until_reset(reason),) if params.action in ("flatten_and_lock", "lock_only") else ()
    close = FLATTEN if params.action in ("flatten_and_lock", "flatten") else ()
    return Breach(DAY, figures, lock + close, flags=total.flags)


def _warnings(params: Params, view: View, total: DayTotal, floor_usd: int) -> Sequence[Finding]:
    if view.effect.late:
        return ()
    used_usd = params.loss_limit - (total.value - floor_usd)
    crossed = [
        share
        for share in params.warn_at
        if used_usd * FRACTION_SCALE >= share * params.loss_limit and not view.episode_open(f"{DAY}.warn.{share}")
    ]
    return tuple(
        Action(
            f"{DAY}.warn.{share}",
            (alert(f"day P&L {money_text(total.value)} has used {fraction_text(share)} of the loss limit"),),
        )
        for share in crossed
    )


def remember(params: Params, view: View) -> None:
    if params.basis == "trailing_realized":
        remember_peak(view, realised_usd(view, params.pnl_basis).value)
    elif params.basis == "trailing_unrealized" and not view.total().incomplete:
        remember_peak(view, day_total(view, params.pnl_basis).value)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    if params.basis != "trailing_unrealized" and (params.basis == "realized" or view.episode_open(DAY)):
        return
    total = day_total(view, params.pnl_basis)
    floor_usd = _floor_usd(params, view)
    warned = [share for share in params.warn_at if not view.episode_open(f"{DAY}.warn.{share}")]
    first_usd = (
        floor_usd + params.loss_limit - min(warned, default=FRACTION_SCALE) * params.loss_limit // FRACTION_SCALE
    )
    up_usd = peak_usd(view) - total.value if params.basis == "trailing_unrealized" else None
    narrow_by_total(view, bounds, total.value - first_usd, up_usd)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",) if params.basis == "realized" else ("trades", "quotes")


RULE = Rule(
    "RULE-003",
    "daily_realized_loss",
    "Stop for the day at a realised loss",
    90,
    Params,
    evaluate,
    remember=remember,
    quiet=quiet,
    needs=needs,
)
