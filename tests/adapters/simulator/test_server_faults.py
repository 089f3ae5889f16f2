"""Every fault on command, as a client of the simulated gateway sees it; fifty times as fast as in reality."""

import asyncio
import json
from dataclasses import fields
from pathlib import Path

import aiohttp
import pytest

from adapters.simulator.execution import Execution
from adapters.simulator.faults import FAULTS, HTTP_STATUSES, Fault, fault_of, places_of
from adapters.simulator.scenario_closes import CLOSES
from adapters.simulator.server import SimulatedGateway
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError
from tests.adapters.simulator.plain_client import ACCOUNT, HANDSHAKE, SEPARATOR, Client, Gone, Hub, play


async def unanswered(client: Client) -> None:
    """An order that gets no answer within 30 seconds of the gateway's clock."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.buy(), 30)


async def gone(hub: Hub) -> None:
    """The socket ends, whatever it still says before that."""
    with pytest.raises(ConnectionError):
        await hub.of_type(-1)


async def nothing_comes(hub: Hub, seconds: float = 20) -> None:
    """Not even a ping, for so many seconds of the gateway's clock."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            pytest.fail(f"came: {await hub.record()}")


# ---- hubs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", HUBS)
@pytest.mark.parametrize("name", ["html_with_200", *(f"http_{status}" for status in HTTP_STATUSES if status != 400)])
def test_an_attempt_to_connect_meets_it_once(place: str, name: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place, subscribe=False)
        gateway.inject(Fault(name, place, times=1))
        await gone(hub)
        with pytest.raises(Gone) as met:
            await client.connect(place)
        if name.startswith("http_"):
            assert isinstance(met.value, aiohttp.WSServerHandshakeError)
            assert met.value.status == int(name.removeprefix("http_"))
        assert gateway.struck(name, place) == 1
        await client.hub(place)
        assert len(gateway.hubs[place].attempts) == 3

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_refused_on_a_hub_until_it_is_cleared(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place, subscribe=False)
        gateway.inject(Fault("refused", place))
        await gone(hub)
        for _ in range(2):
            with pytest.raises(Gone):
                await client.connect(place)
        assert gateway.struck("refused", place) >= 2
        await client.hub("market" if place == "user" else "user")
        gateway.clear()
        await client.hub(place)

    play(test)


@pytest.mark.parametrize("place", HUBS)
@pytest.mark.parametrize("name", ["timeout_before", "half_open"])
def test_an_attempt_to_connect_is_not_answered(place: str, name: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(name, place))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(15):
                await client.connect(place)
        gateway.clear(place)
        await client.hub(place)

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_negotiation_meets_the_same(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("http_429", place, retry_after_seconds=7))
        url = f"{gateway.rtc_url}/hubs/{place}/negotiate"
        async with client.session.post(url, headers=client.bearer) as answer:
            assert answer.status == 429
            assert answer.headers["Retry-After"] == "7"

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_handshake_error(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("handshake_error", place, times=1))
        hub = await client.connect(place)
        await hub.send(HANDSHAKE)
        assert await hub.record() == {"error": "Handshake was canceled."}
        await gone(hub)
        await client.hub(place)

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_dropped(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        other = await client.hub("market" if place == "user" else "user")
        gateway.inject(Fault("dropped", place, times=1))
        await gone(hub)
        assert hub.socket.close_code == 1006
        await client.hub(place)
        assert await other.of_type(6)

    play(test)


@pytest.mark.parametrize("place", HUBS)
@pytest.mark.parametrize("name", ["half_open", "silent"])
def test_a_connection_that_is_dead_without_saying_so(place: str, name: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault(name, place, times=1))
        await hub.send('{"type":6}' + SEPARATOR)
        while hub._records:
            hub._records.pop()
        await nothing_comes(hub)
        assert await (await client.hub(place)).of_type(6)

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_silent_accepts_new_connections(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("silent", place))
        hub = await client.hub(place, subscribe=False)
        await nothing_comes(hub)

    play(test)


@pytest.mark.parametrize("place", HUBS)
@pytest.mark.parametrize(("name", "again"), [("server_close", True), ("server_close_final", False)])
def test_server_close(place: str, name: str, again: bool) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault(name, place, times=1))
        record = await hub.of_type(7)
        assert record["allowReconnect"] is again
        assert record["error"] == "Connection closed with an error."
        await gone(hub)
        assert hub.socket.close_code == 1000
        await client.hub(place)

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_gateway_logout_ends_the_subscriptions(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("gateway_logout", place, times=1))
        await hub.event("GatewayLogout")
        await client.buy()
        assert await hub.record() == {"type": 6}

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_oversize_frame(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("oversize_frame", place, times=1, size_bytes=3_000_000))
        event = await hub.event("GatewayOversize")
        assert len(event["arguments"][0]) == 3_000_000
        await client.buy()
        assert await hub.event()

    play(test)


