"""The latest moment to hold a position (WHATIF.md 2): 15:08 in Chicago where no programme says another."""

from riskcore.core.exposure_change import root_of
from riskcore.core.programme.hours_table import times_of
from riskcore.core.programme.terms import account_terms
from riskcore.core.state import Account, Book
from riskcore.core.trading_day import exchange_instant

FLAT_BY_SECONDS = (15 * 60 + 8) * 60


def flat_by(book: Book, account: Account, contract: str) -> int:
    """The flat-by time of a contract on the open day, in nanoseconds UTC: the programme's deadline of its product."""
    assert book.day is not None, "a position is kept on an open day"
    terms = account_terms(book.settings, account.id, account.name)
    if terms is not None:
        return times_of(terms, book.day, root_of(book, contract)).deadline
    return exchange_instant(book.day, FLAT_BY_SECONDS)
