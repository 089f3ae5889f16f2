"""The platform's trade export: one CSV row a round trip, made into its two half-turns. Source: INTERFACE.md 8.

Lots with the same entry second, price and side were one opening fill; every row is a closing fill of its own.
Fees and commissions of a row are for the whole trip and are halved.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from adapters.topstepx.fields import Number, Object, instant
from replay.history import CLOSES_OLDER, CLOSES_SAME_SECOND, IN_TURN, Fill, fill_of
from riskcore.core import quantities
from riskcore.core.products import PRODUCTS
from riskcore.core.quantities import SECOND_NS, decimal_text, price_text
from riskcore.errors import InputError
from riskcore.schema.instants import utc_text

COLUMNS = (
    "Id", "ContractName", "EnteredAt", "ExitedAt", "EntryPrice", "ExitPrice", "Fees", "PnL", "Size", "Type",
    "TradeDay", "TradeDuration",
)  # fmt: skip
COMMISSIONS = "Commissions"
# Opening fills have no id in the export; theirs is the smallest closing id of their lots, moved beyond all ids
# that a number of the export can be.
OPENING_IDS_FROM = 10**quantities.LARGEST_DIGITS
_CENT = quantities.MONEY_SCALE // 100
_SIDES = {"long": 1, "buy": 1, "short": -1, "sell": -1}
_WIRE_SIDES = {1: 0, -1: 1}
_AMERICAN = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),? +([0-9]{1,2}):([0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) *([AaPp][Mm])? *"
    r"([+-][0-9]{2}:?[0-9]{2}|[Zz])",
    re.ASCII,
)
_GENERAL = re.compile(r"(.*[0-9]) *([+-][0-9]{2}):?([0-9]{2})", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII)
_CURRENCY = re.compile(r"US\$|USD|[$€£¥\s]", re.IGNORECASE)
_NAME = re.compile(r"/?([A-Z0-9]+)([FGHJKMNQUVXZ])([0-9]{1,2})", re.ASCII)
_CODE_OF_ROOT = {root: code for code, root, *_ in PRODUCTS}
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One row. Prices of 1e-9 points, money of 1e-6 dollars, side +1 for a long."""

    id: int
    contract: str
    entered_at: int
    exited_at: int
    entry_price: int
    exit_price: int
    fees_usd: int
    commissions_usd: int | None
    profit_usd: int
    size: int
    side: int


def is_export(text: str) -> bool:
    """Whether a file's text begins with the header of the export."""
    header = next(csv.reader([text.partition("\n")[0]]), [])
    return {"Id", "ContractName", "EnteredAt"} <= {name.strip() for name in header}


