"""The stream over a real WebSocket, cut anywhere, while the journal grows, days change and the service is restarted."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed

from adapters.web.owner import Owner
from adapters.web.reading import Served
from adapters.web.service import Options
from adapters.web.thread import WebThread
from riskcore.engine.control_file import Control, read_control
from riskcore.store.journal import Journal
from tests.adapters.web.test_readers import stream
from tests.audit.test_stream import KILLED_OVERNIGHT, journal_of, rows_of, told_from
from tests.simulation.disk import Disk
from tests.simulation.plan import PROFILE


class Restarted:
    """A service over a journal that grows, which ends and begins again with another token."""

    def __init__(self, folder: Path) -> None:
        self.disk = Disk()
        self._path = folder / "control"
        self._folder = folder
        self._thread: WebThread | None = None

    def journal(self) -> Journal:
        return self.disk.journal(PROFILE)

    async def begin(self) -> Control:
        owner = Owner(lambda: 0)
        served = Served(PROFILE, self.journal, self._folder / "lock", None)
        self._thread = WebThread(served, Options(), owner, self._path, print)
        await self._thread.start()
        control = read_control(self._path)
        assert control is not None
        return control

    async def end(self) -> None:
        assert self._thread is not None
        await self._thread.stop()

    def stored(self) -> None:
        assert self._thread is not None
        self._thread.stored()


async def read_some(control: Control, after: str, most: int, seconds: float) -> list[str]:
    """At most so many stored messages behind a cursor; then the connection is cut without a word."""
    found: list[str] = []
    socket = await stream(control, f"?after={quote(after)}")
    with suppress(TimeoutError, ConnectionClosed):
        while len(found) < most:
            text = str(await asyncio.wait_for(socket.recv(), seconds))
            found += [text] if json.loads(text)["cursor"] is not None else []
    socket.transport.abort()
    return found


@pytest.mark.parametrize("cuts", [25, pytest.param(1000, marks=pytest.mark.nightly)])
def test_a_stream_cut_anywhere_over_restarts_and_days_has_no_gap_and_nothing_twice(tmp_path: Path, cuts: int) -> None:
    rows, chance = rows_of(KILLED_OVERNIGHT), Random(cuts)
    expected = [one.body.decode() for one in told_from(journal_of(rows), "start")]
    assert len({json.loads(one)["cursor"].partition(":")[0] for one in expected}) > 1, "the day changes"

    async def talk() -> list[str]:
        service, read, stored = Restarted(tmp_path), list[str](), 0
        control = await service.begin()
        for done in range(cuts):
            new = rows[stored : stored + chance.randrange(2 + 2 * len(rows) // cuts)]
            for row in new:
                service.disk.streams.setdefault(row[0], []).append(row)
            stored += len(new)
            service.stored()
            if done and chance.randrange(20) == 0:
                await service.end()
                control = await service.begin()
            if read:  # What was read and not taken note of comes again.
                del read[len(read) - min(chance.randrange(3), len(read)) :]
            cursor = json.loads(read[-1])["cursor"] if read else "start"
            read += await read_some(control, cursor, chance.randrange(1, 8), 0.05)
        for row in rows[stored:]:
            service.disk.streams.setdefault(row[0], []).append(row)
        service.stored()
        last = json.loads(read[-1])["cursor"] if read else "start"
        read += await read_some(control, last, len(expected), 1)
        await service.end()
        return read

    assert asyncio.run(talk()) == expected
