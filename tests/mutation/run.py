"""Breaks the core on purpose, one small change at a time, and tells which changes no test notices.

    python -m tests.mutation.run --sample 150 --seed 1 [--minutes 15] [--only enforce]

Works on a copy of the tree in a temporary folder; every mutant runs the tests of its own module only. Exit code 1
when a mutant survives. What survives and why is written down in docs/operations/mutation.md.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Tests that hold a module beside the file of its own name.
ALSO: dict[str, tuple[str, ...]] = {
    "requests": ("test_enforce.py",),
    "in_flight": ("test_enforce.py", "test_exit_orders.py"),
    "planner_commands": ("test_enforce.py", "test_exit_orders.py"),
    "freshness": ("test_enforce.py", "test_restart.py"),
    "fold": ("test_fills.py", "test_carried.py"),
    "project": ("test_fills.py", "test_step.py", "test_marks.py"),
    "in_force": ("test_guard.py", "test_enforce.py", "test_arbitrate.py"),
    "exposure_change": ("test_guard.py", "test_fills.py"),
}
COPIED = ("riskcore", "replay", "adapters", "tests", "fixtures", "pyproject.toml", "conftest.py")
FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
MUTANT_SECONDS, UNBROKEN_SECONDS = 120, 1800


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every broken version of one node, with what was done to it."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in FLIPS:
                broken = copy.deepcopy(node)
                broken.ops[index] = FLIPS[type(operator)]()
                yield "comparison", broken
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        broken_sum = copy.deepcopy(node)
        broken_sum.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "plus and minus", broken_sum
    elif isinstance(node, ast.BoolOp):
        broken_bool = copy.deepcopy(node)
        broken_bool.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and and or", broken_bool
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not left out", copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "one more", ast.Constant(node.value + 1)
        yield "one less", ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "true and false", ast.Constant(not node.value)
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "nothing returned", ast.Return(ast.Constant(None))


def mutants(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """(line, what was done, source line after it, whole source) of every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assert, ast.arguments)) or _is_declaration(node)
        for inner in ast.walk(node)
    }
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            nodes = value if isinstance(value, list) else [value]
            for index, node in enumerate(nodes):
                if not isinstance(node, ast.AST) or id(node) in skipped:
                    continue
                for what, broken in changes(node):
                    ast.copy_location(broken, node)
                    _put(parent, name, index if isinstance(value, list) else None, broken)
                    shown = ast.unparse(broken).splitlines()[0][:100]
                    yield getattr(node, "lineno", 0), what, shown, ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index if isinstance(value, list) else None, node)


def _is_declaration(node: ast.AST) -> bool:
    """Defaults, bounds and texts of a rule's parameters are held by the tests of the settings."""
    return isinstance(node, ast.AnnAssign) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Rule")


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def tests_of(path: Path) -> list[str]:
    """The test files of a module: by its name; for a rule those that speak of it; for what rules share all of them."""
    tests = ROOT / "tests" / "core"
    room = path.parent.name
    if room == "core":
        own = [tests / f"test_{path.stem}.py", *(tests / name for name in ALSO.get(path.stem, ()))]
        return [str(one.relative_to(ROOT)) for one in own if one.exists()] or ["tests/core"]
    if room == "rules" and "RULE = " not in path.read_text("utf-8"):
        return ["tests/core/rules"]  # What several rules share is held by the tests of all of them.
    speaking = [one for one in sorted((tests / room).glob("test_*.py")) if path.stem in one.read_text("utf-8")]
    return [str(one.relative_to(ROOT)) for one in speaking] or [f"tests/core/{room}"]


def survives(copied: Path, path: Path, source: str, tests: list[str], seconds: float) -> bool:
    """Whether the tests of a module pass although it is broken. A mutant that hangs is noticed."""
    unbroken = path.read_text(encoding="utf-8")
    path.write_text(source, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # With CI set, hypothesis draws the same examples every time and has no deadline.
    environment = {**os.environ, "PYTHONPATH": str(copied), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
    try:
        run = subprocess.run(command, cwd=copied, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(unbroken, encoding="utf-8")
    return run.returncode == 0


def copy_tree(copied: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, copied / name)


def chosen(copied: Path, only: str, sample: int, seed: int) -> list[tuple[Path, int, str, str, str]]:
    core = copied / "riskcore" / "core"
    paths = sorted(core.rglob("[a-z]*.py"))
    found = [(path, *mutant) for path in paths if only in path.relative_to(core).as_posix() for mutant in mutants(path)]
    print(f"{len(found)} mutants", flush=True)
    return random.Random(seed).sample(found, min(sample, len(found))) if sample else found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many mutants, chosen by the seed; 0 is all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument(
        "--only", default="", help="modules whose path in the core contains this, e.g. enforce or rules/"
    )
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    survivors = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        copy_tree(copied)
        found = chosen(copied, options.only, options.sample, options.seed)
        limits: dict[tuple[str, ...], float] = {}  # Seconds after which the tests of a mutant hang.
        for path, line, what, shown, text in found:
            if time.monotonic() > until:
                break
            tests = tests_of(path)
            if tuple(tests) not in limits:
                begun = time.monotonic()
                unbroken = path.read_text("utf-8")
                assert survives(copied, path, unbroken, tests, UNBROKEN_SECONDS), f"unbroken, these fail: {tests}"
                limits[tuple(tests)] = max(MUTANT_SECONDS, 4 * (time.monotonic() - begun))
            tried += 1
            if survives(copied, path, text, tests, limits[tuple(tests)]):
                survivors += 1
                print(f"survives: {path.relative_to(copied)}:{line}: {what}: {shown}", flush=True)
    print(f"{tried} tried, {tried - survivors} noticed, {survivors} survive", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
