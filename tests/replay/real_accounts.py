"""Recorded accounts of real traders, which are not part of this repository: where they are, and what they must give."""

import csv
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from replay.imports.importer import run_import
from replay.replay_run import run_replay
from replay.sessions import ignore
from riskcore.core.products import product_code, root_of_code
from riskcore.settings.config import read_settings

ACCOUNTS = ("acct-9001", "acct-9002", "acct-9003")
WITH_EXPECTED = ("acct-9001", "acct-9002")
# Column of daily_expected.csv: column of a replay's day.
COLUMNS = {
    "gross_pnl": "gross_pnl",
    "fees": "fees",
    "commissions": "commissions",
    "net_pnl": "net_pnl",
    "worst_running_net": "worst_running_net",
    "round_trips": "round_trips",
}
EXPORT_HEADER = (
    "Id,ContractName,EnteredAt,ExitedAt,EntryPrice,ExitPrice,Fees,PnL,Size,Type,TradeDay,TradeDuration,Commissions"
)


def data_folder() -> Path | None:
    """The folder of the recorded data: RISKCORE_SHARED_DATA, or shared/data beside the repository."""
    named = os.environ.get("RISKCORE_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    return folder if (folder / "accounts").is_dir() else None


def expected_days(folder: Path) -> list[dict[str, str]]:
    """The sums of the platform's own columns by trading day."""
    with (folder / "daily_expected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True, slots=True)
class Outcome:
    """An import and the replay of what it wrote."""

    imported: dict[str, Any]
    replayed: dict[str, Any]

    def days(self) -> dict[str, dict[str, Any]]:
        (account,) = self.replayed["accounts"]
        return {day["trade_date"]: day for day in account["days"]}


def import_and_replay(files: list[Path], out: Path, sets: tuple[str, ...] = (), **options: Any) -> Outcome:
    imported = run_import(files, read_settings("").plain, out=out, warn=ignore, progress=ignore, **options)
    recordings = [out / day["recording"] for day in imported["days"]]
    return Outcome(imported, run_replay(recordings, config_path=_no_settings(out), sets=sets))


def _no_settings(out: Path) -> Path:
    """A settings file without rules, so that no file of this machine's user is read."""
    path = out / "riskcore.toml"
    path.write_text("", encoding="utf-8")
    return path


def answers(folder: Path) -> list[Path]:
    """The answers recorded of an account."""
    return [path for name in ("order_search.json", "trade_search.json") if (path := folder / name).exists()]


def platform_export(folder: Path, path: Path) -> Path:
    """roundtrips.csv in the form in which the platform exports it, times in Chicago summer time."""
    with (folder / "roundtrips.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(EXPORT_HEADER.split(","))
        for row in rows:
            contract = row["contract_id"]
            expiry = contract.rpartition(".")[2]
            writer.writerow(
                (
                    row["closing_trade_id"],
                    f"{root_of_code(product_code(contract))}{expiry[0]}{expiry[-1]}",
                    _chicago_summer(row["entered_at"]),
                    _chicago_summer(row["exited_at"]),
                    f"{Decimal(row['entry_price']):,}",
                    f"{Decimal(row['exit_price']):,}",
                    row["fees"],
                    f"{Decimal(row['pnl']):,.2f}",
                    row["size"],
                    row["type"],
                    row["trade_day"],
                    row["trade_duration"],
                    row["commissions"],
                )
            )
    return path


def _chicago_summer(text: str) -> str:
    """2025-07-21T13:56:23+00:00 as 07/21/2025 08:56:23 -05:00."""
    return datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=-5))).strftime("%m/%d/%Y %H:%M:%S -05:00")


def same_amount(ours: Any, theirs: str) -> bool:
    """Equal to the cent; the platform's columns are binary floats printed short."""
    return Decimal(str(ours)) == Decimal(theirs)
