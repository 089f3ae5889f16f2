"""`riskcore fetch` as a process: stopped in the middle, exit codes, what it prints (INTERFACE.md 1, 6)."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.simulator.scenario import PastDays
from adapters.simulator.server import SimulatedGateway
from riskcore.cli.main import run
from tests import processes
from tests.cli.fetched import ACCOUNT, scenario
from tests.cli.live_process import environment

Stop = Callable[[asyncio.subprocess.Process], None]


def days_ago(count: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=count)).isoformat()


RANGE = ("--from", days_ago(30), "--to", days_ago(3), "--unit", "hour")
HISTORY = ("Trade/search", "Order/search", "Order/v2/query", "History/retrieveBars")


async def fetch(
    gateway: SimulatedGateway, folder: Path, out: str, *words: str, stop: Stop | None = None, after: int = 0
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; `stop` is done to it after so many questions for history."""
    begun = asked(gateway)
    process = await processes.start_async(
        *(sys.executable, "-m", "riskcore", "fetch", *RANGE, "--out", str(folder / out), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(gateway, folder),
        cwd=folder,
    )
    while stop is not None and process.returncode is None:
        if asked(gateway) - begun >= after:
            stop(process)
            break
        await asyncio.sleep(0.005)
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def asked(gateway: SimulatedGateway) -> int:
    return sum(call.path.removeprefix("/api/") in HISTORY for call in gateway.rest.calls)


def recordings(folder: Path, out: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / out).glob("*") if path.is_file()}


@pytest.mark.timeout(600)
def test_stopped_anywhere_it_goes_on_and_writes_the_bytes_of_an_undisturbed_run(tmp_path: Path) -> None:
    """Ctrl-C, then kill -9, each in the middle; nothing is asked for twice and no file is half there."""

    async def use() -> None:
        async with SimulatedGateway(scenario(past=(PastDays(25),)), latency_seconds=0.03) as gateway:
            code, output, _ = await fetch(gateway, tmp_path, "undisturbed", "--json")
            assert (code, json.loads(output)["schema"]) == (0, "riskcore.fetch/1")
            whole = asked(gateway)
            assert recordings(tmp_path, "undisturbed")

            began = asked(gateway)
            code, _, errors = await fetch(
                gateway, tmp_path, "days", stop=lambda process: process.send_signal(signal.SIGINT), after=5
            )
            assert code == 130
            assert "the same command goes on from there" in errors
            code, _, _ = await fetch(gateway, tmp_path, "days", stop=lambda process: process.kill(), after=5)
            assert code == -signal.SIGKILL
            assert recordings(tmp_path, "days") == {}
            code, output, _ = await fetch(gateway, tmp_path, "days", "--json")
            assert code == 0
            assert json.loads(output)["questions"]["kept"] >= 8
            # What was under way when it was stopped may be asked for again: one question each time.
            assert asked(gateway) - began <= whole + 2
            assert recordings(tmp_path, "days") == recordings(tmp_path, "undisturbed")

    asyncio.run(use())


@pytest.mark.timeout(600)
def test_what_a_person_reads(tmp_path: Path) -> None:
    async def use() -> None:
        async with SimulatedGateway(scenario()) as gateway:
            code, output, errors = await fetch(gateway, tmp_path, "days", "--account", str(ACCOUNT))
            assert code == 0
            assert f"{ACCOUNT} PRAC-V2-99000001" in output
            assert "the prices give the broker's P&L of all of them" in output
            assert "questions asked, 0 answered by what was already here" in output
            assert "Traceback" not in errors
            code, _, errors = await fetch(gateway, tmp_path, "days", "--account", "12")
            assert (code, "there are: 99000001" in errors) == (2, True)

    asyncio.run(use())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--from", "2026-11-03", "--to", "2026-11-02"], 2, "is later than --to"),
        (["--from", "2026-11-31", "--to", "2026-12-02"], 2, "write it as YYYY-MM-DD"),
        (["--from", "2026-11-02", "--to", "2026-11-03", "--unit", "week"], 2, "'week' is not one of"),
        (["--from", "2026-11-02", "--to", "2026-11-03", "--unit-number", "0"], 2, "0 is not in the range"),
        (["--from", "2026-11-02", "--to", "2026-11-03", "--api-url", "http://example.com"], 2, "in clear"),
        (["--from", "2026-11-02", "--to", "2026-11-03"], 5, "no login"),
    ],
)
def test_words_that_are_wrong(
    words: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PROJECT_X_USERNAME", "PROJECT_X_API_KEY", "RISKCORE_API_URL"):
        monkeypatch.delenv(name, raising=False)
    if "http://example.com" in words:
        monkeypatch.setenv("PROJECT_X_USERNAME", "u")
        monkeypatch.setenv("PROJECT_X_API_KEY", "k")
    monkeypatch.setattr("adapters.topstepx.credentials._stored", lambda: None)
    assert run(["fetch", *words, "--out", "days"]) == code
    errors = capfd.readouterr().err
    assert says in errors
    assert len(errors.strip().splitlines()) <= 3
