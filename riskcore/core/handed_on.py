"""What a trading day hands on: the opening event of the next one carries it, so that a day replays alone."""

from dataclasses import replace

from riskcore.core.events import TradingDayOpened
from riskcore.core.state import Book


def carried_over(book: Book, body: TradingDayOpened) -> TradingDayOpened:
    """The next day's opening event with everything the day that ends hands on."""
    return replace(
        body,
        contracts=tuple(book.contracts[name] for name in sorted(book.contracts)),
        marks=dict(book.marks),
        accounts=tuple(book.accounts.values()),
        connections=dict(book.connections),
        connection_since=dict(book.connection_since),
        ordinal=book.ordinal,
        enforces=book.enforces,
        started_at=book.started_at,
    )
