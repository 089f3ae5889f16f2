"""Tests start processes through tests/processes.py, which ends them."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import ROOT, nodes, offenders

STARTERS = {
    *("Popen", "check_call", "check_output", "getoutput", "create_subprocess_exec", "create_subprocess_shell"),
    *("ProcessPoolExecutor", "get_context", "system", "popen", "fork", "posix_spawn", "spawnv", "spawnl"),
    *("subprocess.run", "subprocess.call", "multiprocessing.Process", "multiprocessing.Pool"),
}
ENDINGS = {name.rpartition(".")[2] for name in STARTERS}
# The one door, and programs of their own that no test runs.
EXEMPT = ("tests/processes.py", "tests/benchmarks", "tests/mutation", "tests/coverage_by_module.py")


def started_by_hand(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that start a process."""
    for node in nodes(module):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            call = ast.unparse(node.func) if called(node.func) in ENDINGS else ""
            if call in STARTERS or call.rpartition(".")[2] in STARTERS:
                yield node.lineno, call


def called(function: ast.Name | ast.Attribute) -> str:
    """The last name of what is called."""
    return function.id if isinstance(function, ast.Name) else function.attr


@pytest.mark.slow
def test_every_process_of_a_test_is_started_where_it_is_ended() -> None:
    names = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "tests").rglob("*.py"))}
    paths = [path for name, path in names.items() if not name.startswith(EXEMPT) and "node_modules" not in name]
    # Most tests have none of these words, and need not be parsed.
    paths = [path for path in paths if any(word in path.read_text(encoding="utf-8") for word in ENDINGS)]
    assert offenders(started_by_hand, paths) == []


@pytest.mark.parametrize("text", ["subprocess.run([])", "Popen([])", "os.fork()", "multiprocessing.Process()"])
def test_a_process_started_by_hand_would_be_seen(text: str) -> None:
    assert list(started_by_hand(ast.parse(text)))
