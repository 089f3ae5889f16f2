"""Reading the stream of a journal: from any cursor, over day changes, and on while it grows (INTERFACE.md 9)."""

import re
from collections.abc import Callable, Sequence

from riskcore.audit.following import Follower
from riskcore.audit.stream_messages import Before, Channels, Cursor, Message, before, messages, no_channels
from riskcore.core.events import BarObserved, Event, MarketTraded, QuoteObserved, QuotesObserved
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Book
from riskcore.errors import ConfigError, RiskcoreError
from riskcore.store.archived import archive_sentence
from riskcore.store.journal import Journal

START = "start"
_CURSOR = re.compile(r"(\d{4}-\d{2}-\d{2}):(0|[1-9]\d{0,9})(?:\.([1-9]\d{0,5}))?", re.ASCII)
_QUOTED = (QuoteObserved, MarketTraded, BarObserved)
# Behind every message of an event.
LAST_PART = 1 << 30
Place = tuple[str, int, int]
BEFORE_ALL: Place = ("", 0, LAST_PART)


class BeyondJournal(RiskcoreError):
    """A cursor that this journal did not give: it is of another one, or of one that was replaced."""


def read_cursor(text: str) -> Cursor:
    """A cursor as it is written; `start` is in front of everything. Raises ConfigError."""
    if text == START:
        return Cursor("", 0)
    found = _CURSOR.fullmatch(text)
    if found is None or (found[2] == "0" and found[3] is not None):
        raise ConfigError(f"{text[:40]!r} is no cursor such as 2026-12-01:225, 2026-12-01:0 or start")
    return Cursor(found[1], int(found[2]), int(found[3] or 0))


def place_behind(cursor: Cursor) -> Place:
    """The place whose messages were all seen: what has a larger one comes next."""
    return cursor.day, cursor.seq, cursor.part or LAST_PART


def check_cursor(journal: Journal, cursor: Cursor) -> None:
    """Raises BeyondJournal when the journal has no such place."""
    if any(day.trade_date == cursor.day for day in journal.archived()):
        raise BeyondJournal(f"{cursor}: {archive_sentence(journal.archived())}, so the stream cannot go on from there")
    if cursor.day and (cursor.day not in journal.streams() or cursor.seq > journal.last_seq(cursor.day)):
        raise BeyondJournal(f"{cursor} is not in this journal: it has been replaced, or the cursor is of another one")


class Telling:
    """Makes the messages of a journal as it is followed, each once, and hands them on. Listens to a Follower.

    `behind`: the place after which messages are wanted. `quoted`: contracts quoted since somebody last cleared it.
    """

    def __init__(
        self, take: Callable[[Message], None], behind: Place = BEFORE_ALL, channels: Channels = no_channels
    ) -> None:
        self.head: str | None = None
        self.quoted: dict[str, None] = {}
        self._take = take
        self._channels = channels
        self._last = behind
        self._before = Before()
        self._settings: object = None
        self._rulebook: Rulebook | None = None

    def before(self, event: Event, book: Book) -> None:
        if not isinstance(event.body, _MARKET):
            self._before = before(book, self._rules(book), event)

    def behind(self, day: str, seq: int, event: Event, book: Book) -> None:
        if isinstance(event.body, _MARKET):
            self._note_quotes(event)
            told: Sequence[Message] = ()
        else:
            told = messages(day, seq, event, book, self._rules(book), self._before, self._channels)
        # A day that cannot be folded is begun anew without the event that is at fault: it was told so far.
        for message in told:
            if message.place > self._last:
                self._take(message)
        self._last = max(self._last, (day, seq, LAST_PART))
        self.head = told[-1].cursor if told else str(Cursor(day, seq))

    def _note_quotes(self, event: Event) -> None:
        if isinstance(event.body, QuotesObserved):
            self.quoted.update(dict.fromkeys(row[1] for row in event.body.quotes))
        elif isinstance(event.body, _QUOTED):
            self.quoted[event.body.contract] = None

    def _rules(self, book: Book) -> Rulebook:
        if self._rulebook is None or self._settings is not book.settings:
            self._settings, self._rulebook = book.settings, rulebook_of(book.settings)
        return self._rulebook


_MARKET = (*_QUOTED, QuotesObserved)


def tell_from(
    journal: Journal, cursor: Cursor, take: Callable[[Message], None], channels: Channels = no_channels
) -> Place:
    """Hand on every message stored behind a cursor; the place up to which all was told. Raises RiskcoreError."""
    telling = Telling(take, place_behind(cursor), channels)
    follower = Follower(journal, telling, cursor.day)
    follower.catch_up()
    return max(place_behind(cursor), (follower.trade_date, follower.seq, LAST_PART))
