"""GROUP-LOSS: stop every account of a group for the day at the loss of all together (PROGRAMME.md 7)."""

from collections.abc import Iterator, Sequence

from riskcore.core.groups.group import Group, members, view_of
from riskcore.core.marks import TotalValuation
from riskcore.core.quantities import limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import LOSS, OPEN_LOSS, Breach, Finding, Quiet, Reading, Rule
from riskcore.core.rules.commands import CANCEL_ENTRIES, CLOSE_ALL, lock_until_reset
from riskcore.core.rules.day_total import DAY, certain, combined_total, loss_finding, narrow_by_value, realised_total
from riskcore.core.state import DayFigures
from riskcore.core.view import View


def _limit_usd(group: Group) -> int:
    assert group.loss_limit is not None, "the rule is on only where there is a limit"
    return group.loss_limit


def _total(group: Group, view: View) -> TotalValuation:
    """The day's P&L of all accounts of the group, as the basis counts it."""
    count = realised_total if group.basis == "realized" else combined_total
    parts = [count(view_of(view, account), None) for account in members(group, view.book)]
    return TotalValuation(
        sum(part.value for part in parts),
        sum(part.fresh for part in parts),
        any(part.stale for part in parts),
        any(part.incomplete for part in parts),
        any(part.from_bars for part in parts),
    )


def _blind(group: Group, view: View) -> bool:
    """Whether fills of an account may be missing: then the sum says nothing."""
    return any(account.unseeded for account in members(group, view.book))


def evaluate(group: Group, view: View) -> Sequence[Finding]:
    if view.effect.late:
        return _late(group, view)
    if view.episode_open(DAY) or _blind(group, view):
        return ()
    total = _total(group, view)
    figures = {"day_pnl": money_text(total.value), "loss_limit": limit_text(_limit_usd(group))}
    reason = (
        f"day P&L {money_text(total.value)} of all accounts of {group.name} reached the loss limit of "
        f"{limit_text(_limit_usd(group))}"
    )
    close = (CLOSE_ALL,) if view.held() else ()
    commands = (lock_until_reset(reason), CANCEL_ENTRIES, *close)
    finding = loss_finding(view, DAY, total, -_limit_usd(group), figures, commands)
    return () if finding is None else (finding,)


def _late(group: Group, view: View) -> Sequence[Finding]:
    """A fill of an earlier day: whether the closed results of that day reached the limit. Nothing is done about it."""
    trade_date = view.day.trade_date
    days = [account.days.get(trade_date) or DayFigures(trade_date) for account in members(group, view.book)]
    value = sum(day.realised_usd(view.pnl_basis) for day in days)
    if value > -_limit_usd(group):
        return ()
    return (Breach(DAY, {"day_pnl": money_text(value), "loss_limit": limit_text(_limit_usd(group))}),)


def quiet(group: Group, view: View, bounds: Quiet) -> None:
    """Every open position of the group may move so far that together they cannot use up what is left."""
    if group.basis == "realized" or view.episode_open(DAY):
        return
    total = _total(group, view)
    accounts = members(group, view.book)
    positions = sum(1 for account in accounts for position in account.positions.values() if position.valued)
    if not certain(total):
        bounds.never = True
        return
    for position in view.account.positions.values():
        if position.valued:
            narrow_by_value(view, bounds, position, (total.value + _limit_usd(group)) // positions, None)


def needs(group: Group) -> tuple[str, ...]:
    return ("trades",) if group.basis == "realized" else ("trades", "quotes")


def gauges(group: Group, view: View) -> Iterator[Reading]:
    yield Reading(f"day loss of {group.name}", LOSS, -_total(group, view).value, _limit_usd(group))


RULE = Rule(
    "GROUP-LOSS",
    "group_loss",
    "Stop every account of a group at the loss of all together",
    90,
    Group,
    evaluate,
    quiet=quiet,
    needs=needs,
    gauges=gauges,
    bounds=lambda group: (OPEN_LOSS,) if group.basis == "combined" else (),
    joint=True,
    advice=wording.DAY_LOSS,
)
