"""Clients that others wrote take the simulated gateway for the broker: Microsoft's own for JavaScript, and pysignalr.

Each runs as a process of its own. Skipped where it is not installed: `npm install --prefix tests/conformance`, and
`pip install pysignalr`.
"""

import asyncio
import importlib.util
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.server import SimulatedGateway
from riskcore.engine.clock import SystemClock
from tests.adapters.simulator.plain_client import ACCOUNT, Client, gateway_and_client
from tests.processes import start_async

HERE = Path(__file__).parent
NODE = shutil.which("node")
PATIENCE_SECONDS = 60
WAYS = ("negotiated", "direct")
USER_EVENTS = {"GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition", "GatewayUserAccount"}
SUBSCRIPTIONS = (
    *(f"Subscribe{feed}={ACCOUNT}" for feed in ("Orders", "Positions", "Trades")),
    "SubscribeAccounts",
)

CLIENTS = [
    pytest.param(
        (NODE, str(HERE / "client.cjs")),
        id="microsoft",
        marks=pytest.mark.skipif(
            NODE is None or not (HERE / "node_modules" / "@microsoft" / "signalr").is_dir(),
            reason="node or @microsoft/signalr is not installed",
        ),
    ),
    pytest.param(
        (sys.executable, str(HERE / "client_pysignalr.py")),
        id="pysignalr",
        marks=pytest.mark.skipif(importlib.util.find_spec("pysignalr") is None, reason="pysignalr is not installed"),
    ),
]
Command = tuple[str, str]


class Happenings:
    """What a client prints, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def next(self, *happened: str) -> dict[str, Any]:
        """The next of these. Fails when the client ends before."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := await self._process.stdout.readline():
                said: dict[str, Any] = json.loads(line)
                assert said["happened"] != "failed", said
                if said["happened"] in happened:
                    return said
            pytest.fail(f"the client ended: {(await self._process.stderr.read()).decode()[-2000:]}")

    async def user_events(self) -> None:
        """One of each event of the user hub, with the fields of the broker."""
        missing = set(USER_EVENTS)
        while missing:
            said = await self.next(*missing)
            missing.remove(said["happened"])
            row = said["what"][0]["data"]
            assert ACCOUNT in (row["id"], row.get("accountId"))


@asynccontextmanager
async def running(
    command: Command, gateway: SimulatedGateway, client: Client, *words: str
) -> AsyncIterator[Happenings]:
    """A client that was started; `words` are hub, way and subscriptions."""
    place, *rest = words
    process = await start_async(
        *command,
        f"{gateway.rtc_url}/hubs/{place}",
        client.token,
        *rest,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Happenings(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def subscribed_to_all(gateway: SimulatedGateway) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(len(one.subscriptions) == len(SUBSCRIPTIONS) for one in gateway.hubs["user"].connections):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", CLIENTS)
def test_user_events_come_before_and_after_a_reconnect(command: Command, way: str) -> None:
    async def run() -> None:
        async with (
            gateway_and_client(clock=SystemClock()) as (gateway, client),
            running(command, gateway, client, "user", way, *SUBSCRIPTIONS) as happenings,
        ):
            await subscribed_to_all(gateway)
            await client.buy()
            await happenings.user_events()
            # pysignalr ends itself when a close tells an error, whatever the server allows.
            ending = "dropped" if command[1].endswith(".py") else "server_close"
            (first,) = gateway.hubs["user"].connections
            gateway.inject(Fault(ending, "user", times=1))
            await happenings.next("reconnecting")
            await first.ended.wait()
            await subscribed_to_all(gateway)
            await client.buy()
            await happenings.user_events()

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", CLIENTS)
def test_quotes_come(command: Command, way: str) -> None:
    async def run() -> None:
        async with gateway_and_client(clock=SystemClock()) as (gateway, client):
            words = ("market", way, f"SubscribeContractQuotes={client.contract}")
            async with running(command, gateway, client, *words) as happenings:
                said = await happenings.next("GatewayQuote")
                assert said["what"][0] == client.contract
                assert said["what"][1]["symbol"] == "F.US.MNQ"

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", CLIENTS)
def test_the_error_of_a_completion_is_told(command: Command, way: str) -> None:
    async def run() -> None:
        async with gateway_and_client(clock=SystemClock()) as (gateway, client):
            words = ("market", way, "SubscribeContractQuotes=5", f"SubscribeContractQuotes={client.contract}")
            async with running(command, gateway, client, *words) as happenings:
                assert "SubscribeContractQuotes" in (await happenings.next("refused"))["what"]

    asyncio.run(run())
