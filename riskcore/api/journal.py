"""The journal of an engine, read only: an engine that runs is neither blocked nor changed. Source: INTERFACE.md 11."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, environ, fspath
from typing import Any

import msgspec

from replay.result import Collector
from replay.source import batches
from riskcore.api.arguments import Accounts, texts
from riskcore.api.results import Breach, Command, PastLockout, Row
from riskcore.audit.decisions import Decisions
from riskcore.audit.following import open_journal as open_store
from riskcore.audit.why import explain
from riskcore.core.runner import Listener
from riskcore.errors import ConfigError, StoreError
from riskcore.schema.codec import export_line
from riskcore.store.journal import Journal
from riskcore.store.location import choose_days


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One stored event, as `riskcore export` writes it: a fact, or what was derived from it. `at` is RFC 3339."""

    day: str
    seq: int
    type: str
    v: int
    at: str
    source: str
    key: str
    cause: str  # The key of the event it was derived from; empty for a fact.
    data: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class DayDecisions:
    """What was decided on some days: breaches, commands and the lockouts that were set."""

    breaches: list[Breach]
    commands: list[Command]
    lockout_history: list[PastLockout]


class StoredJournal:
    """The journal of one profile; see `open_journal`. Days are texts, YYYY-MM-DD.

    Methods raise ConfigError for a day that is not there, Corrupt where the journal does not match its own chain, and
    StoreError behind the end of the block.
    """

    def __init__(self, journal: Journal) -> None:
        self._opened: Journal | None = journal

    @property
    def _journal(self) -> Journal:
        if self._opened is None:
            raise StoreError("this journal is closed: read it inside the block of open_journal")
        return self._opened

    @property
    def profile(self) -> str:
        """Whose journal it is."""
        return self._journal.profile

    @property
    def days(self) -> list[str]:
        """The trading days stored by now, oldest first."""
        return self._journal.streams()

    def events(self, day: str, after: int = 0) -> Iterator[StoredEvent]:
        """The events of a day in order, from the one after sequence number `after` on; the hash chain is checked."""
        (day,) = self._chosen(texts(day))
        stored = self._journal.last_seq(day)
        if not isinstance(after, int) or not 0 <= after <= stored:
            raise ConfigError(f"after {after!r:.40}: day {day} has the events 1 to {stored}")
        for _, canonical, digest in self._journal.stored_bytes(day, after):
            yield StoredEvent(day, **msgspec.json.decode(export_line(canonical, digest)))
            _ = self._journal  # Closed while the caller had the turn, it is said here.

    def decisions(self, *days: str) -> DayDecisions:
        """The breaches, commands and lockouts of these days, by default of all, with the ids that `why` takes."""
        found = Collector()
        self._feed(texts(days), found.listen)
        row = {"breaches": found.breaches, "commands": found.commands, "lockout_history": found.lockouts.rows}
        return msgspec.convert(row, DayDecisions)

    def why(self, decision: str, *, days: str | Sequence[str] = (), accounts: Accounts = ()) -> Row:
        """One breach or command explained to its last number: the object of `riskcore why ID --json`.

        `decision` is its id, or a beginning or end that only it has. Raises ConfigError when none or several fit.
        """
        found = Decisions()
        self._feed(texts(days), found.listen)
        return explain(found, decision, texts(accounts))

    def _feed(self, days: Sequence[str], listener: Listener) -> None:
        for day in self._chosen(days):
            for events in batches(self._journal.read(day)):
                listener(events)

    def _chosen(self, days: Sequence[str]) -> list[str]:
        return choose_days(self.days, days, f"profile {self.profile}", self._journal.archived())


@contextmanager
def open_journal(store: str | PathLike[str] | None = None, *, profile: str | None = None) -> Iterator[StoredJournal]:
    """Open a journal for reading: `with riskcore.open_journal("journal.db") as journal:`.

    `store`: a file or URL; by default RISKCORE_STORE, else the file in the user's data folder. `profile`: needed if the
    store holds several. Raises ConfigError when there is no such journal, StoreError when it cannot be read.
    """
    where = fspath(store) if store is not None else environ.get("RISKCORE_STORE")
    with open_store(where, profile, None) as (journal, _):
        found = StoredJournal(journal)
        try:
            yield found
        finally:
            found._opened = None
