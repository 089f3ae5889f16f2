"""The hubs as the engine hears them, with somebody beside it who hears plain quotes before they are stored."""

from collections.abc import Callable, Sequence

from riskcore.core.quotes import Quotes
from riskcore.engine.ports import Feed, Line, Sink, Texts


class OverheardFeed(Feed):
    """Hands on everything, and plain quotes to `quoted` as well: behind the sink, so that the engine is not kept."""

    def __init__(self, feed: Feed, quoted: Callable[[Quotes], None]) -> None:
        self._feed = feed
        self._quoted = quoted

    async def run(self, sink: Sink) -> None:
        await self._feed.run(_OverheardSink(sink, self._quoted))

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        self._feed.follow(accounts, contracts)


class _OverheardSink(Sink):
    def __init__(self, sink: Sink, quoted: Callable[[Quotes], None]) -> None:
        self._sink = sink
        self._quoted = quoted

    def line(self, line: Line, text: bytes = b"") -> None:
        self._sink.line(line, text)

    def market(self, line: Line, text: bytes = b"") -> None:
        self._sink.market(line, text)

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        self._sink.quotes(quotes, texts)
        self._quoted(quotes)
