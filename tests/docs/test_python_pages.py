"""The guides for programs are followed from the first block to the last, and print what they show."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests import processes
from tests.docs.pages import DOCS, ROOT, fences, write_files
from tests.docs.test_commands import command_lines, output_behind
from tests.docs.test_quickstart_what_if import pasted

PYTHON, RECORDER, CI = (DOCS / "guides" / name for name in ("python.md", "recorder.md", "ci.md"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the reader works: the project's recorded days are there, no settings of his own."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "nobody")
    for name in ("RISKCORE_CONFIG", "RISKCORE_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The gateway that the page starts in another terminal, its lines pasted."""
    words = [sys.executable, "-m", "riskcore", "simulate", "quiet"]
    started = processes.start(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    for name, value in pasted(started).items():
        monkeypatch.setenv(name, value)
    yield
    started.terminate()
    started.wait()


def follow(page: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run the Python blocks of a page one after another; how many of them showed what they print."""
    write_files(page, folder)
    names: dict[str, Any] = {}
    shown = 0
    for fence in fences(page, "python"):
        capsys.readouterr()
        exec(compile(fence.text, f"{page}:{fence.line}", "exec"), names)
        printed, output = capsys.readouterr().out, output_behind(fence)
        assert (output or "") == printed, f"{page.name}:{fence.line}"
        shown += output is not None
    return shown


def test_the_python_page(folder: Path, gateway: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "riskcore simulate quiet" in PYTHON.read_text(encoding="utf-8")
    assert follow(PYTHON, folder, capsys) == 7


def test_the_page_about_a_recorder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(RECORDER, folder, capsys) == 1
    (commands,) = fences(RECORDER, "sh recorded")
    assert [run(words) for words in command_lines(commands)] == [0, 0]


def test_the_page_about_ci(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its commands are run by test_commands.py; here those of the CI server and of pytest."""
    assert follow(CI, folder, capsys) == 0
    assert run(["regress", "days", "--accept"]) == 0
    (workflow,) = fences(CI, "yaml file=.github/workflows/days.yml")
    steps = [line.partition("run: ")[2] for line in workflow.text.splitlines() if "run: riskcore" in line]
    assert [run(step.split()[1:]) for step in steps] == [0]
    assert (folder / "regress.xml").is_file()
    assert tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    ran = processes.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, text=True)
    assert "1 passed" in ran.stdout, ran.stdout
    settings = folder / "days" / "riskcore.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("300", "400"), encoding="utf-8")
    capsys.readouterr()
    assert run(["regress", "days"]) == 1
    assert "absent" in capsys.readouterr().out


@pytest.mark.nightly
@pytest.mark.parametrize("page", [PYTHON, RECORDER], ids=["python", "recorder"])
def test_a_page_is_a_program_that_a_type_checker_takes_as_strictly_as_it_can(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n".join(fence.text for fence in fences(page, "python")), encoding="utf-8")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n", encoding="utf-8")
    words = ["--config-file", "mypy.ini", "--cache-dir", str(ROOT / ".mypy_cache"), program.name]
    ran = processes.run([sys.executable, "-m", "mypy", *words], cwd=tmp_path, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
