"""The two back ends: every test that takes `where` runs on both."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, as --store names it."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_store")
        return url
    return str(tmp_path / "new folder" / "events #1 50%.db")
