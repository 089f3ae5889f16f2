"""What a wire recording says, for the reference of `whatif`: facts in file order, trading days, prices of ticks.

The reference is a second reading of the what-if semantics, written without a line of the product: it shares no code
with riskcore, adapters or replay. Every number is an int or a Fraction. Instants are nanoseconds since 1970 UTC.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
CHICAGO = ZoneInfo("America/Chicago")
RESET_HOUR = 17
BROKER_CLOCK_AHEAD_NS = 5 * SECOND_NS
# Tick size in points and its value in dollars, per broker code (topstepx/API.md section 6).
TICKS = {
    "MNQ": (Fraction(1, 4), Fraction(1, 2)),
    "EP": (Fraction(1, 4), Fraction(25, 2)),
    "MCLE": (Fraction(1, 100), Fraction(1)),
}


@dataclass(frozen=True)
class Quote:
    """Prices of a contract; None is a side that the quote leaves out. A print is a quote of the last price alone."""

    at: int
    contract: str
    last: Fraction | None
    bid: Fraction | None = None
    ask: Fraction | None = None


@dataclass(frozen=True)
class Fill:
    """An execution. `side` is +1 for a buy; `made_at` is the broker's own time, which dates it."""

    at: int
    account: int
    id: int
    order: int | None
    contract: str
    side: int
    size: int
    price: Fraction
    pnl: Fraction | None
    fees: Fraction
    commissions: Fraction
    made_at: int

    @property
    def unit(self) -> str:
        """What counts as its order: a fill without an order id is one by itself."""
        return f"order:{self.order}" if self.order is not None else f"fill:{self.id}"

    @property
    def fee_per_contract(self) -> Fraction:
        """Fees and commissions of one contract, each down to a millionth of a dollar."""
        return millionths(self.fees / self.size) + millionths(self.commissions / self.size)


@dataclass(frozen=True)
class Void:
    at: int
    account: int
    id: int


@dataclass(frozen=True)
class Order:
    at: int
    account: int
    id: int
    contract: str
    side: int
    size: int
    filled: int
    working: bool
    stop_price: Fraction | None = None


@dataclass(frozen=True)
class Push:
    """The size of a position as the broker showed it, signed."""

    at: int
    account: int
    contract: str
    size: int


@dataclass(frozen=True)
class Other:
    """A line that only lets time pass."""

    at: int


Fact = Quote | Fill | Void | Order | Push | Other
WORKING = (1, 6, 7, 8)


def millionths(amount: Fraction) -> Fraction:
    return Fraction(amount.numerator * 1_000_000 // amount.denominator, 1_000_000)


def worth(contract: str, points: Fraction) -> Fraction:
    """Dollars of a move of one contract."""
    tick, value = TICKS[contract.split(".")[-2]]
    return points / tick * value


def tick_of(contract: str) -> Fraction:
    return TICKS[contract.split(".")[-2]][0]


def nanoseconds(text: str) -> int:
    """An RFC 3339 instant with up to nine digits of a second."""
    body = text.removesuffix("Z").removesuffix("+00:00")
    whole, _, fraction = body.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * SECOND_NS + int(fraction.ljust(9, "0")[:9] or 0)


def read_facts(lines: Iterable[str]) -> list[Fact]:
    """The facts of a recording. A fill told again as it was says nothing; a void of an unknown fill neither."""
    facts: list[Fact] = []
    seen: set[int] = set()
    voided: set[int] = set()
    for text in lines:
        line = json.loads(text, parse_float=Fraction, parse_int=int)
        if "at" not in line:
            continue
        for fact in _facts_of(line):
            if isinstance(fact, Fill) and fact.id in seen | voided:
                facts.append(Other(fact.at))
                continue
            if isinstance(fact, Void) and (fact.id not in seen or fact.id in voided):
                voided.add(fact.id)
                facts.append(Other(fact.at))
                continue
            if isinstance(fact, Fill):
                seen.add(fact.id)
            if isinstance(fact, Void):
                voided.add(fact.id)
            facts.append(fact)
    return facts


def _facts_of(line: dict[str, Any]) -> Iterator[Fact]:
    at, target = nanoseconds(line["at"]), line.get("target")
    arguments = line.get("arguments")
    if target == "GatewayQuote":
        data = arguments[1]
        yield Quote(at, arguments[0], *(_number(data.get(name)) for name in ("lastPrice", "bestBid", "bestAsk")))
    elif target == "GatewayTrade":
        prints = arguments[1] if isinstance(arguments[1], list) else [arguments[1]]
        for one in prints:
            if one is not None:
                yield Quote(at, arguments[0], _number(one["price"]))
    elif target in USER_TARGETS:
        data = arguments[0].get("data", arguments[0])
        yield USER_TARGETS[target](at, data)
    else:
        yield Other(at)


def _number(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def _fill(at: int, data: dict[str, Any]) -> Fill | Void:
    if data.get("voided"):
        return Void(at, data["accountId"], data["id"])
    created = data.get("creationTimestamp")
    made_at = nanoseconds(created) if created else at
    return Fill(
        at,
        data["accountId"],
        data["id"],
        data.get("orderId"),
        data["contractId"],
        1 if data["side"] == 0 else -1,
        data["size"],
        Fraction(data["price"]),
        _number(data.get("profitAndLoss")),
        _number(data.get("fees")) or Fraction(0),
        _number(data.get("commissions")) or Fraction(0),
        made_at if made_at <= at + BROKER_CLOCK_AHEAD_NS else at,
    )


def _order(at: int, data: dict[str, Any]) -> Order:
    side = 1 if data["side"] == 0 else -1
    working = data["status"] in WORKING
    stop, filled = _number(data.get("stopPrice")), data.get("fillVolume") or 0
    return Order(at, data["accountId"], data["id"], data["contractId"], side, data["size"], filled, working, stop)


def _push(at: int, data: dict[str, Any]) -> Push:
    direction = {1: 1, 2: -1}.get(data["type"], 0)
    return Push(at, data["accountId"], data["contractId"], direction * data["size"])


USER_TARGETS: dict[str, Any] = {
    "GatewayUserTrade": _fill,
    "GatewayUserOrder": _order,
    "GatewayUserPosition": _push,
    "GatewayUserAccount": lambda at, data: Other(at),
}


def trade_date(at: int) -> date:
    """The trading day of an instant: from 17:00 in Chicago it is the next one's; weekends are Monday's."""
    local = datetime.fromtimestamp(at // SECOND_NS, CHICAGO)
    day = local.date() + timedelta(days=1 if local.hour >= RESET_HOUR else 0)
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def closes_at(day: date) -> int:
    """The reset that ends a trading day."""
    local = datetime(day.year, day.month, day.day, RESET_HOUR, tzinfo=CHICAGO)
    return int(local.timestamp()) * SECOND_NS


def opens_at(day: date) -> int:
    return closes_at(day - timedelta(days=3 if day.weekday() == 0 else 1))
