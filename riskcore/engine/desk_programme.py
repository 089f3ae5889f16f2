"""What only the operator knows of the firm's programme, at the desk: payouts, resets, notes (PROGRAMME.md 6)."""

from datetime import date

from riskcore.core.events import LockoutEnded, NoteRecorded, PayoutRecorded, ProgrammeReset
from riskcore.core.programme import balances
from riskcore.core.programme.payout import payout_of
from riskcore.core.programme.terms import Terms, account_terms
from riskcore.core.quantities import money, money_text
from riskcore.core.state import Account
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
    requested = _trade_date(desk, text_of(asked, "on"))
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
    value = text_of(asked, name)
    try:
        return None if value is None else money(value)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def _trade_date(desk: Desk, text: str | None) -> str | None:
    """The trade date of a request; not one that has not come yet."""
    if text is None:
        return None
    try:
        requested = date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConfigError(f"on: {text!r} is no date such as 2026-11-20") from None
    if requested > desk.book.trade_date:
        raise ConfigError(f"on: {requested} has not come yet; today's trade date is {desk.book.trade_date}")
    return requested
