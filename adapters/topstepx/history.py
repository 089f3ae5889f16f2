"""Bars of a contract, however many: pages from the newest to the oldest. Source: topstepx/API.md 2.1."""

from collections.abc import AsyncIterator

from adapters.topstepx import fields
from adapters.topstepx.client import Client
from adapters.topstepx.error_codes import judge
from adapters.topstepx.exchange import Exchange
from adapters.topstepx.fields import Rejected
from adapters.topstepx.wire import MOST_BARS, RetrieveBars
from riskcore.errors import BrokerUnreachable, GatewayError


async def bars(
    client: Client,
    contract: str,
    start: int,
    end: int,
    unit: int,
    unit_number: int = 1,
    *,
    live: bool = False,
    limit: int = MOST_BARS,
) -> AsyncIterator[Exchange]:
    """Every page of the bars that begin from `start` up to `end` (nanoseconds), the newest first.

    A page begins where the one before it ended, so one bar may come twice. They are not handed on as lines: the
    caller decides where they go. A token that ends meanwhile is replaced. Raises GatewayError.
    """
    while start < end:
        body = RetrieveBars(
            contract_id=contract,
            live=live,
            start_time=start,
            end_time=end,
            unit=unit,
            unit_number=unit_number,
            limit=limit,
            include_partial_bar=False,
        )
        exchange = await client.call(body, recorded=False)
        rows = exchange.rows("bars")
        if rows is None:
            raise _failure(contract, exchange)
        if not rows:
            return
        oldest = _oldest(contract, rows)
        yield exchange
        if len(rows) < limit or oldest >= end:
            return
        end = oldest


def _oldest(contract: str, rows: list[object]) -> int:
    try:
        return min(fields.required(fields.instant_of(row, "t"), "t") for row in rows if isinstance(row, dict))
    except (Rejected, ValueError) as error:
        raise GatewayError(f"the bars of {contract} cannot be read: {error}") from None


def _failure(contract: str, exchange: Exchange) -> GatewayError:
    if exchange.status is None:
        return BrokerUnreachable(f"the bars of {contract} did not come: {exchange.reason}")
    reason = judge(exchange.path, exchange.status, exchange.response).reason
    return GatewayError(f"the bars of {contract} did not come: {reason or 'the answer has no list of bars'}")
