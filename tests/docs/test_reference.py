"""The generated pages are what the code says now."""

import runpy
from collections.abc import Callable

import pytest

from riskcore.cli.main import COMMANDS
from tests.docs.pages import DOCS

PAGES: dict[str, Callable[[], str]] = runpy.run_path(str(DOCS / "make_reference.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python -m docs.make_reference"


def test_every_command_has_its_section() -> None:
    page = PAGES["commands.md"]()
    assert all(f"## riskcore {name}" in page for name in COMMANDS)
