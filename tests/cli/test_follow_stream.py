"""`riskcore status --follow`: the same lines from the running engine and from its store."""

import asyncio
import json
from itertools import islice
from pathlib import Path

import pytest

from riskcore.cli.follow_stream import stream_lines, text_of
from riskcore.cli.main import run
from riskcore.errors import ConfigError
from riskcore.store.lease import ProfileLock
from riskcore.store.recorder import lock_path
from tests.adapters.web.serving import recorded_day, serving
from tests.engine.answering_desk import AnsweringDesk, SmallMarket


def test_engine_and_store_say_the_same(tmp_path: Path) -> None:
    store, profile = recorded_day(tmp_path)

    def lines() -> list[str]:
        return list(islice(stream_lines(store, profile, "start", ()), 20))

    async def served() -> list[str]:
        lock = ProfileLock(lock_path(store, profile), profile)
        try:
            async with serving(AnsweringDesk(), SmallMarket(), store, profile):
                return await asyncio.to_thread(lines)
        finally:
            lock.release()

    live, stored = asyncio.run(served()), lines()
    assert json.loads(live[0])["data"]["state"] == "armed"
    assert json.loads(stored[0])["data"]["state"] == "read_only"
    assert live[1:] == stored[1:]
    cursor = json.loads(stored[5])["cursor"]
    assert list(islice(stream_lines(store, profile, cursor, ()), 5))[1:] == stored[6:10]
    assert any(text_of(line) for line in stored)


def test_a_cursor_of_another_journal_is_a_mistake(tmp_path: Path) -> None:
    store, profile = recorded_day(tmp_path)
    for cursor in ("2031-01-02:1", "nonsense"):
        with pytest.raises(ConfigError, match="cursor"):
            next(stream_lines(store, profile, cursor, ()))
    assert run(["status", "--after", "start", "--store", store]) == 2


def test_a_line_for_people_is_made_of_words_and_not_of_fields(tmp_path: Path) -> None:
    store, profile = recorded_day(tmp_path)
    told = [text for line in islice(stream_lines(store, profile, "start", ()), 60) if (text := text_of(line))]
    text = "\n".join(told)
    assert not [word for word in ("GatewayUser", "None", "False", "account_name") if word in text]
    for words in (
        "account     50KTC-V2-99000001  balance 50000",
        "fill        50KTC-V2-99000001  bought 2 CON.F.US.MNQ.Z26 at 21002.5",
        "position    50KTC-V2-99000001  long 2 CON.F.US.MNQ.Z26 at 21002.5, open P&L ",
        "filled: buy 2 CON.F.US.MNQ.Z26",
        "CON.F.US.MNQ.Z26 flat",
    ):
        assert words in text
