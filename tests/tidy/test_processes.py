"""Tests start processes through tests/processes.py, which ends them."""

import ast

from tests.tidy.sources import ROOT, tree

STARTERS = {
    *("Popen", "check_call", "check_output", "getoutput", "create_subprocess_exec", "create_subprocess_shell"),
    *("ProcessPoolExecutor", "get_context", "system", "popen", "fork", "posix_spawn", "spawnv", "spawnl"),
    *("subprocess.run", "subprocess.call", "multiprocessing.Process", "multiprocessing.Pool"),
}
# The one door, and programs of their own that no test runs.
EXEMPT = ("tests/processes.py", "tests/benchmarks", "tests/mutation", "tests/coverage_by_module.py")


def test_every_process_of_a_test_is_started_where_it_is_ended() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(EXEMPT) or "node_modules" in name:
            continue
        called = [(node.lineno, ast.unparse(node.func)) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        found += [
            f"{name}:{line}: {call}" for line, call in called if call in STARTERS or call.rpartition(".")[2] in STARTERS
        ]
    assert found == []
