"""What only the operator knows of the firm's programme, at the desk: payouts, resets, notes (PROGRAMME.md 6)."""

from datetime import date

from riskcore.core.events import LockoutEnded, NoteRecorded, PayoutRecorded, ProgrammeReset
from riskcore.core.programme import balances
from riskcore.core.programme.hours_table import FRIDAY, next_trade_ordinal
from riskcore.core.programme.payout import payout_of
from riskcore.core.programme.terms import Terms, account_terms
from riskcore.core.quantities import CENT, money, money_text
from riskcore.core.state import Account
from riskcore.core.trading_day import ordinal_of, trade_date_of, weekday
from riskcore.engine.desk import Asked, Desk, account_named, stored_events, text_of
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row

PAYOUT_SCHEMA, RESET_SCHEMA, NOTE_SCHEMA = "riskcore.payout/1", "riskcore.programme_reset/1", "riskcore.note/1"


async def payout(desk: Desk, asked: Asked) -> Row:
    """Enter a payout; one above what the firm pays counts all the same, and is said to be. Raises ConfigError."""
    account = account_named(desk, text_of(asked, "account"))
    terms = _terms(desk, account)
    if terms is None:
        raise ConfigError(f"{account.name or account.id} is in no programme: [programme] of riskcore.toml names it")
    amount = _amount(asked, "amount")
    if terms.stage == "combine":
        raise ConfigError(
            f"{account.name or account.id} is a Combine, which pays nothing out: stage of [programme] says so"
        )
    if amount is None or amount <= 0:
        raise ConfigError("the amount of a payout must be above zero")
    requested = _trade_date(desk, account, text_of(asked, "on"))
    _refuse_twice(account, terms, amount, requested or desk.book.trade_date)
    allowed = payout_of(terms, desk.book, account)
    most = None if allowed is None else allowed.max_usd
    await stored_events(desk, desk.submit(PayoutRecorded(account.id, amount, requested)))
    return {
        "schema": PAYOUT_SCHEMA,
        "amount": money_text(amount),
        "trade_date": requested or desk.book.trade_date,
        "max": None if most is None else money_text(most),
        "above_max": most is not None and amount > most,
        **_picture(desk, account.id, terms),
    }


async def reset(desk: Desk, asked: Asked) -> Row:
    """Start the account anew, as the firm did, and end what only that ends. Raises ConfigError."""
    account = account_named(desk, text_of(asked, "account"))
    reason = (text_of(asked, "reason") or "").strip()
    if not reason:
        raise ConfigError("a reset needs a reason")
    body = ProgrammeReset(account.id, reason, _amount(asked, "balance"), _amount(asked, "floor"))
    _refuse_without_room(body, _terms(desk, account))
    events = await stored_events(desk, desk.submit(body))
    ended = [event.body.lockout for event in events if isinstance(event.body, LockoutEnded)]
    picture = _picture(desk, account.id, _terms(desk, account))
    return {"schema": RESET_SCHEMA, "reason": reason, "ended": ended, **picture}


async def note(desk: Desk, asked: Asked) -> Row:
    """Keep a remark for the audit. Raises ConfigError."""
    account = account_named(desk, text_of(asked, "account"))
    text = (text_of(asked, "text") or "").strip()
    if not text:
        raise ConfigError("a note needs a text")
    await stored_events(desk, desk.submit(NoteRecorded(account.id, text)))
    return {"schema": NOTE_SCHEMA, "account": account.id, "account_name": account.name, "text": text}


def _terms(desk: Desk, account: Account) -> Terms | None:
    return account_terms(desk.rulebook.settings, account.id, account.name)


def _picture(desk: Desk, account_id: int, terms: Terms | None) -> Row:
    """What the account stands at now."""
    account = desk.book.accounts[account_id]
    floor = None if terms is None else balances.floor_usd(terms, account)
    window = balances.payout_window(desk.book, account)
    return {
        "account": account.id,
        "account_name": account.name,
        "opening_balance": _text(balances.opening_usd(account)),
        "balance": _text(balances.balance_usd(desk.book, account)),
        "floor": _text(floor),
        "window_from": None if window is None else window.from_date,
    }


def _text(value: int | None) -> str | None:
    return None if value is None else money_text(value)


def _amount(asked: Asked, name: str) -> int | None:
    text = text_of(asked, name)
    if text is None:
        return None
    try:
        value = money(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None
    if value % CENT:
        raise ConfigError(f"{name}: {text} has a part of a cent; the firm's balances have none")
    return value


def _trade_date(desk: Desk, account: Account, text: str | None) -> str | None:
    """The trade date of a request: not one that has not come yet, nor one that the known balances have in them."""
    if text is None:
        return None
    try:
        requested = date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConfigError(f"on: {text!r} is no date such as 2026-11-20") from None
    if requested > desk.book.trade_date:
        raise ConfigError(f"on: {requested} has not come yet; today's trade date is {desk.book.trade_date}")
    if weekday(ordinal_of(requested)) > FRIDAY:
        raise ConfigError(f"on: {requested} is no trade date; a request of a weekend belongs to the Monday after it")
    assert desk.book.day is not None, "the desk answers on an open day"
    known_from = trade_date_of(desk.book.day, account.first_at)
    if requested < known_from:
        raise ConfigError(
            f"on: {requested} is before {known_from}, when the records of {account.name or account.id} begin: their "
            "balances have that payout in them; first_payout_taken = true in [programme] says that it was taken"
        )
    return requested


def _refuse_twice(account: Account, terms: Terms, amount: int, requested: str) -> None:
    """The firm pays once a window, so the same payout again is one that is entered twice."""
    begins = next_trade_ordinal(terms, ordinal_of(requested))
    if balances.last_payout(account) == (amount, begins):
        raise ConfigError(
            f"a payout of {money_text(amount)} requested on {requested} is entered already; nothing was entered again"
        )


def _refuse_without_room(body: ProgrammeReset, terms: Terms | None) -> None:
    """An account whose floor is not below its balance would end with its next fill."""
    if terms is None:
        return
    balance, floor = balances.reset_to(terms, body)
    if floor is not None and floor >= balance:
        raise ConfigError(f"the floor of {money_text(floor)} must be below the balance of {money_text(balance)}")
