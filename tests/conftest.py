"""For every test: its processes end with it, and one that does not end is named.

The time limit is that of pytest-timeout (pyproject.toml, and a marker on the tests that take longer). Its signal raises
in the test, and the run goes on. An event loop may swallow that, a test may wait for something as it is torn down, and
Windows has no such signal: then the whole run is ended here rather than hanging for ever.
"""

import faulthandler
import os
import sys
from collections.abc import Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from pytest_timeout import is_debugging

from tests.processes import kill_all, kill_started

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer

# Text that is no terminal's is wrapped only where somebody says how wide; whoever starts the tests does not mean that.
os.environ.pop("COLUMNS", None)
# The same examples in every run, so that a change is judged by itself; .ci/nightly draws fresh ones.
settings.register_profile("same examples", derandomize=True, deadline=None)
settings.register_profile("fresh examples", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("fresh examples" if os.environ.get("RISKCORE_FRESH_EXAMPLES") else "same examples")

TEAR_DOWN_SECONDS = 60


class _Limit:
    """Of one test, in seconds."""

    def __init__(self, item: pytest.Item, said: float, left: float) -> None:
        self.item, self.said, self.left = item, said, left


class _LastResort(Thread):
    """Ends the run when the time of the test that runs is up. One thread for all: a timer each costs more than most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.limit: _Limit | None = None

    def run(self) -> None:
        pause = Event()  # Counted in pauses: a test may have the clock in its hands.
        while not pause.wait(1):
            limit = self.limit
            if limit is not None:
                limit.left -= 1
                if limit.left <= 0:
                    _end_run(limit.item, limit.said)


_last_resort = _LastResort()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("RISKCORE_NIGHTLY"):
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[PostgresServer]":
    """A real server, for all tests that ask for it; they skip where none can be had."""
    pytest.importorskip("psycopg", reason='the extra "postgres" is not installed')
    from tests.postgres_server import running_server

    with running_server() as server:
        yield server


@pytest.fixture
def postgres_store(
    postgres_server: "PostgresServer", monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The URL of an empty database, whose password is in the environment, for this process and those it starts."""
    from tests.postgres_server import PASSWORD

    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    return postgres_server.url(postgres_server.new_database())


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    by_signal = settings.method == "signal"
    _last_resort.limit = _Limit(item, settings.timeout, settings.timeout + (TEAR_DOWN_SECONDS if by_signal else 0))
    if not _last_resort.is_alive():
        _last_resort.start()
    return None if by_signal else True  # None: pytest-timeout sets its signal as well.


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Iterator[None]:
    try:
        return (yield)
    finally:
        _last_resort.limit = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    kill_started()
    return (yield)


def _end_run(item: pytest.Item, limit_seconds: float) -> None:
    if is_debugging():
        return
    try:
        capture = item.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.suspend_global_capture(in_=True)
        print(f"\n{item.nodeid} did not end: its limit is {limit_seconds:g} s", file=sys.stderr, flush=True)
        faulthandler.dump_traceback(sys.stderr, all_threads=True)
        kill_all()
    finally:
        os._exit(1)
