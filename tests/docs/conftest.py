"""What the tests of the pages share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep on a page works everything out, and leaves nothing behind."""
    monkeypatch.setattr("riskcore.cli.sweep_command.user_folder", lambda kind: tmp_path / kind)
