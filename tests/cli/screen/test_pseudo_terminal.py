"""The screen on a real terminal, driven by keys: of a live engine on the simulated gateway, of a watched journal."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from riskcore.store.journal import Journal
from tests.cli.sources import Sources
from tests.processes import start

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

import fcntl
import pty
import struct
import termios

PATIENCE_SECONDS = 60.0
LEFT, SHOWN = b"\x1b[?1049l", b"\x1b[?1049h"
_STYLE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A pseudo-terminal with a command on it."""

    def __init__(self, columns: int, *words: str, **variables: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.attributes = termios.tcgetattr(self.slave)
        self.written = b""
        environment = {**os.environ, "TERM": "xterm-256color", **variables}
        self.process: subprocess.Popen[bytes] = start(
            [sys.executable, "-m", "riskcore", *words],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environment,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            with suppress(OSError):
                self.written += os.read(self.master, 1 << 16)

    @property
    def text(self) -> str:
        """What was drawn, without styles and the places of the cursor."""
        return _STYLE.sub(b"", self.written).decode(errors="replace")

    def press(self, keys: str, wanted: str) -> None:
        """Press keys, and wait until something is drawn after that."""
        self.written = b""
        os.write(self.master, keys.encode())
        self.until(lambda: wanted in self.text, wanted)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}; {self.text[-3000:]}"
            self.read(0.1)

    def ended(self) -> int:
        """The exit code, when everything that was written has been read."""
        self.until(lambda: self.process.poll() is not None, "the end")
        self.read(0.1)
        assert self.process.returncode is not None
        return self.process.returncode

    def given_back(self) -> bool:
        """Whether the terminal is as it was: echoing lines, the first screen, a cursor."""
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        shown = self.written.rfind(SHOWN) < self.written.rfind(LEFT) and b"\x1b[?25h" in self.written
        return shown and termios.tcgetattr(self.slave) == self.attributes


@contextmanager
def terminal(columns: int, *words: str, **variables: str) -> Iterator[Terminal]:
    opened = Terminal(columns, *words, **variables)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.kill()
        os.close(opened.master)
        os.close(opened.slave)


def test_keys_on_a_live_engine_choose_views_flatten_and_lock(tmp_path: Path) -> None:
    store = tmp_path / "journal.db"
    words = ("live", "--simulated", "quiet", "--stay", "--screen", "--store", str(store))
    with terminal(120, *words, XDG_DATA_HOME=str(tmp_path)) as shown:
        shown.until(lambda: "enforcing; accounts" in shown.text, "ready")
        shown.press("4", "4 limits ───")
        shown.press("5", "calls")
        shown.press("q4", "4 limits ───")
        assert shown.process.poll() is None, "q ends no engine"
        shown.press("f", "Flatten every account?")
        shown.press("n", "nothing was done")
        shown.press("fy", "Flatten every account?")
        shown.press("n", "nothing was done")
        shown.press("f", "Flatten every account?")
        shown.press("y", "already flat")
        shown.press("l", "until the London session ends")
        shown.press("1", "Lock every account for 15 minutes?")
        shown.press("y", "LOCKED")
        shown.press("7", "locked by OPERATOR")
        os.write(shown.master, b"\x03")
        assert shown.ended() == 0
        assert shown.given_back()
    with Journal.open(store, "simulated") as journal:
        (day,) = journal.streams()
        kinds = [type(event.body).__name__ for _, event, _ in journal.read(day)]
    assert (kinds.count("FlattenRequested"), kinds.count("LockRequested")) == (1, 1)


def test_a_watched_journal_is_locked_without_an_engine_and_left_by_q(sources: Sources) -> None:
    with terminal(60, "status", "--watch", "--store", str(sources.store), NO_COLOR="1") as shown:
        shown.until(lambda: "NO ENGINE RUNS" in shown.text, "the overview")
        assert max(map(len, shown.text.splitlines())) <= 60
        assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", shown.written), "no colour"
        shown.press("8", "breached")
        shown.press("f", "nothing can be flattened")
        shown.press("l", "Lock every account?")
        shown.press("2", "for 30 minutes?")
        shown.press("y", "no engine is carrying commands out now")
        shown.press("?", "this help")
        os.write(shown.master, b"q")
        assert shown.ended() == 0
        assert shown.given_back()


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back(sources: Sources) -> None:
    with terminal(80, "status", "--watch", "--store", str(sources.store)) as shown:
        shown.until(lambda: "NO ENGINE RUNS" in shown.text, "the overview")
        for _ in range(2):
            os.write(shown.master, b"\x1a")
            assert os.waitid(os.P_PID, shown.process.pid, os.WSTOPPED | os.WNOWAIT) is not None
            assert shown.given_back()
            assert shown.written.endswith(b"\x1b[?25h"), "nothing is drawn over the shell"
            shown.written = b""
            shown.process.send_signal(signal.SIGCONT)
            shown.until(lambda: "NO ENGINE RUNS" in shown.text, "the whole picture again")
            assert shown.written.startswith(SHOWN)
            assert termios.tcgetattr(shown.slave) != shown.attributes, "keys come one by one"
        shown.press("8", "breached")
        os.write(shown.master, b"q")
        assert shown.ended() == 0
        assert shown.given_back()


@pytest.fixture
def _heard() -> Iterator[None]:
    """Under nohup a hang-up is ignored by every process that is started, which is right for all but this test."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_terminal_is_given_back_however_the_watching_ends(number: signal.Signals, sources: Sources) -> None:
    with terminal(80, "status", "--watch", "--store", str(sources.store)) as shown:
        shown.until(lambda: "NO ENGINE RUNS" in shown.text, "the overview")
        assert termios.tcgetattr(shown.slave) != shown.attributes, "keys come one by one"
        shown.process.send_signal(number)
        assert shown.ended() == (0 if number is signal.SIGINT else -number)
        assert shown.given_back()
