"""The stream over a real WebSocket: resumed by cursor, filtered, ended with the right code."""

import asyncio
import json
import time
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock
from urllib.parse import quote

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.web import readers
from adapters.web.thread import WebThread
from riskcore.audit.stream_messages import no_channels
from riskcore.core.quantities import PRICE_SCALE
from riskcore.core.quotes import Quotes
from riskcore.core.state import Mark
from riskcore.engine.control_file import Control
from tests.adapters.web.conftest import Asked
from tests.adapters.web.serving import asked, day_under_way, recorded_day, serving
from tests.engine.answering_desk import AnsweringDesk, SmallMarket

Row = dict[str, Any]


def stream(control: Control, query: str = "", **options: Any) -> Any:
    url = f"{control.url.replace('http', 'ws', 1)}/api/stream{query}"
    return connect(url, additional_headers={"Authorization": f"Bearer {control.token}"}, proxy=None, **options)


async def messages(socket: ClientConnection, seconds: float = 1) -> list[str]:
    """What comes until nothing does for a while, without the state that opens the stream."""
    found = []
    try:
        while True:
            found.append(str(await asyncio.wait_for(socket.recv(), seconds if found else 20)))
    except TimeoutError:
        pass
    assert json.loads(found[0])["type"] == "daemon_status"
    return [one for one in found if json.loads(one)["cursor"] is not None]


async def told(control: Control, query: str) -> list[str]:
    async with stream(control, query) as socket:
        return await messages(socket)


