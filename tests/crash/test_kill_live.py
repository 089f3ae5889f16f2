"""`riskcore live` killed at any instant, fifty times, against a gateway that goes on without it.

What it had told was stored, what it had begun is finished by the next start, and nothing is done twice.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import CommandIssued, RequestAttempted, RequestPlanned, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.store.journal import Journal

ROOT = Path(__file__).parents[2]
KILLS = 5  # In each of the ten runs below.
PLOTS = (
    "daily-loss",
    "reopening-bot",
    "runaway-position",
    "scaling-in",
    "fast-bot",
    "two-accounts",
    "partial-fills",
    "no-stop",
    "open-loss",
    "entries-resting",
)
FINISH_SECONDS = 90
AT_A_TIME = 5
PROFILE = "simulated"  # As the settings of the scenarios name it.


def environment(gateway: SimulatedGateway) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PROJECT_X_USERNAME": gateway.user_name,
        "PROJECT_X_API_KEY": gateway.api_key,
        "RISKCORE_API_URL": gateway.api_url,
        "RISKCORE_RTC_URL": gateway.rtc_url,
    }


async def start(gateway: SimulatedGateway, folder: Path) -> asyncio.subprocess.Process:
    words = ["live", "--json", "--store", str(folder / "journal.db"), "--config", str(folder / "riskcore.toml")]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "riskcore",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(gateway),
        cwd=folder,
    )


async def told_until(engine: asyncio.subprocess.Process, seconds: float) -> list[dict[str, Any]]:
    """What it printed, whole lines only, until it is killed."""
    assert engine.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            await engine.wait()
    except TimeoutError:
        engine.kill()
    output, complaint = await engine.communicate()
    assert engine.returncode == -9 or os.name == "nt", complaint.decode()
    return [json.loads(line) for line in output.decode().split("\n")[:-1]]


async def story(plot: str, folder: Path) -> tuple[SimulatedGateway, list[dict[str, Any]]]:
    chance = random.Random(plot)
    told: list[dict[str, Any]] = []
    scenario = SCENARIOS[plot]
    async with SimulatedGateway(scenario, seed=3) as gateway:
        ends_at = gateway.now() + (scenario.seconds + 3) * SECOND_NS
        for _ in range(KILLS):
            told += await told_until(await start(gateway, folder), chance.uniform(0.8, 5.5))
        engine = await start(gateway, folder)
        begun = asyncio.get_running_loop().time()
        quiet_for = 0
        while quiet_for < 3:
            assert asyncio.get_running_loop().time() - begun < FINISH_SECONDS, "it did not become flat"
            await asyncio.sleep(1)
            over = gateway.now() > ends_at
            quiet_for = quiet_for + 1 if over and gateway.broker.flat() else 0
        engine.terminate()
        output, complaint = await engine.communicate()
        assert engine.returncode == 0 or os.name == "nt", complaint.decode()
        told += [json.loads(line) for line in output.decode().split("\n")[:-1]]
        return gateway, told


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, SimulatedGateway, list[dict[str, Any]]]]:
    """All runs, several at a time: most of their time is waiting."""
    folders = {plot: tmp_path_factory.mktemp(plot) for plot in PLOTS}

    async def every() -> dict[str, tuple[Path, SimulatedGateway, list[dict[str, Any]]]]:
        room = asyncio.Semaphore(AT_A_TIME)

        async def one(plot: str, folder: Path) -> tuple[Path, SimulatedGateway, list[dict[str, Any]]]:
            async with room:
                return folder, *await story(plot, folder)

        for plot, folder in folders.items():
            (folder / "riskcore.toml").write_text(SCENARIOS[plot].settings, encoding="utf-8")
        found = await asyncio.gather(*(one(plot, folder) for plot, folder in folders.items()))
        return dict(zip(folders, found, strict=True))

    return asyncio.run(every())


@pytest.mark.parametrize("plot", PLOTS)
def test_killed_at_any_instant_it_finishes_what_it_began(
    plot: str, stories: dict[str, tuple[Path, SimulatedGateway, list[dict[str, Any]]]]
) -> None:
    folder, gateway, told = stories[plot]
    with Journal.open(folder / "journal.db", PROFILE) as journal:
        journal.verify_storage()
        stored = [event for day in journal.streams() for _, event, _ in journal.read(day)]
    bodies = [event.body for event in stored]
    breaches = {body.id for body in bodies if isinstance(body, RuleBreached)}
    commands = [body.id for body in bodies if isinstance(body, CommandIssued)]
    attempts = [body.request for body in bodies if isinstance(body, RequestAttempted)]
    assert {row["id"] for row in told if row["type"] == "breach"} <= breaches, "what it told is stored"
    assert {row["id"] for row in told if row["type"] == "command"} <= set(commands)
    assert len(commands) == len(set(commands)), "one command, once"
    assert len(attempts) == len(set(attempts)), "each attempt is one of its own"
    asking = {body.request for body in bodies if isinstance(body, RequestPlanned) and body.kind == "takeSnapshot"}
    acting = [request for request in attempts if request not in asking]
    assert len(gateway.broker.received) <= len(acting), "nothing left that was not stored first"
    again = subprocess.run(
        [sys.executable, "-m", "riskcore", "verify", "--store", str(folder / "journal.db")],
        capture_output=True,
        env=environment(gateway),
        check=False,
    )
    assert again.returncode == 0, again.stdout.decode() + again.stderr.decode()
