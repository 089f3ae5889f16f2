"""The platform's trade export: one CSV row a round trip, made into its two half-turns. Source: INTERFACE.md 8.

Lots with the same entry second, price and side were one opening fill, unless a lot of another price was closed
between them; every row is a closing fill of its own. Fees and commissions of a row are for the whole trip and are
halved.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from adapters.topstepx.fields import Number, Object
from adapters.topstepx.rows import WIRE_SIDES
from replay.export_values import MONTH_FIRST, contract_id, date_order, decimal_mark, export_instant, number_text
from replay.imports.history import CLOSES_OLDER, CLOSES_SAME_SECOND, IN_TURN, Fill, fill_of
from replay.imports.merge import Version, agreeing
from replay.imports.table import Table, find_table, first_line
from riskcore.core import quantities
from riskcore.core.order_words import SIDES
from riskcore.core.quantities import SECOND_NS, decimal_text, money_text, price_text
from riskcore.core.state import BUY, SELL
from riskcore.errors import InputError
from riskcore.schema.instants import utc_text

COLUMNS = ("Id", "ContractName", "EnteredAt", "ExitedAt", "EntryPrice", "ExitPrice", "PnL", "Size", "Type")
FEES, COMMISSIONS = "Fees", "Commissions"
# An export that holds several accounts names them in one of these.
ACCOUNT_COLUMNS = ("AccountId", "Account", "AccountName")
_COSTS = (FEES, COMMISSIONS)
_TRADED = ("ContractName", "EnteredAt", "ExitedAt")  # A line of totals has none of them.
_TIMES = ("EnteredAt", "ExitedAt")
_NUMBERS = ("EntryPrice", "ExitPrice", "PnL", *_COSTS)
# What only the platform's export of orders has.
_ORDER_COLUMNS = ("Status", "CreatedAt", "FilledAt", "ExecutePrice", "PositionDisposition", "CreationDisposition")
# Opening fills have no id in the export; theirs is the closing id of the first of their lots, moved beyond all ids
# that a number of the export can be.
OPENING_IDS_FROM = 10**quantities.LARGEST_DIGITS
_NOTHING = ("", "NULL")
_SIDES = {"long": BUY, "short": SELL, **SIDES}
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One row. Prices of 1e-9 points, money of 1e-6 dollars, side +1 for a long; None for what is not told."""

    id: int
    account: str  # As the row names it, empty when it names none.
    contract: str
    entered_at: int
    exited_at: int
    entry_price: int
    exit_price: int
    fees_usd: int | None
    commissions_usd: int | None
    profit_usd: int | None
    size: int
    side: int


@dataclass(frozen=True, slots=True)
class Export:
    """What one file holds.

    `negative_costs` says which costs were below zero, `left_out` which lines are no trade, `assumed` what the file
    leaves open and was decided for it.
    """

    name: str
    trips: Sequence[Version[RoundTrip]]
    negative_costs: Sequence[str]
    left_out: Sequence[str]
    assumed: Sequence[str]

    @property
    def ids(self) -> set[tuple[str, int]]:
        return {(version.row.account, version.row.id) for version in self.trips}


def read_export(path: Path, text: str, dates: str | None = None) -> Export:
    """The rows of an export. `dates`: the order of dates with slashes. Raises InputError naming file and line."""
    table = _table(path, text)
    account = next((name for name in ACCOUNT_COLUMNS if not table.missing([name])), "")
    rows = list(table.rows(COLUMNS, (*_COSTS, *filter(None, [account]))))
    try:
        mark = decimal_mark(row[name] for _, row in rows for name in _NUMBERS if row[name])
    except ValueError as error:
        raise InputError(f"{path}: {error}; write all of them one way") from None
    order, assumed = _date_order(path, [row[name] for _, row in rows for name in _TIMES], dates)
    trips, negative, left_out = [], [], []
    for line, row in rows:
        if not any(row[name] for name in _TRADED):
            left_out.append(f"{path.name} line {line}: names no contract and no time, so it is no trade; left out")
            continue
        try:
            if _moves_nothing(row, mark):
                left_out.append(f"{path.name} line {line}: its size is zero, so nothing was traded; left out")
                continue
            trip = _round_trip(row, mark, order, row.get(account, ""))
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}") from None
        where = f"{path.name} line {line}"
        for name, amount in zip(_COSTS, (trip.fees_usd, trip.commissions_usd), strict=True):
            if amount is not None and amount < 0:
                negative.append(f"{where}: {name} {money_text(amount)}")
        trips.append(_version(where, trip))
    return Export(path.name, trips, negative, left_out, assumed)


