"""From a start on a small journal to enforcement, with a real process. The figures are printed; see them with `-s`."""

import asyncio
import sys
from pathlib import Path

from adapters.simulator.server import SimulatedGateway
from tests import processes
from tests.cli.live_process import ROOT, Process, started
from tests.cli.test_live_full_disk import MARKET, SETTINGS, Stage


def figures(process: Process) -> str:
    """Each kind of line and when the first of it was read, in seconds from the start of the process."""
    first = {row["type"]: process.seconds_to(row["type"]) for row in process.said}
    return ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in first.items())


def test_a_loss_made_while_no_engine_ran_is_closed_by_the_next_start(tmp_path: Path) -> None:
    async def run() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            async with started(gateway, tmp_path, tmp_path / "journal.db", SETTINGS) as first:
                await first.until(lambda: first.of("ready"), "ready")
                await Stage(gateway, first, tmp_path).buy()
                first.engine.kill()
                await first.engine.wait()
            Stage(gateway, first, tmp_path).fall()
            await asyncio.sleep(3)
            async with started(gateway, tmp_path, tmp_path / "journal.db", SETTINGS) as second:
                await second.until(lambda: second.of("request"), "enforced")
                await second.until(gateway.broker.flat, "flat")
                await second.until(lambda: second.of("ready"), "ready")
            print(f"first start: {figures(first)}")
            print(f"restart: {figures(second)}")
            # That nothing was seen while no engine ran is no news; a hub that does not connect would be.
            lost = [row for row in second.said if "hub is lost" in str(row.get("text")) or row.get("state") == "lost"]
            assert lost == [], lost

    asyncio.run(run())


def test_a_start_on_a_real_account_does_not_load_the_simulated_gateway() -> None:
    code = "import sys, riskcore.cli.live_options; print([one for one in sys.modules if 'simulator' in one])"
    loaded = processes.run([sys.executable, "-c", code], text=True, cwd=ROOT).stdout
    assert loaded.strip() == "[]"
