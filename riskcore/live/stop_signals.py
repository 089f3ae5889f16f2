"""Ctrl-C and termination stop a command that runs until it is stopped, whatever it inherited from its parent."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

FORCED = 130
# What gives a terminal back, and returns at once: the second Ctrl-C ends the process without any other word.
before_forced_end: list[Callable[[], object]] = []
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeding_signals() -> Iterator[None]:
    """While entered, Ctrl-C raises KeyboardInterrupt and a termination ends the process.

    nohup, cron and a script's `&` start a command with Ctrl-C ignored, and Python keeps that: without this, whoever
    started it so could end it only by killing it, and its journal or recording would have no proper end.
    """
    ignored = [number for number in _STOPPING if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    # Windows knows no blocked signals.
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def heeding_stop(stop: Callable[[], object]) -> Iterator[None]:
    """While entered, a command without a loop is asked to stop by Ctrl-C or a termination; `stop` is called at once."""
    before = [(number, signal.signal(number, lambda *_: stop())) for number in _STOPPING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class stopped_by_signals:  # noqa: N801 - reads as what it does in a with statement.
    """While entered, the first Ctrl-C or termination calls `stop` in the loop; the second ends the process at once."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop = stop
        self._before: list[tuple[int, Any]] = []
        self._asked = False

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        names = ("SIGINT", "SIGTERM", "SIGBREAK")  # The last one is what Windows has for closing a console.
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            self._before.append((number, signal.signal(number, self._heard)))

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            for give_back in before_forced_end:
                with suppress(Exception):
                    give_back()
            os._exit(FORCED)
        self._asked = True
        self._loop.call_soon_threadsafe(self._stop)
