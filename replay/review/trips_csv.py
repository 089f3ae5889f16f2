"""The round trips of a review as a CSV table, one row a trip, with the hash of the day on each row."""

import csv
import io

from riskcore.schema.rows import Row

COLUMNS = (
    *("account", "contract", "side", "size", "entered_at", "exited_at", "entry_price", "exit_price", "fills"),
    *("gross_pnl", "fees", "commissions", "net_pnl", "mae", "mae_ticks", "mfe", "mfe_ticks", "marks", "flags"),
    *("unknown", "stop_price", "stop_at", "risk", "risk_from", "r", "closed_by"),
)
_OF_DAY = ("trade_date", "account_name", "day_sha256")


def trips_csv(review: Row) -> str:
    """The table. What is unknown is an empty cell; a day without a trip still says its hash, in a row of its own."""
    names = {account["id"]: account["name"] for account in review["accounts"]}
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow((_OF_DAY[0], *COLUMNS, *_OF_DAY[1:]))
    date, digest = review["day"]["trade_date"], review["hash"]["sha256"]
    for row in review["round_trips"]:
        stop = row["stop"] or {}
        cells = {**row, "flags": " ".join(row["flags"]), "stop_price": stop.get("price"), "stop_at": stop.get("at")}
        table.writerow((date, *(cells[name] for name in COLUMNS), names.get(row["account"]), digest))
    if not review["round_trips"]:
        table.writerow((date, *("" for _ in COLUMNS), "", digest))
    return written.getvalue()
