"""Folding stored events with the marks they set, for read models that remember nothing of rules."""

from riskcore.core import events as e
from riskcore.core.project import NOTHING, apply, bar_phases
from riskcore.core.state import Book
from riskcore.core.view import Effect


def fold_stored(book: Book, event: e.Event) -> Effect:
    """Fold one stored event into the book in place; of quotes journaled together, what they come to."""
    body = event.body
    if isinstance(body, e.QuotesObserved):
        _fold_quotes(book, body)
        return NOTHING
    if isinstance(body, e.BarObserved):
        for _ in bar_phases(book, event, body):
            pass
        return NOTHING
    return apply(book, event)


def _fold_quotes(book: Book, body: e.QuotesObserved) -> None:
    """Nothing was decided between them, or it would stand between them, so one mark of each contract is enough."""
    come_to: dict[str, tuple[int, int | None, int | None, int | None]] = {}
    for at, contract, last, bid, ask in body.quotes:
        if contract in come_to:
            _, known_last, known_bid, known_ask = come_to[contract]
            last = known_last if last is None else last
            bid = known_bid if bid is None else bid
            ask = known_ask if ask is None else ask
        come_to[contract] = (at, last, bid, ask)
    for contract, (at, last, bid, ask) in come_to.items():
        apply(book, e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask)))
    book.now = body.quotes[-1][0]