def test_duplicated() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("duplicated", "user", only="GatewayUserTrade", times=1))
        await client.buy()
        assert await hub.event("GatewayUserTrade") == await hub.event("GatewayUserTrade")
        assert gateway.struck("duplicated", "user") == 1

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_reordered(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("reordered", place))
        if place == "market":
            times = [(await hub.event("GatewayQuote"))["arguments"][1]["timestamp"] for _ in range(10)]
            assert times != sorted(times)
            return
        await client.buy()
        statuses = [(await hub.event("GatewayUserOrder"))["arguments"][0]["data"]["status"] for _ in range(2)]
        assert len(statuses) == 2
        assert gateway.struck("reordered", "user") >= 1

    play(test)


def test_the_last_message_is_not_kept_for_ever_by_reordered() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("reordered", "user", only="GatewayUserTrade"))
        await client.buy()
        assert await hub.event("GatewayUserTrade")

    play(test)


@pytest.mark.parametrize("seconds", [1, 30, 120])
def test_delayed_messages_come_late_and_in_order_while_pings_come(seconds: int) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("delayed", "user", seconds=seconds))
        began = gateway.now()
        await client.buy()
        pings, statuses = 0, []
        while len(statuses) < 2:
            record = await hub.record()
            await hub.send('{"type":6}' + SEPARATOR)
            pings += record == {"type": 6}
            if record.get("target") == "GatewayUserOrder":
                statuses.append(record["arguments"][0]["data"]["status"])
        assert gateway.now() - began >= seconds * SECOND_NS
        assert pings >= seconds // 15 - 1
        assert statuses == [6, 2]

    play(test)


def test_clearing_lets_delayed_messages_come_at_once() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("delayed", "user", seconds=10_000))
        await client.buy()
        while gateway.struck("delayed", "user") < 4:
            await asyncio.sleep(0.5)
        gateway.clear()
        assert await hub.event("GatewayUserTrade")

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_slow(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("slow", place, seconds=5))
        began = gateway.now()
        await client.buy()
        for _ in range(3):
            await hub.record()
        assert gateway.now() - began >= 10 * SECOND_NS

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_split_at_every_character(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("split", place))
        await client.buy()
        # A quote sent just before the fault may come whole.
        while sum(len(frame) == 1 for frame in hub.frames) <= 50:
            assert await hub.record()

    play(test)


@pytest.mark.parametrize("place", HUBS)
def test_two_records_in_a_frame(place: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub(place)
        gateway.inject(Fault("two_records_in_a_frame", place, times=1))
        await client.buy()
        while not any(frame.count(SEPARATOR) == 2 for frame in hub.frames):
            await hub.record()
        assert gateway.struck("two_records_in_a_frame", place) == 1

    play(test)


def test_fills_missing_on_the_hub_are_in_rest() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("fills_missing", "user"))
        await client.buy()
        await hub.event("GatewayUserPosition")
        await hub.of_type(6)
        assert not any("GatewayUserTrade" in frame for frame in hub.frames)
        asked = {"accountId": ACCOUNT, "startTimestamp": "2026-01-01T00:00:00Z"}
        assert len((await client.post("Trade/search", asked))["trades"]) == 1

    play(test)


def test_a_frozen_market_still_pings() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub("market")
        gateway.inject(Fault("market_frozen", "market", lasts_seconds=40))
        frozen_at = gateway.now()
        hub.frames.clear()
        await hub.of_type(6)
        await hub.send('{"type":6}' + SEPARATOR)
        await hub.event("GatewayQuote")
        assert gateway.now() - frozen_at >= 40 * SECOND_NS

    play(test)


