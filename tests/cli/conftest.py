"""What the tests of commands share."""

from pathlib import Path

import pytest

from tests.cli.sources import Sources, make_sources


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Sources:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_STORE", raising=False)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    made = make_sources(tmp_path)
    capfd.readouterr()
    return made
