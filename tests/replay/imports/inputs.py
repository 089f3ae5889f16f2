"""Small own inputs of an import, in the broker's shapes."""

import json
from pathlib import Path
from typing import Any

from replay.imports.importer import run_import
from riskcore.settings.config import read_settings

MNQ = "CON.F.US.MNQ.U25"
Row = dict[str, Any]
HEADER = "Id,ContractName,EnteredAt,ExitedAt,EntryPrice,ExitPrice,Fees,PnL,Size,Type,TradeDay,TradeDuration,Commissions"


def fill(trade_id: int, at: str, side: int, size: int, price: float, profit: float | None = None, **other: Any) -> Row:
    """A row of Trade/search. at: "07-21T14:00:00", of 2025, UTC."""
    row = {
        "id": trade_id,
        "accountId": 500,
        "contractId": MNQ,
        "creationTimestamp": f"2025-{at}+00:00",
        "price": price,
        "profitAndLoss": profit,
        "fees": 0.37 * size,
        "side": side,
        "size": size,
        "voided": False,
        "orderId": trade_id + 1000,
    }
    return {**row, **other}


def order(order_id: int, created: str, updated: str, status: int, kind: int, side: int, size: int, **other: Any) -> Row:
    """A row of Order/search, times as in `fill`."""
    row = {
        "id": order_id,
        "accountId": 500,
        "contractId": MNQ,
        "symbolId": "F.US.MNQ",
        "creationTimestamp": f"2025-{created}+00:00",
        "updateTimestamp": f"2025-{updated}+00:00",
        "status": status,
        "type": kind,
        "side": side,
        "size": size,
        "limitPrice": None,
        "stopPrice": None,
        "fillVolume": size if status == 2 else 0,
        "filledPrice": None,
        "customTag": None,
    }
    return {**row, **other}


def answer(path: Path, **payload: Any) -> Path:
    """A file with an answer of the broker."""
    path.write_text(json.dumps({**payload, "success": True, "errorCode": 0, "errorMessage": None}), encoding="utf-8")
    return path


def export(path: Path, *rows: str, header: str = HEADER) -> Path:
    """A file with the platform's trade export."""
    path.write_text("\n".join((header, *rows, "")), encoding="utf-8")
    return path


class Imported:
    """The outcome of an import, and the recordings it wrote."""

    def __init__(self, tmp_path: Path, *files: Path, settings: str = "", **options: Any) -> None:
        self.warnings: list[str] = []
        self.out = tmp_path / "out"
        self.result = run_import(
            files,
            read_settings(settings).plain,
            out=self.out,
            warn=self.warnings.append,
            progress=lambda text: None,
            **options,
        )

    @property
    def days(self) -> list[Row]:
        days: list[Row] = self.result["days"]
        return days

    def lines(self, trade_date: str) -> list[Row]:
        """The lines of a day's recording, header and end line included."""
        text = (self.out / f"{trade_date}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, trade_date: str) -> list[tuple[str, str, Row]]:
        """(time of day, target or path, payload) of every line between header and end."""
        found = []
        for line in self.lines(trade_date)[1:-1]:
            payload = line["response"] if "rest" in line else line["arguments"][-1]
            found.append((line["at"][11:19], line.get("target") or line["rest"], payload.get("data", payload)))
        return found

    def fills(self, trade_date: str) -> list[Row]:
        return [payload for _, target, payload in self.messages(trade_date) if target == "GatewayUserTrade"]
