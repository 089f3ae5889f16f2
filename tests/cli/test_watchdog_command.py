"""`riskcore watchdog` beside a real engine, with a real channel: before it, hung, killed, and after an orderly stop."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.alerts.watch import Verdict
from adapters.simulator.server import SimulatedGateway
from riskcore.cli.main import run as run_command
from riskcore.engine.heartbeat_file import Beat, heartbeat_path, read_beat, write_beat
from tests import processes
from tests.cli.live_process import PATIENCE_SECONDS, environment, started
from tests.cli.test_live_full_disk import MARKET, PROFILE, SETTINGS, Stage

Row = dict[str, Any]
LIMIT_SECONDS = 60  # Issue 13: an alert leaves within a minute.


@contextmanager
def phone(answers: Event | None = None) -> Iterator[tuple[str, list[Row]]]:
    """The URL of a channel, and what came by it; it is answered at once, or once `answers` is set."""
    heard: list[Row] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if answers is not None:
                answers.wait(PATIENCE_SECONDS)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """No lines among those of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hears)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


async def until(holds: Callable[[], Any], what: str) -> None:
    end = monotonic() + PATIENCE_SECONDS
    while not holds():
        assert monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}"
        await asyncio.sleep(0.05)


def said_by_watchdog(heard: list[Row]) -> list[tuple[str, str]]:
    return [(row["title"], row["type"]) for row in heard if "the engine is" in row["title"]]


def words(store: Path, *further: str) -> list[str]:
    config = store.parent / "riskcore.toml"
    return [sys.executable, "-m", "riskcore", "watchdog", "--store", str(store), "--config", str(config), *further]


