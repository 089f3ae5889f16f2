"""The core decides and does nothing else: no clock, randomness, float, set iteration or I/O (DESIGN.md)."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import imports, inside, nodes, offenders, shipped

CORE = [path for name, path in shipped().items() if inside(name, "riskcore.core")]
MODULES = (
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "operator",
    "re",
    "typing",
)
# Of datetime only calendar arithmetic; of hashlib and json only what turns text into text.
NAMES = ("datetime.date", "datetime.timedelta", "hashlib.sha256", "json.dumps")
CALLS = ("open", "print", "input", "float", "hash", "id", "eval", "exec", "__import__", "globals", "breakpoint")
METHODS = ("now", "today", "utcnow", "time", "monotonic", "random", "total_seconds")
ORDERLESS_USES = ("len", "sorted", "min", "max", "sum", "any", "all", "bool", "frozenset", "set")


def makes_a_set(node: ast.AST) -> bool:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return named or isinstance(node, (ast.Set, ast.SetComp))


def set_is_iterated(parent: ast.AST, node: ast.AST) -> bool:
    """Whether a set made at `node` can be walked through in its own, arbitrary order."""
    if isinstance(parent, ast.Compare):
        return False
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
        return parent.func.id not in ORDERLESS_USES
    return not isinstance(parent, ast.BinOp)


def impurities(module: ast.Module) -> Iterator[tuple[int, str]]:
    for parent in nodes(module):
        for node in ast.iter_child_nodes(parent):
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
                yield line, f"float literal {node.value}"
            if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
                yield line, "division that gives a float"
            if isinstance(node, (ast.Global, ast.AsyncFunctionDef, ast.Await)):
                yield line, type(node).__name__
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in CALLS:
                    yield line, f"{called.id}()"
                if isinstance(called, ast.Attribute) and called.attr in METHODS:
                    yield line, f".{called.attr}()"
            if makes_a_set(node) and set_is_iterated(parent, node):
                yield line, "a set whose order may be seen"


def foreign_imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of what does more than compute."""
    for line, name in imports(module):
        if name.split(".")[0] not in (*MODULES, "riskcore") and name not in NAMES:
            yield line, f"the core must not import {name}"


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
