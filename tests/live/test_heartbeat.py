"""What the heartbeat of a run says, and when it stops."""

import asyncio
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.alerts.watchdog import Watched
from adapters.simulator.faults import Fault
from riskcore.engine.heartbeat_file import BYTES, Beat, heartbeat_path, read_beat, write_beat
from riskcore.live.heartbeat import LONGEST_TURN_NS, Heartbeat
from riskcore.live.system_notify import SystemNotify
from tests.cli.live_run import Live, play
from tests.cli.test_live_full_disk import MARKET, PROFILE, SETTINGS, buy
from tests.engine.hand_clock import HandClock


def beat_of(store: str) -> Beat:
    found = read_beat(heartbeat_path(store, PROFILE))
    assert found is not None
    return found


def test_an_engine_that_cannot_see_what_is_open_says_since_when_and_why(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def plot(live: Live) -> None:
        watched = Watched(live.store, PROFILE, 5, 30)
        buy(live.gateway)
        await live.until(lambda: beat_of(live.store).open_positions == 1, "the position is in the beat")
        assert beat_of(live.store).unguarded_seconds == 0
        for place in ("rest", "user", "market"):
            live.gateway.inject(Fault("http_503" if place == "rest" else "refused", place))
        try:
            await live.until(lambda: beat_of(live.store).unguarded_seconds >= 30, "blind", 240)
        except AssertionError as error:
            raise AssertionError(f"{error}: {beat_of(live.store)}, {live.engine.book.connections}") from None
        seen.append(watched.look(watched.watch()))
        live.gateway.clear()
        await live.until(lambda: beat_of(live.store).unguarded_seconds == 0, "it sees again", 120)
        seen.append(watched.look(watched.watch()))

    store = play(tmp_path, MARKET, plot, settings=SETTINGS).store
    blind, well = seen
    assert (blind.state, blind.level, well.state) == ("blind", "critical", "well")
    assert "hub is lost" in blind.text
    last = beat_of(store)
    assert (last.state, last.open_positions) == ("stopped", 1)
    watched = Watched(store, PROFILE, 5, 30)
    assert watched.look(watched.watch()).state == "open"


@pytest.mark.skipif(sys.platform == "win32", reason="systemd is not there")
@pytest.mark.parametrize(("since_ns", "beats"), [(LONGEST_TURN_NS, True), (LONGEST_TURN_NS + 1, False)])
def test_without_turns_it_stops_although_the_loop_goes_on(tmp_path: Path, since_ns: int, beats: bool) -> None:
    async def run() -> list[str]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.settimeout(0)
            clock = HandClock()
            engine: Any = SimpleNamespace(
                turned_at=clock.now() - since_ns,
                ready=True,
                stopping=False,
                writer=SimpleNamespace(broken=None),
                options=SimpleNamespace(enforces=True),
                book=SimpleNamespace(accounts={}),
            )
            notify = SystemNotify({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"})
            heartbeat = Heartbeat(tmp_path / "beat", "day", clock, notify)
            heartbeat.attach(engine)
            await heartbeat._look()
            said = []
            while True:
                try:
                    said += systemd.recv(1000).decode().splitlines()
                except BlockingIOError:
                    return said

    said = asyncio.run(run())
    assert said == (["READY=1", "WATCHDOG=1", "STATUS=armed, 0 open"] if beats else [])
    assert (read_beat(tmp_path / "beat") is not None) == beats


def test_systemd_is_only_told_what_it_asked_this_process_for() -> None:
    assert SystemNotify({}).watchdog_seconds is None
    assert SystemNotify({"WATCHDOG_USEC": "10000000"}).watchdog_seconds == 5
    assert SystemNotify({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    SystemNotify({"NOTIFY_SOCKET": "/nowhere"}).ready()


def test_a_beat_is_always_equally_long_and_half_of_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "beat"
    assert read_beat(path) is None
    short, long = Beat("day", 1, 1, "now", "armed"), Beat("day", 1, 2, "now", "armed", 3, 40, "then", "ä" * 200)
    for beat in (long, short, long):
        write_beat(path, beat)
        assert path.stat().st_size == BYTES
        assert read_beat(path) == beat
    path.write_bytes(path.read_bytes()[:50])
    assert read_beat(path) is None
