"""RULE-014 PeriodLoss: stop for the week or the month at a realised loss (RULES.md 5).

A period is its trade dates, and a fill counts on its trade date. What each of them has come to is remembered per date,
because the book forgets the figures of a day before a month is over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from riskcore.core.events import Command, TradesListed
from riskcore.core.names import ACCOUNT, PERIOD, breached_on, episode_name
from riskcore.core.old_trades import DAYS_OF_FIGURES_KEPT
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, limit_text, money_text, share_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import LONGER_LOSS, LOSS, Action, Breach, Cap, Finding, Reading, Rearm, Rule, spec
from riskcore.core.rules.commands import alert
from riskcore.core.rules.day_total import ACTIONS, day_commands
from riskcore.core.state import Day, Trade
from riskcore.core.trading_day import Period, date_text, month_of, ordinal_of, trade_date_of, week_of
from riskcore.core.view import View

# What is remembered for the account. Of each trade date: closed results, and what they cost, both in 1e-6 dollars.
GROSS, COSTS = "gross", "costs"
CHANGED = "changed"  # The ordinal of the trade date whose result changed last.
FROM = "from"  # The ordinal of the first trade date of which all that the journal knew is remembered.
LISTED = "listed"  # The first trade date of the period since whose opening the broker has listed every fill.
BREACHED = "breached"  # Per first trade date of a period: it has been breached.
PERIODS = {"weekly": week_of, "monthly": month_of}
NAMES = {"weekly": "week", "monthly": "month"}


@dataclass(frozen=True, slots=True)
class Params:
    period: str = spec("weekly", "choice", choices=tuple(PERIODS), doc="trade dates Monday to Friday, or of a month")
    loss_limit: int = spec(
        1000 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="loss that ends the period"
    )
    pnl_basis: str | None = spec(
        None, "choice", choices=("net", "gross"), optional=True, doc="fees counted or not; the profile's by default"
    )
    action: str = spec("flatten_and_lock", "choice", choices=ACTIONS, doc="what to do at the limit")
    warn_at: tuple[int, ...] = spec(
        (FRACTION_SCALE * 7 // 10, FRACTION_SCALE * 9 // 10),
        "fractions",
        low=0,
        high=FRACTION_SCALE,
        doc="shares of the limit at which to alert",
    )


class _Change(NamedTuple):
    """What an event changed in the results of one trade date."""

    trade_date: str
    gross_usd: int
    costs_usd: int


def _day(view: View) -> Day:
    assert view.book.day is not None, "judged before the trading day was opened"
    return view.book.day


def _period(params: Params, trade_date: str) -> Period:
    return PERIODS[params.period](ordinal_of(trade_date))


def _current(params: Params, view: View) -> Period:
    return _period(params, view.book.trade_date)


def _basis(params: Params, view: View) -> str:
    return params.pnl_basis or view.pnl_basis


def _result(params: Params, view: View, gross_usd: int, costs_usd: int) -> int:
    return gross_usd - costs_usd if _basis(params, view) == "net" else gross_usd


def _total(params: Params, view: View, period: Period) -> int:
    """Realised P&L of all trade dates of a period, today included."""
    return sum(
        _result(params, view, view.recall_account(f"{GROSS}.{date}") or 0, view.recall_account(f"{COSTS}.{date}") or 0)
        for date in map(date_text, range(period.first, period.last + 1))
    )


# ---- what is remembered ------------------------------------------------------------------------------


def _booked(trade: Trade) -> tuple[int, int]:
    return (0, 0) if trade.voided else (trade.profit_usd or 0, trade.costs_usd())


def _change(view: View) -> _Change | None:
    """What a fill, a later version of one, or its void changed; None where nothing was booked."""
    fill, before = view.fill, view.effect.corrected
    if fill is None:
        return None
    if before is not None and before.voided:
        # A fill so old that only its id was known: the void itself says what it was, and it was booked long ago.
        date = trade_date_of(_day(view), fill.placed_at)
        return _Change(date, -(fill.profit_usd or 0), -fill.costs_usd())
    gross_usd, costs_usd = _booked(fill)
    known_gross_usd, known_costs_usd = (0, 0) if before is None else _booked(before)
    return _Change(fill.trade_date, gross_usd - known_gross_usd, costs_usd - known_costs_usd)


def remember(params: Params, view: View) -> None:
    since = view.episode_since(PERIOD)
    if since is not None:
        breached = _period(params, trade_date_of(_day(view), since))
        view.keep_account(f"{BREACHED}.{breached.first}", 1)
    current = _current(params, view)
    body = view.event.body
    if isinstance(body, TradesListed) and body.from_at <= current.opens_at(_day(view)):
        view.keep_account(LISTED, current.first)
    begins = view.recall_account(FROM) is None
    change = _change(view)
    if begins:
        _begin(view)
    _forget(params, view, current)
    if begins or change is not None:
        _remember_dates(view, change, begins)
        _note_whose(params, view, change)


def _begin(view: View) -> None:
    """From here on everything is remembered; what is known of the days before stands in their figures."""
    days = view.account.days
    forgotten = len(days) >= DAYS_OF_FIGURES_KEPT
    view.keep_account(FROM, ordinal_of(min(days)) if forgotten else 0)


def _remember_dates(view: View, change: _Change | None, begins: bool) -> None:
    """Bring the dates up to date that have changed.

    Figures are forgotten once there are newer ones of several days. A fill of a day as old as that, told late, makes
    new ones that hold nothing but itself: it is added to what is remembered.
    """
    days, kept_from = view.account.days, date_text(view.recall_account(FROM) or 1)
    whole = sorted(days)[-DAYS_OF_FIGURES_KEPT:]
    for date in (one for one in (days if begins else whole) if one >= kept_from):
        figures = days[date]
        _keep_usd(view, f"{GROSS}.{date}", figures.gross_usd)
        _keep_usd(view, f"{COSTS}.{date}", figures.fees_usd + figures.commissions_usd)
    if change is not None and not begins and change.trade_date not in whole and change.trade_date >= kept_from:
        for name, changed_usd in ((GROSS, change.gross_usd), (COSTS, change.costs_usd)):
            known = view.recall_account(f"{name}.{change.trade_date}") or 0
            _keep_usd(view, f"{name}.{change.trade_date}", known + changed_usd)


def _keep_usd(view: View, name: str, value: int) -> None:
    view.keep_account(name, value or None)


def _note_whose(params: Params, view: View, change: _Change | None) -> None:
    """Which trade date changed last: only a change of today's P&L triggers anything."""
    if change is None:
        figures = view.account.days.get(view.book.trade_date)
        if figures is not None and figures.realised_usd(_basis(params, view)):
            view.keep_account(CHANGED, ordinal_of(view.book.trade_date))
    elif _result(params, view, change.gross_usd, change.costs_usd):
        view.keep_account(CHANGED, ordinal_of(change.trade_date))


