"""A command that runs until it is stopped can be stopped, however it was started."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from riskcore.live.stop_signals import FORCED, heeding_signals, stopped_by_signals
from tests.processes import start

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
STOPPING = (signal.SIGINT, signal.SIGTERM)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process alone")


def nothing() -> None:
    """As a person starts a command at a prompt."""


def ignored() -> None:
    """As nohup, cron and the & of a script start a command."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def blocked() -> None:
    """As a parent starts a command that keeps signals for a thread of its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


@pytest.mark.parametrize("stop", STOPPING)
@pytest.mark.parametrize("inherited", [nothing, ignored, blocked])
@pytest.mark.parametrize(
    "words",
    [("simulate", "quiet"), ("live", "--simulated", "quiet", "--stay", "--no-screen")],
    ids=["simulate", "live"],
)
def test_it_ends_in_good_order(
    words: tuple[str, ...], inherited: Callable[[], None], stop: signal.Signals, tmp_path: Path
) -> None:
    program = [sys.executable, "-m", "riskcore", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "RISKCORE_STORE": ""}
    with start(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
        preexec_fn=inherited,
        text=True,
    ) as process:
        first = process.stdout.readline()
        assert first, process.stderr.read()
        process.send_signal(stop)
        further, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    if words[0] == "live":
        assert "\nStopped. Everything that was received and decided is in" in further
        assert "scenario is over" not in further


def test_what_was_inherited_is_there_again_afterwards() -> None:
    before = [(signal.signal(number, signal.SIG_IGN), number) for number in STOPPING]
    try:
        with heeding_signals():
            assert [signal.getsignal(number) for number in STOPPING] == [signal.default_int_handler, signal.SIG_DFL]
        assert [signal.getsignal(number) for number in STOPPING] == [signal.SIG_IGN] * 2
    finally:
        for handler, number in before:
            signal.signal(number, handler)


def test_a_terminal_is_given_back_before_the_second_ctrl_c_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    def broken() -> None:
        raise OSError("the terminal has gone")

    async def interrupted_twice() -> None:
        with stopped_by_signals(lambda: told.append("asked to stop")):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)

    monkeypatch.setattr("riskcore.live.stop_signals.before_forced_end", [broken, lambda: told.append("given back")])
    monkeypatch.setattr("os._exit", lambda code: told.append(code))
    asyncio.run(interrupted_twice())
    assert told[:2] == ["given back", FORCED]
