"""What an account's history says: fills, orders and contracts of the broker's answers, each row once.

The rows keep the broker's own fields, so that they can be written as messages of the user hub; the facts
beside them are what the core would make of them. Source: INTERFACE.md 8, topstepx/API.md 2 and 3.
"""

from dataclasses import dataclass, field
from typing import Any

from adapters.topstepx import fields, rows
from adapters.topstepx.fields import Object, Rejected, required
from riskcore.core.events import OrderObserved, TradeRecorded
from riskcore.core.products import built_in_contract
from riskcore.core.state import TERMINAL, Contract

# Fills of one instant: those of a CSV export closing older lots, then all that have an order of their own by id
# or open, then those closing lots of the same second.
CLOSES_OLDER, IN_TURN, CLOSES_SAME_SECOND = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Fill:
    """One half-turn. `place` orders the fills of one instant; `recorded` is None for a voided one."""

    account: int
    id: int
    contract: str
    at: int
    place: tuple[int, int]
    row: Object
    recorded: TradeRecorded | None

    @property
    def in_order(self) -> tuple[int, tuple[int, int], int]:
        return self.at, self.place, self.id


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the broker last knew it."""

    observed: OrderObserved
    contract: str
    created_at: int
    updated_at: int
    row: Object


@dataclass(slots=True)
class History:
    """All rows of all files. A row that comes twice is merged: what says more, or is newer, counts."""

    fills: dict[tuple[int, int], Fill] = field(default_factory=dict)
    orders: dict[tuple[int, int], OrderRow] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    contract_rows: dict[str, Object] = field(default_factory=dict)

    def add_fill(self, fill: Fill) -> None:
        known = self.fills.get((fill.account, fill.id))
        if known is not None:
            voided = {"voided": True} if known.recorded is None or fill.recorded is None else {}
            fill = fill_of({**known.row, **fill.row, **voided}, fill.place)
        self.fills[(fill.account, fill.id)] = fill

    def add_order(self, order: OrderRow) -> None:
        name = (order.observed.account, order.observed.order_id)
        known = self.orders.get(name)
        if known is not None:
            older, newer = sorted((known, order), key=lambda one: (one.updated_at, one.observed.status in TERMINAL))
            order = order_of({**older.row, **newer.row})
        self.orders[name] = order

    def add_contract(self, row: Object) -> None:
        """Raises Rejected."""
        contract = rows.contract(row).contract
        self.contracts[contract.id] = contract
        self.contract_rows[contract.id] = row

    def contract(self, contract_id: str) -> Contract | None:
        """Tick economics as the broker described them, else of the built-in table (RULES.md 1.2)."""
        return self.contracts.get(contract_id) or built_in_contract(contract_id)

    def fills_in_order(self) -> list[Fill]:
        return sorted(self.fills.values(), key=lambda fill: fill.in_order)


def fill_of(value: Any, place: tuple[int, int] = (IN_TURN, 0)) -> Fill:
    """A row of Trade/search. Raises Rejected."""
    row = _plain(value)
    body = rows.trade(row)
    return Fill(
        account=body.account,
        id=body.trade_id,
        contract=required(fields.name_of(row, "contractId"), "contractId"),
        at=required(fields.instant_of(row, "creationTimestamp"), "creationTimestamp"),
        place=place,
        row=row,
        recorded=body if isinstance(body, TradeRecorded) else None,
    )


def order_of(value: Any) -> OrderRow:
    """A row of Order/search. Raises Rejected."""
    row = _plain(value)
    observed = rows.order(row)
    contract = required(observed.contract, "contractId")
    required(observed.side, "side")
    required(observed.size, "size")
    created_at = required(fields.instant_of(row, "creationTimestamp"), "creationTimestamp")
    updated_at = observed.updated_at if observed.updated_at is not None else created_at
    return OrderRow(observed, contract, created_at, max(created_at, updated_at), row)


def _plain(value: Any) -> Object:
    """A row as the hub would send it: without nulls, field names beginning small (API.md 0.2). Raises Rejected."""
    row = rows.row_of(value)
    plain = {name[:1].lower() + name[1:]: item for name, item in row.items() if item is not None}
    if len(plain) < sum(item is not None for item in row.values()):
        raise Rejected("a field is given twice")
    return plain
