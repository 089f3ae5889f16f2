"""What a module may not do whose decisions are to be the same in every replay: the core's, and that of a user's rule.

No clock, randomness, float, order of a set, or I/O (DESIGN.md). Looks at the syntax tree and runs nothing.
"""

import ast
from collections.abc import Iterator

# Modules that only compute.
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
    for parent in ast.walk(module):
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


def imported(module: ast.Module) -> list[tuple[int, str]]:
    """(line, module) of every import anywhere in a module, whatever it is nested in."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = f"{'.' * node.level}{node.module or ''}"
            found.extend((node.lineno, f"{start}.{alias.name}") for alias in node.names)
    return found


def foreign_imports(module: ast.Module, ours: str = "riskcore") -> Iterator[tuple[int, str]]:
    """Imports of what does more than compute, or lies outside `ours`."""
    for line, name in imported(module):
        inside = name == ours or name.startswith(f"{ours}.")
        if not inside and name.split(".")[0] not in MODULES and name not in NAMES:
            yield line, f"an import of {name}"
