"""The terminal while a screen is on it: given back at every end of the process that can be noticed."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from riskcore.cli.screen.keyboard import Keyboard, keyboard
from riskcore.live.stop_signals import before_forced_end

_LEAVE, _ENTER = b"\x1b[?1049l\x1b[?25h", b"\x1b[?1049h\x1b[?25l"  # The second screen, and the cursor.
_ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT")


class Terminal:
    """Takes keys and the signals that would leave the terminal unusable. Use it with `with`, in the main thread.

    An engine that heeds a termination itself ends in good order and never reaches the handlers here.
    """

    def __init__(self, output: int | None, drawing: threading.Lock, resumed: Callable[[], None]) -> None:
        """`output`: the descriptor that is drawn on; None where nobody may write to it but the drawing itself.

        `drawing` is held by whoever draws, in another thread; `resumed` is called when there is a screen again.
        """
        self.keyboard: Keyboard | None = keyboard()
        self._output = output
        self._drawing = drawing
        self._resumed = resumed
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> "Terminal":
        if self.keyboard is not None:
            self.keyboard.take()
        atexit.register(self.give_back)
        before_forced_end.append(self.give_back)
        if threading.current_thread() is threading.main_thread() and sys.platform != "win32":
            for number in (getattr(signal, name) for name in _ENDING):
                if signal.getsignal(number) is signal.SIG_DFL:
                    self._before.append((number, signal.signal(number, self._ended)))
            if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
                self._before.append((signal.SIGTSTP, signal.signal(signal.SIGTSTP, self._stopped)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.keyboard is not None:
            self.keyboard.give_back()
        for number, handler in self._before:
            signal.signal(number, handler)
        self._before.clear()
        atexit.unregister(self.give_back)
        with suppress(ValueError):
            before_forced_end.remove(self.give_back)

    def give_back(self) -> None:
        """The terminal as it was found; called where nothing else is done any more."""
        self._write(_LEAVE)
        if self.keyboard is not None:
            self.keyboard.give_back()

    def _write(self, sequence: bytes) -> None:
        if self._output is not None:
            with suppress(OSError):
                os.write(self._output, sequence)

    def _ended(self, number: int, frame: FrameType | None) -> None:
        self.give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _stopped(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal, and the screen has it again when the shell lets it go on."""
        with self._drawing:  # Nothing is drawn over the shell.
            self.give_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            if self.keyboard is not None:
                self.keyboard.take()
            self._write(_ENTER)
        self._resumed()
