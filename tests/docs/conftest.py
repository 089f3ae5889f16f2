"""What the tests of the pages share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep on a page works everything out, and leaves nothing behind."""
    for module in ("riskcore.cli.sweep_command", "riskcore.api.chances"):
        monkeypatch.setattr(f"{module}.user_folder", lambda kind: tmp_path / kind)
