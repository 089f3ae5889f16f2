"""Sessions that can be read only once: standard input and pipes."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from riskcore.cli.main import run
from tests import processes
from tests.cli.sources import Sources

COMMANDS = [["replay"], ["verify"], ["audit"], ["export"], ["whatif", "--quick"]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_standard_input_is_read_as_a_session(words: list[str], sources: Sources) -> None:
    command = [sys.executable, "-m", "riskcore", *words, "--quiet"]
    named = processes.run([*command, str(sources.export)], cwd=sources.folder)
    with (
        sources.export.open("rb") as file,
        processes.start(
            [*command, "-"], cwd=sources.folder, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child,
    ):
        output, errors = child.communicate()
    assert (child.returncode, errors) == (0, b"")
    assert output.replace(b"stdin", sources.export.name.encode()).split() == named.stdout.split()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes with names")
def test_a_pipe_is_read_once(sources: Sources, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = Thread(target=lambda: pipe.write_bytes(sources.export.read_bytes()))
    writing.start()
    assert run(["verify", str(pipe)]) == 0
    writing.join()
    assert "decided the same" in capfd.readouterr().out
