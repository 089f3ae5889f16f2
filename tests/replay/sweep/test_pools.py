"""Workers beside the sweep: killed at any moment, nothing finished is lost and the same bytes come out."""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest

from tests import processes

ROOT = Path(__file__).parents[3]
DAYS = sorted((ROOT / "fixtures" / "month").glob("*.jsonl.gz"))[:2]
GRID = "rules.daily_realized_loss.loss_limit=200:775:25"
CONFIG = ROOT / "fixtures" / "month" / "limit-400.toml"
RESULTS = 2 * 24
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX systems do")


def words(out: Path, *more: str) -> list[str]:
    days = [str(day) for day in DAYS]
    options = ["--config", str(CONFIG), "--grid", GRID, "--out", str(out), "--quiet", *more]
    return [sys.executable, "-m", "riskcore", "sweep", *days, *options]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder), "LOCALAPPDATA": str(folder)}


def start(folder: Path, name: str, *more: str) -> Any:
    return processes.start(words(folder / name, *more), env=environment(folder), stdout=DEVNULL, stderr=DEVNULL)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of a sweep in one process that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found = processes.run(words(folder / "table.parquet", "--workers", "1"), env=environment(folder))
    assert found.returncode == 0, found.stderr
    assert finished(folder / "cache") == RESULTS
    return (folder / "table.parquet").read_bytes()


def finished(folder: Path) -> int:
    """How many results are kept."""
    return sum(file.read_bytes().count(b"]\n") for file in folder.rglob("*.jsonl"))


def wait_for(folder: Path, count: int, child: Any) -> None:
    until = time.monotonic() + 120
    while finished(folder / "cache") < count and child.poll() is None:
        assert time.monotonic() < until, "no result comes"
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    """The processes that another one started, by what the system says."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = place.read_text().rpartition(")")
            if int(rest.split()[1]) == pid and "spawn_main" in (place.parent / "cmdline").read_text():
                found.append(int(name.partition(" ")[0]))
    return found


def wait_for_workers(child: Any) -> list[int]:
    until = time.monotonic() + 60
    while not (found := children_of(child.pid)):
        assert time.monotonic() < until, "no worker comes"
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@POSIX
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the workers in /proc")
def test_killed_workers_client_and_interrupts_lose_nothing_and_give_the_same_bytes(
    tmp_path: Path, table: bytes
) -> None:
    # A worker is killed: the sweep goes on.
    child = start(tmp_path, "table.parquet", "--workers", "2")
    wait_for(tmp_path, 1, child)
    os.kill(children_of(child.pid)[0], signal.SIGKILL)
    wait_for(tmp_path, 9, child)

    # The sweep is killed: its workers end, and what is finished stays.
    workers = children_of(child.pid)
    child.kill()
    child.wait()
    kept = finished(tmp_path / "cache")
    assert kept >= 9
    until = time.monotonic() + 20
    while any(map(is_alive, workers)):
        assert time.monotonic() < until, "the workers outlive their sweep"
        time.sleep(0.05)
    assert not (tmp_path / "table.parquet").exists()

    # Interrupted: the exit code of an interrupt, no worker left, nothing lost.
    child = start(tmp_path, "table.parquet", "--workers", "2")
    workers = wait_for_workers(child)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(30) in (130, 0)  # 0: it had finished before the signal came.
    assert not any(map(is_alive, workers))
    kept = finished(tmp_path / "cache")

    # To the end: only what was missing is worked out, once.
    child = start(tmp_path, "table.parquet", "--workers", "2")
    assert child.wait(60) == 0
    assert (tmp_path / "table.parquet").read_bytes() == table
    assert kept <= finished(tmp_path / "cache") == RESULTS


@POSIX
def test_a_cluster_of_two_workers_one_killed_gives_the_same_bytes(tmp_path: Path, table: bytes) -> None:
    distributed = pytest.importorskip("distributed")
    scheduler = processes.start(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--port",
            "0",
            "--no-dashboard",
            "--host",
            "127.0.0.1",
            "--scheduler-file",
            str(tmp_path / "scheduler.json"),
        ],
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    until = time.monotonic() + 60
    while not (tmp_path / "scheduler.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
    workers = [
        processes.start(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--local-directory",
                str(tmp_path / f"worker-{number}"),
            ],
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        for number in range(2)
    ]
    with distributed.Client(address) as client:
        client.wait_for_workers(2, timeout=60)
    child = start(tmp_path, "table.parquet", "--cluster", address)
    wait_for(tmp_path, 1, child)
    workers[0].kill()
    assert child.wait(60) == 0
    assert (tmp_path / "table.parquet").read_bytes() == table

    # The whole cluster goes: one sentence, and what is finished stays.
    for file in (tmp_path / "cache").rglob("*.jsonl"):
        file.unlink()
    child = processes.start(
        words(tmp_path / "again.parquet", "--cluster", address),
        env=environment(tmp_path),
        stdout=DEVNULL,
        stderr=PIPE,
        text=True,
    )
    wait_for(tmp_path, 1, child)
    scheduler.kill()
    _, said = child.communicate(timeout=60)
    assert child.returncode == 2, said
    assert said.startswith(f"error: --cluster {address}: ")
    assert said.count("\n") == 1
    assert finished(tmp_path / "cache") >= 1
