"""`riskcore live` killed at any instant, fifty times, against a gateway that goes on without it.

What it had told was stored, what it had begun is finished by the next start, and nothing is done twice.
"""

import asyncio
import os
import random
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from adapters.simulator.scenario import PricePath, Scenario
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import CommandIssued, Event, RequestAttempted, RequestPlanned, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import StoreError
from riskcore.schema.instants import instant_text
from riskcore.store.journal import Journal
from tests import processes
from tests.cli.live_process import ROOT, Process, started

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer

KILLS = 5 if os.environ.get("RISKCORE_NIGHTLY") else 3  # In each of the ten runs below.
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
# Patience, which a run that succeeds never uses up, however busy the machine is.
FINISH_SECONDS, STOP_SECONDS = 240, 60
# A start takes a second of one core; the rest of a run is waiting.
AT_A_TIME = len(PLOTS)
LONGEST_LIFE_SECONDS = 4.0  # From the first word on; another one in three dies before it, while it starts.
QUIET_LOOKS, LOOK_SECONDS = 5, 0.5
PROFILE = "simulated"  # As the settings of the scenarios name it.
LAST_EVENTS = 25


@dataclass
class Story:
    """A plot with its kills. `failure` says what went wrong while it ran."""

    plot: str
    folder: Path
    store: str
    kills: int = KILLS
    runs: list[Process] = field(default_factory=list)
    sent: int = 0  # Calls that may change something, as the broker counts them.
    failure: str = ""

    @property
    def told(self) -> list[dict[str, Any]]:
        return [row for run in self.runs for row in run.said]

    def stored(self) -> list[Event]:
        with Journal.open(self.store, PROFILE) as journal:
            journal.verify_storage()
            # What the broker said is kept with what came of it, whole, whenever the process died.
            assert [lines for day in journal.streams() for _, lines in journal.messages(day)]
            return [event for day in journal.streams() for _, event, _ in journal.read(day)]

    def __str__(self) -> str:
        """For whoever has to find out what happened."""
        try:
            last = [f"  {instant_text(one.at)} {one.source} {one.body!r:.300}" for one in self.stored()[-LAST_EVENTS:]]
        except StoreError as error:
            last = [f"  {error}"]
        runs = [
            f"  start {number}: exit code {run.engine.returncode}, {len(run.said)} lines\n{run.complaint.strip()}"
            for number, run in enumerate(self.runs, 1)
        ]
        return "\n".join([f"\n{self.plot} {self.failure}", "starts:", *runs, "the journal ends with:", *last])


async def killed_at_some_time(run: Process, chance: random.Random) -> None:
    """Now and then while it starts, else within seconds of its first word, on a slow machine as well."""
    if chance.random() < 1 / 3:
        await asyncio.sleep(chance.uniform(0.3, 1.5))
    else:
        await run.until(lambda: run.said, "its first word")
        await asyncio.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
    with suppress(ProcessLookupError):
        run.engine.kill()
    async with asyncio.timeout(STOP_SECONDS):
        await run.engine.wait()


async def flat_at_the_end(gateway: SimulatedGateway, scenario: Scenario, run: Process) -> None:
    """Everything of the plot has happened; the engine sees the accounts, and nothing is held or works for a while."""
    lasts = max([scenario.flat_by or scenario.seconds, *(action.second + 3 for action in scenario.actions)])
    quiet_for = 0
    async with asyncio.timeout(FINISH_SECONDS):
        while quiet_for < QUIET_LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
            began_at = gateway.broker.began_at
            over = began_at is not None and gateway.now() > began_at + round(lasts * SECOND_NS)
            ready = any(row["type"] == "ready" for row in run.said)
            quiet_for = quiet_for + 1 if over and ready and gateway.broker.flat() else 0


def staying(scenario: Scenario) -> Scenario:
    """The same plot whose prices stay where they go farthest: a start that takes long must not come too late for it."""

    def until_farthest(path: PricePath) -> PricePath:
        away = [abs(float(target) - float(path.start)) for _, target in path.targets]
        farthest = away.index(max(away)) if away else 0
        return replace(path, targets=path.targets[: farthest + 1])

    return replace(scenario, prices=tuple(until_farthest(path) for path in scenario.prices))


