"""Small wire recordings for tests: a day in Chicago time, written as a broker connection would have said it."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from replay.wire_writer import WireWriter
from tests.core.ledger import nanoseconds

ACCOUNT = 99000001
MNQ = "CON.F.US.MNQ.Z26"
CHICAGO = ZoneInfo("America/Chicago")


class Recording:
    """Lines in the making: `at` sets the time of the next ones."""

    def __init__(self, start: str = "2026-11-20 08:00:00") -> None:
        self.now = datetime.fromisoformat(start).replace(tzinfo=CHICAGO)
        self.lines: list[tuple[int, dict[str, Any]]] = []
        self._ids = self.now.day * 100

    def at(self, text: str) -> "Recording":
        day = "" if "-" in text else f"{self.now.date()} "
        self.now = datetime.fromisoformat(day + text).replace(tzinfo=CHICAGO)
        return self

    def line(self, line: dict[str, Any]) -> "Recording":
        self.lines.append((nanoseconds(self.now), line))
        return self

    def user(self, target: str, data: dict[str, Any]) -> "Recording":
        return self.line({"hub": "user", "target": target, "arguments": [{"action": 1, "data": data}]})

    def account(self, account: int = ACCOUNT, name: str = "50KTC-V2-99000001") -> "Recording":
        data = {"id": account, "name": name, "balance": 50000, "canTrade": True, "simulated": True}
        return self.user("GatewayUserAccount", data)

    def fill(
        self, size: int, price: float, profit: float | None = None, contract: str = MNQ, account: int = ACCOUNT
    ) -> "Recording":
        """An execution, and the position the broker shows after it is left out: fills alone tell."""
        self._ids += 1
        return self.user(
            "GatewayUserTrade",
            {
                "id": 70_000 + self._ids,
                "accountId": account,
                "contractId": contract,
                "creationTimestamp": self.now.astimezone(ZoneInfo("UTC")).isoformat(),
                "price": price,
                "profitAndLoss": profit,
                "fees": 0.37,
                "side": 0 if size > 0 else 1,
                "size": abs(size),
                "voided": False,
                "orderId": 80_000 + self._ids,
            },
        )

    def quote(self, last: float, contract: str = MNQ) -> "Recording":
        data = {"symbol": "F.US.MNQ", "lastPrice": last, "bestBid": last - 0.25, "bestAsk": last + 0.25}
        return self.line({"hub": "market", "target": "GatewayQuote", "arguments": [contract, data]})

    def clock(self) -> "Recording":
        return self.line({"clock": True})

    def write(self, path: Path, header: dict[str, Any] | None = None) -> Path:
        with WireWriter(path, header) as writer:
            for at, line in self.lines:
                writer.write(at, line)
        return path


def losing_day(start: str = "2026-11-20 08:00:00") -> Recording:
    """Buys 2 MNQ, loses 600 at the open and 600 booked, buys again in the lockout, and the account ends flat."""
    day = Recording(start).account()
    day.at("08:30:00").quote(21000).fill(2, 21000.25)
    for second in range(20):
        day.at(f"08:30:{second + 1:02d}").quote(21000 - second)
    day.at("08:31:00").quote(20850)
    day.at("08:31:05").fill(-2, 20849.25, profit=-604)
    day.at("08:40:00").quote(20860).fill(1, 20860)
    day.at("08:40:30").quote(20861).fill(-1, 20861, profit=2)
    return day.at("09:00:00").clock()


RULES = """
[profile]
name = "combine"

[rules.daily_realized_loss]
loss_limit = "500"

[rules.daily_unrealized_loss]
loss_limit = "300"

[rules.trade_frequency_limit]
per_minute = 2
"""
