"""RULE-003 DailyRealizedLoss: stop for the day at a realised loss (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.marks import TotalValuation
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, limit_text, money_text, share_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, next_share
from riskcore.core.rules.base import (
    DAY_LOSS,
    LOSS,
    OPEN_LOSS,
    Beside,
    Breach,
    Cap,
    Finding,
    Quiet,
    Reading,
    Rule,
    spec,
)
from riskcore.core.rules.day_total import (
    ACTIONS,
    DAY,
    certain,
    combined_total,
    day_commands,
    loss_finding,
    narrow_by_total,
    peak_usd,
    realised_total,
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
    action: str = spec("flatten_and_lock", "choice", choices=ACTIONS, doc="what to do at the limit")
    warn_at: WarnAt = spec(
        (FRACTION_SCALE * 7 // 10, FRACTION_SCALE * 9 // 10),
        "fractions",
        low=0,
        high=FRACTION_SCALE,
        optional=True,
        doc="shares of the limit at which to alert",
    )


def _total(params: Params, view: View) -> TotalValuation:
    """The day's P&L as the basis counts it; of an earlier day only closed results are known."""
    if params.basis == "realized" or view.effect.late:
        return realised_total(view, params.pnl_basis)
    return combined_total(view, params.pnl_basis)


def _floor_usd(params: Params, view: View) -> int:
    """The P&L that breaches: trailing bases are measured from the day's highest point."""
    peak = peak_usd(view) if params.basis.startswith("trailing") and not view.effect.late else 0
    return peak - params.loss_limit


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    late = view.effect.late
    if view.episode_open(DAY) and not late:
        return ()
    total, floor_usd = _total(params, view), _floor_usd(params, view)
    if total.value > floor_usd:
        return () if late else _approaching(params, view, total.value)
    figures = {"day_pnl": money_text(total.value), "loss_limit": limit_text(params.loss_limit)}
    if late:
        return (Breach(DAY, figures),)
    if params.basis.startswith("trailing"):
        figures["floor"] = money_text(floor_usd)
    reason = f"day P&L {money_text(total.value)} reached the loss limit of {limit_text(params.loss_limit)}"
    finding = loss_finding(view, DAY, total, floor_usd, figures, day_commands(params.action, reason))
    return () if finding is None else (finding,)


def _approaching(params: Params, view: View, value: int) -> Sequence[Finding]:
    def says(reading: Reading, share: int) -> str:
        return f"day P&L {money_text(value)} has reached {share_text(share)} of the loss limit"

    return approaching(params.warn_at, view, gauges(params, view), says)


def remember(params: Params, view: View) -> None:
    """The highest point of the day, where the basis trails it. A late fill is about an earlier day."""
    if view.effect.late or not params.basis.startswith("trailing"):
        return
    if params.basis == "trailing_realized":
        remember_peak(view, realised_total(view, params.pnl_basis).value)
        return
    total = combined_total(view, params.pnl_basis)
    if certain(total):
        remember_peak(view, total.value)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    trails_marks = params.basis == "trailing_unrealized"
    if params.basis == "realized" or (view.episode_open(DAY) and not trails_marks):
        return
    value = combined_total(view, params.pnl_basis).value
    share = next_share(params.warn_at, view, DAY)
    next_usd = _floor_usd(params, view) + params.loss_limit - share * params.loss_limit // FRACTION_SCALE
    down_usd = None if view.episode_open(DAY) else value - next_usd
    narrow_by_total(view, bounds, down_usd, peak_usd(view) - value if trails_marks else None)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",) if params.basis == "realized" else ("trades", "quotes")


def gauges(params: Params, view: View) -> Iterator[Reading]:
    peak = _floor_usd(params, view) + params.loss_limit
    name = "day loss" if params.basis == "realized" else f"day loss, {params.basis.replace('_', ' ')}"
    yield Reading(name, LOSS, peak - _total(params, view).value, params.loss_limit, target=DAY)


def trails(params: Params) -> bool:
    return params.basis.startswith("trailing")


def bounds(params: Params) -> tuple[str, ...]:
    return (OPEN_LOSS,) if params.basis in ("combined", "trailing_unrealized") else ()


def warnings(params: Params, where: str, beside: Beside) -> Sequence[str]:
    if OPEN_LOSS in beside.bounded:
        return ()
    text = f"{where} looks at closed trades only and cannot stop an open loser: "
    return (text + f'add {beside.advice(OPEN_LOSS)} or basis = "combined"',)


def caps(params: Params) -> tuple[Cap, ...]:
    return (Cap("loss_limit", DAY_LOSS, params.loss_limit),)


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
    gauges=gauges,
    trails=trails,
    warnings=warnings,
    bounds=bounds,
    caps=caps,
    advice=wording.DAY_LOSS,
    monotone=("loss_limit",),
)
