"""Answers to the trader's commands, as plain lines."""

from typing import Any

from riskcore.audit.happening_words import short
from riskcore.cli.screen.words import counted, duration

Row = dict[str, Any]
_DONE = {
    "place": "order placed",
    "close": "close sent",
    "cancel": "cancel sent",
    "modify-stop": "stop changed",
    "modify-target": "target changed",
}


def order_text(answer: Row) -> str:
    """The outcome of an order command, then what was sent, then what to know about it."""
    outcome, reason = answer["outcome"], answer.get("reason") or ""
    if outcome == "accepted":
        first = f"{_DONE[answer['action']]}: {_what(answer)}"
        lines = [first, *([f"  {reason}"] if reason else [])]
    elif outcome == "declined":
        lines = [f"declined, nothing was sent: {reason}"]
    elif outcome == "refused":
        lines = [f"refused by the broker: {_what(answer)}", f"  {reason}"]
    else:
        lines = [
            f"unresolved: {_what(answer)}",
            f"  {reason}",
            "  it is not sent again; riskcore portfolio shows what is there",
        ]
    return "\n".join([*lines, *(f"  {note}" for note in answer.get("notes", ()))])


def _what(answer: Row) -> str:
    words = [str(answer[name]) for name in ("side", "size", "contract", "type") if answer.get(name) is not None]
    words += [
        f"at {answer[name]}" for name in ("limit_price", "stop_price", "trail_price") if answer.get(name) is not None
    ]
    brackets = [
        f", {word} {answer[name]:+d} ticks"
        for name, word in (("stop_loss_ticks", "stop loss"), ("take_profit_ticks", "take profit"))
        if answer.get(name) is not None
    ]
    order = f" (order {answer['order']})" if answer.get("order") is not None else ""
    return f"{' '.join(words)}{''.join(brackets)}{order} on {answer['account_name'] or answer['account']}"


def price_text(answer: Row) -> str:
    parts = [f"{name} {answer[name]}" for name in ("last", "bid", "ask") if answer[name] is not None]
    age = f"{answer['age_ms'] / 1000:.1f} s old"
    return f"{answer['root']} ({answer['contract']}): {', '.join(parts)}, {age}{', STALE' if answer['stale'] else ''}"


def health_text(answer: Row) -> str:
    lines = [f"health {answer['score']} of 100"]
    lines += [f"  -{part['points_lost']:<4} {part['sentence']}" for part in answer["parts"]]
    if not answer["parts"]:
        lines.append("  nothing is wrong")
    lines += [f"  binding {one['account']}: {one['rule']} {one['text']}" for one in answer.get("binding", ())]
    if "measured" in answer:
        lines += ["", *_measured_lines(answer["measured"])]
    return "\n".join(lines)


def _measured_lines(row: Row) -> list[str]:
    """What the score is made of, also where it costs nothing."""
    lines = []
    for hub in row["hubs"]:
        again = f", lost {counted(hub['losses_last_hour'], 'time')} in the last hour" if hub["losses_last_hour"] else ""
        lines.append((f"{hub['hub']} hub", f"{hub['state']} for {duration(hub['seconds'])}{again}"))
    age = row["snapshot_age_seconds"]
    lines.append(("accounts", f"seen by {row['seen_by']}, in full {'never' if age is None else f'{age} s ago'}"))
    calls, token, commit = row["calls"], row["token"], row["commit"]
    answers = "no answer yet" if calls["answer_ms"] is None else f"answered after {calls['answer_ms']} ms"
    failures = f"{counted(calls['failures_in_a_row'], 'failure')} in a row"
    lines.append(("calls", f"{answers}, {failures}, breaker {calls['breaker']}"))
    for quota in row["quotas"]:
        paused = f", paused for {quota['paused_seconds']} s" if quota["paused_seconds"] else ""
        used = f"{quota['used']} of {quota['limit']} used in {quota['window_seconds']} s, {quota['left']} left{paused}"
        lines.append((f"{quota['name']} quota", used))
    if token["age_seconds"] is not None:
        left = token["expires_in_seconds"]
        ends = f"good for {duration(left)}" if left > 0 else "EXPIRED"
        lines.append(("login", f"{duration(token['age_seconds'])} old, {ends}"))
    if commit["median_ms"] is not None:
        lines.append(("storing", f"takes {commit['median_ms']} ms, at worst {commit['slowest_ms']} ms"))
    drifts = row["drifts_last_hour"]
    lines.append(("drifts", f"{drifts} in the last hour"))
    return [f"  {name:<12} {text}" for name, text in lines]


def portfolio_text(answer: Row) -> str:
    from riskcore.cli.status_text import account_lines

    lines: list[str] = []
    for account in answer["accounts"]:
        name = f"  {account['name']}" if account["name"] else ""
        lines += ["", f"Account {account['id']}{name}", *account_lines(account)]
    return "\n".join(lines[1:]) or "no account is known yet"


def lock_text(answer: Row) -> str:
    lines = []
    for row in answer["accounts"]:
        who = row["account_name"] or row["account"]
        if not row["locked"]:
            lines.append(f"{who}: NOT locked; see riskcore status")
            continue
        longer = " already, and a lockout is never shortened" if row["already_longer"] else ""
        lines.append(f"{who}: locked until {short(row['expires_at'])}{longer}")
        if row["open_positions"] and answer["flatten"]:
            closing = "being closed" if answer["carried_out"] else "NOT closed yet: no engine carries it out"
            lines.append(f"  open positions: {row['open_positions']}, {closing}")
    if not answer["carried_out"]:
        lines.append(
            "no engine is carrying commands out now; the lockout is kept and enforced as soon as riskcore live runs"
        )
    return "\n".join(lines)


def flatten_text(answer: Row) -> str:
    lines = [f"{_who(row)}: {_flattened(row)}" for row in answer["accounts"]]
    return "\n".join([*lines, *_not_carried_out(answer)])


def _flattened(row: Row) -> str:
    if not row["open_positions"]:
        return "no position is open; entry orders are being cancelled" if row["working_orders"] else "already flat"
    return f"{counted(row['open_positions'], 'position')} being closed, entry orders cancelled"


def cancel_text(answer: Row) -> str:
    lines = [f"{_who(row)}: {_cancelled(row['working_orders'])}" for row in answer["accounts"]]
    return "\n".join([*lines, *_not_carried_out(answer)])


def _cancelled(orders: int) -> str:
    return f"{counted(orders, 'order')} being cancelled" if orders else "no order is working"


def _who(row: Row) -> str:
    return str(row["account_name"] or row["account"])


def _not_carried_out(answer: Row) -> list[str]:
    return [] if answer["carried_out"] else ["this engine only decides: nothing was sent to the broker"]


def unlock_text(answer: Row) -> str:
    who, lockout = answer["account_name"] or answer["account"], answer["lockout"]
    if not answer["ended"]:
        return f"{who}: {lockout} stays in force: {answer.get('refusal', 'it was not ended; see riskcore status')}"
    others = answer["still_locked_by"]
    return f"{who}: {lockout} ended; " + (
        f"still locked by {', '.join(others)}" if others else "no other lockout is in force"
    )