async def code_at_the_end(socket: ClientConnection) -> int | None:
    """Read on until the connection is closed."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None


def test_the_same_bytes_from_every_cursor(service: Asked) -> None:
    async def talk() -> None:
        everything = await told(service.control, "?after=start")
        assert len(everything) > 20
        for index in (0, len(everything) // 2, len(everything) - 1):
            cursor = json.loads(everything[index])["cursor"]
            assert await told(service.control, f"?after={quote(cursor)}") == everything[index + 1 :]
        assert await told(service.control, "") == [], "without a cursor it begins now"

    asyncio.run(talk())


def test_messages_are_left_out_by_type(service: Asked) -> None:
    async def talk() -> tuple[list[str], list[str]]:
        everything = await told(service.control, "?after=start")
        return everything, await told(service.control, "?after=start&types=breach,lockout_set")

    everything, chosen = asyncio.run(talk())
    assert chosen == [one for one in everything if json.loads(one)["type"] in ("breach", "lockout_set")]
    assert chosen


@pytest.mark.parametrize(("query", "said", "code"), [("?after=2031-01-02:1", None, 4409), ("", "hello", 1008)])
def test_a_stream_ends_with_its_code(service: Asked, query: str, said: str | None, code: int) -> None:
    async def talk() -> int | None:
        async with stream(service.control, query) as socket:
            if said is not None:
                await socket.send(said)
            return await code_at_the_end(socket)

    assert asyncio.run(talk()) == code


def test_an_engine_that_stops_says_so(tmp_path: Path) -> None:
    store, profile = recorded_day(tmp_path)

    async def talk() -> tuple[Row, int | None]:
        async with serving(AnsweringDesk(), SmallMarket(), store, profile) as control:
            socket = await stream(control)
            state: Row = json.loads(await socket.recv())["data"]
        return state, await code_at_the_end(socket)

    state, code = asyncio.run(talk())
    assert list(state) == ["state", "profile", "version", "head"]
    assert (state["state"], state["profile"]) == ("armed", profile)
    assert code == 1001


def test_there_is_room_for_so_many_streams(service: Asked) -> None:
    from websockets.exceptions import InvalidStatus

    async def talk() -> int:
        sockets = [await stream(service.control) for _ in range(32)]
        try:
            with pytest.raises(InvalidStatus) as refused:
                await stream(service.control)
            return int(refused.value.response.status_code)
        finally:
            for socket in sockets:
                await socket.close()

    assert asyncio.run(talk()) == 503


async def quotes_until(socket: ClientConnection, seconds: float) -> list[Row]:
    """The quotes that come within a time."""
    found: list[Row] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                row = json.loads(await socket.recv())
                found += [row["data"]] if row["type"] == "MarketQuote" else []
    except TimeoutError:
        return found


def test_a_quote_is_told_and_shown_before_it_is_stored(tmp_path: Path) -> None:
    store, profile = day_under_way(tmp_path)
    contract, begun = "CON.F.US.MNQ.Z26", time.time_ns()

    async def talk() -> None:
        made: list[WebThread] = []
        service = serving(AnsweringDesk(), SmallMarket(), store, profile, quote_hz=20, made=made.append)
        async with service as control, stream(control) as socket:
            made[0].quoted(Quotes([begun], [contract], [21_000 * PRICE_SCALE], [None], [None]))
            [quote] = await quotes_until(socket, 0.4)
            assert (quote["contract"], quote["last"]) == (contract, "21000")
            assert quote["bid"] is not None, "what the quote leaves out stays as the journal has it"
            [held] = (await asked(control, "GET", "/api/positions")).row["positions"]
            assert (held["mark"], held["unrealized"]) == ("21000", "-230.50"), "short 4 from 20971.1875"
            made[0].quoted(Quotes([begun - 10**9], [contract], [20_000 * PRICE_SCALE], [None], [None]))
            assert await quotes_until(socket, 0.3) == [], "an older quote is no news"

    asyncio.run(talk())


def test_a_burst_of_quotes_is_thinned_and_its_last_arrives(tmp_path: Path) -> None:
    store, profile = recorded_day(tmp_path)
    contract, begun = "CON.F.US.MNQ.Z26", time.time_ns()

    async def talk() -> list[Row]:
        made: list[WebThread] = []
        service = serving(AnsweringDesk(), SmallMarket(), store, profile, quote_hz=4, made=made.append)
        async with service as control, stream(control) as socket:
            reading = asyncio.create_task(quotes_until(socket, 1.6))
            for number in range(100):
                price = (21_000 + number) * PRICE_SCALE
                made[0].quoted(Quotes([begun + number], [contract], [price], [None], [None]))
                await asyncio.sleep(0.01)
            return await reading

    told = asyncio.run(talk())
    assert 2 <= len(told) <= 7
    assert told[-1]["last"] == "21099"


def test_a_reader_that_takes_nothing_delays_nobody_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "STALLED_SECONDS", 2)
    store, profile = recorded_day(tmp_path)

    async def talk() -> tuple[list[str], list[str], int | None, float, float]:
        made: list[WebThread] = []
        async with serving(AnsweringDesk(), SmallMarket(), store, profile, made=made.append) as control:
            everything = await told(control, "?after=start")
            slow = await stream(control, "?after=start", max_queue=1)
            first = [str(await slow.recv()) for _ in range(5)]
            async with stream(control) as other:
                await other.recv()
                began = time.monotonic()
                for number in range(300):  # Each as long as a message may be: more than the sockets hold.
                    made[0].halt(f"{number} " + "x" * 60_000, False)
                called = time.monotonic() - began
                while not json.loads(await other.recv())["data"]["text"].startswith("299 "):
                    pass
                heard = time.monotonic() - began
            await asyncio.sleep(3)
            try:
                while True:
                    first.append(str(await asyncio.wait_for(slow.recv(), 5)))
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else None
            cursors = [json.loads(one)["cursor"] for one in first]
            seen = [text for text, cursor in zip(first, cursors, strict=True) if cursor is not None]
            after = quote(json.loads(seen[-1])["cursor"])
            return everything, seen + await told(control, f"?after={after}"), code, called, heard

    everything, seen, code, called, heard = asyncio.run(talk())
    assert code == 4408
    assert called < 10, "the engine waits for nobody: the slow reader takes nothing until this is over"
    assert heard < 60
    assert seen == everything


def test_a_reader_that_goes_while_older_messages_are_read_leaves_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = Event()
    monkeypatch.setattr(readers, "tell_from", lambda *_: let_go.wait(10))

    async def talk() -> set[str]:
        many = readers.Readers(Mock(), MagicMock(), dict, 4, no_channels)
        reading = many._read_back(readers.BEFORE_ALL, readers.Reader(readers.Wanted(None)))
        waiting = asyncio.ensure_future(anext(reading))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        let_go.set()
        many.close()
        return {str(one) for one in left}

    assert asyncio.run(talk()) == set()


@pytest.mark.parametrize(
    ("behind", "quoted", "ends"),
    [(999, True, False), (1_000, True, False), (1_001, False, False), (9_999, False, False), (10_000, False, True)],
)
def test_a_reader_far_behind_loses_quotes_first_and_then_its_connection(behind: int, quoted: bool, ends: bool) -> None:
    async def talk() -> readers.Reader:
        tail: Any = SimpleNamespace(end=50_000)
        found = readers.Readers(tail, Mock(), lambda: {"state": "armed"}, 4, no_channels)
        reader = readers.Reader(readers.Wanted(None, frozenset(), frozenset()), number=tail.end - behind)
        found._readers[reader] = Mock()
        tail.changed({"MNQ": Mark(21_000 * PRICE_SCALE, None, None, 1, 1)})
        found.close()
        return reader

    reader = asyncio.run(talk())
    assert bool(reader.quotes) == quoted
    assert reader.too_slow == ends


def test_a_reader_too_far_behind_is_let_go_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, profile = recorded_day(tmp_path)

    async def talk() -> tuple[int | None, list[str], list[str]]:
        made: list[WebThread] = []
        async with serving(AnsweringDesk(), SmallMarket(), store, profile, made=made.append) as control:
            everything = await told(control, "?after=start")
            async with stream(control) as slow:
                await slow.recv()
                monkeypatch.setattr(readers, "MOST_BEHIND", 0)
                made[0].stored()
                code = await code_at_the_end(slow)
            monkeypatch.undo()
            half = len(everything) // 2
            after = quote(json.loads(everything[half - 1])["cursor"])
            return code, everything[half:], await told(control, f"?after={after}")

    code, rest, resumed = asyncio.run(talk())
    assert code == 4408
    assert resumed == rest
