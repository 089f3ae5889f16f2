"""The time limit and the end of child processes, tried on tests that hang."""

import os
import sys
import time
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from tests.processes import kill_started, pool, start

ROOT = Path(__file__).parents[1]
SLEEPER = "import time; print('here', flush=True); time.sleep(600)"
# How a test waits without end. What each starts writes its process id into the file `child`.
HANGING = {
    "waits for a child": "start([sys.executable, '-c', CHILD]).wait()",
    "fails in the with block of a child": """
    with start([sys.executable, '-c', CHILD]):
        while not Path('child').exists():
            time.sleep(0.01)
        time.sleep(600)""",
    "waits for a child of an event loop": """
    async def waits():
        child = await start_async(sys.executable, '-c', CHILD)
        await child.wait()
    asyncio.run(waits())""",
    "waits for a worker": """
    with pool(1) as executor:
        executor.submit(exec, CHILD).result()""",
    "waits for a grandchild": """
    run([sys.executable, '-c', f'import subprocess, sys; subprocess.run([sys.executable, "-c", {CHILD!r}])'])""",
    "leaves a child behind": """
    start([sys.executable, '-c', CHILD])
    while not Path('child').exists():
        time.sleep(0.01)
    raise AssertionError""",
}
# What no signal ends: an event loop that is busy takes the exception for a callback's own.
STUBBORN = """
    start([sys.executable, '-c', CHILD])
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass"""
FILE = '''
import asyncio, sys, time
from pathlib import Path
from tests.processes import pool, run, start, start_async

CHILD = """
import os, time
open('child.new', 'w').write(str(os.getpid()))
os.replace('child.new', 'child')
time.sleep(600)
"""

def test_that_hangs():
    {body}

def test_after_it():
    pass
'''


LIMIT_SECONDS = 5
THREAD = "without the signal of a timer"
EVERY = {**HANGING, "no exception": STUBBORN, THREAD: HANGING["waits for a child"]}
pytestmark = pytest.mark.skipif(
    not hasattr(os, "killpg"), reason="a process cannot be looked for there without ending it"
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """For each test that hangs a folder and what pytest said there, all at the same time."""
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    assert "TEAR_DOWN_SECONDS = 60" in conftest
    running = []
    for name, body in EVERY.items():
        folder = tmp_path_factory.mktemp("hanging")
        (folder / "conftest.py").write_text(
            conftest.replace("TEAR_DOWN_SECONDS = 60", "TEAR_DOWN_SECONDS = 2"), "utf-8"
        )
        (folder / "test_it.py").write_text(FILE.format(body=body.strip("\n ")), "utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--timeout", str(LIMIT_SECONDS)]
        command += ["--timeout-method", "thread" if name == THREAD else "signal", "test_it.py"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        running.append(
            (name, folder, start(command, cwd=folder, env=environment, text=True, stdout=PIPE, stderr=STDOUT))
        )
    return {name: (folder, process.communicate()[0]) for name, folder, process in running}


def ended(folder: Path) -> bool:
    """Whether the process that a hanging test has started is gone, or goes within seconds."""
    identity = int((folder / "child").read_text(encoding="utf-8"))
    for _ in range(100):
        try:
            os.kill(identity, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("name", HANGING)
def test_a_test_that_hangs_fails_by_name_its_child_is_dead_and_the_run_goes_on(
    name: str, outcomes: dict[str, tuple[Path, str]]
) -> None:
    folder, said = outcomes[name]
    assert "FAILED test_it.py::test_that_hangs" in said
    assert "1 failed, 1 passed" in said
    assert ended(folder)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in HANGING])
def test_what_no_exception_ends_ends_the_run_by_name(name: str, outcomes: dict[str, tuple[Path, str]]) -> None:
    folder, said = outcomes[name]
    assert f"test_it.py::test_that_hangs did not end: its limit is {LIMIT_SECONDS} s" in said
    assert "in test_that_hangs" in said
    assert ended(folder)


def test_a_child_is_dead_after_kill_started_and_after_its_with_block() -> None:
    child = start([sys.executable, "-c", SLEEPER])
    with start([sys.executable, "-c", SLEEPER]) as other:
        pass
    assert other.returncode
    kill_started()
    assert child.wait(30)


def test_a_pool_gives_results_and_its_workers_end() -> None:
    with pool(1) as executor:
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
        (worker,) = executor._processes.values()
    assert not worker.is_alive()
