"""Calls: with a token, within the quota, retried only where that does no harm, written down as lines."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from adapters.topstepx import wire
from adapters.topstepx.breaker import Breaker
from adapters.topstepx.client import Client
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.exchange import Caller, Exchange
from adapters.topstepx.fields import Number
from adapters.topstepx.normalise import normalise
from adapters.topstepx.quota import Quota
from adapters.topstepx.session import Session
from riskcore.core.events import CallObserved
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.ports import Line
from tests.adapters.topstepx.small_broker import (
    ACCOUNT,
    KEY,
    MNQ,
    NAME,
    Gone,
    HandClock,
    Reply,
    Script,
    SmallBroker,
    failed,
    good,
    hang,
    token,
    unreachable,
)

SEARCH = wire.PositionSearchOpen(account_id=ACCOUNT)
CLOSE = wire.CloseContract(account_id=ACCOUNT, contract_id=MNQ)
CANCEL = wire.OrderCancel(account_id=ACCOUNT, order_id=7)
PLACE = wire.OrderPlace(account_id=ACCOUNT, contract_id=MNQ, type=4, side=1, size=1, stop_price=21_000_250_000_000)
PARTIAL = wire.PartialCloseContract(account_id=ACCOUNT, contract_id=MNQ, size=1)
MODIFY = wire.OrderModify(account_id=ACCOUNT, order_id=7, stop_price=1)
MUTATING = (CLOSE, CANCEL, PLACE, PARTIAL, MODIFY)


class Room:
    """A client with everything it needs, a broker and a clock of the test."""

    def __init__(self) -> None:
        self.broker = SmallBroker()
        self.clock = HandClock()
        self.lines: list[Line] = []
        self.quota, self.breaker = Quota(), Breaker()
        chance = Random(1)
        caller = Caller(Script(self.broker), self.quota, self.breaker, self.clock)
        login = Credentials(NAME, KEY)

        def record(exchange: Exchange) -> None:
            self.lines.append(exchange.line())

        self.session = Session(caller, login, self.clock, chance, record)
        self.client = Client(caller, self.session, self.quota, self.breaker, self.clock, chance, record)

    def run(self, use: Callable[[], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            await self.session.open()
            self.broker.calls.clear()
            self.lines.clear()
            return await use()

        return asyncio.run(whole())


@pytest.fixture
def room() -> Room:
    return Room()


def name(body: wire.Body) -> str:
    return body.PATH.removeprefix("/api/")


def test_a_call_and_its_line(room: Room) -> None:
    raw = b'{"positions":[{"averagePrice":28446.375000000}],"success":true,"errorCode":0,"errorMessage":null}'
    room.broker.on("Position/searchOpen", Reply(200, raw))
    exchange = room.run(lambda: room.client.call(SEARCH))
    assert exchange.good
    assert exchange.rows("positions") == [{"averagePrice": Number("28446.375000000")}]
    assert exchange.rows("orders") is None
    assert room.broker.calls[0].token == token(1)
    assert room.lines == [
        {
            "rest": "/api/Position/searchOpen",
            "request": {"accountId": ACCOUNT},
            "asked_at": "2026-11-21T12:00:00Z",
            "status": 200,
            "response": {
                "positions": [{"averagePrice": Number("28446.375000000")}],
                "success": True,
                "errorCode": 0,
                "errorMessage": None,
            },
        }
    ]


def test_the_request_of_a_line_is_exact(room: Room) -> None:
    room.run(lambda: room.client.call(PLACE))
    assert room.lines[0]["request"]["stopPrice"] == Number("21000.25")


@pytest.mark.parametrize("body", MUTATING, ids=name)
@pytest.mark.parametrize("enforcement", [False, True])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (unreachable, "refused"),
        (Gone(), "unresolved"),
        (hang, "unresolved"),
        (Reply(500), "unresolved"),
        (Reply(200, b"<html>no</html>"), "unresolved"),
        (Reply(403), "refused"),
        (good(), "accepted"),
    ],
)
def test_what_changes_something_is_sent_once(
    room: Room, body: wire.Body, enforcement: bool, answer: Any, kind: str
) -> None:
    room.broker.on(name(body), answer)
    exchange = room.run(lambda: room.client.call(body, enforcement=enforcement, tries=9))
    assert room.broker.paths() == [name(body)]
    assert exchange.outcome().kind == kind
    assert len(room.lines) == 1


@pytest.mark.parametrize(
    "answer", [unreachable, Gone(), hang, Reply(500), Reply(504), Reply(429), Reply(200, b"<html>")]
)
def test_a_question_is_asked_again(room: Room, answer: Any) -> None:
    room.broker.on("Position/searchOpen", answer, answer, good(positions=[]))
    exchange = room.run(lambda: room.client.call(SEARCH))
    assert exchange.rows("positions") == []
    assert len(room.broker.calls) == len(room.lines) == 3
    assert 1 <= room.clock.slept[0] <= 1.5


@pytest.mark.parametrize("answer", [failed(1), Reply(400), Reply(403), Reply(404), good()])
def test_a_question_with_a_plain_answer_is_not(room: Room, answer: Any) -> None:
    room.broker.on("Position/searchOpen", answer)
    exchange = room.run(lambda: room.client.call(SEARCH))
    assert exchange.rows("positions") is None
    assert len(room.broker.calls) == 1


@pytest.mark.parametrize(("enforcement", "tries", "expected"), [(False, None, 3), (True, None, 2), (False, 5, 5)])
def test_how_often_and_how_long(room: Room, enforcement: bool, tries: int | None, expected: int) -> None:
    room.broker.on("Position/searchOpen", Reply(503))
    exchange = room.run(lambda: room.client.call(SEARCH, enforcement=enforcement, tries=tries))
    assert exchange.status == 503
    assert len(room.broker.calls) == expected
    assert all(2**n <= seconds <= 1.5 * 2**n for n, seconds in enumerate(room.clock.slept[: expected - 1]))


def test_a_refused_token_is_replaced_and_the_call_sent_again_once(room: Room) -> None:
    room.broker.valid = set()

    async def use() -> Any:
        room.broker.valid = set()
        return await room.client.call(CLOSE, enforcement=True)

    exchange = room.run(use)
    assert exchange.outcome().kind == "accepted"
    assert room.broker.paths() == ["Position/closeContract", "Auth/loginKey", "Position/closeContract"]
    assert [line["status"] for line in room.lines] == [401, 200, 200]


def test_a_call_refused_with_a_fresh_token_is_not_sent_a_third_time(room: Room) -> None:
    room.broker.on("Position/closeContract", Reply(401))
    exchange = room.run(lambda: room.client.call(CLOSE, enforcement=True))
    assert exchange.outcome().kind == "refused"
    assert room.broker.count("Position/closeContract") == 2


def test_enforcement_tries_its_old_token_while_the_login_hangs(room: Room) -> None:
    room.broker.on("Auth/validate", hang)
    answers: list[str] = []

    async def use() -> Any:
        room.clock.at += 23 * 3600 * SECOND_NS
        search = asyncio.ensure_future(room.client.call(SEARCH))
        await asyncio.sleep(0)
        exchange = await room.client.call(CLOSE, enforcement=True)
        answers.append(exchange.outcome().kind)
        assert not search.done()
        search.cancel()
        await room.session.close()

    room.run(use)
    assert answers == ["accepted"]


def test_without_a_login_nothing_is_sent(room: Room) -> None:
    async def use() -> Any:
        await room.session.close()
        room.broker.on("Auth/loginKey", failed(3))
        room.broker.calls.clear()
        return await room.client.call(CLOSE, enforcement=True)

    exchange = room.run(use)
    assert exchange.outcome().kind == "refused"
    assert "user name or API key is wrong" in exchange.outcome().reason
    assert room.broker.paths() == ["Auth/loginKey"]


def used_up(room: Room, calls: int) -> None:
    """So many calls have just left."""
    for _ in range(calls):
        room.quota.spend(room.clock.at, SEARCH.PATH)


def test_others_wait_for_the_quota_a_close_does_not(room: Room) -> None:
    async def use() -> None:
        used_up(room, 160)
        await room.client.call(CLOSE, enforcement=True)
        assert room.clock.slept == []
        await room.client.call(SEARCH)
        assert sum(room.clock.slept) == pytest.approx(61)

    room.run(use)


@pytest.mark.parametrize("body", [CLOSE, PARTIAL], ids=name)
@pytest.mark.parametrize(("used_ago_ns", "sent"), [(59 * SECOND_NS, True), (59 * SECOND_NS - 1, False)])
def test_a_close_waits_a_moment_for_the_window_and_no_longer(
    room: Room, body: wire.Body, used_ago_ns: int, sent: bool
) -> None:
    """What would take longer is refused at once, so that it is planned from what is there then."""

    async def use() -> None:
        used_up(room, 199)  # Behind the login.
        room.clock.at += used_ago_ns
        outcome = (await room.client.call(body, enforcement=True)).outcome()
        assert room.broker.count(body.PATH.removeprefix("/api/")) == sent
        assert outcome.kind == ("accepted" if sent else "refused")
        assert sum(room.clock.slept) == pytest.approx(2 if sent else 0)

    room.run(use)


@pytest.mark.parametrize(("used", "sent"), [(158, True), (159, False)])
def test_a_cancel_leaves_the_share_of_closes_alone(room: Room, used: int, sent: bool) -> None:
    async def use() -> None:
        used_up(room, used)  # Behind the login.
        outcome = (await room.client.call(CANCEL, enforcement=True)).outcome()
        assert (room.broker.count("Order/cancel"), room.clock.slept) == (sent, [])
        assert sent or outcome.reason == "nothing was sent: the broker's quota of calls is used up; try again in 61 s"
        assert outcome.kind == ("accepted" if sent else "refused")

    room.run(use)


def test_a_look_of_enforcement_waits_for_its_share(room: Room) -> None:
    async def use() -> None:
        used_up(room, 159)  # Behind the login.
        assert (await room.client.call(SEARCH, enforcement=True)).good
        assert sum(room.clock.slept) == pytest.approx(61)

    room.run(use)


def test_what_never_left_is_not_counted(room: Room) -> None:
    room.broker.on("Position/closeContract", unreachable)

    async def use() -> None:
        for _ in range(300):
            assert (await room.client.call(CLOSE, enforcement=True)).outcome().kind == "refused"
        assert room.quota.spent(room.clock.at)[0].used == 1, "the login"

    room.run(use)


def test_after_a_429_others_wait_as_long_as_the_broker_says_enforcement_does_not(room: Room) -> None:
    room.broker.on("Order/place", Reply(429, None, {"retry-after": "20"}))

    async def use() -> None:
        assert (await room.client.call(PLACE)).outcome().kind == "unresolved"
        assert (await room.client.call(CLOSE, enforcement=True)).outcome().kind == "accepted"
        assert room.clock.slept == []
        await room.client.call(SEARCH)
        assert room.clock.slept == [20]

    room.run(use)


@pytest.mark.parametrize("body", MUTATING, ids=name)
def test_an_order_is_made_now_or_not(room: Room, body: wire.Body) -> None:
    """One that waited for the quota would meet another market, and a trader who has given it up."""

    async def use() -> None:
        for _ in range(160):
            room.quota.spend(room.clock.at, SEARCH.PATH)
        outcome = (await room.client.call(body)).outcome()
        assert (outcome.kind, room.clock.slept) == ("refused", [])
        assert outcome.reason == "nothing was sent: the broker's quota of calls is used up; try again in 61 s"
        assert room.broker.calls == []

    room.run(use)


@pytest.mark.parametrize(("seconds", "sent"), [(3, True), (3.001, False)])
@pytest.mark.parametrize("rejected", [False, True], ids=["token over", "token refused"])
def test_an_order_whose_login_took_too_long_is_not_made(room: Room, seconds: float, sent: bool, rejected: bool) -> None:
    def slow_login(call: Any) -> Any:
        room.clock.at += round(seconds * SECOND_NS)
        return good(newToken=token(7), token=token(7))

    async def use() -> None:
        room.broker.on("Auth/validate", slow_login)
        room.broker.on("Auth/loginKey", slow_login)
        if rejected:
            room.broker.on("Order/place", Reply(401), good(orderId=1))
        else:
            room.clock.at += 23 * 3600 * SECOND_NS
        outcome = (await room.client.call(PLACE)).outcome()
        assert outcome.kind == ("accepted" if sent else "refused")
        assert room.broker.count("Order/place") == sent + rejected

    room.run(use)


def test_the_breaker_spares_a_host_that_fails_and_never_enforcement(room: Room) -> None:
    room.broker.on("Position/searchOpen", Reply(500))

    async def use() -> None:
        for _ in range(2):
            await room.client.call(SEARCH)
        tried = len(room.broker.calls)
        assert tried == 6  # The fifth opened it; the sixth, two seconds later, was the probe.
        exchange = await room.client.call(PLACE)
        assert exchange.outcome().kind == "refused"
        assert "failed several times" in exchange.outcome().reason
        assert len(room.broker.calls) == tried
        room.broker.on("Position/closeContract", Reply(500))
        await room.client.call(CLOSE, enforcement=True)
        assert len(room.broker.calls) == tried + 1
        room.clock.at += 60 * SECOND_NS
        room.broker.on("Position/searchOpen", good(positions=[]))
        assert (await room.client.call(SEARCH)).good
        assert (await room.client.call(PLACE)).outcome().kind == "accepted"

    room.run(use)


def test_a_call_without_an_answer_is_a_line_too(room: Room) -> None:
    room.broker.on("Position/closeContract", hang)
    exchange = room.run(lambda: room.client.call(CLOSE, enforcement=True))
    assert exchange.outcome().reason.endswith("no answer to /api/Position/closeContract within 3 s")
    (line,) = room.lines
    assert (line["status"], line["response"]) == (0, None)
    (event,) = normalise(dict(line), room.clock.at)
    assert event.body == CallObserved("/api/Position/closeContract", 0, account=ACCOUNT)


def test_the_beginning_of_an_answer_that_is_no_json_is_kept_unless_it_may_hold_a_secret(room: Room) -> None:
    async def use() -> None:
        room.broker.on("Position/closeContract", Reply(502, b"<html>bad gateway" + b"x" * 9000))
        await room.client.call(CLOSE)
        room.broker.on("Position/closeContract", Reply(200, b"<html>Bearer eyJhbGciOiJIUzI1NiJ9.SECRET"))
        await room.client.call(CLOSE)
        room.broker.on("Position/closeContract", Reply(200, b"\xff\xfe\x00"))
        await room.client.call(CLOSE)

    room.run(use)
    first, second, third = (line["response"] for line in room.lines)
    assert first.startswith("<html>bad gateway")
    assert len(first) == 500
    assert "SECRET" not in second
    assert isinstance(third, str)


def test_a_quiet_call_is_written_down_by_whoever_asked_for_quiet(room: Room) -> None:
    async def use() -> None:
        exchange = await room.client.call(SEARCH, recorded=False)
        assert room.lines == []
        room.client.record(exchange)

    room.run(use)
    assert [line["rest"] for line in room.lines] == ["/api/Position/searchOpen"]


def test_no_secret_gets_out(room: Room) -> None:
    async def use() -> str:
        room.broker.valid = set()
        exchanges = [await room.client.call(body) for body in (SEARCH, *MUTATING)]
        room.broker.on("Position/searchOpen", unreachable)
        exchanges.append(await room.client.call(SEARCH, tries=1))
        return repr(exchanges) + repr([exchange.outcome() for exchange in exchanges]) + repr(vars(room.client))

    shown = room.run(use)
    assert "SECRET" not in shown + repr(room.lines)


def test_ping(room: Room) -> None:
    async def use() -> None:
        assert await room.client.ping()
        assert room.broker.calls[-1].token is None
        for answer in (Reply(503), unreachable, Reply(200, "other"), Reply(200, b"pong"), hang):
            room.broker.on("Status/ping", answer)
            assert not await room.client.ping()

    room.run(use)
    assert room.lines == []
