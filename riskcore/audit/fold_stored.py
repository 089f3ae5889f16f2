"""Folding stored events with the marks they set, for read models that remember nothing of rules."""

from riskcore.core import events as e
from riskcore.core.project import NOTHING, apply, bar_phases
from riskcore.core.state import Book
from riskcore.core.view import Effect


def fold_stored(book: Book, event: e.Event) -> Effect:
    """Fold one stored event into the book in place; quotes journaled together are folded one by one."""
    body = event.body
    if isinstance(body, e.QuotesObserved):
        for at, contract, last, bid, ask in body.quotes:
            apply(book, e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask)))
        return NOTHING
    if isinstance(body, e.BarObserved):
        for _ in bar_phases(book, event, body):
            pass
        return NOTHING
    return apply(book, event)
