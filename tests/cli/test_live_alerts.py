"""What reaches the phone when engines die or are started twice, with real processes."""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from adapters.simulator.server import SimulatedGateway
from tests.cli.live_process import started
from tests.cli.test_live_full_disk import MARKET, SETTINGS, Stage
from tests.cli.test_watchdog_command import phone, until


@pytest.mark.nightly
def test_what_was_on_its_way_is_repeated_by_the_next_engine_and_by_no_other(tmp_path: Path) -> None:
    """The phone is out of reach; a second engine is started by mistake; then the first is killed."""

    async def run() -> None:
        answers, store = Event(), tmp_path / "journal.db"
        with phone(answers) as (url, heard):
            settings = f'{SETTINGS}\n[alerts]\nchannels = ["{url}"]\n'

            def repeated() -> list[str]:
                return [row["title"] for row in heard if "(repeated)" in row["title"]]

            async with SimulatedGateway(MARKET, seed=1) as gateway:
                async with started(gateway, tmp_path, store, settings) as first:
                    await first.until(lambda: first.of("ready"), "ready")
                    stage = Stage(gateway, first, tmp_path)
                    await stage.buy()
                    stage.fall()
                    await until(lambda: heard, "the breach")
                    told = (tmp_path / "journal.db.full.alerts").read_bytes()
                    async with started(gateway, tmp_path, store, settings) as second:
                        assert await second.engine.wait() == 4
                    assert repeated() == [], "the first is still trying"
                    assert (tmp_path / "journal.db.full.alerts").read_bytes() == told
                    first.engine.kill()
                    await first.engine.wait()
                answers.set()
                async with started(gateway, tmp_path, store, settings) as third:
                    await until(repeated, "the alert that may have been lost")
                    await third.until(lambda: third.of("ready"), "ready")
                    assert await third.stop() == 0
                async with started(gateway, tmp_path, store, settings) as fourth:
                    await fourth.until(lambda: fourth.of("ready"), "ready")
                    assert await fourth.stop() == 0
        assert len(repeated()) == len(set(repeated())), "once each"
        assert any("RULE-004" in title or "loss" in title.lower() for title in repeated()), heard

    asyncio.run(run())
