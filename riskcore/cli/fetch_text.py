"""The result of a download as a person reads it."""

from typing import Any

from riskcore.cli.import_text import checked_lines, days_lines

Row = dict[str, Any]


def result_text(result: Row) -> str:
    """Days and accounts with their sums, then what was checked, what is missing, and when months rolled."""
    accounts = ", ".join(f"{row['id']} {row['name'] or ''}".strip() for row in result["accounts"])
    lines = [f"{result['from']} to {result['to']}  {accounts or 'no accounts'}", ""]
    if result["days"]:
        lines += [*days_lines(result), *result["conflicts"], *result["notes"], *checked_lines(result)]
    else:
        lines += ["No fills and no orders in these days; nothing was written.", *result["conflicts"], *result["notes"]]
    lines += [_bars_line(row) for row in result["bars"]]
    lines += [row["text"] for row in result["rolls"]]
    missing = [row["text"] for row in result["missing"]]
    asked = result["questions"]
    lines += ["", *missing] if missing else []
    lines += ["", f"{asked['asked']} questions asked, {asked['kept']} answered by what was already here."]
    return "\n".join(lines)


def _bars_line(row: Row) -> str:
    days = row["days"]
    return f"{row['contract']}: {row['unit']} bars of {len(days)} {'day' if len(days) == 1 else 'days'}"
