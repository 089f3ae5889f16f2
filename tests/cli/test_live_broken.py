"""A core that fails on a fill, in a real process: halt, no hand, and the limits act again without that fill."""

import asyncio
from pathlib import Path

import pytest

from adapters.simulator.server import SimulatedGateway
from replay.source import Source
from replay.verify import verify
from riskcore.core.events import FactQuarantined
from riskcore.engine.resume import resume
from riskcore.store.journal import Journal
from tests.cli.live_process import started
from tests.cli.poisoned import PLACES
from tests.cli.test_live_full_disk import MARKET, PROFILE, SETTINGS, Stage


@pytest.mark.parametrize("place", PLACES)
def test_the_engine_starts_again_without_the_fill_and_closes_the_loss(place: str, tmp_path: Path) -> None:
    store = tmp_path / "journal.db"

    async def run() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            module = ("tests.cli.poisoned", place)
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as live:
                await live.until(lambda: live.of("ready"), "ready")
                stage = Stage(gateway, live, tmp_path)
                await stage.buy()
                await live.until(lambda: live.of("halt"), "the halt")
                [halt] = live.of("halt")
                assert (halt["limits_act"], halt["over"]) == (False, False)
                assert [key.partition(":")[0] for key in halt["left_out"]] == ["trade"]
                await live.until(lambda: len(live.of("ready")) == 2, "ready again")
                told = [row["text"] for row in live.of("drift") if "TradeRecorded" in row.get("text", "")]
                assert told, "it says what it goes on without"
                stage.fall()
                await live.until(gateway.broker.flat, "flat")
                assert len(live.of("halt")) == 1
                assert await live.stop() == 0
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as later:
                await later.until(lambda: later.of("ready"), "ready in a later process")
                assert later.of("halt") == []
                assert await later.stop() == 0

    asyncio.run(run())
    for path in tmp_path.glob("*state*"):
        path.unlink()
    with Journal.open(str(store), PROFILE) as journal:
        assert any(isinstance(event.body, FactQuarantined) for event in resume(journal).left_out)
    check = verify(Source(store=str(store), profile=PROFILE))
    assert check.exit_code() == 0, check.result()
