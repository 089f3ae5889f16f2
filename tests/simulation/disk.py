"""A disk in memory that outlives its engine: the real Journal on it, and everything that can happen to a disk.

The journal, its chain and its codec are the real ones; only the rows lie in a dictionary. A commit blocks the engine
as a real one does, and a process may die before or after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from riskcore.errors import DiskFull, OutOfSequence, StoreError
from riskcore.schema.chain import Link
from riskcore.store.archived import ArchivedDay
from riskcore.store.journal import Journal
from riskcore.store.lease import ProfileLock
from riskcore.store.recorder import CachedState, JournalRecorder, Kept
from riskcore.store.reserve import Reserve

# What a commit says when the disk does not take it (sqlite3's own words).
BROKEN = ("database or disk is full", "attempt to write a readonly database", "database is locked")


class Killed(BaseException):
    """The process has died at this very instruction; nothing may catch it."""


@dataclass(slots=True)
class Disk:
    """What is durable, and how the disk behaves at the moment.

    `broken` is why commits fail, `slow_seconds` how long each takes, `block` lets that time pass. `committing` is
    called with the rows before each commit and `committed` after it, `caching` and `cached` before and after a copy of
    the state is kept: all may raise Killed.
    """

    streams: dict[str, list[Link]] = field(default_factory=dict)
    payloads: dict[tuple[str, int], bytes] = field(default_factory=dict)  # By stream and seq.
    states: dict[str, CachedState] = field(default_factory=dict)
    fence: int = 0
    reserve: int = 0  # How many commits of a full disk the reserve has room for.
    reserve_left: int = 0
    lent: bool = False  # The reserve has just made room for one more commit.
    commits: int = 0
    broken: str | None = None
    slow_seconds: float = 0.0
    block: Callable[[float], None] = lambda seconds: None
    committing: Callable[[Sequence[Link]], None] = lambda rows: None
    committed: Callable[[Sequence[Link]], None] = lambda rows: None
    caching: Callable[[], None] = lambda: None
    cached: Callable[[], None] = lambda: None

    def journal(self, profile: str) -> Journal:
        """The journal as a new process opens it for writing."""
        self.fence += 1
        reserve = cast(Reserve, _Reserve(self))
        return Journal(
            cast(JournalRecorder, Recorder(self)), profile, cast(ProfileLock, _NoLock()), self.fence, reserve
        )

    def must_take(self, what: str) -> None:
        """Raise what a write meets at the moment."""
        if self.broken is not None and not self.lent:
            raise (DiskFull if "full" in self.broken else StoreError)(f"{what} cannot be written: {self.broken}")


class _NoLock:
    """The dictionary has one writer at a time by construction."""

    path = Path("no such folder/profile.lock")

    def release(self) -> None:
        pass


class _Reserve:
    """riskcore.store.reserve.Reserve, measured in commits."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.reason: str | None = None
        self.fill()

    def spend(self, write: Callable[[], None]) -> None:
        while True:
            try:
                return write()
            except DiskFull as error:
                self.reason = str(error)
                if not self._disk.reserve_left:
                    raise
                self._disk.reserve_left -= 1
                self._disk.lent = True

    def fill(self) -> bool:
        if self._disk.broken is not None:
            return False
        self._disk.reserve_left, self.reason = self._disk.reserve, None
        return True


class Recorder:
    """What a Journal needs of a back end (riskcore.store.recorder.JournalRecorder), over a Disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def append(self, rows: Sequence[Link], profile: str, fence: int, payloads: Mapping[int, bytes]) -> None:
        disk = self._disk
        disk.committing(rows)
        if disk.slow_seconds:
            disk.block(disk.slow_seconds)
        disk.must_take("the journal")
        disk.lent = False
        if fence != disk.fence:
            raise OutOfSequence(f"profile {profile} was taken over: this engine must stop")
        for stream, seq, _, _ in rows[:1]:
            if seq != len(disk.streams.get(stream, ())) + 1:
                raise OutOfSequence(f"the journal cannot be written: {seq} is not the next event of {stream}")
        for index, row in enumerate(rows):
            disk.streams.setdefault(row[0], []).append(row)
            if index in payloads:
                disk.payloads[row[0], row[1]] = payloads[index]
        disk.commits += 1
        disk.committed(rows)

    def tidy(self, *, at_once: bool = False) -> None:
        pass

    def try_out(self, profile: str, fence: int) -> None:
        self._disk.must_take("the journal")
        if fence != self._disk.fence:
            raise OutOfSequence(f"profile {profile} was taken over: this engine must stop")

    @property
    def holds_lease(self) -> bool:
        return True

    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        return self._disk.streams.get(stream, [])[after : after + limit]

    def kept_rows(self, stream: str, after: int, limit: int) -> list[Kept]:
        kept = [
            (seq, state, self._disk.payloads.get((stream, seq))) for _, seq, _, state in self.rows(stream, 0, 1 << 32)
        ]
        return [(seq, state, packed) for seq, state, packed in kept if packed is not None and seq > after][:limit]

    def last_kept(self, stream: str) -> bytes | None:
        kept = self.kept_rows(stream, 0, 1 << 32)
        return kept[-1][2] if kept else None

    def last_row(self, stream: str) -> Link | None:
        rows = self._disk.streams.get(stream)
        return rows[-1] if rows else None

    def stream_ids(self) -> list[str]:
        return sorted(self._disk.streams)

    def check_storage(self) -> None:
        for stream, rows in self._disk.streams.items():
            assert [row[1] for row in rows] == list(range(1, len(rows) + 1)), f"{stream} has gaps"

    def put_state(self, stream: str, cached: CachedState) -> None:
        self._disk.caching()
        self._disk.must_take("the state cache")
        self._disk.states[stream] = cached
        self._disk.cached()

    def get_state(self, stream: str) -> CachedState | None:
        return self._disk.states.get(stream)

    def remembered_seqs(self) -> dict[str, int]:
        return {stream: cached.seq for stream, cached in self._disk.states.items()}

    def archived(self) -> list[ArchivedDay]:
        return []

    def close(self) -> Any:
        pass
