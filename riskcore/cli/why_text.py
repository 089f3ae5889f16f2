"""The explanation of one decision as a person reads it."""

import json
from typing import Any

from riskcore.audit.happening_words import command_words, short
from riskcore.cli.screen.words import counted
from riskcore.cli.sent_text import TOTALS, outcome_words, parts_words, request_lines

Row = dict[str, Any]
MOST_FILLS = 20


def why_text(explanation: Row) -> str:
    """From the event that was received to the outcome of the commands."""
    sections = [
        _head(explanation),
        ["What came in", f"  {_event(explanation['input'])}"],
        _figures(explanation["breach"]),
        _lockout(explanation["lockout"]),
        _settings(explanation["rule"]),
        _state(explanation["state"]),
        ["Left out of the day until then", *(f"  {text}" for text in explanation["left_out"])]
        if explanation["left_out"]
        else [],
        _commands("What was demanded", explanation["commands"], explanation),
        _commands("Already demanded before", explanation["already_in_force"], explanation),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _head(explanation: Row) -> list[str]:
    rule, account, breach = explanation["rule"], explanation["account"], explanation["breach"]
    title = f": {rule['title']}" if rule["title"] else ""
    what = f"{rule['id']} was breached" if breach else f"{rule['id']} acted without a breach"
    about = f"  about     {breach['contract']}" if breach and breach["contract"] else ""
    lines = [
        f"{what}{title}",
        f"  id        {explanation['id']}",
        f"  account   {account['name'] or account['id']}",
        about,
        f"  day       {explanation['trade_date']} of profile {explanation['profile']}",
        f"  judged by riskcore {explanation['version']}",
        f"  flags     {', '.join(breach['flags'])}" if breach and breach["flags"] else "",
    ]
    return [line for line in lines if line]


def _event(event: Row) -> str:
    return f"{short(event['at'])}  {event['text']}  (event {event['seq']}, {event['key']})"


def _figures(breach: Row | None) -> list[str]:
    if breach is None:
        return []
    width = max((len(name) for name in breach["figures"]), default=0)
    parts = parts_words(breach["parts"])
    lines = [
        f"  {name:<{width}}  {value}{parts if name in TOTALS else ''}" for name, value in breach["figures"].items()
    ]
    return [f"Figures at the limit, {short(breach['at'])}", *lines]


def _lockout(lockout: Row | None) -> list[str]:
    if lockout is None:
        return []
    until = f"until {short(lockout['expires_at'])}" if lockout["expires_at"] else "until released"
    lines = [f"  {lockout['id']}, set {short(lockout['set_at'])} {until}: {lockout['reason']}"]
    if lockout["command"]:
        lines.append(f"  set by command {lockout['command']}")
    return ["Lockout it violated", *lines]


def _settings(rule: Row) -> list[str]:
    if rule["settings"] is None:
        return []
    lines = [f"  {name} = {json.dumps(value)}" for name, value in rule["settings"].items()]
    return [f"Settings that decided ({rule['key']})", *lines]


def _state(state: Row) -> list[str]:
    lines = []
    day = state["day"]
    if day is not None:
        lines.append(
            f"  day so far: gross {day['gross_pnl']} - fees {day['fees']} - commissions {day['commissions']}"
            f" = net {day['net_pnl']}; {counted(day['fills'], 'fill')}, {counted(day['round_trips'], 'round trip')}"
        )
    for row in state["positions"]:
        mark = "" if row["mark"] is None else f", mark {row['mark']}, open P&L {row['unrealized']}"
        lots = ", ".join(f"{lot['size']} at {lot['price']}" for lot in row["lots"])
        lines.append(f"  open: {row['side']} {row['size']} {row['contract']} ({lots or row['average_price']}){mark}")
    fills = state["fills"]
    if len(fills) > MOST_FILLS:
        lines.append(f"  the last {MOST_FILLS} of {len(fills)} fills:")
    for fill in fills[-MOST_FILLS:]:
        booked = "opening" if fill["pnl"] is None else f"P&L {fill['pnl']}"
        booked = "voided" if fill["voided"] else booked
        lines.append(
            f"  {short(fill['at'])}  {fill['side']:<4} {fill['size']} {fill['contract']} at {fill['price']}:"
            f" {booked}, costs {fill['costs']}, net of the day {fill['running_net']}; by {fill['by']}"
            + (f", likely {fill['likely']}" if fill["likely"] else "")
        )
    return ["The account at that moment", *lines] if lines else []


def _commands(title: str, commands: list[Row], explanation: Row) -> list[str]:
    lines = []
    for row in commands:
        marker = ">" if row["id"] == explanation["id"] else " "
        lines += [f"{marker} {short(row['at'])}  {command_words(row)}", f"    id {row['id']}"]
        if row["met_by"] is None:
            lines += [f"    {outcome_words(row)}"] if "outcome" in row else []
        elif row["met_by"] == explanation["input"] and row["met_after_seconds"] == "0":
            lines.append("    met: it was already so")
        else:
            lines.append(f"    {outcome_words(row)}: {_event(row['met_by'])}")
        lines += [f"    {line}" for line in request_lines(row)]
    return [title, *lines] if lines else []
