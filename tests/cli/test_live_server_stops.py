"""A Postgres server that stops and starts again under a running engine: a real server, and a real process."""

import asyncio

import pytest

pytest.importorskip("psycopg", reason='the extra "postgres" is not installed')

from collections.abc import Iterator
from pathlib import Path

from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import RequestAttempted, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of
from riskcore.store.journal import Journal
from riskcore.store.server_lease import LEASE_SECONDS
from tests.cli.live_process import Process, started
from tests.cli.test_live_full_disk import MARKET, PROFILE, SETTINGS, buy
from tests.postgres_server import PASSWORD, PostgresServer, running_server


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """One that no other test uses: it is stopped."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with running_server() as server:
        yield server


def closes(gateway: SimulatedGateway) -> int:
    return [call.path for call in gateway.broker.received].count("Position/closeContract")


def halts(live: Process) -> list[tuple[bool, bool]]:
    return [(row["over"], row["limits_act"]) for row in live.of("halt")]


@pytest.mark.parametrize("how", ["immediate", pytest.param("fast", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("away_seconds", [3, pytest.param(LEASE_SECONDS + 3, marks=pytest.mark.nightly)])
def test_nothing_is_decided_without_the_server_and_limits_act_when_it_is_back(
    own_server: PostgresServer, tmp_path: Path, away_seconds: int, how: str
) -> None:
    store = own_server.url(own_server.new_database())

    async def plot(gateway: SimulatedGateway, live: Process) -> None:
        await live.until(lambda: live.of("ready"), "ready")
        buy(gateway)
        await asyncio.sleep(1)
        await asyncio.to_thread(own_server.stop, how)
        await live.until(lambda: halts(live) == [(False, False)], "the halt is told")
        told = live.of("halt")[0]
        assert "LIMITS DO NOT ACT ANY MORE" in told["text"]
        assert str(own_server.port) in told["reason"]
        assert PASSWORD not in str(live.said)
        gateway.steer(gateway.broker.active_contract("MNQ"), price_of("20960"), SECOND_NS)
        await asyncio.sleep(away_seconds)
        assert closes(gateway) == 0
        assert live.of("breach") == []
        await asyncio.to_thread(own_server.start)
        # Begun again from the journal, the loss is judged anew: decided, stored, and only then sent.
        await live.until(gateway.broker.flat, "flat when limits act again")
        await live.until(lambda: len(live.of("ready")) == 2 and live.of("outcome"), "ready again, and all is told")
        assert halts(live)[-1] == (True, False)
        assert closes(gateway) == 1
        assert await live.stop() == 0

    async def run() -> None:
        async with (
            SimulatedGateway(MARKET, seed=1) as gateway,
            started(gateway, tmp_path, store, SETTINGS) as live,
        ):
            await plot(gateway, live)

    asyncio.run(run())
    with Journal.open(store, PROFILE) as journal:
        journal.verify_storage()
        bodies = [event.body for day in journal.streams() for _, event, _ in journal.read(day)]
    assert sum(isinstance(one, RequestAttempted) and "/closeContract/" in one.request for one in bodies) == 1
    assert sum(isinstance(one, RuleBreached) for one in bodies) == 1
