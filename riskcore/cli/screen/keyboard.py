"""Single keys from the terminal, without waiting for Enter: termios on POSIX, msvcrt on Windows.

Nobody reads keys where standard input is no terminal, or the command runs in the background of its shell.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Protocol

from riskcore.cli.screen.controls import DOWN, ESCAPE, PAGE_DOWN, PAGE_UP, UP

POLL_SECONDS = 0.05  # Where a key can only be asked for, not waited for.
_SEQUENCES = {"[A": UP, "[B": DOWN, "OA": UP, "OB": DOWN, "[5~": PAGE_UP, "[6~": PAGE_DOWN}
_WINDOWS_CODES = {"H": UP, "P": DOWN, "I": PAGE_UP, "Q": PAGE_DOWN}
_AT_ONCE = 256  # Bytes.


class Keyboard(Protocol):
    """Keys as they are pressed."""

    def take(self) -> None:
        """Give keys one by one from now on; also after the process was stopped and goes on."""

    def give_back(self) -> None:
        """Leave the terminal as it was found; a second time does no harm."""

    def read(self, seconds: float) -> list[str] | None:
        """The keys of the next `seconds`, as soon as there are any; None when there will be none any more."""


def keyboard() -> Keyboard | None:
    """The keyboard of a person in front of the terminal; None where there is none."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    if sys.platform == "win32":
        return _WindowsKeyboard()
    try:
        return _PosixKeyboard(sys.stdin.fileno())
    except (OSError, ValueError):
        return None


def keys_of(text: str) -> list[str]:
    """What was typed as keys: a letter each, arrows and page keys by name. Unknown sequences are no key."""
    keys = []
    while text:
        if text[0] != "\x1b":
            keys.append(text[0])
            text = text[1:]
            continue
        found = next((one for one in _SEQUENCES if text.startswith(one, 1)), None)
        if found is not None:
            keys.append(_SEQUENCES[found])
            text = text[1 + len(found) :]
        elif len(text) == 1:
            return [*keys, ESCAPE]
        else:
            return keys  # The rest belongs to a sequence that means nothing here.
    return keys


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    class _WindowsKeyboard:
        """The console needs no other mode for single keys."""

        def take(self) -> None: ...

        def give_back(self) -> None: ...

        def read(self, seconds: float) -> list[str] | None:
            end = time.monotonic() + seconds
            while not msvcrt.kbhit():
                if time.monotonic() >= end:
                    return []
                time.sleep(POLL_SECONDS)
            key = msvcrt.getwch()
            if key in ("\x00", "\xe0"):
                named = _WINDOWS_CODES.get(msvcrt.getwch())
                return [named] if named is not None else []
            return [ESCAPE if key == "\x1b" else key]

else:
    import termios
    import tty

    class _PosixKeyboard:
        """The terminal in cbreak mode: keys come at once and are not echoed, Ctrl-C stays Ctrl-C."""

        def __init__(self, descriptor: int) -> None:
            """Raises OSError when the command runs in the background: it would be stopped for touching the terminal."""
            self._descriptor = descriptor
            self._before = termios.tcgetattr(descriptor)
            if not self._in_front():
                raise OSError("not in the foreground")

        def _in_front(self) -> bool:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()

        def take(self) -> None:
            # Without this a read from the background would stop the whole process; now it only fails.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            with suppress(OSError, termios.error):
                if self._in_front():
                    tty.setcbreak(self._descriptor, termios.TCSANOW)

        def give_back(self) -> None:
            with suppress(OSError, termios.error):
                if self._in_front():
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

        def read(self, seconds: float) -> list[str] | None:
            try:
                if not select.select([self._descriptor], [], [], seconds)[0]:
                    return []
                if not self._in_front():
                    time.sleep(seconds)  # The keys are for somebody else.
                    return []
                typed = os.read(self._descriptor, _AT_ONCE)
            except (OSError, ValueError):
                return None
            return keys_of(typed.decode(errors="ignore")) if typed else None
