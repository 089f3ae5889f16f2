"""Both hubs as the engine's feed, over real sockets: everything is handed on, in order, and in good time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.fields import Number
from adapters.topstepx.normalise import normalise
from adapters.topstepx.signalr.socket import WebSockets
from riskcore.core.events import ConnectionChanged, WireRejected
from riskcore.core.quotes import Quotes
from riskcore.engine.ports import Line, Texts
from tests.adapters.clocks import LoopClock, run_hurried
from tests.adapters.topstepx.signalr.hub_server import END, Caller, HubServer, Script, until

MNQ = "CON.F.US.MNQ.U26"
USER = [("SubscribeAccounts",), ("SubscribeOrders", 7001), ("SubscribePositions", 7001), ("SubscribeTrades", 7001)]
MARKET = [("SubscribeContractQuotes", MNQ), ("SubscribeContractTrades", MNQ)]


class Tokens:
    async def token(self) -> str:
        return "token"

    async def replaced(self, rejected: str, enforcement: bool) -> str:
        return "token"

    def superseded(self, text: str, busy: bool) -> bool:
        return False


class Kept:
    """A sink that keeps what it is given: user lines and market items, each in order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.items: list[Line | Quotes] = []
        self.order: list[str] = []
        self.overheard: list[Quotes] = []

    def line(self, line: Line, text: bytes = b"") -> None:
        self.lines.append(line)
        self.order.append("line")

    def market(self, line: Line, text: bytes = b"") -> None:
        self.items.append(line)
        self.order.append("market")

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        self.items.append(quotes)
        self.order.append("quotes")

    def states(self, hub: str) -> list[str]:
        return [line["state"] for line in self.lines if line.get("connection") == hub]

    def events(self) -> list[Line]:
        return [line for line in self.lines if "connection" not in line]


def told(text: str) -> Script:
    """Serve both hubs; tell `text` on the market hub once it is subscribed."""

    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), tell(caller))

    async def tell(caller: Caller) -> None:
        if "market" in caller.hub.paths[caller.hub.callers.index(caller)]:
            await until(lambda: MARKET[-1] in caller.hub.invoked)
            await caller.socket.send(text)

    return script


@asynccontextmanager
async def running(
    url: str, market_expected: Callable[[], bool] = lambda: False
) -> AsyncIterator[tuple[TopstepFeed, Kept]]:
    clock, sink = LoopClock(), Kept()
    feed = TopstepFeed(url, WebSockets(clock), Tokens(), clock, Random(1), market_expected, sink.overheard.append)
    feed.follow([7001], [MNQ])
    task = asyncio.create_task(feed.run(sink))
    try:
        yield feed, sink
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [health.state for health in feed.health()] == ["closed", "closed"]


def event(target: str, *arguments: Any) -> str:
    return json.dumps({"type": 1, "target": target, "arguments": list(arguments)}, separators=(",", ":")) + END


def quote(last: float) -> str:
    return event("GatewayQuote", MNQ, {"symbol": "F.US.MNQ", "lastPrice": last})


def test_both_hubs_are_subscribed_and_connected() -> None:
    async def run() -> None:
        async with HubServer() as server, running(server.url) as (feed, sink):
            await until(lambda: sink.states("user") == ["connected"] and sink.states("market") == ["connected"])
            assert sorted(server.paths) == ["/hubs/market", "/hubs/user"]
            assert sorted(server.invoked, key=repr) == sorted(USER + MARKET, key=repr)
            assert [(health.hub, health.state) for health in feed.health()] == [
                ("user", "connected"),
                ("market", "connected"),
            ]
            feed.follow([7001, 7002], ["CON.F.US.MES.U26"])
            await until(lambda: len(server.invoked) == 13)
            assert set(server.invoked[6:]) == {
                *((target, 7002) for target in ("SubscribeOrders", "SubscribePositions", "SubscribeTrades")),
                *((target, "CON.F.US.MES.U26") for target in ("SubscribeContractQuotes", "SubscribeContractTrades")),
                *((target, MNQ) for target in ("UnsubscribeContractQuotes", "UnsubscribeContractTrades")),
            }

    run_hurried(run())


def test_a_contract_the_hub_does_not_know_costs_no_other_its_quotes() -> None:
    """A mistyped contract of one who only asks for a price must not end the marks of what is held."""
    text = quote(1)

    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer({"SubscribeContractTrades": "no such contract"}), tell(caller))

    async def tell(caller: Caller) -> None:
        if "market" in caller.hub.paths[caller.hub.callers.index(caller)]:
            await until(lambda: MARKET[-1] in caller.hub.invoked)
            await caller.socket.send(text)

    async def run() -> None:
        async with HubServer(script) as server, running(server.url) as (feed, sink):
            await until(lambda: len(sink.items) == 1 and sink.states("user") == ["connected"])
            assert sink.states("market") == ["connected"]
            assert sink.overheard == sink.items
            assert feed.health()[1].reason == "SubscribeContractTrades was refused: no such contract"
            feed.follow([7001], [MNQ, "CON.F.US.MES.U26"])
            await until(lambda: ("SubscribeContractTrades", "CON.F.US.MES.U26") in server.invoked)
            await asyncio.sleep(5)
            assert sink.states("market") == ["connected"]
            assert len(server.attempts) == 2

    run_hurried(run())


def test_an_account_the_hub_does_not_tell_of_is_not_seen() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        await caller.answer({"SubscribePositions": "not yours"})

    async def run() -> None:
        async with HubServer(script) as server, running(server.url) as (_, sink):
            await until(lambda: sink.states("user") == ["lost"])

    run_hurried(run())


