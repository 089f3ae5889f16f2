"""The result of a replay as a person reads it."""

from typing import Any

from riskcore.audit.happening_words import command_words, short
from riskcore.cli.print_text import fitted
from riskcore.cli.screen.words import counted

Row = dict[str, Any]


def result_text(result: Row, judged: bool = True) -> str:
    """Days, breaches, commands and what is in force at the end; `judged`: whether any rule was on."""
    lines: list[str] = []
    for session in result["sessions"]:
        span = f"{short(session['first_at'])} .. {short(session['last_at'])}"
        stored = ", as stored" if session["form"] == "journal" else ""
        lines.append(f"{session['path']}  {counted(session['events'], 'event')} received{stored}  {span}")
    for account in result["accounts"]:
        lines += ["", f"Account {account['id']}" + (f"  {account['name']}" if account["name"] else "")]
        lines += _days(account["days"])
        lines += [_position(row) for row in account["positions"]]
        lines += [_lockout(row) for row in account["lockouts"]]
        lines += [f"  blind     {row['trade_date']} {row['rule']}: {row['reason']}" for row in account["blind"]]
    lines += ["", *_decisions(result, judged)]
    if result["rejected_lines"]:
        rejected = counted(result["rejected_lines"], "payload")
        were = "was" if result["rejected_lines"] == 1 else "were"
        lines.append(f"{rejected} could not be understood and {were} recorded as rejected")
    comparison = result["comparison"]
    if comparison is not None:
        lines += _comparison(comparison)
    return "\n".join(lines)


def _position(row: Row) -> str:
    held = f"{row['side']} {row['size']} {row['contract']} at {row['average_price']}"
    return f"  open      {held}  open P&L {row['unrealized']}"


def _lockout(row: Row) -> str:
    until = short(row["expires_at"]) or "released"
    return f"  lockout   {row['scope']} by {row['rule']} until {until}: {row['reason']}"


# Column titles, their field in a day's row, and their width.
_COLUMNS = (
    ("day", "trade_date", -10),
    ("fills", "fills", 5),
    ("trips", "round_trips", 5),
    ("gross", "gross_pnl", 11),
    ("fees", "fees", 9),
    ("comm.", "commissions", 8),
    ("net", "net_pnl", 11),
    ("worst", "worst_running_net", 11),
    ("best", "best_running_net", 10),
)


def _days(days: list[Row]) -> list[str]:
    if not days:
        return ["  no fills, positions or breaches"]
    titles = {field: title for title, field, _ in _COLUMNS}
    cells = [[str(row[field]) for field in titles] for row in days]
    cells = [[f"  {first}", *others] for first, *others in cells]
    return fitted([_cells(titles), *map(_cells, days)], list(titles.values()), cells)


def _cells(row: Row) -> str:
    shown = (f"{row[field]:<{-width}}" if width < 0 else f"{row[field]:>{width}}" for _, field, width in _COLUMNS)
    return "  " + " ".join(shown)


def _decisions(result: Row, judged: bool) -> list[str]:
    if not result["breaches"] and not result["commands"]:
        return ["No rule was breached." if judged else "No rule is on, so nothing was judged."]
    lines = [f"{counted(len(result['breaches']), 'breach')}, {counted(len(result['commands']), 'command')}"]
    events: list[tuple[str, int, str]] = []
    for order, breach in enumerate(result["breaches"]):
        figures = "  ".join(f"{name} {value}" for name, value in breach["figures"].items())
        flags = f"  [{', '.join(breach['flags'])}]" if breach["flags"] else ""
        where = f"  {breach['contract']}" if breach["contract"] else ""
        events.append((breach["at"], order, f"{breach['rule']:<9} breached{where}  {figures}{flags}"))
    for order, row in enumerate(result["commands"]):
        events.append((row["at"], len(result["breaches"]) + order, f"{'':<9} -> {command_words(row)}"))
    return lines + [f"  {short(at)}  {text}" for at, _, text in sorted(events)]


def _comparison(comparison: Row) -> list[str]:
    if not comparison["differences"]:
        return [f"{comparison['recorded']} recorded decisions, all of them the same when recomputed"]
    lines = [f"{comparison['recorded']} recorded and {comparison['recomputed']} recomputed decisions differ:"]
    return lines + [
        f"  {short(row['at'])}  only {row['only']}: {row['type']} {row['key']} (cause {row['cause']})"
        for row in comparison["differences"]
    ]
