"""A broker written from API.md alone: what it says on the wire, and `replay` as a user runs it.

Nothing of the product is used to write a recording, so that both cannot be wrong in the same way.
Times are Chicago local; one fill books FIFO P&L as API.md 3.4 says, a flip arrives as two half-turns.
"""

import json
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from riskcore.cli.main import run

CHICAGO = ZoneInfo("America/Chicago")
ACCOUNT = 99000001
SHAPES = ("fills", "pushes", "early", "bare")  # What the connection said, and in which order.
TICKS = {
    "MNQ": ("0.25", "0.5"),
    "ENQ": ("0.25", "5"),
    "MES": ("0.25", "1.25"),
    "EP": ("0.25", "12.5"),
    "RTY": ("0.1", "5"),
}
CODES = {"NQ": "ENQ", "ES": "EP"}
Json = dict[str, Any]


def contract(root: str, expiry: str = "Z26") -> str:
    return f"CON.F.US.{CODES.get(root, root)}.{expiry}"


def exact(value: Any) -> Any:
    """A Decimal or its text as the number JSON shows."""
    return json.loads(str(value))


class Broker:
    """Lines of one connection. `shape`: fills only; orders, trade, push; push before its trade; or bare payloads."""

    def __init__(self, start: str = "2026-11-20 10:00:00", shape: str = "fills", **header: Any) -> None:
        self.header = {"riskcore": "wire/1", **header}
        self.lines: list[str] = []
        self.shape = shape
        self.date = start[:10]
        self.now = datetime.fromisoformat(start).replace(tzinfo=CHICAGO).astimezone(UTC)
        self.fees, self.commissions = Decimal(0), Decimal(0)
        self.last_id = 100
        self.lots: dict[tuple[int, str], list[tuple[int, Decimal]]] = {}

    def at(self, text: str) -> "Broker":
        self.date = text[:10] if len(text) > 15 else self.date
        local = datetime.fromisoformat(text if len(text) > 15 else f"{self.date} {text}")
        self.now = local.replace(tzinfo=CHICAGO).astimezone(UTC)
        return self

    def after(self, seconds: float) -> "Broker":
        self.now += timedelta(seconds=seconds)
        return self

    def line(self, **body: Any) -> "Broker":
        stamp = self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.lines.append(json.dumps({"at": stamp, **body}))
        return self

    def said(self, target: str, data: Json, action: int = 1) -> "Broker":
        argument = data if self.shape == "bare" else {"action": action, "data": data}
        return self.line(hub="user", target=target, arguments=[argument])

    def clock(self, text: str = "") -> "Broker":
        return (self.at(text) if text else self).line(clock=True)

    def quote(self, root: str, last: str | None = None, bid: str | None = None, ask: str | None = None) -> "Broker":
        prices = (("lastPrice", last), ("bestBid", bid), ("bestAsk", ask))
        data = {name: exact(price) for name, price in prices if price is not None}
        return self.line(hub="market", target="GatewayQuote", arguments=[contract(root), {"symbol": "F", **data}])

    def trade(self, number: int, name: str, size: int, price: Any, pnl: Any, **more: Any) -> "Broker":
        created = self.now.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")
        data = {"id": number, "accountId": ACCOUNT, "contractId": name, "creationTimestamp": created}
        data |= {
            "price": exact(price),
            "side": 0 if size > 0 else 1,
            "size": abs(size),
            "voided": False,
            "orderId": number,
        }
        booked = {} if pnl is None else {"profitAndLoss": exact(pnl)}
        return self.said("GatewayUserTrade", {**data, "fees": 0, "commissions": 0, **booked, **more}, action=0)

    def position(self, root: str, size: int, average: Any, account: int = ACCOUNT, expiry: str = "Z26") -> "Broker":
        kind = 0 if size == 0 else 1 if size > 0 else 2
        data = {"id": 1, "accountId": account, "contractId": contract(root, expiry), "type": kind, "size": abs(size)}
        data |= {"averagePrice": exact(average), "creationTimestamp": "2026-01-01T00:00:00.0000000+00:00"}
        return self.said("GatewayUserPosition", data, action=1 if size else 2)

    def order(self, number: int, root: str, size: int, kind: int, status: int, **more: Any) -> "Broker":
        created = self.now.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")
        data = {"id": number, "accountId": ACCOUNT, "contractId": contract(root), "status": status, "type": kind}
        data |= {"creationTimestamp": created, "updateTimestamp": created, "side": 0 if size > 0 else 1}
        return self.said("GatewayUserOrder", {**data, "size": abs(size), "fillVolume": 0, **more})

    def account(self, number: int = ACCOUNT, **more: Any) -> "Broker":
        data = {"id": number, "name": f"50KTC-V2-{number}", "balance": 50000, "isVisible": True, "simulated": True}
        return self.said("GatewayUserAccount", {**data, **more})

    def fill(
        self,
        root: str,
        size: int,
        price: Any,
        *,
        order: int = 0,
        account: int = ACCOUNT,
        expiry: str = "Z26",
        pnl: Any = None,
    ) -> "Broker":
        """A market order of `size` contracts, filled at once; `pnl` overrides what the broker books for the close."""
        name, order = contract(root, expiry), order or self._next()
        parts = self._book(account, name, size, Decimal(str(price)))
        lots = self.lots[account, name]
        held = sum(lot for lot, _ in lots)
        average = sum(abs(lot) * at for lot, at in lots) / abs(held) if held else Decimal(str(price))
        if self.shape == "early":
            self.position(root, held, average, account, expiry)
        for part, gain in parts:
            fees, commissions = self.fees * abs(part), self.commissions * abs(part)
            booked = gain if gain is None or pnl is None else pnl
            more: Json = {
                "accountId": account,
                "orderId": order,
                "fees": exact(fees),
                "commissions": exact(commissions),
            }
            self.trade(self._next(), name, part, price, booked, **more)
        if self.shape in ("pushes", "bare"):
            self.order(order, root, size, 2, 2, accountId=account, contractId=name, fillVolume=abs(size))
            self.position(root, held, average, account, expiry)
        return self

    def round(self, pnl: str) -> "Broker":
        """One MNQ in and, a second later, out: the closing fill books this P&L."""
        return self.fill("MNQ", 1, "21000").after(1).fill("MNQ", -1, "21000", pnl=pnl)

    def write(self, path: Path) -> Path:
        path.write_text("\n".join([json.dumps(self.header), *self.lines]) + "\n", encoding="utf-8", newline="\n")
        return path

    def _next(self) -> int:
        self.last_id += 1
        return self.last_id

    def _book(self, account: int, name: str, size: int, price: Decimal) -> list[tuple[int, Decimal | None]]:
        """The half-turns of a fill: (signed size, gross P&L or None when it opens)."""
        lots = self.lots.setdefault((account, name), [])
        tick, value = map(Decimal, TICKS[name.split(".")[3]])
        way, left, gain, closed = (1 if size > 0 else -1), abs(size), Decimal(0), 0
        while left and lots and lots[0][0] * way < 0:
            held, entry = lots.pop(0)
            cut = min(left, abs(held))
            gain += (entry - price) * way * cut / tick * value
            left, closed = left - cut, closed + cut
            if cut < abs(held):
                lots.insert(0, (held + way * cut, entry))
        parts: list[tuple[int, Decimal | None]] = [(way * closed, gain)] if closed else []
        if left:
            lots.append((way * left, price))
            parts.append((way * left, None))
        return parts


