"""The journal of one profile: every event for ever, one stream a trading day, hash-chained.

A stored row is a link of the chain as it is (schema/chain.py): stream, seq, topic, and as state the hash followed
by the canonical bytes. Nothing is encoded again to check the chain. Source: DESIGN.md "Events, versions, store".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.state import Book
from riskcore.errors import Corrupt, DiskFull, OutOfSequence, StoreError
from riskcore.schema.chain import HASH_LENGTH, Head, Link, digest_of, head_of, link, stream_of
from riskcore.schema.codec import book_from_bytes, decode_event, state_bytes
from riskcore.schema.export import ExportWriter, Stored
from riskcore.schema.payloads import NO_LINK, Message, link_of, linked, placed, unpack
from riskcore.store.archived import ArchivedDay, archive_sentence
from riskcore.store.fingerprint import core_fingerprint
from riskcore.store.lease import ProfileLock, this_process
from riskcore.store.lost_events import refuse_lost_events, refuse_noted
from riskcore.store.message_chain import MessageChain
from riskcore.store.reserve import RESERVE_BYTES, Reserve
from riskcore.store.server_url import is_server, without_password

if TYPE_CHECKING:
    from riskcore.store.recorder import JournalRecorder

_PAGE = 500  # Rows fetched at a time: enough to hide the query, few enough to stay in the processor cache.


class Journal:
    """Use `Journal.open`. Days are named by their trade date; `seq` starts at 1 every day."""

    def __init__(
        self,
        recorder: "JournalRecorder",
        profile: str,
        lock: ProfileLock | None,
        fence: int,
        reserve: Reserve | None = None,
    ) -> None:
        self.profile = profile
        self._recorder = recorder
        self._lock = lock
        self._fence = fence
        self._reserve = reserve
        self._head = self._stored_head()
        self._messages: MessageChain | None = None  # None until some are to be kept.
        self._lost = None if lock is None else lock.path.with_suffix(".lost")

    @classmethod
    def open(cls, where: str | Path, profile: str, *, write: bool = False, reserve: bool = False) -> "Journal":
        """The journal of `profile` in a file or at a URL; `write` makes this process its only writer.

        `reserve` keeps room for a writer that must go on when the disk is full.

        Readers neither block nor are blocked. Raises ProfileBusy when another writer holds the profile (before
        anything is changed), ConfigError for a file that is no journal (it stays as it is), StoreError when there is
        no journal to read or it cannot be made durable.
        """
        # Imported here: importing eventsourcing is slow, and commands without a store must not pay for it.
        from riskcore.store.recorder import lock_path, open_recorder, refuse_no_journal, reserve_path

        where = without_password(str(where))
        if not profile or "/" in profile or not profile.isprintable():
            raise StoreError(f"profile name {profile[:60]!r}: must be printable text without a slash")
        if write:
            refuse_no_journal(where)
        lock = ProfileLock(lock_path(where, profile), profile) if write else None
        try:
            if not write:
                return cls(open_recorder(where, write), profile, lock, 0)
            # What is free here says nothing of a server's disk.
            kept = Reserve(reserve_path(where, profile), RESERVE_BYTES if reserve and not is_server(where) else 0)
            recorder = kept.spend(lambda: open_recorder(where, write))
            refuse_noted(recorder, lock_path(where, profile).with_suffix(".lost"))
            fence = kept.spend(lambda: recorder.take_lease(profile, this_process()))
            kept.fill()
            return cls(recorder, profile, lock, fence, kept)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        """Store events durably in one transaction, with the messages they came from beside them: all or none.

        Each TradingDayOpened begins a new stream, and is given the last hash of the day before. Raises
        OutOfSequence when the events do not continue this journal or somebody else has appended; then, and
        after any StoreError, this writer must stop.
        """
        if self._lock is None:
            raise StoreError(f"the journal of profile {self.profile} was opened for reading only")
        links = link(self.profile, self._head, events)
        if links:
            kept = placed(events, messages) if messages else {}
            packed: dict[int, bytes] = {}
            chain = self._messages or (self._stored_messages() if kept else None)
            if chain is not None:
                packed, chain = chain.followed_by(links, kept)
            self._write(lambda: self._recorder.append(links, self.profile, self._fence, packed))
            self._messages = chain
            self._head = head_of(links[-1])

    def put(self, links: Sequence[Link], packed: Mapping[int, bytes]) -> None:
        """Store links of the same chain from another journal as they are, in one transaction; see `pages`.

        `packed`: by a link's place, the messages kept beside it. Raises OutOfSequence, StoreError.
        """
        self._write(lambda: self._recorder.append(links, self.profile, self._fence, packed))
        self._messages = None
        self._head = head_of(links[-1])

    def take_out(self, days: Sequence[ArchivedDay]) -> None:
        """Note days as archived and take what is stored of them out, in one transaction. Raises StoreError."""
        self._recorder.take_out(days, self.profile, self._fence)

    def archived(self) -> list[ArchivedDay]:
        """The days of this profile that left the store, oldest first."""
        return [day for day in self._recorder.archived() if day.profile == self.profile]

    def _stored_messages(self) -> MessageChain:
        """Where the chain of messages stands in what is stored."""
        dates = self.streams()
        if not dates:
            return MessageChain()
        stream = stream_of(self.profile, dates[-1])
        return MessageChain(stream, self._last_kept_link(stream), self.messages_hang_on(dates[-1]))

    def _last_kept_link(self, stream: str) -> bytes | None:
        blob = self._recorder.last_kept(stream)
        return None if blob is None else link_of(blob)

    def _write(self, write: Callable[[], None]) -> None:
        """Into a full disk with the help of the reserve. Raises StoreError."""
        try:
            write()
        except OutOfSequence:
            if self._lost is not None:
                refuse_lost_events(self._recorder, self._head, self._lost)
            raise
        except DiskFull:
            if self._reserve is None:
                raise
            with suppress(StoreError):
                self._recorder.tidy(at_once=True)
            self._reserve.spend(write)

    @property
    def pinched(self) -> str | None:
        """Why only the reserve lets events be stored, or why there is none; None while all is well."""
        return self._reserve.reason if self._reserve is not None else None

    def tidy(self) -> None:
        """Do what may wait for a quiet moment, so that no `append` has to. Raises StoreError."""
        self._recorder.tidy(at_once=self.pinched is not None)
        if self._reserve is not None and self.pinched is not None:
            self._reserve.fill()

    def is_well(self) -> bool:
        """Whether events can be stored again, and the reserve is whole; tried out. Raises OutOfSequence."""
        if self._reserve is not None and not self._reserve.fill():
            return False
        try:
            self._recorder.try_out(self.profile, self._fence)
            if self._lost is not None:
                refuse_lost_events(self._recorder, self._head, self._lost)
            # What failed may be stored all the same, if only the answer of a server was lost.
            self._head, self._messages = self._stored_head(), None
        except OutOfSequence:
            raise
        except StoreError:
            return False
        return True

    @property
    def holds_lease(self) -> bool:
        """Whether nobody else can be writing this profile by now; when in doubt, nothing more may be sent."""
        return self._recorder.holds_lease

    def streams(self) -> list[str]:
        """The trade dates stored, oldest first."""
        prefix = stream_of(self.profile, "")
        return [stream.removeprefix(prefix) for stream in self._recorder.stream_ids() if stream.startswith(prefix)]

    def last_hash(self) -> str:
        """The hash of the last event stored, as text; empty when there is none."""
        return self._stored_head().digest.hex()

    def last_seq(self, trade_date: str) -> int:
        """How many events a day has; 0 for a day that is not stored."""
        row = self._recorder.last_row(stream_of(self.profile, trade_date))
        return row[1] if row else 0

    def read(self, trade_date: str, after: int = 0) -> Iterator[Stored]:
        """Every event of a day behind seq `after`, in order, its chain checked. Raises Corrupt, StoreError."""
        for page in self.pages(trade_date, after):
            for _, seq, topic, state in page:
                try:
                    said, event = decode_event(topic, state[HASH_LENGTH:])
                except Corrupt as error:
                    raise self._corrupt(trade_date, seq, str(error)) from error
                if said != seq:
                    raise self._corrupt(trade_date, seq, f"stored as event {seq} but says {said}")
                yield seq, event, state[:HASH_LENGTH]

    def pages(self, trade_date: str, after: int = 0) -> Iterator[list[Link]]:
        """The stored rows of a day, their chain checked and nothing decoded."""
        stream = stream_of(self.profile, trade_date)
        digest = self._anchor(trade_date, after)
        seq = after
        while rows := self._recorder.rows(stream, seq, _PAGE):
            for row in rows:
                seq += 1
                _, version, topic, state = row
                if version != seq or topic.__class__ is not str or state.__class__ is not bytes:
                    raise self._damaged(trade_date, seq, row)
                digest = sha256(digest + state[HASH_LENGTH:]).digest()
                if not state.startswith(digest):
                    raise self._corrupt(trade_date, seq, "the hash does not match: this event or one before was edited")
            yield rows

    def stored_bytes(self, trade_date: str, after: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Seq, canonical bytes and hash of each event behind seq `after`, not decoded. Raises Corrupt, StoreError."""
        for page in self.pages(trade_date, after):
            for _, seq, _, state in page:
                yield seq, state[HASH_LENGTH:], state[:HASH_LENGTH]

    def messages(self, trade_date: str) -> Iterator[tuple[int, bytes]]:
        """The messages kept beside the events of a day, in order: the seq of the event, and whole lines.

        Raises Corrupt for messages that were edited, added or taken out, StoreError. As with events, the loss of the
        last ones of the last day is seen only by who has kept their link elsewhere.
        """
        for seq, lines, _ in self.linked_messages(trade_date):
            yield seq, lines

    def linked_messages(self, trade_date: str) -> Iterator[tuple[int, bytes, bytes]]:
        """The same with the link of each. Raises Corrupt, StoreError."""
        for seq, packed, lines in self.packed_messages(trade_date):
            yield seq, lines, link_of(packed)

    def packed_messages(self, trade_date: str) -> Iterator[tuple[int, bytes, bytes]]:
        """The same: the seq of the event, what is stored beside it, whole lines. Raises Corrupt, StoreError."""
        stream = stream_of(self.profile, trade_date)
        link, after = self.messages_hang_on(trade_date), 0
        while rows := self._recorder.kept_rows(stream, after, _PAGE):
            for seq, state, packed in rows:
                after = seq
                try:
                    lines = unpack(packed)
                    link = linked(link, state[:HASH_LENGTH] if isinstance(state, bytes) else b"", lines)
                    if link != link_of(packed):
                        raise Corrupt("the messages beside it, or some before, were edited or taken out")
                except Corrupt as error:
                    raise self._corrupt(trade_date, seq, str(error)) from None
                yield seq, packed, lines

    def messages_hang_on(self, trade_date: str) -> bytes:
        """The link before the first messages of a stored day: the last one of the day before. Raises Corrupt."""
        dates = self.streams()
        before = dates[: dates.index(trade_date)]
        if before:
            return self._last_kept_link(stream_of(self.profile, before[-1])) or NO_LINK
        archived = self.archived()
        return archived[-1].last_link if archived else NO_LINK

    def verify_storage(self) -> None:
        """Check files, tables, triggers and the links between days, whether or not any day is left.

        With `read` of every day that covers all that is stored. Raises Corrupt for anything edited, missing or
        damaged. Only a rewriting of everything up to the last event, or the loss of the last events of the last
        day, needs a closing hash kept elsewhere to be seen.
        """
        self._recorder.check_storage()
        last = {day.profile: day.last_hash for day in self._recorder.archived()}
        for stream in self._recorder.stream_ids():
            opened = self._opening(stream)
            if opened.previous_hash != last.get(opened.profile, b"").hex():
                raise Corrupt(f"journal: {stream} does not hang on the day before: events are missing or were edited")
            row = self._recorder.last_row(stream)
            assert row is not None, "a stream that has an opening has a last row"
            last[opened.profile] = _checked_head(row).digest

    def opening(self, trade_date: str) -> TradingDayOpened:
        """What a stored day depends on. Raises StoreError for a day that is not stored, Corrupt."""
        return self._opening(stream_of(self.profile, trade_date))

    def export(self, trade_dates: Iterable[str], writer: ExportWriter) -> None:
        """Write days as a journal export; the caller closes the writer."""
        for trade_date in trade_dates:
            writer.begin(self.profile, self._anchor(trade_date, 0).hex())
            for page in self.pages(trade_date):
                writer.add_links(page)

    def cache_state(self, book: Book) -> None:
        """Remember the book as of the last event appended; it only speeds up a start."""
        from riskcore.store.recorder import CachedState

        head, state, fingerprint = self._head, state_bytes(book), core_fingerprint()
        seal = _seal(head.seq, fingerprint, head.digest, state)
        self._recorder.put_state(head.stream, CachedState(head.seq, fingerprint, seal, state))

    def cached_state(self, trade_date: str) -> tuple[int, Book] | None:
        """A remembered book of the day and its seq, if this very code folded this very chain into it."""
        stream = stream_of(self.profile, trade_date)
        cached = self._recorder.get_state(stream)
        if cached is None or cached.fingerprint != core_fingerprint():
            return None
        rows = self._recorder.rows(stream, cached.seq - 1, 1)
        if not rows:
            return None
        digest = _checked_head(rows[0]).digest
        if cached.seal != _seal(cached.seq, cached.fingerprint, digest, cached.state):
            return None
        return cached.seq, book_from_bytes(cached.state)

    def remembered(self) -> dict[str, int]:
        """By trade date, behind which event a book was remembered: that many there were once. Raises StoreError."""
        prefix = stream_of(self.profile, "")
        seqs = self._recorder.remembered_seqs()
        return {stream.removeprefix(prefix): seq for stream, seq in seqs.items() if stream.startswith(prefix)}

    @property
    def recorder(self) -> "JournalRecorder":
        """The back end, for what concerns the store as a whole."""
        return self._recorder

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

    def _corrupt(self, trade_date: str, seq: int, text: str) -> Corrupt:
        return Corrupt(f"journal of {self.profile}, day {trade_date}, event {seq}: {text}")

    def _damaged(self, trade_date: str, seq: int, row: Link) -> Corrupt:
        if row[1] != seq:
            return self._corrupt(trade_date, seq, f"missing; the next one stored is {row[1]}")
        return self._corrupt(trade_date, seq, "the row is damaged")

    def _stored_head(self) -> Head:
        dates = self.streams()
        row = self._recorder.last_row(stream_of(self.profile, dates[-1])) if dates else None
        return _checked_head(row) if row else Head()

    def _anchor(self, trade_date: str, after: int) -> bytes:
        """The hash on which the event behind `after` hangs."""
        stream = stream_of(self.profile, trade_date)
        if after == 0:
            return digest_of(self._opening(stream).previous_hash)
        rows = self._recorder.rows(stream, after - 1, 1)
        if not rows:
            raise StoreError(f"journal of {self.profile}: day {trade_date} has no event {after}")
        return _checked_head(rows[0]).digest

    def _opening(self, stream: str) -> TradingDayOpened:
        rows = self._recorder.rows(stream, 0, 1)
        if not rows:
            if any(day.stream == stream for day in self.archived()):
                raise StoreError(f"{stream} is not in this journal: {archive_sentence(self.archived())}")
            raise StoreError(f"{stream} is not in this journal; days stored: {', '.join(self.streams()) or 'none'}")
        _, seq, topic, state = rows[0]
        if seq != 1 or topic.__class__ is not str or state.__class__ is not bytes:
            raise Corrupt(f"journal: the opening of {stream} is missing or damaged")
        try:
            _, event = decode_event(topic, state[HASH_LENGTH:])
        except Corrupt as error:
            raise Corrupt(f"journal: the opening of {stream} is damaged: {error}") from error
        opened = event.body
        if not isinstance(opened, TradingDayOpened) or stream_of(opened.profile, opened.day.trade_date) != stream:
            raise Corrupt(f"journal: stream {stream} does not start with its own opening")
        return opened


def _checked_head(row: Link) -> Head:
    """The head of a row as it was read: the columns of a damaged row may have any type. Raises Corrupt."""
    if row[2].__class__ is not str or row[3].__class__ is not bytes:
        raise Corrupt(f"journal: event {row[1]} of {row[0]} is damaged")
    return head_of(row)


def _seal(seq: int, fingerprint: str, digest: bytes, state: bytes) -> bytes:
    return sha256(f"{seq} {fingerprint} ".encode() + digest + state).digest()
