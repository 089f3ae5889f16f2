"""The recorded accounts as a table: ours, the platform's, the difference.

Run: python -m tests.benchmarks.real_accounts_table
"""

import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.replay.real_accounts import (
    ACCOUNTS,
    COLUMNS,
    Outcome,
    answers,
    data_folder,
    expected_days,
    import_and_replay,
    platform_export,
)


def rows(name: str, source: str, outcome: Outcome, folder: Path) -> Iterator[str]:
    """Markdown rows of one account: ours / expected / difference."""
    for expected in expected_days(folder):
        day = outcome.days()[expected["trade_day"]]
        cells = []
        for theirs, ours in COLUMNS.items():
            difference = Decimal(str(day[ours])) - Decimal(expected[theirs])
            cells.append(f"{day[ours]} / {expected[theirs]} / {difference.normalize() + 0:f}")
        yield f"| {name} | {source} | {expected['trade_day']} | {' | '.join(cells)} |"


def main() -> int:
    data = data_folder()
    if data is None:
        print("the recorded accounts are not here; name their folder in RISKCORE_SHARED_DATA", file=sys.stderr)
        return 2
    print("Each cell: ours / expected / difference\n")
    print(f"| account | from | day | {' | '.join(COLUMNS)} |\n|---|---|---|{'---|' * len(COLUMNS)}")
    closing: list[str] = []
    for name in ACCOUNTS:
        folder = data / "accounts" / name
        with tempfile.TemporaryDirectory() as out:
            outcome = import_and_replay(answers(folder), Path(out))
            accounts = [account for day in outcome.imported["days"] for account in day["accounts"]]
            differing = sum(len(account["differences"]) + len(account["not_recomputed"]) for account in accounts)
            closing.append(f"| {name} | {sum(account['closing_fills'] for account in accounts)} | {differing} |")
            if (folder / "daily_expected.csv").exists():
                print(*rows(name, "Trade/search", outcome, folder), sep="\n")
                export = platform_export(folder, Path(out) / "export.csv")
                print(*rows(name, "CSV export", import_and_replay([export], Path(out)), folder), sep="\n")
    print("\n| account | closing fills | of which the prices give another P&L |\n|---|---|---|", *closing, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
