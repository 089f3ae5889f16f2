"""What the broker said, word for word, on its way to the journal and to a recording.

Messages go into the transaction of the events they became. A recording gets every line, and is written behind the
commands, so that no command waits for it. Source: INTERFACE.md 4, DESIGN.md "One event, end to end".
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.kinds import ConnectionState, Hub
from riskcore.core.state import Book
from riskcore.engine.ports import Line, Texts
from riskcore.errors import InvariantBroken
from riskcore.schema.fact_lines import fact_text
from riskcore.schema.payloads import message_line, of_user
from riskcore.version import VERSION


def connection_text(hub: Hub, state: ConnectionState) -> bytes:
    """The text of a change of a hub's connection."""
    return f'{{"connection":"{hub}","state":"{state}"}}'.encode()


def opening_of(book: Book) -> Event:
    """A state as the opening of its day: whoever takes it knows what the book knows."""
    assert book.day is not None, "nothing is known before a day was opened"
    body = TradingDayOpened(
        profile=book.profile,
        day=book.day,
        settings=book.settings,
        lacks=book.lacks,
        contracts=tuple(book.contracts.values()),
        marks=book.marks,
        accounts=tuple(book.accounts.values()),
        version=VERSION,
        previous_hash="",
        connections=book.connections,
        connection_since=book.connection_since,
        ordinal=book.ordinal,
        enforces=book.enforces,
        started_at=book.started_at,
    )
    return Event(book.now, "operator", f"day:{book.day.trade_date}", body)


class Recording(Protocol):
    """A file that is written as it happens; it reports a failure itself and never raises.

    It outlives an engine that is built again, so it knows the time of its last line (0: none yet).
    """

    last_at: int

    def add(self, line: bytes) -> None:
        """One whole line."""

    def flush(self) -> None:
        """Let go of what was added: after a kill the file can be read up to here."""


class WireLog:
    """The inbox' Wire. `keep` takes a message for the journal, `policy` says which of them: user, all or off."""

    def __init__(
        self, keep: Callable[[int, bytes], None], policy: str = "user", recording: Recording | None = None
    ) -> None:
        self.policy = policy
        self._keep = keep
        self._recording = recording

    def begin(self, book: Book) -> None:
        """An engine takes over at this state. A recording that begins in the middle of a day opens with it."""
        if self._recording is None or self._recording.last_at or book.day is None:
            return
        self._put(book.now, fact_text(opening_of(book)))

    def message(self, at: int, line: Line, text: bytes) -> None:
        """See inbox.Wire."""
        keeps = self.policy == "all" or (self.policy == "user" and of_user(line))
        if keeps or self._recording is not None:
            self._pass_on(at, message_line(at, text), keeps)

    def quotes(self, ats: Sequence[int], texts: Texts) -> None:
        """See inbox.Wire."""
        keeps = self.policy == "all"
        if keeps or self._recording is not None:
            for at, text in zip(ats, texts(), strict=True):
                self._pass_on(at, message_line(at, text), keeps)

    def fact(self, event: Event) -> None:
        """See inbox.Wire. It needs no message in the journal: it is stored as it is."""
        if self._recording is None:
            return
        try:
            text = fact_text(event)
        except InvariantBroken:
            return  # No journal can hold it either.
        self._put(event.at, text)

    def flush(self) -> None:
        """Everything that waited has been stored and sent."""
        if self._recording is not None:
            self._recording.flush()

    def _put(self, at: int, text: bytes) -> None:
        recording = self._recording
        assert recording is not None, "whoever puts has looked"
        # What is read back from a journal may be older than what was recorded last.
        recording.last_at = max(recording.last_at, at)
        recording.add(message_line(recording.last_at, text))

    def _pass_on(self, at: int, line: bytes, keeps: bool) -> None:
        if keeps:
            self._keep(at, line)
        if self._recording is not None:
            self._recording.last_at = max(self._recording.last_at, at)
            self._recording.add(line)
