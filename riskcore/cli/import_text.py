"""The result of an import as a person reads it."""

from typing import Any

from riskcore.cli.print_text import aligned, fitted

Row = dict[str, Any]
# Title of a column: its field in the row of an account's day.
_COLUMNS = {
    "account": "id",
    "fills": "fills",
    "trips": "round_trips",
    "from prices": "recomputed_pnl",
    "broker": "gross_pnl",
    "fees": "fees",
    "comm.": "commissions",
    "net": "net_pnl",
}


def result_text(result: Row) -> str:
    """Days and accounts with their sums, then what is not known, what differs, and what was checked."""
    if not result["days"]:
        return "\n".join(["No fills and no orders in these files; nothing was written.", *_of_files(result)])
    steps = result["next_steps"]
    further = ["", f"Next: {steps[0]}", *(f"      {step}" for step in steps[1:])] if steps else []
    return "\n".join([*days_lines(result), *_of_files(result), *checked_lines(result), *further])


def days_lines(result: Row) -> list[str]:
    """A line for every account and day, then what there is to say of each."""
    rows: list[list[str]] = []
    notes: list[str] = []
    for day in result["days"]:
        about = [day["recording"], ", ".join(day["lacks"])]
        for account in day["accounts"]:
            rows.append([day["trade_date"], *(str(account[name]) for name in _COLUMNS.values()), *about])
            notes += _notes(day["trade_date"], account)
        if not day["accounts"]:
            rows.append([day["trade_date"], "no fills", *[""] * (len(_COLUMNS) - 1), *about])
    if any(day["approximate"] for day in result["days"]):
        notes.append("orders are approximate: the files name none, so fills of one contract, second and side are one")
    titles = ["day", *_COLUMNS, "recording", "lacks"]
    ends = (0, len(titles) - 2, len(titles) - 1)
    return [*fitted(aligned([titles, *rows], left=ends), titles, rows), "", *notes]


def _of_files(result: Row) -> list[str]:
    return [*result["conflicts"], *result["notes"]]


def checked_lines(result: Row) -> list[str]:
    """Only what was checked counts as checked."""
    closing, checked, differing = result["closing_fills"], result["checked"], result["differences"]
    if not closing:
        return ["There are no closing fills, so no P&L to check."]
    found = f"{checked} of {closing} closing fills could be checked"
    if differing:
        return [f"{found}; {differing} {'differs' if differing == 1 else 'differ'} from the P&L of their prices."]
    if not checked:
        return [f"{found}, so nothing shows whether the broker's P&L is right."]
    return [f"{found}; the prices give the broker's P&L of {'it' if checked == 1 else 'all of them'}."]


def _notes(trade_date: str, row: Row) -> list[str]:
    lines = [f"{trade_date}  {text}" for text in row["contradictions"]]
    lines += [
        f"{trade_date}  fill {one['trade']} of {one['contract']}: broker {one['recorded'] or 'none'},"
        f" prices {one['recomputed']}"
        for one in row["differences"]
    ]
    lines += [
        f"{trade_date}  fill {one['trade']} of {one['contract']}: not recomputed: {one['reason']}"
        for one in row["not_recomputed"]
    ]
    if row["paired_otherwise"]:
        lines.append(
            f"{trade_date}  account {row['id']}: {row['paired_otherwise']} closing fills do not close the oldest lot,"
            " as the broker does: are there rows of two accounts? Open P&L may be wrong there"
        )
    for name in ("fees", "commissions"):
        if row[f"{name}_unknown"]:
            lines.append(
                f"{trade_date}  account {row['id']}: {name} of {row[f'{name}_unknown']} fills are not in the files"
            )
    return lines