def test_quotes_keep_their_place_among_prints() -> None:
    trade = event("GatewayTrade", MNQ, [{"price": 5}])
    text = quote(1) + quote(2.5) + trade + quote(3) + '{"type":6}' + END + quote(1e20) + quote(4) + "oops" + END

    async def run() -> list[Line | Quotes]:
        async with HubServer(told(text)) as server, running(server.url) as (_, sink):
            await until(lambda: "market" in sink.order and len(sink.items) >= 6)
            return sink.items

    items = run_hurried(run())
    rows: list[Any] = []
    for item in items:
        if isinstance(item, Quotes):
            rows += [price // 10**9 if price % 10**9 == 0 else price for price in item.lasts if price is not None]
        else:
            rows.append(item)
    unusual = {"symbol": "F.US.MNQ", "lastPrice": Number("1e+20")}
    assert rows == [
        1,
        2_500_000_000,
        {"hub": "market", "target": "GatewayTrade", "arguments": [MNQ, [{"price": 5}]]},
        3,
        {"hub": "market", "target": "GatewayQuote", "arguments": [MNQ, unusual]},
        4,
        {"hub": "market", "unreadable": rows[-1]["unreadable"], "text": "oops"},
    ]


def test_quotes_that_only_look_plain_are_handed_on_one_by_one() -> None:
    """One number among them is no price: none of them is lost, and that one is rejected by the normaliser."""
    text = quote(1) + quote(1_000_000_000_000_000) + quote(2)

    async def run() -> list[Line | Quotes]:
        async with HubServer(told(text)) as server, running(server.url) as (_, sink):
            await until(lambda: len(sink.items) == 3)
            return sink.items

    bodies = [normalise(item, 1)[0].body for item in run_hurried(run()) if isinstance(item, dict)]
    assert [isinstance(body, WireRejected) for body in bodies] == [False, True, False]


def test_what_is_unknown_or_unreadable_becomes_an_event() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        if "user" in caller.hub.paths[caller.hub.callers.index(caller)]:
            secret = '{"type":1,"target":"T","token":"eyJabcdefghi"'
            await caller.socket.send(event("GatewayWhatever", {"id": 1}) + secret + END + "x" * 10_000 + END)
        await caller.answer()

    async def run() -> list[Line]:
        async with HubServer(script) as server, running(server.url) as (_, sink):
            await until(lambda: len(sink.events()) == 3)
            return sink.events()

    unknown, secret, long = run_hurried(run())
    assert unknown == {"hub": "user", "target": "GatewayWhatever", "arguments": [{"id": 1}]}
    for line in (unknown, secret, long):
        (found,) = normalise(dict(line), 1)
        assert isinstance(found.body, WireRejected)
        assert "eyJ" not in found.body.raw
    assert len(long["text"]) == 4096


def test_a_logout_of_either_hub_is_handed_on_and_followed_by_a_new_session() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), log_out(caller))

    async def log_out(caller: Caller) -> None:
        if caller.hub.callers.index(caller) < 2:
            await until(lambda: len(caller.hub.invoked) >= len(USER + MARKET))
            await caller.socket.send(event("GatewayLogout", "bye"))

    async def run() -> None:
        async with HubServer(script) as server, running(server.url) as (feed, sink):
            await until(lambda: len(server.attempts) == 4)
            await until(lambda: [health.reconnects for health in feed.health()] == [1, 1])
            for hub in ("user", "market"):
                logout = {"hub": hub, "target": "GatewayLogout", "arguments": ["bye"]}
                assert sink.events().count(logout) == 1
                # The logout itself is the loss.
                (fact,) = normalise(logout, 1)
                assert fact.body == ConnectionChanged(hub, "lost")
                assert sink.states(hub) == ["connected", "connected"]

    run_hurried(run())


def test_a_frozen_market_is_noticed_only_while_quotes_are_expected() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), talk(caller))

    async def talk(caller: Caller) -> None:
        for _ in range(6):
            await asyncio.sleep(5)
            await caller.socket.send(quote(1) if "market" in path_of(caller) else '{"type":6}' + END)
        while True:
            await asyncio.sleep(5)
            await caller.socket.send('{"type":6}' + END)

    def path_of(caller: Caller) -> str:
        return caller.hub.paths[caller.hub.callers.index(caller)]

    async def run() -> None:
        async with HubServer(script) as server, running(server.url, lambda: True) as (feed, sink):
            await until(lambda: "lost" in sink.states("market"))
            assert sink.states("market")[:3] == ["connected", "stale", "lost"]
            assert "no quote for 30 s" in feed.health()[1].reason
            assert sink.states("user") == ["connected"]
            assert len([item for item in sink.items if isinstance(item, Quotes)]) == 6

    run_hurried(run())


def test_a_flood_of_quotes_does_not_keep_the_user_hub_waiting() -> None:
    count = 100_000
    answers = [event("GatewayUserAccount", {"id": index}) for index in range(5)]

    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), talk(caller))

    async def talk(caller: Caller) -> None:
        await until(lambda: len(caller.hub.invoked) == len(USER + MARKET))
        if "market" in caller.hub.paths[caller.hub.callers.index(caller)]:
            block = quote(1) * 1000
            for _ in range(count // 1000):
                await caller.socket.send(block)
        else:
            for answer in answers:
                await caller.socket.send(answer)

    async def run() -> Kept:
        async with HubServer(script) as server, running(server.url) as (_, sink):
            await until(lambda: sum(len(item.ats) for item in sink.items if isinstance(item, Quotes)) == count)
            await until(lambda: len(sink.events()) == len(answers))
            return sink

    sink = run_hurried(run())
    last_line = max(index for index, kind in enumerate(sink.order) if kind == "line")
    assert sink.order[last_line:].count("quotes") >= 5
    ats = [at for item in sink.items if isinstance(item, Quotes) for at in item.ats]
    assert ats == sorted(ats)
