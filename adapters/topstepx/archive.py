"""What the broker remembers of a login: accounts, fills, orders, contracts, bars. Questions only; nothing is changed.

An answer is either whole or an error: what could not be read is never taken for an empty list. The token is renewed
while a long download runs, and the quota leaves room for an engine of the same login. Source: topstepx/API.md 1, 2.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from adapters.topstepx.breaker import Breaker
from adapters.topstepx.client import Client
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.error_codes import TOO_MANY, judge
from adapters.topstepx.exchange import Caller, Exchange
from adapters.topstepx.order_query import query_pages
from adapters.topstepx.quota import BARS_SECONDS, CALLS_SECONDS, MARGIN_SECONDS, Quota
from adapters.topstepx.session import Session
from adapters.topstepx.transport import Transport
from adapters.topstepx.wire import (
    MOST_BARS,
    AccountSearch,
    Body,
    ContractSearch,
    ContractSearchById,
    OrderFilter,
    OrderSearch,
    OrderSearchById,
    RetrieveBars,
    TradeSearch,
    envelope,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.ports import Clock
from riskcore.errors import BrokerUnreachable, GatewayError, LoginRefused

# How long the broker may stay silent before a download gives up; what it has so far is kept.
PATIENCE_SECONDS = 30
RETRY_SECONDS = 2.0
_NO_SUCH_CALL = (400, 404)  # Older gateways know neither Order/v2/query nor Order/searchById.
_UNKNOWN = 1
_FORBIDDEN = (401, 403)
# Of the broker's 50 calls for bars in 30 s; an engine of this login asks for marks while its feed is stale.
_BARS_CALLS, _OTHER_CALLS = 45, 120


class Archive:
    """The history of one login. `waiting` hears why a question has to be asked again.

    Every question raises LoginRefused, BrokerUnreachable and GatewayError.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        clock: Clock,
        random: Random,
        waiting: Callable[[str], None],
    ) -> None:
        quota, breaker = Quota(bars=_BARS_CALLS), Breaker()
        caller = Caller(transport, quota, breaker, clock)
        self._transport = transport
        self._clock = clock
        self._waiting = waiting
        self._session = Session(caller, credentials, clock, random, _unrecorded)
        self._client = Client(caller, self._session, quota, breaker, clock, random, _unrecorded)

    async def open(self) -> None:
        """Log in."""
        await self._session.open()

    async def close(self) -> None:
        """Log out if that is quickly done, and let the connections go."""
        try:
            await self._session.close()
        finally:
            await self._transport.close()

    async def accounts(self) -> list[Any]:
        """Every account of the login, closed ones too."""
        return self._rows(await self._asked(AccountSearch(only_active_accounts=False)), "accounts")

    async def contracts_like(self, text: str) -> list[Any]:
        """The contracts whose name is like `text`; the search is fuzzy (API.md 2.1)."""
        return self._rows(await self._asked(ContractSearch(live=False, search_text=text)), "contracts")

    async def contract(self, contract: str) -> Any | None:
        """The record of a contract, an expired one too; None when the broker knows none."""
        return self._one(await self._asked(ContractSearchById(contract_id=contract)), "contract")

    async def trades(self, account: int, start: int, end: int) -> list[Any]:
        """Half-turns made from `start` up to `end`, in nanoseconds."""
        body = TradeSearch(account_id=account, start_timestamp=start, end_timestamp=end)
        return self._rows(await self._asked(body), "trades")

    async def orders(self, account: int, start: int, end: int) -> list[Any]:
        """Orders of that time that Order/search shows: not those that are still suspended or pending (API.md 3.2)."""
        body = OrderSearch(account_id=account, start_timestamp=start, end_timestamp=end)
        return self._rows(await self._asked(body), "orders")

    async def queried_orders(self, account: int, start: int, end: int) -> list[Any] | None:
        """Orders created in that time, whatever their status; None when the broker has no Order/v2/query."""
        asked = OrderFilter(account_id=account, created_after=start, created_before=end)
        pages, rows = await query_pages(self._asked, asked)
        if rows is None and pages[-1].status in _NO_SUCH_CALL:
            return None
        if rows is None and pages[-1].good:
            raise GatewayError(f"the orders of account {account} changed while they were listed; run it again")
        return self._rows(pages[-1], "orders") if rows is None else rows

    async def order(self, account: int, order: int) -> Any | None:
        """One order by its id; None when the broker knows none, or has no such call."""
        exchange = await self._asked(OrderSearchById(account_id=account, order_id=order))
        return None if exchange.status in _NO_SUCH_CALL else self._one(exchange, "order")

    async def bars(self, contract: str, start: int, end: int, unit: int, unit_number: int) -> list[Any] | None:
        """The latest 20,000 bars that begin from `start` up to `end`; None when the broker does not know the contract.

        `unit` is the broker's number of second, minute, hour or day (API.md 3.1).
        """
        body = RetrieveBars(
            contract_id=contract,
            live=False,
            start_time=start,
            end_time=end,
            unit=unit,
            unit_number=unit_number,
            limit=MOST_BARS,
            include_partial_bar=False,
        )
        exchange = await self._asked(body)
        return None if _is_unknown(exchange) else self._rows(exchange, "bars")

    @staticmethod
    def seconds_for(calls: int, bars: int) -> float:
        """How long so many calls, and so many for bars, take at least within the quota."""
        windows = ((calls, _OTHER_CALLS, CALLS_SECONDS), (bars, _BARS_CALLS, BARS_SECONDS))
        return float(sum(count // most * (seconds + MARGIN_SECONDS) for count, most, seconds in windows))

    # ---- one question ----------------------------------------------------------------------------------

    async def _asked(self, body: Body) -> Exchange:
        """The answer; a broker that is silent, busy or out of order is asked again for a while."""
        failing_since: int | None = None
        while True:
            exchange = await self._client.call(body, recorded=False)
            if not exchange.transient:
                return exchange
            now = self._clock.now()
            if exchange.status == TOO_MANY:
                failing_since = None  # It answers; the quota pauses as long as it wants.
            elif failing_since is None:
                failing_since = now
            elif now - failing_since > PATIENCE_SECONDS * SECOND_NS:
                raise BrokerUnreachable(f"{_name(exchange)} gave no answer: {_reason(exchange)}")
            self._waiting(f"{_name(exchange)}: {_reason(exchange)}; trying again")
            await self._clock.sleep(RETRY_SECONDS)

    def _rows(self, exchange: Exchange, key: str) -> list[Any]:
        rows = exchange.rows(key)
        if rows is None:
            raise _failure(exchange, f"the answer has no list of {key}")
        return rows

    def _one(self, exchange: Exchange, key: str) -> Any | None:
        if _is_unknown(exchange):
            return None
        found = exchange.response.get(key) if exchange.good else None
        if found is None:
            raise _failure(exchange, f"the answer has no {key}")
        return found


def _unrecorded(exchange: Exchange) -> None:
    """A download keeps the rows; how they came is no line of a recording."""


def _is_unknown(exchange: Exchange) -> bool:
    """Whether the broker says that there is no such contract or order (API.md 2.5)."""
    found = envelope(exchange.response)
    return exchange.status == 200 and found is not None and found.error_code == _UNKNOWN


def _failure(exchange: Exchange, otherwise: str) -> GatewayError:
    if exchange.status in _FORBIDDEN:
        return LoginRefused(f"{_name(exchange)}: the broker does not accept this login any more")
    return GatewayError(f"{_name(exchange)}: {_reason(exchange) or otherwise}")


def _reason(exchange: Exchange) -> str:
    if exchange.status is None:
        return exchange.reason
    return judge(exchange.path, exchange.status, exchange.response).reason


def _name(exchange: Exchange) -> str:
    return exchange.path.removeprefix("/api/")
