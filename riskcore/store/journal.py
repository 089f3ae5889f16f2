"""The journal of one profile: every event for ever, one stream a trading day, hash-chained.

A stored row is the topic and, as state, the 32 bytes of the event's hash followed by its canonical bytes
(schema/codec.py). Nothing is encoded again to check the chain. Source: DESIGN.md "Events, versions, store".
"""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.state import Book
from riskcore.errors import Corrupt, StoreError
from riskcore.schema.chain import Head, Link, digest_of, head_of, link
from riskcore.schema.codec import book_from_bytes, decode_event, state_bytes
from riskcore.schema.export import ExportWriter, Stored
from riskcore.store.fingerprint import core_fingerprint
from riskcore.store.lease import ProfileLock

if TYPE_CHECKING:
    from riskcore.store.recorder import JournalRecorder, Row

_HASH_LENGTH = 32
_PAGE = 2000  # Rows fetched at a time: enough to hide the query, few enough for any memory.
_NOTHING = Head()


class Journal:
    """Use `Journal.open`. Days are named by their trade date; `seq` starts at 1 every day."""

    def __init__(self, recorder: "JournalRecorder", profile: str, lock: ProfileLock | None, fence: int) -> None:
        self.profile = profile
        self._recorder = recorder
        self._lock = lock
        self._fence = fence
        self._head = self._stored_head()

    @classmethod
    def open(cls, where: str | Path, profile: str, *, write: bool = False) -> "Journal":
        """The journal of `profile` in a file or at a URL; `write` makes this process its only writer.

        Readers neither block nor are blocked. Raises ProfileBusy when another writer holds the profile (before
        anything is changed), StoreError when there is no journal to read or it cannot be made durable.
        """
        # Imported here: importing eventsourcing is slow, and commands without a store must not pay for it.
        from riskcore.store.recorder import lock_path, open_recorder

        where = str(where)
        if not profile or "/" in profile or not profile.isprintable():
            raise StoreError(f"profile name {profile[:60]!r}: must be printable text without a slash")
        lock = ProfileLock(lock_path(where, profile), profile) if write else None
        try:
            recorder = open_recorder(where, write)
            holder = f"process {os.getpid()} on {platform.node()}"
            return cls(recorder, profile, lock, recorder.take_lease(profile, holder) if write else 0)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def append(self, events: Sequence[Event]) -> None:
        """Store events durably in one transaction: all or none.

        Each TradingDayOpened begins a new stream, and is given the last hash of the day before. Raises
        OutOfSequence when the events do not continue this journal or somebody else has appended; then, and
        after any StoreError, this writer must stop.
        """
        if self._lock is None:
            raise StoreError(f"the journal of profile {self.profile} was opened for reading only")
        links = link(self.profile, self._head, events)
        if links:
            rows = [(self._stream(date), seq, topic, digest + line) for date, seq, topic, digest, line in links]
            self._recorder.append(rows, self.profile, self._fence)
            self._head = head_of(links[-1]) or _NOTHING

    def streams(self) -> list[str]:
        """The trade dates stored, oldest first."""
        prefix = self._stream("")
        return [stream.removeprefix(prefix) for stream in self._recorder.stream_ids() if stream.startswith(prefix)]

    def last_hash(self) -> str:
        """The hash of the last event stored, as text; empty when there is none."""
        return self._stored_head().digest.hex()

    def last_seq(self, trade_date: str) -> int:
        """How many events a day has; 0 for a day that is not stored."""
        row = self._recorder.last_row(self._stream(trade_date))
        return row[0] if row else 0

    def read(self, trade_date: str, after: int = 0) -> Iterator[Stored]:
        """Every event of a day behind seq `after`, in order, its chain checked. Raises Corrupt, StoreError."""
        for _, seq, topic, digest, line in self.links(trade_date, after):
            try:
                said, event = decode_event(topic, line)
            except Corrupt as error:
                raise self._corrupt(trade_date, seq, str(error)) from error
            if said != seq:
                raise self._corrupt(trade_date, seq, f"stored as event {seq} but says {said}")
            yield seq, event, digest

    def links(self, trade_date: str, after: int = 0) -> Iterator[Link]:
        """As `read`, but the stored bytes as they are, checked and not decoded."""
        stream = self._stream(trade_date)
        digest = self._anchor(trade_date, after)
        seq = after
        while rows := self._recorder.rows(stream, seq, _PAGE):
            for version, topic, state in rows:
                seq += 1
                self._check_types(trade_date, seq, (version, topic, state))
                line = state[_HASH_LENGTH:]
                digest = sha256(digest + line).digest()
                if not state.startswith(digest):
                    raise self._corrupt(trade_date, seq, "the hash does not match: this event or one before was edited")
                yield trade_date, seq, topic, digest, line

    def verify_chain(self, trade_date: str) -> int:
        """Check storage, the links between all days, and every event of one day; returns their number.

        Raises Corrupt for anything edited, missing or damaged. Only a rewriting of everything up to the last
        event, or the loss of the last events of the last day, needs a closing hash kept elsewhere to be seen.
        """
        self._recorder.check_storage()
        self._check_openings()
        return sum(1 for _ in self.read(trade_date))

    def export(self, trade_dates: Iterable[str], writer: ExportWriter) -> None:
        """Write days, which follow one another, as a journal export; the caller closes the writer."""
        for position, trade_date in enumerate(trade_dates):
            if position == 0:
                writer.begin(self.profile, self._anchor(trade_date, 0).hex())
            for stored in self.links(trade_date):
                writer.add_links((stored,))

    def cache_state(self, book: Book) -> None:
        """Remember the book as of the last event appended; it only speeds up a start."""
        from riskcore.store.recorder import CachedState

        head, state, fingerprint = self._head, state_bytes(book), core_fingerprint()
        seal = _seal(head.seq, fingerprint, head.digest, state)
        self._recorder.put_state(self._stream(head.trade_date), CachedState(head.seq, fingerprint, seal, state))

    def cached_state(self, trade_date: str) -> tuple[int, Book] | None:
        """A remembered book of the day and its seq, if this very code folded this very chain into it."""
        cached = self._recorder.get_state(self._stream(trade_date))
        if cached is None or cached.fingerprint != core_fingerprint():
            return None
        rows = self._recorder.rows(self._stream(trade_date), cached.seq - 1, 1)
        if not rows or _seal(cached.seq, cached.fingerprint, rows[0][2][:_HASH_LENGTH], cached.state) != cached.digest:
            return None
        return cached.seq, book_from_bytes(cached.state)

    def close(self) -> None:
        """Close the store and let the profile go."""
        self._recorder.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stream(self, trade_date: str) -> str:
        return f"{self.profile}/{trade_date}"

    def _corrupt(self, trade_date: str, seq: int, text: str) -> Corrupt:
        return Corrupt(f"journal of {self.profile}, day {trade_date}, event {seq}: {text}")

    def _check_types(self, trade_date: str, seq: int, row: "Row") -> None:
        version, topic, state = row
        if version != seq:
            raise self._corrupt(trade_date, seq, f"missing: the next one stored is {version}")
        # Columns of a damaged row may have any type.
        if topic.__class__ is not str or state.__class__ is not bytes:
            raise self._corrupt(trade_date, seq, "the row is damaged")

    def _stored_head(self) -> Head:
        dates = self.streams()
        row = self._recorder.last_row(self._stream(dates[-1])) if dates else None
        return Head(dates[-1], row[0], row[2][:_HASH_LENGTH]) if row else _NOTHING

    def _anchor(self, trade_date: str, after: int) -> bytes:
        """The hash on which the event behind `after` hangs."""
        if after == 0:
            return digest_of(self._opening(self._stream(trade_date)).previous_hash)
        rows = self._recorder.rows(self._stream(trade_date), after - 1, 1)
        if not rows:
            raise StoreError(f"journal of {self.profile}: day {trade_date} has no event {after}")
        self._check_types(trade_date, after, rows[0])
        return rows[0][2][:_HASH_LENGTH]

    def _opening(self, stream: str) -> TradingDayOpened:
        rows = self._recorder.rows(stream, 0, 1)
        if not rows:
            raise StoreError(f"{stream} is not in this journal; days stored: {', '.join(self.streams()) or 'none'}")
        trade_date = stream.partition("/")[2]
        self._check_types(trade_date, 1, rows[0])
        _, event = decode_event(rows[0][1], rows[0][2][_HASH_LENGTH:])
        if not isinstance(event.body, TradingDayOpened):
            raise self._corrupt(trade_date, 1, "a day starts with another event than its opening")
        return event.body

    def _check_openings(self) -> None:
        """Every stream, of every profile, starts with its own opening, and a day hangs on the day before."""
        last: dict[str, str] = {}
        for stream in self._recorder.stream_ids():
            opened = self._opening(stream)
            if stream != f"{opened.profile}/{opened.day.trade_date}":
                raise Corrupt(f"journal: stream {stream} holds the day of another")
            if opened.previous_hash != last.get(opened.profile, ""):
                raise Corrupt(f"journal: {stream} does not hang on the day before: events are missing or were edited")
            row = self._recorder.last_row(stream)
            assert row is not None
            last[opened.profile] = row[2][:_HASH_LENGTH].hex()


def _seal(seq: int, fingerprint: str, digest: bytes, state: bytes) -> bytes:
    return sha256(f"{seq} {fingerprint} ".encode() + digest + state).digest()
