"""Plain quotes are heard beside the engine, behind it; everything else only passes."""

import asyncio
from collections.abc import Sequence
from typing import Any

from riskcore.core.quotes import Quotes
from riskcore.engine.ports import Feed, Sink
from riskcore.live.overheard import OverheardFeed

QUOTES = Quotes([1], ["MNQ"], [2], [None], [None])


class Talking(Feed):
    def __init__(self) -> None:
        self.followed: list[Any] = []

    async def run(self, sink: Sink) -> None:
        sink.line({"line": 1}, b"line")
        sink.market({"print": 1}, b"print")
        sink.quotes(QUOTES)

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        self.followed.append((accounts, contracts))


class Noting(Sink):
    def __init__(self, heard: list[Any]) -> None:
        self.heard = heard

    def line(self, line: dict[str, Any], text: bytes = b"") -> None:
        self.heard.append((line, text))

    def market(self, line: dict[str, Any], text: bytes = b"") -> None:
        self.heard.append((line, text))

    def quotes(self, quotes: Quotes, texts: Any = None) -> None:
        self.heard.append(quotes)


def test_the_engine_hears_everything_and_hears_it_first() -> None:
    heard: list[Any] = []
    inner = Talking()
    feed = OverheardFeed(inner, lambda quotes: heard.append(("overheard", quotes)))
    asyncio.run(feed.run(Noting(heard)))
    assert heard == [({"line": 1}, b"line"), ({"print": 1}, b"print"), QUOTES, ("overheard", QUOTES)]
    feed.follow([1], ["MNQ"])
    assert inner.followed == [([1], ["MNQ"])]
