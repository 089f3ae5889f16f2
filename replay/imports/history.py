"""What an account's history says: fills, orders and contracts of the broker's answers, each row once.

The rows keep the broker's own fields, so that they can be written as messages of the user hub; the facts
beside them are what the core would make of them. Source: INTERFACE.md 8, topstepx/API.md 2 and 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.topstepx import fields, rows
from adapters.topstepx.fields import Number, Object, Rejected, encode, required
from replay.imports.merge import Version, agreeing, merged_row
from riskcore.core.events import OrderObserved, TradeRecorded
from riskcore.core.products import built_in_contract
from riskcore.core.quantities import MICROSECOND_NS, MONEY_PLACES, decimal_text, money_text
from riskcore.core.state import TERMINAL, Contract

# Fills of one instant: those of a CSV export closing older lots, then all that have an order of their own by id
# or open, then those closing lots of the same second.
CLOSES_OLDER, IN_TURN, CLOSES_SAME_SECOND = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Fill:
    """One half-turn. `place` orders the fills of one instant; `recorded` is None for a voided one.

    `entry_price` is that of the trip a fill closes, where its source says it.
    """

    account: int
    id: int
    contract: str
    at: int
    place: tuple[int, int]
    row: Object
    recorded: TradeRecorded | None
    entry_price: int | None = None
    approximate: bool = False  # Its order is not the broker's word but made from second and side.

    @property
    def closes(self) -> bool:
        """Whether its source says that it closed, told with a P&L or not."""
        return self.place[0] != IN_TURN or (self.recorded is not None and self.recorded.profit_usd is not None)

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
    """All rows of all files, then each of them once.

    Rows are collected with where they stand (`add_...`) and made one by `settle`, so that the order of the files
    decides nothing. `conflicts` says what could not be reconciled.
    """

    fills: dict[tuple[int, int], Fill] = field(default_factory=dict)
    orders: dict[tuple[int, int], OrderRow] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    contract_rows: dict[str, Object] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    negative_costs: list[str] = field(default_factory=list)
    _fills: dict[tuple[int, int], list[Version[Object]]] = field(default_factory=dict)
    _orders: dict[tuple[int, int], list[OrderRow]] = field(default_factory=dict)
    _contracts: dict[str, list[Version[Object]]] = field(default_factory=dict)

    def add_trade(self, value: Any, where: str, wanted: Callable[[int], bool]) -> None:
        """A row of Trade/search, if its account is wanted. Raises Rejected."""
        row, negative = _with_costs_as_costs(plain_row(value))
        fill = fill_of(row)
        if not wanted(fill.account):
            return
        self.negative_costs += [f"{where}: {text}" for text in negative]
        said = fill.recorded
        what: dict[str, Any] = {"contractId": fill.contract, "creationTimestamp": fill.at // MICROSECOND_NS}
        figures: dict[str, Any] = {}
        if said is not None:
            what |= {"price": said.price, "side": said.side, "size": said.size}
            figures = {"profitAndLoss": said.profit_usd, "fees": said.fees_usd, "commissions": said.commissions_usd}
            figures |= {"orderId": said.order_id}
        version = Version(where, fill.at // MICROSECOND_NS, what, figures, row)
        self._fills.setdefault((fill.account, fill.id), []).append(version)

    def add_order(self, value: Any, wanted: Callable[[int], bool]) -> None:
        """A row of Order/search, if its account is wanted. Raises Rejected."""
        order = order_of(value)
        if wanted(order.observed.account):
            self._orders.setdefault((order.observed.account, order.observed.order_id), []).append(order)

    def add_contract(self, value: Any, where: str) -> None:
        """A contract record. Raises Rejected."""
        row = rows.row_of(value)
        contract = rows.contract(row).contract
        figures = {"tickSize": contract.tick_size, "tickValue": contract.tick_value}
        self._contracts.setdefault(contract.id, []).append(Version(where, 0, {}, figures, row))

    def order_accounts(self) -> set[int]:
        """The accounts that some order is of."""
        return {account for account, _ in self._orders}

    def order_ids(self) -> set[tuple[int, int]]:
        """Account and id of every order that some row is of."""
        return set(self._orders)

    def read_fills(self) -> list[Fill]:
        """One row of every fill, before they are settled."""
        return [fill_of(versions[0].row) for versions in self._fills.values()]

    def read_contracts(self) -> set[str]:
        """The contracts that some row is of."""
        orders = {order.contract for versions in self._orders.values() for order in versions}
        return orders | {fill.contract for fill in self.read_fills()}

    @property
    def has_trades(self) -> bool:
        return bool(self._fills)

    def settle(self) -> None:
        """Make the versions of every row one."""
        for name, versions in sorted(self._fills.items()):
            # A voided version says nothing but that, so it differs from no other.
            voided = [one for one in versions if not one.figures]
            told = [one for one in versions if one.figures]
            counting = self._agreed(f"trade {name[1]}", told) if told else []
            self.fills[name] = fill_of(merged_row([one.row for one in (*counting, *voided)]))
        for name, found in sorted(self._orders.items()):
            ordered = sorted(found, key=lambda one: (one.updated_at, one.observed.status in TERMINAL, encode(one.row)))
            self.orders[name] = order_of({key: item for one in ordered for key, item in one.row.items()})
            if len({(one.contract, one.observed.side) for one in ordered}) > 1:
                self.conflicts.append(
                    f"order {name[1]}: rows of two different orders have this id; the newer one counts"
                )
        for contract_id, records in sorted(self._contracts.items()):
            row = max((one.row for one in self._agreed(contract_id, records)), key=encode)
            self.contracts[contract_id] = rows.contract(row).contract
            self.contract_rows[contract_id] = row

    def _agreed(self, name: str, versions: Sequence[Version[Object]]) -> list[Version[Object]]:
        """The versions of a row that count."""
        counting, conflict = agreeing(name, versions)
        if conflict is not None:
            self.conflicts.append(conflict)
        return counting

    def contract(self, contract_id: str) -> Contract | None:
        """Tick economics as the broker described them, else of the built-in table (RULES.md 1.2)."""
        return self.contracts.get(contract_id) or built_in_contract(contract_id)

    def fills_in_order(self) -> list[Fill]:
        return sorted(self.fills.values(), key=lambda fill: fill.in_order)


def fill_of(row: Object, place: tuple[int, int] = (IN_TURN, 0), entry_price: int | None = None) -> Fill:
    """A row of Trade/search as `plain_row` makes it. Raises Rejected."""
    body = rows.trade(row)
    return Fill(
        account=body.account,
        id=body.trade_id,
        contract=required(fields.name_of(row, "contractId"), "contractId"),
        at=required(fields.instant_of(row, "creationTimestamp"), "creationTimestamp"),
        place=place,
        row=row,
        recorded=body if isinstance(body, TradeRecorded) else None,
        entry_price=entry_price,
    )


def order_of(value: Any) -> OrderRow:
    """A row of Order/search. Raises Rejected."""
    row = plain_row(value)
    observed = rows.order(row)
    contract = required(observed.contract, "contractId")
    required(observed.side, "side")
    required(observed.size, "size")
    created_at = required(fields.instant_of(row, "creationTimestamp"), "creationTimestamp")
    updated_at = observed.updated_at if observed.updated_at is not None else created_at
    return OrderRow(observed, contract, created_at, max(created_at, updated_at), row)


def plain_row(value: Any) -> Object:
    """A row as the hub would send it: without nulls, field names beginning small (API.md 0.2). Raises Rejected."""
    row = rows.row_of(value)
    plain = {name[:1].lower() + name[1:]: item for name, item in row.items() if item is not None}
    if len(plain) < sum(item is not None for item in row.values()):
        raise Rejected("a field is given twice")
    return plain


def _with_costs_as_costs(row: Object) -> tuple[Object, list[str]]:
    """A row whose fees and commissions are above zero, and those that were not: a cost is never income."""
    found, negative = dict(row), []
    for name in ("fees", "commissions"):
        amount = fields.money(row, name)
        if amount is not None and amount < 0:
            found[name] = Number(decimal_text(-amount, MONEY_PLACES))
            negative.append(f"{name} {money_text(amount)}")
    return found, negative
