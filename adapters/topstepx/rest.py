"""Answers of the broker's REST endpoints as facts. Source: topstepx/API.md 2.

A list is complete only when the broker said so: a failed call, an answer without its list, a list with a row
that cannot be read, or one page of several never says that something is gone. What changes no state is kept
as CallObserved without anything secret.
"""

from collections.abc import Callable, Iterable
from typing import Any

from adapters.topstepx import fields, rows
from adapters.topstepx.fields import Object, Rejected, required
from adapters.topstepx.hub import Reading
from adapters.topstepx.rows import row_of
from riskcore.core.events import (
    Body,
    CallObserved,
    OrderObserved,
    OrdersListed,
    PositionObserved,
    PositionsListed,
    TradeRecorded,
    TradesListed,
    TradeVoided,
)
from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.core.state import STATUS_OPEN, WORKING

Summary = Callable[[list[Body]], list[Body]]  # From the facts of all rows, each one read, to what they say together.
_LONGEST_MESSAGE = 500
_OWNED = (PositionObserved, OrderObserved, TradeRecorded, TradeVoided)
# A month is its longest, so that no bar is known before it has ended.
_UNITS_NS = {1: SECOND_NS, 2: MINUTE_NS, 3: 60 * MINUTE_NS, 4: DAY_NS, 5: 7 * DAY_NS, 6: 31 * DAY_NS}
_LONGEST_UNIT_NUMBER = 100_000


def is_login(path: str) -> bool:
    """Whether a path belongs to the calls that carry secrets."""
    return "auth" in path.lower()


def path_of(value: Any) -> str:
    """The path of a call without its query, which may hold a token. Raises Rejected."""
    if not isinstance(value, str) or not value:
        raise Rejected("rest is not a path")
    return fields.whole_text(value.partition("?")[0][:200], "rest")


def call(path: str, request: Any, status: int, response: Any) -> CallObserved:
    """The exchange itself, without payload; of a login only whether it worked."""
    answer = response if isinstance(response, dict) else {}
    asked = request if isinstance(request, dict) else {}
    login = is_login(path)
    success = answer.get("success")
    return CallObserved(
        path=path,
        status=status,
        success=success if isinstance(success, bool) else None,
        error_code=_small(answer.get("errorCode")),
        error_message=None if login else _message(answer.get("errorMessage")),
        account=None if login else _small(asked.get("accountId")),
        order_id=None if login else _small(answer.get("orderId")) or _small(asked.get("orderId")),
    )


