"""`riskcore alerts test`: one test alert per channel, and the outcome of each."""

import json
from pathlib import Path

import pytest

from adapters.alerts import channels
from adapters.alerts.channels import NotSent
from riskcore.cli.main import run
from riskcore.core.kinds import AlertLevel


@pytest.fixture(autouse=True)
def _half_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop that takes everything and a sound that fails."""

    def fails(title: str, body: str, level: AlertLevel) -> None:
        raise NotSent("no bell")

    monkeypatch.setattr(channels, "_desktop", lambda *_: None)
    monkeypatch.setattr(channels, "_sound", fails)


def asked(folder: Path, *words: str, table: str = "") -> int:
    path = folder / "riskcore.toml"
    path.write_text(f"[alerts]\n{table}\n")
    return run(["alerts", "test", *words, "--config", str(path)])


def test_each_channel_says_its_outcome_and_one_failure_is_exit_code_1(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert asked(tmp_path) == 1
    assert capfd.readouterr().out == "desktop: sent\nsound: not sent: no bell\n"


def test_one_channel_may_be_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert asked(tmp_path, "desktop", "--json") == 0
    assert json.loads(capfd.readouterr().out) == {
        "schema": "riskcore.alerts/1",
        "channels": [{"channel": "desktop", "sent": True, "reason": None}],
    }
    assert asked(tmp_path, "phone") != 0
    assert "phone: no such channel; channels here: desktop, sound" in capfd.readouterr().err


def test_no_channel_at_all_is_exit_code_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert asked(tmp_path, table="channels = []") == 1
    assert "nobody is alerted" in capfd.readouterr().out