async def live_through(story: Story) -> None:
    chance = random.Random(story.plot)
    scenario = staying(SCENARIOS[story.plot])
    async with SimulatedGateway(scenario, seed=3) as gateway:
        for last in [False] * story.kills + [True]:
            async with started(gateway, story.folder, story.store, scenario.settings) as run:
                story.runs.append(run)
                if last:
                    await flat_at_the_end(gateway, scenario, run)
                    async with asyncio.timeout(STOP_SECONDS):
                        await run.stop()
                else:
                    await killed_at_some_time(run, chance)
        story.sent = len(gateway.broker.received)


pytestmark = pytest.mark.timeout(1800)  # All stories are lived through before the first is judged.


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    folders = {plot: tmp_path_factory.mktemp(plot) for plot in PLOTS}
    return lived_through([Story(plot, folder, str(folder / "journal.db")) for plot, folder in folders.items()])


@pytest.fixture(scope="module")
def stories_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: "PostgresServer"
) -> dict[str, Story]:
    from tests.postgres_server import PASSWORD

    def store() -> str:
        return postgres_server.url(postgres_server.new_database(), password=quote(PASSWORD, safe=""))

    nightly = bool(os.environ.get("RISKCORE_NIGHTLY"))
    plots, kills = (PLOTS, KILLS) if nightly else (PLOTS[:1], 1)
    return lived_through([Story(plot, tmp_path_factory.mktemp(plot), store(), kills) for plot in plots])


def lived_through(stories: Iterable[Story]) -> dict[str, Story]:
    """All runs at the same time: most of their time is waiting."""
    found = {story.plot: story for story in stories}

    async def every() -> None:
        room = asyncio.Semaphore(AT_A_TIME)

        async def one(story: Story) -> None:
            async with room:
                try:
                    await live_through(story)
                except Exception:
                    # One story that fails must not hide what became of the others.
                    story.failure = traceback.format_exc()

        await asyncio.gather(*(one(story) for story in found.values()))

    asyncio.run(every())
    return found


@pytest.mark.parametrize("plot", PLOTS)
def test_killed_at_any_instant_it_finishes_what_it_began(plot: str, stories: dict[str, Story]) -> None:
    judge(stories[plot])


@pytest.mark.parametrize("plot", [PLOTS[0], *(pytest.param(plot, marks=pytest.mark.nightly) for plot in PLOTS[1:])])
def test_killed_at_any_instant_it_finishes_what_it_began_on_postgres(
    plot: str, stories_on_postgres: dict[str, Story]
) -> None:
    judge(stories_on_postgres[plot])


def judge(story: Story) -> None:
    assert not story.failure, str(story)
    *killed, stopped = story.runs
    on_windows = os.name == "nt"  # Where ending a process is always killing it.
    assert len(killed) == story.kills
    assert all(run.engine.returncode == -9 or on_windows for run in killed), str(story)
    assert stopped.engine.returncode == 0 or on_windows, str(story)
    bodies = [event.body for event in story.stored()]
    breaches = {body.id for body in bodies if isinstance(body, RuleBreached)}
    commands = [body.id for body in bodies if isinstance(body, CommandIssued)]
    attempts = [body.request for body in bodies if isinstance(body, RequestAttempted)]
    assert {row["id"] for row in story.told if row["type"] == "breach"} <= breaches, f"told and not stored\n{story}"
    assert {row["id"] for row in story.told if row["type"] == "command"} <= set(commands), str(story)
    assert len(commands) == len(set(commands)), f"one command, once\n{story}"
    assert len(attempts) == len(set(attempts)), f"each attempt is one of its own\n{story}"
    asking = {body.request for body in bodies if isinstance(body, RequestPlanned) and body.kind == "takeSnapshot"}
    acting = [request for request in attempts if request not in asking]
    assert story.sent <= len(acting), f"nothing left that was not stored first\n{story}"
    again = processes.run(
        [sys.executable, "-m", "riskcore", "verify", "--store", story.store],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert again.returncode == 0, f"{again.stdout.decode()}{again.stderr.decode()}\n{story}"


def test_what_was_interrupted_was_worth_it(stories: dict[str, Story]) -> None:
    """On a slow machine a trader may be done before riskcore has seen him, though not in all plots."""
    broken = [any(isinstance(event.body, RuleBreached) for event in story.stored()) for story in stories.values()]
    assert sum(broken) >= len(PLOTS) - 2
