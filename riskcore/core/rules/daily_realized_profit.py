"""RULE-013 DailyRealizedProfit: stop while ahead (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.marks import TotalValuation
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, next_share, warn_at_spec
from riskcore.core.rules.base import (
    DAY_PROFIT,
    LOSS,
    PROFIT,
    PROFIT_OF_DAY,
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
    kept_usd,
    narrow_by_total,
    peak_usd,
    realised_total,
    remember_peak,
)
from riskcore.core.view import View

GIVEN_BACK = f"{DAY}.given_back"  # What has been given back of the day's peak, for warnings.


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Stop when the day has given back a share of its highest point."""

    arm: int = spec(0, "money", unit="$", low=1, required=True, stricter="lower", doc="day P&L from which it counts")
    fraction: int = spec(
        0, "fraction", low=1, high=FRACTION_SCALE, required=True, stricter="lower", doc="share that may be given back"
    )


@dataclass(frozen=True, slots=True)
class Params:
    profit_target: int = spec(
        1000 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="profit that ends the day"
    )
    basis: str = spec(
        "realized", "choice", choices=("realized", "combined"), doc="closed trades only, or with open P&L"
    )
    action: str = spec("flatten_and_lock", "choice", choices=ACTIONS, doc="what to do at the target")
    give_back: GiveBack | None = spec(
        None, "table", table=GiveBack, optional=True, doc="stop as well when a share of the day's peak is lost"
    )
    message: str = spec("Daily target reached", "text", doc="reason shown with the lockout")
    warn_at: WarnAt = warn_at_spec()

    def __post_init__(self) -> None:
        if isinstance(self.give_back, dict):
            object.__setattr__(self, "give_back", GiveBack(**self.give_back))


def _total(params: Params, view: View) -> TotalValuation:
    """The day's P&L as the basis counts it; of an earlier day only closed results are known."""
    realized = params.basis == "realized" or view.effect.late
    return realised_total(view, None) if realized else combined_total(view, None)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    if view.episode_open(DAY) and not view.effect.late:
        return ()
    total = _total(params, view)
    if certain(total) and total.value >= params.profit_target:
        figures = {"day_pnl": money_text(total.value), "profit_target": limit_text(params.profit_target)}
        return (Breach(DAY, figures, day_commands(params.action, params.message), flags=total.flags),)
    late = view.effect.late
    found = () if params.give_back is None or late else _given_back(params, params.give_back, view)
    return found or approaching(params.warn_at, view, gauges(params, view))


def _given_back(params: Params, give_back: GiveBack, view: View) -> Sequence[Finding]:
    total, peak = combined_total(view, None), peak_usd(view)
    floor_usd = kept_usd(peak, give_back.fraction)
    if peak < give_back.arm or not certain(total) or total.value > floor_usd:
        return ()
    figures = {
        "day_pnl": money_text(total.value),
        "profit_target": limit_text(params.profit_target),
        "peak": money_text(peak),
        "floor": money_text(floor_usd),
    }
    return (Breach(DAY, figures, day_commands(params.action, params.message), flags=total.flags),)


def remember(params: Params, view: View) -> None:
    """The day's highest point from `arm` up, also after a breach. A late fill is about an earlier day."""
    if params.give_back is None or view.effect.late:
        return
    total = combined_total(view, None)
    if certain(total) and total.value >= params.give_back.arm:
        remember_peak(view, total.value)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    breached = view.episode_open(DAY)
    value = combined_total(view, None).value
    if params.basis == "combined" and not breached:
        next_usd = params.profit_target * next_share(params.warn_at, view, DAY) // FRACTION_SCALE
        narrow_by_total(view, bounds, None, next_usd - value)
    if params.give_back is None:
        return
    peak = peak_usd(view)
    if peak < params.give_back.arm:
        narrow_by_total(view, bounds, None, params.give_back.arm - value)
    else:
        way_usd = peak - kept_usd(peak, params.give_back.fraction)
        way_usd = way_usd * next_share(params.warn_at, view, GIVEN_BACK) // FRACTION_SCALE
        down_usd = None if breached else value - (peak - way_usd)
        narrow_by_total(view, bounds, down_usd, peak - value)


def needs(params: Params) -> tuple[str, ...]:
    """Without commissions a net profit would be called reached before it is; a loss is at least what is known."""
    realized = params.basis == "realized" and params.give_back is None
    return ("trades", "commissions") if realized else ("trades", "quotes", "commissions")


def gauges(params: Params, view: View) -> Iterator[Reading]:
    total = _total(params, view)
    yield Reading("day profit", PROFIT, total.value, params.profit_target, target=DAY, fresh=certain(total))
    if params.give_back is None:
        return
    combined, peak = combined_total(view, None), peak_usd(view)
    if peak < params.give_back.arm:
        note = f"the floor counts once the day P&L has been {limit_text(params.give_back.arm)}"
        yield Reading("day profit given back", PROFIT, now=combined.value, measure="day profit", note=note)
        return
    floor_usd = kept_usd(peak, params.give_back.fraction)
    yield Reading(
        "day profit given back",
        LOSS,
        peak - combined.value,
        floor_usd,
        now=combined.value,
        room=peak - floor_usd,
        measure="day profit",
        kept=True,
        target=GIVEN_BACK,
        fresh=certain(combined),
        note=f"from the highest day P&L of {money_text(peak)}",
    )


def bounds(params: Params) -> tuple[str, ...]:
    return (PROFIT_OF_DAY,)


def caps(params: Params) -> tuple[Cap, ...]:
    return (Cap("profit_target", DAY_PROFIT, params.profit_target),)


RULE = Rule(
    "RULE-013",
    "daily_realized_profit",
    "Stop while ahead",
    90,
    Params,
    evaluate,
    remember=remember,
    quiet=quiet,
    needs=needs,
    gauges=gauges,
    bounds=bounds,
    caps=caps,
    caps_size=False,  # Taking a profit is no reason to open less.
    advice=wording.DAY_PROFIT,
    monotone=("profit_target",),
)
