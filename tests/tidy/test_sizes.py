"""Files and functions stay small enough to be read at once (DESIGN.md "Rooms")."""

import ast
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, shipped, tree

LONGEST_FILE = 450
LONGEST_FUNCTION = 75
# A catalogue is looked things up in, not read from end to end.
CATALOGUES = {"riskcore/core/events.py": 550}
PATHS = list(shipped().values())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    longest = CATALOGUES.get(path.relative_to(ROOT).as_posix(), LONGEST_FILE)
    assert len(path.read_text(encoding="utf-8").splitlines()) < longest
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 < LONGEST_FUNCTION, f"{path}:{node.lineno}: {node.name}"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    if path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(path)), f"{path} has no docstring"
