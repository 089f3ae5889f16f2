"""One hub over real sockets: every way of failing is followed by another attempt, and is told once."""

import asyncio
import re
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from adapters.topstepx.signalr import codec
from adapters.topstepx.signalr.codec import Invocation, Message, Unreadable
from adapters.topstepx.signalr.socket import WebSockets
from adapters.topstepx.signalr.supervisor import Supervisor
from riskcore.errors import BrokerUnreachable
from tests.adapters.clocks import LoopClock, ScaledClock, run_hurried
from tests.adapters.topstepx.signalr.hub_server import END, Caller, HubServer, Script, good, until

CALLS = [("SubscribeAccounts", ()), ("SubscribeOrders", (7001,))]
EVENT = {"type": 1, "target": "GatewayUserAccount", "arguments": [{"id": 7001}]}
PING = {"type": 6}


class Tokens:
    """A new token for every attempt, unless told to fail."""

    def __init__(self, failures: int = 0) -> None:
        self.given = 0
        self.rejected: list[str] = []
        self.asked: list[tuple[str, bool]] = []
        self.renewed = False
        self._failures = failures

    async def token(self) -> str:
        if self._failures:
            self._failures -= 1
            raise BrokerUnreachable("no login")
        self.given += 1
        return f"secret+{self.given}/=="

    async def replaced(self, rejected: str, enforcement: bool) -> str:
        self.rejected.append(rejected)
        return await self.token()

    def superseded(self, text: str, busy: bool) -> bool:
        self.asked.append((text, busy))
        return self.renewed and text == "secret+1/=="


class Watched:
    """A running supervisor and everything it says."""

    def __init__(self, supervisor: Supervisor, tokens: Tokens, states: list[str], heard: list[Message]) -> None:
        self.supervisor, self.tokens, self.states, self.heard = supervisor, tokens, states, heard

    async def says(self, *states: str) -> None:
        await until(lambda: len(self.states) >= len(states))
        assert tuple(self.states) == states

    @property
    def reason(self) -> str:
        return self.supervisor.health().reason


@asynccontextmanager
async def watched(
    url: str,
    *,
    tokens: Tokens | None = None,
    data_expected: Callable[[], bool] = lambda: False,
) -> AsyncIterator[Watched]:
    clock = LoopClock()
    tokens = tokens or Tokens()
    states: list[str] = []
    heard: list[Message] = []
    supervisor = Supervisor(
        "user",
        url.replace("http", "ws") + "/hubs/user",
        WebSockets(clock),
        tokens,
        clock,
        Random(1),
        hear=lambda message, at: heard.append(message),
        announce=states.append,
        data_expected=data_expected,
    )
    supervisor.follow(CALLS)
    running = asyncio.create_task(supervisor.run())
    found = Watched(supervisor, tokens, states, heard)
    try:
        yield found
    finally:
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert supervisor.health().state == "closed"
        left = [task for task in asyncio.all_tasks() if "Supervisor" in repr(task) or "HubConnection" in repr(task)]
        assert not left
        assert all("secret" not in reason for reason in (found.reason, repr(supervisor.health())))


def apart(server: HubServer) -> list[float]:
    """Seconds of the hub's clock between attempts."""
    return [later - earlier for earlier, later in pairwise(server.attempts)]


async def tell_when_subscribed(caller: Caller) -> None:
    await until(lambda: len(caller.hub.invoked) == 2)
    await caller.tell(EVENT, PING, EVENT)


def test_connects_with_the_token_subscribes_and_listens() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), tell_when_subscribed(caller))

    async def run() -> None:
        async with HubServer(script) as server, watched(server.url) as hub:
            await until(lambda: len(hub.heard) == 2)
            assert hub.heard == [Invocation("GatewayUserAccount", [{"id": 7001}])] * 2
            await hub.says("connected")
            health = hub.supervisor.health()
            assert (health.hub, health.state, health.attempts, health.reconnects) == ("user", "connected", 1, 0)
            assert health.reason == ""
            assert server.paths == ["/hubs/user"]
            assert server.tokens == ["secret+1/=="]
            assert server.invoked == [("SubscribeAccounts",), ("SubscribeOrders", 7001)]

    run_hurried(run())


