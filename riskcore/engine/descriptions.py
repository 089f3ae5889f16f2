"""Which contracts the broker is asked to describe, and how long the first answers are waited for (RULES.md 1.2)."""

from collections.abc import Sequence

from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.core.state import Book

AGAIN_NS = MINUTE_NS  # Between two questions about one contract.
AWAITED_NS = 5 * SECOND_NS  # How long the records of contracts that are held may take before the rules are armed.


class Descriptions:
    """Remembers what was asked; what is known is in the book."""

    def __init__(self) -> None:
        self._asked_at: dict[str, int] = {}

    def due(self, book: Book, contracts: Sequence[str], now: int) -> list[str]:
        """The contracts to ask about now; they count as asked."""
        unknown = [one for one in contracts if not _is_described(book, one)]
        due = [one for one in unknown if one not in self._asked_at or now - self._asked_at[one] >= AGAIN_NS]
        self._asked_at.update(dict.fromkeys(due, now))
        return due

    def awaited(self, book: Book, contracts: Sequence[str], now: int) -> bool:
        """Whether a record may still come; a broker that is silent delays nobody for long."""
        unknown = [one for one in contracts if not _is_described(book, one)]
        return any(now - self._asked_at.get(one, now) < AWAITED_NS for one in unknown)


def _is_described(book: Book, contract: str) -> bool:
    known = book.contracts.get(contract)
    return known is not None and known.described
