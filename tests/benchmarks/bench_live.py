"""The live engine over real sockets on loopback, with a real journal. Medians; everything in one sitting.

python -m tests.benchmarks.bench_live --dir DIR [--samples 100] [--runs 4] [--accounts 1] [--stages] [--quotes 100000]
    [--peer COMMAND] [--postgres]
    DIR on the disk to be judged. COMMAND is the signalr bench of a peer; its rate_median is the burst's yardstick.

latency: from the call that sends a position push to the arrival of the bytes of closeContract at the broker, breach,
command and attempt stored durably in between; RUNS engines with SAMPLES closes each, about as many as the quota of a
minute has room for. --stages says where the time goes. Beside it a bare fdatasync of the same disk: in the same run at
the same pace, which is what a commit meets, and in a tight loop before and after, which a disk likes better.
burst: quotes on the socket until the last of them is folded by all rules and stored durably.
"""

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote as escaped

from adapters.topstepx.credentials import Credentials
from riskcore.core.events import Event, QuotesObserved
from riskcore.core.state import Book
from riskcore.engine.engine import Engine
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from tests.benchmarks.exit_stages import Stages
from tests.postgres_server import PASSWORD, PostgresServer, running_server

_servers: list[PostgresServer] = []  # The one that the journal is kept on, if it is not in a file.

LATENCY_SETTINGS = """
[profile]
name = "bench"
[rules.symbol_blocks]
blocked_symbols = ["MNQ"]
"""
# Every rule is on, and its limit is far away.
BURST_SETTINGS = """
[profile]
name = "bench"
[rules.max_contracts]
limit = 50
[rules.max_contracts_per_instrument]
limits = { MNQ = 50 }
[rules.daily_realized_loss]
loss_limit = "1000000"
basis = "combined"
[rules.daily_unrealized_loss]
loss_limit = "1000000"
[rules.max_unrealized_profit]
profit_target = "1000000"
[rules.trade_frequency_limit]
per_minute = 50
[rules.cooldown_after_loss]
[rules.no_stop_loss_grace]
grace_period_seconds = 300
[rules.auth_loss_guard]
[rules.symbol_blocks]
blocked_symbols = ["NQ"]
[rules.trade_management]
enabled = true
auto_breakeven = { profit_trigger_ticks = 1000000, offset_ticks = 1 }
[rules.daily_realized_profit]
profit_target = "1000000"
"""


class Counter:
    """The announcer of a benchmark: counts the quotes that are stored."""

    def __init__(self, wanted: int) -> None:
        self._missing = wanted
        self.done = asyncio.Event()
        self.at = 0

    def stored(self, events: Sequence[Event], book: Book) -> None:
        for event in events:
            if isinstance(event.body, QuotesObserved):
                self._missing -= len(event.body.quotes)
            elif type(event.body).__name__ == "QuoteObserved":
                self._missing -= 1
        if self._missing <= 0 and not self.at:
            self.at = time.time_ns()
            self.done.set()

    def say(self, kind: str, **figures: Any) -> None:
        """Nobody reads this."""


def percentile(samples: Sequence[float], share: float) -> float:
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def fdatasync_us(folder: Path, count: int = 400) -> list[float]:
    """Microseconds of a small write and its fdatasync."""
    sync = getattr(os, "fdatasync", os.fsync)
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(count):
            start = time.perf_counter_ns()
            os.write(file.fileno(), b"x" * 512)
            sync(file.fileno())
            taken.append((time.perf_counter_ns() - start) / 1000)
    return taken


async def against(folder: Path, settings: str, wanted: int, *words: str) -> tuple[dict[str, Any], Counter]:
    """Run the engine against a raw broker until it has its figures; its last words, and the counter."""
    command = [sys.executable, "-m", "tests.benchmarks.raw_broker", *words]
    broker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert broker.stdout is not None
    try:
        ports = json.loads(await broker.stdout.readline())
        counter, said = Counter(wanted), {}

        async def over(engine: Engine) -> None:
            assert broker.stdout is not None
            said.update(json.loads(await broker.stdout.readline()))
            if wanted:
                await counter.done.wait()

        run = Run(
            settings=read_settings(settings),
            store=new_store(folder),
            broker=Broker(
                f"http://127.0.0.1:{ports['api']}", f"http://127.0.0.1:{ports['rtc']}", Credentials("raw", "raw")
            ),
            enforces=True,
            announcer=counter,
            warn=print,
        )
        await run_live(run, over)
        return said, counter
    finally:
        broker.kill()
        await broker.wait()


def new_store(folder: Path) -> str:
    """An empty one: a file, or a database of the server that was asked for."""
    if _servers:
        return _servers[0].url(_servers[0].new_database(), password=escaped(PASSWORD, safe=""))
    return str(Path(tempfile.mkdtemp(dir=folder)) / "journal.db")


def latency(folder: Path, samples: int, runs: int, accounts: int, stages: Stages | None) -> None:
    tight = fdatasync_us(folder)
    taken: list[float] = []
    firsts: list[float] = []
    syncs: list[float] = []
    for _ in range(runs):
        said, _ = asyncio.run(against(folder, LATENCY_SETTINGS, 0, "latency", str(samples), str(folder), str(accounts)))
        pairs = said["sent_and_arrived_ns"]
        one_run = [(arrived - sent) / 1000 for sent, arrived in pairs]
        firsts, taken = [*firsts, one_run[0]], taken + one_run
        syncs += [one / 1000 for one in said["syncs_ns"]]
        if stages is not None:
            stages.note(pairs)
    tight += fdatasync_us(folder)
    floor, best = percentile(syncs, 0.5), percentile(tight, 0.5)
    print(
        f"fdatasync of the run: p50 {floor:.0f} us, p99 {percentile(syncs, 0.99):.0f} us; tight loop: p50 {best:.0f} us"
    )
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        found = percentile(taken, share)
        print(f"socket to command bytes, durable: {name} {found:.0f} us = {found / floor:.2f} x ({found / best:.2f} x)")
    print(f"the first of each engine: {', '.join(f'{one:.0f}' for one in firsts)} us")
    if stages is not None:
        print(stages.table())


def burst(folder: Path, quotes: int, per_frame: int, peer: list[str]) -> None:
    rates = []
    for _ in range(3):
        said, counter = asyncio.run(against(folder, BURST_SETTINGS, quotes, "burst", str(quotes), str(per_frame)))
        rates.append(quotes / ((counter.at - said["began"]) / 1e9))
    rate = percentile(rates, 0.5)
    print(f"burst, {per_frame} a frame: {rate / 1000:.1f} k quotes/s stored")
    if peer:
        output = subprocess.run(peer, capture_output=True, text=True, check=True).stdout
        bare = json.loads(output.strip().splitlines()[-1])["rate_median"]
        print(f"peer's bare delivery: {bare / 1000:.1f} k/s; ratio {rate / bare:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--quotes", type=int, default=100_000)
    parser.add_argument("--per-frame", type=int, default=1)
    parser.add_argument("--peer", type=shlex.split, default=[])
    parser.add_argument("--only", choices=("latency", "burst"))
    parser.add_argument("--postgres", action="store_true", help="keep the journal on a server of its own")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        if chosen.postgres:
            _servers.append(stack.enter_context(running_server()))
        if chosen.only != "burst":
            latency(chosen.dir, chosen.samples, chosen.runs, chosen.accounts, Stages() if chosen.stages else None)
        if chosen.only != "latency":
            burst(chosen.dir, chosen.quotes, chosen.per_frame, chosen.peer)


if __name__ == "__main__":
    main()
