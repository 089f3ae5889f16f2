"""The reading endpoints of the simulated broker: accounts, contracts, orders, positions, fills, bars.

Choice where topstepx/API.md has no source: the time windows of Order/search, v2/query and Trade/search look at
creationTimestamp.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from adapters.simulator import rows
from adapters.simulator.bar_history import Bar
from adapters.simulator.records import WorkOrder
from adapters.simulator.rows import REST_DIGITS
from adapters.simulator.spelling import spelled, spelled_in_full
from adapters.simulator.venue import Reply, Venue
from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected, required
from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.core.state import STATUS_OPEN

Listed = TypeVar("Listed")
_NOT_FOUND = 1
_MOST_FOUND, _MOST_QUERIED, _MOST_BARS = 20, 100, 20_000
_SEARCHED_STATUSES = (1, 2, 3, 5)  # 6 and 8 were seen only on the hub (API.md 3.2).
_QUERY_FIELDS = ("accountId", "statuses", "contractId", "createdAfter", "createdBefore")
_BY_ID, _ASCENDING = 1, 0
_UNITS_NS = {1: SECOND_NS, 2: MINUTE_NS, 3: 60 * MINUTE_NS, 4: DAY_NS, 5: 7 * DAY_NS, 6: 31 * DAY_NS}
_UNIT_INVALID, _UNIT_NUMBER_INVALID, _LIMIT_INVALID = 2, 3, 4


def accounts(venue: Venue, body: Object) -> Reply:
    """Account/search. Raises Rejected, like all that follow, for a malformed body (HTTP 400)."""
    only_active = required(fields.flag(body, "onlyActiveAccounts"), "onlyActiveAccounts")
    shown = [account for account in venue.accounts.values() if account.visible or not only_active]
    return Reply({"accounts": [spelled(rows.account(account), account.id) for account in shown]})


# ---- contracts ---------------------------------------------------------------------------------------


def search_contracts(venue: Venue, body: Object) -> Reply:
    """Contract/search: wherever the text occurs in id, name or description, at most 20 (API.md 2.1)."""
    text = (fields.text(body, "searchText") or "").lower()
    names = ("id", "name", "description")
    found = [row for row in _active_rows(venue, body) if any(text in row[name].lower() for name in names)]
    return Reply({"contracts": found[:_MOST_FOUND]})


def available_contracts(venue: Venue, body: Object) -> Reply:
    """Contract/available: the active month of every product."""
    return Reply({"contracts": _active_rows(venue, body)})


def _active_rows(venue: Venue, body: Object) -> list[Object]:
    """Of the simulated feed; the live one shows nothing to simulated accounts."""
    live = required(fields.flag(body, "live"), "live")
    return [] if live else [rows.contract(instrument) for instrument in venue.active_instruments()]


def contract_by_id(venue: Venue, body: Object) -> Reply:
    """Contract/searchById: expired ones too."""
    instrument = venue.instrument(required(fields.text(body, "contractId"), "contractId"))
    if instrument is None:
        return Reply({"contract": None}, _NOT_FOUND)
    return Reply({"contract": rows.contract(instrument, venue.is_active(instrument))})


# ---- orders ------------------------------------------------------------------------------------------


def search_orders(venue: Venue, body: Object) -> Reply:
    """Order/search: open, filled, cancelled and rejected orders of a window, oldest first."""
    own = _own_orders(venue, body)
    start = required(fields.instant_of(body, "startTimestamp"), "startTimestamp")
    end = fields.instant_of(body, "endTimestamp")
    if own is None:
        return Reply({"orders": None}, _NOT_FOUND)
    shown = [one for one in own if one.status in _SEARCHED_STATUSES and _within(one.created_at, start, end)]
    return Reply({"orders": _order_rows(_latest(venue, shown))})


def open_orders(venue: Venue, body: Object) -> Reply:
    """Order/searchOpen: status 1 only; suspended legs are hidden (API.md 0.6)."""
    own = _own_orders(venue, body)
    if own is None:
        return Reply({"orders": None}, _NOT_FOUND)
    return Reply({"orders": _order_rows([one for one in own if one.status == STATUS_OPEN])})


def order_by_id(venue: Venue, body: Object) -> Reply:
    """Order/searchById: whatever its status."""
    account_id = required(fields.integer(body, "accountId"), "accountId")
    order = venue.exchange.order(required(fields.integer(body, "orderId"), "orderId"))
    if order is None or order.account.id != account_id:
        return Reply({"order": None}, _NOT_FOUND)
    return Reply({"order": _order_rows([order])[0]})


def query_orders(venue: Venue, body: Object) -> Reply:
    """Order/v2/query as measured: the offset counts rows, 100 at most, contractId has no effect (API.md 2.4)."""
    if any(fields.field(body, name) is not None for name in _QUERY_FIELDS):
        raise Rejected("filter fields belong into filter")
    query = fields.field(body, "filter")
    if not isinstance(query, dict):
        raise Rejected("filter is missing")
    own = _own_orders(venue, query)
    after, before = fields.instant_of(query, "createdAfter"), fields.instant_of(query, "createdBefore")
    statuses = fields.field(query, "statuses")
    if statuses is not None and not (isinstance(statuses, list) and all(type(one) is int for one in statuses)):
        raise Rejected("statuses is not a list of numbers")
    size, offset = fields.integer(body, "pageSize"), fields.integer(body, "pageOffset") or 0
    if offset < 0 or (size is not None and size < 1):
        raise Rejected("pageSize and pageOffset count rows")
    if own is None:
        return Reply({"orders": None, "totalCount": None}, _NOT_FOUND)
    found = [one for one in own if statuses is None or one.status in statuses]
    found = [one for one in found if _within(one.created_at, after, before)]
    by_id = fields.integer(body, "sortBy") == _BY_ID
    found.sort(key=lambda one: one.id if by_id else one.created_at)
    if fields.integer(body, "sortDirection") != _ASCENDING:
        found.reverse()
    page = found[offset : offset + min(size or _MOST_QUERIED, _MOST_QUERIED)]
    total = len(found) if fields.flag(body, "includeTotalCount") else None
    return Reply({"orders": _order_rows(page), "totalCount": total})


def _own_orders(venue: Venue, body: Object) -> list[WorkOrder] | None:
    """Every order of the account that is asked for, oldest first; None for an unknown account."""
    account = venue.accounts.get(required(fields.integer(body, "accountId"), "accountId"))
    return None if account is None else [order for order in venue.exchange.orders if order.account is account]


def _order_rows(orders: Iterable[WorkOrder]) -> list[Object]:
    return [spelled(rows.order(order, REST_DIGITS), order.id) for order in orders]


def _latest(venue: Venue, found: list[Listed]) -> list[Listed]:
    """As many rows as one answer holds, the latest of them."""
    return found[-venue.most_rows :] if venue.most_rows else found


def _within(at: int, start: int | None, end: int | None) -> bool:
    return (start is None or at >= start) and (end is None or at <= end)


# ---- positions and fills -----------------------------------------------------------------------------


def positions(venue: Venue, body: Object) -> Reply:
    """Position/searchOpen."""
    account = venue.accounts.get(required(fields.integer(body, "accountId"), "accountId"))
    if account is None:
        return Reply({"positions": None}, _NOT_FOUND)
    held = [holding for holding in account.holdings.values() if holding.size]
    return Reply({"positions": [spelled(rows.position(one, REST_DIGITS), one.id) for one in held]})


def trades(venue: Venue, body: Object) -> Reply:
    """Trade/search: half-turns, newest first."""
    account = venue.accounts.get(required(fields.integer(body, "accountId"), "accountId"))
    start, end = fields.instant_of(body, "startTimestamp"), fields.instant_of(body, "endTimestamp")
    if account is None:
        return Reply({"trades": None}, _NOT_FOUND)
    own = [fill for fill in venue.exchange.fills if fill.account is account and _within(fill.at, start, end)]
    return Reply({"trades": [spelled(rows.fill(fill, REST_DIGITS), fill.id) for fill in reversed(_latest(venue, own))]})


# ---- bars --------------------------------------------------------------------------------------------


def bars(venue: Venue, body: Object) -> Reply:
    """History/retrieveBars: the latest of the window, newest first; expired months by the hour and day only."""
    contract_id = required(fields.text(body, "contractId"), "contractId")
    live = required(fields.flag(body, "live"), "live")
    partial = required(fields.flag(body, "includePartialBar"), "includePartialBar")
    start, end = (required(fields.instant_of(body, name), name) for name in ("startTime", "endTime"))
    unit, number, limit = (required(fields.integer(body, name), name) for name in ("unit", "unitNumber", "limit"))
    instrument = venue.instrument(contract_id)
    if instrument is None:
        return Reply({"bars": None}, _NOT_FOUND)
    for wrong, code in (
        (unit not in _UNITS_NS, _UNIT_INVALID),
        (number < 1, _UNIT_NUMBER_INVALID),
        (not 1 <= limit <= _MOST_BARS, _LIMIT_INVALID),
    ):
        if wrong:
            return Reply({"bars": None}, code)
    unit_ns = _UNITS_NS[unit] * number
    if live or (unit_ns < 60 * MINUTE_NS and not venue.is_active(instrument)):
        return Reply({"bars": []})
    if not partial:
        end = min(end, venue.now // unit_ns * unit_ns)
    end = min(end, venue.now)
    found = venue.history(instrument).newest_first(unit_ns, start, end, limit)
    return Reply({"bars": [spelled_in_full(row) for row in _bar_rows(found)]})


def _bar_rows(found: Sequence[Bar]) -> list[Object]:
    return [
        {
            "t": rows.time(bar.opens_at, REST_DIGITS),
            "o": rows.price(bar.open),
            "h": rows.price(bar.high),
            "l": rows.price(bar.low),
            "c": rows.price(bar.close),
            "v": bar.volume,
        }
        for bar in found
    ]
