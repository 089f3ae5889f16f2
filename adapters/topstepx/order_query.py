"""All working orders of an account, suspended bracket legs too, as one list. Source: topstepx/API.md 2.4.

The broker gives a hundred rows at a time and counts the offset in rows, so an order that fills between two pages
would shift another one out of sight. Pages therefore overlap by one row, which must be the same in both; else the
list is read again from its beginning.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from adapters.topstepx.client import Client
from adapters.topstepx.exchange import Exchange
from adapters.topstepx.wire import OrderFilter, OrderQuery
from riskcore.core.state import WORKING

_READINGS = 3
_MOST_ROWS = 10_000


async def query_orders(client: Client, account: int, enforcement: bool) -> Exchange:
    """The list as one exchange, handed on as one line: `asked_at` and `request` are those of its first page.

    When a page fails, or the list will not hold still, every page is handed on as it came and the failed one is
    returned: it has no rows.
    """
    asked = OrderFilter(account_id=account, statuses=WORKING)

    def ask(body: OrderQuery) -> Awaitable[Exchange]:
        return client.call(body, enforcement=enforcement, recorded=False)

    pages, rows = await query_pages(ask, asked)
    if rows is not None:
        whole = replace(pages[0], response={**pages[0].response, "orders": rows}, answer=b"")
        client.record(whole)
        return whole
    for page in pages:
        client.record(page)
    return replace(pages[-1], response=None) if pages[-1].good else pages[-1]


async def query_pages(
    ask: Callable[[OrderQuery], Awaitable[Exchange]], asked: OrderFilter
) -> tuple[list[Exchange], list[Any] | None]:
    """The pages of the last reading, and all their rows; None for them when a page failed or the list kept moving."""
    for _ in range(_READINGS):
        pages, rows = await _read(ask, asked)
        if rows is not None or not pages[-1].good:
            break
    return pages, rows


async def _read(
    ask: Callable[[OrderQuery], Awaitable[Exchange]], asked: OrderFilter
) -> tuple[list[Exchange], list[Any] | None]:
    """The pages of one reading, and all their rows; None for them when a page failed or the list moved."""
    pages: list[Exchange] = []
    rows: list[Any] = []
    while len(rows) < _MOST_ROWS:
        offset = max(len(rows) - 1, 0)
        page = await ask(OrderQuery(filter=asked, page_offset=offset))
        pages.append(page)
        found = page.rows("orders")
        if found is None:
            return pages, None
        if rows and found[:1] != rows[-1:]:
            return pages, None
        before, rows = len(rows), rows[:-1] + found
        total = page.response.get("totalCount")
        if total != pages[0].response.get("totalCount"):
            return pages, None
        if type(total) is not int or len(rows) >= total or len(rows) == before:
            return pages, rows
    return pages, None
