"""The life of a token, in a time that a test moves by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from adapters.topstepx.breaker import Breaker
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.exchange import Caller
from adapters.topstepx.quota import Quota
from adapters.topstepx.session import Session, expires_at
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.engine.ports import Line
from riskcore.errors import BrokerUnreachable, LoginRefused
from tests.adapters.topstepx.small_broker import (
    KEY,
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

HOUR_NS = 60 * MINUTE_NS
LOGIN, VALIDATE, LOGOUT = "Auth/loginKey", "Auth/validate", "Auth/logout"


class Room:
    """A session, its broker, its clock, and the lines it gave."""

    def __init__(self) -> None:
        self.broker = SmallBroker()
        self.clock = HandClock()
        self.lines: list[Line] = []
        caller = Caller(Script(self.broker), Quota(), Breaker(), self.clock)
        self.session = Session(
            caller, Credentials(NAME, KEY), self.clock, Random(1), lambda exchange: self.lines.append(exchange.line())
        )

    def run(self, use: Callable[[], Awaitable[Any]]) -> Any:
        return asyncio.run(self._run(use))

    async def _run(self, use: Callable[[], Awaitable[Any]]) -> Any:
        return await use()


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_login_and_its_token(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        assert await room.session.token() == token(1)
        assert await room.session.token_now() == token(1)

    room.run(use)
    assert room.broker.paths() == [LOGIN]
    assert room.broker.calls[0].body == {"userName": NAME, "apiKey": KEY}
    assert room.broker.calls[0].token is None


@pytest.mark.parametrize("own_end", [False, True])
def test_a_token_is_exchanged_two_hours_before_its_end(room: Room, own_end: bool) -> None:
    if own_end:
        room.broker.ends = room.clock.at // SECOND_NS + 24 * 3600

    async def use() -> None:
        await room.session.open()
        start = room.clock.at
        room.clock.at = start + 22 * HOUR_NS - 1
        assert await room.session.token() == token(1, room.broker.ends)
        room.clock.at = start + 22 * HOUR_NS
        first, room.broker.ends = room.broker.ends, None
        assert await room.session.token() == token(2)
        assert room.broker.calls[-1].token == token(1, first)

    room.run(use)
    assert room.broker.paths() == [LOGIN, VALIDATE]


def test_a_short_lived_token_is_exchanged_after_the_same_share_of_its_life(room: Room) -> None:
    room.broker.ends = room.clock.at // SECOND_NS + 60

    async def use() -> None:
        await room.session.open()
        room.clock.at += 54 * SECOND_NS
        await room.session.token()
        assert room.broker.count(VALIDATE) == 0
        room.clock.at += 2 * SECOND_NS
        await room.session.token()
        assert room.broker.count(VALIDATE) == 1

    room.run(use)


def test_a_token_that_ended_long_ago_by_its_own_words_is_believed_to_be_good(room: Room) -> None:
    """Our clock may be wrong; the broker says 401 if it is not good."""
    room.broker.ends = room.clock.at // SECOND_NS - 5

    async def use() -> None:
        await room.session.open()
        await room.session.token()
        await room.session.token()

    room.run(use)
    assert room.broker.paths() == [LOGIN]


def test_a_socket_is_opened_anew_when_its_token_was_replaced_and_nothing_is_going_on(room: Room) -> None:
    async def use() -> None:
        assert not room.session.superseded(token(1), False), "not logged in"
        await room.session.open()
        start = room.clock.at
        assert not room.session.superseded(token(1), False)
        room.clock.at = start + 22 * HOUR_NS - 1
        assert not room.session.superseded(token(1), False)
        await asyncio.sleep(0.02)
        assert room.broker.count(VALIDATE) == 0
        room.clock.at = start + 22 * HOUR_NS
        assert not room.session.superseded(token(1), False), "another one is not there yet"
        assert await room.session.token() == token(2), "though it was asked for"
        assert room.broker.count(VALIDATE) == 1
        assert room.session.superseded(token(1), False)
        assert not room.session.superseded(token(1), True)
        room.clock.at = start + 23 * HOUR_NS - 1
        assert not room.session.superseded(token(1), True)
        room.clock.at = start + 23 * HOUR_NS
        assert room.session.superseded(token(1), True), "half of what was left is over"
        assert not room.session.superseded(token(2), False)
        assert room.session.superseded("older", True)

    room.run(use)


def test_a_token_that_was_refused_leaves_no_socket_open(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        await room.session.replaced(token(1), True)
        assert room.session.superseded(token(1), True)

    room.run(use)


@pytest.mark.parametrize(
    "answer", [failed(3), failed(4), Reply(401), Reply(500), good(newToken=None), good(), Reply(200, b"<html>")]
)
def test_a_login_follows_when_the_exchange_fails(room: Room, answer: Any) -> None:
    room.broker.on(VALIDATE, answer)

    async def use() -> None:
        await room.session.open()
        room.clock.at += 22 * HOUR_NS
        assert await room.session.token() == token(2)

    room.run(use)
    assert room.broker.paths() == [LOGIN, VALIDATE, LOGIN]


def test_while_no_fresh_token_can_be_had_the_old_one_is_used_until_its_end(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.broker.on(VALIDATE, unreachable)
        room.broker.on(LOGIN, unreachable)
        start = room.clock.at
        for hour in (22, 23):
            room.clock.at = start + hour * HOUR_NS
            assert await room.session.token() == token(1)
        room.clock.at = start + 24 * HOUR_NS
        with pytest.raises(BrokerUnreachable, match="no connection"):
            await room.session.token()

    room.run(use)


def test_attempts_that_fail_are_at_least_a_second_apart(room: Room) -> None:
    room.broker.on(LOGIN, unreachable)

    async def use() -> list[int]:
        instants = []
        for _ in range(400):
            before = len(room.broker.calls)
            with pytest.raises(BrokerUnreachable):
                await room.session.token()
            if len(room.broker.calls) > before:
                instants.append(room.clock.at)
            room.clock.at += SECOND_NS // 10
        return instants

    instants = room.run(use)
    gaps = [(b - a) / SECOND_NS for a, b in pairwise(instants)]
    assert min(gaps) >= 1
    assert max(gaps) <= 8
    assert len(instants) > 5


def test_many_wait_for_one_login(room: Room) -> None:
    async def slow(call: Any) -> Any:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return good(token=token(9))

    room.broker.on(LOGIN, slow)

    async def use() -> None:
        found = await asyncio.gather(*(room.session.token() for _ in range(20)), room.session.token_now())
        assert set(found) == {token(9)}

    room.run(use)
    assert room.broker.paths() == [LOGIN]


def test_a_waiter_that_gives_up_does_not_end_the_login(room: Room) -> None:
    released = asyncio.Event()

    async def slow(call: Any) -> Any:
        await released.wait()
        return good(token=token(9))

    room.broker.on(LOGIN, slow)

    async def use() -> None:
        waiters = [asyncio.ensure_future(room.session.token()) for _ in range(2)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.sleep(0)
        released.set()
        assert await waiters[1] == token(9)

    room.run(use)
    assert room.broker.paths() == [LOGIN]


def test_enforcement_does_not_wait_for_an_exchange_that_hangs(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.broker.on(VALIDATE, hang)
        room.clock.at += 23 * HOUR_NS
        waiting = asyncio.ensure_future(room.session.token())
        await asyncio.sleep(0)
        assert await room.session.token_now() == token(1)
        waiting.cancel()
        await room.session.close()

    room.run(use)


def test_enforcement_starts_the_exchange_that_is_due(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.clock.at += 23 * HOUR_NS
        assert await room.session.token_now() == token(1)
        await asyncio.sleep(0.01)
        assert await room.session.token_now() == token(2)

    room.run(use)
    assert room.broker.paths() == [LOGIN, VALIDATE]


def test_enforcement_waits_two_seconds_at_most_and_then_tries_the_token_it_has(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.broker.on(LOGIN, hang)
        room.clock.at += 25 * HOUR_NS  # It has ended, by our clock.
        assert await room.session.token_now() == token(1)
        await room.session.close()

    room.run(use)


def test_enforcement_without_any_token_says_why(room: Room) -> None:
    room.broker.on(LOGIN, hang)

    async def use() -> None:
        with pytest.raises(BrokerUnreachable, match="no login within 2 s"):
            await room.session.token_now()
        await room.session.close()

    room.run(use)


def test_a_refused_token_is_replaced_by_a_login_once(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        found = await asyncio.gather(*(room.session.replaced(token(1), False) for _ in range(5)))
        assert found == [token(2)] * 5
        assert await room.session.replaced(token(1), True) == token(2)  # Somebody was faster.

    room.run(use)
    assert room.broker.paths() == [LOGIN, LOGIN]


def test_a_token_refused_again_at_once_is_not_replaced_again(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        assert await room.session.replaced(token(1), False) == token(2)
        assert await room.session.replaced(token(2), False) == token(2)
        room.clock.at += 5 * SECOND_NS
        assert await room.session.replaced(token(2), False) == token(3)

    room.run(use)


def test_a_refused_token_that_cannot_be_replaced_is_still_there_for_enforcement(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.broker.on(LOGIN, hang)
        assert await room.session.replaced(token(1), True) == token(1)
        assert await room.session.token_now() == token(1)
        await room.session.close()

    room.run(use)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (failed(3), "user name or API key is wrong"),
        (failed(9), "no API subscription"),
        (failed(10), "switched off"),
        (failed(7), "agreements"),
        (Reply(400, {"title": "The ApiKey field is required: SECRET-API-KEY"}), "HTTP 400"),
    ],
)
def test_a_refused_login_says_what_to_do(room: Room, answer: Any, words: str) -> None:
    room.broker.on(LOGIN, answer)
    with pytest.raises(LoginRefused, match=words) as error:
        room.run(room.session.open)
    assert "PROJECT_X_API_KEY" in str(error.value)
    assert "SECRET" not in str(error.value)
    assert room.broker.paths() == [LOGIN]


def test_a_refused_login_is_not_repeated_for_ten_seconds(room: Room) -> None:
    room.broker.on(LOGIN, failed(3))

    async def use() -> None:
        for _ in range(5):  # At 0, 3, 6, 9 and 12 s.
            with pytest.raises(LoginRefused):
                await room.session.token()
            room.clock.at += 3 * SECOND_NS
        assert room.broker.count(LOGIN) == 2

    room.run(use)


@pytest.mark.parametrize(
    "answer",
    [
        unreachable,
        Gone(),
        Reply(503),
        Reply(200, b"<html>"),
        failed(8),
        good(token=""),
        good(token="a\r\nb"),
        good(token="é"),
    ],
)
def test_opening_tries_a_few_times(room: Room, answer: Any) -> None:
    room.broker.on(LOGIN, answer)
    with pytest.raises(BrokerUnreachable):
        room.run(room.session.open)
    assert room.broker.paths() == [LOGIN] * 4
    assert all(1 <= seconds <= 7.5 for seconds in room.clock.slept)
    assert room.clock.slept == sorted(room.clock.slept)
    room.broker.on(LOGIN, Reply(503), good(token=token(7)))
    room.clock.at += 60 * SECOND_NS
    room.run(room.session.open)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [(Reply(429), "Wait a minute"), (Reply(503), "Look at your network"), (Gone(), "Look at your")],
)
def test_what_to_do_fits_what_went_wrong(room: Room, answer: Any, advice: str) -> None:
    room.broker.on(LOGIN, answer)
    with pytest.raises(BrokerUnreachable, match=advice):
        room.run(room.session.open)


def test_opening_waits_as_long_as_the_broker_says(room: Room) -> None:
    room.broker.on(LOGIN, Reply(429, None, {"retry-after": "9"}), good(token=token(7)))
    room.run(room.session.open)
    assert room.clock.slept == [9]


def test_closing_logs_out_and_forgets(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        await room.session.close()
        await room.session.close()
        assert room.broker.paths() == [LOGIN, LOGOUT]
        assert room.broker.calls[-1].token == token(1)

    room.run(use)


@pytest.mark.parametrize("answer", [hang, unreachable, Reply(500), Gone()])
def test_closing_takes_no_harm(room: Room, answer: Any) -> None:
    async def use() -> None:
        await room.session.open()
        room.broker.on(LOGOUT, answer)
        await room.session.close()

    room.run(use)


def test_no_secret_gets_out(room: Room) -> None:
    async def use() -> None:
        await room.session.open()
        room.clock.at += 22 * HOUR_NS
        await room.session.token()
        shown = repr(room.session) + repr(vars(room.session))
        await room.session.close()
        room.broker.on(LOGIN, failed(3, f"{NAME} {KEY}"))
        with pytest.raises(LoginRefused) as error:
            await room.session.token()
        assert "SECRET" not in shown + repr(error.value)

    room.run(use)
    assert [line["rest"].removeprefix("/api/") for line in room.lines] == [LOGIN, VALIDATE, LOGOUT, LOGIN]
    assert "SECRET" not in repr(room.lines)
    assert room.lines[0] == {
        "rest": "/api/Auth/loginKey",
        "asked_at": "2026-11-21T12:00:00Z",
        "status": 200,
        "response": {"success": True, "errorCode": 0},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token(1, 1_795_262_400), 1_795_262_400 * SECOND_NS),
        (token(1), None),
        ("", None),
        ("a.b", None),
        ("a.!!!.c", None),
        ("a.bm8ganNvbg.c", None),
        ("a.W10.c", None),
        ("a.eyJleHAiOiAxNzkwMDAwMDAwLjV9.c", 1_790_000_000 * SECOND_NS),
        ("a.eyJleHAiOiB0cnVlfQ.c", None),
        ("a.eyJleHAiOiAtMX0.c", None),
        ("a.eyJleHAiOiAxZTQwMH0.c", None),
    ],
)
def test_the_end_of_a_token(text: str, expected: int | None) -> None:
    assert expires_at(text) == expected
