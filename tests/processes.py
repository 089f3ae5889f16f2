"""Child processes of tests. Whatever a test starts here is dead when the test ends, also when it fails or times out.

tests/conftest.py calls `kill_started` after each test; tests/tidy/test_processes.py looks that nobody starts a process
in another way.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import Any, Protocol


class _Process(Protocol):
    """What subprocess and asyncio call a process."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def kill(self) -> None: ...


_started: list[_Process] = []


class _Child(subprocess.Popen[Any]):
    """Killed at the end of its with block; Popen itself would wait for it, without end when the block failed."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _kill(self)
        super().__exit__(kind, error, trace)


def start(words: Sequence[str | os.PathLike[str]], **options: Any) -> subprocess.Popen[Any]:
    """subprocess.Popen."""
    child = _Child(words, start_new_session=True, **options)
    _started.append(child)
    return child


def run(words: Sequence[str | os.PathLike[str]], **options: Any) -> subprocess.CompletedProcess[Any]:
    """subprocess.run with captured output and without a check of the exit code."""
    with start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as child:
        output, errors = child.communicate()
    return subprocess.CompletedProcess(child.args, child.returncode, output, errors)


async def start_async(*words: str, **options: Any) -> asyncio.subprocess.Process:
    """asyncio.create_subprocess_exec."""
    child = await asyncio.create_subprocess_exec(*words, start_new_session=True, **options)
    _started.append(child)
    return child


@contextmanager
def pool(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Worker processes, by default one for each core. One that hangs is not waited for at the end."""
    before = active_children()
    # Started afresh, not forked: the same on every system, and no lock of the parent is inherited.
    executor = ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield executor
    finally:
        for worker in active_children():
            if worker not in before:
                worker.kill()
        executor.shutdown(cancel_futures=True)


def kill_started() -> None:
    """Kill what `start`, `run` and `start_async` have started and what still runs of it."""
    while _started:
        _kill(_started.pop())


def kill_all() -> None:
    """Kill the workers of pools, too: no test goes on after this."""
    kill_started()
    for worker in active_children():
        worker.kill()


def _kill(process: _Process) -> None:
    """Kill a process with all that it has started itself."""
    finished = process.poll() if isinstance(process, subprocess.Popen) else process.returncode
    if finished is not None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()  # Windows knows no groups that could be killed; no test starts more than one deep there.
