"""One journal as another: every event, message and remembered state of a store, or of an archive, put into a store.

Links are copied as they are, so hashes are the same on both sides. The source is only read: up to the events that it
had when the copy began, since what is stored never changes and an engine only adds to it. The target is written in
transactions of whole pages. Killed anywhere, the same copy goes on behind the last page; run again later, it adds what
has been stored since.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from riskcore.errors import ConfigError, Corrupt, StoreError
from riskcore.schema.chain import HASH_LENGTH, Link
from riskcore.store.archived import ArchivedDay
from riskcore.store.journal import Journal
from riskcore.store.recorder import CachedState, JournalRecorder, open_recorder

Progress = Callable[[str, int, float], None]
Page = tuple[list[Link], dict[int, bytes]]  # Links, and by a link's place the messages kept beside it.


@dataclass(frozen=True, slots=True)
class End:
    """Where a day ends: how many events it has, and the hash of the last one."""

    seq: int
    digest: bytes


class CopySource(Protocol):
    """What can be copied into a store. Methods raise Corrupt for what does not match its own chain, StoreError."""

    where: str
    ends: dict[str, End]  # By stream, sorted: what is copied.
    archived: list[ArchivedDay]

    def digest_at(self, stream: str, seq: int) -> bytes:
        """The hash of one event."""

    def pages(self, stream: str, after: int) -> Iterator[Page]:
        """The events of a day behind `after`, up to its end, checked."""

    def state(self, stream: str) -> CachedState | None:
        """A remembered state of the day."""


class StoreSource:
    """A store as a source: what it holds at this moment. Tables, triggers and links between days are checked."""

    def __init__(self, where: str) -> None:
        self.where = where
        with ExitStack() as stack:
            recorder = stack.enter_context(closing(open_recorder(where, write=False)))
            # States before events: one that is remembered is never ahead of what is copied.
            names = recorder.stream_ids()
            self._states = {name: recorder.get_state(name) for name in names}
            self.archived = recorder.archived()
            self.ends = {name: _end(recorder, name) for name in names}
            profiles = sorted({_profile(name) for name in names})
            self._journals = {name: stack.enter_context(Journal.open(where, name)) for name in profiles}
            for journal in list(self._journals.values())[:1]:
                journal.verify_storage()
            self._recorder = recorder
            self._stack = stack.pop_all()

    def digest_at(self, stream: str, seq: int) -> bytes:
        return self._recorder.rows(stream, seq - 1, 1)[0][3][:HASH_LENGTH]

    def pages(self, stream: str, after: int) -> Iterator[Page]:
        return stored_pages(self._journals[_profile(stream)], _date(stream), after, self.ends[stream].seq)

    def state(self, stream: str) -> CachedState | None:
        return self._states[stream]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def stored_pages(journal: Journal, day: str, after: int, until: int) -> Iterator[Page]:
    """The links of a day from behind `after` to `until`, with the messages beside them, both chains checked."""
    messages = journal.packed_messages(day)
    waiting = next(messages, None)
    while waiting is not None and waiting[0] <= after:
        waiting = next(messages, None)
    seq = after
    for page in journal.pages(day, after):
        links = page[: until - seq]
        packed = {}
        while waiting is not None and waiting[0] <= seq + len(links):
            packed[waiting[0] - seq - 1] = waiting[1]
            waiting = next(messages, None)
        seq += len(links)
        _check_topics(links)
        yield links, packed
        if seq == until:
            return
    raise StoreError(f"day {day} of {journal.profile} became shorter while it was read; try again")


def _check_topics(links: list[Link]) -> None:
    """The chain proves what an event says, not the column beside it by which it is decoded. Raises Corrupt."""
    for stream, seq, topic, state in links:
        name, _, version = topic.rpartition(".")
        if not state.startswith(f'[{seq},"{name}",{version},'.encode(), HASH_LENGTH):
            raise Corrupt(
                f"{stream}, event {seq}: stored as {topic[:60]!r}, and says something else: damaged or edited"
            )


class _Copy:
    """The copy of one profile into a journal that is open for writing."""

    def __init__(self, source: CopySource, target: Journal, progress: Progress) -> None:
        self._source, self._target, self._progress = source, target, progress
        self._ends = {name: end for name, end in source.ends.items() if _profile(name) == target.profile}

    def run(self) -> dict[str, int]:
        """Copy, then read the target back; by stream, how many events were added."""
        self._note_archived()
        added = {}
        left = {day.stream: day for day in self._target.archived()}
        for name, end in self._ends.items():
            if name not in left:
                added[name] = self._day(name, end)
            elif left[name].last_hash != end.digest:
                raise self._something_else(f"another day {_date(name)} (archived)")
        self._target.verify_storage()
        for name, end in self._ends.items():
            if name not in left:
                self._read_back(name, end)
        return added

    def _something_else(self, what: str) -> ConfigError:
        return _something_else(self._target.profile, what, self._source.where)

    def _note_archived(self) -> None:
        """What left the source is noted in an empty target; another target must have it already, the very same."""
        days = [day for day in self._source.archived if day.profile == self._target.profile]
        stored, noted = self._target.streams(), {day.stream: day for day in self._target.archived()}
        if not stored and not noted and days:
            self._target.take_out(days)
            return
        for day in days:
            if day.stream in noted:
                found = noted[day.stream].last_hash
            elif day.trade_date in stored:
                row = self._target.recorder.last_row(day.stream)
                found = b"" if row is None else row[3][:HASH_LENGTH]
            else:
                raise ConfigError(
                    f"day {day.trade_date} of profile {day.profile} has left {self._source.where} for {day.file}"
                    f" and is not in the target: copy {Path(day.file).parent} into it first"
                )
            if found != day.last_hash:
                raise self._something_else(f"another day {day.trade_date}")

    def _day(self, name: str, end: End) -> int:
        """Add what the target lacks of a day; how many events that is."""
        day, recorder = _date(name), self._target.recorder
        row = recorder.last_row(name)
        after = row[1] if row is not None else 0
        if row is not None and (after > end.seq or row[3][:HASH_LENGTH] != self._source.digest_at(name, after)):
            raise self._something_else(f"another day {day} ({after} events)")
        self._progress(name, after, after / end.seq)
        if after < end.seq:
            seq = after
            for links, packed in self._source.pages(name, after):
                self._target.put(links, packed)
                seq = links[-1][1]
                self._progress(name, seq, seq / end.seq)
        state = self._source.state(name)
        if state is not None and state.seq <= end.seq:
            recorder.put_state(name, state)
        return end.seq - after

    def _read_back(self, name: str, end: End) -> None:
        last: Link | None = None
        for links, _ in stored_pages(self._target, _date(name), 0, end.seq):
            last = links[-1]
            self._progress(f"{name} read back", last[1], last[1] / end.seq)
        if last is None or last[3][:HASH_LENGTH] != end.digest:
            raise Corrupt(f"{name} does not read back as it was written")


def copy(source: CopySource, target: str, progress: Progress) -> dict[str, int]:
    """Make `target` hold all that `source` holds; by stream, how many events were added.

    Raises ConfigError for a target that holds anything else, ProfileBusy for one in use, Corrupt when one of the two
    does not match its own chain, StoreError.
    """
    if not source.ends:
        raise ConfigError(f"{source.where}: the journal is empty; there is nothing to copy")
    known = {*source.ends, *(day.stream for day in source.archived)}
    for name in _streams_there(target):
        if name not in known:
            raise _something_else(target, f"day {_date(name)} of profile {_profile(name)}", source.where)
    added: dict[str, int] = {}
    for profile in sorted({_profile(name) for name in source.ends}):
        with Journal.open(target, profile, write=True) as journal:
            try:
                added |= _Copy(source, journal, progress).run()
            except Corrupt as error:
                raise Corrupt(f"copying {source.where} to {target}: {error}") from error
    return added


def _streams_there(where: str) -> list[str]:
    """Looked at before anything is changed. What cannot be opened is refused by who opens it for writing."""
    with suppress(StoreError, ConfigError), closing(open_recorder(where, write=False)) as recorder:
        return recorder.stream_ids()
    return []


def _something_else(where: str, what: str, source: str) -> ConfigError:
    return ConfigError(f"{where} holds {what}, which {source} does not have; copy into an empty place")


def _end(recorder: JournalRecorder, name: str) -> End:
    row = recorder.last_row(name)
    if row is None:
        raise Corrupt(f"journal: stream {name} has no events")
    return End(row[1], row[3][:HASH_LENGTH])


def _profile(name: str) -> str:
    return name.rpartition("/")[0]


def _date(name: str) -> str:
    return name.rpartition("/")[2]
