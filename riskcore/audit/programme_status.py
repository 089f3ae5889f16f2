"""Where the accounts of a profile stand in the firm's programme, as rows (`riskcore programme status`).

The object of PROGRAMME.md 9 is schema/programme_rows.py; this adds what only people ask: the room now, what one more
dollar costs, when a payout can be asked for at the earliest, and how long it is until everything has to be flat.
"""

from collections.abc import Iterable
from typing import Any

from riskcore.audit.status import seconds_until, view_of
from riskcore.core.programme import balances
from riskcore.core.programme.hours_table import is_closed, next_session_at, next_trade_ordinal, times_of
from riskcore.core.programme.levels import conservative_total
from riskcore.core.programme.maximum_loss import floor_breached_at
from riskcore.core.programme.payout import Payout, payout_of
from riskcore.core.programme.target import allowed_best_day_usd, target_with
from riskcore.core.programme.terms import Terms, account_terms
from riskcore.core.quantities import MONEY_SCALE, money_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book
from riskcore.core.trading_day import date_text, ordinal_of
from riskcore.schema.instants import utc_text
from riskcore.schema.programme_rows import programme_row
from riskcore.settings.calendar import holidays

Row = dict[str, Any]
SCHEMA = "riskcore.programme-status/1"
CREATED_UNKNOWN = "created_unknown"  # Without the day it was bought, an account has the consistency of one bought now.


def programme_status(book: Book, rulebook: Rulebook, accounts: Iterable[Account], now: int) -> Row:
    """Every account that is in the programme, as of the last event; countdowns run to `now`."""
    rows = []
    for account in accounts:
        terms = account_terms(book.settings, account.id, account.name)
        if terms is not None and rulebook.judges(account):
            rows.append(_account_row(terms, book, rulebook, account, now))
    return {
        "schema": SCHEMA,
        "profile": book.profile,
        "trade_date": book.trade_date,
        "timezone": None if book.day is None else book.day.timezone,
        "accounts": rows,
    }


def _account_row(terms: Terms, book: Book, rulebook: Rulebook, account: Account, now: int) -> Row:
    return {
        "id": account.id,
        "name": account.name,
        "programme": programme_row(terms, book, account),
        "enforce": list(terms.enforce),
        "notices": [CREATED_UNKNOWN] if terms.created_unknown else [],
        "day_net": money_text(balances.day_net_usd(book, account)),
        "daily_loss_limit": _amount(terms.loss_limit_usd),
        "allowed_best_day": _amount(allowed_best_day_usd(terms)),
        "one_more_dollar": _amount(one_more_dollar_usd(terms, book, account)),
        "next_payout_day": next_payout_day(terms, book, account),
        **_room(terms, book, rulebook, account),
        "floor_reached_at": _instant(floor_breached_at(account)),
        "flat_by": _flat_by(terms, book, now),
    }


def _amount(value: int | None) -> str | None:
    return None if value is None else money_text(value)


def _instant(at: int | None) -> str | None:
    return None if at is None else utc_text(at)


def _room(terms: Terms, book: Book, rulebook: Rulebook, account: Account) -> Row:
    """Equity at the prices at which positions could be closed, and what is left of it above the floor."""
    balance, floor = balances.balance_usd(book, account), balances.floor_usd(terms, account)
    if balance is None:
        return {"equity": None, "room": None, "mark_flags": []}
    total = conservative_total(view_of(book, rulebook, account), balance)
    return {
        "equity": money_text(total.value),
        "room": None if floor is None else money_text(total.value - floor),
        "mark_flags": list(total.flags),
    }


def one_more_dollar_usd(terms: Terms, book: Book, account: Account) -> int | None:
    """By how much one dollar more today would raise the target if the day closed now; None without a target."""
    best, today = balances.best_day_usd(account), balances.day_net_usd(book, account)
    now = target_with(terms, max(best or 0, today))
    more = target_with(terms, max(best or 0, today + MONEY_SCALE))
    return None if now is None or more is None else more - now


def next_payout_day(terms: Terms, book: Book, account: Account) -> str | None:
    """The first trade date on which a payout could be asked for, if every day until then counts; None without payouts.

    What money alone can change (the balance, the consistency of the window) has no date, and is taken as done.
    """
    payout = payout_of(terms, book, account)
    if payout is None:
        return None
    today = ordinal_of(book.trade_date)
    missing = _missing_days(terms, payout)
    counted_today = balances.day_counts(book) or (book.day is not None and is_closed(terms, book.day))
    day = today
    if missing:
        first = next_trade_ordinal(terms, today) if counted_today else today
        day = max(first, ordinal_of(payout.window.from_date))
        for _ in range(missing - 1):
            day = next_trade_ordinal(terms, day)
    while date_text(day) in holidays() or (day == today and "daily_loss_limit" in payout.blockers):
        day = next_trade_ordinal(terms, day)
    return date_text(day)


def _missing_days(terms: Terms, payout: Payout) -> int:
    if "winning_days" in payout.blockers:
        return terms.payout_days - payout.window.winning_days(terms.payout_day_usd)
    if "traded_days" in payout.blockers:
        return terms.payout_days - payout.window.traded_days
    return 0


def _flat_by(terms: Terms, book: Book, now: int) -> Row | None:
    """The times of the open day and the seconds left to each; None on a closed day and while no day is open."""
    if book.day is None or is_closed(terms, book.day):
        return None
    times = times_of(terms, book.day)
    found: Row = {"next_session": utc_text(next_session_at(terms, book.day))}
    for name in ("last_entry", "flatten", "hard", "deadline"):
        at = getattr(times, name)
        found[name] = {"at": utc_text(at), "seconds_left": seconds_until(at, now)}
    return found
