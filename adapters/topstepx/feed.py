"""Both hubs of TopstepX as the engine's Feed. Source: topstepx/API.md 4.

Each hub has its own supervisor and task, and each gives way to the other after every read, so that a flood of
quotes never keeps an order or a fill waiting. Nothing is dropped or judged here: unknown events, and records that
are no messages, are handed on as well, and the normaliser makes WireRejected of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from adapters.topstepx.fields import RAW_CHARACTERS
from adapters.topstepx.plain_quotes import QuoteRecords
from adapters.topstepx.signalr.codec import Invocation, Message, PlainRecords, Unreadable, read
from adapters.topstepx.signalr.connection import Call
from adapters.topstepx.signalr.supervisor import HubHealth, Supervisor, Tokens
from adapters.topstepx.transport import Connect
from adapters.topstepx.wire_text import hub_text, line_text, quote_texts
from riskcore.core.kinds import ConnectionState, Hub
from riskcore.core.quotes import Quotes
from riskcore.engine.ports import Clock, Line, Sink

_SCHEMES = {"http": "ws", "https": "wss"}
_LOGOUT = "GatewayLogout"
_QUOTE = "GatewayQuote"
_OF_EACH_ACCOUNT = ("SubscribeOrders", "SubscribePositions", "SubscribeTrades")
_OF_EACH_CONTRACT = ("SubscribeContractQuotes", "SubscribeContractTrades")


class TopstepFeed:
    """The Feed of riskcore.engine.ports.

    `rtc_url` is the hubs' base (http, https, ws or wss). `market_expected` says whether quotes should be coming
    now: contracts are followed whose market is open. `quoted` hears plain quotes as well, behind the sink.
    """

    def __init__(
        self,
        rtc_url: str,
        connect: Connect,
        tokens: Tokens,
        clock: Clock,
        chance: Random,
        market_expected: Callable[[], bool],
        quoted: Callable[[Quotes], None] = lambda quotes: None,
    ) -> None:
        self._quoted = quoted
        base = _websocket_url(rtc_url)
        self._records = QuoteRecords()
        self._sink: Sink | None = None
        self._user = Supervisor(
            "user",
            f"{base}/hubs/user",
            connect,
            tokens,
            clock,
            chance,
            hear=self._hear_user,
            announce=lambda state: self._announce("user", state),
            busy=market_expected,
        )
        self._market = Supervisor(
            "market",
            f"{base}/hubs/market",
            connect,
            tokens,
            clock,
            chance,
            hear=self._hear_market,
            announce=lambda state: self._announce("market", state),
            plain=self._records.plain,
            data_expected=market_expected,
            busy=market_expected,
            # One contract that the hub does not know must not cost the marks of all others.
            each_by_itself=True,
        )
        self.follow((), ())

    async def run(self, sink: Sink) -> None:
        """Until cancelled."""
        self._sink = sink
        async with asyncio.TaskGroup() as group:
            group.create_task(self._user.run())
            group.create_task(self._market.run())

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        """What to be subscribed to from now on, also after every reconnect."""
        user: list[Call] = [("SubscribeAccounts", ())]
        user += [(target, (account,)) for account in accounts for target in _OF_EACH_ACCOUNT]
        self._user.follow(user)
        self._market.follow([(target, (contract,)) for contract in contracts for target in _OF_EACH_CONTRACT])

    def reconnect(self, reason: str) -> None:
        """Open both hubs anew, although they may look well."""
        for hub in (self._user, self._market):
            hub.reopen(reason)

    def health(self) -> tuple[HubHealth, HubHealth]:
        """Of the user hub and of the market hub."""
        return self._user.health(), self._market.health()

    # ---- inside ----------------------------------------------------------------------------------------

    def _announce(self, hub: Hub, state: ConnectionState) -> None:
        assert self._sink is not None
        line = {"connection": hub, "state": state}
        self._sink.line(line, line_text(line))

    def _hear_user(self, message: Message, at: int) -> None:
        assert self._sink is not None
        self._sink.line(*_line("user", message))
        if _is_logout(message):
            self._user.logged_out()

    def _hear_market(self, message: Message, at: int) -> None:
        assert self._sink is not None
        if isinstance(message, PlainRecords):
            quotes = self._records.read(message.lines, at)
            if quotes is not None:
                self._market.data_came()
                self._sink.quotes(quotes, partial(quote_texts, message.lines))
                self._quoted(quotes)
                return
            for record in message.lines[:-1].split(b"\n"):
                one = read(record)
                if one is not None:
                    self._hear_market(one, at)
        elif _is_logout(message):
            # A change of the connection: it must not wait behind quotes.
            self._sink.line(*_line("market", message))
            self._market.logged_out()
        else:
            if isinstance(message, Invocation) and message.target == _QUOTE:
                self._market.data_came()
            self._sink.market(*_line("market", message))


def _line(hub: Hub, message: Message) -> tuple[Line, bytes]:
    """A message as a line of a recording, and as it came.

    One that is no message has no target, so the normaliser rejects it as it is.
    """
    if isinstance(message, Invocation):
        line = {"hub": hub, "target": message.target, "arguments": message.arguments}
        return line, hub_text(hub, line, message.record)
    assert isinstance(message, Unreadable)
    line = {"hub": hub, "unreadable": message.reason, "text": message.raw[:RAW_CHARACTERS]}
    return line, line_text(line)


def _is_logout(message: Message) -> bool:
    return isinstance(message, Invocation) and message.target == _LOGOUT


def _websocket_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{_SCHEMES.get(scheme.lower(), scheme)}{separator}{rest}".rstrip("/")
