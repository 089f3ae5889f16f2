"""The frame of the command line: exit codes, one-line errors, lazy imports."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from riskcore.__main__ import main as started_program
from riskcore.cli import main as cli
from riskcore.errors import InputError
from riskcore.version import VERSION
from tests import processes
from tests.recordings import losing_day


def process(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from riskcore.cli.main import main; main()"
    return processes.run([sys.executable, "-c", code, *words], cwd=cwd)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    @click.option("--verbose", is_flag=True)
    def command(verbose: bool) -> None:
        raise error

    monkeypatch.setattr(cli.group, "get_command", lambda context, name: command)


def test_help_imports_no_command_and_none_of_the_engine() -> None:
    root = str(Path(__file__).parents[2])
    code = f"""
import sys
sys.path.insert(0, {root!r})
import click
before = set(sys.modules)
from riskcore.cli.main import run
assert run(["--help"]) == 0
ours = ("riskcore", "adapters", "replay", "pydantic", "eventsourcing", "msgspec", "polars")
print(sorted(name for name in set(sys.modules) - before if name.split(".")[0] in ours))
"""
    result = processes.run([sys.executable, "-c", code], text=True)
    assert result.returncode == 0, result.stderr
    imported = ["riskcore", "riskcore.cli", "riskcore.cli.main", "riskcore.errors", "riskcore.version"]
    assert result.stdout.splitlines()[-1] == str(imported)
    for name, text in cli.COMMANDS.items():
        assert name in result.stdout
        assert text in result.stdout


def test_on_windows_patterns_name_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        (tmp_path / name).touch()
    words = ["whatif", "*.jsonl", "none*", "c.txt", "--set=*"]
    assert cli._with_files(words, "win32") == ["whatif", "a.jsonl", "b.jsonl", "none*", "c.txt", "--set=*"]
    assert cli._with_files(words, "linux") == words


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_a_help_page_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([name, "--help"]) == 0
    output = capsys.readouterr().out
    assert f"riskcore {name}" in output
    assert "Example: riskcore " in output


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("day.jsonl, line 3: not JSON"), 3, "error: day.jsonl, line 3: not JSON\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.UsageError("FILE is missing"), 2, "error: FILE is missing (see riskcore replay --help)\n"),
        (click.exceptions.Exit(1), 1, ""),
        (
            ZeroDivisionError("x"),
            1,
            "internal error: ZeroDivisionError: x; run with --verbose for the details and report it\n",
        ),
    ],
)
def test_errors_become_lines_and_exit_codes(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, error)
    assert cli.run(["replay"]) == code
    captured = capsys.readouterr()
    assert captured.err == message
    assert captured.out == ""


def test_the_traceback_is_shown_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("x"))
    assert cli.run(["replay", "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_number_returned_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    command = click.command()(lambda: 1)
    monkeypatch.setattr(cli.group, "get_command", lambda context, name: command)
    assert cli.run(["replay"]) == 1


@pytest.mark.parametrize(
    "words", [["nonsense"], ["rules", "--nonsense"], ["--nonsense"], ["config", "check", "a", "b"]]
)
def test_wrong_usage_is_exit_2_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def test_no_words_at_all_show_the_help_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["replay", "why", "lock", "config set", "regress", "fetch", "import", "completion"])
def test_a_command_without_what_it_needs_shows_its_help(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"Usage: riskcore {words} ")
    assert "Example: " in captured.err
    assert captured.err.splitlines()[-1].startswith("error: Missing ")


@pytest.mark.parametrize(
    ("words", "meant"),
    [("replya", "replay"), ("statsu", "status"), ("rules daily_relized_loss", "daily_realized_loss")],
)
def test_a_name_nearly_right_is_answered_with_the_right_one(
    words: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words.split()) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["completion", shell]) == 0
    assert cli.COMPLETION_VARIABLE in capsys.readouterr().out
    monkeypatch.setenv(cli.COMPLETION_VARIABLE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "riskcore ver")
    monkeypatch.setenv("COMP_CWORD", "ver" if shell == "fish" else "1")
    assert cli.run([]) == 0
    assert "verify" in capsys.readouterr().out


# Words that follow the name of the program where it is the subject of a sentence. Anything else must be a command.
PROSE = (
    "again as before can cannot command costs decided decides did does ends fails for from has "
    "into is itself keeps kept knows last made matches names needs placed raises ran recorded "
    "relies runs sees soon to trusts waits was went will would writes wrote "
)


def test_no_message_names_a_command_that_does_not_exist() -> None:
    root = Path(__file__).parents[2]
    found = {
        (word, str(path.relative_to(root)))
        for package in ("riskcore", "replay", "adapters")
        for path in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in re.findall(r"\briskcore ([a-z][a-z-]*)", node.value)
    }
    assert sorted(one for one in found if one[0] not in (*cli.COMMANDS, *PROSE.split())) == []


def test_a_command_that_is_not_installed_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "absent", "Not there.")
    assert cli.run(["absent"]) == 1
    assert capsys.readouterr().err == "error: absent: this command is not part of this installation\n"


def test_a_reader_that_goes_away_is_exit_6_without_a_word() -> None:
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from riskcore.cli.main import main; main(['rules', '--json'])"
    process = processes.start([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 6
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", ["rules --json", "--help", "replay day.jsonl", "export day.jsonl", "--version"])
def test_a_full_disk_behind_the_output_is_exit_6_in_one_line(words: str, tmp_path: Path) -> None:
    losing_day().write(tmp_path / "day.jsonl")
    command = [sys.executable, "-m", "riskcore", *words.split()]
    with open("/dev/full", "wb") as full:
        started = processes.start(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE)
        _, errors = started.communicate()
    assert started.returncode == 6
    said = [line for line in errors.decode().splitlines() if not line.startswith("warning: ")]
    assert said == ["error: cannot write: No space left on device"]


def test_closed_output_is_exit_6(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as raised:
        cli.main(["rules"])
    assert raised.value.code == 6
    assert capsys.readouterr().err == "error: the output is closed; nothing can be written\n"


def test_output_is_utf8_without_colour_when_piped(tmp_path: Path) -> None:
    (tmp_path / "riskcore.toml").write_text(
        "[rules.daily_realized_profit]\nmessage = 'Ziel erreicht ✓'\n", encoding="utf-8"
    )
    result = process("config", "show", cwd=tmp_path)
    assert result.returncode == 0
    assert "Ziel erreicht ✓" in result.stdout.decode("utf-8")
    assert b"\x1b" not in result.stdout + result.stderr
    assert b"\r" not in result.stdout


def test_bytes_that_are_no_text_do_not_break_the_error_line(tmp_path: Path) -> None:
    result = process("config", "check", "--set", "\udcff.x=1", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith(b"error: ")
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--api-url", "--rtc-url"])
@pytest.mark.parametrize("plot", ["--simulated", "--simulated=quiet"])
def test_a_brokers_address_beside_the_gateway_of_our_own_is_wrong_usage(
    option: str, plot: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["live", plot, option, "https://api.example.com"]) == 2
    assert option in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("--version", "-V"):
        assert cli.run([word]) == 0
        assert capsys.readouterr().out == f"riskcore {VERSION}\n"


def test_ctrl_c_while_a_command_is_still_being_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("riskcore.own_packages.claim_process", interrupted)
    with pytest.raises(SystemExit) as ended:
        started_program()
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")
