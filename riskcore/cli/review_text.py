"""The evening review as a person reads it at the terminal."""

from typing import Any

from replay.review.words import (
    excursion_words,
    flag_text,
    hash_words,
    prevented_words,
    question_words,
    r_words,
    state_words,
    trips_words,
)
from riskcore.audit.happening_words import command_words, short, to_milliseconds
from riskcore.cli.audit_text import Sections
from riskcore.cli.print_text import in_zone
from riskcore.cli.screen.words import counted, short_contracts
from riskcore.cli.whatif_text import signed

Row = dict[str, Any]


def review_text(review: Row) -> str:
    """The day, its round trips, close calls, breaches, what the rules prevented, and what followed each lock."""
    day, names = review["day"], {one["id"]: one["name"] or str(one["id"]) for one in review["accounts"]}
    shared = Sections(names)
    sections = [
        [f"{day['profile']}  {day['trade_date']}  {state_words(review)}", *_accounts(review)],
        [trips_words(review["round_trips"]), *(f"  {line}" for line in _trips(review, names))],
        shared.closest(review["closest"]),
        shared.breaches(review["breaches"]) or ["No rule was breached."],
        _carried_out(review["commands"], names),
        shared.missed(review["missed_enforcement"]),
        shared.over(review["over_enforcement"]),
        [prevented_words(review), *(f"  {line}" for line in _by_rule(review))],
        _tilt(review, names),
        [f"{hash_words(review)} {review['hash']['sha256']}"],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _accounts(review: Row) -> list[str]:
    return [
        f"  {account['name'] or account['id']}  net {row['net_pnl']} (gross {row['gross_pnl']}, fees {row['fees']},"
        f" commissions {row['commissions']}), worst {row['worst_running_net']}, best {row['best_running_net']}"
        for account in review["accounts"]
        for row in account["days"]
    ]


def _trips(review: Row, names: dict[int, str]) -> list[str]:
    lines = []
    for row in review["round_trips"]:
        entered, exited = (_clock(row[name], review["timezone"]) for name in ("entered_at", "exited_at"))
        times = f"{entered or '(earlier)'} to {exited or '(open)'}"
        prices = f"{row['entry_price'] or 'unknown'} to {row['exit_price'] or '–'}"
        where = f"{names[row['account']]}  " if len(names) > 1 else ""
        what = f"{row['side']} {row['size']} {short_contracts(row['contract'])}"
        lines.append(f"{where}{times}  {what}  {prices}  net {signed(row['net_pnl'])}  {r_words(row)}")
        far = f"MAE {excursion_words(row, 'mae')}, MFE {excursion_words(row, 'mfe')}"
        if row["unknown"]:
            far = f"MAE and MFE unknown: {row['unknown']}"
        lines.append("; ".join([f"  {far}", *(flag_text(flag) for flag in row["flags"])]))
    return lines


def _clock(at: str | None, zone: str) -> str:
    return "" if at is None else in_zone(to_milliseconds(at), zone).partition(" ")[2]


def _carried_out(commands: list[Row], names: dict[int, str]) -> list[str]:
    rows = [row for row in commands if row["kind"] != "Alert"]
    if not rows:
        return []
    return [
        f"Commands ({len(rows)})",
        *(f"  {short(row['at'])}  {names[row['account']]}  {command_words(row)}" for row in rows),
    ]


def _by_rule(review: Row) -> list[str]:
    found = review["prevented"]
    return [] if found is None else [f"{row['rule']}: {signed(row['net_pnl'])}" for row in found["by_rule"]]


def _tilt(review: Row, names: dict[int, str]) -> list[str]:
    """What the trader did after each moment at which a rule locked, beside the rest of the day."""
    result = review["whatif"]
    if result is None or not result["tilt"]:
        return []
    lines = [f"After each lock (what-if {question_words(review)})"]
    for row in result["tilt"]:
        after, otherwise = (_habits(row[name]) for name in ("after", "otherwise"))
        who = f"{short(row['at'])}  {names.get(row['account'], row['account'])}  {row['rule']}"
        lines.append(f"  {who}  after: {after}; otherwise: {otherwise}")
    return lines


def _habits(row: Row) -> str:
    if not row["entries"]:
        return "no entry"
    return f"{counted(row['entries'], 'order')} of {row['mean_size']}, net {signed(row['net_pnl'])}"
