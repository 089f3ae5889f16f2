"""RULE-007 CooldownAfterLoss: pause after a losing trade (RULES.md 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.quantities import MONEY_SCALE, limit_text, money_text
from riskcore.core.rules.base import Breach, Finding, Rule, spec
from riskcore.core.rules.commands import CANCEL_ENTRIES, FLATTEN, lock_for
from riskcore.core.rules.trade_units import counting_fills, result_usd, unit_of
from riskcore.core.state import Trade
from riskcore.core.view import View

RUN = "run"
LOSS = "loss"


@dataclass(frozen=True, slots=True)
class ConsecutiveLosses:
    """So many losing units in a row within the day."""

    count: int = spec(0, "int", unit="losses", low=2, required=True, stricter="lower", doc="losing units in a row")
    cooldown_seconds: int = spec(0, "int", unit="s", low=1, required=True, stricter="higher", doc="how long to pause")


@dataclass(frozen=True, slots=True)
class Params:
    loss_thresholds: Sequence[Mapping[str, int]] = spec(
        (
            {"loss_amount": 100 * MONEY_SCALE, "cooldown_seconds": 300},
            {"loss_amount": 200 * MONEY_SCALE, "cooldown_seconds": 900},
            {"loss_amount": 300 * MONEY_SCALE, "cooldown_seconds": 1_800},
        ),
        "loss_tiers",
        doc="how long to pause from which loss",
    )
    unit: str = spec("order", "choice", choices=("fill", "order", "round_trip"), doc="whose closing fills are added up")
    close_positions: bool = spec(False, "bool", stricter="true", doc="flatten as well")
    consecutive_losses: ConsecutiveLosses | None = spec(
        None, "table", table=ConsecutiveLosses, optional=True, doc="pause after a run of losing units"
    )

    def __post_init__(self) -> None:
        if isinstance(self.consecutive_losses, dict):
            object.__setattr__(self, "consecutive_losses", ConsecutiveLosses(**self.consecutive_losses))
        amounts = [tier["loss_amount"] for tier in self.loss_thresholds]
        if len(set(amounts)) != len(amounts):
            raise ValueError("loss_thresholds: each loss_amount may be given once")
        if any(tier["loss_amount"] <= 0 or tier["cooldown_seconds"] < 1 for tier in self.loss_thresholds):
            raise ValueError("loss_thresholds: loss_amount is above 0 and cooldown_seconds at least 1")


def _closing_fills(view: View) -> list[Trade]:
    return [trade for trade in counting_fills(view) if trade.profit_usd is not None]


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    trade = view.trade
    if trade is None or trade.voided or trade.profit_usd is None:
        return ()
    closing = _closing_fills(view)
    unit = unit_of(trade, params.unit)
    pnl = sum(result_usd(one, view.pnl_basis) for one in closing if unit_of(one, params.unit) == unit)
    found = (_loss(params, view, trade, pnl), _run_of_losses(params, view, trade, pnl, closing))
    return [breach for breach in found if breach is not None]


def _loss(params: Params, view: View, trade: Trade, pnl: int) -> Breach | None:
    """The largest tier that the unit's running sum meets."""
    met = [tier for tier in params.loss_thresholds if pnl <= -tier["loss_amount"]]
    if not met:
        return None
    tier = max(met, key=lambda one: one["loss_amount"])
    seconds, amount = tier["cooldown_seconds"], limit_text(tier["loss_amount"])
    figures = {"pnl": money_text(pnl), "loss_amount": amount, "cooldown_seconds": str(seconds)}
    reason = f"a loss of {money_text(-pnl)} reached {amount}"
    commands = _pause(params, lock_for(seconds, view.now, reason))
    return Breach(LOSS, figures, commands, contract=trade.contract, once=False)


def _run_of_losses(params: Params, view: View, trade: Trade, pnl: int, closing: list[Trade]) -> Breach | None:
    """A run that this fill made long enough, or longer: each losing unit breaches once."""
    wanted = params.consecutive_losses
    if wanted is None:
        return None
    of_day = [one for one in closing if one.trade_date == trade.trade_date]
    run = _trailing_losses(params, view, of_day)
    if run < wanted.count or run <= _trailing_losses(params, view, [one for one in of_day if one.id != trade.id]):
        return None
    figures = {"pnl": money_text(pnl), "losses": str(run), "cooldown_seconds": str(wanted.cooldown_seconds)}
    reason = f"{run} losses in a row"
    commands = _pause(params, lock_for(wanted.cooldown_seconds, view.now, reason, key=RUN))
    return Breach(RUN, figures, commands, contract=trade.contract, once=False)


def _trailing_losses(params: Params, view: View, closing: list[Trade]) -> int:
    """How many units in a row lost, counted back from the one whose first closing fill came last."""
    sums: dict[tuple[str, int], int] = {}
    for trade in closing:
        unit = unit_of(trade, params.unit)
        sums[unit] = sums.get(unit, 0) + result_usd(trade, view.pnl_basis)
    run = 0
    for value in reversed(sums.values()):
        if value >= 0:
            break
        run += 1
    return run


def _pause(params: Params, lock: Command) -> tuple[Command, ...]:
    return (lock, *FLATTEN) if params.close_positions else (lock, CANCEL_ENTRIES)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",)


RULE = Rule(
    "RULE-007",
    "cooldown_after_loss",
    "Pause after a losing trade",
    30,
    Params,
    evaluate,
    needs=needs,
    waits_for=(),  # Each fill is judged as it comes, by what is known of those before it.
)
