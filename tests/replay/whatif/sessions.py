"""Recordings for what-if tests: fills whose result is worked out as the broker would, and studies of them."""

from pathlib import Path
from typing import Any

from replay.export import export as write_export
from replay.source import Source
from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from riskcore.schema.export import ExportWriter
from tests.recordings import ACCOUNT, MNQ, Recording

POINT_USD = {MNQ: 2.0}


class Trades(Recording):
    """A recording whose closing fills tell their own FIFO result; fees 0.37 and commission 0.25 a contract."""

    fees, commissions = 0.37, 0.25

    def __init__(self, start: str = "2026-11-20 08:00:00") -> None:
        super().__init__(start)
        self.lots: dict[tuple[int, str], list[list[float]]] = {}
        self.last_trade: dict[str, Any] = {}

    def trade(
        self, size: int, price: float, contract: str = MNQ, account: int = ACCOUNT, order: int | None = None
    ) -> "Trades":
        """A fill; one that crosses zero is told as the broker does, as two half-turns, closing half first."""
        lots = self.lots.setdefault((account, contract), [])
        held = sum(lot[0] for lot in lots)
        if held * size < 0 and abs(size) > abs(held):
            self.trade(-int(held), price, contract, account, order)
            return self.trade(size + int(held), price, contract, account, order)
        profit = None
        if held * size < 0:
            profit, left = 0.0, abs(size)
            while left:
                lot = lots[0]
                taken = min(left, abs(lot[0]))
                profit += (price - lot[1]) * taken * (1 if held > 0 else -1) * POINT_USD.get(contract, 2.0)
                lot[0] -= taken if held > 0 else -taken
                left -= taken
                if not lot[0]:
                    lots.pop(0)
        else:
            lots.append([size, price])
        self.tell_fill(size, price, profit, contract, account, order)
        return self

    def tell_fill(
        self, size: int, price: float, profit: float | None, contract: str, account: int, order: int | None
    ) -> None:
        self._ids += 1
        order_id = order if order is not None else 80_000 + self._ids
        self.last_trade = {
            "id": 70_000 + self._ids,
            "accountId": account,
            "contractId": contract,
            "price": price,
            "profitAndLoss": profit,
            "fees": round(self.fees * abs(size), 6),
            "commissions": round(self.commissions * abs(size), 6),
            "side": 0 if size > 0 else 1,
            "size": abs(size),
            "voided": False,
            "orderId": order_id,
        }
        self.user("GatewayUserTrade", self.last_trade)

    def void(self, trade: dict[str, Any]) -> "Trades":
        self.user("GatewayUserTrade", {**trade, "voided": True})
        return self

    def order(self, order_id: int, status: int, kind: int, side: int, size: int, **prices: Any) -> "Trades":
        """One version of an order: kind 1 limit, 2 market, 4 stop; side 0 buy, 1 sell."""
        data = {
            "id": order_id,
            "accountId": ACCOUNT,
            "contractId": MNQ,
            "status": status,
            "type": kind,
            "side": side,
            "size": size,
            **prices,
        }
        self.user("GatewayUserOrder", data)
        return self

    def push(self, size: int, price: float, contract: str = MNQ, account: int = ACCOUNT) -> "Trades":
        data = {
            "id": 1,
            "accountId": account,
            "contractId": contract,
            "averagePrice": price,
            "size": abs(size),
            "type": 0 if size == 0 else 1 if size > 0 else 2,
        }
        self.user("GatewayUserPosition", data)
        return self

    def sparse(self, contract: str = MNQ, **prices: float) -> "Trades":
        """A quote of the given sides only: lastPrice, bestBid, bestAsk."""
        data = {"symbol": "F.US.MNQ", **prices}
        self.line({"hub": "market", "target": "GatewayQuote", "arguments": [contract, data]})
        return self


def study(day: Recording, folder: Path, *sets: str, baseline: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    """The result of a what-if over one recording, quick unless asked otherwise."""
    path = day.write(folder / "day.jsonl")
    return study_of(folder, (path,), *sets, baseline=baseline, **options)


def export(day: Recording, folder: Path, *sets: str) -> Path:
    """The recording as a journal export, judged by these settings."""
    path, empty, out = day.write(folder / "wire.jsonl"), folder / "riskcore.toml", folder / "journal.jsonl"
    empty.write_text("", encoding="utf-8")
    with out.open("wb") as file:
        writer = ExportWriter(file.write)
        write_export(Source((path,), config_path=empty, sets=sets), writer)
        writer.close()
    return out


def study_of(
    folder: Path, paths: tuple[Path, ...], *sets: str, baseline: tuple[str, ...] = (), **options: Any
) -> dict[str, Any]:
    empty = folder / "riskcore.toml"
    empty.write_text("", encoding="utf-8")
    base = None
    if baseline:
        base = folder / "baseline.toml"
        base.write_text("\n".join(baseline) + "\n", encoding="utf-8")
    asked = Asked(empty, tuple(sets), baseline=base)
    return whatif(Study(paths, asked, **{"quick": True, **options}))
