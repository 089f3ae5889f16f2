"""The projection of the programme: what balances.py reads is written here, and nothing is judged.

It runs before every other rule of the programme. Source: PROGRAMME.md 4 and 6.
"""

from collections.abc import Sequence

from riskcore.core import events as e
from riskcore.core.programme import balances as b
from riskcore.core.programme.hours_table import next_trade_ordinal
from riskcore.core.programme.scaling import lots_of, size_cap_units
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import MONEY_SCALE, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import Action, Finding, Observed, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.state import DayFigures, Trade
from riskcore.core.trading_day import ordinal_of, trade_date_of
from riskcore.core.view import View

# Balances of a day are kept as long as a fill of it may still be told, changed or voided.
DAYS_KEPT = 8
KEPT = (b.OPENING_OF, b.CLOSING_OF, b.FLOOR_OF, b.CAP_OF)
DRIFT_ALERT_USD = MONEY_SCALE


def remember(terms: Terms, view: View) -> None:
    _settle_base(view)
    body = view.event.body
    if view.effect.trade is not None:
        _moved(terms, view, view.effect.trade, None)
    elif view.effect.corrected is not None:
        _moved(terms, view, view.account.trade(view.effect.corrected.id), view.effect.corrected)
    if isinstance(body, e.PayoutRecorded):
        _paid(terms, view, body)
    elif isinstance(body, e.ProgrammeReset):
        _reset(terms, view, body)
    if view.effect.balance_at is not None:
        _told(terms, view, view.effect.balance_at)
    elif b.opening_usd(view.account) is None and view.account.balance_usd is not None:
        _take_over(terms, view, view.account.balance_usd)
    _apply_override(terms, view)
    difference = _drift_usd(view)
    if difference == 0:
        view.keep_account(b.DRIFT, None)


# ---- the first opening balance -----------------------------------------------------------------------


def _settle_base(view: View) -> None:
    """On the first day the first settled balance is the one that B is counted back from."""
    if _base_is_open(view) and b.settled_usd(view.account, view.now) is not None:
        view.keep_account(b.BASE_SETTLED, 1)


def _base_is_open(view: View) -> bool:
    """Whether B still follows the balance reported last: the first day, and none has settled."""
    return view.recall_account(b.BASE_AT) is not None and not view.recall_account(b.BASE_SETTLED)


def _told(terms: Terms, view: View, told_at: int) -> None:
    """The broker has reported a balance, true as of an instant."""
    balance = view.account.balance_usd
    assert balance is not None, "a balance that was reported is known"
    view.keep_account(b.TOLD, balance)
    view.keep_account(b.TOLD_AT, told_at)
    view.keep_account(b.TOLD_SINCE, int(told_at >= (view.recall_account(b.FILLED_AT) or 0)))
    unknown = b.opening_usd(view.account) is None
    if not (unknown or _base_is_open(view)):
        return
    net = sum(_net(one) for one in _todays_trades(view) if _is_before(one, told_at))
    if unknown:
        _begin(terms, view)
    view.keep_account(b.BASE_AT, told_at)
    view.keep_account(b.OPENING, balance - net)
    _settle_base(view)
    _start_floor(terms, view)


def _take_over(terms: Terms, view: View, balance: int) -> None:
    """The programme begins to judge an account that was known before: by the balance reported last."""
    assert view.book.day is not None, "an account is judged on an open day"
    fills = [one for one in _todays_trades(view) if one is not view.effect.trade]
    view.keep_account(b.TOLD, balance)
    view.keep_account(b.OPENING, balance - sum(_net(one) for one in fills))
    _begin(terms, view)
    if view.account.first_at < view.book.day.opens_at:
        view.keep_account(b.FIRST_DAY, 0)
        _close_known_days(view)
    else:
        view.keep_account(b.BASE_AT, max((one.recorded_at for one in fills), default=0))
        view.keep_account(b.BASE_SETTLED, 1)
    _start_floor(terms, view)


def _close_known_days(view: View) -> None:
    """The closing balances that our own records imply, counted back from the day's opening."""
    closing = b.opening_usd(view.account) or 0
    for trade_date in sorted(view.account.days, reverse=True):
        figures = view.account.days[trade_date]
        if trade_date >= view.book.trade_date:
            continue
        ordinal = ordinal_of(trade_date)
        view.keep_account(f"{b.CLOSING_OF}{ordinal}", closing)
        if figures.fills > 0:
            view.keep_account(f"{b.NET_OF}{ordinal}", figures.net_usd)
        closing -= figures.net_usd
    _find_best_day(view)


def _begin(terms: Terms, view: View) -> None:
    today = ordinal_of(view.book.trade_date)
    view.keep_account(b.FIRST_DAY, today)
    if view.recall_account(b.WINDOW_FROM) is None:
        view.keep_account(b.WINDOW_FROM, today)


