"""PROG-NEWS: nothing is opened while the consumer price index is released (PROGRAMME.md 3.4 and 5)."""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Command, PositionsListed
from riskcore.core.names import order_target
from riskcore.core.order_roles import is_entry
from riskcore.core.programme.hours_table import clock_text
from riskcore.core.programme.terms import CPI_ALLOWANCE, Terms
from riskcore.core.rules import wording
from riskcore.core.rules.base import NEAR, NO_MEASURE, Action, Breach, Finding, Reading, Rule
from riskcore.core.rules.commands import alert, reduce_position
from riskcore.core.rules.exposure import newest_cuts
from riskcore.core.state import STATUS_OPEN, Account, Book, Position
from riskcore.core.trading_day import exchange_instant
from riskcore.core.view import View

# Memory of the account for one day, and of a position: what was held when the window began, less what was reduced.
BEGAN, ALERTED, BASE = "day.began", "day.alerted", "base"


def _at(view: View, seconds: int) -> int:
    """The instant of a time of the day in Chicago on the open trade date."""
    day = view.book.day
    assert day is not None, "a rule looks at a day that is open"
    return exchange_instant(day, seconds)


def _is_release_day(terms: Terms, view: View) -> bool:
    return view.book.day is not None and view.book.trade_date in terms.news_days


def _open(terms: Terms, view: View) -> bool:
    """Whether the window is open now: half-open, like every span of time here."""
    if not _is_release_day(terms, view):
        return False
    return _at(view, terms.news_from) <= view.now < _at(view, terms.news_until)


def _opened(view: View, position: Position) -> int:
    """Contracts that were opened in the window and are still held."""
    return abs(position.size) - (view.recall(position, BASE) or 0)


def remember(terms: Terms, view: View) -> None:
    """What is held when the window begins may be kept; a part of it that is reduced is not opened again."""
    if not _open(terms, view):
        return
    began = view.recall_account(BEGAN) is not None
    view.keep_account(BEGAN, 1)
    for position in view.held():
        base, size = view.recall(position, BASE), abs(position.size)
        if base is None and (not began or _is_found(view)):
            view.keep(position, BASE, size - _just_opened(view, position))
        elif base is not None and size < base:
            view.keep(position, BASE, size)


def _is_found(view: View) -> bool:
    """Whether a list shows for the first time what an engine finds at its start: it stands for a missing journal."""
    return isinstance(view.event.body, PositionsListed) and bool(view.effect.shown)


def _just_opened(view: View, position: Position) -> int:
    """Contracts of a position that this event has opened, where it is the first one in the window."""
    if position.contract not in view.effect.increased or isinstance(view.event.body, PositionsListed):
        return 0
    if position.opened_at == view.now:
        return abs(position.size)
    trade = view.effect.trade
    return min(trade.size, abs(position.size)) if trade is not None else 0


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    if not _is_release_day(terms, view):
        return ()
    if not _open(terms, view):
        return _warning(terms, view)
    return [*_mini_entries(terms, view), *_micro_entries(terms, view), *_entry_orders(terms, view)]


def _warning(terms: Terms, view: View) -> Sequence[Finding]:
    """Minutes before the window: once, to an account with something in these products."""
    due = _at(view, terms.news_alert) <= view.now < _at(view, terms.news_from)
    if not due or view.episode_open(ALERTED):
        return ()
    roots = (*terms.news_mini_roots, *terms.news_micro_roots)
    contracts = [position.contract for position in view.held()]
    contracts += [order.contract for order in view.account.working_orders() if is_entry(view.account, order, view.now)]
    if not any(view.root(contract) in roots for contract in contracts):
        return ()
    text = (
        "consumer prices are released at 07:30 Chicago: from 07:25 to 07:35 nothing may be opened in index, metal and "
        "Nikkei products; what you hold may stay, closing and reducing stay possible, your stops keep working"
    )
    return (Action(ALERTED, (alert(text),)),)


