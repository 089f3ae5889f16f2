"""What the outside sees of an account in the firm's programme (PROGRAMME.md 9). Amounts as text, None is null."""

from typing import Any

from riskcore.core.programme import balances
from riskcore.core.programme.payout import payout_of
from riskcore.core.programme.scaling import lots_by, lots_of, product_caps, size_cap_units
from riskcore.core.programme.target import effective_target_usd, passed_on
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import FRACTION_SCALE, fraction_text, money_text
from riskcore.core.state import Account, Book

Row = dict[str, Any]


def programme_row(terms: Terms, book: Book, account: Account) -> Row:
    """The state of the account in its programme as the book knows it."""
    balance, lots = balances.balance_usd(book, account), lots_of(terms, account)
    return {
        "version": terms.version,
        "stage": terms.stage,
        "product": terms.product,
        "size": terms.size,
        "opening_balance": _amount(balances.opening_usd(account)),
        "balance": _amount(balance),
        "floor": _amount(balances.floor_usd(terms, account)),
        "floor_source": balances.floor_source(account),
        "buffer": _amount(balances.buffer_usd(terms, account)),
        "target": _amount(terms.target_usd),
        "effective_target": _amount(effective_target_usd(terms, account)),
        "profit": _amount(balances.profit_usd(terms, account)),
        "best_day": _amount(balances.best_day_usd(account)),
        "passed": passed_on(account),
        "size_cap_units": size_cap_units(terms, lots),
        "next_size_cap_units": size_cap_units(terms, None if balance is None else lots_by(terms, balance)),
        "product_caps": product_caps(terms, lots),
        "payout": _payout_row(terms, book, account),
        "conduct": {},
    }


def _payout_row(terms: Terms, book: Book, account: Account) -> Row | None:
    payout = payout_of(terms, book, account)
    if payout is None:
        return None
    window = payout.window
    best, net = window.best_day_usd, window.net_usd
    return {
        "eligible": payout.eligible,
        "max": money_text(payout.max_usd),
        "blockers": list(payout.blockers),
        "winning_days": window.winning_days(terms.payout_day_usd),
        "traded_days": window.traded_days,
        "best_day_share": None if best is None or net <= 0 else fraction_text(best * FRACTION_SCALE // net),
        "window_from": window.from_date,
        "window_known": window.known,
    }


def programme_day_row(terms: Terms, book: Book, account: Account, trade_date: str) -> Row | None:
    """The balances of one trading day; None for a closed day that our records do not have."""
    if trade_date == book.trade_date and balances.closed_day(account, trade_date) is None:
        cap = size_cap_units(terms, lots_of(terms, account))
        floor = balances.floor_usd(terms, account)
        found = balances.DayBalances(balances.opening_usd(account), None, floor, cap)
    else:
        closed = balances.closed_day(account, trade_date)
        if closed is None:
            return None
        found = closed
    return {
        "opening_balance": _amount(found.opening_usd),
        "closing_balance": _amount(found.closing_usd),
        "floor": _amount(found.floor_usd),
        "size_cap_units": found.size_cap_units,
    }


def _amount(value: int | None) -> str | None:
    return None if value is None else money_text(value)
