"""One alert: what it says, and what of it may leave when figures may not."""

from dataclasses import asdict, dataclass
from typing import Any

from riskcore.audit.alert_words import advice_of
from riskcore.core.kinds import CANCELS, STOPS, AlertLevel

REPEATED = "(repeated)"


@dataclass(frozen=True, slots=True)
class Alert:
    """`id` names the obligation and the level: an alert with the same id is sent once, over restarts too."""

    id: str
    level: AlertLevel
    title: str
    text: str
    plain: str  # The same without amounts, sizes and account names.

    def said(self, figures: bool) -> str:
        """The body as it leaves."""
        return self.text if figures else self.plain

    def repeated(self) -> "Alert":
        """The same, marked: it may have been sent before a crash."""
        return Alert(self.id, self.level, f"{self.title} {REPEATED}", self.text, self.plain)

    def row(self) -> dict[str, Any]:
        return asdict(self)


def alert_of(row: dict[str, Any]) -> Alert | None:
    """The alert of a happening (INTERFACE.md 7), if it is one."""
    kind = row["type"]
    if kind == "breach":
        figures = ", ".join(f"{name} {value}" for name, value in row["figures"].items())
        return _decided(row, row["id"], f"{_who(row)}: {figures}" if figures else _who(row))
    if kind == "command" and row["kind"] == "Alert":
        return _decided(row, row.get("breach", row["id"]), f"{_who(row)}: {row.get('text', '')}")
    if kind == "halt":
        over = bool(row.get("over"))
        text = ": ".join(str(one) for one in (row.get("text"), row.get("reason")) if one)
        words = "limits act again" if over else "limits may not act; look at it now (riskcore status)"
        title = "riskcore: the halt is over" if over else "riskcore: halt"
        return Alert(f"halt {row['at']}", "warning" if over else "critical", title, text, words)
    if kind == "connection" and row.get("state") in ("lost", "stale"):
        text = f"the {row['hub']} hub is {row['state']}: riskcore does not see everything"
        return Alert(f"connection {row['hub']} {row['at']}", "warning", "riskcore: connection", text, text)
    if kind in ("pause", "clock"):
        text = str(row["text"])
        return Alert(f"{kind} {row['at']}", "warning", f"riskcore: {kind}", text, text)
    if kind == "drift":
        plain = "the broker's figures differ from those of riskcore; see riskcore audit"
        about = f"drift {_who(row)} {row.get('contract', '')} {row['at']}"
        return Alert(about, "warning", "riskcore: drift", f"{_who(row)}: {row.get('text', '')}", plain)
    if kind == "watchdog":
        return Alert(f"watchdog {row['id']}", row["level"], row["title"], row["text"], row["plain"])
    if kind == "target":
        plain = "a target is reached; see riskcore programme show"
        return Alert(
            f"target {_who(row)} {row['at']}", "info", "riskcore: target", f"{_who(row)}: {row.get('text', '')}", plain
        )
    return None


def unconfirmed(obligation: str, rule: str, account: str, kind: str, seconds: int, at: str) -> Alert:
    """Enforcement that the broker has not confirmed for so long, while it matters (escalation.py)."""
    if kind in CANCELS:
        matters = "and orders still work. Cancel them yourself on the platform."
    elif kind in STOPS:
        matters = "and the position is open without it. Set the stop yourself on the platform, or close."
    else:
        matters = "and something is still open. Close it yourself on the platform."
    plain = f"{kind} of {rule} is not confirmed after {seconds} seconds {matters} {advice_of(rule).reached}"
    title = "riskcore: enforcement is not confirmed"
    return Alert(f"{obligation} unconfirmed {at}", "critical", title, f"{account}: {plain}", plain)


def _decided(row: dict[str, Any], about: str, happened: str) -> Alert:
    until = f" This holds until {row['until']}." if "until" in row else ""
    plain = f"{row['allowed']}{until} {row['advice']}"
    return Alert(f"{about} {row['level']}", row["level"], row["title"], f"{happened}. {plain}", plain)


def _who(row: dict[str, Any]) -> str:
    return str(row.get("account_name") or row.get("account") or "riskcore")