def test_is_connected_only_when_every_subscription_is_confirmed() -> None:
    confirm = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.greet()
        calls = await caller.records()
        while len(calls) < 2:
            calls += await caller.records()
        await caller.tell({"type": 3, "invocationId": calls[0]["invocationId"]}, EVENT)
        await confirm.wait()
        await caller.tell({"type": 3, "invocationId": "999"}, {"type": 3, "invocationId": calls[1]["invocationId"]})
        await caller.answer()

    async def run() -> None:
        async with HubServer(script) as server, watched(server.url) as hub:
            await until(lambda: hub.heard)
            await asyncio.sleep(1)
            assert (hub.states, hub.supervisor.health().state) == ([], "subscribing")
            confirm.set()
            await hub.says("connected")

    run_hurried(run())


# ---- losses --------------------------------------------------------------------------------------------


async def refuse_handshake(caller: Caller) -> None:
    await caller.greet("Requested protocol 'json' is not available.")


async def leave(caller: Caller) -> None:
    await caller.socket.close(1001, "going away")


async def never_greet(caller: Caller) -> None:
    await caller.socket.wait_closed()


async def garbage_greeting(caller: Caller) -> None:
    await caller.socket.send("<html>" + END)
    await caller.socket.wait_closed()


async def greet_and_fall_silent(caller: Caller) -> None:
    await caller.greet()
    await caller.socket.wait_closed()


async def refuse_subscription(caller: Caller) -> None:
    await caller.greet()
    await caller.answer(refused={"SubscribeOrders": f"Account not found for {caller.hub.tokens[-1]}"})


async def ignore_subscription(caller: Caller) -> None:
    await caller.greet()
    await caller.answer(silent=("SubscribeOrders",))


async def subscribed(caller: Caller) -> None:
    """Serve until both subscriptions are confirmed."""
    await caller.greet()
    answering = asyncio.create_task(caller.answer())
    await until(lambda: len(caller.hub.invoked) % 2 == 0 and caller.hub.invoked)
    await asyncio.sleep(0.1)
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


async def close_for_good(caller: Caller) -> None:
    await subscribed(caller)
    await caller.tell({"type": 7, "error": "Connection closed with an error."})
    await caller.socket.wait_closed()


async def close_for_now(caller: Caller) -> None:
    await subscribed(caller)
    await caller.tell(EVENT, {"type": 7, "error": "Server is going down.", "allowReconnect": True}, EVENT)
    await caller.socket.wait_closed()


async def drop(caller: Caller) -> None:
    await subscribed(caller)
    caller.socket.transport.abort()


async def oversize(caller: Caller) -> None:
    await subscribed(caller)
    for _ in range(17):
        await caller.socket.send("x" * 2**20)
    await caller.socket.wait_closed()


FAULTS: list[tuple[Script, str, bool]] = [
    (refuse_handshake, "refused the handshake: Requested protocol", False),
    (leave, "1001.*going away", False),
    (never_greet, "no answer to the handshake for 10 s", False),
    (garbage_greeting, "did not answer the handshake", False),
    (greet_and_fall_silent, "SubscribeOrders was not answered|SubscribeAccounts was not answered", False),
    (refuse_subscription, r"SubscribeOrders was refused: Account not found for \(token\)", False),
    (ignore_subscription, "SubscribeOrders was not answered for 10 s", False),
    (close_for_good, "server closed the hub: Connection closed with an error", True),
    (close_for_now, "server closed the hub: Server is going down", True),
    (drop, "connection", True),
    (oversize, "longer than 16777216 bytes", True),
]


