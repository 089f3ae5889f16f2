"""Progress: one line on stderr, redrawn, with percentage and remaining time, and only on a terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from riskcore.cli.options import say_on_stderr
from riskcore.cli.progress import Progress, shown_progress
from tests import processes
from tests.cli.sources import Sources

ROOT = Path(__file__).parents[2]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals for a test")


def on_a_terminal(*words: str, cwd: Path) -> tuple[str, str]:
    """What a command writes on a terminal as stderr, and into a pipe as stdout."""
    import pty

    screen, terminal = pty.openpty()
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from riskcore.cli.main import main; main()"
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = processes.start(
        [sys.executable, "-c", code, *words], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=terminal
    )
    os.close(terminal)
    drawn = b""
    while True:
        try:
            piece = os.read(screen, 1 << 16)
        except OSError:  # How Linux says that nobody writes any more.
            break
        if not piece:
            break
        drawn += piece
    assert process.stdout is not None
    output = process.stdout.read().decode()
    process.stdout.close()
    process.wait(30)
    os.close(screen)
    return drawn.decode(), output


@posix_only
@pytest.mark.parametrize("words", [("replay",), ("verify",), ("audit",)])
def test_progress_is_one_line_with_percentage_and_remaining_time(words: tuple[str, ...], sources: Sources) -> None:
    drawn, output = on_a_terminal(*words, str(sources.export), cwd=sources.export.parent)
    assert re.search(r"\d+%", drawn)
    assert "--:--" in drawn or re.search(r"\d:\d\d", drawn)
    # Not one line after another: it is drawn over, and gone at the end.
    assert drawn.count("\n") <= 2
    assert drawn.endswith(("\x1b[2K", "\x1b[?25h")) or "\x1b[2K" in drawn.rpartition("%")[2]
    assert "\x1b" not in output


@posix_only
def test_quiet_draws_nothing(sources: Sources) -> None:
    drawn, _ = on_a_terminal("verify", "--quiet", str(sources.export), cwd=sources.export.parent)
    assert drawn == ""


def test_nothing_is_drawn_into_a_pipe(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.session("day.jsonl", 1_200, 0.5)
        assert shown_progress() is None
        say_on_stderr("a warning")
    assert capfd.readouterr() == ("", "a warning\n")


def test_the_line_is_redrawn_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    now = [0.0]
    monkeypatch.setattr("riskcore.cli.progress.time.monotonic", lambda: now[0])
    with Progress() as progress:
        progress.show("first", 0.1)
        line = shown_progress()
        assert line is progress
        seen = []
        assert progress._line is not None
        monkeypatch.setattr(progress._line, "update", lambda task, **values: seen.append(values["description"]))
        for step in range(100):
            now[0] = step / 1000
            progress.show(f"step {step}", 0.1 + step / 1000)
        assert seen == []
        now[0] = 0.1
        progress.show("later", 0.5)
        progress.show("done", 1.0)
        assert seen == ["later", "done"]
    assert shown_progress() is None
