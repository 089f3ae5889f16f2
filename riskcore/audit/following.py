"""Watching an engine through its journal: the book is folded on with every event that was stored since.

The journal is the truth, so a watcher does not need the engine; a reader neither blocks it nor is blocked.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from riskcore.audit.happenings import happenings
from riskcore.audit.safe_size import safe_size_rows
from riskcore.audit.status import book_row, seconds_since, view_of
from riskcore.core.events import (
    BarObserved,
    DepthObserved,
    Event,
    MarketTraded,
    QuoteObserved,
    QuotesObserved,
    RuleBreached,
    TradingDayOpened,
)
from riskcore.core.quarantine import error_text, quarantined_fact, told_text
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.safe_size import Found
from riskcore.core.state import Account, Book
from riskcore.errors import ConfigError, RiskcoreError, StoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row
from riskcore.settings.config import find_file, load_settings
from riskcore.store.journal import Journal
from riskcore.store.lease import ServerLease, is_held
from riskcore.store.location import choose_profile, existing_store
from riskcore.version import VERSION

STATUS_SCHEMA = "riskcore.status/1"
# A day with more events that cannot be folded was not written by this riskcore.
MOST_LEFT_OUT = 20
MOST_BREACHES = 10  # Of those a status shows.
MOST_TOLD = 500  # Happenings kept to be shown.
_MARKET = (QuoteObserved, QuotesObserved, MarketTraded, BarObserved, DepthObserved)


class Listener(Protocol):
    """Somebody who looks at each event as it is folded."""

    def before(self, event: Event, book: Book) -> None:
        """The event is about to be folded."""

    def behind(self, day: str, seq: int, event: Event, book: Book) -> None:
        """It was folded. Of a row of quotes the book may know the marks only behind the next other event."""


class Follower:
    """The state behind the last stored event of a journal. Call `catch_up`; then look at the fields.

    `listener` hears of every event that is folded. With `from_day` the first call begins there, at its first event.
    """

    def __init__(self, journal: Journal, listener: Listener | None = None, from_day: str | None = None) -> None:
        self.book = Book()
        self.trade_date = ""
        self.seq = 0
        self.last_at = 0
        self.version = ""  # Of the riskcore that opened the day.
        self.told: deque[Row] = deque(maxlen=MOST_TOLD)
        self.breaches: deque[tuple[int, Event]] = deque(maxlen=MOST_TOLD)  # Of the day, with the account.
        self.left_out: list[Row] = []  # Of the day: when, and what in words.
        self.begins_behind: tuple[str, int] | None = None  # Where the first event that was folded one by one stands.
        self.sizes: Found = {}  # The safe sizes found last.
        self._journal = journal
        self._listener = listener
        self._from_day = from_day
        self._unfit: dict[tuple[str, int], Event] = {}  # By day and seq, what is taken instead.

    @property
    def rulebook(self) -> Rulebook:
        """The rules in force."""
        return rulebook_of(self.book.settings)

    def catch_up(self) -> bool:
        """Fold what was stored since the last call; whether there was anything. Raises Corrupt, StoreError.

        The first call begins with the last day stored: it opens with everything carried over.
        """
        before = (self.trade_date, self.seq)
        while True:
            try:
                self._follow_all()
            except RiskcoreError:
                raise
            except Exception as error:
                self._begin_without(error)
            else:
                return (self.trade_date, self.seq) != before

    def _begin_without(self, error: Exception) -> None:
        """Begin the day anew without the event that cannot be folded, like an engine that starts."""
        place = (self.trade_date, self.seq)
        if place in self._unfit or len(self._unfit) >= MOST_LEFT_OUT:
            raise StoreError(f"day {self.trade_date} cannot be followed ({error_text(error)})") from error
        self._unfit[place] = quarantined_fact(self._event, error_text(error), VERSION)
        self.book, self.trade_date, self.seq, self.last_at = Book(), "", 0, 0
        self.told.clear()
        self.breaches.clear()

    def _follow_all(self) -> None:
        days = self._journal.streams()
        if self.trade_date:
            todo = [day for day in days if day > self.trade_date]
        else:
            todo = days[-1:] if self._from_day is None else [day for day in days if day >= self._from_day]
        if self.trade_date:
            self._follow(self.trade_date)
        for day in todo:
            self.trade_date, self.seq, self.left_out = day, 0, []
            self.breaches.clear()
            self._follow(day)

    def _follow(self, day: str) -> None:
        notable: list[Event] = []
        events = self._new(day, notable)
        cached = self._journal.cached_state(day) if self.seq == 0 and self._from_day is None else None
        if self.begins_behind is None:
            self.begins_behind = (day, 0 if cached is None else cached[0])
        if cached is not None:
            seq, book = cached
            for event in events:
                if self.seq == 1:
                    self._opened(event)
                if self.seq == seq:
                    break
            self.book = book
        elif self.seq == 0:
            first = next(events)
            fold(self.book, rulebook_of(self._opened(first).settings), first)
        rebuild(self.book, rulebook_of(self.book.settings), events)
        self.told.extend(happenings(notable, self.book))
        self.breaches.extend((event.body.account, event) for event in notable if isinstance(event.body, RuleBreached))

    def _opened(self, event: Event) -> TradingDayOpened:
        assert isinstance(event.body, TradingDayOpened), "a stream opens with its day"
        self.version = event.body.version
        return event.body

    def _new(self, day: str, notable: list[Event]) -> Iterator[Event]:
        """The events of a day that were not seen yet; those that may be told are noted as they pass."""
        for seq, stored, _ in self._journal.read(day, self.seq):
            event = self._unfit.get((day, seq), stored)
            self.seq, self.last_at, self._event = seq, max(self.last_at, event.at), event
            if (text := told_text(event)) is not None:
                self.left_out.append({"at": utc_text(event.at), "text": text})
            if not isinstance(event.body, _MARKET):
                notable.append(event)
            heard = self._listener if (day, seq) > (self.begins_behind or ("", 0)) else None
            if heard is not None:
                heard.before(event, self.book)
            yield event
            if heard is not None:
                heard.behind(day, seq, event, self.book)


def chosen_journal(store: str | None, profile: str | None, config_path: Path | None) -> tuple[str, str]:
    """Store and profile that a command line means. Raises ConfigError when there is none, StoreError."""
    where = existing_store(store)
    configured = None
    if profile is None and (config_path is not None or find_file() is not None):
        configured = str(load_settings(config_path).plain["profile"]["name"])
    return where, choose_profile(where, profile, configured)


@contextmanager
def open_journal(
    store: str | None, profile: str | None, config_path: Path | None
) -> Iterator[tuple[Journal, list[str]]]:
    """The journal a command line means, and its days. Raises ConfigError when there is none, StoreError."""
    with Journal.open(*chosen_journal(store, profile, config_path)) as journal:
        yield journal, journal.streams()


def status_of(
    follower: Follower,
    accounts: Sequence[str],
    lock: Path | ServerLease,
    now: int,
    stop_ticks: int | None = None,
    sizes: bool = True,
) -> Row:
    """The whole status as `--json` prints it, safe sizes for a stop so far away. Raises ConfigError for an account
    that is not known. Without `sizes` there are no safe sizes, which take longer than everything else.
    """
    chosen = chosen_accounts(follower, accounts)
    state = book_row(follower.book, follower.rulebook, chosen, now)
    for account, row in zip(chosen, state["accounts"], strict=True):
        if sizes:
            row["safe_size"] = safe_sizes(follower.book, follower.rulebook, account, stop_ticks, follower.sizes)
    ids = [account.id for account in chosen]
    breaches = [event for account, event in follower.breaches if account in ids][-MOST_BREACHES:]
    return {
        "schema": STATUS_SCHEMA,
        "running": is_held(lock),
        "now": utc_text(now),
        "last_event_at": utc_text(follower.last_at),
        "last_event_seq": follower.seq,
        "seconds_since_last_event": seconds_since(follower.last_at, now),
        "version": follower.version,
        **state,
        # Told anew: what is closing and what is allowed is as of now, whoever followed since when.
        "breaches": happenings(breaches, follower.book),
        "left_out": follower.left_out,
    }


def safe_sizes(
    book: Book, rulebook: Rulebook, account: Account, stop_ticks: int | None = None, found: Found | None = None
) -> list[Row]:
    """The safe sizes of an account as it is now; none before a day is open, or where nothing judges it."""
    if book.day is None or not rulebook.judges(account):
        return []
    return safe_size_rows(book, rulebook, account, view_of(book, rulebook, account), stop_ticks, found)


def chosen_accounts(follower: Follower, accounts: Sequence[str]) -> list[Account]:
    """The accounts asked for by name or id, by default all that are known. Raises ConfigError."""
    known = sorted(follower.book.accounts.values(), key=lambda account: account.id)
    for wanted in accounts:
        if not any(wanted in (str(account.id), account.name) for account in known):
            names = ", ".join(account.name or str(account.id) for account in known) or "none"
            raise ConfigError(f"--account {wanted}: not in this profile; accounts: {names}")
    return [account for account in known if not accounts or str(account.id) in accounts or account.name in accounts]
