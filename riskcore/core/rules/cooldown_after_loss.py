"""RULE-007 CooldownAfterLoss: pause after a losing trade (RULES.md 5).

A later version of a fill, or its void, is an event of its unit: judged again, and a breach only for a higher tier than
the unit has breached, or for a run that the change made long enough.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from riskcore.core.events import Command
from riskcore.core.names import memory_name, remembered_name
from riskcore.core.quantities import MONEY_SCALE, limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, warn_at_spec
from riskcore.core.rules.base import COUNT, Beside, Breach, Finding, Reading, Rule, spec
from riskcore.core.rules.base import LOSS as LOSSES
from riskcore.core.rules.commands import CANCEL_ENTRIES, FLATTEN, lock_for
from riskcore.core.rules.trade_units import FILL, ORDER, counting_fills, result_usd, unit_of
from riskcore.core.state import Trade
from riskcore.core.view import View

RUN = "run"
LOSS = "loss"
# What is remembered for the account, per fill: the highest tier that its unit breached when it was judged, in 1e-6 USD.
TIER = "tier."


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
    warn_at: WarnAt = warn_at_spec()

    def __post_init__(self) -> None:
        if isinstance(self.consecutive_losses, dict):
            object.__setattr__(self, "consecutive_losses", ConsecutiveLosses(**self.consecutive_losses))
        amounts = [tier["loss_amount"] for tier in self.loss_thresholds]
        if len(set(amounts)) != len(amounts):
            raise ValueError("loss_thresholds: each loss_amount may be given once")
        if any(tier["loss_amount"] <= 0 or tier["cooldown_seconds"] < 1 for tier in self.loss_thresholds):
            raise ValueError("loss_thresholds: loss_amount is above 0 and cooldown_seconds at least 1")


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of the fill an event is about. `before` are all closing fills as they were known before the event."""

    name: tuple[str, int]
    fill: Trade
    closing: list[Trade]
    before: list[Trade]
    pnl: int
    tier: Mapping[str, int] | None  # The largest one that the running sum meets.
    breached_usd: int  # The highest tier the unit had breached before this event; 0 for none.
    corrected: bool


def _unit(params: Params, view: View) -> Unit | None:
    fill, old = view.fill, view.effect.corrected
    if fill is None or fill.id not in view.account.trades:
        return None  # Nothing new, or of a day whose units are not known any more.
    if fill.profit_usd is None and (old is None or not fill.voided):
        return None
    closing = [trade for trade in counting_fills(view) if trade.profit_usd is not None]
    before = [trade for trade in closing if trade.id != fill.id]
    if old is not None and old.profit_usd is not None:
        before.append(replace(old, round_trip=fill.round_trip))
    name = unit_of(fill, params.unit)
    pnl = _sums(params, view, closing).get(name, 0)
    met = [tier for tier in params.loss_thresholds if pnl <= -tier["loss_amount"]]
    tier = max(met, key=lambda one: one["loss_amount"], default=None)
    return Unit(name, fill, closing, before, pnl, tier, _breached_usd(params, view, name), old is not None)


def _sums(params: Params, view: View, closing: list[Trade]) -> dict[tuple[str, int], int]:
    """The P&L of each unit, in the order of their first closing fills."""
    sums: dict[tuple[str, int], int] = {}
    for trade in closing:
        unit = unit_of(trade, params.unit)
        sums[unit] = sums.get(unit, 0) + result_usd(trade, view.pnl_basis)
    return sums


def _breached_usd(params: Params, view: View, name: tuple[str, int]) -> int:
    """What is remembered of the unit's fills, voided ones too: it breached whatever is left of it."""
    members = [trade for trade in view.account.trades.values() if unit_of(trade, params.unit) == name]
    return max((view.recall_account(f"{TIER}{trade.id}") or 0 for trade in members), default=0)


def remember(params: Params, view: View) -> None:
    """The highest tier each unit has breached, under the fill that brought it there."""
    unit = _unit(params, view)
    view.notes[view.rule_key] = unit
    if unit is None or unit.tier is None or unit.tier["loss_amount"] <= unit.breached_usd:
        return
    prefix = memory_name(view.rule_key, TIER)
    for name in [name for name in view.account.memory if name.startswith(prefix)]:
        if int(name.removeprefix(prefix)) not in view.account.trades:
            view.keep_account(remembered_name(name), None)
    view.keep_account(f"{TIER}{unit.fill.id}", unit.tier["loss_amount"])


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    unit: Unit | None = view.notes.get(view.rule_key)
    if unit is None or view.effect.history:
        return ()
    found = (_loss(params, view, unit), _run_of_losses(params, view, unit))
    breaches = [breach for breach in found if breach is not None]
    return (*breaches, *approaching(params.warn_at, view, gauges(params, view)))


