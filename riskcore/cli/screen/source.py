"""Where a screen gets its pictures: from the journal, like every other reader, so that the engine is asked nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from riskcore.audit.following import Follower, chosen_accounts, safe_sizes
from riskcore.audit.status import book_row, seconds_since
from riskcore.cli.screen.picture import UNWATCHED, Picture
from riskcore.cli.screen.recorded import Recorded
from riskcore.cli.screen.words import duration, exchange_clock
from riskcore.core.state import Account, Book
from riskcore.errors import RiskcoreError
from riskcore.schema.instants import read_instant
from riskcore.schema.rows import Row
from riskcore.store.journal import Journal
from riskcore.store.lease import ServerLease, is_held
from riskcore.store.recorder import writer_lock

# Between two trials of the safe sizes, which cost more than all else: while something moves, and while nothing does.
SIZES_SECONDS, QUIET_SIZES_SECONDS = 1.0, 5.0
HEALTH_SECONDS = 2.0
MOST_HAPPENINGS = 200


class Source(Protocol):
    """What a screen draws. Used from one thread, but for `said`."""

    woken: Callable[[], None]

    def changed(self) -> bool:
        """Whether anything that moves was stored since the last picture: a price, a position, an order, a happening."""

    def picture(self, view: str) -> Picture:
        """Everything as it is now; what a view needs besides may come with a later picture."""

    def close(self) -> None:
        """No further picture is asked for."""


@dataclass
class Place:
    """An engine's journal. `mode` says how the engine runs where that is known; else the journal tells.

    `accounts`: only these, by name or id; empty for all. `now`: the time that countdowns run to, from any thread.
    """

    store: str
    profile: str
    mode: str = ""
    accounts: Sequence[str] = ()
    stop_ticks: int | None = None
    now: Callable[[], int] = field(default=time.time_ns)


class JournalSource:
    """Pictures of a journal, while an engine writes it or not. What is only said and not stored comes by `say`."""

    def __init__(self, place: Place) -> None:
        self.woken: Callable[[], None] = lambda: None
        self._place = place
        self._follower: Follower | None = None
        self._journal: Journal | None = None
        self._lock: Path | ServerLease | None = None
        self._recorded = Recorded(self._open, self._health, place.now, lambda: self.woken())
        self._sizes: Mapping[int, list[Row]] = {}
        self._sized_at = -QUIET_SIZES_SECONDS
        self._sized: object = None
        self._drawn: object = None

    def _open(self) -> Journal:
        return Journal.open(self._place.store, self._place.profile)

    def close(self) -> None:
        self._recorded.close()
        if self._journal is not None:
            self._journal.close()

    def _followed(self) -> Follower | None:
        """The state behind the last stored event; None while there is none."""
        try:
            if self._follower is None:
                self._journal = self._open()
                self._follower = Follower(self._journal)
            self._follower.catch_up()
        except RiskcoreError:
            # Not there yet, or a disk is full: what was read before is shown on, with its age.
            pass
        return self._follower if self._follower is not None and self._follower.book.day is not None else None

    def _is_running(self) -> bool:
        """Whether an engine is seen to run, on whatever computer."""
        try:
            if self._lock is None:
                self._lock = writer_lock(self._place.store, self._place.profile)
            return is_held(self._lock)
        except RiskcoreError:  # A server that does not answer: what was read before is shown on, as unwatched.
            return False

    def changed(self) -> bool:
        follower = self._followed()
        return follower is not None and _moving(follower.book, follower.told) != self._drawn

    def picture(self, view: str) -> Picture:
        follower, now = self._followed(), self._place.now()
        running = bool(self._place.mode) or self._is_running()
        if follower is None:
            return Picture(self._place.profile, self._place.mode, now, running=running)
        self._drawn = _moving(follower.book, follower.told)
        rulebook = follower.rulebook
        rulebook.restrict = tuple(self._place.accounts)
        accounts = [one for one in chosen_accounts(follower, self._place.accounts) if rulebook.judges(one)]
        status = book_row(follower.book, rulebook, accounts, now)
        sizes = self._sizes_of(follower, accounts)
        for row in status["accounts"]:
            row["safe_size"] = sizes.get(row["id"], [])
        if not running:
            status["connections"] = [{**row, "state": UNWATCHED} for row in status["connections"]]
        ids = [one.id for one in accounts]
        return Picture(
            profile=follower.book.profile or self._place.profile,
            mode=self._place.mode or (_mode(follower) if running else ""),
            now=now,
            clock=exchange_clock(follower.book),
            status=status,
            happenings=[row for row in follower.told if row.get("account") in (None, *ids)][-MOST_HAPPENINGS:],
            recorded=self._recorded.rows(view, follower.book.settings),
            alarm="" if running else f"NO ENGINE RUNS, as of {duration(seconds_since(follower.last_at, now))} ago",
            running=running,
        )

    def _sizes_of(self, follower: Follower, accounts: Sequence[Account]) -> Mapping[int, list[Row]]:
        age, moved = time.monotonic() - self._sized_at, self._drawn != self._sized
        if age >= (SIZES_SECONDS if moved else QUIET_SIZES_SECONDS):
            book, rulebook, ticks = follower.book, follower.rulebook, self._place.stop_ticks
            self._sizes = {one.id: safe_sizes(book, rulebook, one, ticks) for one in accounts}
            self._sized_at, self._sized = time.monotonic(), self._drawn
        return self._sizes

    def _health(self) -> Row | None:
        """What the running engine reports of itself; None if none runs or it does not answer at once."""
        from riskcore.engine.control_client import ask

        try:
            return ask(self._place.store, self._place.profile, {"ask": "health"}, HEALTH_SECONDS)
        except RiskcoreError:
            return None


def _moving(book: Book, told: Sequence[Row]) -> object:
    """What a new picture is worth; a quote at the same price is not, and what time alone changes is drawn anyway."""
    return (
        {contract: (mark.last, mark.bid, mark.ask) for contract, mark in book.marks.items()},
        [
            ([(one.contract, one.size) for one in account.held()], [one.id for one in account.working_orders()])
            for account in book.accounts.values()
        ],
        told[-1] if told else None,
    )


def _mode(follower: Follower) -> str:
    return "enforcing" if follower.book.enforces else "only deciding"


def in_order(stored: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was stored and what was only said, by time, the newest last."""
    return sorted((*stored, *said), key=lambda row: read_instant(row["at"])) if said else list(stored)
