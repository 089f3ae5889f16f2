"""What an account is at this moment, in full: positions, working orders, fills, ended orders, balance.

Each answer is handed on as a line with the instant before the question, so that whatever the hub pushed since wins.
A question that failed, or an answer with a row that cannot be read, makes the snapshot incomplete: unknown is never
empty. Source: topstepx/API.md 4.4, DESIGN.md "Connection and truth".
"""

from adapters.topstepx.client import Client
from adapters.topstepx.exchange import Exchange
from adapters.topstepx.normalise import normalise
from adapters.topstepx.order_query import query_orders
from adapters.topstepx.wire import AccountSearch, OrderSearch, OrderSearchOpen, PositionSearchOpen, TradeSearch
from riskcore.core.events import AccountObserved, OrdersListed, PositionsListed, WireRejected

_NOT_FOUND = 404


async def take_snapshot(client: Client, account: int, since: int, enforcement: bool) -> bool:
    """Read everything; whether all of it came. What cannot be read ends it: the next attempt asks for all again.

    Positions come first, because a reduction waits for them. Fills and ended orders are those since `since`.
    """
    positions = await client.call(PositionSearchOpen(account_id=account), enforcement=enforcement)
    if not _tells(positions, PositionsListed):
        return False
    if not await _working_orders(client, account, enforcement):
        return False
    trades = await client.call(TradeSearch(account_id=account, start_timestamp=since), enforcement=enforcement)
    if trades.rows("trades") is None or not _readable(trades):
        return False
    orders = await client.call(OrderSearch(account_id=account, start_timestamp=since), enforcement=enforcement)
    if orders.rows("orders") is None or not _readable(orders):
        return False
    accounts = await client.call(AccountSearch(only_active_accounts=True), enforcement=enforcement)
    return any(isinstance(body, AccountObserved) and body.account == account for body in _bodies(accounts))


async def _working_orders(client: Client, account: int, enforcement: bool) -> bool:
    """All working orders; from a broker without the query the open ones only, which claims nothing of the others."""
    exchange = await query_orders(client, account, enforcement)
    if exchange.status == _NOT_FOUND:
        exchange = await client.call(OrderSearchOpen(account_id=account), enforcement=enforcement)
    return _tells(exchange, OrdersListed)


def _tells(exchange: Exchange, kind: type[PositionsListed] | type[OrdersListed]) -> bool:
    """Whether an answer says something about a list as a whole."""
    return exchange.good and any(isinstance(body, kind) for body in _bodies(exchange))


def _readable(exchange: Exchange) -> bool:
    return not any(isinstance(body, WireRejected) for body in _bodies(exchange))


def _bodies(exchange: Exchange) -> list[object]:
    return [event.body for event in normalise(exchange.line(), exchange.asked_at)]
