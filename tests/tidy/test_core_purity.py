"""The core decides and does nothing else: no clock, randomness, float, set iteration or I/O (DESIGN.md)."""

import ast

import pytest

from riskcore.settings.purity import foreign_imports, impurities
from tests.tidy.sources import inside, offenders, shipped

CORE = [path for name, path in shipped().items() if inside(name, "riskcore.core")]


def test_the_core_is_pure() -> None:
    assert offenders(impurities, CORE) == []


def test_the_core_imports_only_what_computes() -> None:
    assert offenders(foreign_imports, CORE) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.5",
        "x = a / b",
        "for x in {1, 2}: pass",
        "x = list(set(y))",
        "x = [a for a in {1, 2}]",
        "x = {a for a in b}",
        "x = open('f')",
        "x = datetime.now()",
        "async def f(): pass",
        "def f():\n    global x",
    ],
)
def test_an_impurity_would_be_seen(text: str) -> None:
    assert list(impurities(ast.parse(text)))


@pytest.mark.parametrize("text", ["import time", "from datetime import datetime", "def f():\n    import random"])
def test_a_foreign_import_would_be_seen(text: str) -> None:
    assert list(foreign_imports(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["x = a // b", "x = y in {1, 2}", "x = len(set(y))", "x = sorted(set(y))", "x = {1: 2}"]
)
def test_what_is_pure_is_accepted(text: str) -> None:
    assert not list(impurities(ast.parse(text)))
