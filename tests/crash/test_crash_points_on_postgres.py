"""The same deaths at the same boundaries, with the rows on a real server.

The process dies around the commit, and its successor takes the lease over: what was committed is there, and only that.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from riskcore.errors import OutOfSequence
from riskcore.schema.chain import Link
from riskcore.store.archived import ArchivedDay
from riskcore.store.journal import Journal
from riskcore.store.lease import ProfileLock, this_process
from riskcore.store.recorder import CachedState, JournalRecorder, Kept, open_recorder
from riskcore.store.reserve import Reserve
from tests.crash.crash_points import judge_crash, run_script
from tests.crash.scripts import BY_NAME
from tests.postgres_server import PostgresServer
from tests.simulation import disk as disks
from tests.simulation import world
from tests.simulation.plan import PROFILE

pytestmark = pytest.mark.timeout(1800)
DEATHS = 3  # In the normal run, spread over one script; .ci/nightly dies everywhere.


class ServerRecorder(disks.Recorder):
    """Everything that is durable lies on the server. The Disk says when the process dies, and counts."""

    def __init__(self, disk: disks.Disk, store: str) -> None:
        super().__init__(disk)
        self._real = open_recorder(store, write=True)
        self._fence = self._real.take_lease(PROFILE, this_process())

    def append(self, rows: Sequence[Link], profile: str, fence: int, payloads: Mapping[int, bytes]) -> None:
        disk = self._disk
        disk.committing(rows)
        if fence != disk.fence:
            raise OutOfSequence(f"profile {profile} was taken over: this engine must stop")
        self._real.append(rows, profile, self._fence, payloads)
        for row in rows:
            disk.streams.setdefault(row[0], []).append(row)
        disk.commits += 1
        disk.committed(rows)

    def put_state(self, stream: str, cached: CachedState) -> None:
        self._disk.caching()
        self._real.put_state(stream, cached)
        self._disk.cached()

    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        return self._real.rows(stream, after, limit)

    def kept_rows(self, stream: str, after: int, limit: int) -> list[Kept]:
        return self._real.kept_rows(stream, after, limit)

    def last_kept(self, stream: str) -> bytes | None:
        return self._real.last_kept(stream)

    def last_row(self, stream: str) -> Link | None:
        return self._real.last_row(stream)

    def stream_ids(self) -> list[str]:
        return self._real.stream_ids()

    def check_storage(self) -> None:
        self._real.check_storage()

    def get_state(self, stream: str) -> CachedState | None:
        return self._real.get_state(stream)

    def remembered_seqs(self) -> dict[str, int]:
        return self._real.remembered_seqs()

    def archived(self) -> list[ArchivedDay]:
        return self._real.archived()

    def break_connection(self) -> None:
        """What the end of the process does to it."""
        self._real.datastore.close()  # type: ignore[attr-defined]


@pytest.fixture
def new_store(postgres_server: PostgresServer, postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every world from now on has a database of its own."""
    open_now: list[ServerRecorder] = []

    class ServerDisk(disks.Disk):
        def __init__(self, **behaviour: Any) -> None:
            super().__init__(**behaviour)
            self.store = postgres_server.url(postgres_server.new_database())

        def journal(self, profile: str) -> Journal:
            for recorder in open_now:
                recorder.break_connection()
            self.fence += 1
            open_now[:] = [ServerRecorder(self, self.store)]
            lock, reserve = cast(ProfileLock, disks._NoLock()), cast(Reserve, disks._Reserve(self))
            return Journal(cast(JournalRecorder, open_now[0]), profile, lock, self.fence, reserve)

    monkeypatch.setattr(world, "Disk", ServerDisk)


@pytest.mark.parametrize(
    "name", [name if name == "daily-loss" else pytest.param(name, marks=pytest.mark.nightly) for name in BY_NAME]
)
def test_dead_at_any_boundary_the_next_start_finishes_the_work_on_postgres(name: str, new_store: None) -> None:
    undisturbed = run_script(BY_NAME[name])
    assert undisturbed.findings == ()
    deaths = undisturbed.deaths()
    if not os.environ.get("RISKCORE_NIGHTLY"):
        deaths = deaths[len(deaths) // (2 * DEATHS) :: len(deaths) // DEATHS]
    findings = [finding for number in deaths for finding in judge_crash(BY_NAME[name], number, undisturbed)]
    assert not findings, f"{len(findings)} findings\n" + "\n".join(findings[:10])
