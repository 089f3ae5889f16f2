"""Command lines in the documentation are right: all of them parse, and those on recorded days really run.

A fence is run when its lines name only files of fixtures/, or when it says where: ```sh in=own runs in an empty
folder of that name that holds the page's files (```json file=trade_search.json). A ```text fence behind it is the
output of its last command. The examples of the generated reference write files and are only parsed.
"""

import shlex
from pathlib import Path

import click
import pytest

from riskcore.cli.main import group, run
from tests.docs.pages import PAGES, ROOT, Fence, fences, write_files

FIRST = "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/riskcore live --simulated"
INSTALL = "python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[test]'"
TESTS = f"{INSTALL} && .venv/bin/python -m pytest -n 3 --dist loadfile"


def command_lines(fence: Fence) -> list[list[str]]:
    """The arguments of every riskcore command of a fence."""
    found = []
    for line in fence.text.splitlines():
        words = shlex.split(line.rpartition("&& ")[2])
        if words and Path(words[0]).name == "riskcore":
            found.append(words[1:])
    return found


def with_files(words: list[str], folder: Path) -> list[str]:
    """The words of a command as a shell hands them over: a pattern stands for the files that match it."""
    found: list[str] = []
    for word in words:
        matching = sorted(path.relative_to(folder).as_posix() for path in folder.glob(word)) if "*" in word else []
        found += matching or [word]
    return found


def shell_fences(page: Path) -> list[Fence]:
    return [fence for fence in fences(page) if fence.info.split(" ")[0] == "sh"]


ALL = [(fence, words) for page in PAGES for fence in shell_fences(page) for words in command_lines(fence)]
ON_FIXTURES = [
    fence
    for page in PAGES
    for fence in shell_fences(page)
    if fence.info == "sh" and "fixtures/" in fence.text and "venv" not in fence.text and page.name != "commands.md"
]
FOLDERS = sorted({(fence.page, fence.info) for page in PAGES for fence in shell_fences(page) if " in=" in fence.info})


def parse(words: list[str]) -> None:
    """Let click read a command line without running it. Raises ClickException for what is wrong."""
    context = group.make_context("riskcore", list(words))
    command: click.Command = group
    rest = list(words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert name is not None
        assert found is not None
        command = found
        context = command.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize(("fence", "words"), ALL, ids=[f"{one.page.name}-{one.line}" for one, _ in ALL])
def test_a_command_line_parses(fence: Fence, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parse(words)
    name = words[:2] if words[0] == "config" else words[:1]
    assert run([*name, "--help"]) == 0
    assert "Usage: riskcore" in capsys.readouterr().out


def test_a_command_line_that_is_wrong_does_not_parse() -> None:
    with pytest.raises(click.ClickException):
        parse(["replay", "day.jsonl", "--no-such-option"])


def output_behind(fence: Fence) -> str | None:
    """The ```text fence that follows with nothing but blank lines in between."""
    after = next((one for one in fences(fence.page) if one.line > fence.line), None)
    lines_between = fence.text.count("\n") + 3
    return (
        after.text if after is not None and after.info == "text" and after.line == fence.line + lines_between else None
    )


@pytest.mark.parametrize("fence", ON_FIXTURES, ids=[f"{one.page.name}-{one.line}" for one in ON_FIXTURES])
def test_commands_on_recorded_days_run_and_print_what_the_page_shows(
    fence: Fence, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    printed = ""
    for words in command_lines(fence):
        assert run(with_files(words, ROOT)) == 0, words
        printed = capsys.readouterr().out
    assert printed
    shown = output_behind(fence)
    assert shown is None or shown == printed


@pytest.mark.parametrize(("page", "info"), FOLDERS, ids=[f"{page.name}-{info}" for page, info in FOLDERS])
def test_a_page_can_be_followed_from_the_first_command_to_the_last(
    page: Path, info: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "nobody")
    for name in ("RISKCORE_CONFIG", "RISKCORE_STORE"):
        monkeypatch.delenv(name, raising=False)
    for fence in fences(page, info):
        printed = ""
        for words in command_lines(fence):
            capsys.readouterr()
            assert run(words) == 0, words
            printed = capsys.readouterr().out
        shown = output_behind(fence)
        assert shown is None or shown == printed


def test_the_pages_have_something_to_run() -> None:
    assert {fence.page.name for fence in ON_FIXTURES} >= {"README.md", "quickstart.md", "ci.md"}
    assert [page.name for page, _ in FOLDERS] == ["ci.md", "share-a-day.md", "quickstart.md", "recordings.md"]
    assert any(output_behind(fence) for fence in ON_FIXTURES if fence.page.name == "README.md")


def test_the_readme_has_the_two_commands() -> None:
    lines = [fence.text.strip() for fence in shell_fences(ROOT / "README.md")]
    assert FIRST in lines
    assert TESTS in lines
