"""Files and functions stay small enough to be read at once (DESIGN.md "Rooms")."""

import ast
from collections.abc import Iterator

from tests.tidy.sources import ROOT, imports, nodes, offenders, shipped

LONGEST_FILE = 450
LONGEST_FUNCTION = 75
# A catalogue is looked things up in, not read from end to end.
CATALOGUES = {"riskcore/core/events.py": 580}
PATHS = list(shipped().values())


def long_functions(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in nodes(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if lines >= LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def missing_docstring(module: ast.Module) -> Iterator[tuple[int, str]]:
    if module.body and not ast.get_docstring(module):
        yield 1, "no docstring says what this module is for"


def relative_imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imports(module):
        if name.startswith("."):
            yield line, "a relative import hides which room it comes from"


def test_files_are_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in PATHS}
    assert {name: lines for name, lines in lengths.items() if lines >= CATALOGUES.get(name, LONGEST_FILE)} == {}


def test_functions_are_short() -> None:
    assert offenders(long_functions, PATHS) == []


def test_every_module_says_what_it_is_for() -> None:
    assert offenders(missing_docstring, PATHS) == []


def test_imports_name_their_room() -> None:
    assert offenders(relative_imports, PATHS) == []


def test_an_offender_would_be_seen() -> None:
    line = "    pass\n"
    assert not list(long_functions(ast.parse("def f():\n" + line * (LONGEST_FUNCTION - 2))))
    assert list(long_functions(ast.parse("def f():\n" + line * (LONGEST_FUNCTION - 1))))
    assert list(missing_docstring(ast.parse("x = 1")))
    assert list(relative_imports(ast.parse("from . import x")))
