"""PROG-PAYOUT: whether an XFA may ask for a payout, how much, and what is in the way (PROGRAMME.md 3.7 and 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import PayoutRecorded
from riskcore.core.programme.balances import (
    PayoutWindow,
    balance_usd,
    day_counts,
    day_fills,
    payout_balance_usd,
    payout_day_locks_at,
    payout_window,
    why_unknown,
)
from riskcore.core.programme.daily_loss import limit_reached_today
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import CENT, FRACTION_SCALE, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import NO_MEASURE, Action, Finding, Reading, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.state import Account, Book
from riskcore.core.view import View

BLOCKER_WORDS = {
    "winning_days": "too few winning days",
    "traded_days": "too few days with a trade",
    "not_profitable": "no profit since the last payout",
    "consistency": "one day is too much of the window's profit",
    "below_minimum": "less than the smallest payout",
    "daily_loss_limit": "the daily loss limit was reached today",
    "holiday": "no payout on a day of early close",
}


@dataclass(frozen=True, slots=True)
class Payout:
    """What a request would meet now. `max_usd` is what may be asked for once nothing is in the way."""

    max_usd: int
    blockers: tuple[str, ...]
    window: PayoutWindow

    @property
    def eligible(self) -> bool:
        return not self.blockers


def payout_of(terms: Terms, book: Book, account: Account) -> Payout | None:
    """None for a stage without payouts, and while nothing is known of the account."""
    window, balance = payout_window(book, account), balance_usd(book, account)
    if terms.stage != "xfa" or terms.payout_cap_usd is None or window is None or balance is None:
        return None
    most = _most_usd(balance, terms.payout_share, terms.payout_cap_usd)
    return Payout(most, tuple(_blockers(terms, book, account, window, balance, most)), window)


def _most_usd(balance: int, share: int, cap: int) -> int:
    """The most that is paid at a balance, rounded down to the cent."""
    return max(min(balance * share // FRACTION_SCALE, cap) // CENT * CENT, 0)


def _blockers(
    terms: Terms, book: Book, account: Account, window: PayoutWindow, balance: int, most: int
) -> Iterator[str]:
    if terms.payout_path == "standard":
        if window.winning_days(terms.payout_day_usd) < terms.payout_days:
            yield "winning_days"
        before = payout_balance_usd(account)
        if before is not None and balance - before < CENT:
            yield "not_profitable"
    else:
        if window.traded_days < terms.payout_days:
            yield "traded_days"
        best = window.best_day_usd or 0
        if window.net_usd <= 0 or best * FRACTION_SCALE > window.net_usd * terms.payout_best_day_share:
            yield "consistency"
    if most < terms.payout_minimum_usd:
        yield "below_minimum"
    if limit_reached_today(account):
        yield "daily_loss_limit"
    if book.day is not None and book.day.holiday is not None:
        yield "holiday"


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    """One notice a window when nothing is in the way, and a warning of a payout that is more than the firm pays."""
    if isinstance(view.event.body, PayoutRecorded):
        return tuple(_above_most(terms, view, view.event.body.amount_usd))
    payout = payout_of(terms, view.book, view.account)
    if payout is None or not payout.eligible:
        return ()
    target = f"eligible.{payout.window.from_date}"
    if view.episode_open(target):
        return ()
    text = f"a payout of up to {money_text(payout.max_usd)} may be asked for"
    return (Action(target, (alert(text, "info"),)),)


def _above_most(terms: Terms, view: View, amount: int) -> Iterator[Finding]:
    """It counts all the same: the operator enters what has happened."""
    left = balance_usd(view.book, view.account)
    if left is None or terms.payout_cap_usd is None:
        return
    most = _most_usd(left + amount, terms.payout_share, terms.payout_cap_usd)
    if amount > most:
        text = (
            f"a payout of {money_text(amount)} is entered, more than the {money_text(most)} that the firm pays "
            "at most; it counts all the same"
        )
        yield Action("", (alert(text),))


def deadline(terms: Terms, view: View) -> int | None:
    """When the open day begins to count in the window."""
    if terms.stage != "xfa" or view.book.day is None or day_counts(view.book):
        return None
    return payout_day_locks_at(view.book.day) if day_fills(view.book, view.account) > 0 else None


def blind(terms: Terms, book: Book, account: Account) -> str | None:
    return why_unknown(account) if terms.stage == "xfa" else None


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """What may be asked for now, or what is in the way."""
    payout = payout_of(terms, view.book, view.account)
    if payout is None:
        return
    blockers = ", ".join(BLOCKER_WORDS[name] for name in payout.blockers)
    words = f"not yet, {blockers}" if blockers else f"up to {money_text(payout.max_usd)} may be asked for"
    yield Reading("payout", NO_MEASURE, now=words)


RULE = Rule(
    "PROGRAMME-PAYOUT",
    "programme_payout",
    "Whether a payout may be asked for",
    5,
    Terms,
    evaluate,
    deadline=deadline,
    needs=lambda terms: ("trades", "accounts"),
    blind=blind,
    gauges=gauges,
    caps_size=False,
    advice=wording.PAYOUT,
)
