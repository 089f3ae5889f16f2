"""The service beside a desk, or alone over a store, and a client that says exactly what a test wants."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.web.owner import Owner
from adapters.web.reading import Served
from adapters.web.service import Options
from adapters.web.thread import WebThread
from riskcore.cli.main import run
from riskcore.engine.control_file import Control, control_path, read_control
from riskcore.engine.desk import Desk, Market
from riskcore.store.journal import Journal
from riskcore.store.location import stored_profiles
from riskcore.store.recorder import lock_path

Row = dict[str, Any]
PROFILE = "test"
OPEN_UNTIL = "2026-11-19T14:40:30"
STATE = "armed"
DAYS = Path(__file__).parents[3] / "fixtures" / "days"


@asynccontextmanager
async def serving(
    desk: Desk | None, market: Market | None, store: str, profile: str = PROFILE, **options: Any
) -> AsyncIterator[Control]:
    """A service beside a desk that lives on this loop; `options` are those of the service, and `halted`, `made`.

    `made` is called with the thread that an engine wakes.
    """
    halted, made = options.pop("halted", None), options.pop("made", lambda thread: None)
    owner, warnings = Owner(time.time_ns), []
    path = control_path(store, profile)
    served = Served(profile, lambda: Journal.open(store, profile), lock_path(store, profile), None)
    web = WebThread(served, Options(**options), owner, path, warnings.append)
    if desk is not None and market is not None:
        owner.attach(desk, market, lambda: "halted" if halted else STATE, lambda: halted)
    await web.start()
    made(web)
    try:
        control = read_control(path)
        assert control is not None, warnings
        yield control
    finally:
        await web.stop()


@dataclass(frozen=True)
class Said:
    """An answer as it came over the socket; status 0 when the connection was closed without one."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def row(self) -> Row:
        found: Row = json.loads(self.body)
        return found

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def port_of(control: Control) -> int:
    return int(control.url.rpartition(":")[2])


def say(port: int, text: bytes, seconds: float = 15, half_close: bool = False) -> Said:
    """Send bytes and read one answer."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        try:
            connection.sendall(text)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return read_answer(connection, text.startswith(b"HEAD"))
        except ConnectionError:
            return Said(0)


def read_answer(connection: socket.socket, no_body: bool = False) -> Said:
    file = connection.makefile("rb")
    first = file.readline()
    if not first:
        return Said(0)
    headers = []
    while (line := file.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    found = Said(int(first.split()[1]), tuple(headers))
    length = int(found.header("Content-Length") or 0)
    return Said(found.status, found.headers, b"" if no_body else file.read(length))


def request(
    control: Control, method: str, target: str, *lines: str, token: bool = True, host: str | None = None, body: str = ""
) -> bytes:
    """The bytes of a request; a POST brings what a command brings unless `lines` say so themselves."""
    port = port_of(control)
    names = {line.partition(":")[0].lower() for line in lines}
    head = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", *lines]
    if token:
        head.append(f"Authorization: Bearer {control.token}")
    if method == "POST":
        head += [f"{name}: {value}" for name, value in (("X-Riskcore", "1"), ("Content-Type", "application/json"))
                 if name.lower() not in names]  # fmt: skip
    content = b"" if method == "GET" else body.encode()
    if method != "GET" and not names & {"content-length", "transfer-encoding"}:
        head.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*head, "", ""]).encode() + content


async def asked(control: Control, method: str, target: str, *lines: str, **options: Any) -> Said:
    """One request over a connection of its own."""
    return await asyncio.to_thread(say, port_of(control), request(control, method, target, *lines, **options))


async def cookie_of(control: Control) -> str:
    """A cookie of a browser that was let in, as a header line."""
    link = await asked(control, "POST", "/api/link", body="{}")
    opened = await asked(control, "GET", "/open" + link.row["url"].partition("/open")[2], token=False)
    assert opened.status == 303
    return f"Cookie: {(opened.header('Set-Cookie') or '').partition(';')[0]}"


def store_at(folder: Path) -> str:
    return str(folder / "journal.db")


def day_under_way(folder: Path, settings: str | None = None) -> tuple[str, str]:
    """The day `daily-loss` up to its last position, short 4 MNQ and still open; its journal and its profile."""
    lines = (DAYS / "daily-loss" / "session.jsonl").read_text(encoding="utf-8").splitlines()
    cut = [lines[0], *(line for line in lines[1:] if json.loads(line).get("at", "9") < OPEN_UNTIL)]
    (folder / "session.jsonl").write_text("\n".join(cut) + "\n", encoding="utf-8")
    store, config = store_at(folder), folder / "riskcore.toml"
    written = (DAYS / "daily-loss" / "riskcore.toml").read_text(encoding="utf-8")
    config.write_text(written if settings is None else settings, encoding="utf-8")
    assert run(["replay", str(folder / "session.jsonl"), "--config", str(config), "--store", store, "--quiet"]) == 0
    return store, stored_profiles(store)[0]


def recorded_day(folder: Path, name: str = "daily-loss") -> tuple[str, str]:
    """A journal of a day of the fixtures, and its profile."""
    day, store = DAYS / name, store_at(folder)
    words = ["replay", str(day / "session.jsonl"), "--config", str(day / "riskcore.toml"), "--store", store, "--quiet"]
    assert run(words) == 0
    return store, stored_profiles(store)[0]
