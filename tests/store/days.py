"""Small days to store."""

from riskcore.core.events import Event, QuoteObserved
from riskcore.store.journal import Journal
from tests.schema.examples import AT, opening

DAY = "2026-08-19"
NEXT_DAY = "2026-08-20"


def quotes(count: int, first: int = 0) -> list[Event]:
    """Different quotes, one a tenth of a second."""
    return [
        Event(
            AT + number * 100_000_000,
            "market",
            f"quote:{number}",
            QuoteObserved("CON.F.US.MNQ.U26", bid=21_000_000_000_000 + number % 64 * 250_000_000),
        )
        for number in range(first, first + count)
    ]


def day(count: int = 5, trade_date: str = DAY) -> list[Event]:
    return [opening(trade_date), *quotes(count)]


def verify_chain(journal: Journal, trade_date: str) -> int:
    """Check the storage and every event of one day; returns their number. Raises Corrupt."""
    journal.verify_storage()
    return sum(1 for _ in journal.read(trade_date))
