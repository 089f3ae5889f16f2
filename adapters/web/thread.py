"""The service beside an engine: in a thread of its own, so that no reader and no fault of it delays a turn.

The engine only hands over small questions (a command, its health once a second) and says that something was stored.
All else is read from the journal. Whatever goes wrong here becomes a warning; the engine goes on.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.web.owner import Owner
from adapters.web.reading import Served
from adapters.web.service import Options, Service
from riskcore.core.quotes import Quotes, Row
from riskcore.engine.control_file import Control, remove_control, write_control
from riskcore.schema.instants import utc_text

QUOTES_SECONDS = 0.02  # Between two looks at what quotes came: a burst of them wakes nobody more often.
MOST_QUOTES = 1000  # That wait for such a look; of more, the newest.
START_SECONDS = 10.0
END_SECONDS = 5.0


class WebThread:
    """Serves from `start` to `stop`. `control` is the control file, written once it listens."""

    def __init__(
        self, served: Served, options: Options, owner: Owner, control: Path, warn: Callable[[str], None]
    ) -> None:
        self._served, self._options, self._owner = served, options, owner
        self._path = control
        self._warn = warn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._service: Service | None = None
        self._listening = threading.Event()
        self._failure: str | None = None
        self._waking = self._quoting = False
        self._quotes: deque[Row] = deque(maxlen=MOST_QUOTES)
        self._thread = threading.Thread(target=self._run, name="riskcore-web", daemon=True)

    async def start(self) -> None:
        """Begin, and wait until it listens or has failed; a failure is only a warning."""
        self._thread.start()
        in_time = await asyncio.to_thread(self._listening.wait, START_SECONDS)
        if self._failure is not None or not in_time:
            reason = self._failure or "it did not begin in time"
            self._warn(f"the local API does not run ({reason}); limits act without it, commands and page do not work")
        for text in self._service.warnings if self._service is not None else ():
            self._warn(text)

    async def stop(self) -> None:
        """End it; what does not end in time goes with the process."""
        loop, over = self._loop, self._over
        if loop is not None and over is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(over.set)
        await asyncio.to_thread(self._thread.join, END_SECONDS)

    def stored(self) -> None:
        """The engine has stored something, or is in another state. Costs it one wake-up, however often it is called."""
        if not self._waking:
            self._waking = True
            self._call(self._woken)

    def quoted(self, quotes: Quotes) -> None:
        """Quotes were received, and are not stored yet. Costs the engine no more than their newest prices."""
        self._quotes.extend(quotes.moves(0, len(quotes)))
        if not self._quoting:
            self._quoting = True
            self._call(self._quotes_came)

    def halt(self, text: str, over: bool) -> None:
        """The engine has said that it is halted, or goes on."""
        service = self._service
        if service is not None:
            self._call(lambda: service.say_halt(text, over))

    def _call(self, what: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # It has ended.
                self._loop.call_soon_threadsafe(what)

    def _woken(self) -> None:
        self._waking = False
        if self._service is not None:
            self._service.tail.wake()

    def _quotes_came(self) -> None:
        rows = [self._quotes.popleft() for _ in range(len(self._quotes))]
        if rows and self._service is not None:
            self._service.tail.quoted(rows)
            asyncio.get_running_loop().call_later(QUOTES_SECONDS, self._quotes_came)
            return
        self._quoting = False
        if self._quotes and self._service is not None:  # They came in between.
            self._quoting = True
            asyncio.get_running_loop().call_later(QUOTES_SECONDS, self._quotes_came)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            if self._listening.is_set():
                self._warn(f"the local API has ended ({self._failure}); limits act without it")
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        service = Service(self._served, self._options, self._owner)
        await service.start()
        control = Control(
            url=service.url,
            token=service.sessions.token,
            profile=self._served.profile,
            pid=os.getpid(),
            started_at=utc_text(self._owner.now()),
            read_only=False,
        )
        try:
            write_control(self._path, control)
            self._service = service
            self._listening.set()
            await self._over.wait()
        finally:
            remove_control(self._path, control)
            await service.stop()