# ---- REST ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", HTTP_STATUSES)
@pytest.mark.parametrize("processed", [False, True])
def test_an_http_status_instead_of_an_answer(status: int, processed: bool) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(f"http_{status}", "rest", times=1, processed=processed, only="/api/Order/place"))
        assert (await client.post("Account/search", {"onlyActiveAccounts": True}))["success"]
        order = {"accountId": ACCOUNT, "contractId": client.contract, "type": 2, "side": 0, "size": 1}
        assert (await client.request("Order/place", order))[0] == status
        assert len(gateway.broker.received) == processed
        assert (await client.buy())["success"] is True

    play(test)


@pytest.mark.parametrize("seconds", [None, 3])
def test_too_many_requests_with_and_without_retry_after(seconds: int | None) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("http_429", "rest", only="/api/Account/", retry_after_seconds=seconds))
        async with client.session.post(f"{gateway.api_url}/api/Account/search", headers=client.bearer) as answer:
            assert answer.status == 429
            assert answer.headers.get("Retry-After") == (None if seconds is None else str(seconds))
        assert (await client.buy())["success"] is True

    play(test)


def test_a_page_of_html_with_status_200() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("html_with_200", "rest"))
        status, kind, text = await client.request("Account/search", {"onlyActiveAccounts": True})
        assert (status, kind) == (200, "text/html")
        assert text.startswith("<!DOCTYPE html>")

    play(test)


@pytest.mark.parametrize(("name", "success"), [("error_code", False), ("success_with_error_code", True)])
def test_error_codes(name: str, success: bool) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(name, "rest", error_code=6))
        answer = await client.buy()
        assert (answer["success"], answer["errorCode"]) == (success, 6)
        assert await client.bought() == int(success)

    play(test)


def test_an_ambiguous_error_code_of_a_call_that_was_carried_out() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("error_code", "rest", error_code=6, processed=True))
        assert (await client.buy())["success"] is False
        assert await client.bought() == 1

    play(test)


@pytest.mark.parametrize(
    ("name", "carried_out"),
    [("timeout_before", False), ("timeout_after", True), ("silent", False), ("half_open", False)],
)
def test_a_call_without_an_answer(name: str, carried_out: bool) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(name, "rest", times=1))
        await unanswered(client)
        assert len(gateway.broker.received) == carried_out
        assert gateway.rest.calls[-1].fault == name
        assert (await client.buy())["success"] is True

    play(test)


@pytest.mark.parametrize(("name", "carried_out"), [("dropped", False), ("answer_lost", True)])
def test_the_connection_is_lost_over_a_call(name: str, carried_out: bool) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(name, "rest", times=1))
        with pytest.raises(Gone):
            await client.buy()
        assert len(gateway.broker.received) == carried_out

    play(test)


def test_the_order_of_a_call_is_pushed_before_its_answer_is_lost() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        gateway.inject(Fault("answer_lost", "rest", times=1))
        lost = asyncio.create_task(client.buy())
        await hub.event("GatewayUserOrder")
        assert not lost.done()
        with pytest.raises(Gone):
            await lost

    play(test, latency_seconds=4)


def test_a_refused_rest_port_is_closed_and_opened_again() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("refused", "rest"))
        for _ in range(2):
            with pytest.raises(aiohttp.ClientConnectorError):
                await client.buy()
        assert gateway.struck("refused", "rest") == 1
        assert not gateway.broker.received
        await client.hub()
        gateway.clear("rest")
        async with asyncio.timeout(250):
            while True:
                try:
                    assert (await client.buy())["success"] is True
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.5)

    play(test)


@pytest.mark.parametrize("name", ["delayed", "slow", "split"])
def test_an_answer_that_takes_its_time_is_whole(name: str) -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault(name, "rest", seconds=5, times=1))
        began = gateway.now()
        answer = await client.buy()
        assert answer["success"] is True
        assert gateway.struck(name, "rest") == 1
        if name != "split":
            assert gateway.now() - began >= 5 * SECOND_NS

    play(test)


# ---- the board and the control endpoints ---------------------------------------------------------------


def test_every_fault_is_described_and_has_a_place() -> None:
    for name, description in FAULTS.items():
        assert description
        assert all(Fault(name, place).name == name for place in places_of(name))


@pytest.mark.parametrize(
    "written",
    [
        {"name": "nonsense", "place": "user"},
        {"name": "dropped", "place": "nowhere"},
        {"name": "fills_missing", "place": "market"},
        {"name": "dropped"},
        {"name": "dropped", "place": "user", "often": 1},
        {"name": "delayed", "place": "user", "seconds": "long"},
        {"name": "refused", "place": "rest", "times": 1},
    ],
)
def test_what_is_no_fault_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        fault_of(written)


