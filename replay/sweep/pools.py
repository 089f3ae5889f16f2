"""Where the tasks of a sweep are worked out: in this process, in processes beside it, or on a dask cluster.

A worker that is killed loses nothing but the task in hand, which is given to another. A worker whose sweep is gone
ends by itself, and Ctrl-C is the sweep's alone.
"""

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import Any, Protocol

from replay.sweep.outcome import Outcome
from replay.sweep.work import Task, work
from riskcore.errors import ConfigError, RiskcoreError

# How often one task may lose its worker before something must be wrong with the task.
MOST_LOSSES = 3
CONNECT_SECONDS = 10
Results = Iterator[tuple[Task, list[list[Outcome]]]]


class Pool(Protocol):
    """Works tasks out, in whatever order; so many `at_once`."""

    at_once: int

    def results(self, tasks: Iterable[Task]) -> Results:
        """Each task with what came of it, as soon as it is there; tasks are only taken as they are needed."""
        ...


class ThisProcess:
    """One task after another, without a process beside."""

    at_once = 1

    def results(self, tasks: Iterable[Task]) -> Results:
        for task in tasks:
            yield task, work(task)


class Workers:
    """Tasks in other processes. `start` gives what runs them, again after it has broken."""

    def __init__(self, start: Callable[[], Executor], at_once: int) -> None:
        self._start, self.at_once = start, at_once
        self._losses = 0

    def results(self, tasks: Iterable[Task]) -> Results:
        executor = self._start()
        waiting: dict[Future[list[list[Outcome]]], Task] = {}
        source = iter(tasks)
        while _filled(waiting, source, 2 * self.at_once, partial(_submitted, executor)):
            lost: list[Task] = []
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                task = waiting.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(task)
                    continue
                self._losses = 0
                yield task, result
            if lost:
                executor, waiting = self._again(executor, [*lost, *waiting.values()])

    def _again(self, broken: Executor, tasks: list[Task]) -> tuple[Executor, dict[Future[list[list[Outcome]]], Task]]:
        """A worker was killed, and its pool with it: a new one takes the tasks over."""
        self._losses += 1
        if self._losses > MOST_LOSSES:
            raise RiskcoreError(
                f"worker processes ended {self._losses} times without a result; is there memory enough? --workers 1 "
                "works in this process; what is finished is kept"
            )
        broken.shutdown(wait=False, cancel_futures=True)
        executor = self._start()
        return executor, {_submitted(executor, task): task for task in tasks}


def _submitted(executor: Executor, task: Task) -> Future[list[list[Outcome]]]:
    try:
        return executor.submit(work, task)
    except BrokenProcessPool as error:
        failed: Future[list[list[Outcome]]] = Future()
        failed.set_exception(error)
        return failed


@contextmanager
def local_workers(count: int) -> Iterator[Pool]:
    """Processes on this machine, or this one alone. All of them are gone afterwards, whatever happens.

    Raises ConfigError for a number of processes that there cannot be.
    """
    if not isinstance(count, int) or count < 1:
        raise ConfigError(f"--workers {count}: must be a whole number from 1")
    if count == 1:
        yield ThisProcess()
        return
    started: list[ProcessPoolExecutor] = []
    spawned = _Spawned()

    def start() -> Executor:
        started.append(ProcessPoolExecutor(count, spawned, initializer=_begin))
        return started[-1]

    try:
        yield Workers(start, count)
    finally:
        for pool in started:
            pool.shutdown(wait=False, cancel_futures=True)
        for process in spawned.processes:
            if process.pid is not None:  # It was started.
                process.kill()


class _Spawned(SpawnContext):
    """Starts processes anew, as on Windows and macOS: a copy of a process with threads may hang.

    It keeps those it has started: a program that sweeps may have others of its own, which must not be killed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        self.processes.append(SpawnProcess(*args, **kwargs))
        return self.processes[-1]


def _begin() -> None:
    """In a new worker: Ctrl-C is for the sweep, and without the sweep there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class OnCluster:
    """The workers of a dask cluster, which gives the task of a lost worker to another by itself."""

    def __init__(self, address: str, client: Any, at_once: int) -> None:
        self._address, self._client, self.at_once = address, client, at_once

    def results(self, tasks: Iterable[Task]) -> Results:
        from distributed import wait as wait_for

        waits: Any = wait_for
        with _named(self._address):
            waiting: dict[Any, Task] = {}
            source = iter(tasks)
            room, submit = 2 * self.at_once, partial(self._client.submit, work, pure=False)
            while _filled(waiting, source, room, submit):
                for future in waits(list(waiting), return_when="FIRST_COMPLETED").done:
                    yield waiting.pop(future), future.result()


def _filled(waiting: dict[Any, Task], source: Iterator[Task], room: int, submit: Callable[[Task], Any]) -> bool:
    """Submit tasks while there is room; whether anything is waited for."""
    while len(waiting) < room and (task := next(source, None)) is not None:
        waiting[submit(task)] = task
    return bool(waiting)


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """The workers of a dask cluster. Raises ConfigError where there is none, or this installation has no dask."""
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError("--cluster needs the extra: install riskcore[cluster]") from None
    with _named(address):
        connect: Any = Client
        client = connect(address, timeout=CONNECT_SECONDS)
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ConfigError(f"--cluster {address}: it has no workers; start some with: dask worker {address}")
        yield OnCluster(address, client, threads)
    finally:
        with suppress(Exception):
            client.close(timeout=1)


@contextmanager
def _named(address: str) -> Iterator[None]:
    """What goes wrong with a cluster as one sentence."""
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    # It would write tracebacks of its own beside that.
    for name in [one for one in logging.root.manager.loggerDict if one.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    except (CancelledError, FutureCancelledError):
        text = "the connection to it was lost"
    except KilledWorker:
        text = "a task lost its worker again and again; is there memory enough?"
    except ImportError as error:
        text = f"its workers cannot import {error.name or 'riskcore'}; install the same version there"
    except OSError as error:
        text = f"cannot be reached: {' '.join(str(error).split())[:100] or type(error).__name__}"
    except ValueError as error:
        text = f"not an address of a scheduler: {' '.join(str(error).split())[:100]}"
    else:
        return
    raise ConfigError(f"--cluster {address}: {text}; what is finished is kept")
