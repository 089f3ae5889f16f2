"""The audit report as a person reads it."""

from dataclasses import dataclass
from typing import Any

from riskcore.audit.attribution import maker_words
from riskcore.audit.happening_words import command_words, short
from riskcore.cli.screen.words import counted, percent
from riskcore.cli.sent_text import figures_words, outcome_words, request_lines

Row = dict[str, Any]


def audit_text(report: Row) -> str:
    """Days and settings first, then what happened, one section each; empty sections are left out."""
    names = {account["id"]: account["name"] or str(account["id"]) for account in report["accounts"]}
    shared = Sections(names)
    sections = [
        _days(report),
        _settings(report["settings"]),
        shared.breaches(report["breaches"]) or [_unbreached(report)],
        _section("Commands", [_command(row, names) for row in report["commands"]]),
        _section("Lockouts", [_lockout(row, names) for row in report["lockouts"]]),
        shared.closest(report["closest"]),
        _section("Operator overrides", [_override(row, names) for row in report["overrides"]]),
        shared.missed(report["missed_enforcement"]),
        shared.over(report["over_enforcement"]),
        _made(report, names),
        _section("Rules that failed", [_note(row, names) for row in report["faults"]]),
        _section("Gaps", [_note(row, names) for row in report["gaps"]]),
        _section("Notes", [_note(row, names) for row in report["notes"]]),
        _section("Fills and broker disagreed", [_note(row, names) for row in report["drifts"]]),
        _section(
            "Left out, because riskcore itself went wrong on it", [_note(row, names) for row in report["left_out"]]
        ),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections that an audit and a review share; `names` are those of the accounts. Without rows they are empty."""

    names: dict[int, str]

    def breaches(self, rows: list[Row]) -> list[str]:
        return _section("Breaches", [_breach(row, self.names) for row in rows])

    def closest(self, rows: list[Row]) -> list[str]:
        return _section("Closest approach to each limit", [_closest(row, self.names) for row in rows])

    def missed(self, rows: list[Row]) -> list[str]:
        return _section("Missed enforcement", [_missed(row, self.names) for row in rows])

    def over(self, rows: list[Row]) -> list[str]:
        return _section("Over-enforcement", [_over(row, self.names) for row in rows])


def _section(title: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    return [f"{title} ({len(rows)})", *(f"  {line}" for row in rows for line in row.splitlines())]


def _days(report: Row) -> list[str]:
    lines = []
    for day in report["days"]:
        lacks = f", without {', '.join(day['lacks'])}" if day["lacks"] else ""
        rejected = f", {day['rejected']} rejected" if day["rejected"] else ""
        lines.append(
            f"{day['profile']}  {day['trade_date']}  {counted(day['events'], 'event')} stored,"
            f" {day['decided']} of them decided{rejected}{lacks}  (judged by riskcore {day['version']})"
        )
    for account in report["accounts"]:
        for row in account["days"]:
            lines.append(
                f"  {row['trade_date']}  {account['name'] or account['id']}  {counted(row['fills'], 'fill')},"
                f" {counted(row['round_trips'], 'round trip')}, gross {row['gross_pnl']}, fees {row['fees']},"
                f" commissions {row['commissions']}, net {row['net_pnl']}"
            )
    return lines


def _closest(row: Row, names: dict[int, str]) -> str:
    contract = f" {row['contract']}" if row["contract"] else ""
    measured = f"{row['measured']}, {percent(row['used'])} used, {row['left']} left"
    return f"{row['trade_date']}  {names[row['account']]}  {row['rule']}{contract}  {measured}  at {short(row['at'])}"


def _settings(settings: list[Row]) -> list[str]:
    lines = []
    for row in settings:
        lines.append(f"Settings in force from {row['from']}: {', '.join(_in_force(row['settings'])) or 'no rules'}")
        lines += [f"  {one['setting']}: {_value(one['old'])} -> {_value(one['new'])}" for one in row["changes"]]
    return lines


def _unbreached(report: Row) -> str:
    judged = any(_in_force(row["settings"]) for row in report["settings"])
    return "No rule was breached." if judged else "No rule is on, so nothing was judged."


def _in_force(settings: Row) -> list[str]:
    """The rules that are switched on, then the firm's programme and the groups."""
    rules = [name for name, table in settings.get("rules", {}).items() if _enabled(table)]
    own = any("programme" in table for table in settings.get("accounts", {}).values())
    groups = [f"group {group['name']}" for group in settings.get("group", ())]
    return [*rules, *(["programme"] if own or settings.get("programme") else []), *groups]


def _enabled(table: Any) -> bool:
    return any(one.get("enabled", True) for one in (table if isinstance(table, list) else [table]))


def _value(value: Any) -> str:
    return "none" if value is None else str(value)


def _breach(row: Row, names: dict[int, str]) -> str:
    where = f"  {row['contract']}" if row["contract"] else ""
    flags = f"  [{', '.join(row['flags'])}]" if row["flags"] else ""
    what = f"{short(row['at'])}  {names[row['account']]}  {row['rule']}{where}  {figures_words(row)}{flags}"
    return f"{what}\n  id {row['id']}"


def _command(row: Row, names: dict[int, str]) -> str:
    outcome = f"  {outcome_words(row)}" if "outcome" in row else ""
    what = f"{short(row['at'])}  {names[row['account']]}  {command_words(row)}{outcome}"
    return "\n".join([what, f"  id {row['id']}", *(f"  {line}" for line in request_lines(row))])


def _lockout(row: Row, names: dict[int, str]) -> str:
    ended = f"ended {short(row['ended_at'])} by {row['ended_by']}" if row["ended_at"] else "still in force"
    return f"{short(row['set_at'])}  {names[row['account']]}  {row['scope']} by {row['rule']} ({row['kind']}), {ended}"


def _override(row: Row, names: dict[int, str]) -> str:
    outcome = "ended it" if row["ended_the_lockout"] else "was refused"
    return f"{short(row['at'])}  {names[row['account']]}  {row['lockout']}: {outcome}; reason: {row['reason']}"


def _missed(row: Row, names: dict[int, str]) -> str:
    return (
        f"{short(row['at'])}  {names[row['account']]}  {row['text']}"
        f" (demanded by {row['rule']} since {short(row['since'])})"
    )


def _over(row: Row, names: dict[int, str]) -> str:
    return f"{short(row['at'])}  {names[row['account']]}  {row['text']} (command {row['command']})"


def _made(report: Row, names: dict[int, str]) -> list[str]:
    """Who did it: in figures, and each flatten by itself."""
    if not report["fills"]:
        return []
    lines = ["Who did it", f"  fills   {maker_words(report['fills'])}"]
    if report["orders"]:
        lines.append(f"  orders  {maker_words(report['orders'])}")
    for row in report["flattens"]:
        likely = f", likely {row['likely']}" if row["likely"] else ""
        where = f"{short(row['at'])}  {names[row['account']]}  {row['contract']}"
        lines.append(f"  {where} flat by {row['by']}{likely}: {row['by_reason']}")
    return lines


def _note(row: Row, names: dict[int, str]) -> str:
    where = f"{row['contract']}: " if row["contract"] else ""
    # What riskcore went wrong on may concern no account, or one that it has not met.
    account = row["account"]
    who = "every account" if account is None else names.get(account, str(account))
    return f"{short(row['at'])}  {who}  {where}{row['text']}"