def _date_order(path: Path, texts: Sequence[str], asked: str | None) -> tuple[str, list[str]]:
    """The order of the file's dates with slashes, and what was assumed. Raises InputError."""
    try:
        shown, open_to_both = date_order(texts)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    if asked is not None and shown not in (None, asked):
        raise InputError(f"{path}: --dates {asked}, but its dates can only be {shown}")
    if asked is not None or shown is not None or open_to_both is None:
        return asked or shown or MONTH_FIRST, []
    return MONTH_FIRST, [
        f"{path.name}: no date shows whether the day or the month comes first ({open_to_both[:40]!r}); taken as month "
        "first, as the platform writes it. If the day comes first, import again with --dates day-first"
    ]


def _moves_nothing(row: Mapping[str, str], mark: str) -> bool:
    """Whether a row has the size zero and no money. Raises ValueError for money without a size."""
    if not _is_zero("Size", row["Size"], mark):
        return False
    for name in ("PnL", *_COSTS):
        if row[name].upper() not in _NOTHING and not _is_zero(name, row[name], mark):
            raise ValueError(f"Size is zero, but {name} is {row[name][:40]!r}")
    return True


def _is_zero(name: str, text: str, mark: str) -> bool:
    return _column(name, text, lambda told: quantities.price(number_text(told, mark))) == 0


def _table(path: Path, text: str) -> Table:
    table = find_table(path, text, (*COLUMNS, *_COSTS, *_ORDER_COLUMNS))
    if table is None:
        raise InputError(
            f"{path}: neither an answer of the broker (trades, orders, bars, contracts) nor a trade export; it begins "
            f"with {first_line(text)!r}, and a trade export has the columns {','.join(COLUMNS)}"
        )
    missing = table.missing(COLUMNS)
    if missing and len(table.missing(_ORDER_COLUMNS)) <= len(_ORDER_COLUMNS) - 2:
        raise InputError(
            f"{path}, line {table.line}: this is the platform's export of orders, which has no round trips; "
            "export Trades instead, or give the Order/search answer as JSON"
        )
    if missing:
        raise InputError(f"{path}, line {table.line}: the trade export lacks the columns {', '.join(missing)}")
    return table


