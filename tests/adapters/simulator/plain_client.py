"""A client of the simulated gateway that knows no more than HTTP, WebSocket and JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from adapters.simulator.scenario import PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from tests.adapters.clocks import LoopClock, run_hurried

PATIENCE_SECONDS = 500.0  # Of the gateway's clock: no test waits so long unless it fails.
ACCOUNT = 99_000_001
QUIET = Scenario("quiet", "nobody trades", "", (PricePath("MNQ", "20000"),))
SEPARATOR = "\x1e"
HANDSHAKE = '{"protocol":"json","version":1}' + SEPARATOR
Gone = (aiohttp.ClientError, ConnectionError)


class Hub:
    """One open socket of a hub. Frames are kept as they came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[str] = []
        self._rest = ""
        self._records: list[dict[str, Any]] = []

    async def send(self, text: str) -> None:
        await self.socket.send_str(text)

    async def record(self) -> dict[str, Any]:
        """The next record. Raises ConnectionError when the socket is gone."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._records:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"{message.type.name} {message.data}")
                self.frames.append(message.data)
                *complete, self._rest = (self._rest + message.data).split(SEPARATOR)
                self._records += [json.loads(record) for record in complete]
        return self._records.pop(0)

    async def event(self, *targets: str) -> dict[str, Any]:
        """The next event of one of these names, or of any."""
        while True:
            record = await self.record()
            if record.get("type") == 1 and (not targets or record["target"] in targets):
                return record

    async def of_type(self, kind: int) -> dict[str, Any]:
        while (record := await self.record()).get("type") != kind:
            pass
        return record

    async def invoke(self, method: str, *arguments: Any) -> str | None:
        """Call a method and wait for its completion; its error."""
        called = {"type": 1, "invocationId": method, "target": method, "arguments": list(arguments)}
        await self.send(json.dumps(called) + SEPARATOR)
        error: str | None = (await self.of_type(3)).get("error")
        return error


class Client:
    """A session with its token."""

    def __init__(self, gateway: SimulatedGateway, session: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.session = session
        self.token = ""
        self.contract = ""

    async def open(self) -> None:
        login = {"userName": self.gateway.user_name, "apiKey": self.gateway.api_key}
        self.token = (await self.post("Auth/loginKey", login))["token"]
        contracts = (await self.post("Contract/available", {"live": False}))["contracts"]
        self.contract = next(row["id"] for row in contracts if row["symbolId"] == "F.US.MNQ")

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def request(self, path: str, body: Any) -> tuple[int, str, str]:
        """Status, type and text of an answer."""
        timeout = aiohttp.ClientTimeout(PATIENCE_SECONDS)
        url = f"{self.gateway.api_url}/api/{path}"
        async with self.session.post(url, json=body, headers=self.bearer, timeout=timeout) as answer:
            return answer.status, answer.content_type, await answer.text()

    async def post(self, path: str, body: Any) -> Any:
        status, _, text = await self.request(path, body)
        assert status == 200, (path, status, text)
        return json.loads(text)

    async def buy(self, size: int = 1) -> Any:
        """A market order; its answer."""
        order = {"accountId": ACCOUNT, "contractId": self.contract, "type": 2, "side": 0, "size": size}
        return await self.post("Order/place", order)

    async def bought(self) -> int:
        return self.gateway.broker.position(ACCOUNT, self.contract)

    async def connect(self, place: str = "user") -> Hub:
        """A socket without a handshake."""
        url = f"{self.gateway.rtc_url}/hubs/{place}?access_token={self.token}"
        return Hub(await self.session.ws_connect(url, max_msg_size=0, autoping=True))

    async def hub(self, place: str = "user", *, subscribe: bool = True) -> Hub:
        """A socket that is greeted, and subscribed to everything."""
        hub = await self.connect(place)
        await hub.send(HANDSHAKE)
        assert await hub.record() == {}
        if subscribe and place == "user":
            for method in ("SubscribeOrders", "SubscribePositions", "SubscribeTrades"):
                assert await hub.invoke(method, ACCOUNT) is None
            assert await hub.invoke("SubscribeAccounts") is None
        elif subscribe:
            assert await hub.invoke("SubscribeContractQuotes", self.contract) is None
        return hub

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.gateway.rtc_url}/simulator/{path}", json=body) as answer:
            return await answer.json()


@asynccontextmanager
async def gateway_and_client(**options: Any) -> AsyncIterator[tuple[SimulatedGateway, Client]]:
    """A gateway in the running loop's time on which nobody trades but the test."""
    if "clock" not in options:
        options["clock"] = LoopClock()
    # A connection for each call, so that what happens to one call has nothing to do with the one before.
    async with (
        SimulatedGateway(options.pop("scenario", QUIET), **options) as gateway,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
    ):
        client = Client(gateway, session)
        await client.open()
        yield gateway, client


def play(test: Callable[[SimulatedGateway, Client], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run one test with a gateway of its own, where waiting is fifty times as fast."""

    async def run() -> None:
        async with gateway_and_client(**options) as (gateway, client):
            await test(gateway, client)

    run_hurried(run())