def _start_floor(terms: Terms, view: View) -> None:
    """F at the start; worked out again for as long as the opening balance is."""
    opening = b.opening_usd(view.account)
    assert opening is not None, "a floor starts from an opening balance"
    closings = [opening, *(closing for _, closing in b.rows(view.account, b.CLOSING_OF))]
    implied = [floor for floor in (b.implied_floor_usd(terms, one) for one in closings) if floor is not None]
    override = None if terms.floor_kind == "none" else terms.floor_override_usd
    known = [*implied, *([] if override is None else [override])]
    view.keep_account(b.OVERRIDE, override)
    if not known:
        return
    source: b.FloorSource = "history" if view.recall_account(b.FIRST_DAY) == 0 else "derived"
    if override is not None and override == max(known):
        source = "override"
    view.keep_account(b.FLOOR, max(known))
    view.keep_account(b.FLOOR_SOURCE, b.FLOOR_SOURCES.index(source))


def _apply_override(terms: Terms, view: View) -> None:
    """A floor that the trader gives later raises the known one, once; it never lowers it."""
    floor = b.floor_usd(terms, view.account)
    if floor is not None:
        view.keep_account(b.FLOOR, floor)
        view.keep_account(b.OVERRIDE, terms.floor_override_usd)


def _todays_trades(view: View) -> list[Trade]:
    today = view.book.trade_date
    return [one for one in view.account.trades.values() if one.trade_date == today]


def _net(trade: Trade | None) -> int:
    return 0 if trade is None or trade.voided else (trade.profit_usd or 0) - trade.costs_usd()


def _is_before(trade: Trade, told_at: int) -> bool:
    """Whether a balance has a fill in it: made by then by the broker's clock, or received by then."""
    return min(trade.placed_at, trade.recorded_at) <= told_at


# ---- fills -------------------------------------------------------------------------------------------


def _moved(terms: Terms, view: View, trade: Trade | None, before: Trade | None) -> None:
    """A fill is new, or not what it was `before`: what it moves beside the figures of its day."""
    assert trade is not None, "a fill that was booked is known"
    assert view.book.day is not None, "a fill was booked on an open day"
    amount, trade_date = _net(trade) - _net(before), trade.trade_date
    if before is not None and before.voided:
        # Known by its id alone until its void brought the row: it was booked on the day it was made.
        amount = -((before.profit_usd or 0) - before.costs_usd())
        trade_date = trade_date_of(view.book.day, before.placed_at)
    if before is None or amount:
        view.keep_account(b.FILLED_AT, view.now)
        view.keep_account(b.TOLD_SINCE, 0)
    opening = b.opening_usd(view.account)
    if opening is None or not amount:
        return
    if trade_date < view.book.trade_date:
        _correct(terms, view, trade_date, amount)
    elif trade_date == view.book.trade_date:
        base_at = view.recall_account(b.BASE_AT)
        if base_at is not None and _is_before(trade, base_at):
            view.keep_account(b.OPENING, opening - amount)
            _start_floor(terms, view)


def _correct(terms: Terms, view: View, trade_date: str, amount: int) -> None:
    """A late fill or a void moves every balance since its day, and may raise the floor at once."""
    ordinal, opening = ordinal_of(trade_date), b.opening_usd(view.account)
    first_day = view.recall_account(b.FIRST_DAY)
    if opening is None or first_day is None or ordinal < first_day:
        return  # The balance that our records begin with has it.
    view.keep_account(b.OPENING, opening + amount)
    _keep_day(view, ordinal, view.account.days.get(trade_date), amount)
    raised = [opening + amount]
    for closed, closing in list(b.rows(view.account, b.CLOSING_OF)):
        if closed >= ordinal:
            view.keep_account(f"{b.CLOSING_OF}{closed}", closing + amount)
            raised.append(closing + amount)
    for opened, balance in list(b.rows(view.account, b.OPENING_OF)):
        if opened > ordinal:
            view.keep_account(f"{b.OPENING_OF}{opened}", balance + amount)
    _raise_floor(terms, view, max(raised))


def _keep_day(view: View, ordinal: int, figures: DayFigures | None, amount: int) -> None:
    name = f"{b.NET_OF}{ordinal}"
    net = (view.recall_account(name) or 0) + amount
    view.keep_account(name, None if figures is not None and figures.fills == 0 else net)
    _find_best_day(view)


def _find_best_day(view: View) -> None:
    view.keep_account(b.BEST_DAY, max((net for _, net in b.rows(view.account, b.NET_OF)), default=None))


def _raise_floor(terms: Terms, view: View, closing: int) -> None:
    floor, implied = view.recall_account(b.FLOOR), b.implied_floor_usd(terms, closing)
    if floor is not None and implied is not None:
        view.keep_account(b.FLOOR, max(floor, implied))


# ---- what only the operator knows --------------------------------------------------------------------


def _paid(terms: Terms, view: View, body: e.PayoutRecorded) -> None:
    opening = b.opening_usd(view.account)
    if opening is not None:
        view.keep_account(b.OPENING, opening - body.amount_usd)
        view.keep_account(b.PAYOUT_BALANCE, b.balance_usd(view.book, view.account))
    view.keep_account(b.TOLD_SINCE, 0)
    view.keep_account(b.PAID, body.amount_usd)
    requested = ordinal_of(body.trade_date or view.book.trade_date)
    view.keep_account(b.WINDOW_FROM, next_trade_ordinal(terms, requested))
    view.keep_account(b.WINDOW_KNOWN, 1)