@asynccontextmanager
async def watching(gateway: SimulatedGateway, store: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    watchdog = await processes.start_async(
        *words(store, "--every", "0.5", "--after", "8"), env=environment(gateway, store.parent), cwd=store.parent
    )
    try:
        yield watchdog
        watchdog.terminate()
        assert await watchdog.wait() == 0
    finally:
        if watchdog.returncode is None:
            watchdog.kill()


async def looked_once(gateway: SimulatedGateway, store: Path) -> tuple[int, Row]:
    command = words(store, "--once", "--json", "--every", "0.5", "--after", "8")
    env = environment(gateway, store.parent)
    done = await asyncio.to_thread(processes.run, command, env=env, cwd=store.parent)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no signal stops a process for a while there")
def test_it_alerts_when_the_engine_hangs_and_when_it_is_killed_with_a_position_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "journal.db"
    with phone() as (url, heard), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")
        settings = f'[alerts]\nchannels = ["{url}"]\n\n{SETTINGS}'
        (tmp_path / "riskcore.toml").write_text(settings, encoding="utf-8")

        def notified() -> set[str]:
            found = set()
            while True:
                try:
                    found |= {line.partition("=")[0] for line in systemd.recv(4096).decode().splitlines()}
                except BlockingIOError:
                    return found

        async def run() -> None:
            async with SimulatedGateway(MARKET, seed=1) as gateway:
                code, row = await looked_once(gateway, store)
                assert (code, row["state"]) == (0, "none")
                async with started(gateway, tmp_path, store, settings) as live, watching(gateway, store):
                    await live.until(lambda: live.of("ready"), "ready")
                    await Stage(gateway, live, tmp_path).buy()
                    beats = heartbeat_path(str(store), PROFILE)
                    await until(lambda: (read_beat(beats) or live).open_positions == 1, "the position is in the beat")  # type: ignore[union-attr]
                    assert {"READY", "WATCHDOG", "STATUS"} <= notified()
                    code, row = await looked_once(gateway, store)
                    assert (code, row["state"], row["open_positions"]) == (0, "well", 1)
                    assert said_by_watchdog(heard) == []

                    live.engine.send_signal(signal.SIGSTOP)
                    hung = ("riskcore: the engine is hung", "failure")
                    await until(lambda: hung in said_by_watchdog(heard), "told that it hangs")
                    notified()
                    await asyncio.sleep(2)
                    assert notified() == set(), "an engine that hangs is silent for systemd, too"
                    live.engine.send_signal(signal.SIGCONT)
                    back = ("riskcore: the engine is back", "warning")
                    await until(lambda: back in said_by_watchdog(heard), "told that it is back")

                    killed_at = monotonic()
                    live.engine.kill()
                    await live.engine.wait()
                    dead = ("riskcore: the engine is dead", "failure")
                    await until(lambda: dead in said_by_watchdog(heard), "told that it is dead")
                    assert monotonic() - killed_at < LIMIT_SECONDS
                    code, row = await looked_once(gateway, store)
                    assert (code, row["state"], row["level"]) == (1, "dead", "critical")
                    assert said_by_watchdog(heard) == [hung, back, dead], "each once, also by --once beside it"

        asyncio.run(run())


def test_lines_are_in_the_zone_of_the_profile_which_is_named_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told_once(watched: Any, settings: Any, tell: Callable[[Verdict], None], wait: Any) -> None:
        tell(Verdict("dead", "critical", "no sign of life since 2026-11-20T16:00:00Z", "", ""))

    monkeypatch.setattr("adapters.alerts.watchdog.watch_on", told_once)
    config = tmp_path / "riskcore.toml"
    config.write_text('[profile]\nname = "test"\ntimezone = "Asia/Tokyo"\n', encoding="utf-8")
    assert run_command(["watchdog", "--config", str(config), "--store", str(tmp_path / "journal.db")]) == 0
    first, line = capsys.readouterr().out.splitlines()
    assert first == "Times are in Asia/Tokyo."
    told = datetime.fromisoformat(line[:19]).replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
    assert line.endswith("no sign of life since 2026-11-21 01:00:00")


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE trades (id)")


@pytest.mark.parametrize("once", [["--once"], []], ids=["once", "again and again"])
@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda path: path.write_text("no database"), 3, "not a database"),
        (_foreign, 2, "a database of another program"),
        (Path.mkdir, 2, "not a file"),
    ],
    ids=["broken", "foreign", "folder"],
)
def test_a_file_that_no_engine_writes_is_refused(
    make: Callable[[Path], object],
    code: int,
    words: str,
    once: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, config = tmp_path / "other.db", tmp_path / "riskcore.toml"
    config.write_text('[profile]\nname = "test"\n', encoding="utf-8")
    make(store)
    command = ["watchdog", *once, "--config", str(config), "--store", str(store)]
    assert run_command(command) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    # Where an engine was, a file that has been damaged since must not keep the watchdog from looking.
    write_beat(heartbeat_path(str(store), "test"), Beat("test", 1, 1, "2026-11-20T16:00:00Z", "armed", 1))
    if once:
        assert run_command([*command, "--every", "0.1"]) == 1
        assert "is gone without an orderly stop" in capsys.readouterr().out


@pytest.mark.slow
def test_an_orderly_stop_is_no_alarm_and_once_alerts_by_itself_after_a_kill(tmp_path: Path) -> None:
    store = tmp_path / "journal.db"
    with phone() as (url, heard):
        settings = f'[alerts]\nchannels = ["{url}"]\nfigures = false\n\n{SETTINGS}'

        async def run() -> None:
            async with SimulatedGateway(MARKET, seed=1) as gateway:
                async with started(gateway, tmp_path, store, settings) as live:
                    await live.until(lambda: live.of("ready"), "ready")
                    assert await live.stop() == 0
                code, row = await looked_once(gateway, store)
                assert (code, row["state"]) == (0, "stopped")
                async with started(gateway, tmp_path, store, settings) as live:
                    await live.until(lambda: live.of("ready"), "ready")
                    os.kill(live.engine.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
                    await live.engine.wait()
                for _ in range(2):
                    code, row = await looked_once(gateway, store)
                    assert (code, row["state"], row["level"]) == (1, "dead", "warning")

        asyncio.run(run())
        assert said_by_watchdog(heard) == [("riskcore: the engine is dead", "warning")]