@pytest.mark.parametrize(
    ("fault", "reason", "after_connected"), FAULTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_every_fault_is_told_once_and_followed_by_another_attempt(
    fault: Script, reason: str, after_connected: bool
) -> None:
    async def run() -> None:
        async with HubServer(fault, fault, good) as server, watched(server.url) as hub:
            before = ["connected", "lost", "connected", "lost"] if after_connected else ["lost"]
            await hub.says(*before, "connected")
            assert re.search(reason, hub.reason), hub.reason
            assert len(server.attempts) == 3
            assert min(apart(server)) >= 1
            assert server.tokens == [f"secret+{count}/==" for count in (1, 2, 3)]
            assert server.invoked[-2:] == [("SubscribeAccounts",), ("SubscribeOrders", 7001)]
            health = hub.supervisor.health()
            assert (health.attempts, health.reconnects) == (3, 2 if after_connected else 0)

    run_hurried(run())


def test_nothing_after_a_close_is_heard() -> None:
    async def run() -> None:
        async with HubServer(close_for_now, good) as server, watched(server.url) as hub:
            await hub.says("connected", "lost", "connected")
            assert len(hub.heard) == 1

    run_hurried(run())


def test_a_server_that_is_not_there_and_then_is() -> None:
    async def run() -> None:
        with sockets.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with watched(f"http://127.0.0.1:{port}") as hub:
            await until(lambda: hub.supervisor.health().attempts >= 2)
            await hub.says("lost")
            assert hub.reason.startswith("no connection")

    run_hurried(run())


def test_a_half_open_connection_is_given_up() -> None:
    """The server takes the connection and never answers anything."""

    async def run() -> None:
        with sockets.create_server(("127.0.0.1", 0)) as deaf:
            async with watched(f"http://127.0.0.1:{deaf.getsockname()[1]}") as hub:
                await until(lambda: hub.reason)
                assert hub.reason == "no connection for 10 s"
                await hub.says("lost")

    run_hurried(run())


def test_a_refused_token_is_replaced() -> None:
    async def run() -> None:
        async with HubServer(statuses=(401, 503, 403)) as server, watched(server.url) as hub:
            await hub.says("lost", "connected")
            assert hub.tokens.rejected == ["secret+1/==", "secret+3/=="]
            assert server.tokens == [f"secret+{count}/==" for count in (1, 2, 3, 4)]

    run_hurried(run())


def test_no_token_is_a_failed_attempt() -> None:
    async def run() -> None:
        async with HubServer() as server, watched(server.url, tokens=Tokens(failures=2)) as hub:
            await hub.says("lost", "connected")
            assert len(server.attempts) == 1
            assert hub.supervisor.health().attempts == 3
            assert hub.reason == "no login"

    run_hurried(run())


def test_a_token_that_never_comes_is_a_failed_attempt() -> None:
    class Never(Tokens):
        async def token(self) -> str:
            return await asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with HubServer() as server, watched(server.url, tokens=Never()) as hub:
            await until(lambda: hub.reason)
            assert hub.reason == "no token for 60 s"
            assert not server.attempts

    run_hurried(run())


def test_nothing_unexpected_ends_it() -> None:
    class Broken(Tokens):
        async def token(self) -> str:
            if self.given < 2:
                self.given += 1
                raise RuntimeError("secret")
            return await super().token()

    async def run() -> None:
        async with HubServer() as server, watched(server.url, tokens=Broken()) as hub:
            await hub.says("lost", "connected")
            assert hub.reason == "unexpected RuntimeError"

    run_hurried(run())


def test_waits_grow_while_it_fails_and_never_beyond_the_cap() -> None:
    waits: list[float] = []

    class Clock(ScaledClock):
        async def sleep(self, seconds: float) -> None:
            if seconds > 1:
                waits.append(seconds)
            await super().sleep(seconds)

    async def run() -> None:
        async def refuse(url: str) -> Any:
            raise BrokerUnreachable("refused")

        clock = Clock(10_000)
        supervisor = Supervisor(
            "user",
            "ws://127.0.0.1/hubs/user",
            refuse,
            Tokens(),
            clock,
            Random(1),
            hear=lambda message, at: None,
            announce=lambda state: None,
        )
        running = asyncio.create_task(supervisor.run())
        await until(lambda: len(waits) >= 200)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_hurried(run())
    for wait, shortest in zip(waits, (1, 2, 4, 8, *[10] * 1000), strict=False):
        assert shortest <= wait <= shortest * 1.5
    assert len({round(wait, 6) for wait in waits}) == len(waits)


def test_a_server_that_accepts_and_closes_at_once_is_asked_less_and_less() -> None:
    async def run() -> None:
        async with HubServer(leave) as server, watched(server.url) as hub:
            await until(lambda: len(server.attempts) >= 5)
            for gap, shortest in zip(apart(server), (1, 2, 4, 8), strict=False):
                assert gap >= shortest
            await hub.says("lost")

    run_hurried(run())


def test_a_connection_that_has_lived_lets_the_waits_start_over() -> None:
    async def live(caller: Caller) -> None:
        await subscribed(caller)
        await asyncio.sleep(12)
        caller.socket.transport.abort()

    async def run() -> None:
        async with HubServer(leave, leave, leave, leave, live, good) as server, watched(server.url) as hub:
            await hub.says("lost", "connected", "lost", "connected")
            assert apart(server)[3] >= 8
            assert server.attempts[5] - server.attempts[4] < 12 + 6

    run_hurried(run())


def test_a_server_that_does_not_want_us_back_is_asked_less_often() -> None:
    async def live(caller: Caller) -> None:
        await subscribed(caller)
        await asyncio.sleep(12)
        await caller.tell({"type": 7})
        await caller.socket.wait_closed()

    async def run() -> None:
        async with HubServer(leave, leave, live, good) as server, watched(server.url) as hub:
            await hub.says("lost", "connected", "lost", "connected")
            assert apart(server)[2] >= 12 + 4

    run_hurried(run())


def test_a_logout_ends_the_session() -> None:
    logout = {"type": 1, "target": "GatewayLogout", "arguments": []}

    async def script(caller: Caller) -> None:
        await subscribed(caller)
        await caller.tell(logout)
        await caller.socket.wait_closed()

    async def run() -> None:
        async with HubServer(script, good) as server, watched(server.url) as hub:
            await until(lambda: hub.heard)
            hub.supervisor.logged_out()
            # The event itself says lost, so it is not said again.
            await hub.says("connected", "connected")
            assert "GatewayLogout" in hub.reason

    run_hurried(run())


def test_a_hub_that_is_reopened_is_lost_from_that_moment() -> None:
    """Seed 1000000600418 of the simulation: `connected` still waited to be handled when the engine awoke."""

    async def script(caller: Caller) -> None:
        await subscribed(caller)
        await caller.socket.wait_closed()

    async def run() -> None:
        async with HubServer(script, good) as server, watched(server.url) as hub:
            await until(lambda: hub.states == ["connected"])
            hub.supervisor.reopen("riskcore did not run for a while")
            assert hub.states == ["connected", "lost"]
            await hub.says("connected", "lost", "connected")
            assert hub.reason == "riskcore did not run for a while"

    run_hurried(run())


def test_a_hub_that_never_connected_is_not_said_to_be_lost() -> None:
    async def run() -> None:
        async with HubServer(good) as server, watched(server.url) as hub:
            hub.supervisor.reopen("riskcore did not run for a while")
            await hub.says("connected")

    run_hurried(run())


# ---- silence -------------------------------------------------------------------------------------------


def test_silence_is_stale_and_then_the_end() -> None:
    async def silent(caller: Caller) -> None:
        await subscribed(caller)
        caller.silent_at = asyncio.get_running_loop().time()
        await caller.socket.wait_closed()

    async def run() -> None:
        async with HubServer(silent, good) as server, watched(server.url) as hub:
            await until(lambda: hub.states[-1:] == ["stale"])
            assert hub.supervisor.health().state == "stale"
            await until(lambda: "lost" in hub.states)
            assert hub.reason == "the server sent nothing for 30 s"
            seconds = asyncio.get_running_loop().time() - server.callers[0].silent_at
            assert seconds > 28
            await hub.says("connected", "stale", "lost", "connected")

    run_hurried(run())


async def ping_for_ever(caller: Caller, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await caller.tell(PING)


def test_pings_alone_keep_an_idle_hub_connected() -> None:
    async def ping_only(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), ping_for_ever(caller, 15))

    async def run() -> None:
        async with HubServer(ping_only) as server, watched(server.url) as hub:
            await asyncio.sleep(100)
            await hub.says("connected")
            pings = [record for record in server.callers[0].heard if record.get("type") == 6]
            assert 5 <= len(pings) <= 10

    run_hurried(run())


def test_a_hub_that_talks_again_is_connected_again() -> None:
    async def pause(caller: Caller) -> None:
        await subscribed(caller)
        await asyncio.sleep(25)
        await caller.tell(PING)
        await caller.answer()

    async def run() -> None:
        async with HubServer(pause) as server, watched(server.url) as hub:
            await hub.says("connected", "stale", "connected")
            assert len(server.attempts) == 1

    run_hurried(run())


def test_a_frozen_market_is_stale_then_rebuilt_and_only_while_quotes_are_expected() -> None:
    expected = False

    async def ping_only(caller: Caller) -> None:
        await caller.greet()
        await asyncio.gather(caller.answer(), ping_for_ever(caller, 5))

    async def run() -> None:
        nonlocal expected
        async with HubServer(ping_only) as server, watched(server.url, data_expected=lambda: expected) as hub:
            await asyncio.sleep(50)
            await hub.says("connected")
            expected = True
            await until(lambda: len(hub.states) == 2)
            hub.supervisor.data_came()
            await hub.says("connected", "stale", "connected")
            await until(lambda: "lost" in hub.states)
            assert hub.states == ["connected", "stale", "connected", "stale", "lost"]
            assert hub.reason == "no quote for 30 s while the market is open"
            expected = False
            await until(lambda: len(server.attempts) == 2)

    run_hurried(run())


# ---- following -----------------------------------------------------------------------------------------


def test_follows_what_is_wanted_on_this_connection_and_on_the_next() -> None:
    async def run() -> None:
        async with HubServer() as server, watched(server.url) as hub:
            await hub.says("connected")
            hub.supervisor.follow([("SubscribeAccounts", ()), ("SubscribeOrders", (7002,))])
            await until(lambda: len(server.invoked) == 4)
            assert server.invoked[2:] == [("SubscribeOrders", 7002), ("UnsubscribeOrders", 7001)]
            hub.supervisor.follow([("SubscribeAccounts", ()), ("SubscribeOrders", (7002,))])
            server.callers[0].socket.transport.abort()
            await until(lambda: len(server.invoked) == 6)
            assert server.invoked[4:] == [("SubscribeAccounts",), ("SubscribeOrders", 7002)]
            await hub.says("connected", "lost", "connected")

    run_hurried(run())


def test_what_changes_while_subscribing_is_followed_before_it_is_connected() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        calls = await caller.records()
        while len(calls) < 2:
            calls += await caller.records()
        hubs[0].supervisor.follow([*CALLS, ("SubscribeTrades", (7001,))])
        await caller.tell(*({"type": 3, "invocationId": call["invocationId"]} for call in calls))
        await caller.answer()

    hubs: list[Watched] = []

    async def run() -> None:
        async with HubServer(script) as server, watched(server.url) as hub:
            hubs.append(hub)
            await until(lambda: server.invoked == [("SubscribeTrades", 7001)])
            await hub.says("connected")

    run_hurried(run())


def test_an_unsubscription_that_is_refused_harms_nothing() -> None:
    async def script(caller: Caller) -> None:
        await caller.greet()
        await caller.answer(refused={"UnsubscribeOrders": "no"})

    async def run() -> None:
        async with HubServer(script) as server, watched(server.url) as hub:
            await hub.says("connected")
            hub.supervisor.follow([("SubscribeAccounts", ())])
            await until(lambda: ("UnsubscribeOrders", 7001) in server.invoked)
            hub.supervisor.follow(CALLS)
            await until(lambda: server.invoked.count(("SubscribeOrders", 7001)) == 2)
            await hub.says("connected")

    run_hurried(run())


# ---- records on the wire -------------------------------------------------------------------------------


def test_records_split_at_every_byte_and_records_that_are_none() -> None:
    text = "".join(record + END for record in (codec.PING[:-1], '{"type":1,"target":"T","arguments":["€"]}', "oops"))
    data = text.encode()

    async def script(caller: Caller) -> None:
        await subscribed(caller)
        for cut in range(1, len(data)):
            await caller.socket.send(data[:cut], text=True)
            await caller.socket.send(data[cut:], text=True)
        await caller.answer()

    async def run() -> None:
        async with HubServer(script) as server, watched(server.url) as hub:
            await until(lambda: len(hub.heard) == 2 * (len(data) - 1))
            event, unreadable = hub.heard[:2]
            assert event == Invocation("T", ["€"])
            assert isinstance(unreadable, Unreadable)
            assert unreadable.raw == "oops"
            assert hub.heard == [event, unreadable] * (len(data) - 1)
            await hub.says("connected")

    run_hurried(run())


def test_a_socket_whose_token_was_renewed_is_opened_anew_at_once_with_the_fresh_one() -> None:
    async def run() -> None:
        tokens = Tokens()
        async with HubServer() as server, watched(server.url, tokens=tokens) as hub:
            await hub.says("connected")
            await asyncio.sleep(12)
            assert len(server.attempts) == 1
            tokens.renewed = True
            began = asyncio.get_running_loop().time()
            await until(lambda: len(hub.states) == 3)
            assert hub.states == ["connected", "lost", "connected"]
            assert server.tokens == ["secret+1/==", "secret+2/=="]
            assert set(tokens.asked) >= {("secret+1/==", False)}
            assert "login was renewed" in hub.reason
            assert asyncio.get_running_loop().time() - began < 20
            await asyncio.sleep(5)
            assert len(server.attempts) == 2, "once for each token"
            assert tokens.asked[-1] == ("secret+2/==", False)

    run_hurried(run())


def test_a_renewed_token_never_leads_to_more_than_an_attempt_a_second() -> None:
    async def run() -> None:
        tokens = Tokens()
        tokens.renewed = True
        async with HubServer() as server, watched(server.url, tokens=tokens):
            await until(lambda: len(server.attempts) == 2)
            assert apart(server)[0] >= 1

    run_hurried(run())
