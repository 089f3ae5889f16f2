"""riskcore simulate as a person starts it: addresses to paste, the list of scenarios, recordings, Ctrl-C."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.simulator.scenarios import DEFAULT, SCENARIOS
from riskcore.cli.main import run
from riskcore.cli.simulate_command import shell_line
from tests.processes import start

COMMAND = (sys.executable, "-m", "riskcore", "simulate")
ROOT = Path(__file__).parents[2]
# The first line of the answer is there within this time, or the test fails.
PATIENCE_SECONDS = 60


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    assert run(["simulate", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["scenarios"]
    assert [one["name"] for one in listed] == list(SCENARIOS)
    assert all(one["description"] for one in listed)


def test_the_lines_to_paste_are_those_of_the_shell_that_people_use_there() -> None:
    name, url = "RISKCORE_API_URL", "http://127.0.0.1:8700"
    assert shell_line(name, url, "linux") == shell_line(name, url, "darwin") == f"export {name}={url}"
    assert shell_line(name, url, "win32") == f'$env:{name} = "{url}"', "PowerShell"


def test_an_unknown_scenario_is_a_usage_error_that_names_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "nonsense"]) == 2
    error = capsys.readouterr().err
    assert "nonsense" in error
    assert DEFAULT in error


def test_a_port_that_cannot_be_opened_is_an_error_of_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["simulate", "quiet", "--port", str(port)]) == 5
    assert f"port {port} " in capsys.readouterr().err


def test_a_recording_ends_with_the_plot_and_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = tmp_path / "day.jsonl"
    assert run(["simulate", DEFAULT, "--record", str(day), "--speed", "50", "--quiet"]) == 0
    lines = [json.loads(line) for line in day.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["riskcore"] == "wire/1"
    assert lines[0]["note"] == f"simulated: {DEFAULT}, seed 1"
    assert lines[-1]["end"]["lines"] == len(lines) - 1
    assert {"GatewayUserTrade", "GatewayUserPosition", "GatewayQuote"} <= {line.get("target") for line in lines}
    assert not any("Auth" in line.get("rest", "") for line in lines)
    capsys.readouterr()
    assert run(["replay", str(day), "--set", "rules.daily_realized_loss.loss_limit=1", "--json", "--quiet"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["rejected_lines"] == 0
    assert replayed["breaches"][0]["rule"] == "RULE-003"


def test_a_scenario_about_the_reset_plays_at_the_reset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = tmp_path / "reset.jsonl"
    assert run(["simulate", "overnight-reset", "--record", str(day), "--speed", "20"]) == 0
    assert "the gateway's time is " in capsys.readouterr().err
    lines = [json.loads(line) for line in day.read_text(encoding="utf-8").splitlines()]
    first, last = (datetime.fromisoformat(line["at"][:19] + "+00:00") for line in (lines[1], lines[-2]))
    assert first.astimezone(ZoneInfo("America/Chicago")).strftime("%H:%M") == "16:59"
    assert last.astimezone(ZoneInfo("America/Chicago")).strftime("%H:%M") == "17:00"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process alone")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_where_it_is_and_ends_in_good_order(stop: signal.Signals, tmp_path: Path) -> None:
    recording = tmp_path / "cut short.jsonl"
    words = (*COMMAND, "quiet", "--json", "--speed", "0.01", "--record", str(recording))
    with start(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = b""
        while not said.endswith(b"\n"):
            said += process.stdout.readline()
        environment = json.loads(said)["environment"]
        assert environment["PROJECT_X_USERNAME"]
        assert environment["PROJECT_X_API_KEY"]
        for url in (environment["RISKCORE_API_URL"], environment["RISKCORE_RTC_URL"]):
            with urllib.request.urlopen(f"{url}/api/Status/ping", timeout=PATIENCE_SECONDS) as answer:
                assert json.load(answer) == "pong"
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
    assert b"Traceback" not in errors
    assert '{"end":' in recording.read_text(encoding="utf-8").splitlines()[-1]