def _reset(terms: Terms, view: View, body: e.ProgrammeReset) -> None:
    """Everything starts over, from what the dashboard shows."""
    figures = b.figures_today(view.book, view.account)
    balance, floor = b.reset_to(terms, body)
    for prefix in (b.NET_OF, *KEPT):
        for ordinal, _ in list(b.rows(view.account, prefix)):
            view.keep_account(f"{prefix}{ordinal}", None)
    for name in (b.BASE_AT, b.BASE_SETTLED, b.BEST_DAY, b.PAID, b.WINDOW_FROM, b.WINDOW_KNOWN, b.PAYOUT_BALANCE):
        view.keep_account(name, None)
    view.keep_account(b.RESET_NET, figures.net_usd)
    view.keep_account(b.RESET_FILLS, figures.fills)
    view.keep_account(b.OPENING, balance - figures.net_usd)
    view.keep_account(b.TOLD_SINCE, 0)
    _begin(terms, view)
    view.keep_account(b.FLOOR, floor)
    view.keep_account(b.FLOOR_SOURCE, None if floor is None else b.FLOOR_SOURCES.index("override"))
    view.keep_account(b.OVERRIDE, terms.floor_override_usd)


# ---- the end of the day ------------------------------------------------------------------------------


def day_closed(terms: Terms, view: View) -> Sequence[e.Derived]:
    """The closing balance opens the next day and moves the floor."""
    account, today = view.account, ordinal_of(view.book.trade_date)
    computed = b.balance_usd(view.book, account)
    if computed is None:
        return ()
    broker = b.settled_usd(account, view.event.at)
    closing = computed if broker is None else broker
    if b.day_fills(view.book, account) > 0:
        view.keep_account(f"{b.NET_OF}{today}", b.day_net_usd(view.book, account))
        _find_best_day(view)
    _apply_override(terms, view)
    _keep_balances(terms, view, today, closing)
    view.keep_account(b.OPENING, closing)
    _raise_floor(terms, view, closing)
    if closing == computed or view.recall_account(b.DRIFT) == closing - computed:
        return ()
    return (e.BalanceDrifted(account.id, computed, closing),)


def _keep_balances(terms: Terms, view: View, today: int, closing: int) -> None:
    """What the day that ends shows from now on."""
    cap = size_cap_units(terms, lots_of(terms, view.account))
    figures = (b.opening_usd(view.account), closing, b.floor_usd(terms, view.account), cap)
    for prefix, value in zip(KEPT, figures, strict=True):
        view.keep_account(f"{prefix}{today}", value)
        for ordinal in sorted(ordinal for ordinal, _ in b.rows(view.account, prefix))[:-DAYS_KEPT]:
            view.keep_account(f"{prefix}{ordinal}", None)


# ---- drift -------------------------------------------------------------------------------------------


def _drift_usd(view: View) -> int | None:
    """How far a settled balance is above B and the day's net; None where the two cannot be compared."""
    broker, computed = b.settled_usd(view.account, view.now), b.balance_usd(view.book, view.account)
    return None if broker is None or computed is None else broker - computed


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    difference = _drift_usd(view)
    if not difference or difference == view.recall_account(b.DRIFT):
        return ()
    broker, computed = b.settled_usd(view.account, view.now), b.balance_usd(view.book, view.account)
    assert broker is not None, "what was compared is known"
    assert computed is not None, "what was compared is known"
    observed = Observed(e.BalanceDrifted(view.account.id, computed, broker))
    if abs(difference) < DRIFT_ALERT_USD:
        return (observed,)
    side, question = ("above", "") if difference > 0 else ("below", ": a payout not entered?")
    text = (
        f"the broker's balance of {money_text(broker)} is {money_text(abs(difference))} {side} "
        f"what the opening balance and the day's fills make{question}"
    )
    return (observed, Action("day.drift", (alert(text),)))


def deadline(terms: Terms, view: View) -> int | None:
    """When a balance that was reported since the last fill settles, if it then shows a difference."""
    filled_at = view.recall_account(b.FILLED_AT)
    if filled_at is None or not view.recall_account(b.TOLD_SINCE) or view.book.now >= filled_at + b.SETTLED_NS:
        return None
    told, computed = view.recall_account(b.TOLD), b.balance_usd(view.book, view.account)
    if told is None or computed is None or told == computed:
        return None
    return filled_at + b.SETTLED_NS


def needs(terms: Terms) -> tuple[str, ...]:
    return ("trades", "accounts")


PROJECTION = Rule(
    "PROGRAMME",
    b.NAME,
    "Balances, floor and closed days of the programme",
    200,
    Terms,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=needs,
    day_closed=day_closed,
    caps_size=False,
    limits=False,
    advice=wording.BALANCES,
)