def _loss(params: Params, view: View, unit: Unit) -> Breach | None:
    """The tier met: by each further fill, by a correction only where it is a higher one."""
    tier = unit.tier
    if tier is None or (unit.corrected and tier["loss_amount"] <= unit.breached_usd):
        return None
    seconds, amount = tier["cooldown_seconds"], limit_text(tier["loss_amount"])
    figures = {"pnl": money_text(unit.pnl), "loss_amount": amount, "cooldown_seconds": str(seconds)}
    reason = f"a loss of {money_text(-unit.pnl)} reached {amount}"
    commands = _pause(params, lock_for(seconds, view.now, reason))
    return Breach(LOSS, figures, commands, contract=unit.fill.contract, once=False)


def _run_of_losses(params: Params, view: View, unit: Unit) -> Breach | None:
    """A run that this fill made long enough, or longer, by making its unit a losing one."""
    wanted = params.consecutive_losses
    if wanted is None:
        return None
    sums, before = (_sums_of_day(params, view, fills, unit.fill.trade_date) for fills in (unit.closing, unit.before))
    run = _trailing_losses(sums)
    if len(run) < wanted.count or unit.name not in run or before.get(unit.name, 0) < 0:
        return None
    figures = {"pnl": money_text(unit.pnl), "losses": str(len(run)), "cooldown_seconds": str(wanted.cooldown_seconds)}
    reason = f"{len(run)} losses in a row"
    commands = _pause(params, lock_for(wanted.cooldown_seconds, view.now, reason, key=RUN))
    return Breach(RUN, figures, commands, contract=unit.fill.contract, once=False)


def _sums_of_day(params: Params, view: View, closing: list[Trade], trade_date: str) -> dict[tuple[str, int], int]:
    return _sums(params, view, [one for one in closing if one.trade_date == trade_date])


def _trailing_losses(sums: Mapping[tuple[str, int], int]) -> list[tuple[str, int]]:
    """The units that lost in a row, counted back from the one whose first closing fill came last."""
    run = []
    for name in reversed(list(sums)):
        if sums[name] >= 0:
            break
        run.append(name)
    return run


def _pause(params: Params, lock: Command) -> tuple[Command, ...]:
    return (lock, *FLATTEN) if params.close_positions else (lock, CANCEL_ENTRIES)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """The result of the unit that is being closed against the lowest tier, and the losing units in a row today."""
    closing = [trade for trade in counting_fills(view) if trade.profit_usd is not None]
    lowest = min((tier["loss_amount"] for tier in params.loss_thresholds), default=None)
    if lowest is not None:
        unit = _being_closed(params, view, closing)
        pnl = 0 if unit is None else _sums(params, view, closing)[unit]
        note = _tier_words(params)
        yield Reading("loss being closed", LOSSES, -pnl, lowest, target=f"day.{LOSS}", rearms=True, note=note)
    if params.consecutive_losses is not None:
        run = _trailing_losses(_sums_of_day(params, view, closing, view.day.trade_date))
        most = params.consecutive_losses.count
        yield Reading("losses in a row", COUNT, len(run), most, unit="losses", target=f"day.{RUN}", rearms=True)


def _being_closed(params: Params, view: View, closing: list[Trade]) -> tuple[str, int] | None:
    """The unit that the last closing fill belongs to, while more fills of it may come."""
    if not closing or params.unit == FILL:
        return None
    last = closing[-1]
    position = view.account.positions.get(last.contract)
    if params.unit == ORDER:
        order = None if last.order_id is None else view.account.orders.get(last.order_id)
        over = position is None or not position.size or (order is not None and not order.working)
    else:
        over = position is None or position.round_trips > last.round_trip
    return None if over else unit_of(last, params.unit)


def _tier_words(params: Params) -> str:
    tiers = sorted(params.loss_thresholds, key=lambda tier: tier["loss_amount"])
    pauses = [f"{limit_text(tier['loss_amount'])} pauses for {tier['cooldown_seconds']} s" for tier in tiers]
    return "a loss of " + ", of ".join(pauses)


def warnings(params: Params, where: str, beside: Beside) -> Sequence[str]:
    if params.loss_thresholds or params.consecutive_losses is not None:
        return ()
    return (f"{where} has neither loss_thresholds nor consecutive_losses: it does nothing",)


RULE = Rule(
    "RULE-007",
    "cooldown_after_loss",
    "Pause after a losing trade",
    30,
    Params,
    evaluate,
    remember=remember,
    needs=needs,
    waits_for=(),  # Each fill is judged as it comes, by what is known of those before it.
    gauges=gauges,
    warnings=warnings,
    advice=wording.LOSING,
)