def _forget(params: Params, view: View, current: Period) -> None:
    """Dates before the period before this one: no fill of them can matter any more."""
    kept_from = PERIODS[params.period](current.first - 1).first
    if (view.recall_account(FROM) or 0) >= kept_from:
        return
    view.keep_account(FROM, kept_from)
    for name in view.remembered_names():
        kind, _, about = name.partition(".")
        if (kind in (GROSS, COSTS) and about < date_text(kept_from)) or (kind == BREACHED and int(about) < kept_from):
            view.keep_account(name, None)


# ---- judging -----------------------------------------------------------------------------------------


def _is_partial(view: View, period: Period) -> bool:
    """Whether days of the period came before everything that is known."""
    if (view.recall_account(FROM) or 0) > period.first:
        return True
    first_at = min(account.first_at for account in view.book.accounts.values())
    known_from = ordinal_of(trade_date_of(_day(view), first_at))
    return known_from > period.first and view.recall_account(LISTED) != period.first


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    if view.effect.late:
        return _judge_late(params, view)
    period = _current(params, view)
    ended = [Rearm(target) for target in view.open_targets() if _is_over(params, view, target)]
    if view.book.started_at and _is_partial(view, period) and view.recall_account(LISTED) != period.first:
        return ended  # Its fills are still to be listed.
    if view.episode_open(PERIOD) and not any(one.target == PERIOD for one in ended):
        return ended
    total = _total(params, view, period)
    if total > -params.loss_limit:
        return [*ended, *_warnings(params, view, total, ended)]
    if view.recall_account(CHANGED) != ordinal_of(view.book.trade_date):
        return ended
    return [*ended, _breach(params, view, period, total)]


