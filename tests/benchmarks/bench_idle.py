"""What the live engine costs while nothing happens: a position of one contract, quoted at an unchanged price.

python -m tests.benchmarks.bench_idle --dir DIR [--seconds 60] [--quotes-per-second 1] [--screen]
    DIR on a real disk: the journal is written there. --screen: as `riskcore live --screen` shows itself (no Windows).

The simulated gateway runs in this process, the engine in one of its own, whose processor time (user and system, all
threads) is read when it has settled and again at the end. Calls are counted by the gateway's log. A call is scheduled
when it belongs to the look at the broker's lists once a minute, and nothing else is asked in a day of that kind.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.simulator.rest_server import Call
from adapters.simulator.scenario import Action, PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.cli.live_text import Printer
from riskcore.cli.screen.screen import LiveScreen
from riskcore.cli.screen.source import JournalSource, Place
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import SystemClock
from riskcore.engine.engine import Engine
from riskcore.engine.snapshot_schedule import PERIOD_NS
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from tests.benchmarks.bench_live import BURST_SETTINGS

SETTLE_SECONDS = 15.0
# One look at an account asks each of these once (adapters.topstepx.snapshot).
LOOK = frozenset({"Account/search", "Position/searchOpen", "Order/v2/query", "Order/search", "Trade/search"})


def quiet(quotes_per_second: int) -> Scenario:
    path = PricePath("MNQ", "21000", noise_ticks=0, quotes_per_second=quotes_per_second)
    return Scenario(
        "quiet", "One contract, and nothing happens.", BURST_SETTINGS, (path,), actions=(Action(2, "market"),)
    )


def unscheduled(calls: list[Call], seconds: float) -> Counter[str]:
    """The calls beyond one look a period, by path."""
    looks = int(seconds * SECOND_NS // PERIOD_NS) + 1
    counts = Counter(call.path.removeprefix("/api/") for call in calls)
    return Counter({path: count for path, count in counts.items() if path not in LOOK or count > looks})


async def measure(folder: Path, seconds: float, quotes_per_second: int, screen: bool) -> None:
    async with SimulatedGateway(quiet(quotes_per_second)) as gateway:
        result = Path(tempfile.mkdtemp(dir=folder)) / "result.json"
        command = [sys.executable, "-m", "tests.benchmarks.bench_idle", "--dir", str(folder), "--seconds", str(seconds)]
        environment = {**os.environ, "IDLE": json.dumps([gateway.api_url, gateway.rtc_url, str(result)])}
        output, end = _terminal() if screen else (None, lambda: None)
        child = await asyncio.create_subprocess_exec(*command, env=environment, stdin=output, stdout=output)
        assert await child.wait() == 0
        end()
        found = json.loads(result.read_text(encoding="utf-8"))
        calls = [call for call in gateway.rest.calls if found["began"] <= call.at < found["ended"]]
        share = found["cpu_seconds"] / ((found["ended"] - found["began"]) / SECOND_NS)
        print(f"idle for {seconds:g} s{', with the screen' if screen else ''}: {100 * share:.2f} % of one core")
        print(f"quotes stored {found['quotes']}, REST calls {len(calls)}:", end=" ")
        print(
            ", ".join(
                f"{call.path.removeprefix('/api/')} at {(call.at - found['began']) / 1e9:.0f} s" for call in calls
            )
        )
        print(f"unscheduled calls: {dict(unscheduled(calls, seconds)) or 'none'}")


def _terminal() -> tuple[int, Callable[[], None]]:
    """A terminal that shows nothing to anybody, and what ends it."""
    import pty

    shown, written = pty.openpty()

    def drain() -> None:
        try:
            while os.read(shown, 65_536):
                pass
        except OSError:
            return

    threading.Thread(target=drain, daemon=True).start()
    return written, lambda: os.close(written)


def engine(folder: Path, seconds: float, api_url: str, rtc_url: str, result: Path) -> None:
    """The process that is measured."""

    async def over(engine: Engine) -> None:
        while not engine.ready:
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_SECONDS)
        assert any(account.held() for account in engine.judged())
        stored, spent, began = engine.writer.stored, time.process_time(), time.time_ns()
        await asyncio.sleep(seconds)
        figures = {"cpu_seconds": time.process_time() - spent, "began": began, "ended": time.time_ns()}
        result.write_text(json.dumps({**figures, "quotes": engine.writer.stored - stored}), encoding="utf-8")

    clock, settings, store = (
        SystemClock(),
        read_settings(BURST_SETTINGS),
        str(Path(tempfile.mkdtemp(dir=folder)) / "j.db"),
    )
    screen = None
    if sys.stdout.isatty():
        source = JournalSource(Place(store, settings.plain["profile"]["name"], "enforcing"))
        screen = LiveScreen(source, ask=lambda request: "")
    with closing(Printer(clock, screen=screen, quiet=True)) as printer:
        run = Run(
            settings=settings,
            store=store,
            broker=Broker(api_url, rtc_url, Credentials(SimulatedGateway.user_name, SimulatedGateway.api_key)),
            enforces=True,
            announcer=printer,
            warn=lambda text: None,
            clock=clock,
        )
        asyncio.run(run_live(run, over))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--quotes-per-second", type=int, default=1)
    parser.add_argument("--screen", action="store_true")
    chosen = parser.parse_args()
    if "IDLE" in os.environ:
        api_url, rtc_url, result = json.loads(os.environ["IDLE"])
        engine(chosen.dir, chosen.seconds, api_url, rtc_url, Path(result))
    else:
        asyncio.run(measure(chosen.dir, chosen.seconds, chosen.quotes_per_second, chosen.screen))


if __name__ == "__main__":
    main()
