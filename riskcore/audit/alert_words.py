"""What an alert adds to its facts, for every channel alike: title, what is still allowed, until when, what to do.

A breach and an alert of a rule are both told with these words. The sentences stand in riskcore/core/rules/wording.py.
"""

from riskcore.core import events as e
from riskcore.core.issuers import TITLES
from riskcore.core.kinds import CLOSES, AlertLevel
from riskcore.core.names import ACCOUNT, lasts_a_day, root_of_scope
from riskcore.core.rulebook import of_id
from riskcore.core.rules.approach import is_warning
from riskcore.core.rules.wording import ANY_LIMIT, OF_ISSUERS, Advice, allowed_words
from riskcore.core.state import Account, Book
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row


def breach_words(book: Book, body: e.RuleBreached) -> Row:
    """The words of a breach: critical while something is being closed for it."""
    account = book.accounts.get(body.account)
    closing = account is not None and _is_closing(account) and not body.shadow
    level: AlertLevel = "info" if body.shadow else ("critical" if closing else "warning")
    words = _words(book, account, body.rule, body.target, near=False, shadow=body.shadow)
    return {"level": level, **words}


def alert_words(book: Book, body: e.CommandIssued) -> Row:
    """The words of an Alert command; its own text says what happened."""
    account = book.accounts.get(body.account)
    return _words(book, account, body.rule, body.target, near=is_warning(body.target))


def advice_of(rule: str) -> Advice:
    """What a rule, or another issuer, tells the trader to do."""
    known = of_id(rule)
    return known.advice if known is not None else OF_ISSUERS.get(rule, ANY_LIMIT)


def _words(book: Book, account: Account | None, rule: str, target: str, *, near: bool, shadow: bool = False) -> Row:
    known, advice = of_id(rule), advice_of(rule)
    title = known.title if known is not None else TITLES.get(rule, rule)
    locked = [] if account is None else [one for one in account.lockouts.values() if _in_force(book, one.expires_at)]
    scopes = tuple(dict.fromkeys(root_of_scope(one.scope) or ACCOUNT for one in locked))
    closing = account is not None and _is_closing(account)
    until = _until(book, [one.expires_at for one in locked], target)
    return {
        "title": f"{title}: {'the limit is near' if near else rule}",
        "allowed": allowed_words(scopes, closing, shadow),
        "until": None if until is None else utc_text(until),
        "advice": advice.near if near else advice.reached,
    }


def _in_force(book: Book, expires_at: int | None) -> bool:
    return expires_at is None or book.now < expires_at


def _until(book: Book, ends: list[int | None], target: str) -> int | None:
    """When what is locked is free again, None while nobody can say; of a limit of the day, its end."""
    if ends:
        return None if None in ends else max(end for end in ends if end is not None)
    return book.day.closes_at if book.day is not None and lasts_a_day(target) else None


def _is_closing(account: Account) -> bool:
    return any(one.kind in (*CLOSES, "ReducePosition") for one in account.obligations.values())
