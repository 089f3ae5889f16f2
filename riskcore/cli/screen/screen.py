"""The screen of `riskcore live` and of `riskcore status --watch`: pictures drawn by a thread of its own.

Reading the journal, drawing and keys have their threads, so that a slow terminal holds up nothing, and the engine has
nothing to do with any of it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from riskcore.cli.screen.controls import Controls
from riskcore.cli.screen.dashboard import Dashboard
from riskcore.cli.screen.picture import Picture
from riskcore.cli.screen.source import Source, in_order
from riskcore.cli.screen.terminal import Terminal
from riskcore.cli.screen.words import CLOSE_SECONDS
from riskcore.errors import RiskcoreError

# Between two looks at the journal. A command leaves at the moment something happens, so nothing is drawn at that very
# moment; keys are answered at once.
REFRESH_SECONDS = 0.2
QUIET_REFRESH_SECONDS = 1.0  # While only time passes.
KEY_SECONDS = 0.5  # Between two looks whether the screen is closed.
MOST_SAID = 50
Row = dict[str, Any]


class LiveScreen:
    """A context manager, for the main thread. The last picture stays when it is closed.

    `ask` sends what a key confirmed and returns the answer in words; it may take its time. `quits`: q sets `ended`.
    """

    def __init__(
        self,
        source: Source,
        *,
        ask: Callable[[Row], str],
        quits: bool = False,
        accounts: tuple[str, ...] = (),
        console: Console | None = None,
    ) -> None:
        self.ended = threading.Event()
        self._source = source
        self._ask = ask
        self._console = console or Console()
        self._controls = Controls(quits, accounts)
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._drawing = threading.Lock()
        output = self._console.file.fileno() if self._console.file.isatty() else None
        self._terminal = Terminal(output, self._drawing, self.wake)
        self._said: deque[Mapping[str, Any]] = deque(maxlen=MOST_SAID)
        self._alarm = ""
        self._picture = Picture()
        self._woken = threading.Event()
        self._closing = False
        self._sending: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        source.woken = self.wake

    def say(self, row: Mapping[str, Any]) -> None:
        """What happened and may not be stored. While limits do not act, that stands above everything."""
        self._said.append(row)
        if row["type"] == "halt":
            self._alarm = "" if row.get("over") else str(row.get("text", ""))
        self.wake()

    def wake(self) -> None:
        """Draw at once. From any thread; never waits."""
        self._woken.set()

    # ---- drawing -------------------------------------------------------------------------------------

    def _run(self) -> None:
        drawn_at = -QUIET_REFRESH_SECONDS
        while not self._closing:
            at_once = self._woken.wait(REFRESH_SECONDS)
            self._woken.clear()
            quiet = time.monotonic() - drawn_at < QUIET_REFRESH_SECONDS
            try:
                if at_once or not quiet or self._source.changed():
                    self._look()
                    self._draw()
                    drawn_at = time.monotonic()
            except Exception as error:
                # A picture that cannot be drawn must not be taken for one that is up to date.
                with suppress(Exception):
                    self._show(Text(f"the screen cannot be drawn: {error}"))
        with suppress(Exception):
            self._look()
            self._source.close()

    def _look(self) -> None:
        picture = self._source.picture(self._controls.view)
        self._controls.running = picture.running
        told = in_order(picture.happenings, list(self._said))
        self._picture = replace(picture, happenings=told, alarm=self._alarm or picture.alarm)

    def _draw(self) -> None:
        if not self._closing:
            shown = self._controls if self._terminal.keyboard is not None else None
            self._show(Dashboard(self._picture, shown))

    def _show(self, what: RenderableType) -> None:
        with self._drawing:
            self._live.update(what, refresh=True)

    # ---- keys ----------------------------------------------------------------------------------------

    def _read_keys(self) -> None:
        keyboard = self._terminal.keyboard
        while keyboard is not None and not self._closing:
            keys = keyboard.read(KEY_SECONDS)
            if keys is None:
                return
            for key in keys:
                self._pressed(key)
                if self._controls.question is not None:
                    break  # What was pasted, or typed before anybody could read the question, is no answer to it.

    def _pressed(self, key: str) -> None:
        request = self._controls.press(key)
        if request is not None:
            thread = threading.Thread(target=self._send, args=(request,), name="screen-command", daemon=True)
            self._sending.append(thread)
            thread.start()
        if self._controls.ended:
            self.ended.set()
        self.wake()

    def _send(self, request: Row) -> None:
        try:
            self._controls.notice = self._ask(request)
        except RiskcoreError as error:
            self._controls.notice = f"not done: {error}"
        self.wake()

    # ---- beginning and end ---------------------------------------------------------------------------

    def __enter__(self) -> "LiveScreen":
        self._terminal.__enter__()
        self._live.start()
        self._thread.start()
        if self._terminal.keyboard is not None:
            threading.Thread(target=self._read_keys, name="keys", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self.wake()
        end = time.monotonic() + CLOSE_SECONDS
        for thread in (*self._sending, self._thread):
            thread.join(max(end - time.monotonic(), 0))
        self._live.stop()
        self._terminal.__exit__(kind, error, trace)
        self._console.print(Dashboard(self._picture))
