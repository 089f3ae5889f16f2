"""What was decided and is not stored yet. Nothing leaves and nothing is told before it is stored (DESIGN.md).

When the journal cannot be written, the core goes on in memory: the facts and what follows from them wait here and
are stored in one transaction as soon as the disk heals. Until then none of it counts: only obligations that were
stored before are carried out, and of those only closing and cancelling. A crash in that state loses what waits, which
nobody was told and nothing was done about; the broker's own lists tell the facts again after a restart.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from riskcore.core.events import Event
from riskcore.core.state import Book, Request
from riskcore.errors import OutOfSequence, StoreError

# Without a disk only what makes an account flatter may leave.
MAY_LEAVE_UNSTORED = ("closeContract", "cancelOrder")
# So many events kept in memory while the disk is broken; beyond that the engine must stop.
MOST_UNSTORED = 2_000_000


class Appender(Protocol):
    """The part of a journal that an engine writes with."""

    def append(self, events: Sequence[Event]) -> None:
        """Store events durably in one transaction: all or none. Raises StoreError, OutOfSequence."""

    def tidy(self) -> None:
        """Do what may wait for a quiet moment, so that no `append` has to. Raises StoreError."""

    def cache_state(self, book: Book) -> None:
        """Remember the book as of the last event stored. Raises StoreError."""


class Writer:
    """Stores what is handed to it. `broken` says why it cannot at the moment."""

    def __init__(self, journal: Appender) -> None:
        self._journal = journal
        self._waiting: list[Event] = []
        self._stored_obligations: dict[int, frozenset[str]] = {}
        self.broken: str | None = None
        self.stored = 0

    def keep(self, events: Sequence[Event]) -> None:
        """Take over events in order; they are stored by the next `commit`."""
        self._waiting.extend(events)

    def commit(self, book: Book) -> list[Event]:
        """Store what waits; what is stored now, in order: empty when nothing waited or the disk is broken.

        Raises OutOfSequence when somebody else writes the journal, StoreError when too much waits.
        """
        if not self._waiting:
            return []
        try:
            self._journal.append(self._waiting)
        except OutOfSequence:
            raise
        except StoreError as error:
            self.broken = str(error)
            if len(self._waiting) > MOST_UNSTORED:
                raise
            return []
        self.broken = None
        stored, self._waiting = self._waiting, []
        self.stored += len(stored)
        self.remember(book)
        return stored

    def tidy(self) -> None:
        """Nothing else waits: let the journal do what a commit need not. A broken disk shows at the next one."""
        with suppress(StoreError):
            self._journal.tidy()

    def cache(self, book: Book) -> None:
        """Keep the book beside the journal; a start without it only takes longer, so a failure is no fault."""
        with suppress(StoreError):
            self._journal.cache_state(book)

    def remember(self, book: Book) -> None:
        """The book as it is now is what the journal says: its obligations may be carried out whatever happens."""
        self._stored_obligations = {account.id: frozenset(account.obligations) for account in book.accounts.values()}

    def may_leave(self, account: int, request: Request) -> bool:
        """Whether a request may be sent without being stored first."""
        stored = self._stored_obligations.get(account, frozenset())
        return request.kind in MAY_LEAVE_UNSTORED and request.obligation in stored
