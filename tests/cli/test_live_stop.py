"""A live engine that is told to stop while the broker does not answer its login."""

import asyncio
from pathlib import Path

from adapters.simulator.faults import Fault
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.core.events import CallObserved
from riskcore.engine.engine import Engine
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests.cli.live_run import Listener, Live, play


def test_a_stop_during_a_login_that_hangs_is_a_stop_in_good_order(tmp_path: Path) -> None:
    struck: list[int] = []

    async def asked_to_stop(engine: Engine) -> None:
        await asyncio.sleep(0.5)

    async def run() -> None:
        async with SimulatedGateway(SCENARIOS["quiet"]) as gateway:
            gateway.inject(Fault("timeout_before", "rest"))
            await run_live(
                Run(
                    settings=read_settings(SCENARIOS["quiet"].settings),
                    store=str(tmp_path / "journal.db"),
                    broker=Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key)),
                    enforces=True,
                    announcer=Listener(),
                    warn=print,
                ),
                asked_to_stop,
            )
            struck.append(gateway.struck("timeout_before", "rest"))
            gateway.clear()

    asyncio.run(run())
    assert struck == [1], "one try of several"
    profile = read_settings(SCENARIOS["quiet"].settings).plain["profile"]["name"]
    with Journal.open(tmp_path / "journal.db", profile) as journal:
        journal.verify_storage()


def test_the_logout_of_an_orderly_stop_is_journaled(tmp_path: Path) -> None:
    async def nothing(live: Live) -> None:
        pass

    play(tmp_path, SCENARIOS["quiet"], nothing, scale=5)
    profile = read_settings(SCENARIOS["quiet"].settings).plain["profile"]["name"]
    with Journal.open(tmp_path / "journal.db", profile) as journal:
        [day] = journal.streams()
        bodies = [event.body for _, event, _ in journal.read(day)]
        journal.verify_storage()
    called = [body.path for body in bodies if isinstance(body, CallObserved)]
    assert "/api/Auth/loginKey" in called
    assert called[-1] == "/api/Auth/logout"
