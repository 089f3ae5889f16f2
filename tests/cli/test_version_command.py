"""`riskcore version`: what is installed, in words and for programs."""

import json
import platform
import re
import sys
import tomllib
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.cli.version_command import EXTRAS
from riskcore.version import VERSION

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_json_says_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["schema"] == "riskcore.version/1"
    assert (row["version"], row["python"]) == (VERSION, platform.python_version())
    assert (row["store_schema"], row["session_forms"]) == ("journal/1", ["wire/1", "journal/1"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["programme_date"])
    assert re.fullmatch(r"20\d\d-12-31", row["calendar_ends"])
    assert row["extras"]["metrics"] is True


def test_an_extra_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(EXTRAS, "metrics", "no_such_module")
    assert run(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["extras"]["metrics"] is False
    assert run(["version"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"riskcore {VERSION}\nPython {sys.version.split()[0]}")
    assert "metrics" not in text
    assert "alerts" in text


def test_every_extra_of_the_project_is_known() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(EXTRAS) == set(extras) - {"test"}
    named = {"PIL": "pillow", "prometheus_client": "prometheus-client"}
    for extra, module in EXTRAS.items():
        assert extras[extra][0].startswith(named.get(module, module))