def _is_over(params: Params, view: View, target: str) -> bool:
    """Whether an episode is of an earlier period."""
    since = view.episode_since(target)
    about_period = target == PERIOD or target.startswith(f"{PERIOD}.")
    return about_period and since is not None and since < _current(params, view).opens_at(_day(view))


def _figures(params: Params, total: int) -> dict[str, str]:
    return {
        "period_pnl": money_text(total),
        "loss_limit": limit_text(params.loss_limit),
        "period": params.period,
    }


def _breach(params: Params, view: View, period: Period, total: int) -> Breach:
    name = NAMES[params.period]
    reason = f"{name} P&L {money_text(total)} reached the loss limit of {limit_text(params.loss_limit)}"
    lock = Command(
        "SetLockout",
        scope=ACCOUNT,
        lockout_key=params.period,
        lockout_kind="until_period",
        expires_at=period.closes_at(_day(view)),
        text=reason,
    )
    flags = ("partial_period",) if _is_partial(view, period) else ()
    return Breach(PERIOD, _figures(params, total), day_commands(params.action, reason, lock), flags=flags)


def _judge_late(params: Params, view: View) -> Sequence[Finding]:
    """A fill of an earlier day is recorded when it takes its period over the limit, and triggers nothing."""
    period = _period(params, view.day.trade_date)
    total = _total(params, view, period)
    if total > -params.loss_limit or _was_breached(view, period):
        return ()
    flags = ("partial_period",) if _is_partial(view, period) else ()
    return (Breach(PERIOD, _figures(params, total), flags=flags),)


def _was_breached(view: View, period: Period) -> bool:
    """Whether the period has breached, or a late fill of it has been recorded to."""
    if view.recall_account(f"{BREACHED}.{period.first}") is not None:
        return True
    dates = map(date_text, range(period.first, period.last + 1))
    return any(episode_name(view.rule_key, breached_on(date)) in view.account.counters for date in dates)


def _warnings(params: Params, view: View, total: int, ended: Sequence[Rearm]) -> Iterator[Finding]:
    over = [one.target for one in ended]
    for share in params.warn_at:
        target = f"{PERIOD}.warn.{share}"
        warned = view.episode_open(target) and target not in over
        if not warned and -total * FRACTION_SCALE >= share * params.loss_limit:
            said = f"{NAMES[params.period]} P&L {money_text(total)} has reached {share_text(share)}"
            yield Action(target, (alert(f"{said} of the loss limit"),))


def reaches_back(params: Params, day: Day) -> int:
    return _period(params, day.trade_date).opens_at(day)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    total = _total(params, view, _current(params, view))
    yield Reading(f"{NAMES[params.period]} loss", LOSS, -total, params.loss_limit)


def caps(params: Params) -> tuple[Cap, ...]:
    return (Cap("loss_limit", LONGER_LOSS, params.loss_limit),)


RULE = Rule(
    "RULE-014",
    "period_loss",
    "Stop for the week or the month at a realised loss",
    88,
    Params,
    evaluate,
    remember=remember,
    needs=needs,
    reaches_back=reaches_back,
    gauges=gauges,
    caps=caps,
    advice=wording.DAY_LOSS,
)
