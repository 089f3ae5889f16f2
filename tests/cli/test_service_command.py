"""`riskcore service`: the files of all three systems, read by what reads them, and the way in and out again."""

import json
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from riskcore.cli import service_command
from riskcore.cli.main import run
from riskcore.cli.service_files import Home, Job, file_of
from tests import processes
from tests.cli.memory_keyring import MemoryKeyring, used

SECRET = "s3cret-key"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose folders have blanks in their names, and whose system has none of the managers."""
    folder = tmp_path / "my own $HOME 100%"
    (folder / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", str(folder / "bin"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "RISKCORE_STORE", "RISKCORE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROJECT_X_USERNAME", "trader")
    monkeypatch.setenv("PROJECT_X_API_KEY", SECRET)
    monkeypatch.setattr(service_command, "host", lambda: "linux")
    settings = f'[profile]\nname = "combine"\n\n[alerts]\nchannels = ["tgram://{SECRET}/1"]\n'
    (folder / "riskcore.toml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def asked(capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert run(["service", *words, "--json"]) == code
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def fake_manager(home: Path, script: str) -> Path:
    """A systemctl that keeps what it was asked; the file of its calls."""
    calls, program = home / "calls", home / "bin" / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(calls))}\n{script}\n', encoding="utf-8")
    program.chmod(0o755)
    return calls


def words_in(unit: str) -> list[str]:
    """The words of ExecStart as systemd reads them: quotes, backslashes, $$ and %% taken back."""
    line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    return [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line.removeprefix("ExecStart="))]


ON_A_SERVER = "postgresql://me@db.example:5432/my%20journal?sslmode=verify-full&sslrootcert=/etc/ssl/my%20db.pem"


@pytest.mark.parametrize("platform", service_command.PLATFORMS)
@pytest.mark.parametrize("store", ["my journal.db", ON_A_SERVER])
def test_files_of_every_system_name_the_same_commands_and_no_secret(
    home: Path, platform: str, store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = asked(capfd, "install", "--dry-run", "--platform", platform, "--store", store)
    assert not found["started"]
    assert SECRET not in json.dumps(found)
    engine, watchdog = (_words(file["content"], platform) for file in found["files"])
    where = store if store == ON_A_SERVER else str(home / store)
    place = ["--config", str(home / "riskcore.toml"), "--store", where]
    assert engine[:3] == [sys.executable, "-m", "riskcore"]
    assert engine[3:8] == ["live", *place]
    assert watchdog[3:] == ["watchdog", "--quiet", *place]
    assert all(not Path(file["path"]).exists() for file in found["files"]), "a dry run writes nothing"


def _words(content: str, platform: str) -> list[str]:
    if platform == "macos":
        words: list[str] = plistlib.loads(content.encode())["ProgramArguments"]
        return words
    if platform == "linux":
        return words_in(content)
    task = ElementTree.fromstring(content.encode("utf-16"))
    action = task.find(f"{TASK}Actions/{TASK}Exec")
    assert action is not None
    command, arguments = action.findtext(f"{TASK}Command"), action.findtext(f"{TASK}Arguments")
    assert command is not None
    assert arguments is not None
    assert task.findtext(f"{TASK}Settings/{TASK}ExecutionTimeLimit") == "PT0S", "a day must not end it"
    return [command, *shlex.split(arguments)]  # On these words both ways of quoting agree.


def test_awkward_words_arrive_whole() -> None:
    words = ("/opt/a b/python", "-m", 'say "hi"', "100%", "$HOME", "back\\slash", "plain")
    job = Job("riskcore-x", "limits", words, Path("/home/a b"))
    unit = file_of("linux", job, Home(Path("/units"), "me")).content.decode()
    assert words_in(unit) == list(words)
    task = file_of("windows", job, Home(Path("/tasks"), "PC\\me")).content
    assert subprocess.list2cmdline(words[1:]) in str(ElementTree.fromstring(task).findtext(f".//{TASK}Arguments"))
    assert plistlib.loads(file_of("macos", job, Home(Path("/l"), "me")).content)["ProgramArguments"] == list(words)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_a_program_whatever_its_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / 'trader\'s $HOME %h "b" \\ ü'
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    job = Job("riskcore-x", "limits", (str(folder / "python"), "-V"), folder)
    file = file_of("linux", job, Home(tmp_path, "me"))
    file.path.write_bytes(file.content)
    done = processes.run(
        ["systemd-analyze", "--user", "verify", str(file.path)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.defpath},
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_itself_finds_nothing_wrong(home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    verify = shutil.which("systemd-analyze", path=os.defpath) or "/usr/bin/systemd-analyze"
    found = asked(capfd, "install")
    paths = [file["path"] for file in found["files"]]
    done = processes.run([verify, "--user", "verify", *paths], env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_a_manager_it_writes_the_files_and_says_what_to_do(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["service", "install"]) == 0
    said = capfd.readouterr()
    assert "not started: systemctl is not there" in said.out
    assert "systemctl --user enable riskcore-combine.service" in said.out
    assert "riskcore login keeps it" in said.err
    unit = home / ".config" / "systemd" / "user" / "riskcore-combine.service"
    assert "Type=notify" in unit.read_text(encoding="utf-8")
    assert SECRET not in said.out + said.err
    fake_manager(home, 'echo "Failed to connect to bus" >&2; exit 1')
    found = asked(capfd, "install")
    assert found["not_started_because"].endswith("systemd does not run for this user (Failed to connect to bus)")


def test_it_is_started_installed_twice_shown_and_taken_out_again(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    calls = fake_manager(home, "case $2 in is-active) echo active;; esac")
    assert asked(capfd, "install")["started"]
    assert asked(capfd, "install")["started"]
    units = [f"riskcore-combine{ending}.service" for ending in ("", "-watchdog")]
    once = [f"--user {words}" for unit in units for words in ("daemon-reload", f"enable {unit}", f"restart {unit}")]
    assert calls.read_text().splitlines() == ["--user show-environment", *once] * 2
    found = asked(capfd, "status")
    assert found["system"] == {unit.removesuffix(".service"): "active" for unit in units}
    assert found["engine"] == "no engine has run for profile combine yet"
    calls.unlink()
    asked(capfd, "uninstall")
    assert [line for line in calls.read_text().splitlines() if "disable" in line] == [
        f"--user disable --now {unit}" for unit in units
    ]
    assert list((home / ".config" / "systemd" / "user").iterdir()) == []
    assert asked(capfd, "status")["installed"] == []
    assert run(["service", "uninstall"]) == 0
    assert capfd.readouterr().out == "nothing is installed for this profile\n"


def test_a_password_in_the_url_of_the_store_is_refused(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["service", "install", "--store", f"postgresql://me:{SECRET}@host/db"]) == 2
    said = capfd.readouterr()
    assert "holds a password" in said.err
    assert SECRET not in said.out + said.err


def test_a_password_that_only_this_shell_knows_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["service", "install", "--no-start", "--store", ON_A_SERVER]
    assert run(words) == 0
    assert "PGPASSWORD" not in capfd.readouterr().err
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert run(words) == 0
    said = capfd.readouterr()
    assert "warning: the service does not see PGPASSWORD: put the password of the store into ~/.pgpass" in said.err
    assert f'keyring set riskcore "{ON_A_SERVER}"' in said.err
    assert SECRET not in said.out + said.err
    keyring = MemoryKeyring()
    keyring.set_password("riskcore", ON_A_SERVER, SECRET)
    with used(keyring):
        assert run(words) == 0
    assert "PGPASSWORD" not in capfd.readouterr().err


def test_logs_are_the_end_of_what_the_engine_wrote(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["service", "logs"]) == 2
    assert "there is no log" in capfd.readouterr().err
    path = home / ".local" / "share" / "riskcore" / "logs" / "riskcore-combine.log"
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert run(["service", "logs", "--lines", "2"]) == 0
    assert capfd.readouterr().out == "two\nthree\n"
