"""Hub events of the broker as facts: wrapped or bare, one row or a list of them. Source: topstepx/API.md 4.3."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from adapters.topstepx import fields, rows
from adapters.topstepx.fields import Object, Rejected, required
from adapters.topstepx.rows import row_of
from riskcore.core.events import Body, ConnectionChanged, DepthObserved
from riskcore.core.kinds import HUBS

Reading = tuple[list[Any], Callable[[Any], Body]]  # The rows of a message, and what reads one of them.

_USER_ROWS: dict[str, Callable[[Object], Body]] = {
    "GatewayUserAccount": rows.account,
    "GatewayUserOrder": rows.order,
    "GatewayUserTrade": rows.trade,
}
_MARKET_ROWS: dict[str, Callable[[str, Object], Body]] = {"GatewayQuote": rows.quote, "GatewayTrade": rows.print_of}


def hub_reading(hub: Any, target: Any, arguments: Any) -> Reading:
    """The rows of one hub event and their reader. Raises Rejected when the event as a whole makes no sense."""
    if hub not in HUBS:
        raise Rejected(f"unknown hub {hub!r:.40}")
    if target == "GatewayLogout":
        return [hub], lambda name: ConnectionChanged(name, "lost")
    if not isinstance(arguments, list) or not arguments:
        raise Rejected("arguments is not a list with content")
    payload = arguments[-1]
    listed = payload if isinstance(payload, list) else [payload]
    if target == "GatewayUserPosition":
        return listed, lambda value: rows.position(*_unwrapped(value))
    if target in _USER_ROWS:
        read_user = _USER_ROWS[target]
        return listed, lambda value: read_user(_unwrapped(value)[0])
    if target == "GatewayDepth":
        present = _present(listed)
        return ([present] if present else []), lambda value: _depth(arguments, value)
    if target in _MARKET_ROWS:
        read_market = _MARKET_ROWS[target]
        return (
            _present(listed) if target == "GatewayTrade" else listed,
            lambda value: _market(read_market, arguments, value),
        )
    raise Rejected(f"unknown event {target!r:.40}")


def accounts_named(line: Object) -> list[int]:
    """The accounts of whose orders, fills and positions a message speaks, as far as it can be read."""
    if line.get("target") not in ("GatewayUserOrder", "GatewayUserTrade", "GatewayUserPosition"):
        return []
    found: list[int] = []
    for value in hub_reading(line.get("hub"), line["target"], line.get("arguments"))[0]:
        with suppress(Rejected):
            found += [required(fields.identifier(_unwrapped(value)[0], "accountId"), "accountId")]
    return found


def _present(listed: list[Any]) -> list[Any]:
    """Without the nulls that the arrays of prints and depth may hold (API.md 0.11)."""
    return [row for row in listed if row is not None]


def _unwrapped(value: Any) -> tuple[Object, int | None]:
    """A row out of {"action":n,"data":{...}} with its action, or bare (API.md 0.1)."""
    row = row_of(value)
    data = fields.field(row, "data")
    if data is None:
        return row, None
    return row_of(data), fields.integer(row, "action")


def _market(read: Callable[[str, Object], Body], arguments: list[Any], value: Any) -> Body:
    row = _unwrapped(value)[0]
    return read(_contract(arguments, row), row)


def _contract(arguments: list[Any], row: Object) -> str:
    """The contract of a market event: the first of two arguments, or named in the row itself."""
    if len(arguments) > 1:
        return required(fields.name_of({"contractId": arguments[0]}, "contractId"), "contractId")
    return required(fields.name_of(row, "contractId") or fields.name_of(row, "contract"), "contractId")


def _depth(arguments: list[Any], listed: list[Any]) -> DepthObserved:
    for value in listed:
        row = row_of(value)
        fields.price(row, "price")
        fields.integer(row, "volume")
        fields.integer(row, "currentVolume")
    return DepthObserved(_contract(arguments, listed[0]), fields.whole_text(fields.encode(listed), "depth"))
