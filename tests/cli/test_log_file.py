"""`riskcore live --log FILE`: every line, rotated, private, with warnings and the error that ended the run."""

import sys
from pathlib import Path

import pytest

from riskcore.cli.live_text import Printer
from riskcore.cli.log_file import KEPT_FILES, RotatedFile, logged, noted
from riskcore.cli.main import run
from riskcore.engine.clock import SystemClock
from riskcore.errors import ConfigError


def test_files_are_rotated_and_the_last_ones_kept(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "live.log"
    file = RotatedFile(path, most_bytes=100)
    for number in range(100):
        file.write(f"line {number:04d}\n")
    file.close()
    kept = sorted(one.name for one in path.parent.iterdir())
    assert kept == ["live.log", *(f"live.log.{number}" for number in range(1, KEPT_FILES + 1))]
    assert all(one.stat().st_size <= 100 for one in path.parent.iterdir())
    assert path.read_text(encoding="utf-8").endswith("line 0099\n")
    if sys.platform != "win32":
        assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}


def test_what_is_told_warned_and_failed_stands_in_it_whatever_is_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "live.log"

    def a_run_that_fails() -> None:
        with logged(path) as log:
            assert log is not None
            log.write(noted("warning", "doubtful"))
            printer = Printer(SystemClock(), quiet=True, log=log)
            printer.say("connection", hub="user", state="lost")
            printer.close()
            raise ConfigError("it cannot be\nused")

    with pytest.raises(ConfigError):
        a_run_that_fails()
    kinds = [line[26:].split()[0] for line in path.read_text(encoding="utf-8").splitlines()]
    assert kinds == ["warning", "connection", "error"]
    assert path.read_text(encoding="utf-8").endswith("it cannot be used\n")
    assert capfd.readouterr().out == ""
    assert noted("error", "x")[10] == " "


def test_a_log_that_cannot_be_written_stops_the_start_with_exit_code_6(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["live", "--simulated", "--log", str(tmp_path / "file" / "live.log")]) == 6
    assert "the log cannot be written here" in capfd.readouterr().err
