"""Lines of a wire recording for the what-if tests, as a broker connection says them (INTERFACE.md section 4)."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.replay.whatif.reference_facts import CHICAGO, SECOND_NS

ACCOUNT = 99000001
MNQ = "CON.F.US.MNQ.Z26"
HEADER = json.dumps({"riskcore": "wire/1", "profile": "what-if"})


def instant(text: str) -> int:
    """Nanoseconds of a local time in Chicago, YYYY-MM-DD HH:MM:SS[.fraction]."""
    whole, _, fraction = text.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=CHICAGO).timestamp())
    return seconds * SECOND_NS + int(fraction.ljust(9, "0") or 0)


def text_of(at: int) -> str:
    seconds, rest = divmod(at, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def plain(value: Fraction | str | int) -> Any:
    """A number as JSON writes it; every price and amount here has few decimals."""
    number = Fraction(value)
    return int(number) if number.denominator == 1 else float(number)


class Lines:
    """Lines in the making. A day and a time of `at` hold until the next ones."""

    def __init__(self, day: str = "2026-11-18", account: int = ACCOUNT, contract: str = MNQ) -> None:
        self.day, self.now = day, 0
        self.account, self.contract = account, contract
        self.said: list[dict[str, Any]] = []
        self.ids = 0

    def at(self, time: str, day: str | None = None) -> "Lines":
        self.day = day or self.day
        return self.at_instant(instant(f"{self.day} {time}"))

    def at_instant(self, now: int) -> "Lines":
        self.now = now
        return self

    def say(self, **line: Any) -> "Lines":
        self.said.append({"at": text_of(self.now), **line})
        return self

    def user(self, target: str, data: dict[str, Any]) -> "Lines":
        return self.say(hub="user", target=target, arguments=[{"action": 1, "data": data}])

    def quote(self, last: Any = None, bid: Any = None, ask: Any = None) -> "Lines":
        named = {"lastPrice": last, "bestBid": bid, "bestAsk": ask}
        told = {name: plain(value) for name, value in named.items() if value is not None}
        symbol = ".".join(self.contract.split(".")[1:-1])
        data = {"symbol": symbol, "timestamp": text_of(self.now), "lastUpdated": text_of(self.now), **told}
        return self.say(hub="market", target="GatewayQuote", arguments=[self.contract, data])

    def traded(self, price: Any) -> "Lines":
        data = {"price": plain(price), "timestamp": text_of(self.now), "type": 0, "volume": 1}
        return self.say(hub="market", target="GatewayTrade", arguments=[self.contract, [data]])

    def fill(
        self,
        size: int,
        price: Any,
        pnl: Any = None,
        *,
        order: int | None = None,
        fees: Any = None,
        commissions: Any = None,
        trade: int | None = None,
        voided: bool = False,
    ) -> "Lines":
        """A signed execution; fees 0.37 and commission 0.25 a contract unless given."""
        if trade is None:
            self.ids += 1
            trade = 70_000 + self.ids
        count = abs(size)
        data = {
            "id": trade,
            "accountId": self.account,
            "contractId": self.contract,
            "creationTimestamp": text_of(self.now),
            "price": plain(price),
            "profitAndLoss": None if pnl is None else plain(pnl),
            "fees": plain(Fraction("0.37") * count if fees is None else fees),
            "commissions": plain(Fraction("0.25") * count if commissions is None else commissions),
            "side": 0 if size > 0 else 1,
            "size": count,
            "voided": voided,
            "orderId": order if order is not None else 80_000 + trade,
        }
        return self.user("GatewayUserTrade", data)

    def order(
        self, order: int, size: int, status: int, *, filled: int = 0, kind: int = 2, price: Any = None
    ) -> "Lines":
        data = {
            "id": order,
            "accountId": self.account,
            "contractId": self.contract,
            "creationTimestamp": text_of(self.now),
            "updateTimestamp": text_of(self.now),
            "status": status,
            "type": kind,
            "side": 0 if size > 0 else 1,
            "size": abs(size),
            "fillVolume": filled,
        }
        if price is not None:
            data["limitPrice" if kind == 1 else "stopPrice"] = plain(price)
        return self.user("GatewayUserOrder", data)

    def position(self, size: int, price: Any = 0) -> "Lines":
        data = {
            "id": self.account * 10,
            "accountId": self.account,
            "contractId": self.contract,
            "creationTimestamp": text_of(self.now),
            "type": 0 if not size else 1 if size > 0 else 2,
            "size": abs(size),
            "averagePrice": plain(price),
        }
        return self.user("GatewayUserPosition", data)

    def texts(self) -> list[str]:
        return [HEADER, *(json.dumps(line) for line in self.said)]

    def write(self, path: Path) -> Path:
        path.write_text("\n".join(self.texts()) + "\n", encoding="utf-8")
        return path