def _version(where: str, trip: RoundTrip) -> Version[RoundTrip]:
    what = {
        "ContractName": trip.contract,
        "EnteredAt": trip.entered_at // SECOND_NS,
        "ExitedAt": trip.exited_at // SECOND_NS,
        "EntryPrice": trip.entry_price,
        "ExitPrice": trip.exit_price,
        "Size": trip.size,
        "Type": trip.side,
    }
    costs = [None if cost is None else abs(cost) for cost in (trip.fees_usd, trip.commissions_usd)]
    figures = {"PnL": trip.profit_usd, **dict(zip(_COSTS, costs, strict=True))}
    return Version(where, trip.exited_at // SECOND_NS, what, figures, trip)


def merged_trips(exports: Iterable[Export]) -> tuple[list[RoundTrip], list[str]]:
    """Each round trip once, whatever the order of the files, and what could not be reconciled."""
    versions: dict[tuple[str, int], list[Version[RoundTrip]]] = {}
    for export in exports:
        for version in export.trips:
            versions.setdefault((version.row.account, version.row.id), []).append(version)
    trips, conflicts = [], []
    for (_, trip_id), found in sorted(versions.items()):
        counting, conflict = agreeing(f"trade {trip_id}", found)
        trips.append(_merged([one.row for one in counting]))
        if conflict is not None:
            conflicts.append(conflict)
    return trips, conflicts


def _merged(trips: Sequence[RoundTrip]) -> RoundTrip:
    """Versions of one trip: a present value beats an absent one; a cost below zero is a cost (RULES.md 1.2)."""
    fees = [abs(trip.fees_usd) for trip in trips if trip.fees_usd is not None]
    commissions = [abs(trip.commissions_usd) for trip in trips if trip.commissions_usd is not None]
    profits = [trip.profit_usd for trip in trips if trip.profit_usd is not None]
    return replace(
        trips[-1],
        entered_at=max(trip.entered_at for trip in trips),
        exited_at=max(trip.exited_at for trip in trips),
        fees_usd=max(fees, default=None),
        commissions_usd=max(commissions, default=None),
        profit_usd=min(profits, default=None),
    )


def _round_trip(row: Mapping[str, str], mark: str, order: str, account: str) -> RoundTrip:
    """Raises ValueError naming the column."""

    def price(text: str) -> int:
        return quantities.price(number_text(text, mark))

    def money(text: str) -> int:
        return quantities.money(number_text(text, mark))

    def moment(text: str) -> int:
        return export_instant(text, order)

    side = _SIDES.get(row["Type"].lower())
    if side is None:
        raise ValueError(f"Type is {row['Type'][:40]!r}, neither Long nor Short")
    entered_at, exited_at = (_column(name, row[name], moment) for name in _TIMES)
    if exited_at < entered_at:
        raise ValueError("ExitedAt is before EnteredAt")
    year = int(utc_text(exited_at)[:4])
    return RoundTrip(
        id=_column("Id", row["Id"], _whole),
        account=account,
        contract=_column("ContractName", row["ContractName"], lambda name: contract_id(name, year)),
        entered_at=entered_at,
        exited_at=exited_at,
        entry_price=_column("EntryPrice", row["EntryPrice"], price),
        exit_price=_column("ExitPrice", row["ExitPrice"], price),
        fees_usd=_told(FEES, row[FEES], money),
        commissions_usd=_told(COMMISSIONS, row[COMMISSIONS], money),
        profit_usd=_told("PnL", row["PnL"], money),
        size=_column("Size", row["Size"], _whole),
        side=side,
    )


def _column(name: str, text: str, read: Callable[[str], Value]) -> Value:
    """What a column says. Raises ValueError naming it."""
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _told(name: str, text: str, read: Callable[[str], Value]) -> Value | None:
    """What a column says, None when it says nothing. Raises ValueError naming it."""
    return None if text.upper() in _NOTHING else _column(name, text, read)


def _whole(text: str) -> int:
    value = quantities.price(number_text(text))
    if value <= 0 or value % quantities.PRICE_SCALE:
        raise ValueError(f"not a whole number above zero: {text[:40]!r}")
    whole: int = value // quantities.PRICE_SCALE
    return whole


def half(amount_usd: int) -> int:
    """The opening side's share of a trip's cost: whole cents rounded down, exact below a cent."""
    unit = quantities.CENT if amount_usd % quantities.CENT == 0 else 1
    return amount_usd // unit // 2 * unit


def export_fills(trips: Sequence[RoundTrip], account: int) -> list[Fill]:
    """The half-turns of all rows of one account."""
    fills = []
    for trip in trips:
        same_second = trip.entered_at // SECOND_NS == trip.exited_at // SECOND_NS
        place = (CLOSES_SAME_SECOND if same_second else CLOSES_OLDER, trip.entered_at)
        row = _row(account, trip.id, trip.contract, trip.exited_at, trip.exit_price, -trip.side, trip.size)
        if trip.profit_usd is not None:
            row["profitAndLoss"] = _number(trip.profit_usd)
        costs = [None if cost is None else cost - half(cost) for cost in (trip.fees_usd, trip.commissions_usd)]
        fills.append(fill_of(_with_costs(row, *costs), place, trip.entry_price))
    for group in _opened_together(trips):
        first = group[0]
        size = sum(trip.size for trip in group)
        opening_id = OPENING_IDS_FROM + first.id
        row = _row(account, opening_id, first.contract, first.entered_at, first.entry_price, first.side, size)
        costs = [
            _halves([trip.fees_usd for trip in group]),
            _halves([trip.commissions_usd for trip in group]),
        ]
        fills.append(fill_of(_with_costs(row, *costs), (IN_TURN, first.exited_at), first.entry_price))
    return fills


def _opened_together(trips: Iterable[RoundTrip]) -> list[list[RoundTrip]]:
    """Trips by opening fill, in the order in which the lots were closed: the oldest closes first.

    Lots of one second are known to have been opened in that order and no other, so those of one price are one fill
    only while no lot of another price was closed between them.
    """
    seconds: dict[tuple[str, int, int], list[RoundTrip]] = {}
    for trip in trips:
        seconds.setdefault((trip.contract, trip.entered_at // SECOND_NS, trip.side), []).append(trip)
    groups: list[list[RoundTrip]] = []
    for entered in seconds.values():
        price = None
        for trip in sorted(entered, key=lambda one: (one.entered_at, one.exited_at, one.id)):
            if trip.entry_price == price:
                groups[-1].append(trip)
            else:
                groups.append([trip])
            price = trip.entry_price
    return groups


def _halves(costs: Sequence[int | None]) -> int | None:
    """The opening side's share of the costs of several trips, None when none of them is known."""
    known = [half(cost) for cost in costs if cost is not None]
    return sum(known) if known else None


def _row(account: int, trade_id: int, contract: str, at: int, price: int, side: int, size: int) -> Object:
    return {
        "id": trade_id,
        "accountId": account,
        "contractId": contract,
        "creationTimestamp": utc_text(at),
        "price": Number(price_text(price)),
        "side": WIRE_SIDES[side],
        "size": size,
        "voided": False,
    }


def _with_costs(row: Object, fees_usd: int | None, commissions_usd: int | None) -> Object:
    for name, amount in (("fees", fees_usd), ("commissions", commissions_usd)):
        if amount is not None:
            row[name] = _number(amount)
    return row


def _number(amount_usd: int) -> Number:
    return Number(decimal_text(amount_usd, quantities.MONEY_PLACES))