def command(*arguments: object) -> tuple[int, str, str]:
    """Run `riskcore ARGUMENTS`: exit code, stdout, stderr."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return code, out.getvalue(), err.getvalue()


def replay(folder: Path, day: Broker, settings: str, *options: str) -> Json:
    """The result of `riskcore replay --json` on a day, judged for all its accounts."""
    head = "" if "[profile]" in settings else '[profile]\nname = "t"\naccounts = "all"\n'
    (folder / "riskcore.toml").write_text(head + settings, encoding="utf-8")
    session = day.write(folder / "day.jsonl")
    code, out, err = command("replay", session, "--config", folder / "riskcore.toml", "--json", *options)
    assert code == 0, err
    result: Json = json.loads(out)
    return result


def local(text: str) -> str:
    """A time of the output as Chicago clocks show it: HH:MM:SS, with a fraction where it has one."""
    shown = datetime.fromisoformat(text).astimezone(CHICAGO).strftime("%H:%M:%S.%f")
    return shown.rstrip("0").rstrip(".")


def breaches(result: Json) -> list[tuple[str, str]]:
    return [(row["rule"], local(row["at"])) for row in result["breaches"]]


def commands(result: Json) -> list[tuple[Any, ...]]:
    """Kind, root code and size of every command but alerts."""
    rows: Iterable[Json] = (row for row in result["commands"] if row["kind"] != "Alert")
    return [(row["kind"], row["contract"] and row["contract"].split(".")[3], row["size"]) for row in rows]