def test_a_fault_lasts_as_long_as_it_is_told() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        gateway.inject(Fault("http_500", "rest", lasts_seconds=10))
        assert (await client.request("Account/search", {}))[0] == 500
        while gateway.faults.strike("rest", ("http_500",), "/api/x") is not None:
            await asyncio.sleep(1)
        assert (await client.post("Account/search", {"onlyActiveAccounts": True}))["success"]

    play(test)


def test_another_process_can_command_faults_and_read_the_state() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        hub = await client.hub()
        fault = {"name": "http_503", "place": "rest", "only": "/api/Order/place", "seconds": 0.5}
        assert await client.control("POST", "faults", fault) == {"injected": "http_503", "place": "rest"}
        assert (await client.control("POST", "faults", {"name": "x", "place": "rest"}))["error"].startswith("unknown")
        order = {"accountId": ACCOUNT, "contractId": client.contract, "type": 2, "side": 0, "size": 1}
        assert (await client.request("Order/place", order))[0] == 503
        state = await client.control("GET", "state")
        assert [one["name"] for one in state["faults"]] == ["http_503"]
        assert state["struck"] == [{"name": "http_503", "place": "rest", "times": 1}]
        assert state["connections"] == {"user": 1, "market": 0}
        assert await client.control("DELETE", "faults") == {"in_force": 0}
        await client.buy(2)
        await hub.event("GatewayUserPosition")
        state = await client.control("GET", "state")
        assert [row["size"] for row in state["positions"]] == [2]
        assert [(call["by"], call["path"], call["performed"]) for call in state["received"]] == [
            ("client", "Order/place", True)
        ]
        assert state["flat"] is False

    play(test)


def test_another_process_can_act_as_the_trader_and_move_the_market() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        market = await client.hub("market")
        order = {"account": ACCOUNT, "contract": client.contract, "side": "sell", "size": 3}
        assert (await client.control("POST", "trade", order))["success"] is True
        assert await client.bought() == -3
        aim = {"contract": client.contract, "price": 19900.25, "seconds": 2}
        assert (await client.control("POST", "price", aim)) == {"contract": client.contract, "price": 19900.25}
        while abs((await market.event("GatewayQuote"))["arguments"][1].get("lastPrice", 0) - 19900.25) > 1:
            pass
        stop = {**order, "side": "buy", "stopPrice": 20500}
        placed = await client.control("POST", "trade", stop)
        cancelled = await client.control("POST", "trade", {"account": ACCOUNT, "cancel": placed["orderId"]})
        assert cancelled["success"] is True
        closed = await client.control("POST", "trade", {**order, "close": True})
        assert closed["success"] is True
        assert await client.bought() == 0
        received = (await client.control("GET", "state"))["received"]
        assert [call["by"] for call in received] == ["trader"] * 4
        assert "error" in await client.control("POST", "trade", {"account": ACCOUNT, "contract": client.contract})
        assert "error" in await client.control("POST", "price", {"contract": "CON.F.US.NOT.Z26", "price": 1})
        assert json.dumps(received)

    play(test)


def test_another_process_says_how_market_orders_fill() -> None:
    async def test(gateway: SimulatedGateway, client: Client) -> None:
        slow = {"pending_seconds": [4, 4.5], "parts": [1, 2], "every_market_order": True, "accepts_second_close": True}
        assert await client.control("POST", "execution", slow) == {"execution": list(slow)}
        assert (await client.buy())["success"]
        assert [order["status"] for order in (await client.control("GET", "state"))["orders"]] == [6]
        assert gateway.broker.execution == Execution(
            (4, 4.5), (1, 2), every_market_order=True, accepts_second_close=True
        )
        assert "error" in await client.control("POST", "execution", {"pending_seconds": -1})
        assert await client.control("POST", "execution", {}) == {"execution": []}
        assert gateway.broker.execution == Execution()

    play(test)


def test_the_guide_names_every_setting_of_execution() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "simulated-gateway.md").read_text(encoding="utf-8")
    assert all(f"| `{field.name}` |" in guide for field in fields(Execution))
    assert all(f"`{scenario.name}`" in guide for scenario in CLOSES)


def test_the_guide_names_every_fault() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "simulated-gateway.md").read_text(encoding="utf-8")
    for name, description in FAULTS.items():
        assert f"| `{name}` | {', '.join(places_of(name))} | {description} |" in guide