def _mini_entries(terms: Terms, view: View) -> Iterator[Finding]:
    for position in _increased(view, terms.news_mini_roots):
        opened, size = _opened(view, position), abs(position.size)
        if opened > 0:
            figures = {"opened": str(opened), "allowed": "0"}
            cut = reduce_position(position.contract, size - opened, opened)
            yield Breach(position.contract, figures, (cut,), contract=position.contract, once=False)


def _micro_entries(terms: Terms, view: View) -> Iterator[Finding]:
    """Micros share one allowance, or have one for each product by the other reading (R5)."""
    increased = _increased(view, terms.news_micro_roots)
    together = terms.reading(CPI_ALLOWANCE) == "account"
    groups = [terms.news_micro_roots] if together else [(root,) for root in terms.news_micro_roots]
    for roots in groups:
        if not any(view.root(position.contract) in roots for position in increased):
            continue
        held = [position for position in view.held() if view.root(position.contract) in roots]
        opened = sum(_opened(view, position) for position in held)
        if opened > terms.news_allowance:
            figures = {"opened": str(opened), "allowed": str(terms.news_allowance)}
            newest = max(increased, key=lambda one: one.increase_order)
            # What was held before the window stays.
            cuts = newest_cuts(held, opened - terms.news_allowance, lambda contract: 1, lambda one: _opened(view, one))
            commands = tuple(command for _, command in cuts)
            yield Breach("micros" if together else roots[0], figures, commands, contract=newest.contract, once=False)


def _increased(view: View, roots: Sequence[str]) -> list[Position]:
    return [one for one in view.held() if one.contract in view.effect.increased and view.root(one.contract) in roots]


def _entry_orders(terms: Terms, view: View) -> Iterator[Finding]:
    """An entry order in a mini that was not there when the window began."""
    order = view.order
    if order is None or order.status != STATUS_OPEN or view.root(order.contract) not in terms.news_mini_roots:
        return
    target = f"day.{order_target(order.id)}"
    first_seen = order.working_since is not None and order.working_since >= _at(view, terms.news_from)
    if first_seen and not view.episode_open(target) and is_entry(view.account, order, view.now):
        cancel = Command("CancelOrder", contract=order.contract, order_id=order.id)
        figures = {"opened": str(order.remaining), "allowed": "0"}
        yield Breach(target, figures, (cancel,), contract=order.contract)


def blind(terms: Terms, book: Book, account: Account) -> str | None:
    """Nothing is known of a year whose release days have not been shipped."""
    judges = terms.news_mini_roots or terms.news_micro_roots
    if not judges or book.day is None or int(book.trade_date[:4]) in terms.news_years:
        return None
    return f"the release days of {book.trade_date[:4]} are not known"


def deadline(terms: Terms, view: View) -> int | None:
    """The warning, then the beginning of the window, so that what is held is known before the first fill in it."""
    if not _is_release_day(terms, view) or view.now >= _at(view, terms.news_until):
        return None
    if view.now < _at(view, terms.news_alert):
        return _at(view, terms.news_alert)
    return _at(view, terms.news_from) if view.recall_account(BEGAN) is None else None


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """Whether consumer prices are released today, and whether something may be opened now."""
    if not _is_release_day(terms, view) or view.now >= _at(view, terms.news_until):
        yield Reading("consumer prices", NO_MEASURE, now="no release ahead today")
    elif _open(terms, view):
        yield Reading(
            "consumer prices",
            NO_MEASURE,
            now="nothing may be opened in index, metal and Nikkei products",
            until=_at(view, terms.news_until),
            state=NEAR,
        )
    else:
        assert view.book.day is not None, "a rule looks at a day that is open"
        begins = clock_text(view.book.day, _at(view, terms.news_from))
        yield Reading("consumer prices", NO_MEASURE, now=f"nothing may be opened from {begins} Chicago")


RULE = Rule(
    "PROGRAMME-NEWS",
    "programme_news",
    "Nothing is opened while consumer prices are released",
    40,
    Terms,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=lambda terms: ("positions",),
    gauges=gauges,
    blind=blind,
    advice=wording.NEWS,
)
