"""A service that many tests ask: a desk with a position, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.web.thread import WebThread
from riskcore.engine.control_file import Control
from tests.adapters.web.serving import recorded_day, serving
from tests.engine.answering_desk import AnsweringDesk, SmallMarket


@dataclass
class Asked:
    """The service, and the desk that shows whether anything was done."""

    control: Control
    desk: AnsweringDesk
    store: str
    profile: str
    thread: WebThread
    stop: Callable[[], None]

    @property
    def port(self) -> int:
        return int(self.control.url.rpartition(":")[2])


@contextmanager
def asked(store: str, profile: str, **options: Any) -> Iterator[Asked]:
    """The service over a store, beside a desk that holds one MNQ, in a thread of its own."""
    made: list[WebThread] = []
    desk = AnsweringDesk()
    desk.push("MNQ", 1, "21000")
    found: list[Control] = []
    ready, over, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(desk, SmallMarket(), store, profile, made=made.append, **options) as control:
            found.append(control)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(20)

    def stop() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(over.set)
            thread.join(20)
            loop.close()

    try:
        yield Asked(found[0], desk, store, profile, made[0], stop)
    finally:
        stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder: Path = tmp_path_factory.mktemp("web")
    with asked(*recorded_day(folder)) as found:
        yield found
