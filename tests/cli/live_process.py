"""`riskcore live` as a process of its own, against a simulated gateway in this one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from adapters.simulator.server import SimulatedGateway
from tests import processes

ROOT = Path(__file__).parents[2]
# Patience, which a test that succeeds never uses up, however busy the machine is.
PATIENCE_SECONDS = 120
Row = dict[str, Any]


@dataclass
class Process:
    """A started engine: what it has said so far, each line with when it was read (seconds of `monotonic`)."""

    engine: asyncio.subprocess.Process
    started_at: float
    said: list[Row] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)
    complaint: str = ""

    def of(self, kind: str) -> list[Row]:
        return [row for row in self.said if row["type"] == kind]

    def seconds_to(self, kind: str, **figures: Any) -> float:
        """From the start of the process to its first line of a kind."""
        found = (
            at
            for row, at in zip(self.said, self.heard_at, strict=True)
            if row["type"] == kind and figures.items() <= row.items()
        )
        return next(found) - self.started_at

    async def until(self, holds: Callable[[], Any], what: str) -> None:
        end = monotonic() + PATIENCE_SECONDS
        while not holds():
            ended = self.engine.returncode
            assert ended is None, f"the engine ended with {ended} before {what}: {self.complaint} {self.said[-3:]}"
            assert monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}; {self.said[-3:]}"
            await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """In good order; the exit code."""
        with suppress(ProcessLookupError):
            self.engine.terminate()
        return await self.engine.wait()

    async def listen(self) -> None:
        assert self.engine.stdout is not None
        async for line in self.engine.stdout:
            if line.endswith(b"\n"):
                self.heard_at.append(monotonic())
                self.said.append(json.loads(line))

    async def hear_complaints(self) -> None:
        assert self.engine.stderr is not None
        async for line in self.engine.stderr:
            self.complaint += line.decode(errors="replace")


def environment(gateway: SimulatedGateway, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PROJECT_X_USERNAME": gateway.user_name,
        "PROJECT_X_API_KEY": gateway.api_key,
        "RISKCORE_API_URL": gateway.api_url,
        "RISKCORE_RTC_URL": gateway.rtc_url,
        "XDG_DATA_HOME": str(folder / "data"),
    }


@asynccontextmanager
async def started(
    gateway: SimulatedGateway,
    folder: Path,
    store: Path | str,
    settings: str,
    *words: str,
    module: tuple[str, ...] = ("riskcore",),
) -> AsyncIterator[Process]:
    """An engine on a store; killed at the end if it still runs. `folder` is where this user's data lies."""
    config = folder / "riskcore.toml"
    config.write_text(settings, encoding="utf-8")
    command = ["live", "--json", "--store", str(store), "--config", str(config), *words]
    at = monotonic()
    engine = await processes.start_async(
        sys.executable,
        "-m",
        *module,
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(gateway, folder),
        cwd=folder,
    )
    process = Process(engine, at)
    readers = [asyncio.create_task(process.listen()), asyncio.create_task(process.hear_complaints())]
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            engine.kill()
        await engine.wait()
        await asyncio.gather(*readers)
