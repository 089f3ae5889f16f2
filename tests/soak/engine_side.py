"""`riskcore live` of a soak in a process of its own: python -m tests.soak.engine_side HOURS FOLDER ADDRESSES [--trace]

ADDRESSES is the first line of the gateway's side. Prints one line an hour with what it holds, and at the end what it
did; with --trace also where the memory came from that was added in the last day.
"""

import argparse
import asyncio
import gc
import json
import socket
import tracemalloc
from collections.abc import Sequence
from io import TextIOBase
from pathlib import Path
from typing import Any

from adapters.topstepx.credentials import Credentials
from riskcore.cli.live_text import Printer
from riskcore.core import project
from riskcore.engine.control_client import ask
from riskcore.engine.engine import Engine
from riskcore.errors import RiskcoreError
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from tests.adapters.clocks import HurriedLoop
from tests.soak.gateway_side import say
from tests.soak.measures import container_sizes, process_measures
from tests.soak.shared_time import Follower
from tests.soak.week import PROFILE, SETTINGS, each_hour, week_clock

_FRAMES, _SHOWN, _DAY_HOURS = 6, 25, 24
# Eight in life: they would fill all through the run, and what grows without end could not be told from them.
_DAYS_OF_FIGURES_KEPT = 2


async def live(hours: int, folder: Path, where: dict[str, Any], trace: bool) -> None:
    loop = asyncio.get_running_loop()
    clock = week_clock(where["began_seconds"])
    store = str(folder / "journal.db")
    printer = Printer(clock, as_json=True, stream=_Nowhere())
    figures = {"starts": 0, "events": 0}
    traced: list[tracemalloc.Snapshot] = []

    async def asked(hour: int) -> None:
        await asyncio.to_thread(_ask, store)

    async def measured(engine: Engine) -> None:
        figures["starts"] += 1

        def end(hour: int) -> None:
            say({**process_measures(loop), **container_sizes({"engine": engine, "printer": printer})})
            figures["events"] = engine.writer.stored
            if trace and hour in (hours - 1 - _DAY_HOURS, hours - 1):
                gc.collect()
                traced.append(tracemalloc.take_snapshot())

        await each_hour(clock, hours, asked, end)

    await run_live(
        Run(
            settings=read_settings(SETTINGS),
            store=store,
            broker=Broker(where["api_url"], where["rtc_url"], Credentials(where["user_name"], where["api_key"])),
            enforces=True,
            announcer=printer,
            warn=lambda text: None,
            config_path=folder / "riskcore.toml",
            clock=clock,
        ),
        measured,
    )
    printer.close()
    say({**figures, "traced": _added(traced)})


def _added(snapshots: Sequence[tracemalloc.Snapshot]) -> list[str]:
    if not snapshots:
        return []
    found = snapshots[-1].compare_to(snapshots[0], "traceback")
    return ["\n".join([str(one), *one.traceback.format()]) for one in found[:_SHOWN]]


def _ask(store: str) -> None:
    """What a trader's commands ask of the running engine."""
    for question in ("status", "health", "portfolio", "price"):
        try:
            ask(store, PROFILE, {"ask": question, "contract": "MNQ"})
        except RiskcoreError:
            # While the broker is lost there may be no price; that it was asked is what counts.
            continue


class _Nowhere(TextIOBase):
    """Where the lines of a week go."""

    def write(self, text: str) -> int:
        return len(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.engine_side")
    parser.add_argument("hours", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("where", type=json.loads)
    parser.add_argument("--trace", action="store_true")
    chosen = parser.parse_args()
    if chosen.trace:
        tracemalloc.start(_FRAMES)
    assert project.DAYS_OF_FIGURES_KEPT > _DAYS_OF_FIGURES_KEPT
    project.DAYS_OF_FIGURES_KEPT = _DAYS_OF_FIGURES_KEPT
    link = socket.create_connection(("127.0.0.1", chosen.where["time_port"]))
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(selector=Follower(link))) as runner:
        runner.run(live(chosen.hours, chosen.folder, chosen.where, chosen.trace))


if __name__ == "__main__":
    main()
