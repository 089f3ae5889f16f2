"""The local API beside a run: there from before the login until the end, whichever engine runs (INTERFACE.md 9)."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from adapters.web.owner import Owner
from adapters.web.reading import Served
from adapters.web.service import Options
from adapters.web.thread import WebThread
from riskcore.core.events import Event
from riskcore.core.quotes import Quotes
from riskcore.core.state import Book
from riskcore.engine.control_file import control_path
from riskcore.engine.desk import Market
from riskcore.engine.engine import Engine
from riskcore.engine.ports import Announcer, Clock, HasChannels
from riskcore.live.heartbeat import state_of
from riskcore.schema.rows import Row
from riskcore.settings.config import Settings
from riskcore.store.journal import Journal
from riskcore.store.recorder import writer_lock


class LocalApi:
    """An announcer in front of another, which also wakes the service. Use it with `async with`."""

    def __init__(
        self, settings: Settings, store: str, clock: Clock, announcer: Announcer, warn: Callable[[str], None]
    ) -> None:
        profile = str(settings.plain["profile"]["name"])
        # The engine's clock is not asked from another thread; it may be shifted, but by as much all the time.
        shift = clock.now() - time.time_ns()
        self._owner = Owner(lambda: time.time_ns() + shift)
        self._announcer = announcer
        lock, channels = writer_lock(store, profile), settings.alert_channels
        served = Served(profile, lambda: Journal.open(store, profile), lock, settings, channels)
        api = settings.api
        options = Options(bool(api["enabled"]), int(api["port"]), int(api["quote_hz"]))
        self._thread = WebThread(served, options, self._owner, control_path(store, profile), warn)

    async def __aenter__(self) -> "LocalApi":
        await self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._thread.stop()

    def attach(self, engine: Engine, market: Market) -> None:
        """An engine begins."""
        self._owner.attach(engine, market, lambda: state_of(engine), lambda: engine.writer.broken)
        self._thread.stored()

    def detach(self) -> None:
        """It has ended; another one may begin."""
        self._owner.detach("starting")
        self._thread.stored()

    def channels(self) -> list[Row]:
        """How the channels of alerts are doing."""
        return self._announcer.channels() if isinstance(self._announcer, HasChannels) else []

    def stored(self, events: Sequence[Event], book: Book) -> None:
        self._announcer.stored(events, book)
        self._thread.stored()

    def quoted(self, quotes: Quotes) -> None:
        """Plain quotes were received."""
        self._thread.quoted(quotes)

    def say(self, kind: str, /, **figures: Any) -> None:
        self._announcer.say(kind, **figures)
        if kind == "halt":
            self._thread.halt(str(figures.get("text", "")), bool(figures.get("over")))
        self._thread.stored()
