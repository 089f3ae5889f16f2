"""The quickstart's second page, followed to the letter: the gateway as a process, its lines pasted, each block run."""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskcore.cli.main import run
from tests import processes
from tests.docs.pages import DOCS, ROOT, fences, write_files
from tests.docs.test_commands import command_lines, with_files

PAGE = DOCS / "quickstart-what-if.md"
_RANGE = re.compile(r"--from \S+ --to \S+")


def last_week() -> str:
    """Monday to Friday of the week before this one: what the page tells the reader to put in."""
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday() + 7)
    return f"--from {monday} --to {monday + timedelta(days=4)}"


def pasted(gateway: subprocess.Popen[str]) -> dict[str, str]:
    """The environment of the lines that a started gateway prints."""
    assert gateway.stdout is not None
    found: dict[str, str] = {}
    while len(found) < 4:
        line = gateway.stdout.readline()
        assert line, "the gateway has ended"
        words = shlex.split(line)
        if words[:1] in (["export"], ["set"]):
            name, _, value = words[1].partition("=")
            found[name] = value
    return found


def test_the_page_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (start,) = [words for fence in fences(PAGE, "sh gateway") for words in command_lines(fence)]
    gateway = processes.start([sys.executable, "-m", "riskcore", *start], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        for name, value in pasted(gateway).items():
            monkeypatch.setenv(name, value)
        for name in ("RISKCORE_CONFIG", "RISKCORE_STORE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "nobody")
        write_files(PAGE, tmp_path)
        monkeypatch.chdir(tmp_path)
        printed = []
        for fence in fences(PAGE, "sh fetched"):
            for words in command_lines(fence):
                words = shlex.split(_RANGE.sub(last_week(), shlex.join(words)))
                assert run(with_files(words, tmp_path)) == 0, words
                printed.append(capsys.readouterr().out)
    finally:
        gateway.terminate()
        gateway.wait()
    fetched, asked, compared, _ = printed
    assert "the prices give the broker's P&L of all of them" in fetched
    assert asked.startswith("Over ")
    assert "looser.toml less other.toml: " in compared
    assert "<html" in (tmp_path / "other.html").read_text(encoding="utf-8")