def _small(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None


def _message(value: Any) -> str | None:
    """The broker's own words, withheld when they may repeat a login."""
    return fields.raw_text(value)[:_LONGEST_MESSAGE] if isinstance(value, str) else None


def rest_reading(path: str, request: Any, response: Any) -> tuple[Reading, Summary] | None:
    """The rows of a successful answer, their reader, and what they say together; None when it has none.

    Raises Rejected when the request is needed to understand the answer and makes no sense.
    """
    name = path.strip("/").lower().removeprefix("api/")
    if not isinstance(response, dict) or response.get("success") is not True or name not in _ANSWERS:
        return None
    if response.get("errorCode") not in (None, 0):  # Success and an error at once: neither can be believed.
        return None
    key, reading = _ANSWERS[name]
    payload = fields.field(response, key)
    listed = payload if key.endswith("s") else payload and [payload]
    if not isinstance(listed, list):
        return None
    return reading(_object(request), listed, response)


def _object(value: Any) -> Object:
    """A request, which explains an answer but is not needed to read its rows: empty when it is no object."""
    return value if isinstance(value, dict) else {}


def _plain(read: Callable[[Object], Body]) -> Callable[[Object, list[Any], Object], tuple[Reading, Summary]]:
    return lambda asked, listed, response: ((listed, lambda row: read(row_of(row))), _as_read)


def _account_of(asked: Object, bodies: Iterable[Body]) -> int | None:
    """Whose list it is: as asked, else the one account of all its rows."""
    try:
        account = fields.identifier(asked, "accountId")
    except Rejected:
        return None
    owners = {body.account for body in bodies if isinstance(body, _OWNED)}
    if account is None and len(owners) == 1:
        return owners.pop()
    return account if owners <= {account} else None


def _positions(asked: Object, listed: list[Any], response: Object) -> tuple[Reading, Summary]:
    def together(bodies: list[Body]) -> list[Body]:
        account = _account_of(asked, bodies)
        if account is None:
            return bodies
        return [PositionsListed(account, tuple(body for body in bodies if isinstance(body, PositionObserved)))]

    return (listed, lambda row: rows.position(row_of(row))), together


def _orders(statuses: Callable[[Object, list[Any], Object], tuple[int, ...]]) -> Any:
    """A reading of order rows that ends with OrdersListed when `statuses` says which the answer lists in full."""

    def reading(asked: Object, listed: list[Any], response: Object) -> tuple[Reading, Summary]:
        query = _object(asked.get("filter", asked))
        try:
            complete = statuses(asked, listed, response)
        except Rejected:
            complete = ()

        def together(bodies: list[Body]) -> list[Body]:
            account = _account_of(query, bodies)
            if not complete or account is None:
                return bodies
            ids = tuple(body.order_id for body in bodies if isinstance(body, OrderObserved))
            return [*bodies, OrdersListed(account, complete, ids)]

        return (listed, lambda row: rows.order(row_of(row))), together

    return reading


def _open(asked: Object, listed: list[Any], response: Object) -> tuple[int, ...]:
    return (STATUS_OPEN,)


def _queried(asked: Object, listed: list[Any], response: Object) -> tuple[int, ...]:
    """The statuses that a query lists in full: one page that is all, not narrowed by contract or date."""
    query = row_of(fields.field(asked, "filter"))
    narrowed = any(fields.field(query, name) is not None for name in ("contractId", "createdAfter", "createdBefore"))
    whole = fields.integer(response, "totalCount") == len(listed) and not fields.integer(asked, "pageOffset")
    if narrowed or not whole:
        return ()
    statuses = fields.field(query, "statuses")
    if statuses is None:
        return WORKING
    if not isinstance(statuses, list) or not all(type(status) is int for status in statuses):
        raise Rejected("statuses is not a list of numbers")
    return tuple(statuses)


def _trades(asked: Object, listed: list[Any], response: Object) -> tuple[Reading, Summary]:
    """Fills, ending with TradesListed when they are all there are since an instant."""
    try:
        from_at = fields.instant_of(asked, "startTimestamp")
        whole = fields.field(asked, "accountId") is not None and fields.field(asked, "endTimestamp") is None
    except Rejected:
        from_at, whole = None, False

    def together(bodies: list[Body]) -> list[Body]:
        account = _account_of(asked, bodies) if whole else None
        return bodies if account is None or from_at is None else [*bodies, TradesListed(account, from_at)]

    return (_oldest_first(listed, "creationTimestamp"), lambda row: rows.trade(row_of(row))), together


def _bars(asked: Object, listed: list[Any], response: Object) -> tuple[Reading, Summary]:
    contract = required(fields.name_of(asked, "contractId"), "contractId")
    unit = required(fields.integer(asked, "unit"), "unit")
    number = required(fields.integer(asked, "unitNumber"), "unitNumber")
    if unit not in _UNITS_NS or not 1 <= number <= _LONGEST_UNIT_NUMBER:
        raise Rejected(f"bars of unit {unit}, number {number} have no length")
    unit_ns = _UNITS_NS[unit] * number
    return (_oldest_first(listed, "t"), lambda row: rows.bar(contract, unit_ns, row_of(row))), _as_read


def _oldest_first(listed: list[Any], name: str) -> list[Any]:
    """Rows by time, then id: the broker sends the newest first, promising nothing. Unreadable rows come first."""

    def place(row: Any) -> tuple[int, int]:
        try:
            return fields.instant_of(row_of(row), name) or 0, fields.integer(row, "id") or 0
        except Rejected:
            return 0, 0

    return sorted(listed, key=place)


def _as_read(bodies: list[Body]) -> list[Body]:
    return bodies


_ANSWERS: dict[str, tuple[str, Callable[[Object, list[Any], Object], tuple[Reading, Summary]]]] = {
    "account/search": ("accounts", _plain(rows.account)),
    "contract/search": ("contracts", _plain(rows.contract)),
    "contract/available": ("contracts", _plain(rows.contract)),
    "contract/searchbyid": ("contract", _plain(rows.contract)),
    "position/searchopen": ("positions", _positions),
    "order/searchopen": ("orders", _orders(_open)),
    "order/v2/query": ("orders", _orders(_queried)),
    "order/search": ("orders", _plain(rows.order)),
    "order/searchbyid": ("order", _plain(rows.order)),
    "trade/search": ("trades", _trades),
    "history/retrievebars": ("bars", _bars),
}