def read_export(path: Path, text: str) -> dict[int, RoundTrip]:
    """The rows by id. Raises InputError naming file and row, the header being row 1."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(f"{path}: the trade export lacks the columns {', '.join(missing)}")
    found: dict[int, RoundTrip] = {}
    try:
        for row in reader:
            if any(isinstance(value, str) and value.strip() for value in row.values()):
                trip = _round_trip(row)
                found[trip.id] = trip
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}, row {reader.line_num}: {error}") from None
    return found


def _round_trip(row: Mapping[str | None, str | None]) -> RoundTrip:
    """Raises ValueError naming the column."""
    texts = {name: (row.get(name) or "").strip() for name in (*COLUMNS, COMMISSIONS)}
    if None in row:
        raise ValueError("more fields than the header has columns; is a number with a comma not in quotes?")
    side = _SIDES.get(texts["Type"].lower())
    if side is None:
        raise ValueError(f"Type is {texts['Type'][:40]!r}, neither Long nor Short")
    entered_at, exited_at = (_column(name, texts[name], export_instant) for name in ("EnteredAt", "ExitedAt"))
    if exited_at < entered_at:
        raise ValueError("ExitedAt is before EnteredAt")
    return RoundTrip(
        id=_column("Id", texts["Id"], _whole),
        contract=_column(
            "ContractName", texts["ContractName"], lambda name: contract_id(name, int(utc_text(exited_at)[:4]))
        ),
        entered_at=entered_at,
        exited_at=exited_at,
        entry_price=_column("EntryPrice", texts["EntryPrice"], _price),
        exit_price=_column("ExitPrice", texts["ExitPrice"], _price),
        fees_usd=_column("Fees", texts["Fees"] or "0", _money),
        commissions_usd=_column(COMMISSIONS, texts[COMMISSIONS], _money) if texts[COMMISSIONS] else None,
        profit_usd=_column("PnL", texts["PnL"], _money),
        size=_column("Size", texts["Size"], _whole),
        side=side,
    )


def _column(name: str, text: str, read: Callable[[str], Value]) -> Value:
    """What a column says. Raises ValueError naming it."""
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def number_text(text: str) -> str:
    """A number of the export as plain decimal text: $1,234.50 and "(25.00)" become 1234.50 and -25.00.

    Raises ValueError for a comma that groups no thousands: 1,5 could be one and a half or a typing error.
    """
    plain = _CURRENCY.sub("", text.replace("\N{MINUS SIGN}", "-"))
    negative = plain.startswith("(") and plain.endswith(")")
    if negative:
        plain = plain[1:-1]
    sign = plain[:1] if plain[:1] in ("+", "-") else ""
    digits = plain[len(sign) :]
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    if not digits or not (digits[0].isdigit() or digits[0] == ".") or (negative and sign):
        raise ValueError(f"not a number: {text[:40]!r}")
    return ("-" if negative else sign) + ("0" if digits[0] == "." else "") + digits


def _price(text: str) -> int:
    return quantities.price(number_text(text))


def _money(text: str) -> int:
    return quantities.money(number_text(text))


def _whole(text: str) -> int:
    value = quantities.price(number_text(text))
    if value <= 0 or value % quantities.PRICE_SCALE:
        raise ValueError(f"not a whole number above zero: {text[:40]!r}")
    whole: int = value // quantities.PRICE_SCALE
    return whole


def export_instant(text: str) -> int:
    """An instant of the export in nanoseconds: month first as the platform writes it, or year first; any offset.

    Raises ValueError, also for a time without an offset.
    """
    match = _AMERICAN.fullmatch(text)
    if match is not None:
        month, day, year, hour, rest, half, offset = match.groups()
        hours = int(hour)
        if half:
            if not 1 <= hours <= 12:
                raise ValueError(f"no such time: {text[:40]!r}")
            hours = hours % 12 + (12 if half.lower() == "pm" else 0)
        if offset not in "Zz" and ":" not in offset:
            offset = f"{offset[:3]}:{offset[3:]}"
        return instant(f"{year}-{int(month):02d}-{int(day):02d}T{hours:02d}:{rest}{offset}")
    general = _GENERAL.fullmatch(text)
    return instant(f"{general[1]}{general[2]}:{general[3]}" if general else text)


def contract_id(name: str, year: int) -> str:
    """The broker's contract id of an export's name: MNQU5, NQU5 and MNQU25 of a trade in 2025.

    A year of one digit is the first one with it that is not before the trade. Raises ValueError.
    """
    text = name.strip().upper()
    if text.startswith("CON."):
        return text
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"no contract name with month and year such as MNQU5: {name[:40]!r}")
    root, month, digits = match.groups()
    expiry = int(digits) if len(digits) == 2 else (year + (int(digits) - year) % 10) % 100
    code = _CODE_OF_ROOT.get(root) or root  # An unknown root is its own code, and some exports write the code.
    return f"CON.F.US.{code}.{month}{expiry:02d}"


def half(amount_usd: int) -> int:
    """The opening side's share of a trip's cost: whole cents rounded down, exact below a cent."""
    unit = _CENT if amount_usd % _CENT == 0 else 1
    return amount_usd // unit // 2 * unit


def export_fills(trips: Iterable[RoundTrip], account: int) -> list[Fill]:
    """The half-turns of all rows, booked under one account: the export names none."""
    fills = []
    lots: dict[tuple[str, int, int, int], list[RoundTrip]] = {}
    for trip in trips:
        lots.setdefault((trip.contract, trip.entered_at // SECOND_NS, trip.entry_price, trip.side), []).append(trip)
        same_second = trip.entered_at // SECOND_NS == trip.exited_at // SECOND_NS
        place = (CLOSES_SAME_SECOND if same_second else CLOSES_OLDER, trip.entered_at)
        row = _row(account, trip.id, trip.contract, trip.exited_at, trip.exit_price, -trip.side, trip.size)
        row["profitAndLoss"] = _number(trip.profit_usd)
        commissions = trip.commissions_usd
        shared = None if commissions is None else commissions - half(commissions)
        fills.append(fill_of(_with_costs(row, trip.fees_usd - half(trip.fees_usd), shared), place))
    for (contract, _, price, side), group in lots.items():
        first = min(group, key=lambda trip: (trip.exited_at, trip.id))
        opening_id = OPENING_IDS_FROM + min(trip.id for trip in group)
        entered_at = min(trip.entered_at for trip in group)
        row = _row(account, opening_id, contract, entered_at, price, side, sum(trip.size for trip in group))
        known = [half(trip.commissions_usd) for trip in group if trip.commissions_usd is not None]
        row = _with_costs(row, sum(half(trip.fees_usd) for trip in group), sum(known) if known else None)
        fills.append(fill_of(row, (IN_TURN, first.exited_at)))
    return fills


def _row(account: int, trade_id: int, contract: str, at: int, price: int, side: int, size: int) -> Object:
    return {
        "id": trade_id,
        "accountId": account,
        "contractId": contract,
        "creationTimestamp": utc_text(at),
        "price": Number(price_text(price)),
        "side": _WIRE_SIDES[side],
        "size": size,
        "voided": False,
    }


def _with_costs(row: Object, fees_usd: int, commissions_usd: int | None) -> Object:
    row["fees"] = _number(fees_usd)
    if commissions_usd is not None:
        row["commissions"] = _number(commissions_usd)
    return row


def _number(amount_usd: int) -> Number:
    return Number(decimal_text(amount_usd, quantities.MONEY_PLACES))
