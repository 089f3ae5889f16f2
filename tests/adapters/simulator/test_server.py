"""The simulated gateway as a client sees it when nothing is wrong: REST, negotiation, both hubs, shutting down."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from adapters.simulator.scenario import API_KEY, USER_NAME
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.fields import decode
from adapters.topstepx.normalise import normalise
from riskcore.core.events import WireRejected
from riskcore.errors import GatewayError
from tests.adapters.clocks import LoopClock, ScaledClock, run_hurried
from tests.adapters.simulator.plain_client import ACCOUNT, HANDSHAKE, QUIET, SEPARATOR, Client, Hub, play


def test_rest_answers_logins_and_asks_for_the_token() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        assert (await client.post("Account/search", {"onlyActiveAccounts": True}))["accounts"][0]["id"] == ACCOUNT
        client.token = ""
        status, _, _ = await client.request("Account/search", {"onlyActiveAccounts": True})
        assert status == 401
        refused = await client.post("Auth/loginKey", {"userName": USER_NAME, "apiKey": API_KEY + "x"})
        assert refused["success"] is False
        assert refused["errorCode"] == 3
        async with client.session.get(f"{gateway.api_url}/api/Status/ping") as answer:
            assert await answer.json() == "pong"

    play(test)


@pytest.mark.parametrize(
    ("path", "body", "status"), [("Order/place", "{", 400), ("Nothing/here", "{}", 404), ("Auth/loginKey", "{}", 400)]
)
def test_rest_refuses_what_it_cannot_read(path: str, body: str, status: int) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        url = f"{gateway.api_url}/api/{path}"
        async with client.session.post(url, data=body, headers=client.bearer) as answer:
            assert answer.status == status

    play(test)


def test_negotiation_gives_a_connection_that_can_be_opened_once() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        for version, key in ((0, "connectionId"), (1, "connectionToken")):
            url = f"{gateway.rtc_url}/hubs/user/negotiate?negotiateVersion={version}"
            async with client.session.post(url, headers=client.bearer) as answer:
                negotiated = await answer.json()
            assert negotiated["negotiateVersion"] == version
            assert negotiated["availableTransports"] == [{"transport": "WebSockets", "transferFormats": ["Text"]}]
            url = f"{gateway.rtc_url}/hubs/user?id={negotiated[key]}"
            hub = Hub(await client.session.ws_connect(url, headers=client.bearer))
            await hub.send(HANDSHAKE)
            assert await hub.record() == {}
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.session.ws_connect(url, headers=client.bearer)
            assert refused.value.status == 404

    play(test)


@pytest.mark.parametrize("place", ["user", "market"])
def test_a_hub_wants_the_token(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        client.token = "nobody's"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.connect(place)
        assert refused.value.status == 401
        async with client.session.post(f"{gateway.rtc_url}/hubs/{place}/negotiate", headers=client.bearer) as answer:
            assert answer.status == 401

    play(test)


@pytest.mark.parametrize(
    "said", ['{"protocol":"messagepack","version":1}', '{"protocol":"json","version":2}', "hello", "[]"]
)
def test_a_handshake_that_is_none_is_answered_with_an_error(said: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.connect()
        await hub.send(said + SEPARATOR)
        assert (await hub.record())["error"]
        with pytest.raises(ConnectionError):
            await hub.record()

    play(test)


def test_records_may_be_cut_up_and_joined_by_the_client() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.connect()
        called = json.dumps({"type": 1, "invocationId": "7", "target": "SubscribeAccounts", "arguments": []})
        for part in (HANDSHAKE[:5], HANDSHAKE[5:] + called[:9], called[9:] + SEPARATOR + '{"type":6}' + SEPARATOR):
            await hub.send(part)
        assert await hub.record() == {}
        assert await hub.record() == {"type": 3, "invocationId": "7", "result": None}

    play(test)


@pytest.mark.parametrize(
    ("place", "method", "arguments", "error"),
    [
        ("user", "SubscribeAccounts", [], None),
        ("user", "SubscribeOrders", [ACCOUNT], None),
        ("user", "UnsubscribeOrders", [ACCOUNT], None),
        ("market", "SubscribeContractMarketDepth", ["CON.F.US.MNQ.Z26"], None),
        ("user", "SubscribeAccounts", [ACCOUNT], "Failed to invoke"),
        ("user", "SubscribeOrders", [], "Failed to invoke"),
        ("user", "SubscribeOrders", [str(ACCOUNT)], "Failed to invoke"),
        ("user", "SubscribeOrders", [True], "Failed to invoke"),
        ("market", "SubscribeContractQuotes", [5], "Failed to invoke"),
        ("market", "SubscribeOrders", [ACCOUNT], "Unknown hub method"),
        ("user", "Orders", [ACCOUNT], "Unknown hub method"),
        ("user", "SubscribeNothing", [], "Unknown hub method"),
    ],
)
def test_methods_complete_or_say_what_is_wrong(
    place: str, method: str, arguments: list[Any], error: str | None
) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place, subscribe=False)
        answer = await hub.invoke(method, *arguments)
        assert answer is None if error is None else answer is not None and answer.startswith(error)

    play(test)


def test_a_trade_is_told_on_the_user_hub_to_everyone_who_subscribed() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        first, second = await client.hub(), await client.hub()
        other = await client.hub(subscribe=False)
        assert await other.invoke("SubscribeOrders", ACCOUNT + 1) is None
        answer = await client.buy(2)
        assert answer["success"] is True
        for hub in (first, second):
            found: set[str] = set()
            while found != {"GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition", "GatewayUserAccount"}:
                event = await hub.event()
                assert set(event["arguments"][0]) == {"action", "data"}
                facts = normalise(decode(json.dumps({**event, "hub": "user"}).encode()).value, 1)
                assert facts
                assert not any(isinstance(fact.body, WireRejected) for fact in facts)
                found.add(event["target"])
        assert await other.of_type(6) == {"type": 6}

    play(test)


def test_quotes_come_until_they_are_unsubscribed() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub("market")
        quote = await hub.event("GatewayQuote")
        assert quote["arguments"][0] == client.contract
        assert quote["arguments"][1]["symbol"] == "F.US.MNQ"
        assert await hub.invoke("UnsubscribeContractQuotes", client.contract) is None
        hub.frames.clear()
        await hub.of_type(6)
        assert not any("GatewayQuote" in frame for frame in hub.frames)

    play(test)


def test_pings_come_and_a_client_that_says_nothing_is_dropped() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(subscribe=False)
        opened = gateway.now()
        await hub.of_type(6)
        assert gateway.now() - opened > 14e9
        with pytest.raises(ConnectionError):
            await hub.of_type(-1)
        assert gateway.now() - opened > 29e9
        assert not gateway.hubs["user"].connections

    play(test)


def test_a_client_that_pings_stays() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(subscribe=False)
        for _ in range(5):
            await hub.send('{"type":6}' + SEPARATOR)
            await hub.of_type(6)
        assert len(gateway.hubs["user"].connections) == 1

    play(test)


def test_the_end_is_announced() -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            async with SimulatedGateway(QUIET, clock=LoopClock()) as gateway:
                client = Client(gateway, session)
                await client.open()
                hub = await client.hub(subscribe=False)
                reading = asyncio.create_task(hub.of_type(7))
                await asyncio.sleep(0)
            assert await reading == {"type": 7, "allowReconnect": True}
            with pytest.raises(aiohttp.ClientError):
                await client.request("Account/search", {})

    run_hurried(run())


def test_a_port_that_is_taken_is_an_error_that_names_it() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        port = int(gateway.rtc_url.rpartition(":")[2])
        with pytest.raises(GatewayError, match=f"port {port} "):
            async with SimulatedGateway(QUIET, port=port):
                pass

    play(test)


def test_the_brokers_time_runs_as_fast_as_it_is_told() -> None:
    clock = ScaledClock(1)

    async def test(gateway: SimulatedGateway, client: Client) -> None:
        # The broker's clock is read first and last: a pause of this process between two readings is in its part.
        broker_before, before = gateway.now(), clock.now()
        await clock.sleep(0.05)
        elapsed = clock.now() - before
        assert (gateway.now() - broker_before) >= 100 * elapsed * 0.9
        assert gateway.now() >= 1_700_000_000_000_000_000

    play(test, clock=clock, speed=100, at=1_700_000_000_000_000_000)


def test_what_a_client_sees_is_handed_to_the_recorder() -> None:
    lines: list[tuple[int, dict[str, Any]]] = []

    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub, market = await client.hub(), await client.hub("market")
        await client.buy()
        await hub.event("GatewayUserTrade")
        await market.event("GatewayQuote")

    play(test, record=lambda at, line: lines.append((at, line)))
    assert [at for at, _ in lines] == sorted(at for at, _ in lines)
    seen = [line.get("rest") or line.get("target") or line.get("connection") for _, line in lines]
    assert seen[:4] == ["user", "market", "/api/Account/search", "/api/Contract/available"]
    assert {"/api/Order/place", "GatewayUserOrder", "GatewayUserTrade", "GatewayQuote"} <= set(seen)
    assert not any("Auth" in str(name) for name in seen)
    assert not any(isinstance(fact.body, WireRejected) for at, line in lines for fact in normalise(line, at))
