"""What was decided and is not stored yet. Nothing leaves and nothing is reported before it is stored (DESIGN.md).

A failed commit discards what it held, and nothing is stored any more until the journal has been tried out and the
engine has begun again from it (halt.py). Until then only obligations that were stored before are carried out, and of
those only closing and cancelling. The broker's own lists tell the facts again that were not stored.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.kinds import RequestKind
from riskcore.core.quarantine import quarantined_fact
from riskcore.core.state import Book, Request
from riskcore.errors import InvariantBroken, OutOfSequence, StoreError
from riskcore.schema.codec import encode_event
from riskcore.schema.payloads import Message

# Without a disk only what makes an account flatter may leave, and questions.
MAY_LEAVE_UNSTORED: tuple[RequestKind, ...] = ("closeContract", "cancelOrder", "takeSnapshot")


class Appender(Protocol):
    """The part of a journal that an engine writes with."""

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        """Store events durably in one transaction, with the messages they came from beside them: all or none.

        Raises StoreError, OutOfSequence.
        """

    def tidy(self) -> None:
        """Do what may wait for a quiet moment, so that no `append` has to. Raises StoreError."""

    def cache_state(self, book: Book) -> None:
        """Remember the book as of the last event stored. Raises StoreError."""

    @property
    def pinched(self) -> str | None:
        """Why only a reserve lets events be stored; None while all is well."""

    def is_well(self) -> bool:
        """Whether events can be stored again; tried out. Raises OutOfSequence."""

    @property
    def holds_lease(self) -> bool:
        """Whether nobody else can be writing this journal by now."""


class Writer:
    """Stores what is handed to it. `broken` says why it does not at the moment."""

    def __init__(self, journal: Appender) -> None:
        self._journal = journal
        self._waiting: list[Event] = []
        self._messages: list[Message] = []  # What the broker said, to be kept with the events that come of it.
        self._obligations: dict[int, frozenset[str]] = {}
        self._lockouts: dict[int, frozenset[str]] = {}
        self.broken: str | None = None
        self.stored = 0

    @property
    def pinched(self) -> str | None:
        """Why only the reserve of the disk lets events be stored; None while all is well, or while nothing is."""
        return self._journal.pinched if self.broken is None else None

    def keep(self, events: Sequence[Event]) -> None:
        """Take over events in order; they are stored by the next `commit`."""
        self._waiting.extend(events)

    def keep_message(self, at: int, line: bytes) -> None:
        """Take over a message; it is stored with the events up to its time (schema/payloads.py)."""
        self._messages.append((at, line))

    def commit(self, book: Book) -> list[Event]:
        """Store what waits; what is stored now, in order: empty when nothing waited or the journal is broken.

        Raises OutOfSequence when somebody else writes the journal.
        """
        if not self._waiting or self.broken is not None:
            return []
        # Quotes that changed nothing are stored a little later than they came; so are their messages.
        last_at = self._waiting[-1].at
        messages = [message for message in self._messages if message[0] <= last_at]
        try:
            self._journal.append(self._waiting, messages)
        except OutOfSequence:
            raise
        except StoreError as error:
            self.broken = str(error)
            return []
        stored, self._waiting = self._waiting, []
        del self._messages[: len(messages)]
        self.stored += len(stored)
        self.remember(book)
        return stored

    def leave_out_unfit(self, error: str, version: str) -> list[Event]:
        """Of what waits keep only what comes before the first event that no journal can store, and that fact itself.

        When what was decided on a fact is unfit, the fact is left out: without its decisions it would be judged to
        something else when the journal is read. What comes behind is given up. The events that say what is left out.
        """
        unfit = next((index for index, event in enumerate(self._waiting) if not _is_fit(event)), None)
        facts = [] if unfit is None else [at for at in range(unfit + 1) if not self._waiting[at].derived]
        if not facts or isinstance(self._waiting[facts[-1]].body, TradingDayOpened):
            self._waiting.clear()
            return []
        marker = quarantined_fact(self._waiting[facts[-1]], error, version)
        left_out = [marker] if _is_fit(marker) else []
        self._waiting[facts[-1] :] = left_out
        return left_out

    def discard(self) -> list[Event]:
        """What waits and will not be stored."""
        lost, self._waiting = self._waiting, []
        self._messages.clear()
        return lost

    def is_well(self) -> bool:
        """Whether a broken journal can be written again. Raises OutOfSequence."""
        return self._journal.is_well()

    def begin_again(self, book: Book) -> None:
        """The journal can be written again; `book` is what it says."""
        self.broken = None
        self.remember(book)

    def tidy(self) -> None:
        """Nothing else waits: let the journal do what a commit need not. A broken disk shows at the next one."""
        with suppress(StoreError):
            self._journal.tidy()

    def cache(self, book: Book) -> None:
        """Keep the book beside the journal; a start without it only takes longer, so a failure is no fault."""
        if self.broken is None:
            with suppress(StoreError):
                self._journal.cache_state(book)

    def remember(self, book: Book) -> None:
        """The book as it is now is what the journal says: its obligations may be carried out whatever happens."""
        self._obligations = {account.id: frozenset(account.obligations) for account in book.accounts.values()}
        self._lockouts = {account.id: frozenset(account.lockouts) for account in book.accounts.values()}

    def has_stored(self, obligation: str) -> bool:
        """Whether an obligation was in force by what the journal says."""
        return any(obligation in stored for stored in self._obligations.values())

    def may_leave(self, account: int, request: Request) -> bool:
        """Whether a request may be sent without being stored first.

        Not when another engine may have taken over meanwhile: what is unmet it closes itself, and two closes reverse.
        """
        if not self._journal.holds_lease:
            return False
        stored = self._obligations.get(account, frozenset())
        return request.kind in MAY_LEAVE_UNSTORED and request.obligation in stored

    def keep_to_stored(self, book: Book, due: Sequence[tuple[int, Request]]) -> None:
        """Take out of the book what was decided and not stored, and of what is due the requests that may not leave.

        What stays is planned again from the facts to come, whichever decision it was planned for.
        """
        for account_id, request in due:
            if not self.may_leave(account_id, request):
                book.accounts[account_id].requests.pop(request.id, None)
        for account in book.accounts.values():
            obligations = self._obligations.get(account.id, frozenset())
            lockouts = self._lockouts.get(account.id, frozenset())
            account.lockouts = {key: value for key, value in account.lockouts.items() if key in lockouts}
            for name in [name for name in account.obligations if name not in obligations]:
                del account.obligations[name]
                for request in [one for one in account.requests.values() if one.obligation == name]:
                    del account.requests[request.id]


def _is_fit(event: Event) -> bool:
    try:
        encode_event(0, event)
    except InvariantBroken:
        return False
    return True
