"""Bars page by page, from the newest to the oldest."""

from typing import Any

import pytest

from adapters.topstepx.history import bars
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.errors import BrokerUnreachable, GatewayError
from riskcore.schema.instants import utc_text
from tests.adapters.topstepx.small_broker import MNQ, Call, Reply, failed, good, unreachable
from tests.adapters.topstepx.test_client import Room

START = 1_795_262_400 * SECOND_NS - 1000 * MINUTE_NS


@pytest.fixture
def room() -> Room:
    return Room()


def offer(room: Room, count: int) -> None:
    """Minute bars from START, given as the broker does: the latest of the window, the newest first."""
    opens = [utc_text(START + minute * MINUTE_NS) for minute in range(count)]

    def answer(call: Call) -> Any:
        asked = call.body
        inside = [text for text in opens if asked["startTime"] <= text <= asked["endTime"]]
        rows = [{"t": text, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1} for text in inside]
        return good(bars=rows[::-1][: asked["limit"]])

    room.broker.on("History/retrieveBars", answer)


def fetch(room: Room, minutes: int, limit: int) -> list[str]:
    async def use() -> list[str]:
        found: list[str] = []
        async for page in bars(room.client, MNQ, START, START + minutes * MINUTE_NS, 2, limit=limit):
            found.extend(row["t"] for row in page.rows("bars") or [])
        return found

    result: list[str] = room.run(use)
    return result


@pytest.mark.parametrize("limit", [2, 3, 7, 9, 10, 11, 100])
def test_every_bar_comes(room: Room, limit: int) -> None:
    offer(room, 10)
    found = fetch(room, 20, limit)
    assert found == sorted(found, reverse=True)
    assert set(found) == {utc_text(START + minute * MINUTE_NS) for minute in range(10)}
    assert len(room.broker.calls) <= 10 // (limit - 1) + 1


def test_pages_that_do_not_get_older_end_it(room: Room) -> None:
    offer(room, 10)
    assert set(fetch(room, 20, 1)) == {utc_text(START + 9 * MINUTE_NS)}


def test_an_empty_window(room: Room) -> None:
    assert fetch(room, 20, 5) == []
    assert fetch(room, 0, 5) == []


def test_a_long_download_keeps_the_quota_and_outlives_its_token(room: Room) -> None:
    offer(room, 160)
    room.broker.ends = room.clock.at // SECOND_NS + 30
    assert len(set(fetch(room, 200, 3))) == 160
    downloads = [call for call in room.broker.calls if call.path == "History/retrieveBars"]
    assert len(downloads) == 80
    assert sum(room.clock.slept) >= 31
    assert len({call.token for call in downloads}) >= 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (failed(1), GatewayError, "does not know this contract"),
        (good(), GatewayError, "no list of bars"),
        (good(bars=[{"t": "yesterday"}]), GatewayError, "cannot be read"),
        (good(bars=[{}]), GatewayError, "cannot be read"),
        (Reply(500), GatewayError, "HTTP 500"),
        (unreachable, BrokerUnreachable, "did not come"),
    ],
)
def test_what_goes_wrong_is_said(room: Room, answer: Any, error: type[GatewayError], words: str) -> None:
    room.broker.on("History/retrieveBars", answer)
    with pytest.raises(error, match=words):
        fetch(room, 5, 100)
