"""The audit report: what rules found, what they demanded, the outcome, and the settings in force."""

from collections.abc import Sequence
from typing import Any

from riskcore.audit.log import AuditLog
from riskcore.audit.makers import fill_rows, flatten_rows, order_rows
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row, day_row

SCHEMA = "riskcore.audit/1"


def chosen_accounts(log: AuditLog, accounts: Sequence[str]) -> list[int]:
    """Ids of the accounts named by id or name; all when none is named. Raises ConfigError for an unknown one."""
    known = sorted(log.names)
    if not accounts:
        return known
    chosen = []
    for wanted in accounts:
        found = [account for account in known if wanted in (str(account), log.names[account])]
        if not found:
            shown = ", ".join(str(log.names[account] or account) for account in known) or "none"
            raise ConfigError(f"--account {wanted}: not in these days; accounts: {shown}")
        chosen += found
    return sorted(chosen)


def audit_report(log: AuditLog, accounts: Sequence[str] = ()) -> Row:
    """Everything the log knows of the chosen accounts, JSON-ready. Raises ConfigError for an unknown account."""
    chosen = chosen_accounts(log, accounts)

    def of(rows: list[Row], **wanted: Any) -> list[Row]:
        return [row for row in rows if row["account"] in chosen and all(row[key] == wanted[key] for key in wanted)]

    return {
        "schema": SCHEMA,
        "days": [
            {
                "profile": day.profile,
                "trade_date": day.trade_date,
                "version": day.version,
                "events": day.events,
                "decided": day.decided,
                "rejected": day.rejected,
                "lacks": list(day.lacks),
            }
            for day in log.days
        ],
        "accounts": [
            {
                "id": account,
                "name": log.names[account],
                "days": [day_row(log.figures[name]) for name in sorted(log.figures) if name[0] == account],
            }
            for account in chosen
        ],
        "breaches": of(log.breaches),
        "commands": of(log.command_rows()),
        "lockouts": of(log.lockouts.rows),
        "closest": log.approaches.rows(chosen),
        "overrides": of(log.overrides),
        "missed_enforcement": of(log.missed.rows),
        "over_enforcement": of(log.over.rows),
        "fills": of(fill_rows(log)),
        "orders": of(order_rows(log)),
        "flattens": of(flatten_rows(log)),
        "faults": of(log.notes, kind="fault"),
        "gaps": of(log.notes, kind="gap"),
        "notes": of(log.notes, kind="note"),
        "drifts": of(log.notes, kind="drift"),
        "left_out": [
            row
            for row in log.notes
            if row["kind"] == "left_out" and (not accounts or row["account"] in (None, *chosen))
        ],
        "settings": log.settings,
    }
