"""RULE-005 MaxUnrealizedProfit: take an open profit (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.marks import Valuation, valued_side
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, next_share, warn_at_spec
from riskcore.core.rules.base import LOSS, PROFIT, Breach, Finding, Quiet, Reading, Rule, spec
from riskcore.core.rules.commands import FLATTEN, close_position, lock_until_reset
from riskcore.core.rules.day_total import TOTAL, certain, kept_usd, narrow_by_total, narrow_by_value
from riskcore.core.state import Position
from riskcore.core.view import View

PEAK = "peak"
PROFIT_TARGET = "profit_target"
BREAKEVEN = "breakeven"


@dataclass(frozen=True, slots=True)
class Params:
    mode: str = spec(
        PROFIT_TARGET,
        "choice",
        choices=(PROFIT_TARGET, BREAKEVEN, "give_back"),
        doc="at a profit, when it is gone again, or when a share of its peak is gone",
    )
    profit_target: int = spec(
        1000 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="open profit to take (profit_target)"
    )
    arm_profit: int | None = spec(
        None, "money", unit="$", low=1, optional=True, stricter="lower", doc="open profit from which the floor counts"
    )
    floor_offset: int = spec(0, "money", unit="$", low=0, stricter="higher", doc="open profit to keep (breakeven)")
    give_back_fraction: int = spec(
        FRACTION_SCALE // 2,
        "fraction",
        low=1,
        high=FRACTION_SCALE,
        stricter="lower",
        doc="share that may be given back",
    )
    scope: str = spec(
        "per_position", "choice", choices=("per_position", TOTAL), doc="each contract by itself, or all together"
    )
    lockout: str = spec("none", "choice", choices=("none", "until_reset"), doc="lock after the profit is taken")
    warn_at: WarnAt = warn_at_spec()

    def __post_init__(self) -> None:
        if self.mode != PROFIT_TARGET and self.arm_profit is None:
            raise ValueError(f"arm_profit is required for mode {self.mode}")


def _floor_usd(params: Params, peak: int) -> int:
    """The open P&L at which an armed position is closed."""
    return params.floor_offset if params.mode == BREAKEVEN else kept_usd(peak, params.give_back_fraction)


def _figures(params: Params, value: int, peak: int | None) -> dict[str, str] | None:
    """The figures of a breach, None when nothing is reached. `peak` is None until the profit is armed."""
    if params.mode == PROFIT_TARGET:
        if value < params.profit_target:
            return None
        return {"unrealized": money_text(value), "profit_target": limit_text(params.profit_target)}
    if peak is None or value > _floor_usd(params, peak):
        return None
    return {"unrealized": money_text(value), "floor": money_text(_floor_usd(params, peak)), "peak": money_text(peak)}


def _usable(one: Valuation) -> int | None:
    """The value of a position that a profit may be judged by: stale marks never trigger (RULES.md 5)."""
    return None if one.stale else one.value


def _open(view: View) -> list[Position]:
    """Positions that fills have not ended yet: one closed or turned whose push is on its way gives no profit back."""
    return [
        position
        for position in view.held()
        if not view.value(position).closed and valued_side(position) * position.size >= 0
    ]


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found = _evaluate_total(params, view) if params.scope == TOTAL else _evaluate_each(params, view)
    return (*found, *approaching(params.warn_at, view, gauges(params, view)))


def _evaluate_each(params: Params, view: View) -> Sequence[Finding]:
    found = []
    for position in _open(view):
        one = view.value(position)
        value = _usable(one)
        if value is None or view.episode_open(position.contract):
            continue
        figures = _figures(params, value, view.recall(position, PEAK))
        if figures is not None:
            flags = ("from_bars",) if one.from_bars else ()
            commands = (*_lock(params, figures), close_position(position.contract))
            found.append(Breach(position.contract, figures, commands, contract=position.contract, flags=flags))
    return found


def _evaluate_total(params: Params, view: View) -> Sequence[Finding]:
    total = view.total()
    if not _open(view) or view.episode_open(TOTAL) or not certain(total):
        return ()
    figures = _figures(params, total.value, view.recall_account(PEAK))
    if figures is None:
        return ()
    return (Breach(TOTAL, figures, (*_lock(params, figures), *FLATTEN), flags=total.flags),)


def _lock(params: Params, figures: dict[str, str]) -> tuple[Command, ...]:
    if params.lockout == "none":
        return ()
    return (lock_until_reset(f"open profit taken at {figures['unrealized']}"),)


def _raised(params: Params, value: int | None, peak: int | None) -> int | None:
    """The peak after a mark: remembered from arm_profit up."""
    assert params.arm_profit is not None, "a mode that remembers a peak has an arm_profit"
    if value is None or value < params.arm_profit:
        return peak
    return value if peak is None else max(value, peak)


def remember(params: Params, view: View) -> None:
    """The highest open P&L since the position, or for total the account, was flat.

    It goes on after a breach: what is remembered must not depend on what was decided (rebuild from the journal).
    """
    if params.mode == PROFIT_TARGET:
        return
    if params.scope != TOTAL:
        for position in _open(view):
            peak = _raised(params, _usable(view.value(position)), view.recall(position, PEAK))
            view.keep(position, PEAK, peak)
    elif not _open(view):
        view.keep_account(PEAK, None)
    elif certain(view.total()):
        view.keep_account(PEAK, _raised(params, view.total().value, view.recall_account(PEAK)))


def _slack_usd(
    params: Params, value: int, peak: int | None, breached: bool, share: int
) -> tuple[int | None, int | None]:
    """How far the value may fall and rise before the rule acts or remembers something; None: any distance.

    `share` is the part of its way, in 1e-6, at which the rule warns next, or the whole.
    """
    if params.mode == PROFIT_TARGET:
        return None, None if breached else params.profit_target * share // FRACTION_SCALE - value
    if peak is None:
        assert params.arm_profit is not None, "a mode that remembers a peak has an arm_profit"
        return None, params.arm_profit - value
    way_usd = (peak - _floor_usd(params, peak)) * share // FRACTION_SCALE
    return None if breached else value - (peak - way_usd), peak - value


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    if params.scope == TOTAL:
        share = next_share(params.warn_at, view, TOTAL)
        breached = view.episode_open(TOTAL)
        slack_usd = _slack_usd(params, view.total().value, view.recall_account(PEAK), breached, share)
        if slack_usd != (None, None):
            narrow_by_total(view, bounds, *slack_usd)
        return
    for position in _open(view):
        value, breached = _usable(view.value(position)), view.episode_open(position.contract)
        if value is None:
            bounds.never = True
        else:
            share = next_share(params.warn_at, view, position.contract)
            slack_usd = _slack_usd(params, value, view.recall(position, PEAK), breached, share)
            narrow_by_value(view, bounds, position, *slack_usd)


def needs(params: Params) -> tuple[str, ...]:
    return ("quotes",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """The open profit of each position, or of all together; from its peak on what has been given back of it."""
    held = _open(view)
    if params.scope == TOTAL or not held:
        total = view.total()
        value, fresh = (total.value, certain(total)) if held else (0, False)
        yield _reading(params, value, view.recall_account(PEAK) if held else None, fresh, None)
        return
    for position in held:
        one, peak = view.value(position), view.recall(position, PEAK)
        yield _reading(params, one.value, peak, not one.stale, position.contract)


def _reading(params: Params, value: int | None, peak: int | None, fresh: bool, contract: str | None) -> Reading:
    target = contract or TOTAL
    if params.mode == PROFIT_TARGET:
        limit = params.profit_target
        return Reading("open profit", PROFIT, value, limit, contract=contract, target=target, fresh=fresh)
    if value is None or peak is None:
        assert params.arm_profit is not None, "a mode that remembers a peak has an arm_profit"
        note = f"the floor counts once the open profit has been {limit_text(params.arm_profit)}"
        return Reading("open profit", PROFIT, now=value, contract=contract, note=note)
    floor_usd = _floor_usd(params, peak)
    return Reading(
        "profit given back",
        LOSS,
        peak - value,
        floor_usd,
        now=value,
        room=peak - floor_usd,
        measure="open profit",
        kept=params.mode != BREAKEVEN,
        contract=contract,
        target=target,
        fresh=fresh,
        note=f"from the highest open profit of {money_text(peak)}",
    )


RULE = Rule(
    "RULE-005",
    "max_unrealized_profit",
    "Take an open profit",
    60,
    Params,
    evaluate,
    remember=remember,
    quiet=quiet,
    needs=needs,
    gauges=gauges,
    caps_size=False,  # Taking a profit is no reason to open less.
    advice=wording.OPEN_PROFIT,
    monotone=("profit_target",),
)
