"""The life of an order out of its last known row: the versions the user hub would have sent.

Order/search shows an order as it ended. Versions before that follow from the protocol (topstepx/API.md 2.3,
3.2): it was open or pending from its creation, a bracket leg was suspended until its entry filled, and every
fill but the last left it open. A filled order ends with its last fill: the row's own update time may be the
moment a bracket leg got its prices. Prices changed in between are not in the row and not made up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.topstepx.fields import Object
from replay.imports.history import Fill, OrderRow
from riskcore.core.state import STATUS_FILLED, STATUS_OPEN, STATUS_SUSPENDED, TERMINAL, TYPE_MARKET
from riskcore.schema.instants import utc_text

STATUS_PENDING = 6
# What comes first among the messages of one instant: entry = order, fill, order filled; exit = order filled, fill.
CREATED, EXIT_FILLED, TRADED, ENTRY_FILLED, ACTIVATED, ENDED = range(6)
_PRICES = ("limitPrice", "stopPrice", "trailPrice", "trailDistance")
_OUTCOME = ("fillVolume", "filledPrice")


@dataclass(frozen=True, slots=True)
class Version:
    """One message about an order: when, what comes before it in the same instant, and the row it carries."""

    at: int
    phase: int
    row: Object


def _version(at: int, phase: int, row: Object, **changed: int) -> Version:
    """A version with its own update time: by the last one's, every version would look as old as the others."""
    return Version(at, phase, {**row, "updateTimestamp": utc_text(at), **changed})


def order_versions(
    order: OrderRow, fills: Mapping[tuple[int, int], Sequence[Fill]], orders: Mapping[tuple[int, int], OrderRow]
) -> Iterator[Version]:
    """Every version of one order. `fills` are by account and order id, oldest first; `orders` by account and id."""
    observed, row = order.observed, order.row
    own = fills.get((observed.account, observed.order_id), ())
    unfilled = {name: item for name, item in row.items() if name not in _OUTCOME} | {"fillVolume": 0}
    entry = orders.get((observed.account, observed.parent_id)) if observed.parent_id is not None else None
    waiting = STATUS_PENDING if observed.type == TYPE_MARKET else STATUS_OPEN
    end = _end(order, own)
    if entry is None:
        yield _version(order.created_at, CREATED, unfilled, status=waiting)
    else:
        suspended = {name: item for name, item in unfilled.items() if name not in _PRICES}
        yield _version(order.created_at, CREATED, suspended, status=STATUS_SUSPENDED)
        activated_at = _filled_at(entry, fills)
        if activated_at is not None and (end is None or activated_at < end.at):
            yield _version(max(activated_at, order.created_at), ACTIVATED, unfilled, status=waiting)
    volume = 0
    for fill in own:
        assert fill.recorded is not None, "voided fills are left out"
        volume += fill.recorded.size
        if end is None or volume < (observed.size or 0) or observed.status != STATUS_FILLED:
            yield _version(fill.at, _phase(fill), unfilled, status=STATUS_OPEN, fillVolume=volume)
    if end is not None:
        yield end


def _end(order: OrderRow, own: Sequence[Fill]) -> Version | None:
    """The row itself, at its time; None for an order that still works as it was created."""
    status = order.observed.status
    if status not in TERMINAL:
        return _version(order.updated_at, ENDED, order.row) if order.updated_at > order.created_at else None
    if not own:
        return _version(order.updated_at, EXIT_FILLED if status == STATUS_FILLED else ENDED, order.row)
    last = own[-1]
    if order.updated_at > last.at or status != STATUS_FILLED:
        return _version(max(order.updated_at, last.at), ENDED, order.row)
    return _version(last.at, _phase(last), order.row)


def _phase(fill: Fill) -> int:
    """Whether an order's message comes before the fill that closes, or after the fill that opens (API.md 4.3)."""
    assert fill.recorded is not None, "voided fills are left out"
    return ENTRY_FILLED if fill.recorded.profit_usd is None else EXIT_FILLED


def _filled_at(entry: OrderRow, fills: Mapping[tuple[int, int], Sequence[Fill]]) -> int | None:
    """When an entry order began to fill, None when it never did."""
    own = fills.get((entry.observed.account, entry.observed.order_id), ())
    if own:
        return own[0].at
    return entry.updated_at if entry.observed.status == STATUS_FILLED else None
