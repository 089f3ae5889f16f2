"""The state of an engine as a person reads it."""

from typing import Any

from riskcore.audit.happening_words import account_words, short, words_of
from riskcore.cli.screen.words import counted, duration, percent

Row = dict[str, Any]


def status_text(status: Row) -> str:
    """Who runs and since when, then each account, then the last breaches."""
    lines = [*_head(status)]
    for account in status["accounts"]:
        name = f"  {account['name']}" if account["name"] else ""
        lines += ["", f"Account {account['id']}{name}", *account_lines(account)]
    if status["breaches"]:
        several = len(status["accounts"]) > 1
        lines += ["", f"Last breaches ({len(status['breaches'])})"]
        for row in status["breaches"]:
            who = f"  {account_words(row)}" if several else ""
            # What was still allowed then is not what is allowed now: the lockouts above say that.
            then = {key: value for key, value in row.items() if key != "allowed"}
            lines.append(f"  {short(row['at'])}{who}  {words_of(then)}")
    if status["left_out"]:
        lines += ["", f"Left out of the day ({len(status['left_out'])})"]
        lines += [f"  {short(row['at'])}  {row['text']}" for row in status["left_out"]]
    return "\n".join(lines)


def _head(status: Row) -> list[str]:
    running = "an engine is running" if status["running"] else "no engine is running"
    carried = _carried_out(status["running"], status["carries_out"])
    last_event = status["last_event_at"].partition(".")[0].removesuffix("Z")
    lines = [
        f"profile {status['profile']}: {running}; {carried}",
        f"  last event {short(f'{last_event}Z')}, {duration(status['seconds_since_last_event'])} ago"
        f" (event {status['last_event_seq']}, riskcore {status['version']})",
        f"  trading day {status['trade_date']}, reset {short(status['resets_at'])}{_when(status['seconds_to_reset'])}",
    ]
    hubs = [
        f"{row['hub']} {row['state']}" + (f" since {short(row['since'])}" if row["since"] else "")
        for row in status["connections"]
    ]
    if hubs:
        lines.append(f"  connections{'' if status['running'] else ' as last recorded'}: {', '.join(hubs)}")
    if status.get("health"):
        lines += _health(status["health"])
    return lines


def _carried_out(running: bool, carries_out: bool) -> str:
    if not running:
        return f"nothing is enforced; the last one {'carried commands out' if carries_out else 'only decided'}"
    return "commands are carried out" if carries_out else "commands are only decided, not carried out"


def _when(seconds_left: int) -> str:
    """A day of the journal may have ended long ago."""
    return f", in {duration(seconds_left)}" if seconds_left else " has passed"


def _health(health: Row) -> list[str]:
    """The score, and what costs it points."""
    worst = [f"    -{part['points_lost']:<4} {part['sentence']}" for part in health["parts"]]
    return [f"  health {health['score']} of 100", *worst]


def account_lines(row: Row) -> list[str]:
    """One account, line by line."""
    if not row["judged"]:
        return ["  not judged: the profile does not name it"]
    day = row["day"]
    unsure = f" [{', '.join(row['unrealized_flags'])}]" if row["unrealized_flags"] else ""
    lines = [
        f"  today     {row['pnl_basis']} {row['realized']}, open {row['unrealized']}{unsure},"
        f" together {row['day_pnl']};"
        f" {counted(day['fills'], 'fill')}, {counted(day['round_trips'], 'round trip')}"
    ]
    if row["balance"] is not None:
        lines.append(f"  balance   {row['balance']}")
    if row["can_trade"] is False:
        lines.append("  broker    trading is not allowed")
    lines += [_limit(one) for one in row["limits"]]
    lines += [f"  room      {one['contract']}: {one['text']}" for one in row.get("safe_size", ())]
    lines += [_position(one) for one in row["positions"]] or ["  flat"]
    lines += [_order(one) for one in row["orders"]]
    lines += [_lockout(one) for one in row["lockouts"]]
    lines += [_obligation(one) for one in row["obligations"]]
    lines += [_request(one) for one in row["requests"]]
    lines += [f"  blind     {one['rule']}: {one['reason']}" for one in row["blind"]]
    if row["unseeded"]:
        lines.append(f"  unseeded  {', '.join(row['unseeded'])}: the fills of the day are still to be listed")
    return lines


def _limit(row: Row) -> str:
    """One gauge; how near it is stands in front where it is not simply fine, the share used behind."""
    state = "" if row["state"] == "ok" else f" {row['state'].upper()}"
    used = "" if row["used"] is None else f" ({percent(row['used'])} used)"
    about = f" {row['contract']}" if row["contract"] and row["contract"] not in row["text"] else ""
    return f"  limit     {row['rule']}{state}{about} {row['text']}{used}"


def _position(row: Row) -> str:
    mark = f", mark {row['mark']}{' (stale)' if row['stale'] else ''}" if row["mark"] else ", no mark"
    held = f"{row['side']} {row['size']} {row['contract']} at {row['average_price']}"
    return f"  open      {held}{mark}, open P&L {row['unrealized'] or 'unknown'}"


def _order(row: Row) -> str:
    prices = "".join(f" at {row[name]}" for name in ("stop_price", "limit_price") if row[name] is not None)
    filled = f", {row['filled']} filled" if row["filled"] else ""
    what = f"{row['side']} {row['size']} {row['contract']} {row['type']}{prices}"
    return f"  order     {row['id']}: {what}, {row['status']}{filled}"


def _lockout(row: Row) -> str:
    until = (
        f"until {short(row['expires_at'])} ({duration(row['seconds_left'])})" if row["expires_at"] else "until released"
    )
    return f"  lockout   {row['scope']} by {row['rule']} {until}: {row['reason']}"


def _obligation(row: Row) -> str:
    about = f" {row['contract']}" if row["contract"] else ""
    failures = f", {row['failures']} failures in a row" if row["failures"] else ""
    return f"  unmet     {row['kind']}{about} by {row['rule']}, for {duration(row['unmet_seconds'])}{failures}"


def _request(row: Row) -> str:
    about = f"order {row['order']}" if row["order"] is not None else row["contract"] or ""
    again = f", attempt {row['attempt']}" if row["attempt"] > 1 else ""
    return f"  request   {row['kind']} {about}".rstrip() + f": {row['state']} for {duration(row['seconds'])}{again}"
